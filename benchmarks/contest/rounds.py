"""The rounds of `eager.py`: contestants in processes of their own, measured in turn, so that changes of the machine's
speed affect all."""

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
    """A contestant did not answer, or answered that it cannot take part."""


class Process:
    """A process, run by `python`, that answers each request, a line of JSON, with another line."""

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
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


class Worker(Process):
    """The process of one contestant; `version` is the version of its library."""

    def __init__(self, name: str, python: str = sys.executable) -> None:
        super().__init__(SCRIPT, name, CONTESTANTS[name].environment, python)
        self.version = self.answer()["version"]


class Results:
    """The answers of contestants in one workload: for each contestant one answer a round, the warm-up first."""

    def __init__(self) -> None:
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.failures: dict[str, str] = {}

    def seconds(self, name: str, measure: str) -> list[float]:
        """One figure a round, without the warm-up; empty if there are none."""
        rounds = self.answers.get(name, [])[1:]
        return [answer["seconds"][measure] for answer in rounds if measure in answer["seconds"]]

    def time(self, name: str, measure: str) -> tuple[float, float] | None:
        """The median and the spread of the seconds."""
        return median_and_spread(self.seconds(name, measure))

    def ratio(self, above: tuple[str, str], below: tuple[str, str]) -> tuple[float, float] | None:
        """The median and the spread of the ratios of two (contestant, measure) pairs, round by round."""
        over, under = self.seconds(*above), self.seconds(*below)
        return median_and_spread([a / b for a, b in zip(over, under, strict=True)]) if over and under else None


def median_and_spread(figures: list[float]) -> tuple[float, float] | None:
    """The median, and the interquartile range relative to it."""
    if not figures:
        return None
    if len(figures) == 1:
        return figures[0], 0.0
    low, mid, high = quantiles(figures, n=4, method="inclusive")
    return mid, (high - low) / mid


def run_rounds(
    workload: str,
    sizes: dict[str, dict[str, Any]],
    workers: dict[str, Worker],
    rounds: int,
    notify: Callable[[str], None],
) -> Results:
    """Runs a workload by the contestants that `sizes` names: a warm-up, then the rounds, in alternating order."""
    results = Results()
    playing = [name for name in sizes if name in workers]
    for name in list(playing):
        _try(results, playing, name, lambda name=name: workers[name].ask(open=workload, sizes=sizes[name]))
    for k in range(rounds + 1):
        for name in list(playing)[:: -1 if k % 2 else 1]:
            notify(f"{workload}: round {k} of {rounds}, {CONTESTANTS[name].title}")
            answer = _try(results, playing, name, lambda name=name: workers[name].ask(run=k))  # noqa: B023
            if answer is not None:
                results.answers.setdefault(name, []).append(answer)
    return results


def measure_memory(
    sizes: dict[str, dict[str, Any]], workers: dict[str, Worker], notify: Callable[[str], None]
) -> Results:
    """Runs the workload `memory` once for each contestant, each in a fresh process."""
    results = Results()
    for name in [name for name in sizes if name in workers]:
        notify(f"memory: {CONTESTANTS[name].title}")
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
