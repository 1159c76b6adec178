"""Comparisons, the choice between two numbers, and functions with a kink: `abs`, `max`, `min`, `clip`."""

from __future__ import annotations

import math
from math import nan

from chainrule.core.operation import operation


@operation(local=[None, None], symbol="<", samples=[(1.0, 2.0), (2.0, 1.0)])
def lt(a: float, b: float) -> float:
    """1 where a < b, else 0."""
    return 1.0 if a < b else 0.0


@operation(local=[None, None], symbol="≤", samples=[(1.0, 2.0), (2.0, 1.0)])
def le(a: float, b: float) -> float:
    """1 where a ≤ b, else 0."""
    return 1.0 if a <= b else 0.0


@operation(local=[None, None], symbol=">", samples=[(1.0, 2.0), (2.0, 1.0)])
def gt(a: float, b: float) -> float:
    """1 where a > b, else 0."""
    return 1.0 if a > b else 0.0


@operation(local=[None, None], symbol="≥", samples=[(1.0, 2.0), (2.0, 1.0)])
def ge(a: float, b: float) -> float:
    """1 where a ≥ b, else 0."""
    return 1.0 if a >= b else 0.0


@operation(local=[None, None], symbol="==", samples=[(1.0, 2.0), (2.0, 1.0)])
def eq(a: float, b: float) -> float:
    """1 where a equals b, else 0."""
    return 1.0 if a == b else 0.0


@operation(local=[None, None], symbol="≠", samples=[(1.0, 2.0), (2.0, 1.0)])
def ne(a: float, b: float) -> float:
    """1 where a differs from b, else 0."""
    return 1.0 if a != b else 0.0


@operation(
    local=[None, lambda c, a, b, y: ne(c, 0.0), lambda c, a, b, y: eq(c, 0.0)],
    symbol="?:",
    samples=[(1.0, 2.0, -3.0), (0.0, 2.0, -3.0)],
)
def select(condition: float, a: float, b: float) -> float:
    """a if the condition is not zero, else b: the `if` that can be differentiated.

    >>> select(3.0 > 2.0, 10.0, 20.0)
    10.0
    """
    return a if condition else b


@operation(local=lambda x, y: gt(x, 0.0) - lt(x, 0.0), symbol="|x|", samples=[(-2.0,), (3.0,)])
def abs(x: float) -> float:
    """The absolute value; its slope at 0 is 0."""
    return math.fabs(x)


@operation(local=None, samples=[(-2.0,), (3.0,)])
def sign(x: float) -> float:
    """1 where x is positive, -1 where it is negative, else x itself: ±0 or nan. No derivative flows through it."""
    return 1.0 if x > 0 else -1.0 if x < 0 else x


@operation(local=[lambda a, b, y: ge(a, b), lambda a, b, y: lt(a, b)], samples=[(1.0, 2.0), (2.0, 1.0), (-3.0, -4.0)])
def max(a: float, b: float) -> float:
    """The larger of two; nan if either is nan. For a list, Python's own max(values) works on Values."""
    return nan if math.isnan(a) or math.isnan(b) else a if a >= b else b


@operation(local=[lambda a, b, y: le(a, b), lambda a, b, y: gt(a, b)], samples=[(1.0, 2.0), (2.0, 1.0), (-3.0, -4.0)])
def min(a: float, b: float) -> float:
    """The smaller of two; nan if either is nan. For a list, Python's own min(values) works on Values."""
    return nan if math.isnan(a) or math.isnan(b) else a if a <= b else b


@operation(
    local=[
        lambda x, low, high, y: ge(x, low) * le(x, high),
        lambda x, low, high, y: lt(x, low) * le(low, high),
        lambda x, low, high, y: gt(max(x, low), high),
    ],
    samples=[(0.5, 0.0, 1.0), (-2.0, 0.0, 1.0), (3.0, 0.0, 1.0)],
)
def clip(x: float, low: float, high: float) -> float:
    """x held between low and high: min(max(x, low), high)."""
    return min(max(x, low), high)
