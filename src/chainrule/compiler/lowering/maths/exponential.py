"""exp, exp2, and what is made with them: expm1, sigmoid, tanh.

All take out a whole power of two: with x = n·log 2 + r and |r| ≤ log 2 / 2, exp(x) = 2ⁿ·exp(r), and exp(r) is a
polynomial. A CPU with vectors of 512 bits also looks 2^(i/16) up in a register, which leaves an r a sixteenth as large.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.maths.pieces import (
    at_least,
    at_most,
    bits,
    in_double,
    in_pieces,
    one_by_one,
    polynomial,
    power_of_two,
    quick_sum,
    quotient,
    rounder,
    scale,
    two_sum,
)
from chainrule.core import coefficients as c

LOWEST = {64: -746.0, 32: -104.0}
"""Below this x, exp is 0."""

HIGHEST = {64: 710.0, 32: 89.0}
"""Above this x, exp is inf."""


def exp(e: Arithmetic, x: ir.Value) -> ir.Value:
    """e to the x."""
    return e.call("exp", lambda e, xs: _exp(e, at_most(e, xs[0], HIGHEST[e.bits])), [x], inline=True)


def _exp(e: Arithmetic, x: ir.Value) -> ir.Value:
    """e to the x, for x up to where it becomes inf."""
    x = at_least(e, x, LOWEST[e.bits])
    if e.machine.bits == 512 and e.bits == 64:
        return _by_table(e, x)
    k, n, r, _ = reduced(e, x)
    y = polynomial(e, r, [1.0, 1.0, *(c.EXP if e.bits == 64 else c.EXP_SHORT)])
    return scaled(e, y, k, n)


def exp2(e: Arithmetic, x: ir.Value) -> ir.Value:
    """2 to the x."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        x, large = at_least(e, at_most(e, xs[0], 1025.0), -1080.0), e.constant(rounder(e))
        shifted = e.add(x, large)
        k = e.sub(shifted, large)
        rest = e.sub(x, k)
        high, low = c.LN2
        r = e.fma(rest, e.constant(high), e.mul(rest, e.constant(low)))
        return scaled(e, polynomial(e, r, [1.0, 1.0, *(c.EXP_SHORT if e.short else c.EXP)]), k, bits(e, shifted))

    return e.call("exp2", lambda e, xs: in_double(e, body, xs), [x])


def reduced(e: Arithmetic, x: ir.Value, places: int = 0) -> tuple[ir.Value, ir.Value, ir.Value, ir.Value]:
    """The k and r of x = k·log 2 + r, where k has so many binary digits behind the point.

    Returns:
        k as a number; k in the last bits of an integer; r, and its rounding error.
    """
    large = e.constant(rounder(e, places))
    shifted = e.fma(x, e.constant(1 / math.log(2)), large)
    k = e.sub(shifted, large)
    high, low = c.LN2 if e.bits == 64 else c.LN2_SHORT
    most = e.fma(k, e.constant(-high), x)
    r = e.fma(k, e.constant(-low), most)
    return k, bits(e, shifted), r, e.fma(k, e.constant(-low), e.sub(most, r))


def scaled(e: Arithmetic, y: ir.Value, k: ir.Value, n: ir.Value) -> ir.Value:
    """y·2ᵏ, rounded down to a whole k; its integer is in the last bits of n."""
    if e.machine.bits < 512:
        return scale(e, y, n)
    ending, count = ("d", 8) if e.bits == 64 else ("s", 16)
    mask, rounding = ir.Constant(ir.IntType(16 if count == 16 else 8), -1), ir.Constant(ir.IntType(32), 4)

    def one(e: Arithmetic, y: ir.Value, k: ir.Value) -> ir.Value:
        name = f"llvm.x86.avx512.mask.scalef.s{ending}"
        return e.declared(name, e.type, y, k, y, ir.Constant(ir.IntType(8), -1), rounding)

    if e.lanes == 1:
        return one_by_one(e, one, y, k)
    name = f"llvm.x86.avx512.mask.scalef.p{ending}.512"
    return in_pieces(e, count, lambda e, y, k: e.declared(name, e.type, y, k, y, mask, rounding), y, k)


