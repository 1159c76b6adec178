"""pow, and logarithms to other bases.

pow is exp(b · log a), with twice as many digits on the way, since the result's error is that of b · log a itself. With
as many, log2 and log10 are whole numbers where they should be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.maths.exponential import HIGHEST, LOWEST, reduced, scaled, series_of_exp
from chainrule.compiler.lowering.maths.logarithm import SMALLEST, from_zero_on, log, split
from chainrule.compiler.lowering.maths.pieces import (
    Pair,
    at_least,
    at_most,
    in_double,
    polynomial,
    quick_sum,
    quotient,
    two_product,
)
from chainrule.core import coefficients as c


def pow(e: Arithmetic, a: ir.Value, b: ir.Value) -> ir.Value:
    """a to the power b; b that are known, and small, take a product or a root."""
    known = e.known(b)
    if known in _SIMPLE:
        return _SIMPLE[known](e, a)
    return e.call("pow", lambda e, xs: in_double(e, _pow, xs), [a, b])


def _root(e: Arithmetic, x: ir.Value) -> ir.Value:
    """√x, but as a power: that of -0 is 0, and that of -inf is inf."""
    y = e.abs(e.sqrt(x))
    return e.where(e.compare("==", x, e.constant(-math.inf)), e.constant(math.inf), y)


def _cube(e: Arithmetic, x: ir.Value) -> ir.Value:
    return e.mul(e.mul(x, x), x)


_SIMPLE: dict[float | None, Callable[[Arithmetic, ir.Value], ir.Value]] = {
    -1.0: lambda e, x: e.div(e.constant(1.0), x),
    0.0: lambda e, x: e.constant(1.0),
    0.5: _root,
    1.0: lambda e, x: x,
    2.0: lambda e, x: e.mul(x, x),
    3.0: _cube,
}


def _pow(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
    a, b = xs
    size, bound, one, zero, infinite = e.abs(a), 2.0**64, e.constant(1.0), e.constant(0.0), e.constant(math.inf)
    y = _exp(e, _product(e, at_least(e, at_most(e, b, bound), -bound), _log(e, size)))
    falls = e.compare("<", b, zero)
    y = e.where(e.compare("==", size, zero), e.where(falls, infinite, zero), y)
    y = e.where(e.compare("==", size, infinite), e.where(falls, zero, infinite), y)
    whole, even = _is_whole(e, b), _is_whole(e, e.mul(b, e.constant(0.5)))
    odd = e.builder.and_(whole, e.builder.not_(even))
    y = e.where(odd, e.copysign(y, a), y)
    below = e.builder.and_(e.compare("<", a, zero), e.compare("<", size, infinite))
    y = e.where(e.builder.and_(below, e.builder.not_(whole)), e.constant(math.nan), y)
    y = e.where(e.builder.fcmp_unordered("uno", a, b), e.constant(math.nan), y)
    certain = e.builder.or_(e.compare("==", b, zero), e.compare("==", a, one))
    return e.where(certain, one, y)


def _is_whole(e: Arithmetic, x: ir.Value) -> ir.Value:
    """Whether x is a whole number: all that are large are."""
    size, large = e.abs(x), e.constant(2.0**52)
    rounded = e.sub(e.add(size, large), large)
    return e.builder.or_(e.compare("==", rounded, size), e.compare(">=", size, large))


def _log(e: Arithmetic, x: ir.Value) -> Pair:
    """log x as a sum, for normal and denormal numbers above 0; see `logarithm.py` for how."""
    if e.short:
        return log(e, x), e.constant(0.0)
    tiny = e.compare("<", x, e.constant(SMALLEST[64]))
    parts = split(e, e.where(tiny, e.mul(x, e.constant(2.0**54)), x))
    k = e.sub(parts.k, e.where(tiny, e.constant(54.0), e.constant(0.0)))
    most, rest = _log_near_one(e, e.sub(parts.m, e.constant(1.0)))
    high, low = c.LN2
    total, error = quick_sum(e, e.mul(k, e.constant(high)), most)
    return quick_sum(e, total, e.add(error, e.fma(k, e.constant(low), rest)))


def _log_near_one(e: Arithmetic, f: ir.Value) -> Pair:
    """log(1 + f) = 2s + s³·(2/3 + 2/5 s² + …) with s = f / (2 + f), as a sum."""
    s = quotient(e, (f, None), quick_sum(e, e.constant(2.0), f))
    z = _times(e, s, s)
    later = e.mul(z[0], polynomial(e, z[0], c.LOG_LATER))
    first, lack = (e.constant(part) for part in c.TWO_THIRDS)
    series, error = quick_sum(e, first, later)
    cubic = _times(e, _times(e, s, z), (series, e.add(error, lack)))
    two = e.constant(2.0)
    most, error = quick_sum(e, e.mul(s[0], two), cubic[0])
    return most, e.add(error, e.fma(s[1], two, cubic[1]))


def _times(e: Arithmetic, a: Pair, b: Pair) -> Pair:
    """The product of two sums, as a sum."""
    product, error = two_product(e, a[0], b[0])
    return product, e.fma(a[0], b[1], e.fma(a[1], b[0], error))


def _product(e: Arithmetic, b: ir.Value, pair: Pair) -> Pair:
    """b · pair."""
    product, error = two_product(e, b, pair[0])
    return product, e.fma(b, pair[1], error)


def _exp(e: Arithmetic, pair: Pair) -> ir.Value:
    """exp of a sum."""
    x = at_least(e, at_most(e, pair[0], HIGHEST[64]), LOWEST[64])
    rest = e.where(e.compare("==", x, pair[0]), pair[1], e.constant(0.0))
    k, n, r, error = reduced(e, x)
    r, error = quick_sum(e, r, e.add(error, rest))
    more = e.fma(e.mul(r, r), series_of_exp(e, r), error)
    most, lost = quick_sum(e, e.constant(1.0), r)
    return scaled(e, e.add(most, e.add(lost, more)), k, n)


def log2(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The logarithm to base 2."""
    return _to_base(e, "log2", c.INV_LN2, x)


def log10(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The logarithm to base 10."""
    return _to_base(e, "log10", c.INV_LN10, x)


def _to_base(e: Arithmetic, name: str, inverse: Sequence[float], x: ir.Value) -> ir.Value:
    """log(x) · inverse."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        high, low = _times(e, _log(e, xs[0]), (e.constant(inverse[0]), e.constant(inverse[1])))
        return from_zero_on(e, xs[0], e.add(high, low))

    return e.call(name, lambda e, xs: in_double(e, body, xs), [x])
