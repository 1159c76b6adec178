"""A sum of products, and the derivative of one."""

from __future__ import annotations

import random
from time import perf_counter
from typing import Any

from contest.kits import Kit
from contest.repeats import Repeats


class MultiplyAdd:
    def __init__(self, kit: Kit, sizes: dict[str, Any]) -> None:
        rng = random.Random(1)
        self.kit = kit
        self.w, self.x = ([rng.uniform(-1, 1) for _ in range(sizes["count"])] for _ in range(2))
        self.forwards, self.backwards = (Repeats(sizes["seconds"], kit.most_repeats) for _ in range(2))

    def run(self, _: int) -> dict[str, Any]:
        self.kit.fresh()
        w, x = [self.kit.leaf(number) for number in self.w], [self.kit.leaf(number) for number in self.x]
        seconds = {"forward": self.forward(w, x)}
        off = 0.0
        if self.kit.differentiates:
            seconds["backward"] = self.backward(w, x)
            off = max(abs(self.kit.grad(wi) - xi) for wi, xi in zip(w, self.x, strict=True))
        return {"seconds": seconds, "off": off}

    def forward(self, w: list[Any], x: list[Any]) -> float:
        times, begin = self.forwards.count, self.kit.begin
        start = perf_counter()
        for _ in range(times):
            begin()
            s = sum(wi * xi for wi, xi in zip(w, x))  # noqa: B905, F841 - the line as one writes it; drops the old sum
        return self.forwards.mean(perf_counter() - start)

    def backward(self, w: list[Any], x: list[Any]) -> float:
        """Each sum is built anew, untimed: in micrograd a second walk over the same graph would find old gradients."""
        kit, total = self.kit, 0.0
        for _ in range(self.backwards.count):
            kit.zero(w + x)
            kit.begin()
            s = sum(wi * xi for wi, xi in zip(w, x))  # noqa: B905
            start = perf_counter()
            kit.backward(s)
            total += perf_counter() - start
        return self.backwards.mean(total)
