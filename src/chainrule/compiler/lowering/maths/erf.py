"""erf, erfc, norm_cdf, gelu: near 0 by a series, farther out as exp(-x²) · P(t) / (x + 3) with t = (x - 3) / (x + 3).

That form, with one polynomial for the whole tail, is due to Shepherd and Laframboise (1981); theirs has 1 + 2x below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.maths.exponential import reduced, scaled, series_of_exp
from chainrule.compiler.lowering.maths.pieces import (
    Pair,
    at_least,
    at_most,
    in_double,
    polynomial,
    quick_sum,
    quotient,
    two_product,
    two_sum,
)
from chainrule.core import coefficients as c

BEND = 0.84375
"""Up to this |x|, erf is calculated by a series."""

LAST = 27.5
"""From this x on, erfc is 0."""


def erf(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The error function."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        x, a = xs[0], e.abs(xs[0])
        far = e.copysign(e.sub(e.constant(1.0), Tail(e, at_least(e, at_most(e, a, 6.0), 0.5)).value()), x)
        y = e.where(e.compare("<", a, e.constant(BEND)), e.fma(x, _series(e, x), x), far)
        return e.where(e.compare("==", x, e.constant(0.0)), x, y)

    return e.call("erf", lambda e, xs: in_double(e, body, xs), [x])


def erfc(e: Arithmetic, x: ir.Value) -> ir.Value:
    """1 - erf(x), exact in the right tail."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        x, a = xs[0], e.abs(xs[0])
        far = Tail(e, at_least(e, at_most(e, a, LAST), 0.5)).value()
        far = e.where(e.compare("<", x, e.constant(0.0)), e.sub(e.constant(2.0), far), far)
        return e.where(e.compare("<", a, e.constant(0.5)), _complement(e, x, None), far)

    return e.call("erfc", lambda e, xs: in_double(e, body, xs), [x])


def norm_cdf(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The normal distribution function."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        return _times_normal(e, xs[0], e.constant(0.5))

    return e.call("norm_cdf", lambda e, xs: in_double(e, body, xs), [x])


def gelu(e: Arithmetic, x: ir.Value) -> ir.Value:
    """x times the normal distribution function."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        x = at_least(e, xs[0], -40.0)
        return e.add(_times_normal(e, x, e.mul(x, e.constant(0.5))), e.constant(0.0))  # a zero is never -0

    return e.call("gelu", lambda e, xs: in_double(e, body, xs), [x])


def _times_normal(e: Arithmetic, x: ir.Value, half: ir.Value) -> ir.Value:
    """half · erfc(-x/√2); the argument's rounding error, which erfc would make large, is taken along."""
    x = at_least(e, at_most(e, x, 40.0), -40.0)
    z, rest = two_product(e, x, e.constant(-c.SQRT_HALF[0]))
    rest = e.fma(x, e.constant(-c.SQRT_HALF[1]), rest)
    a = e.abs(z)
    right = e.compare(">", x, e.constant(0.0))
    tail = Tail(e, at_least(e, a, 0.5), e.where(right, e.neg(rest), rest))
    far = e.mul(half, e.sub(e.constant(2.0), tail.value()))
    y = e.where(right, far, tail.value(half))
    near = e.mul(half, _complement(e, z, rest))
    return e.where(e.compare("<", a, e.constant(0.5)), near, y)


def _series(e: Arithmetic, x: ir.Value) -> ir.Value:
    """erf(x) / x - 1, near 0."""
    return polynomial(e, e.mul(x, x), c.ERF_SHORT if e.short else c.ERF)


def _complement(e: Arithmetic, x: ir.Value, rest: ir.Value | None) -> ir.Value:
    """1 - erf(x + rest), near 0."""
    most, error = quick_sum(e, e.constant(1.0), e.neg(x))
    error = e.fma(e.neg(x), _series(e, x), error)
    if rest is not None:
        error = e.fma(rest, e.constant(-2 / math.sqrt(math.pi)), error)
    return e.add(most, error)


class Tail:
    """erfc(x + rest) for x between 0.5 and some 28, as y·2ᵏ."""

    def __init__(self, e: Arithmetic, x: ir.Value, rest: ir.Value | None = None) -> None:
        self.e = e
        square, error = two_product(e, x, x)
        if rest is not None:
            error = e.fma(e.add(x, x), rest, error)
        self.k, self.n, r, more = reduced(e, e.neg(square))
        r, more = quick_sum(e, r, e.sub(more, error))
        power, lost = quick_sum(e, e.constant(1.0), r)
        lost = e.add(e.fma(e.mul(r, r), series_of_exp(e, r), more), lost)
        ratio, last = self._ratio(x, rest)
        y, error = two_product(e, power, ratio)
        self.y = quick_sum(e, y, e.fma(power, last, e.fma(lost, ratio, error)))

    def value(self, factor: ir.Value | None = None) -> ir.Value:
        """The number, times a factor."""
        e, (y, rest) = self.e, self.y
        if factor is not None:
            y, error = two_product(e, factor, y)
            y = e.add(y, e.fma(factor, rest, error))
        return scaled(e, y, self.k, self.n)

    def _ratio(self, x: ir.Value, rest: ir.Value | None) -> Pair:
        """P(t) / (x + 3)."""
        e = self.e
        top, bottom = two_sum(e, x, e.constant(-3.0)), two_sum(e, x, e.constant(3.0))
        if rest is not None:
            top, bottom = (top[0], e.add(top[1], rest)), (bottom[0], e.add(bottom[1], rest))
        t = quotient(e, top, bottom)
        if e.short:
            return quotient(e, (polynomial(e, t[0], c.ERFC_SHORT), None), bottom)
        series: Pair = polynomial(e, t[0], c.ERFC[3:]), e.constant(0.0)
        for coefficient, lack in zip(c.ERFC[2::-1], c.ERFC_RESTS[::-1], strict=True):
            product, error = two_product(e, series[0], t[0])
            most, lost = two_sum(e, e.constant(coefficient), product)
            error = e.fma(series[1], t[0], e.fma(series[0], t[1], error))
            series = most, e.add(e.add(error, e.constant(lack)), lost)
        return quotient(e, series, bottom)
