"""floors/moons.c."""

from __future__ import annotations

from itertools import chain

from compiled_contest.contestants import C
from compiled_contest.entry import Entry
from compiled_contest.moons import problem
from compiled_contest.natives import compiled, numbers


class ByHand(Entry):
    steps = checked = problem.STEPS
    compiles = True

    def __init__(self) -> None:
        self.data = [numbers(problem.parameters()), numbers(chain(*problem.POINTS)), numbers(problem.LABELS)]
        self.losses = numbers([0.0] * self.steps)

    def build(self) -> None:
        self.floor = compiled("moons")

    def reset(self) -> None:
        self.floor.put(*self.data)

    def run(self, steps: int) -> None:
        self.floor.run(steps, self.losses)

    def numbers(self) -> list[float]:
        return list(self.losses)


ENTRIES = {C: ByHand}
