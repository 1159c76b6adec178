"""atan, atan2, asin and acos.

An angle beyond π/8 is taken from π/4 or π/2, and the rest is a polynomial of its tangent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.maths.pieces import (
    Pair,
    at_most,
    bits,
    in_double,
    number,
    polynomial,
    quick_sum,
    quotient,
)
from chainrule.core import coefficients as c

BEND = math.tan(math.pi / 8)


def atan(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The angle in radians whose tangent is x."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        one, zero = e.constant(1.0), e.constant(0.0)
        a = at_most(e, e.abs(xs[0]), 2.0**100)
        low, high = e.compare(">", a, e.constant(BEND)), e.compare(">", a, e.constant(1 / BEND))
        (above, lost), (below, error) = quick_sum(e, e.neg(one), a), quick_sum(e, one, a)
        middle = (
            (e.where(low, above, a), e.where(low, lost, zero)),
            (e.where(low, below, one), e.where(low, error, zero)),
        )
        top = e.where(high, e.neg(one), middle[0][0]), e.where(high, zero, middle[0][1])
        bottom = e.where(high, a, middle[1][0]), e.where(high, zero, middle[1][1])
        base = e.where(high, e.constant(2.0), e.number(low))
        return e.copysign(_angle(e, base, quotient(e, top, bottom)), xs[0])

    return e.call("atan", lambda e, xs: in_double(e, body, xs), [x])


def _angle(e: Arithmetic, quarters: ir.Value, tangent: Pair) -> ir.Value:
    """quarters · π/4 + atan(tangent), where the tangent is a sum."""
    t, rest = tangent
    z = e.mul(t, t)
    series = polynomial(e, z, c.ATAN_SHORT if e.short else c.ATAN)
    high, low = (e.mul(quarters, e.constant(part)) for part in c.QUARTER_PI)
    most, error = quick_sum(e, high, t)
    return e.add(most, e.fma(e.mul(t, z), series, e.add(e.add(error, rest), low)))


def atan2(e: Arithmetic, a: ir.Value, b: ir.Value) -> ir.Value:
    """The angle in radians of the point with ordinate a and abscissa b."""
    return e.call("atan2", lambda e, xs: in_double(e, _atan2, xs), [a, b])


def _atan2(e: Arithmetic, point: Sequence[ir.Value]) -> ir.Value:
    zero, one = e.constant(0.0), e.constant(1.0)
    y, x = e.abs(point[0]), e.abs(point[1])
    steep = e.compare(">", y, x)
    small, large = _finite(e, e.where(steep, x, y), e.where(steep, y, x))
    bent = e.compare(">", small, e.mul(large, e.constant(BEND)))
    (difference, lost), (total, error) = quick_sum(e, e.neg(large), small), quick_sum(e, large, small)
    top = e.where(bent, difference, small), e.where(bent, lost, zero)
    bottom = e.where(bent, total, large), e.where(bent, error, zero)
    t, rest = quotient(e, top, bottom)
    left = e.builder.icmp_signed("<", bits(e, point[1]), e.whole(0))
    turned = e.builder.xor(steep, left)  # the angle is then taken from π/2 or π
    start = e.where(steep, e.constant(2.0), e.where(left, e.constant(4.0), zero))
    quarter = e.where(bent, one, zero)
    quarters = e.where(turned, e.sub(start, quarter), e.add(start, quarter))
    flip = e.where(turned, e.whole(1 << (e.bits - 1)), e.whole(0))
    tangent = [number(e, e.builder.xor(bits(e, part), flip)) for part in (t, rest)]
    return e.copysign(_angle(e, quarters, (tangent[0], tangent[1])), point[0])


def _finite(e: Arithmetic, small: ir.Value, large: ir.Value) -> Pair:
    """Two numbers of the same ratio, such that the larger is neither 0 nor inf, nor near to what float can hold."""
    infinite = e.constant(math.inf)
    equal = e.where(e.compare("==", small, infinite), e.constant(1.0), e.mul(small, e.constant(0.0)))
    without_end = e.compare("==", large, infinite)
    small, large = e.where(without_end, equal, small), e.where(without_end, e.constant(1.0), large)
    factor = e.where(e.compare(">", large, e.constant(2.0**960)), e.constant(2.0**-60), e.constant(1.0))
    factor = e.where(e.compare("<", large, e.constant(2.0**-960)), e.constant(2.0**100), factor)
    small, large = e.mul(small, factor), e.mul(large, factor)
    return small, e.where(e.compare("==", large, e.constant(0.0)), e.constant(1.0), large)


def asin(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The angle of the point with ordinate x on the right half of the unit circle."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        return atan2(e, xs[0], _other_side(e, xs[0]))

    return e.call("asin", lambda e, xs: in_double(e, body, xs), [x])


def acos(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The angle of the point with abscissa x on the upper half of the unit circle."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        return atan2(e, _other_side(e, xs[0]), xs[0])

    return e.call("acos", lambda e, xs: in_double(e, body, xs), [x])


def _other_side(e: Arithmetic, x: ir.Value) -> ir.Value:
    """√(1 - x²), exact near ±1 too."""
    one = e.constant(1.0)
    return e.sqrt(e.mul(e.sub(one, x), e.add(one, x)))
