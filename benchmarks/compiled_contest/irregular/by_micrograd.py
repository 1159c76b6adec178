"""micrograd; Python's collector of cycles is on, as it is by default."""

from __future__ import annotations

import sys

from micrograd.engine import Value

from compiled_contest.contestants import MICROGRAD
from compiled_contest.entry import Entry
from compiled_contest.irregular.graphs import graph


class Plain(Entry):
    rounds = 2

    def __init__(self, family: str) -> None:
        self.graph = graph(family)
        sys.setrecursionlimit(100_000)  # its backward recurses as deep as the graph

    def run(self, steps: int) -> None:
        for _ in range(steps):
            inputs = [Value(x) for x in self.graph.inputs]
            value = self.graph.value(inputs, None, None)
            value.backward()
            self.out = [value.data, *[x.grad for x in inputs]]

    def numbers(self) -> list[float]:
        return self.out


ENTRIES = {MICROGRAD: Plain}
