"""The set-up and run time of graphs of more and more operations, each in a fresh process."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from statistics import median

from contest.rounds import Process, WorkerError

from compiled_contest.contestants import CASADI, COMPILED, CONTESTANTS, ENVIRONMENT
from compiled_contest.growth.problem import IRREGULAR, REGULAR
from compiled_contest.rounds import SCRIPT, SECONDS, Tell, difference

ENGINES, FAMILIES = (COMPILED, CASADI), (REGULAR, IRREGULAR)
TOLERANCE = 1e-9
LIMIT = 180
"""Seconds after which a process is given up, and larger graphs with it."""


@dataclass(frozen=True)
class Point:
    engine: str
    family: str
    operations: int
    setup: float
    run: float


@dataclass(frozen=True)
class Growth:
    points: list[Point]
    failed: dict[str, str]
    """Why there is no more of an engine and family."""
    numbers: dict[tuple[str, int], list[float]]
    """What the first engine found, by family and size; the others must find the same."""

    def line(self, engine: str, family: str) -> list[Point]:
        return [p for p in self.points if (p.engine, p.family) == (engine, family)]

    def per_decade(self, engine: str, family: str, what: str) -> dict[int, float]:
        """For each size how often as long its set-up, or run, takes as that of a tenth of it."""
        seconds = {point.operations: getattr(point, what) for point in self.line(engine, family)}
        return {n: seconds[n] / seconds[n // 10] for n in seconds if n // 10 in seconds}

    def worst(self, engine: str, what: str) -> float | None:
        """The largest such ratio from 10,000 operations on, of both families."""
        ratios = [r for family in FAMILIES for n, r in self.per_decade(engine, family, what).items() if n >= 10**5]
        return max(ratios, default=None)


def measure(largest: int, tell: Tell) -> Growth:
    sizes = [size for size in (10**3, 10**4, 10**5, 10**6) if size <= largest]
    growth = Growth([], {}, {})
    with tempfile.TemporaryDirectory() as scratch:
        for size in sizes:
            for engine in ENGINES:
                for family in FAMILIES:
                    title = f"{CONTESTANTS[engine].title}, {family}"
                    if title not in growth.failed:
                        tell(f"growth: {size:,} operations, {title}")
                        _measure_one(growth, engine, family, size, scratch)
    return growth


def _measure_one(growth: Growth, engine: str, family: str, operations: int, scratch: str) -> None:
    """The medians over a few fresh processes; only one where there is much to do."""
    setups, runs = [], []
    for _ in range(5 if operations <= 10**4 else 3 if operations <= 10**5 else 1):
        folder = tempfile.mkdtemp(dir=scratch)
        worker = Process(SCRIPT, engine, ENVIRONMENT | {"TMPDIR": folder, "XDG_CACHE_HOME": folder})
        try:
            options = {"family": family, "operations": operations}
            opened = worker.ask(open="growth", options=options, limit=LIMIT)
            if "absent" in opened:
                raise WorkerError(opened["absent"])
            right = growth.numbers.setdefault((family, operations), opened["numbers"])
            if (off := difference(opened["numbers"], right)) > TOLERANCE:
                raise WorkerError(f"its numbers are off by {off:.0e}")
            block = {"steps": 1, "repeats": math.ceil(SECONDS / opened["unit"])}
            blocks = max(1, min(9, round(1 / opened["unit"])))
            runs += [worker.ask(**block)["seconds"] for _ in range(blocks)]
            setups.append(opened["setup"])
        except WorkerError as failure:
            growth.failed[f"{CONTESTANTS[engine].title}, {family}"] = f"{operations:,} operations: {failure}"
            return
        finally:
            worker.close()
    growth.points.append(Point(engine, family, operations, median(setups), median(runs)))
