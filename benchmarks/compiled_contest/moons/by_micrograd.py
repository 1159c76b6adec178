"""micrograd, as in its own notebook; Python's collector of cycles is on, as it is by default."""

from __future__ import annotations

import sys

from micrograd.nn import MLP

from compiled_contest.contestants import MICROGRAD
from compiled_contest.entry import Entry
from compiled_contest.moons import problem


class Notebook(Entry):
    rounds = 2
    note = "the first step alone"

    def __init__(self) -> None:
        sys.setrecursionlimit(100_000)  # its backward recurses as deep as a sum is long
        self.model = MLP(2, [16, 16, 1])

    def reset(self) -> None:
        self.losses: list[float] = []
        for p, number in zip(self.model.parameters(), problem.parameters(), strict=True):
            p.data = number

    def run(self, steps: int) -> None:
        for k in range(steps):
            scores = list(map(self.model, problem.POINTS))
            losses = [(1 + -y * score).relu() for y, score in zip(problem.LABELS, scores, strict=True)]
            penalty = problem.ALPHA * sum(p * p for p in self.model.parameters())
            loss = sum(losses) * (1.0 / len(losses)) + penalty
            self.model.zero_grad()
            loss.backward()
            for p in self.model.parameters():
                p.data -= problem.RATES[k] * p.grad
            self.losses.append(loss.data)

    def numbers(self) -> list[float]:
        return self.losses


ENTRIES = {MICROGRAD: Notebook}
