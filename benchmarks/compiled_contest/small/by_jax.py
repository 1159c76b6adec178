"""JAX: the same functions of arrays, jit; numbers are read as floats, arrays as NumPy's."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from compiled_contest.contestants import JAX
from compiled_contest.entry import Entry
from compiled_contest.small import problem


def of_two(x: Any, y: Any) -> Any:
    return jnp.sin(x) * y + jnp.exp(-x)


def squares(x: Any) -> Any:
    return jnp.sum(x * x)


def least_squares(w: Any, rows: Any, wanted: Any) -> Any:
    return jnp.sum((rows @ w - wanted) ** 2)


def two_results(x: Any) -> Any:
    return [squares(x), jnp.exp(-jnp.sum(jnp.sin(x)))]


FUNCTIONS = {
    "scalars": jax.value_and_grad(of_two, argnums=(0, 1)),
    "array": jax.value_and_grad(squares),
    "logsumexp": jax.value_and_grad(jax.scipy.special.logsumexp),
    "list": jax.value_and_grad(jax.scipy.special.logsumexp),
    "least_squares": jax.value_and_grad(least_squares),
    "batch": jax.vmap(jax.value_and_grad(of_two, argnums=(0, 1))),
    "jacobian": jax.vmap(jax.jacrev(two_results)),
}


class Jit(Entry):
    compiles = True
    steps = 16

    def __init__(self, case: str) -> None:
        self.case, self.arguments = case, problem.ARGUMENTS[case]

    def build(self) -> None:
        self.compiled = jax.jit(FUNCTIONS[self.case])

    def run(self, steps: int) -> None:
        f, read = self.compiled, float if self.case == "scalars" else np.asarray
        for _ in range(steps):
            given = (np.array(self.arguments[0]),) if self.case == "list" else self.arguments
            self.out = jax.tree.map(read, f(*given))

    def numbers(self) -> list[float]:
        return problem.flat(self.out)


ENTRIES = {JAX: Jit}
