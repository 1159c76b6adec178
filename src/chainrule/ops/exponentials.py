"""Powers, exponentials, logarithms and roots."""

from __future__ import annotations

import math
from math import inf, nan

from chainrule.core.operation import ieee, operation
from chainrule.ops.arithmetic import chain, div
from chainrule.ops.comparisons import abs, eq, ge, lt, max, select

_LOG_2 = math.log(2.0)
_INV_LOG_2 = 1.4426950408889634
_INV_LOG_10 = 0.4342944819032518


@operation(
    local=[
        lambda a, b, y: chain(b, pow(a, b - 1.0)),
        lambda a, b, y: select(eq(a, 0.0) * ge(b, 0.0), 0.0, chain(y, log(a))),
    ],
    symbol="**",
    samples=[(2.0, 3.0), (0.5, -1.5), (3.0, 0.5), (7.0, 2.0)],
)
def pow(a: float, b: float) -> float:
    """a to the power b: 0 ** -1 is inf, a negative number to a fraction is nan, and x ** 0 is 1 for every x.

    The derivative in the exponent takes 0 ** b for the constant 0 that it is for b > 0, also at b = 0.
    """
    try:
        return math.pow(a, b)
    except OverflowError:
        return -inf if a < 0 and b % 2 == 1 else inf
    except ValueError:
        if a != 0:
            return nan
        return math.copysign(inf, a) if b % 2 == 1 else inf


@operation(local=lambda x, y: y, samples=[(-2.0,), (0.0,), (1.5,)])
def exp(x: float) -> float:
    """e to the x, inf from about 709.8 on.

    >>> exp(0.0), exp(1000.0)
    (1.0, inf)
    """
    return ieee(math.exp, x)


@operation(local=lambda x, y: exp(x), samples=[(-2.0,), (1e-9,), (1.5,)])
def expm1(x: float) -> float:
    """exp(x) - 1, exact near 0."""
    return ieee(math.expm1, x)


@operation(local=lambda x, y: div(1.0, x), samples=[(0.1,), (1.0,), (50.0,)])
def log(x: float) -> float:
    """The natural logarithm: log(0) is -inf, log of a negative number nan."""
    return -inf if x == 0 else ieee(math.log, x)


@operation(local=lambda x, y: div(1.0, 1.0 + x), samples=[(-0.5,), (1e-9,), (50.0,)])
def log1p(x: float) -> float:
    """log(1 + x), exact near 0."""
    return -inf if x == -1 else ieee(math.log1p, x)


@operation(local=lambda x, y: _LOG_2 * y, samples=[(-2.0,), (0.0,), (1.5,)])
def exp2(x: float) -> float:
    """2 to the x, inf from 1024 on; exact where x is a whole number.

    >>> exp2(10.0), exp2(-1.0)
    (1024.0, 0.5)
    """
    return ieee(math.exp2, x)


@operation(local=lambda x, y: div(_INV_LOG_2, x), samples=[(0.1,), (1.0,), (50.0,)])
def log2(x: float) -> float:
    """The logarithm to base 2: log2(0) is -inf, log2 of a negative number nan.

    >>> log2(8.0)
    3.0
    """
    return -inf if x == 0 else ieee(math.log2, x)


@operation(local=lambda x, y: div(_INV_LOG_10, x), samples=[(0.1,), (1.0,), (50.0,)])
def log10(x: float) -> float:
    """The logarithm to base 10: log10(0) is -inf, log10 of a negative number nan.

    >>> log10(1000.0)
    3.0
    """
    return -inf if x == 0 else ieee(math.log10, x)


@operation(local=lambda x, y: div(0.5, y), symbol="√", samples=[(0.1,), (1.0,), (50.0,)])
def sqrt(x: float) -> float:
    """The square root; nan for a negative number. Its slope at 0 is inf."""
    return ieee(math.sqrt, x)


@operation(local=lambda x, y: div(1.0, 3.0 * y * y), symbol="∛", samples=[(0.1,), (-1.0,), (50.0,)])
def cbrt(x: float) -> float:
    """The cube root, also of a negative number, of which `x ** (1/3)` is nan. Its slope at 0 is inf.

    >>> cbrt(-27.0)
    -3.0
    """
    if x == 0 or math.isinf(x):
        return x
    y = math.cbrt(x)
    return y - (y - x / (y * y)) / 3.0  # a step of Newton's method: some C libraries are off by a unit even at 27


@operation(
    local=[lambda a, b, y: div(a, y), lambda a, b, y: div(b, y)], samples=[(3.0, 4.0), (-0.5, 0.2), (1e-3, -8.0)]
)
def hypot(a: float, b: float) -> float:
    """√(a² + b²), without overflow on the way; at (0, 0) it has no slope: nan, to every order."""
    return math.hypot(a, b)


@operation(
    local=[
        lambda a, b, y: select(eq(abs(y), inf), ge(a, b), div(1.0, 1.0 + exp(b - a))),
        lambda a, b, y: select(eq(abs(y), inf), lt(a, b), div(1.0, 1.0 + exp(a - b))),
    ],
    samples=[(1.0, 2.0), (-3.0, -3.0), (700.0, 698.0)],
)
def logaddexp(a: float, b: float) -> float:
    """log(exp(a) + exp(b)), without overflow; where it is infinite, the derivative is that of the larger, or the first.

    >>> logaddexp(1000.0, 1000.0) == 1000.0 + math.log(2.0)
    True
    """
    larger = max(a, b)
    return larger if math.isinf(larger) else larger + log1p(exp(-abs(a - b)))


@operation(
    local=[lambda a, b, y: log(b), lambda a, b, y: select(eq(a, 0.0) * eq(b, 0.0), 0.0, div(a, b))],
    samples=[(1.0, 2.0), (-3.0, 0.5), (0.0, 3.0)],
)
def xlogy(a: float, b: float) -> float:
    """a · log(b), which is 0 where a is 0, whatever b is, unless that is nan.

    The derivative in a is log(b), -inf where b is 0. That in b is a / b, and 0 where both are 0.

    >>> xlogy(0.0, 0.0), xlogy(2.0, 1.0)
    (0.0, 0.0)
    """
    return a * log(b) if a != 0 or math.isnan(b) else 0.0
