"""The rounds: every contestant in a process of its own, asked in turn, so that a change of the machine meets all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from typing import Any

from contest.contestants import CONTESTANTS

SCRIPT = Path(__file__).resolve().parents[1] / "eager.py"


class WorkerError(Exception):
    """A contestant did not answer, or answered that it cannot."""


class Process:
    """A process that answers requests, one line of JSON for another; `python` is the one that runs it."""

    def __init__(self, script: Path, name: str, environment: dict[str, str], python: str = sys.executable) -> None:
        command = [python, str(script), "--worker", name]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | environment, text=True
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise WorkerError("its process has ended") from None
        return self.answer()

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(f"its process ended with code {self._process.wait()}")
        found = json.loads(line)
        if "error" in found:
            raise WorkerError(found["error"])
        return found

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


class Worker(Process):
    """The process of one contestant; `version` is that of its library."""

    def __init__(self, name: str, python: str = sys.executable) -> None:
        super().__init__(SCRIPT, name, CONTESTANTS[name].environment, python)
        self.version = self.answer()["version"]


class Results:
    """What the contestants answered in one workload: a list a contestant, one answer a round, the warm-up first."""

    def __init__(self) -> None:
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.failures: dict[str, str] = {}

    def seconds(self, name: str, measure: str) -> list[float]:
        """One figure a round, without the warm-up; empty where there are none."""
        rounds = self.answers.get(name, [])[1:]
        return [answer["seconds"][measure] for answer in rounds if measure in answer["seconds"]]

    def time(self, name: str, measure: str) -> tuple[float, float] | None:
        """The median of the seconds, and their spread."""
        return middle(self.seconds(name, measure))

    def ratio(self, above: tuple[str, str], below: tuple[str, str]) -> tuple[float, float] | None:
        """The median, and the spread, of the ratios that two (contestant, measure) had in each round."""
        over, under = self.seconds(*above), self.seconds(*below)
        return middle([a / b for a, b in zip(over, under, strict=True)]) if over and under else None


def middle(figures: list[float]) -> tuple[float, float] | None:
    """The median, and the interquartile range as a part of it."""
    if not figures:
        return None
    if len(figures) == 1:
        return figures[0], 0.0
    low, mid, high = quantiles(figures, n=4, method="inclusive")
    return mid, (high - low) / mid


def play(
    workload: str,
    sizes: dict[str, dict[str, Any]],
    workers: dict[str, Worker],
    rounds: int,
    tell: Callable[[str], None],
) -> Results:
    """A warm-up and then the rounds of a workload, by the contestants that `sizes` names; the order alternates."""
    results = Results()
    playing = [name for name in sizes if name in workers]
    for name in list(playing):
        _try(results, playing, name, lambda name=name: workers[name].ask(open=workload, sizes=sizes[name]))
    for k in range(rounds + 1):
        for name in list(playing)[:: -1 if k % 2 else 1]:
            tell(f"{workload}: round {k} of {rounds}, {CONTESTANTS[name].title}")
            answer = _try(results, playing, name, lambda name=name: workers[name].ask(run=k))  # noqa: B023
            if answer is not None:
                results.answers.setdefault(name, []).append(answer)
    return results


def weigh(sizes: dict[str, dict[str, Any]], workers: dict[str, Worker], tell: Callable[[str], None]) -> Results:
    """The workload `memory`: once, each in a process that has done nothing before."""
    results = Results()
    for name in [name for name in sizes if name in workers]:
        tell(f"memory: {CONTESTANTS[name].title}")
        try:
            worker = Worker(name)
            worker.ask(open="memory", sizes=sizes[name])
            results.answers[name] = [worker.ask(run=0)]
            worker.close()
        except WorkerError as failure:
            results.failures[name] = str(failure)
    return results


def _try(results: Results, playing: list[str], name: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return ask()
    except WorkerError as failure:
        results.failures[name] = str(failure)
        results.answers.pop(name, None)
        playing.remove(name)
        return None
