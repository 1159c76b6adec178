"""NumPy, the derivatives by hand. All parameters are one array; a column of ones makes a bias one weight more."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np

from compiled_contest.contestants import NUMPY
from compiled_contest.entry import Entry
from compiled_contest.moons import problem


class ByHand(Entry):
    steps = checked = problem.STEPS

    def __init__(self) -> None:
        self.first, self.labels = np.array(problem.parameters()), np.array(problem.LABELS, dtype=float)
        self.p, self.grad = self.first.copy(), np.empty_like(self.first)
        ends = [0, *accumulate((nin + 1) * nout for nin, nout in problem.SIZES)]
        parts = list(zip(pairwise(ends), problem.SIZES, strict=True))
        self.weights, self.grads = ([v[a:b].reshape(n, -1) for (a, b), (_, n) in parts] for v in (self.p, self.grad))
        self.x, self.h1, self.h2 = (np.ones((problem.SAMPLES, nin + 1)) for nin, _ in problem.SIZES)
        self.x[:, :-1] = problem.POINTS

    def reset(self) -> None:
        self.p[:], self.losses = self.first, []

    def run(self, steps: int) -> None:
        for k in range(steps):
            self.losses.append(self.step(problem.RATES[k]))

    def step(self, rate: float) -> float:
        x, h1, h2, y, p = self.x, self.h1, self.h2, self.labels, self.p
        w1, w2, w3 = self.weights
        np.maximum(x @ w1.T, 0, out=h1[:, :-1])
        np.maximum(h1 @ w2.T, 0, out=h2[:, :-1])
        margins = np.maximum(1 - y * (h2 @ w3[0]), 0)
        loss = margins.mean() + problem.ALPHA * (p @ p)
        d3 = (margins > 0) * y
        d3 *= -1 / len(y)
        d2 = (h2[:, :-1] > 0) * w3[0, :-1]
        d2 *= d3[:, None]
        d1 = d2 @ w2[:, :-1]
        d1 *= h1[:, :-1] > 0
        for out, d, into in zip(self.grads, (d1.T, d2.T, d3[None]), (x, h1, h2), strict=True):
            np.matmul(d, into, out=out)
        p *= 1 - 2 * problem.ALPHA * rate
        self.grad *= rate
        p -= self.grad
        return loss

    def numbers(self) -> list[float]:
        return self.losses


ENTRIES = {NUMPY: ByHand}
