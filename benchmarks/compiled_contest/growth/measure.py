"""Measures the set-up and run time of ever larger graphs, each in a process of its own.

A machine's speed changes from minute to minute. So the processes of all sizes stay open, and their run times are
measured in turn; growth is the median of ratios of neighbouring measurements, on the same core.
"""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import dataclass, field
from statistics import median

from contest.rounds import Process, WorkerError

from compiled_contest.contestants import CASADI, COMPILED, CONTESTANTS, in_folder
from compiled_contest.growth.problem import IRREGULAR, REGULAR
from compiled_contest.rounds import SCRIPT, SECONDS, Notify, difference

ENGINES, FAMILIES = (COMPILED, CASADI), (REGULAR, IRREGULAR)
TOLERANCE = 1e-9
ROUNDS = 11
"""The number of rounds, after one of warm-up."""

LIMIT = 180
"""A process is given up after so many seconds, and larger graphs with it."""


@dataclass(frozen=True)
class Point:
    """One size: the seconds of each of its set-ups, and the seconds of a run in each round."""

    engine: str
    family: str
    operations: int
    setups: list[float] = field(default_factory=list)
    runs: list[float] = field(default_factory=list)

    @property
    def setup(self) -> float:
        return median(self.setups)

    @property
    def run(self) -> float:
        return median(self.runs)


@dataclass(frozen=True)
class Growth:
    points: list[Point]
    failed: dict[str, str]
    """Why an engine and family has no larger sizes."""
    numbers: dict[tuple[str, int], list[float]]
    """The results of the first engine, by family and size, with which the others must agree."""

    def line(self, engine: str, family: str) -> list[Point]:
        return [p for p in self.points if (p.engine, p.family) == (engine, family)]

    def per_decade(self, engine: str, family: str, what: str) -> dict[int, float]:
        """For each size the ratio of its set-up or run time to that of a tenth of the size."""
        by_size = {point.operations: point for point in self.line(engine, family)}
        pairs = {n: (point, by_size[n // 10]) for n, point in by_size.items() if n // 10 in by_size}
        if what == "setup":
            return {n: large.setup / small.setup for n, (large, small) in pairs.items()}
        runs = {n: zip(large.runs, small.runs, strict=True) for n, (large, small) in pairs.items()}
        return {n: median([a / b for a, b in rounds]) for n, rounds in runs.items()}

    def worst(self, engine: str, what: str) -> float | None:
        """The largest such ratio from 10,000 operations on, over both families."""
        ratios = [r for family in FAMILIES for n, r in self.per_decade(engine, family, what).items() if n >= 10**5]
        return max(ratios, default=None)


def measure(largest: int, notify: Notify) -> Growth:
    sizes = [size for size in (10**3, 10**4, 10**5, 10**6) if size <= largest]
    growth = Growth([], {}, {})
    for engine in ENGINES:
        for family in FAMILIES:
            with tempfile.TemporaryDirectory() as scratch:
                _Line(growth, engine, family, scratch, notify).measure(sizes)
    return growth


class _Line:
    """One engine and family, in all sizes."""

    def __init__(self, growth: Growth, engine: str, family: str, scratch: str, notify: Notify) -> None:
        self.growth, self.engine, self.family, self.scratch, self.notify = growth, engine, family, scratch, notify
        self.title = f"{CONTESTANTS[engine].title}, {family}"
        self.open: list[tuple[Point, Process, float]] = []
        """The sizes that are set up, with their processes and about how long a run takes."""

    def measure(self, sizes: list[int]) -> None:
        operations = 0
        try:
            for operations in sizes:
                self.notify(f"growth: {operations:,} operations, {self.title}, set-up")
                self._set_up(operations)
        except WorkerError as failure:
            self.growth.failed[self.title] = f"{operations:,} operations: {failure}"
        try:
            for k in range(ROUNDS + 1):
                self.notify(f"growth: {self.title}, round {k} of {ROUNDS}")
                self._round(k)
        finally:
            for _, worker, _ in self.open:
                worker.close()
        self.growth.points.extend(point for point, _, _ in self.open)

    def _set_up(self, operations: int) -> None:
        """Sets up in a few fresh processes, the last of which stays open; in only one for large graphs."""
        point, times = Point(self.engine, self.family, operations), 5 if operations <= 10**4 else 3
        for left in reversed(range(times if operations <= 10**5 else 1)):
            folder = tempfile.mkdtemp(dir=self.scratch)  # so that it does not find what an earlier one has left
            worker = Process(SCRIPT, self.engine, in_folder(folder))
            try:
                unit = self._opened(worker, point)
            except WorkerError:
                worker.close()
                raise
            if left:
                worker.close()
            else:
                self.open.append((point, worker, unit))

    def _opened(self, worker: Process, point: Point) -> float:
        options = {"family": self.family, "operations": point.operations}
        opened = worker.ask(open="growth", options=options, limit=LIMIT)
        if "absent" in opened:
            raise WorkerError(opened["absent"])
        right = self.growth.numbers.setdefault((self.family, point.operations), opened["numbers"])
        if (deviation := difference(opened["numbers"], right)) > TOLERANCE:
            raise WorkerError(f"its numbers are off by {deviation:.0e}")
        point.setups.append(opened["setup"])
        return opened["unit"]

    def _round(self, k: int) -> None:
        """A block of each size, on the same core; the round of warm-up, k = 0, is not kept."""
        core = k % (os.cpu_count() or 1)
        for point, worker, unit in self.open[:: -1 if k % 2 else 1]:
            seconds = worker.ask(steps=1, repeats=math.ceil(SECONDS / unit), core=core)["seconds"]
            if k:
                point.runs.append(seconds)
