"""sinh, cosh and their inverses.

The first two are exp(x)/2 with twice the digits, and its inverse; near 0, sinh is its own series. Their inverses are
logarithms of 1 plus something that is small where the result is small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.maths.exponential import reduced, series_of_exp
from chainrule.compiler.lowering.maths.logarithm import log, log1p
from chainrule.compiler.lowering.maths.pieces import Pair, at_most, in_double, polynomial, power_of_two, quick_sum

SINH = [1 / math.factorial(n) for n in range(3, 20, 2)]
"""(sinh x - x) / x³ in x², for |x| < 1: what follows is below 2⁻⁶⁰."""

LARGE = 2.0**28
"""From here on, x² + 1 is x² to the last digit."""


def sinh(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The hyperbolic sine."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        a = e.abs(xs[0])
        (high, low), inverse = _halves_of_exp(e, a)
        far = e.add(high, e.sub(low, inverse))
        near_one = at_most(e, a, 1.0)
        z = e.mul(near_one, near_one)
        near = e.fma(e.mul(near_one, z), polynomial(e, z, SINH), near_one)
        return e.copysign(e.where(e.compare("<", a, e.constant(1.0)), near, e.add(far, far)), xs[0])

    return e.call("sinh", lambda e, xs: in_double(e, body, xs), [x])


def cosh(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The hyperbolic cosine."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        (high, low), inverse = _halves_of_exp(e, e.abs(xs[0]))
        y = e.add(high, e.add(low, inverse))
        return e.add(y, y)

    return e.call("cosh", lambda e, xs: in_double(e, body, xs), [x])


def _halves_of_exp(e: Arithmetic, a: ir.Value) -> tuple[Pair, ir.Value]:
    """exp(a)/4 as a sum, and exp(-a)/4, for a from 0 on: of a half, the power of two would overflow too early."""
    _, n, r, error = reduced(e, at_most(e, a, 710.6))
    rest, more = quick_sum(e, r, e.mul(e.mul(r, r), series_of_exp(e, r)))
    quarter = power_of_two(e, e.builder.sub(n, e.whole(2)))
    high, low = quick_sum(e, quarter, e.mul(quarter, rest))
    low = e.fma(quarter, e.add(more, error), low)
    return (high, low), e.div(e.constant(0.0625), high)


def asinh(e: Arithmetic, x: ir.Value) -> ir.Value:
    """log(a + √(a² + 1)) with the sign of x, where a is |x|."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        a, one = e.abs(xs[0]), e.constant(1.0)
        small = at_most(e, a, LARGE)
        square = e.mul(small, small)
        near = log1p(e, e.add(small, e.div(square, e.add(one, e.sqrt(e.add(square, one))))))
        return e.copysign(e.where(e.compare(">", a, e.constant(LARGE)), _log_of_twice(e, a), near), xs[0])

    return e.call("asinh", lambda e, xs: in_double(e, body, xs), [x])


def acosh(e: Arithmetic, x: ir.Value) -> ir.Value:
    """log(x + √(x² - 1)), from t = x - 1, which is exact where it is small."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        x, one = xs[0], e.constant(1.0)
        small = at_most(e, x, LARGE)
        t = e.sub(small, one)
        near = log1p(e, e.add(t, e.sqrt(e.mul(t, e.add(small, one)))))
        y = e.where(e.compare(">", x, e.constant(LARGE)), _log_of_twice(e, x), near)
        return e.where(e.compare("<", x, one), e.constant(math.nan), y)

    return e.call("acosh", lambda e, xs: in_double(e, body, xs), [x])


def atanh(e: Arithmetic, x: ir.Value) -> ir.Value:
    """log((1 + a) / (1 - a)) / 2 with the sign of x, where a is |x|."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        a = e.abs(xs[0])
        y = log1p(e, e.div(e.add(a, a), e.sub(e.constant(1.0), a)))
        return e.copysign(e.mul(e.constant(0.5), y), xs[0])

    return e.call("atanh", lambda e, xs: in_double(e, body, xs), [x])


def _log_of_twice(e: Arithmetic, x: ir.Value) -> ir.Value:
    """log(2x), also where 2x overflows."""
    return e.add(log(e, x), e.constant(math.log(2)))
