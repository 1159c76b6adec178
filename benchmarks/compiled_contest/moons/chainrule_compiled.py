"""chainrule's compiler: the loss of one point, over a batch of them; a hundred steps a call."""

from __future__ import annotations

from typing import Any

from chainrule import relu
from chainrule.nn import MLP
from chainrule.optim import SGD
from compiled_contest.chainrule_api import TOLERANCES, entries, function
from compiled_contest.entry import Entry
from compiled_contest.moons import problem


class Compiled(Entry):
    steps = checked = problem.STEPS
    compiles = True
    note = "100 steps a call"

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.compile_step, self.options = function("compile_step"), options
        self.threads = options["threads"] > 1
        self.tolerance = TOLERANCES.get(name, 1e-12)
        self.model = MLP(2, [16, 16, 1])
        self.optimizer = SGD(self.model.parameters(), lr=lambda k: 1.0 - 0.9 * k / 100)
        self.points, self.labels = problem.POINTS, problem.LABELS
        self.beginning = self.optimizer.state_dict()
        self.reset()

    def loss(self, x: Any, y: Any) -> Any:
        """Of one point."""
        penalty = problem.ALPHA * sum(p * p for p in self.model.parameters())
        return relu(1 - y * self.model(x)) + penalty

    def build(self) -> None:
        self.step = self.compile_step(self.loss, self.optimizer, in_axes=(0, 0), reduce="mean", **self.options)

    def reset(self) -> None:
        for p, number in zip(self.model.parameters(), problem.parameters(), strict=True):
            p.data = number
        self.optimizer.load_state_dict(self.beginning)

    def run(self, steps: int) -> None:
        self.losses = self.step.run([(self.points, self.labels)] * steps)

    def numbers(self) -> list[float]:
        return list(self.losses)


ENTRIES = entries(Compiled)
