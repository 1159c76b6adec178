"""CasADi: scalars (SX), one instruction an operation, run by its virtual machine."""

from __future__ import annotations

import casadi
import numpy as np

from compiled_contest.contestants import CASADI
from compiled_contest.entry import Entry
from compiled_contest.irregular.graphs import OPERATIONS, graph


class Scalars(Entry):
    compiles = True

    def __init__(self, family: str, operations: int = OPERATIONS) -> None:
        self.graph = graph(family, operations)
        self.inputs = casadi.DM(self.graph.inputs)

    def build(self) -> None:
        inputs = casadi.SX.sym("x", len(self.graph.inputs))
        value = self.graph.value(casadi.vertsplit(inputs), casadi.sin, casadi.tanh)
        self.function = casadi.Function("graph", [inputs], [value, casadi.gradient(value, inputs)])

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.out = self.function(self.inputs)

    def numbers(self) -> list[float]:
        return np.concatenate([np.array(part).ravel() for part in self.out]).tolist()


ENTRIES = {CASADI: Scalars}
