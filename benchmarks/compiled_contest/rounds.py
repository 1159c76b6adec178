"""The rounds of `compiled.py`: every contestant in a process of its own, and before and after each of them C.

A machine's speed may change from one tenth of a second to the next, and differ between its cores. So the ratio of a
contestant to C is not one of two medians, but the median of ratios to the C that ran just before and just after, on the
same core; which core that is changes from round to round.
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

from contest.layout import Found
from contest.rounds import Process, WorkerError, middle

from compiled_contest.contestants import COMPILED, CONTESTANTS, EAGER, ENVIRONMENT, NUMPY, C

SCRIPT = Path(__file__).resolve().parents[1] / "compiled.py"
SECONDS = 0.01
"""How long a block is, at least."""


@dataclass
class Played:
    """What one workload gave: what each contestant said when it opened, and its seconds a step, one figure a round."""

    opened: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, dict[int, float]] = field(default_factory=dict)
    beside: dict[str, dict[int, float]] = field(default_factory=dict)
    """The seconds of C around each of them, round by round."""
    setups: dict[str, list[float]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def time(self, name: str) -> Found:
        return middle(list(self.seconds.get(name, {}).values()))

    def ratios(self, name: str) -> dict[int, float]:
        """Times C, round by round."""
        beside = self.beside.get(name, {})
        return {k: seconds / beside[k] for k, seconds in self.seconds.get(name, {}).items() if k in beside}

    def ratio(self, name: str) -> Found:
        return middle(list(self.ratios(name).values()))

    def between(self, above: str, below: str) -> float | None:
        """How often as long one takes as the other, both measured by C; the median over the rounds they share."""
        over, under = self.ratios(above), self.ratios(below)
        found = middle([over[k] / under[k] for k in over if k in under])
        return found and found[0]

    def setup(self, name: str) -> float | None:
        found = self.setups.get(name)
        return median(found) if found else None

    def reference(self) -> str | None:
        """Whose numbers the others are compared with."""
        return next((name for name in (EAGER, NUMPY, C) if name in self.opened), None)

    def off(self, name: str) -> float | None:
        """How far a contestant's numbers are off the reference's."""
        reference = self.reference()
        if reference is None or name not in self.opened:
            return None
        return difference(self.opened[name]["numbers"], self.opened[reference]["numbers"])

    def wrong(self) -> list[str]:
        """Who computed something else: not within its tolerance, or nothing finite."""
        return [name for name in self.opened if not (self.off(name) or 0.0) <= self.opened[name]["tolerance"]]


def difference(numbers: list[float], right: list[float]) -> float:
    """The largest difference, relative to the largest number; of those that both have, since some do fewer steps."""
    pairs = list(zip(numbers, right, strict=False))
    if not pairs or not all(map(math.isfinite, numbers)):
        return math.inf
    return max(abs(a - b) for a, b in pairs) / max(abs(b) for _, b in pairs)


Tell = Callable[[str], None]


def play(workload: str, names: list[str], rounds: int, setups: int, tell: Tell) -> Played:
    """Opens a workload with all who can, then the rounds after one of warm-up; the order alternates."""
    played = Played()
    with tempfile.TemporaryDirectory() as scratch:
        _play(played, workload, names, rounds, scratch, tell)
        for i in range(1, setups):
            if COMPILED in played.opened:
                tell(f"{workload}: chainrule sets up again, {i + 1} of {setups}")
                worker = _open(played, workload, COMPILED, scratch)
                if worker is not None:
                    worker.close()
    return played


def _play(played: Played, workload: str, names: list[str], rounds: int, scratch: str, tell: Tell) -> None:
    workers = {}
    for name in names:
        tell(f"{workload}: {CONTESTANTS[name].title} sets up")
        worker = _open(played, workload, name, scratch)
        if worker is not None:
            workers[name] = worker
    for k in range(rounds + 1):
        for name in list(workers)[:: -1 if k % 2 else 1]:
            if k > (played.opened[name]["rounds"] or rounds):
                continue
            tell(f"{workload}: round {k} of {rounds}, {CONTESTANTS[name].title}")
            try:
                _block(played, workers, name, k)
            except WorkerError as failure:
                played.failed[name] = str(failure)
                played.seconds.pop(name, None)
                workers.pop(name).close()
    for worker in workers.values():
        worker.close()


def _open(played: Played, workload: str, name: str, scratch: str) -> Process | None:
    folder = tempfile.mkdtemp(dir=scratch)  # so that nobody finds what an earlier process has left
    worker = Process(SCRIPT, name, ENVIRONMENT | {"TMPDIR": folder, "XDG_CACHE_HOME": folder})
    try:
        opened = worker.ask(open=workload)
    except WorkerError as failure:
        played.failed[name] = str(failure)
    else:
        if "absent" not in opened:
            played.opened[name] = opened
            if opened["setup"] is not None:
                played.setups.setdefault(name, []).append(opened["setup"])
            return worker
        played.absent[name] = opened["absent"]
    worker.close()
    return None


def _block(played: Played, workers: dict[str, Process], name: str, k: int) -> None:
    """A block of one contestant, with C before and after it; the round of warm-up, k = 0, is not kept."""
    opened = played.opened[name]
    steps, unit = opened["steps"], opened["unit"]
    repeats = math.ceil(SECONDS / unit)
    core = k % (os.cpu_count() or 1)
    request = {"steps": steps, "repeats": repeats, "core": core}
    beside = None
    if C in workers:
        c = played.opened[C]
        seconds = min(max(SECONDS, repeats * unit / 4), 0.2)  # beside a long block a longer one, within reason
        beside = {"steps": min(steps, c["steps"]), "core": core}
        beside["repeats"] = math.ceil(seconds / (c["unit"] * beside["steps"] / c["steps"]))
    around = [workers[C].ask(**beside)["seconds"]] if beside else []
    found = workers[name].ask(**request)["seconds"]
    around += [workers[C].ask(**beside)["seconds"]] if beside else []
    if k > 0:
        played.seconds.setdefault(name, {})[k] = found
        if around:
            played.beside.setdefault(name, {})[k] = sum(around) / 2
