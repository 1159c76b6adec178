"""AADC: the loss of 25 points recorded once and replayed on four lanes, which hold the other points."""

from __future__ import annotations

from typing import Any

import aadc
import numpy as np

from compiled_contest.contestants import AADC
from compiled_contest.entry import Entry
from compiled_contest.moons import problem


def score(parameters: list[Any], point: list[Any]) -> Any:
    at, x = 0, point
    for i, (nin, nout) in enumerate(problem.SIZES):
        rows = [parameters[at + j * (nin + 1) : at + (j + 1) * (nin + 1)] for j in range(nout)]
        x = [sum((w * v for w, v in zip(row, x, strict=False)), row[-1]) for row in rows]
        x = [aadc.math.max(v, 0.0) for v in x] if i < 2 else x
        at += nout * (nin + 1)
    return x[0]


class Lanes(Entry):
    steps = checked = problem.STEPS
    compiles = True

    def __init__(self) -> None:
        self.first = np.array(problem.parameters())
        self.data = np.column_stack([problem.POINTS, problem.LABELS])

    def build(self) -> None:
        kernel = aadc.Functions()
        kernel.start_recording()
        parameters = [aadc.idouble(p) for p in self.first]
        self.parameters = [p.mark_as_input() for p in parameters]
        lanes = 4
        total, data = aadc.idouble(0.0), []
        for row in self.data[: problem.SAMPLES // lanes]:
            x1, x2, y = map(aadc.idouble, row)
            data += [each.mark_as_input_no_diff() for each in (x1, x2, y)]
            total = total + aadc.math.max(1 - y * score(parameters, [x1, x2]), 0.0)
        self.total = total.mark_as_output()
        kernel.stop_recording()
        kernel.compile("avx2")
        self.workspace = kernel.create_workspace(kind="avx2")
        for argument, column in zip(data, self.data.reshape(lanes, -1).T, strict=True):
            self.workspace.set_val(argument, column)

    def reset(self) -> None:
        self.numbers_of_p, self.losses = self.first.copy(), []

    def run(self, steps: int) -> None:
        ws, p = self.workspace, self.numbers_of_p
        for k in range(steps):
            for argument, number in zip(self.parameters, p.tolist(), strict=True):
                ws.set_val(argument, number)
            ws.forward()
            self.losses.append(sum(ws.val(self.total)) / problem.SAMPLES + problem.ALPHA * np.vdot(p, p))
            ws.set_diff(self.total, 1 / problem.SAMPLES)
            ws.reverse()
            grads = np.array([sum(ws.diff(argument)) for argument in self.parameters])
            p -= problem.RATES[k] * (grads + 2 * problem.ALPHA * p)

    def numbers(self) -> list[float]:
        return self.losses


ENTRIES = {AADC: Lanes}
