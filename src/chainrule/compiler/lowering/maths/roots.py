"""sqrt, cbrt, hypot and norm."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.maths.exponential import exp
from chainrule.compiler.lowering.maths.logarithm import log
from chainrule.compiler.lowering.maths.pieces import in_double, two_product


def sqrt(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The square root; nan for a negative number."""
    return e.sqrt(x)


def cbrt(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The cube root: exp(log(x) / 3), and then a step of Newton's method, whose y³ - x has twice the digits."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        x, one, zero = xs[0], e.constant(1.0), e.constant(0.0)
        size = e.abs(x)
        huge, tiny = e.compare(">", size, e.constant(2.0**900)), e.compare("<", size, e.constant(2.0**-900))
        a = e.mul(size, e.where(huge, e.constant(2.0**-600), e.where(tiny, e.constant(2.0**600), one)))
        y = exp(e, e.mul(log(e, a), e.constant(1 / 3)))
        square, error = two_product(e, y, y)
        cube, lost = two_product(e, square, y)
        rest = e.add(e.sub(cube, a), e.fma(error, y, lost))
        y = e.sub(y, e.div(rest, e.mul(e.constant(3.0), square)))
        y = e.mul(y, e.where(huge, e.constant(2.0**200), e.where(tiny, e.constant(2.0**-200), one)))
        itself = e.builder.or_(e.compare("==", size, zero), e.compare("==", size, e.constant(math.inf)))
        return e.where(itself, x, e.copysign(y, x))

    return e.call("cbrt", lambda e, xs: in_double(e, body, xs), [x])


def hypot(e: Arithmetic, a: ir.Value, b: ir.Value) -> ir.Value:
    """√(a² + b²); what is very large or small is scaled first, so that no square is lost."""
    return norm(e, a, b)


def norm(e: Arithmetic, *xs: ir.Value) -> ir.Value:
    """√(x₁² + x₂² + …), scaled like that too; infinite if a number is, whatever the others are."""
    if len(xs) < 2:
        return e.abs(xs[0]) if xs else e.constant(0.0)
    return e.call(f"norm{len(xs)}", lambda e, xs: in_double(e, _norm, xs), xs)


def _norm(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
    sizes, one, infinite = [e.abs(x) for x in xs], e.constant(1.0), e.constant(math.inf)
    size = sizes[0]
    for x in sizes[1:]:
        size = e.where(e.compare(">", size, x), size, x)
    huge, tiny = e.compare(">", size, e.constant(2.0**500)), e.compare("<", size, e.constant(2.0**-500))
    down = e.where(huge, e.constant(2.0**-600), e.where(tiny, e.constant(2.0**600), one))
    up = e.where(huge, e.constant(2.0**600), e.where(tiny, e.constant(2.0**-600), one))
    scaled = [e.mul(x, down) for x in sizes]
    squares = e.mul(scaled[-1], scaled[-1])
    for x in scaled[-2::-1]:
        squares = e.fma(x, x, squares)
    y = e.mul(e.sqrt(squares), up)
    endless = e.compare("==", sizes[0], infinite)
    for x in sizes[1:]:
        endless = e.builder.or_(endless, e.compare("==", x, infinite))
    return e.where(endless, infinite, y)
