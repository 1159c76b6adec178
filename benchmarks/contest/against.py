"""Compares two versions of chainrule: the time of each workload in this one, divided by its time in the other.

Each version is installed for a Python of its own. The two are measured in turn, round by round, and the order
alternates. So each ratio is one of neighbours in time, and the median of many ratios is more reliable than a ratio of
two medians.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from contest import layout
from contest.machine import machine, python

LIMIT = 1.03
"""If the lower end of an interval is above this, this version is very likely slower."""


@dataclass(frozen=True)
class Compared:
    """The seconds of one measurement: one figure a round for each version, in the order of the rounds."""

    title: str
    now: list[float]
    before: list[float]

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.now, self.before, strict=True)]

    def holds(self) -> bool:
        return interval(self.ratios)[0] <= LIMIT


def interval(figures: list[float], level: float = 0.95) -> tuple[float, float]:
    """A confidence interval for the median of the distribution that figures come from: the narrowest that is symmetric
    in rank.

    It assumes nothing about the distribution: the number of n figures that lie below the median is binomial (the sign
    test's interval; Conover, Practical Nonparametric Statistics, 3rd edition, section 3.2).

    >>> interval([float(i) for i in range(31)])
    (9.0, 21.0)
    >>> interval([1.0, 2.0, 3.0])  # too few for any
    (-inf, inf)
    """
    ordered, n = sorted(figures), len(figures)
    below = list(accumulate(math.comb(n, k) / 2**n for k in range(n + 1)))  # the chance that at most k lie below
    ranks = [k for k in range((n + 1) // 2) if 2 * below[k] <= 1 - level]
    return (ordered[ranks[-1]], ordered[n - 1 - ranks[-1]]) if ranks else (-math.inf, math.inf)


def alternating(rounds: int, now: Callable[[int], Any], before: Callable[[int], Any]) -> tuple[list[Any], list[Any]]:
    """The answers of both versions in each round, after one round of warm-up."""
    answers: tuple[list[Any], list[Any]] = ([], [])
    for k in range(rounds + 1):
        for which, ask in [(0, now), (1, before)][:: -1 if k % 2 else 1]:
            answer = ask(k)
            if k > 0:
                answers[which].append(answer)
    return answers


def states(other: str) -> Mapping[str, str]:
    """A digest of the chainrule that each of the two Pythons imports.

    Raises:
        SystemExit: chainrule cannot be imported, or both are the same.
    """
    script = Path(__file__).with_name("state.py")
    digests = {}
    for which, interpreter in (("now", sys.executable), ("before", other)):
        asked = subprocess.run([interpreter, str(script)], capture_output=True, text=True, check=False)
        if asked.returncode:
            raise SystemExit(f"{interpreter} cannot import chainrule: {asked.stderr.strip().splitlines()[-1]}")
        digests[which] = asked.stdout.strip()
    if digests["now"] == digests["before"]:
        raise SystemExit("both Pythons import the same files: install the other state in an environment of its own")
    return digests


def introduce(console: Console, digests: Mapping[str, str], rounds: int) -> None:
    console.print(machine(), python(), sep="\n", markup=False)
    console.print(
        f"chainrule {digests['now']} against {digests['before']}; {rounds} rounds after one of warm-up, in turn.",
        "now ÷ before: the median of the ratios within each round, and its 95 % interval.",
        sep="\n",
        end="\n\n",
        markup=False,
    )


def conclude(console: Console, compared: list[Compared], states: Mapping[str, str], file: Path | None) -> int:
    """Prints the comparison; returns 1 if this version is very likely slower.

    Raises:
        SystemExit: nothing was compared.
    """
    if not compared:
        raise SystemExit("nothing was compared: of what was asked for, nothing is measured in seconds on both states")
    table = layout.table("what", "before", "now", "now ÷ before", "95 % interval", "holds")
    for one in compared:
        low, high = interval(one.ratios)
        ratio, verdict = median(one.ratios), "yes" if one.holds() else "[red]no[/red]"
        verdict = verdict if math.isfinite(low) else "too few rounds"
        times = [_time(one.before), _time(one.now)]
        table.add_row(one.title, *times, f"{ratio:.3f}", f"{low:.3f} – {high:.3f}", verdict)
    console.print(table)
    console.print(f"holds: the lower end is at most {LIMIT:g}.")
    if file:
        figures = [vars(one) | {"ratio": median(one.ratios), "interval": _to_json(one)} for one in compared]
        report = {"machine": machine(), "python": python(), "states": dict(states), "compared": figures}
        file.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return 0 if all(one.holds() for one in compared) else 1


def _to_json(one: Compared) -> list[float] | None:
    """The interval as data for JSON; None if there were too few rounds for one."""
    ends = interval(one.ratios)
    return list(ends) if math.isfinite(ends[0]) else None


def _time(seconds: list[float]) -> str:
    return layout.time((median(seconds), 0.0)).partition(" (")[0]


def notifier(console: Console, status: Any) -> Callable[[str], None]:
    """A function that shows progress: in the status line of a terminal, otherwise on standard error."""
    return status.update if console.is_terminal else lambda text: print(text, file=sys.stderr)
