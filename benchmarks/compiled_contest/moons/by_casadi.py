"""CasADi: matrices (MX), the step compiled by the system's C compiler, a hundred of them one function (mapaccum)."""

from __future__ import annotations

from itertools import pairwise

import casadi
import numpy as np

from compiled_contest.casadi_jit import compiled_by_system
from compiled_contest.contestants import CASADI
from compiled_contest.entry import Entry
from compiled_contest.moons import problem


class Matrices(Entry):
    steps = checked = problem.STEPS
    compiles = True
    note = "100 steps a call"

    def __init__(self) -> None:
        self.first = np.concatenate([p.ravel(order="F") for p in problem.arrays()])
        self.points, self.labels = problem.POINTS, problem.LABELS
        self.rates = casadi.DM(problem.RATES).T

    def build(self) -> None:
        p, rate = casadi.MX.sym("p", len(self.first)), casadi.MX.sym("rate")
        loss = self.loss(p)
        step = casadi.Function("step", [p, rate], [p - rate * casadi.gradient(loss, p), loss], compiled_by_system())
        self.train = step.mapaccum("train", problem.STEPS)

    def loss(self, p: casadi.MX) -> casadi.MX:
        ends = np.cumsum([0, *[size for nin, nout in problem.SIZES for size in (nin * nout, nout)]])
        parts = [p[int(a) : int(b)] for a, b in pairwise(ends)]
        x = casadi.DM(self.points).T
        for i, (nin, nout) in enumerate(problem.SIZES):
            weights, bias = casadi.reshape(parts[2 * i], nout, nin), parts[2 * i + 1]
            x = weights @ x + casadi.repmat(bias, 1, len(self.points))
            x = casadi.fmax(x, 0) if i < 2 else x
        margins = casadi.fmax(1 - casadi.DM(self.labels).T * x, 0)
        return casadi.sum2(margins) / len(self.points) + problem.ALPHA * casadi.dot(p, p)

    def run(self, steps: int) -> None:
        assert steps == problem.STEPS
        _, self.losses = self.train(self.first, self.rates)

    def numbers(self) -> list[float]:
        return np.array(self.losses).ravel().tolist()


ENTRIES = {CASADI: Matrices}
