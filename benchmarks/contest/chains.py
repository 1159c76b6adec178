"""Long chains of `x = x + y`: what a node weighs, and what it costs to build, to walk and to free many of them."""

from __future__ import annotations

import gc
import os
import sys
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

from contest.kits import Floats, Kit, Micrograd

STATM = Path("/proc/self/statm")


class Memory:
    """Bytes of a node of two operands: of its object alone, and of all that comes with it, by the process's memory."""

    def __init__(self, kit: Kit, sizes: dict[str, Any]) -> None:
        self.kit, self.count = kit, sizes["count"]

    def run(self, _: int) -> dict[str, Any]:
        self.kit.fresh()
        x, y = self.kit.leaf(1.0), self.kit.leaf(1.0)
        self.kit.begin()
        alone = sys.getsizeof(x + y)
        gc.collect()
        before = resident()
        for _ in range(self.count):
            x = x + y
        after = resident()
        whole = (after - before) / self.count if before and after else None
        return {"seconds": {}, "count": self.count, "object": alone, "resident": whole}


def resident() -> int | None:
    """The bytes of this process in memory; None where the system does not tell."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if STATM.exists() else None


class BuildAndFree:
    """Nanoseconds a node. micrograd's backward is left out: it would recurse as deep as the chain is long."""

    def __init__(self, kit: Kit, sizes: dict[str, Any]) -> None:
        self.kit, self.count = kit, sizes["count"]

    def run(self, _: int) -> dict[str, Any]:
        kit, count = self.kit, self.count
        kit.fresh()
        x, y = kit.leaf(1.0), kit.leaf(1.0)
        kit.begin()
        times = [perf_counter()]
        for _ in range(count):
            x = x + y
        times.append(perf_counter())
        walks = kit.differentiates and not isinstance(kit, Micrograd)
        if walks:
            kit.backward(x)
        times.append(perf_counter())
        off = abs(kit.grad(y) - count) if walks else abs(kit.number(x) - 1 - count)
        times.append(perf_counter())
        x = y = None
        kit.free()
        times.append(perf_counter())
        build, backward, _, free = ((b - a) / count for a, b in pairwise(times))
        seconds = {"build": build} | ({"backward": backward} if walks else {})
        seconds |= {} if isinstance(kit, Floats) else {"free": free}
        return {"seconds": seconds | {"all": sum(seconds.values())}, "count": count, "off": off}
