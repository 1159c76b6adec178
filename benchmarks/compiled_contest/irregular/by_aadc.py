"""AADC: the graph recorded, compiled for one lane."""

from __future__ import annotations

import aadc

from compiled_contest.contestants import AADC
from compiled_contest.entry import Entry
from compiled_contest.irregular.graphs import graph


class Recorded(Entry):
    compiles = True

    def __init__(self, family: str) -> None:
        self.graph = graph(family)

    def build(self) -> None:
        kernel = aadc.Functions()
        kernel.start_recording()
        inputs = [aadc.idouble(x) for x in self.graph.inputs]
        self.inputs = [x.mark_as_input() for x in inputs]
        self.value = self.graph.value(inputs, aadc.math.sin, aadc.math.tanh).mark_as_output()
        kernel.stop_recording()
        kernel.compile("scalar")
        self.workspace = kernel.create_workspace(kind="scalar")

    def run(self, steps: int) -> None:
        ws = self.workspace
        for _ in range(steps):
            for argument, number in zip(self.inputs, self.graph.inputs, strict=True):
                ws.set_val(argument, number)
            ws.forward()
            ws.set_diff(self.value, 1.0)
            ws.reverse()
            self.out = [ws.val(self.value), *[ws.diff(argument) for argument in self.inputs]]

    def numbers(self) -> list[float]:
        return self.out


ENTRIES = {AADC: Recorded}
