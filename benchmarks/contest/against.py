"""Two states of chainrule side by side: how long what takes in this one, as a part of what it took in another.

Each state is installed for a Python of its own. The two are asked in turn, round by round, and which comes first
alternates. So a ratio is one of neighbours in time, and the median of many of them says more than two medians would.
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
"""The lower end of an interval may be so much: beyond it, this state is very likely slower."""


@dataclass(frozen=True)
class Compared:
    """What was measured of one thing, in seconds: one figure a round for each state, in the order of the rounds."""

    title: str
    now: list[float]
    before: list[float]

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.now, self.before, strict=True)]

    def holds(self) -> bool:
        return interval(self.ratios)[0] <= LIMIT


def interval(figures: list[float], level: float = 0.95) -> tuple[float, float]:
    """The narrowest interval between figures, symmetric in rank, that holds the median of what they are drawn from.

    It asks nothing of how they are distributed: how many of n lie below the median is a matter of n throws of a coin
    (the sign test's interval; Conover, Practical Nonparametric Statistics, 3rd edition, section 3.2).

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
    """What both say in each round after one of warm-up."""
    found: tuple[list[Any], list[Any]] = ([], [])
    for k in range(rounds + 1):
        for which, ask in [(0, now), (1, before)][:: -1 if k % 2 else 1]:
            answer = ask(k)
            if k > 0:
                found[which].append(answer)
    return found


def states(other: str) -> Mapping[str, str]:
    """A digest of the chainrule that each of the two Pythons imports.

    Raises:
        SystemExit: it cannot be imported there, or both are the same.
    """
    script = Path(__file__).with_name("state.py")
    found = {}
    for which, interpreter in (("now", sys.executable), ("before", other)):
        asked = subprocess.run([interpreter, str(script)], capture_output=True, text=True, check=False)
        if asked.returncode:
            raise SystemExit(f"{interpreter} cannot import chainrule: {asked.stderr.strip().splitlines()[-1]}")
        found[which] = asked.stdout.strip()
    if found["now"] == found["before"]:
        raise SystemExit("both Pythons import the same files: install the other state in an environment of its own")
    return found


def introduce(console: Console, found: Mapping[str, str], rounds: int) -> None:
    console.print(machine(), python(), sep="\n", markup=False)
    console.print(
        f"chainrule {found['now']} against {found['before']}; {rounds} rounds after one of warm-up, in turn.",
        "now ÷ before: the median of the ratios within each round, and its 95 % interval.",
        sep="\n",
        end="\n\n",
        markup=False,
    )


def conclude(console: Console, compared: list[Compared], states: Mapping[str, str], file: Path | None) -> int:
    """Shows what was found; 1 where this state is very likely slower.

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
        figures = [vars(one) | {"ratio": median(one.ratios), "interval": _plain(one)} for one in compared]
        found = {"machine": machine(), "python": python(), "states": dict(states), "compared": figures}
        file.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return 0 if all(one.holds() for one in compared) else 1


def _plain(one: Compared) -> list[float] | None:
    """The interval as JSON has it; None if there were too few rounds for one."""
    ends = interval(one.ratios)
    return list(ends) if math.isfinite(ends[0]) else None


def _time(seconds: list[float]) -> str:
    return layout.time((median(seconds), 0.0)).partition(" (")[0]


def teller(console: Console, status: Any) -> Callable[[str], None]:
    """What a benchmark says it is at: on a terminal in its status line, else on standard error."""
    return status.update if console.is_terminal else lambda text: print(text, file=sys.stderr)
