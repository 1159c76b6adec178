"""floors/gpt.c."""

from __future__ import annotations

import tempfile
from pathlib import Path

from compiled_contest.contestants import C
from compiled_contest.entry import Entry
from compiled_contest.gpt import problem
from compiled_contest.natives import compiled, numbers


class ByHand(Entry):
    steps = checked = problem.STEPS
    compiles = True

    def __init__(self) -> None:
        self.losses = numbers([0.0] * self.steps)
        self.init = Path(tempfile.mkdtemp()) / "init.txt"
        self.init.write_text("\n".join(map(repr, [*problem.parameters(), *problem.ORDER])), encoding="ascii")

    def build(self) -> None:
        self.floor = compiled("gpt")
        assert self.floor.read_files(str(problem.NAMES).encode(), str(self.init).encode()) == len(problem.ORDER)

    def reset(self) -> None:
        self.floor.reset()

    def run(self, steps: int) -> None:
        self.floor.run(steps, self.losses)

    def numbers(self) -> list[float]:
        return list(self.losses)


ENTRIES = {C: ByHand}
