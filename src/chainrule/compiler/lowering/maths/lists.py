"""Operations with any number of operands. Sums use several accumulators, so they are not added from left to right."""

from __future__ import annotations

import math

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.maths.exponential import exp
from chainrule.compiler.lowering.maths.logarithm import log1p
from chainrule.errors import OperandError

ACCUMULATORS = 4
"""A CPU can begin an addition before the previous one is done, unless it needs its result."""


def total(e: Arithmetic, *xs: ir.Value) -> ir.Value:
    """The sum of a list by pairwise summation."""
    row = list(xs) or [e.constant(0.0)]
    while len(row) > 1:
        last = row[-1:] if len(row) % 2 else []
        row = [e.add(a, b) for a, b in zip(row[::2], row[1::2], strict=False)] + last
    return e.add(row[0], e.constant(0.0)) if len(xs) == 1 else row[0]  # the sum of -0 alone is 0


def mean(e: Arithmetic, *xs: ir.Value) -> ir.Value:
    """The sum of a list by its length."""
    return e.div(total(e, *xs), e.constant(len(xs)))


def weighted_sum(e: Arithmetic, bias: ir.Value, *pairs: ir.Value) -> ir.Value:
    """b + w₁x₁ + w₂x₂ + …"""
    terms = list(zip(pairs[::2], pairs[1::2], strict=True))
    accumulators = [bias]
    if len(terms) > 2 * ACCUMULATORS:
        accumulators += [e.mul(w, x) for w, x in terms[: ACCUMULATORS - 1]]
        terms = terms[ACCUMULATORS - 1 :]
    for i, (w, x) in enumerate(terms):
        accumulators[i % len(accumulators)] = e.fma(w, x, accumulators[i % len(accumulators)])
    return total(e, *accumulators) if len(accumulators) > 1 else accumulators[0]


def logsumexp(e: Arithmetic, *xs: ir.Value) -> ir.Value:
    """log Σ exp(xᵢ), as the largest xᵢ plus log1p of the sum of the other exponentials, each divided by the largest
    one."""
    if not xs:
        raise OperandError("logsumexp of an empty list: give at least one number")
    largest = xs[0]
    for x in xs[1:]:
        largest = e.where(e.compare(">=", largest, x), largest, x)
    any_before, rest = None, []
    for x in xs:
        first = e.compare("==", x, largest)
        any_before, first = (first, first) if any_before is None else _first(e, any_before, first)
        rest.append(e.where(first, e.constant(0.0), exp(e, e.sub(x, largest))))
    y = e.add(largest, log1p(e, total(e, *rest)))
    y = e.where(e.compare("==", e.abs(largest), e.constant(math.inf)), largest, y)
    return e.where(_any_nan(e, xs), e.constant(math.nan), y)


def _first(e: Arithmetic, any_before: ir.Value, here: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Whether any number up to here is the largest, and whether this one is the first such."""
    return e.builder.or_(any_before, here), e.builder.and_(here, e.builder.not_(any_before))


def _any_nan(e: Arithmetic, xs: tuple[ir.Value, ...]) -> ir.Value:
    any_nan = e.is_nan(xs[0])
    for x in xs[1:]:
        any_nan = e.builder.or_(any_nan, e.is_nan(x))
    return any_nan
