"""AADC: one path recorded and compiled for vectors (AVX2: four lanes), all paths evaluated in one call."""

from __future__ import annotations

import aadc

from compiled_contest.asian import problem
from compiled_contest.contestants import AADC
from compiled_contest.entry import Entry


class Batch(Entry):
    compiles = True

    def build(self) -> None:
        exp, dt = aadc.math.exp, 1 / problem.STEPS
        kernel = aadc.Functions()
        kernel.start_recording()
        s0, vol, r = map(aadc.idouble, (problem.S0, problem.VOL, problem.R))
        self.market = [x.mark_as_input() for x in (s0, vol, r)]
        z = [aadc.idouble(0.0) for _ in range(problem.STEPS)]
        normals = [zi.mark_as_input_no_diff() for zi in z]
        drift, scale = (r - 0.5 * vol * vol) * dt, vol * dt**0.5
        s, total = s0, aadc.idouble(0.0)
        for zi in z:
            s = s * exp(drift + scale * zi)
            total = total + s
        payoff = aadc.math.max(total * (1 / problem.STEPS) - problem.STRIKE, 0.0) * exp(-r)
        self.payoff = payoff.mark_as_output()
        kernel.stop_recording()
        kernel.compile("auto")
        self.kernel, self.pool = kernel, aadc.ThreadPool(1)
        given = zip(self.market, (problem.S0, problem.VOL, problem.R), strict=True)
        self.inputs = dict(given) | dict(zip(normals, problem.NORMALS, strict=True))

    def run(self, steps: int) -> None:
        for _ in range(steps):
            request = {self.payoff: self.market}
            values, derivatives, _ = aadc.evaluate(self.kernel, request, self.inputs, self.pool)
            columns = [values[self.payoff], *[derivatives[self.payoff][x] for x in self.market]]
            self.out = [column.mean() for column in columns]

    def numbers(self) -> list[float]:
        return self.out


ENTRIES = {AADC: Batch}
