"""JAX: one step compiled for names filled up to the same length, and all of them compiled as one scan."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from compiled_contest.contestants import JAX, JAX_SCAN
from compiled_contest.entry import Entry
from compiled_contest.gpt import problem

jax.config.update("jax_cpu_enable_async_dispatch", False)  # quicker here: steps are short
EARLIER = np.tril(np.ones((problem.CONTEXT, problem.CONTEXT), dtype=bool))


def norm(x: Any) -> Any:
    return x * jax.lax.rsqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5)


def loss_of(p: Any, tokens: Any, length: Any) -> Any:
    seen, following = tokens[:-1], tokens[1:]
    x = norm(p["token_embedding"][seen] + p["position_embedding"])
    y = norm(x)
    q, k, v = ((y @ p[name].T).reshape(-1, problem.HEADS, problem.HEAD) for name in ("query", "key", "value"))
    fits = jnp.where(EARLIER, jnp.einsum("qhd,khd->hqk", q, k) * problem.HEAD**-0.5, -jnp.inf)
    attended = jnp.einsum("hqk,khd->qhd", jax.nn.softmax(fits), v).reshape(-1, problem.WIDTH)
    x = x + attended @ p["output"].T
    x = x + jax.nn.relu(norm(x) @ p["widen"].T) @ p["narrow"].T
    chances = jax.nn.log_softmax(x @ p["unembedding"].T)
    right = jnp.take_along_axis(chances, following[:, None], axis=1)[:, 0]
    return -jnp.where(jnp.arange(problem.CONTEXT) < length, right, 0.0).sum() / length


def step(state: Any, name: Any) -> Any:
    p, mean, square, k = state
    loss, grads = jax.value_and_grad(loss_of)(p, *name)
    (b1, b2), tree = problem.BETAS, jax.tree.map
    rate, c1, c2 = problem.RATE * (1 - k / problem.SCHEDULE), 1 - b1 ** (k + 1), 1 - b2 ** (k + 1)
    mean = tree(lambda m, g: b1 * m + (1 - b1) * g, mean, grads)
    square = tree(lambda s, g: b2 * s + (1 - b2) * g * g, square, grads)
    p = tree(lambda x, m, s: x - rate * (m / c1) / (jnp.sqrt(s / c2) + problem.EPS), p, mean, square)
    return (p, mean, square, k + 1), loss


class Jit(Entry):
    steps = checked = problem.STEPS
    compiles = True
    note = "names filled up to 16 positions"

    def __init__(self) -> None:
        tokens = np.array([tokens + [0] * (17 - len(tokens)) for tokens in problem.SEQUENCES])
        lengths = np.array([len(tokens) - 1 for tokens in problem.SEQUENCES])
        self.all = jax.block_until_ready((jnp.array(tokens), jnp.array(lengths)))
        self.names = jax.block_until_ready(list(zip(*self.all, strict=True)))

    def build(self) -> None:
        self.reset()
        self.step = jax.jit(step, donate_argnums=0).lower(self.state, self.names[0]).compile()

    def reset(self) -> None:
        p = {name: jnp.array(matrix) for name, matrix in problem.MATRICES.items()}
        mean, square = ({name: jnp.zeros_like(x) for name, x in p.items()} for _ in range(2))
        self.state = jax.block_until_ready((p, mean, square, jnp.array(0)))
        self.losses: Any = []

    def run(self, steps: int) -> None:
        for k in range(steps):
            self.state, loss = self.step(self.state, self.names[k])
            self.losses.append(loss)
        jax.block_until_ready((self.state, self.losses))

    def numbers(self) -> list[float]:
        return [float(loss) for loss in self.losses]


class Scan(Jit):
    def build(self) -> None:
        self.reset()
        self.scan = jax.jit(lambda *a: jax.lax.scan(step, *a), donate_argnums=0).lower(self.state, self.all).compile()

    def run(self, steps: int) -> None:
        assert steps == problem.STEPS
        self.state, self.losses = jax.block_until_ready(self.scan(self.state, self.all))


ENTRIES = {JAX: Jit, JAX_SCAN: Scan}
