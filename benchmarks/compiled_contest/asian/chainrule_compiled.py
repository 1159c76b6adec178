"""chainrule's compiler: the payoff of one path, over a batch of paths."""

from __future__ import annotations

from typing import Any

from compiled_contest.asian import problem
from compiled_contest.asian.path import payoff
from compiled_contest.chainrule_api import TOLERANCES, entries, function
from compiled_contest.entry import Entry


class Compiled(Entry):
    compiles = True

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.compile, self.options = function("compile"), options
        self.threads = options["threads"] > 1
        self.tolerance = TOLERANCES.get(name, 1e-9)
        self.arguments = (problem.S0, problem.VOL, problem.R, problem.NORMALS)

    def build(self) -> None:
        in_axes = (None, None, None, 1)  # the paths are columns
        self.price = self.compile(payoff, in_axes=in_axes, reduce="mean", **self.options)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.out = self.price.value_and_grad(*self.arguments, argnums=(0, 1, 2))

    def numbers(self) -> list[float]:
        price, derivatives = self.out
        return [price, *derivatives]


ENTRIES = entries(Compiled)