def _by_table(e: Arithmetic, x: ir.Value) -> ir.Value:
    """exp with a table of 2^(i/16), which two vectors of 8 doubles hold."""
    k, n, r, _ = reduced(e, x, places=4)
    power, error = _table_entry(e, "powers", c.SIXTEENTHS, n), _table_entry(e, "errors", c.SIXTEENTHS_ERRORS, n)
    rest = e.fma(polynomial(e, r, [1.0, *c.EXP_NEAR]), r, error)
    return scaled(e, e.fma(power, rest, power), k, n)


def _table_entry(e: Arithmetic, name: str, row: Sequence[float], n: ir.Value) -> ir.Value:
    """The entry of a table of 16 numbers at the place in the last four bits of n."""
    if e.lanes == 1:
        place = e.builder.and_(n, e.whole(15))
        table = e.table(name, row)
        return e.builder.load(e.builder.gep(table, [place], source_etype=e.type), typ=e.type)
    first, second = (ir.Constant(ir.VectorType(e.element, 8), list(half)) for half in (row[:8], row[8:]))

    def looked_up(e: Arithmetic, n: ir.Value) -> ir.Value:
        return e.declared("llvm.x86.avx512.vpermi2var.pd.512", e.type, first, n, second)

    return in_pieces(e, 8, looked_up, n)


# ---- expm1 and what saturates --------------------------------------------------------------------------------------


def expm1(e: Arithmetic, x: ir.Value) -> ir.Value:
    """exp(x) - 1, exact near 0."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        low, high = (-40.0, 710.0) if e.bits == 64 else (-20.0, 89.0)
        k, n, r, error = reduced(e, at_least(e, at_most(e, xs[0], high), low))
        rest, more = quick_sum(e, r, e.mul(e.mul(r, r), series_of_exp(e, r)))
        half = power_of_two(e, e.builder.sub(n, e.whole(1)))  # 2ⁿ itself would overflow before the result does
        y, lost = two_sum(e, e.mul(half, rest), e.sub(half, e.constant(0.5)))
        y = e.add(y, e.fma(half, e.add(more, error), lost))
        y = e.where(e.compare("==", k, e.constant(0.0)), rest, e.add(y, y))
        return e.copysign(y, xs[0])

    return e.call("expm1", body, [x])


def series_of_exp(e: Arithmetic, r: ir.Value) -> ir.Value:
    """(exp r - 1 - r) / r²."""
    return polynomial(e, r, c.EXP_SHORT if e.short or e.bits == 32 else c.EXPM1)


def sigmoid(e: Arithmetic, x: ir.Value) -> ir.Value:
    """1 / (1 + exp(-x))."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        one, power = e.constant(1.0), _exp(e, e.neg(e.abs(xs[0])))
        above = e.where(e.compare(">=", xs[0], e.constant(0.0)), one, power)
        y, error = quotient(e, (above, None), quick_sum(e, one, power))
        return e.add(y, error)

    return e.call("sigmoid", body, [x], inline=True)


def tanh(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The hyperbolic tangent, as -t / (2 + t) with t = exp(-2|x|) - 1."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        small = at_least(e, e.mul(e.abs(xs[0]), e.constant(-2.0)), -44.0 if e.bits == 64 else -20.0)
        _, n, r, _ = reduced(e, small)
        rest = e.fma(e.mul(r, r), series_of_exp(e, r), r)
        power = power_of_two(e, n)
        below = e.sub(power, e.constant(1.0))
        t = e.fma(power, rest, below)
        lost = e.fma(power, rest, e.sub(below, t))
        bottom, error = quick_sum(e, e.constant(2.0), t)
        y, error = quotient(e, (t, lost), (bottom, e.add(error, lost)))
        return e.copysign(e.add(y, error), xs[0])

    return e.call("tanh", body, [x], inline=True)
