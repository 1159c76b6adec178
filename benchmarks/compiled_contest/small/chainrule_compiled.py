"""chainrule's compiler, with what a user passes: floats, a list, or NumPy arrays."""

from __future__ import annotations

from typing import Any

from compiled_contest.chainrule_api import TOLERANCES, entries, function
from compiled_contest.entry import Entry
from compiled_contest.small import functions, problem


class Compiled(Entry):
    compiles = True
    steps = 16

    def __init__(self, name: str, options: dict[str, Any], case: str) -> None:
        self.compile, self.options, self.case = function("compile"), options, case
        self.tolerance = TOLERANCES.get(name, 1e-9)
        self.arguments, self.by = problem.ARGUMENTS[case], problem.BY.get(case, 0)

    def build(self) -> None:
        axes = {"in_axes": 0} if self.case in ("batch", "jacobian") else {}
        self.compiled = self.compile(functions.FUNCTIONS[self.case], **axes, **self.options)

    def run(self, steps: int) -> None:
        f, arguments, by = self.compiled, self.arguments, self.by
        if self.case == "jacobian":
            for _ in range(steps):
                self.out = f.jacobian(*arguments)
        else:
            for _ in range(steps):
                self.out = f.value_and_grad(*arguments, argnums=by)

    def numbers(self) -> list[float]:
        return problem.flat(self.out)


ENTRIES = entries(Compiled)
