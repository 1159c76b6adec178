"""CasADi: scalars (SX); the loss over a list of points with its gradient, and a random graph."""

from __future__ import annotations

import casadi

from compiled_contest.contestants import CASADI
from compiled_contest.entry import Entry
from compiled_contest.growth.problem import REGULAR, points
from compiled_contest.irregular.by_casadi import Scalars
from compiled_contest.moons import problem
from compiled_contest.moons.by_casadi import Matrices


class Growing(Matrices):
    steps = checked = 1

    def __init__(self, operations: int) -> None:
        super().__init__()
        self.points, self.labels = points(operations)

    def build(self) -> None:
        p = casadi.SX.sym("p", len(self.first))
        loss = self.loss(p)
        self.step = casadi.Function("step", [p], [p - problem.RATES[0] * casadi.gradient(loss, p), loss])

    def run(self, steps: int) -> None:
        _, self.losses = self.step(self.first)


def entry(family: str, operations: int) -> Entry:
    return Growing(operations) if family == REGULAR else Scalars("wide", operations)


ENTRIES = {CASADI: entry}
