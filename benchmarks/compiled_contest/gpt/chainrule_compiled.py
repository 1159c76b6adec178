"""chainrule's compiler: the loss of examples/gpt.py, of tokens as they come; all steps in one call."""

from __future__ import annotations

import random
from typing import Any

from contest.gpt import adam, example

from compiled_contest.chainrule_api import TOLERANCES, entries, function
from compiled_contest.entry import Entry
from compiled_contest.gpt import problem


class Compiled(Entry):
    steps = checked = problem.STEPS
    compiles = True
    note = f"{problem.STEPS} steps a call"

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.compile_step, self.options = function("compile_step"), options
        self.threads = options["threads"] > 1
        self.tolerance = TOLERANCES.get(name, 1e-9)
        self.gpt = example()
        self.model = self.gpt.GPT(problem.TOKENS, random.Random(42))
        self.optimizer = adam(self.model)
        self.beginning = self.optimizer.state_dict()
        self.reset()

    def loss(self, tokens: list[int]) -> Any:
        return self.gpt.loss_of(self.model, tokens)

    def build(self) -> None:
        self.step = self.compile_step(self.loss, self.optimizer, **self.options)

    def reset(self) -> None:
        for p, number in zip(self.model.parameters(), problem.parameters(), strict=True):
            p.data = number
        self.optimizer.load_state_dict(self.beginning)

    def run(self, steps: int) -> None:
        self.losses = self.step.run([(tokens,) for tokens in problem.SEQUENCES[:steps]])

    def numbers(self) -> list[float]:
        return list(self.losses)


ENTRIES = entries(Compiled)
