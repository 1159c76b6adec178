"""CasADi: the function of one path and its gradient, mapped over the paths, compiled by the system's C compiler."""

from __future__ import annotations

import casadi
import numpy as np

from compiled_contest.asian import problem
from compiled_contest.casadi_jit import compiled_by_system
from compiled_contest.contestants import CASADI
from compiled_contest.entry import Entry


class Mapped(Entry):
    compiles = True

    def build(self) -> None:
        market, z = casadi.SX.sym("market", 3), casadi.SX.sym("z", problem.STEPS)
        s0, vol, r = casadi.vertsplit(market)
        dt = 1 / problem.STEPS
        drift, scale = (r - 0.5 * vol * vol) * dt, vol * dt**0.5
        s, total = s0, 0.0
        for i in range(problem.STEPS):
            s = s * casadi.exp(drift + scale * z[i])
            total = total + s
        payoff = casadi.fmax(total / problem.STEPS - problem.STRIKE, 0) * casadi.exp(-r)
        out = casadi.vertcat(payoff, casadi.gradient(payoff, market))
        path = casadi.Function("path", [market, z], [out], compiled_by_system())
        self.paths = path.map(problem.PATHS, [True, False], [True])  # the market is that of all; results are added up
        self.market = casadi.DM([problem.S0, problem.VOL, problem.R])
        self.normals = casadi.DM(problem.NORMALS)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.out = self.paths(self.market, self.normals)

    def numbers(self) -> list[float]:
        return (np.array(self.out).ravel() / problem.PATHS).tolist()


ENTRIES = {CASADI: Mapped}
