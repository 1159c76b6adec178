"""chainrule's compiler: the loss of all points at once, over Python lists."""

from __future__ import annotations

from typing import Any

from chainrule import relu
from compiled_contest.chainrule_api import entries
from compiled_contest.moons import problem
from compiled_contest.moons.chainrule_compiled import Compiled


class Lists(Compiled):
    def loss(self, points: Any, labels: Any) -> Any:
        losses = [relu(1 - y * self.model(x)) for x, y in zip(points, labels, strict=True)]
        penalty = problem.ALPHA * sum(p * p for p in self.model.parameters())
        return sum(losses) * (1.0 / len(losses)) + penalty

    def build(self) -> None:
        self.step = self.compile_step(self.loss, self.optimizer, **self.options)


ENTRIES = entries(Lists)
