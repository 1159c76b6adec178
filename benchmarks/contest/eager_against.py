"""Compares the eager engine with another version of itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from contest.against import Compared, alternating, conclude, introduce, notifier, states
from contest.contestants import COMPILED, CONTESTANTS, PURE
from contest.rounds import Worker


def compare(other: str, workloads: dict[str, dict[str, Any]], rounds: int, file: Path | None) -> int:
    """Runs the workloads on both builds of both versions and prints the ratios; returns 1 if this version is slower."""
    console, digests = Console(highlight=False, width=None if sys.stdout.isatty() else 120), states(other)
    introduce(console, digests, rounds)
    compared: list[Compared] = []
    with console.status("") as status:
        notify = notifier(console, status)
        for workload, sizes in workloads.items():
            for name in (COMPILED, PURE):
                notify(f"{workload}: {CONTESTANTS[name].title}")
                compared += _compared(workload, name, sizes[name], other, rounds)
    return conclude(console, compared, digests, file)


def _compared(workload: str, name: str, sizes: dict[str, Any], other: str, rounds: int) -> list[Compared]:
    pair = [Worker(name), Worker(name, other)]
    for worker in pair:
        worker.ask(open=workload, sizes=sizes)
    now, before = alternating(rounds, *[lambda k, worker=worker: worker.ask(run=k)["seconds"] for worker in pair])
    for worker in pair:
        worker.close()
    return [
        Compared(
            f"{workload}, {measure}: {CONTESTANTS[name].title}",
            [each[measure] for each in now],
            [each[measure] for each in before],
        )
        for measure in now[0]
    ]
