"""examples/gpt.py, a step of training for each of a few names; on plain floats without gradients."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from string import ascii_lowercase
from time import perf_counter
from typing import Any

from contest import gpt_floats
from contest.kits import Chainrule, Kit
from contest.repeats import Repeats

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "gpt.py"
NAMES = ["emma", "olivia", "ava", "isabella", "sophia", "charlotte", "mia", "amelia", "harper", "evelyn"]
END = len(ascii_lowercase)


class GPT:
    def __init__(self, kit: Kit, sizes: dict[str, Any]) -> None:
        self.tokens = [[END, *map(ascii_lowercase.index, name), END] for name in NAMES[: sizes["names"]]]
        self.trains = isinstance(kit, Chainrule)
        self.gpt: Any = example() if self.trains else gpt_floats
        self.model = self.gpt.GPT(END + 1, random.Random(42))
        self.repeats = Repeats(sizes["seconds"], 1 if self.trains else 100)  # steps of training go on, round by round
        self.first = [kit.number(self.gpt.loss_of(self.model, tokens)) for tokens in self.tokens]
        self.optimizer = adam(self.model) if self.trains else gpt_floats.Adam(self.model)

    def run(self, _: int) -> dict[str, Any]:
        forward = step = 0.0
        for _ in range(self.repeats.count):
            for tokens in self.tokens:
                start = perf_counter()
                loss = self.gpt.loss_of(self.model, tokens)
                forward += perf_counter() - start
                if self.trains:
                    self.optimizer.zero_grad()
                    loss.backward()
                self.optimizer.step()
                step += perf_counter() - start
        share = 1 / (self.repeats.count * len(self.tokens))
        self.repeats.mean(step)
        return {"seconds": {"step": step * share, "forward": forward * share}, "losses": self.first}


def adam(model: Any) -> Any:
    from chainrule import optim  # noqa: PLC0415

    return optim.Adam(model.parameters(), lr=optim.linear(0.01, 0.0, 1000), betas=(0.85, 0.99), eps=1e-8)


def example() -> Any:
    spec = importlib.util.spec_from_file_location("gpt_example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
