"""AADC: the whole loss recorded, compiled for one lane."""

from __future__ import annotations

import aadc
import numpy as np

from compiled_contest.contestants import AADC
from compiled_contest.entry import Entry
from compiled_contest.moons import problem
from compiled_contest.moons.by_aadc import score


class Recorded(Entry):
    steps = checked = problem.STEPS
    compiles = True

    def __init__(self) -> None:
        self.first = np.array(problem.parameters())

    def build(self) -> None:
        kernel = aadc.Functions()
        kernel.start_recording()
        parameters = [aadc.idouble(p) for p in self.first]
        self.parameters = [p.mark_as_input() for p in parameters]
        total = aadc.idouble(0.0)
        for x, y in zip(problem.POINTS, problem.LABELS, strict=True):
            total = total + aadc.math.max(1 - y * score(parameters, x), 0.0)
        penalty = sum((p * p for p in parameters), aadc.idouble(0.0))
        self.loss = (total * (1 / problem.SAMPLES) + problem.ALPHA * penalty).mark_as_output()
        kernel.stop_recording()
        kernel.compile("scalar")
        self.workspace = kernel.create_workspace(kind="scalar")

    def reset(self) -> None:
        self.p, self.losses = self.first.copy(), []

    def run(self, steps: int) -> None:
        ws, p = self.workspace, self.p
        for k in range(steps):
            for argument, number in zip(self.parameters, p.tolist(), strict=True):
                ws.set_val(argument, number)
            ws.forward()
            self.losses.append(ws.val(self.loss))
            ws.set_diff(self.loss, 1.0)
            ws.reverse()
            p -= problem.RATES[k] * np.array([ws.diff(argument) for argument in self.parameters])

    def numbers(self) -> list[float]:
        return self.losses


ENTRIES = {AADC: Recorded}
