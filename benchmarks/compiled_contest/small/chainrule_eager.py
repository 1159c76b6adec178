"""chainrule without the compiler: the transforms, sample by sample."""

from __future__ import annotations

import numpy as np

import chainrule
from compiled_contest.contestants import EAGER
from compiled_contest.entry import Entry
from compiled_contest.small import functions, problem


class Eager(Entry):
    rounds = 3

    def __init__(self, case: str) -> None:
        self.case, self.f, self.arguments = case, functions.FUNCTIONS[case], problem.ARGUMENTS[case]

    def run(self, steps: int) -> None:
        by = problem.BY.get(self.case, 0)
        for _ in range(steps):
            if self.case == "jacobian":
                self.out = [chainrule.jacobian(self.f)(row.tolist()) for row in self.arguments[0]]
            elif self.case == "batch":
                samples = zip(*self.arguments, strict=True)
                self.out = [chainrule.value_and_grad(self.f, by)(float(x), float(y)) for x, y in samples]
            else:
                self.out = chainrule.value_and_grad(self.f, by)(*self.arguments)

    def numbers(self) -> list[float]:
        if self.case == "jacobian":
            return np.array(self.out).transpose(1, 0, 2).ravel().tolist()
        if self.case == "batch":
            return np.array([[value, *by] for value, by in self.out]).T.ravel().tolist()
        return problem.flat(self.out)


ENTRIES = {EAGER: Eager}
