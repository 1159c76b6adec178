"""floors/levels.c."""

from __future__ import annotations

import tempfile
from pathlib import Path

from compiled_contest.contestants import C
from compiled_contest.entry import Entry
from compiled_contest.irregular.graphs import graph, write
from compiled_contest.natives import compiled, numbers


class Levels(Entry):
    compiles = True

    def __init__(self, family: str) -> None:
        self.graph = graph(family)
        self.file = Path(tempfile.mkdtemp()) / "graph.txt"
        with self.file.open("w", encoding="ascii") as file:
            write(self.graph, file)
        self.value, self.grads = numbers([0.0]), numbers([0.0] * len(self.graph.inputs))

    def build(self) -> None:
        self.floor = compiled("levels")
        assert self.floor.read_graph(str(self.file).encode())

    def run(self, steps: int) -> None:
        self.floor.run(steps, self.value)

    def numbers(self) -> list[float]:
        self.floor.copy_gradient(self.grads)
        return [*self.value, *self.grads]


ENTRIES = {C: Levels}
