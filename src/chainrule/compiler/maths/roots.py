"""sqrt and hypot."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llvmlite import ir

from chainrule.compiler.emitter import Arithmetic
from chainrule.compiler.maths.pieces import in_double


def sqrt(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The square root; nan for a negative number."""
    return e.sqrt(x)


def hypot(e: Arithmetic, a: ir.Value, b: ir.Value) -> ir.Value:
    """√(a² + b²); what is very large or small is scaled first, so that no square is lost."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        a, b, one = e.abs(xs[0]), e.abs(xs[1]), e.constant(1.0)
        size = e.where(e.compare(">", a, b), a, b)
        huge, tiny = e.compare(">", size, e.constant(2.0**500)), e.compare("<", size, e.constant(2.0**-500))
        down = e.where(huge, e.constant(2.0**-600), e.where(tiny, e.constant(2.0**600), one))
        up = e.where(huge, e.constant(2.0**600), e.where(tiny, e.constant(2.0**-600), one))
        first, second = e.mul(a, down), e.mul(b, down)
        y = e.mul(e.sqrt(e.fma(first, first, e.mul(second, second))), up)
        infinite = e.constant(math.inf)
        endless = e.builder.or_(e.compare("==", a, infinite), e.compare("==", b, infinite))
        return e.where(endless, infinite, y)

    return e.call("hypot", lambda e, xs: in_double(e, body, xs), [a, b])
