"""Whole numbers: rounding, and division with remainder as Python's `//` and `%` of floats have it."""

from __future__ import annotations

import math
from math import nan

from chainrule.core.operation import operation
from chainrule.ops.arithmetic import div


@operation(local=None, symbol="⌊x⌋", samples=[(-2.5,), (0.5,), (3.25,)])
def floor(x: float) -> float:
    """The largest whole number that is no larger than x; constant between its steps, so no derivative flows.

    >>> floor(2.5), floor(-2.5)
    (2.0, -3.0)
    """
    return 0.0 + math.floor(x) if math.isfinite(x) and x != 0 else x


@operation(local=None, symbol="⌈x⌉", samples=[(-2.5,), (0.25,), (3.25,)])
def ceil(x: float) -> float:
    """The smallest whole number that is no smaller than x; constant between its steps, so no derivative flows.

    >>> ceil(2.5), ceil(-2.5)
    (3.0, -2.0)
    """
    return math.copysign(math.ceil(x), x) if math.isfinite(x) else x


@operation(local=None, samples=[(-2.25,), (0.25,), (3.75,)])
def round(x: float) -> float:
    """The nearest whole number, of two equally near ones the even one, as Python's; no derivative flows through it.

    >>> round(2.5), round(3.5), round(-0.2)
    (2.0, 4.0, -0.0)
    """
    size = math.fabs(x)  # added to 2⁵², a number keeps its whole part alone, rounded like any sum
    return math.copysign((size + 4503599627370496.0) - 4503599627370496.0, x) if size < 4503599627370496.0 else x


@operation(
    local=[lambda a, b, y: 1.0, lambda a, b, y: -floordiv(a, b)],
    symbol="%",
    samples=[(7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (0.3, 0.7)],
)
def mod(a: float, b: float) -> float:
    """a % b, what division leaves, with the sign of b as in Python; nan for b = 0. It jumps where a is a multiple of b.

    >>> mod(7.5, 2.0), mod(-7.5, 2.0)
    (1.5, 0.5)
    """
    try:
        rest = math.fmod(a, b)
    except ValueError:
        return nan
    if rest == 0:
        return math.copysign(0.0, b)
    return rest if math.copysign(1.0, rest) == math.copysign(1.0, b) else rest + b


@operation(local=[None, None], symbol="//", samples=[(7.5, 2.0), (-7.5, 2.0), (7.5, -2.0)])
def floordiv(a: float, b: float) -> float:
    """a // b, how many whole times b goes into a, so that a is b · (a // b) + a % b; ±inf or nan for b = 0.

    >>> floordiv(7.5, 2.0), floordiv(-7.5, 2.0), floordiv(1.0, 0.1)
    (3.0, -4.0, 9.0)
    """
    if b == 0:
        return div(a, b)
    try:
        rest = math.fmod(a, b)
    except ValueError:
        return nan
    times = div(a - rest, b)
    if rest != 0 and math.copysign(1.0, rest) != math.copysign(1.0, b):
        times = times - 1.0
    if times == 0:
        return math.copysign(0.0, div(a, b))
    return floor(times) if times - floor(times) <= 0.5 else floor(times) + 1.0
