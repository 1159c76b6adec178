"""CasADi: functions of matrices (MX), or for samples of scalars (SX) and mapped over these; with their derivatives, and
compiled by the system's C compiler."""

from __future__ import annotations

from typing import Any

import casadi
import numpy as np

from compiled_contest.casadi_jit import compiled_by_system
from compiled_contest.contestants import CASADI
from compiled_contest.entry import Entry
from compiled_contest.small import problem


def recorded(case: str) -> tuple[list[Any], list[Any]]:
    """The inputs of a case, and its results."""
    if case in ("scalars", "batch"):
        x, y = casadi.SX.sym("x"), casadi.SX.sym("y")
        value = casadi.sin(x) * y + casadi.exp(-x)
        return [x, y], [value, casadi.gradient(value, x), casadi.gradient(value, y)]
    if case == "least_squares":
        w, rows, wanted = casadi.MX.sym("w", 16), casadi.MX.sym("rows", 128, 16), casadi.MX.sym("wanted", 128)
        value = casadi.sumsqr(rows @ w - wanted)
        return [w, rows, wanted], [value, casadi.gradient(value, w)]
    if case == "jacobian":
        x = casadi.SX.sym("x", 15)
        results = [casadi.sumsqr(x), casadi.exp(-casadi.sum1(casadi.sin(x)))]
        return [x], [casadi.gradient(result, x) for result in results]
    x = casadi.MX.sym("x", len(problem.ARGUMENTS[case][0]))
    value = casadi.sumsqr(x) if case == "array" else casadi.logsumexp(x)
    return [x], [value, casadi.gradient(value, x)]


class Compiled(Entry):
    compiles = True
    steps = 4

    def __init__(self, case: str) -> None:
        self.case, self.arguments = case, list(problem.ARGUMENTS[case])
        if case == "batch":
            self.arguments = [x[None] for x in self.arguments]
        elif case == "jacobian":
            self.arguments = [np.ascontiguousarray(self.arguments[0].T)]

    def build(self) -> None:
        self.compiled = casadi.Function("small", *recorded(self.case), compiled_by_system())
        if self.case in ("batch", "jacobian"):
            self.compiled = self.compiled.map(len(problem.X))

    def run(self, steps: int) -> None:
        for _ in range(steps):
            found = self.compiled(*self.arguments)
            self.out = [float(x) for x in found] if self.case == "scalars" else [x.full() for x in found]

    def numbers(self) -> list[float]:
        return problem.flat([np.transpose(x) for x in self.out])


ENTRIES = {CASADI: Compiled}
