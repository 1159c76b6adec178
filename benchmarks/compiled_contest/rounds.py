"""The rounds of `compiled.py`: each contestant in a process of its own, with C measured before and after it.

A machine's speed may change from one tenth of a second to the next, and differ between cores. So a contestant's ratio
to C is not that of two medians, but the median of ratios to the C that ran just before and after it on the same core;
the core changes from round to round.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from contest.layout import MedianAndSpread
from contest.rounds import Process, WorkerError, median_and_spread

from compiled_contest.contestants import COMPILED, CONTESTANTS, EAGER, NUMPY, C, in_folder

SCRIPT = Path(__file__).resolve().parents[1] / "compiled.py"
SECONDS = 0.01
"""The shortest duration of a block."""


@dataclass
class Measurements:
    """The measurements of one workload: what each contestant answered when it opened, and its seconds a step in each
    round."""

    opened: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, dict[int, float]] = field(default_factory=dict)
    beside: dict[str, dict[int, float]] = field(default_factory=dict)
    """The seconds of C around each of them, by round."""
    setups: dict[str, list[float]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def time(self, name: str) -> MedianAndSpread:
        return median_and_spread(list(self.seconds.get(name, {}).values()))

    def ratios(self, name: str) -> dict[int, float]:
        """The ratio to C in each round."""
        beside = self.beside.get(name, {})
        return {k: seconds / beside[k] for k, seconds in self.seconds.get(name, {}).items() if k in beside}

    def ratio(self, name: str) -> MedianAndSpread:
        return median_and_spread(list(self.ratios(name).values()))

    def between(self, above: str, below: str) -> float | None:
        """The ratio of two contestants, each relative to C; the median over their common rounds."""
        over, under = self.ratios(above), self.ratios(below)
        summary = median_and_spread([over[k] / under[k] for k in over if k in under])
        return summary and summary[0]

    def setup(self, name: str) -> float | None:
        seconds = self.setups.get(name)
        return median(seconds) if seconds else None

    def reference(self) -> str | None:
        """The contestant with whose numbers the others are compared."""
        return next((name for name in (EAGER, NUMPY, C) if name in self.opened), None)

    def deviation(self, name: str) -> float | None:
        """How far a contestant's numbers deviate from the reference's."""
        reference = self.reference()
        if reference is None or name not in self.opened:
            return None
        return difference(self.opened[name]["numbers"], self.opened[reference]["numbers"])

    def wrong(self) -> list[str]:
        """The contestants whose numbers are out of tolerance or not finite."""
        return [name for name in self.opened if not (self.deviation(name) or 0.0) <= self.opened[name]["tolerance"]]


def difference(numbers: list[float], right: list[float]) -> float:
    """The largest difference, relative to the largest number, over the common steps: some contestants do fewer."""
    pairs = list(zip(numbers, right, strict=False))
    if not pairs or not all(map(math.isfinite, numbers)):
        return math.inf
    return max(abs(a - b) for a, b in pairs) / max(abs(b) for _, b in pairs)


Notify = Callable[[str], None]


def run_rounds(workload: str, names: list[str], rounds: int, setups: int, notify: Notify) -> Measurements:
    """Opens a workload with all contestants that can take part, and runs the rounds after one of warm-up, in
    alternating order."""
    measured = Measurements()
    with tempfile.TemporaryDirectory() as scratch:
        _run_rounds(measured, workload, names, rounds, scratch, notify)
        for i in range(1, setups):
            if COMPILED in measured.opened:
                notify(f"{workload}: chainrule sets up again, {i + 1} of {setups}")
                worker = _open(measured, workload, COMPILED, scratch)
                if worker is not None:
                    worker.close()
    return measured


def _run_rounds(
    measured: Measurements, workload: str, names: list[str], rounds: int, scratch: str, notify: Notify
) -> None:
    workers = {}
    for name in names:
        notify(f"{workload}: {CONTESTANTS[name].title} sets up")
        worker = _open(measured, workload, name, scratch)
        if worker is not None:
            workers[name] = worker
    for k in range(rounds + 1):
        for name in list(workers)[:: -1 if k % 2 else 1]:
            if k > (measured.opened[name]["rounds"] or rounds):
                continue
            notify(f"{workload}: round {k} of {rounds}, {CONTESTANTS[name].title}")
            try:
                _block(measured, workers, name, k)
            except WorkerError as failure:
                measured.failed[name] = str(failure)
                measured.seconds.pop(name, None)
                workers.pop(name).close()
    for worker in workers.values():
        worker.close()


def _open(measured: Measurements, workload: str, name: str, scratch: str) -> Process | None:
    folder = tempfile.mkdtemp(dir=scratch)  # so that nobody finds what an earlier process has left
    worker = Process(SCRIPT, name, in_folder(folder))
    try:
        opened = worker.ask(open=workload)
    except WorkerError as failure:
        measured.failed[name] = str(failure)
    else:
        if "absent" not in opened:
            measured.opened[name] = opened
            if opened["setup"] is not None:
                measured.setups.setdefault(name, []).append(opened["setup"])
            return worker
        measured.absent[name] = opened["absent"]
    worker.close()
    return None


def _block(measured: Measurements, workers: dict[str, Process], name: str, k: int) -> None:
    """Measures a block of one contestant, with C before and after it; the warm-up, k = 0, is not recorded."""
    opened = measured.opened[name]
    steps, unit = opened["steps"], opened["unit"]
    repeats = math.ceil(SECONDS / unit)
    core = k % (os.cpu_count() or 1)
    request = {"steps": steps, "repeats": repeats, "core": core}
    beside = None
    if C in workers:
        c = measured.opened[C]
        seconds = min(max(SECONDS, repeats * unit / 4), 0.2)  # beside a long block a longer one, within reason
        beside = {"steps": min(steps, c["steps"]), "core": core}
        beside["repeats"] = math.ceil(seconds / (c["unit"] * beside["steps"] / c["steps"]))
    around = [workers[C].ask(**beside)["seconds"]] if beside else []
    seconds_of_step = workers[name].ask(**request)["seconds"]
    around += [workers[C].ask(**beside)["seconds"]] if beside else []
    if k > 0:
        measured.seconds.setdefault(name, {})[k] = seconds_of_step
        if around:
            measured.beside.setdefault(name, {})[k] = sum(around) / 2
