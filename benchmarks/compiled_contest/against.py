"""Compares the compiler with another version of itself."""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from contest.against import Compared, alternating, conclude, introduce, notifier, states
from contest.rounds import Process
from rich.console import Console

from compiled_contest.contestants import COMPILED, COMPILERS, CONTESTANTS, in_folder
from compiled_contest.rounds import SCRIPT, SECONDS


def compare(arguments: argparse.Namespace, workloads: list[str]) -> int:
    """Runs the workloads on both versions and prints the ratios of a step and of the set-up; returns 1 if this version
    is slower."""
    console, digests = Console(highlight=False, width=None if sys.stdout.isatty() else 120), states(arguments.against)
    introduce(console, digests, arguments.rounds)
    compared: list[Compared] = []
    with console.status("") as status, tempfile.TemporaryDirectory() as scratch:
        notify = notifier(console, status)
        for workload in workloads:
            for name in [name for name in COMPILERS if name in (arguments.names or [COMPILED])]:
                notify(f"{workload}: {CONTESTANTS[name].title}")
                compared.append(_steps(workload, name, arguments, scratch))
                notify(f"{workload}: {CONTESTANTS[name].title} sets up")
                compared.append(_setups(workload, name, arguments, scratch))
    return conclude(console, compared, digests, arguments.json)


def _start(workload: str, name: str, python: str, scratch: str) -> tuple[Process, dict[str, Any]]:
    folder = tempfile.mkdtemp(dir=scratch)  # so that nobody finds what an earlier process has left
    worker = Process(SCRIPT, name, in_folder(folder), python)
    return worker, worker.ask(open=workload)


def _steps(workload: str, name: str, arguments: argparse.Namespace, scratch: str) -> Compared:
    """Measures the seconds of a step, in blocks of equal length."""
    started = [_start(workload, name, python, scratch) for python in (sys.executable, arguments.against)]
    opened = started[0][1]
    repeats = math.ceil(SECONDS / opened["unit"])

    def asking(worker: Process) -> Callable[[int], float]:
        cores = os.cpu_count() or 1
        return lambda k: worker.ask(steps=opened["steps"], repeats=repeats, core=k % cores)["seconds"]

    now, before = alternating(arguments.rounds, *[asking(worker) for worker, _ in started])
    for worker, _ in started:
        worker.close()
    return Compared(f"{workload}: {CONTESTANTS[name].title}", now, before)


def _setups(workload: str, name: str, arguments: argparse.Namespace, scratch: str) -> Compared:
    """Measures the seconds of the set-up, each time in a fresh process."""

    def setting_up(python: str) -> Callable[[int], float]:
        def once(_: int) -> float:
            worker, opened = _start(workload, name, python, scratch)
            worker.close()
            return opened["setup"]

        return once

    now, before = alternating(arguments.setups, *[setting_up(python) for python in (sys.executable, arguments.against)])
    return Compared(f"{workload}: {CONTESTANTS[name].title}, set-up", now, before)
