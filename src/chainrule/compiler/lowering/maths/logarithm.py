"""log and log1p, by the series of log((1 + s) / (1 - s)) = 2s + 2/3 s³ + 2/5 s⁵ + …

With x = 2ᵏ·m and m between √½ and √2, log(x) = k·log 2 + log(1 + f) for f = m - 1, and s = f / (2 + f) gives 1 + f.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.maths.pieces import BIAS, MANTISSA, bits, number, polynomial, two_sum
from chainrule.core import coefficients as c

SMALLEST = {64: 2.0**-1022, 32: 2.0**-126}
"""The smallest normal number."""


@dataclass(frozen=True)
class Split:
    """A number x = 2ᵏ·m, with m between √½ and √2.

    Attributes:
        k: the exponent.
        biased: the exponent as an integer, and what a float's exponent is stored with on top.
        m: the rest.
    """

    k: ir.Value
    biased: ir.Value
    m: ir.Value


def split(e: Arithmetic, x: ir.Value) -> Split:
    """x = 2ᵏ·m, for normal numbers above 0."""
    root, places = _root(e), e.whole(MANTISSA[e.bits])
    offset = e.builder.add(bits(e, x), e.whole((BIAS[e.bits] << MANTISSA[e.bits]) - root))
    biased = e.builder.lshr(offset, places)
    digits = e.builder.and_(offset, e.whole((1 << MANTISSA[e.bits]) - 1))
    m = number(e, e.builder.add(digits, e.whole(root)))
    unit = 2.0 ** MANTISSA[e.bits]  # a small integer in the last bits of this number is added to it
    k = e.sub(number(e, e.builder.or_(biased, bits(e, e.constant(unit)))), e.constant(unit + BIAS[e.bits]))
    return Split(k, biased, m)


def _root(e: Arithmetic) -> int:
    """The bits of √½."""
    exact = math.sqrt(0.5).hex()
    digits = int(exact.split(".")[1].split("p")[0], 16) >> (52 - MANTISSA[e.bits])
    return ((BIAS[e.bits] - 1) << MANTISSA[e.bits]) + digits


def log(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The natural logarithm."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        x, zero, places = xs[0], e.constant(0.0), float(MANTISSA[e.bits] + 2)
        tiny = e.compare("<", x, e.constant(SMALLEST[e.bits]))
        parts = split(e, e.where(tiny, e.mul(x, e.constant(2.0**places)), x))
        k = e.sub(parts.k, e.where(tiny, e.constant(places), zero))
        return from_zero_on(e, x, _log_of(e, k, e.sub(parts.m, e.constant(1.0)), None))

    return e.call("log", body, [x])


def from_zero_on(e: Arithmetic, x: ir.Value, y: ir.Value) -> ir.Value:
    """The y of a logarithm of x, but for x that are no finite numbers above 0."""
    zero = e.constant(0.0)
    y = e.where(e.compare("<", x, e.constant(math.inf)), y, x)
    below = e.where(e.compare("==", x, zero), e.constant(-math.inf), e.constant(math.nan))
    return e.where(e.compare("<=", x, zero), below, y)


def log1p(e: Arithmetic, x: ir.Value) -> ir.Value:
    """log(1 + x), exact near 0."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        x, one, places = xs[0], e.constant(1.0), MANTISSA[e.bits]
        u, error = two_sum(e, one, x)
        parts = split(e, u)
        power = e.builder.shl(e.builder.sub(e.whole(2 * BIAS[e.bits]), parts.biased), e.whole(places))
        error = e.where(e.compare("<", x, e.constant(2.0**60)), e.mul(error, number(e, power)), e.constant(0.0))
        y = e.copysign(_log_of(e, parts.k, e.sub(parts.m, one), error), x)
        y = e.where(e.compare("<", x, e.constant(math.inf)), y, x)
        below = e.where(e.compare("==", x, e.constant(-1.0)), e.constant(-math.inf), e.constant(math.nan))
        return e.where(e.compare("<=", x, e.constant(-1.0)), below, y)

    return e.call("log1p", body, [x])


def _log_of(e: Arithmetic, k: ir.Value, f: ir.Value, error: ir.Value | None) -> ir.Value:
    """log(2ᵏ·(1 + f)); if an error of f is given, which is tiny, then of f + error.

    Since 2s = f - s·f, the logarithm of 1 + f is f - (f²/2 - s·(f²/2 + R)) with R = s²·(2/3 + 2/5 s² + …), whose
    first term is exact.
    """
    high, low = c.LN2 if e.bits == 64 else c.LN2_SHORT
    s = e.div(f, e.add(e.constant(2.0), f))
    z = e.mul(s, s)
    series = e.mul(z, polynomial(e, z, c.LOG if e.bits == 64 else c.LOG_SHORT))
    half = e.mul(e.mul(f, e.constant(0.5)), f)
    last = e.mul(k, e.constant(low))
    if error is not None:  # log(1 + f) has the slope 1 / (1 + f) = (1 - s) / (1 + s), about 1 - 2s + 2s²
        slope = e.fma(e.fma(s, e.constant(2.0), e.constant(-2.0)), s, e.constant(1.0))
        last = e.fma(error, slope, last)
    inner = e.sub(half, e.fma(s, e.add(half, series), last))
    return e.fma(k, e.constant(high), e.sub(f, inner))
