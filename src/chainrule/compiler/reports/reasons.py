"""The reasons why compiled functions and steps fall back on something slower, in the words that users read."""

from __future__ import annotations

import functools
from typing import Any

from chainrule.compiler.reports.fallbacks import Fallbacks, Reason

NOT_FINITE = Reason(
    "sample",
    "calculated again bit by bit as the eager engine does, since a number of theirs was infinite or nan",
    "That is slower. Keep operands where the operation has a finite number and slope, "
    "as in chainrule.log(chainrule.max(x, 1e-12)).",
)

AGAIN = Reason(
    "sample",
    "traced again and again: each time Python answered a branch otherwise than for the same numbers before",
    "Let branches depend on the arguments alone.",
)

WITH_VALUES = Reason("call", "done by the eager engine, since there were Values among the arguments", "", work=1)
"""This is documented: it is counted, but never warns."""

BY_HAND = Reason(
    "step",
    "done by the eager engine, since native code found a number that is infinite or nan where the eager engine did not",
    "That is slower. Keep operands where the operation has a finite number and slope, "
    "as in chainrule.log(chainrule.max(x, 1e-12)).",
)

OTHER_SETTINGS = Reason(
    "time",
    "the update was compiled anew, since a setting of the optimizer, or something else that it reads, had changed",
    "That takes milliseconds each time. Let what changes often be a Value, self.decay = chainrule.Value(0.1), and read "
    "self.decay.data in `updated`: its number is read at each call.",
    calls=10,
    work=0,
)


@functools.cache
def rounded(bits: int) -> Reason:
    """Native code answered a branch differently from Python, on the same numbers."""
    if bits == 32:
        return Reason(
            "sample",
            "whose branches were decided once more, in 64 bits: they ask for digits that float32 does not have",
            "That is slower. Say dtype='float64', or compare with a tolerance above 1e-7.",
            calls=2,
        )
    return Reason(
        "sample",
        "whose branches were decided once more, bit by bit: they ask for the last digits of numbers, "
        "which native code may round otherwise than Python",
        "That is slower. Compare with a tolerance above 1e-15, or say strict=True.",
        calls=2,
    )


LARGE = 1_000_000
"""A program of so many operations is slow when it runs from tables."""


def one_by_one(no_loops: str, where: str = "loss") -> Reason:
    """Steps whose loss (or update) has no loops, so that the driver cannot call it."""
    return Reason(
        "step",
        f"done one by one from Python, since there are no loops in the {where}: {no_loops}",
        "That costs some 30 µs a step. What is alike for all of a list becomes a loop.",
        calls=1000,
        work=0,
    )


def count_levelised(kernel: Any, stages: Any, fallbacks: Fallbacks) -> None:
    """Counts a large kernel that did not become loops."""
    operations = kernel.operations_per_call
    if operations >= LARGE and stages.no_loops:
        hint = "Tables as large as that do not fit the CPU's caches. What is alike for all of a list becomes a loop."
        fallbacks.met(Reason("kernel", f"run from tables: {stages.no_loops}", hint, calls=1), 1, operations)


def count_in_python(kernel: Any, fallbacks: Fallbacks) -> None:
    """Makes a kernel count the operations that Python calculates, if there are any."""
    called = getattr(kernel, "in_python", [])
    if not called:
        return
    names = ", ".join(sorted([op.name for op in called]))
    own = [op.name for op in called if not op.built_in]
    hint = (
        f"Write {sorted(own)[0]} with + - *, functions of chainrule, and those of math that C has: that becomes native."
        if own
        else "That is so where every bit must be the eager engine's: without strict=True there is native code."
    )
    reason = Reason("operation", f"of {names} calculated by Python: there is no native code for it", hint)
    kernel.on_python = lambda done: fallbacks.met(reason, done, done)
