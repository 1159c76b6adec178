"""The eager engine with chainrule.nn, chainrule.optim: plain scalar Python, a graph for each step."""

from __future__ import annotations

from chainrule import relu
from chainrule.nn import MLP
from chainrule.optim import SGD
from compiled_contest.contestants import EAGER
from compiled_contest.entry import Entry
from compiled_contest.moons import problem


class Eager(Entry):
    steps, checked = 5, problem.STEPS
    note = "the first 5 steps"

    def __init__(self) -> None:
        self.model = MLP(2, [16, 16, 1])

    def reset(self) -> None:
        for p, number in zip(self.model.parameters(), problem.parameters(), strict=True):
            p.data = number
        self.model.zero_grad()
        self.optimizer = SGD(self.model.parameters(), lr=lambda k: 1.0 - 0.9 * k / 100)
        self.losses: list[float] = []

    def run(self, steps: int) -> None:
        for _ in range(steps):
            losses = [relu(1 - y * self.model(x)) for x, y in zip(problem.POINTS, problem.LABELS, strict=True)]
            penalty = problem.ALPHA * sum(p * p for p in self.model.parameters())
            loss = sum(losses) * (1.0 / len(losses)) + penalty
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.data)

    def numbers(self) -> list[float]:
        return self.losses


ENTRIES = {EAGER: Eager}
