"""JAX: one step compiled, and a hundred compiled as one scan."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from compiled_contest.contestants import JAX, JAX_SCAN
from compiled_contest.entry import Entry
from compiled_contest.moons import problem

jax.config.update("jax_cpu_enable_async_dispatch", False)  # quicker here: steps are short
POINTS, LABELS = np.array(problem.POINTS), np.array(problem.LABELS, dtype=float)


def loss_of(parameters: list[Any]) -> Any:
    w1, b1, w2, b2, w3, b3 = parameters
    hidden = jax.nn.relu(POINTS @ w1.T + b1)
    hidden = jax.nn.relu(hidden @ w2.T + b2)
    margins = jax.nn.relu(1 - LABELS * (hidden @ w3.T + b3)[:, 0])
    return margins.mean() + problem.ALPHA * sum((p * p).sum() for p in parameters)


def step(state: Any, _: Any = None) -> Any:
    parameters, k = state
    loss, grads = jax.value_and_grad(loss_of)(parameters)
    rate = 1.0 - 0.9 * k / 100
    return ([p - rate * grad for p, grad in zip(parameters, grads, strict=True)], k + 1), loss


class Jit(Entry):
    steps = checked = problem.STEPS
    compiles = True

    def __init__(self) -> None:
        self.first = problem.arrays()
        jnp.zeros(1).block_until_ready()  # starts the backend

    def build(self) -> None:
        self.reset()
        self.step = jax.jit(step, donate_argnums=0).lower(self.state).compile()

    def reset(self) -> None:
        self.state = jax.block_until_ready(([jnp.array(p) for p in self.first], jnp.array(0)))
        self.losses: Any = []

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.state, loss = self.step(self.state)
            self.losses.append(loss)
        jax.block_until_ready((self.state, self.losses))

    def numbers(self) -> list[float]:
        return [float(loss) for loss in self.losses]


class Scan(Jit):
    def build(self) -> None:
        self.reset()
        scan = jax.jit(partial(jax.lax.scan, step, length=problem.STEPS), donate_argnums=0)
        self.scan = scan.lower(self.state).compile()

    def run(self, steps: int) -> None:
        assert steps == problem.STEPS
        self.state, self.losses = jax.block_until_ready(self.scan(self.state))


ENTRIES = {JAX: Jit, JAX_SCAN: Scan}
