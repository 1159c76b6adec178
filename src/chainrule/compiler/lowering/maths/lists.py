"""Operations of any number of operands. Sums are added up in several rows side by side, so not from left to right."""

from __future__ import annotations

import math

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.maths.exponential import exp
from chainrule.compiler.lowering.maths.logarithm import log1p
from chainrule.errors import OperandError

ROWS = 4
"""A CPU begins a sum before the one before is done, but not one that needs it."""


def total(e: Arithmetic, *xs: ir.Value) -> ir.Value:
    """The sum of a list, by sums of neighbours, and of those again."""
    row = list(xs) or [e.constant(0.0)]
    while len(row) > 1:
        last = row[-1:] if len(row) % 2 else []
        row = [e.add(a, b) for a, b in zip(row[::2], row[1::2], strict=False)] + last
    return e.add(row[0], e.constant(0.0)) if len(xs) == 1 else row[0]  # the sum of -0 alone is 0


def weighted_sum(e: Arithmetic, bias: ir.Value, *pairs: ir.Value) -> ir.Value:
    """b + w₁x₁ + w₂x₂ + …"""
    terms = list(zip(pairs[::2], pairs[1::2], strict=True))
    rows = [bias]
    if len(terms) > 2 * ROWS:
        rows += [e.mul(w, x) for w, x in terms[: ROWS - 1]]
        terms = terms[ROWS - 1 :]
    for i, (w, x) in enumerate(terms):
        rows[i % len(rows)] = e.fma(w, x, rows[i % len(rows)])
    return total(e, *rows) if len(rows) > 1 else rows[0]


def logsumexp(e: Arithmetic, *xs: ir.Value) -> ir.Value:
    """log Σ exp(xᵢ), as the largest and log1p of the others' exponentials beside it."""
    if not xs:
        raise OperandError("logsumexp of an empty list: give at least one number")
    largest = xs[0]
    for x in xs[1:]:
        largest = e.where(e.compare(">=", largest, x), largest, x)
    found, rest = None, []
    for x in xs:
        first = e.compare("==", x, largest)
        found, first = (first, first) if found is None else _first(e, found, first)
        rest.append(e.where(first, e.constant(0.0), exp(e, e.sub(x, largest))))
    y = e.add(largest, log1p(e, total(e, *rest)))
    y = e.where(e.compare("==", e.abs(largest), e.constant(math.inf)), largest, y)
    return e.where(_any_nan(e, xs), e.constant(math.nan), y)


def _first(e: Arithmetic, found: ir.Value, here: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Whether the largest was found by now, and whether it is found just here."""
    return e.builder.or_(found, here), e.builder.and_(here, e.builder.not_(found))


def _any_nan(e: Arithmetic, xs: tuple[ir.Value, ...]) -> ir.Value:
    found = e.is_nan(xs[0])
    for x in xs[1:]:
        found = e.builder.or_(found, e.is_nan(x))
    return found
