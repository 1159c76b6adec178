"""sin, cos and tan: by the nearest multiple n of π/2, and polynomials for the rest r, which is at most π/4.

The rest must be known to its last digit even where x is all but a multiple of π/2. So π/2 is a sum of three or four
numbers, and r is one of two. That will do up to some limit; a vector with a number beyond it calls the C library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.maths.pieces import (
    Pair,
    bits,
    in_double,
    number,
    polynomial,
    quick_sum,
    quotient,
    rarely,
    rounder,
    two_product,
    two_sum,
)
from chainrule.core import coefficients as c

LIMIT = 2.0**20


def sin(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The sine of x in radians."""
    return _near_zero(e, "sin", x, lambda e, x: _sine(e, x, 0))


def cos(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The cosine of x in radians."""
    return _near_zero(e, "cos", x, lambda e, x: _sine(e, x, 1))


def tan(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The tangent of x in radians."""

    def near(e: Arithmetic, x: ir.Value) -> ir.Value:
        n, r, rest = _reduced(e, x)
        sine, cosine = quick_sum(e, *_sine_pair(e, r, rest)), quick_sum(e, *_cosine_pair(e, r, rest))
        odd = _bit(e, n, 1)
        top, bottom = [(e.where(odd, a, b), e.where(odd, p, q)) for (a, p), (b, q) in [(cosine, sine), (sine, cosine)]]
        y, error = quotient(e, top, bottom)
        y = e.add(y, error)
        return e.where(odd, e.neg(y), y)

    return _near_zero(e, "tan", x, near)


def _near_zero(e: Arithmetic, name: str, x: ir.Value, near: Callable[[Arithmetic, ir.Value], ir.Value]) -> ir.Value:
    """A function that holds up to the limit, and the C library's beyond; floats of 32 bits are done with 64."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        x = xs[0]
        far = e.compare(">", e.abs(x), e.constant(LIMIT))
        y = in_double(e, lambda e, xs: near(e, xs[0]), xs)
        if name != "cos":
            y = e.where(e.compare("==", x, e.constant(0.0)), x, y)
        return rarely(e, far, y, lambda: e.libm(name, x))

    return e.call(name, body, [x])


def _reduced(e: Arithmetic, x: ir.Value) -> tuple[ir.Value, ir.Value, ir.Value]:
    """The n and r of x = n·π/2 + r: n in the last bits of an integer, and r as a sum."""
    large = e.constant(rounder(e))
    shifted = e.fma(x, e.constant(2 / math.pi), large)
    n, k = bits(e, shifted), e.neg(e.sub(shifted, large))
    if e.short:
        first, second, third, last = c.HALF_PI_SHORT
        r = e.fma(k, e.constant(first), x)
        return n, e.fma(k, e.constant(second + third), r), e.constant(0.0)
    if e.machine.fma:
        first, second, third = c.HALF_PI
        most = e.fma(k, e.constant(first), x)
        product, lost = two_product(e, k, e.constant(second))
        r, error = quick_sum(e, most, product)
        error = e.add(error, lost)
        return n, r, e.fma(k, e.constant(third), error)
    first, second, third, last = c.HALF_PI_SHORT
    r = e.add(x, e.mul(k, e.constant(first)))
    r, error = two_sum(e, r, e.mul(k, e.constant(second)))
    r, more = two_sum(e, r, e.mul(k, e.constant(third)))
    rest = e.add(e.add(error, more), e.mul(k, e.constant(last)))
    return n, *quick_sum(e, r, rest)


def _sine(e: Arithmetic, x: ir.Value, quarters: int) -> ir.Value:
    """sin(x + quarters · π/2)."""
    n, r, rest = _reduced(e, x)
    n = e.builder.add(n, e.whole(quarters)) if quarters else n
    sine, cosine = _sine_pair(e, r, rest), _cosine_pair(e, r, rest)
    y = e.where(_bit(e, n, 1), e.add(*cosine), e.add(*sine))
    sign = e.builder.shl(e.builder.and_(n, e.whole(2)), e.whole(e.bits - 2))
    return number(e, e.builder.xor(bits(e, y), sign))


def _bit(e: Arithmetic, n: ir.Value, bit: int) -> ir.Value:
    """Whether a bit of n is set."""
    return e.builder.icmp_signed("!=", e.builder.and_(n, e.whole(bit)), e.whole(0))


def _sine_pair(e: Arithmetic, r: ir.Value, rest: ir.Value) -> Pair:
    """sin(r + rest) as r and r³·S(r²) + rest·cos(r); of the last cosine two digits are enough."""
    z = e.mul(r, r)
    series = polynomial(e, z, c.SIN_SHORT if e.short else c.SIN)
    if e.short:
        return r, e.mul(e.mul(r, z), series)
    slope = e.fma(z, e.constant(-0.5), e.constant(1.0))
    return r, e.fma(e.mul(r, z), series, e.mul(rest, slope))


def _cosine_pair(e: Arithmetic, r: ir.Value, rest: ir.Value) -> Pair:
    """cos(r + rest) as 1 - r²/2 and r⁴·C(r²) - rest·r."""
    z = e.mul(r, r)
    half = e.mul(z, e.constant(0.5))
    most, error = quick_sum(e, e.constant(1.0), e.neg(half))
    series = polynomial(e, z, c.COS_SHORT if e.short else c.COS)
    more = e.fma(e.mul(z, z), series, error)
    return most, more if e.short else e.fma(e.neg(rest), r, more)
