"""CasADi: scalars (SX), one instruction an operation, run by its virtual machine."""

from __future__ import annotations

import casadi

from compiled_contest.contestants import CASADI
from compiled_contest.moons import problem
from compiled_contest.moons.by_casadi import Matrices


class Scalars(Matrices):
    def build(self) -> None:
        p, rate = casadi.SX.sym("p", len(self.first)), casadi.SX.sym("rate")
        loss = self.loss(p)
        step = casadi.Function("step", [p, rate], [p - rate * casadi.gradient(loss, p), loss])
        self.train = step.mapaccum("train", problem.STEPS)


ENTRIES = {CASADI: Scalars}
