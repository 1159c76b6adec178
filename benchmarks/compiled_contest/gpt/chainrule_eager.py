"""The eager engine: the loop of examples/gpt.py."""

from __future__ import annotations

import random

from contest.gpt import adam, example

from compiled_contest.contestants import EAGER
from compiled_contest.entry import Entry
from compiled_contest.gpt import problem


class Eager(Entry):
    steps, checked = 10, problem.STEPS
    note = "the first 10 names"

    def __init__(self) -> None:
        self.gpt = example()
        self.model = self.gpt.GPT(problem.TOKENS, random.Random(42))

    def reset(self) -> None:
        for p, number in zip(self.model.parameters(), problem.parameters(), strict=True):
            p.data = number
        self.model.zero_grad()
        self.optimizer, self.losses = adam(self.model), []

    def run(self, steps: int) -> None:
        for k in range(steps):
            loss = self.gpt.loss_of(self.model, problem.SEQUENCES[k])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.data)

    def numbers(self) -> list[float]:
        return self.losses


ENTRIES = {EAGER: Eager}
