"""JAX: one path as a scan over its steps, mapped over the paths; and all paths in one array, a running sum."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from compiled_contest.asian import problem
from compiled_contest.contestants import JAX, JAX_SCAN
from compiled_contest.entry import Entry

DT = 1 / problem.STEPS


def by_sums(s0: Any, vol: Any, r: Any, normals: Any) -> Any:
    steps = (r - 0.5 * vol * vol) * DT + vol * DT**0.5 * normals
    s = s0 * jnp.exp(jnp.cumsum(steps, axis=0))
    return (jax.nn.relu(s.mean(axis=0) - problem.STRIKE) * jnp.exp(-r)).mean()


def of_path(s0: Any, vol: Any, r: Any, z: Any) -> Any:
    drift, scale = (r - 0.5 * vol * vol) * DT, vol * DT**0.5

    def advance(carry: Any, zi: Any) -> Any:
        s, total = carry
        s = s * jnp.exp(drift + scale * zi)
        return (s, total + s), None

    (_, total), _ = jax.lax.scan(advance, (s0, 0.0), z)
    return jax.nn.relu(total / problem.STEPS - problem.STRIKE) * jnp.exp(-r)


def by_scan(s0: Any, vol: Any, r: Any, normals: Any) -> Any:
    return jax.vmap(of_path, in_axes=(None, None, None, 1))(s0, vol, r, normals).mean()


class Jit(Entry):
    compiles = True
    price = staticmethod(by_sums)
    note = "the steps a running sum"

    def __init__(self) -> None:
        arguments = (problem.S0, problem.VOL, problem.R, problem.NORMALS)
        self.arguments = jax.block_until_ready([jnp.array(x) for x in arguments])

    def build(self) -> None:
        self.compiled = jax.jit(jax.value_and_grad(self.price, argnums=(0, 1, 2))).lower(*self.arguments).compile()

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.out = jax.block_until_ready(self.compiled(*self.arguments))

    def numbers(self) -> list[float]:
        price, derivatives = self.out
        return [float(price), *map(float, derivatives)]


class Scan(Jit):
    price = staticmethod(by_scan)
    note = "a scan over the steps"


ENTRIES = {JAX: Jit, JAX_SCAN: Scan}
