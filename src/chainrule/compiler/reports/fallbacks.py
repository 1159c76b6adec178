"""Fallbacks: where a compiled function or step does something in a slower way than by native code made for speed.

Each is counted for `explain()`. It warns once, as soon as it is repeated and has cost something.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from chainrule.compiler.reports.report import count
from chainrule.core.forks import renewed_in_child
from chainrule.core.modes import caller
from chainrule.errors import SlowWarning

COSTLY = 100_000
"""From so many operations on, which take some milliseconds, a fallback is worth a warning."""


@dataclass(frozen=True)
class Reason:
    """Why something is slow.

    Attributes:
        unit: what is counted, in the singular.
        what: what became of the units, and why.
        hint: what to do about it.
        calls, work: it warns after so many calls and so many operations at the earliest.
    """

    unit: str
    what: str
    hint: str
    calls: int = 3
    work: int = COSTLY


@dataclass
class _Tally:
    times: int = 0
    calls: int = 0
    work: int = 0
    warned: bool = False


class Fallbacks:
    """The fallbacks of one function or step.

    Args:
        name: its name in messages.

    >>> found = Fallbacks("f")
    >>> found.met(Reason("sample", "went by Python", "Do not."), times=2, work=10)
    2
    >>> found.describe()
    ['  fallbacks:', '    2 samples in 1 call went by Python']
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._tallies: dict[Reason, _Tally] = {}
        self.after_fork()
        renewed_in_child(self)

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def met(self, reason: Reason, times: int = 1, work: int = 0, where: Callable[[], str] = str) -> int:
        """Counts a fallback; warns if it is time to.

        Args:
            reason: why it happened.
            times: how many of the reason's units it concerns.
            work: how many operations they took.
            where: gives one more sentence for the warning.

        Returns:
            How many units there were in all.
        """
        with self._lock:
            tally = self._tallies.setdefault(reason, _Tally())
            tally.times, tally.calls, tally.work = tally.times + times, tally.calls + 1, tally.work + work
            times, warns = tally.times, tally.calls >= reason.calls and tally.work >= reason.work and not tally.warned
            tally.warned |= warns
        if warns:
            self._warn(" ".join([f"{self.name}: {_counted(reason, tally)}.", *filter(None, [where()]), reason.hint]))
        return times

    def times(self, reason: Reason) -> int:
        """How many units of a reason were counted."""
        tally = self._tallies.get(reason)
        return tally.times if tally else 0

    def describe(self) -> list[str]:
        """Lines for a report; none if there was no fallback."""
        with self._lock:
            lines = [f"    {_counted(reason, tally)}" for reason, tally in self._tallies.items()]
        return ["  fallbacks:", *lines] if lines else []

    @staticmethod
    def _warn(message: str) -> None:
        frame = caller()
        registry = frame.f_globals.setdefault("__warningregistry__", {})
        module = frame.f_globals.get("__name__")
        warnings.warn_explicit(message, SlowWarning, frame.f_code.co_filename, frame.f_lineno, module, registry)


def _counted(reason: Reason, tally: _Tally) -> str:
    calls = f" in {count(tally.calls, 'call')}" if tally.work and tally.calls != tally.times else ""
    return f"{count(tally.times, reason.unit)}{calls} {reason.what}"
