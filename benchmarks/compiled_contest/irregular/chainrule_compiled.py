"""chainrule's compiler: a function of a list of 100 numbers."""

from __future__ import annotations

from typing import Any

import chainrule
from compiled_contest.chainrule_api import TOLERANCES, entries, function
from compiled_contest.entry import Entry
from compiled_contest.irregular.graphs import OPERATIONS, graph


class Compiled(Entry):
    compiles = True

    def __init__(self, name: str, options: dict[str, Any], family: str, operations: int = OPERATIONS) -> None:
        self.compile, self.options = function("compile"), options
        self.threads = options["threads"] > 1
        self.tolerance = TOLERANCES.get(name, 1e-9)
        self.graph = graph(family, operations)

    def value(self, inputs: list[Any]) -> Any:
        return self.graph.value(inputs, chainrule.sin, chainrule.tanh)

    def build(self) -> None:
        self.compiled = self.compile(self.value, **self.options)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.out = self.compiled.value_and_grad(self.graph.inputs)

    def numbers(self) -> list[float]:
        value, grads = self.out
        return [value, *grads]


ENTRIES = entries(Compiled)
