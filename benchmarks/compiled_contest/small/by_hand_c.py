"""floors/small.c, which repeats a call by itself."""

from __future__ import annotations

from compiled_contest.contestants import C
from compiled_contest.entry import Entry
from compiled_contest.natives import compiled, numbers
from compiled_contest.small import problem


class ByHand(Entry):
    compiles = True
    steps = 16

    def __init__(self, case: str) -> None:
        self.name = b"logsumexp" if case == "list" else case.encode()
        self.given = numbers(problem.flat(list(problem.ARGUMENTS[case])))
        self.out = numbers([0.0] * problem.sizes(case)[1])

    def build(self) -> None:
        self.floor = compiled("small")

    def run(self, steps: int) -> None:
        if not self.floor.run(self.name, steps, self.given, self.out):
            raise RuntimeError(f"floors/small.c has no case {self.name!r}")

    def numbers(self) -> list[float]:
        return list(self.out)


ENTRIES = {C: ByHand}
