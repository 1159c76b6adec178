"""Describes a program of loops in sentences, for `explain()`."""

from __future__ import annotations

import math

from chainrule.compiler.loops.codegen.build import Plan
from chainrule.compiler.loops.codegen.strides import vectors_along
from chainrule.compiler.loops.program import Statement

KINDS = {"shared": "inputs", "batched": "inputs of each sample", "packed": "inputs, laid out along the lanes"}
FIRST = 3
"""How many constants of an array are shown."""

MOST = 12
"""How many arrays are named in a list."""


def describe(plan: Plan, width: int) -> list[str]:
    """Describes what the loops run over, what is vectorised and what is not, and the program itself.

    Args:
        plan: the program with its layout.
        width: how many numbers a vector has.

    Returns:
        Sentences, one a line.
    """
    program = plan.program
    lines = [_loops(program.statements)]
    for recurrence in sorted({s.recurrence for s in program.statements if s.recurrence is not None}):
        own = [s for s in program.statements if s.recurrence == recurrence]
        times, body = f"{own[0].axes[0]:,}", _count(len(own), "statement")
        lines.append(f"a loop of {times} iterations, each made of the one before, with {body}")
    lines += _vectors(plan, width)
    lines += [str(segments) for segments in plan.segments]
    if plan.beyond_limit:
        lines.append(
            "memory_limit cannot be kept: what the reverse sweep needs of a loop is also needed in another order"
        )
    lines.append(str(plan.address_report))
    lines.append("the program:")
    read = {one.array for statement in program.statements for one in statement.reads()}
    for at, array in enumerate(program.arrays):
        shape = ", ".join(map(str, array.shape))
        if array.kind in KINDS:
            lines.append(f"  a{at}[{shape}]: {KINDS[array.kind]}")
        elif array.data is not None and at in read:
            first = ", ".join(map(repr, array.data.ravel()[:FIRST].tolist()))
            lines.append(f"  a{at}[{shape}]: constants {first}{', …' if array.data.size > FIRST else ''}")
    return [*lines, *[f"  {statement}" for statement in program.statements]]


def _loops(statements: list[Statement]) -> str:
    sizes = sorted({extent for s in statements for extent in [*s.axes, *[one.length for one in s.sums]] if extent > 1})
    over = ", ".join([f"{size:,}" for size in sizes[:MOST]]) + (", …" if len(sizes) > MOST else "")
    return _count(len(statements), "statement") + (f", in loops over {over}" if sizes else "")


def _vectors(plan: Plan, width: int) -> list[str]:
    """Says what is vectorised, what stays scalar, and why."""
    program = plan.program
    by: dict[str, list[int]] = {}
    if program.lanes is None:
        along = f"vectors of {width} samples, {plan.vectors} at a time"
    else:
        along = f"vectors of {width} along an axis of {program.lanes:,} that was found in the lists"
    for phase in (plan.nests.before, plan.nests.inside, plan.nests.after):
        for nest in phase:
            for statement in nest.statements:
                if statement.lanes:
                    why = along
                elif any(one.length >= 4 * width and not one.bounds for one in statement.sums):
                    why = f"vectors of {width} along a sum"
                elif math.prod(statement.axes) == 1:
                    why = "scalar, done once"
                elif nest.recurrence is not None:
                    why = "scalar, since each iteration needs the one before"
                elif vectors_along(program, nest) is None:
                    why = "scalar, since what is read does not lie side by side"
                else:
                    why = f"vectors of {width} along the innermost loop"
                by.setdefault(why, []).append(statement.target)
    return [f"{why}: {_named(sorted(set(targets)))}" for why, targets in by.items()]


def _named(targets: list[int]) -> str:
    if len(targets) > MOST:
        return _count(len(targets), "array")
    return ", ".join([f"a{target}" for target in targets])


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
