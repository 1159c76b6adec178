"""Sums, products and quotients, the chain rule's own product, and the two operations that return a number unchanged."""

from __future__ import annotations

import math
from math import inf, nan

from chainrule.core.operation import operation


@operation(local=[lambda a, b, y: 1.0, lambda a, b, y: 1.0], symbol="+", samples=[(2.0, -3.0), (0.5, 0.25)])
def add(a: float, b: float) -> float:
    """a + b. Either operand passes the upstream gradient on unchanged."""
    return a + b


@operation(local=[lambda a, b, y: 1.0, lambda a, b, y: -1.0], symbol="-", samples=[(2.0, -3.0), (0.5, 0.25)])
def sub(a: float, b: float) -> float:
    """a - b."""
    return a - b


@operation(local=[lambda a, b, y: b, lambda a, b, y: a], symbol="*", samples=[(2.0, -3.0), (0.5, 0.25)])
def mul(a: float, b: float) -> float:
    """a · b. Each operand's local derivative is the other operand."""
    return a * b


@operation(
    local=[lambda a, b, y: div(1.0, b), lambda a, b, y: div(-y, b)],
    symbol="/",
    samples=[(2.0, -3.0), (0.5, 0.25), (-1e3, 7.0)],
)
def div(a: float, b: float) -> float:
    """a / b, where a / 0 is ±inf and 0 / 0 is nan."""
    try:
        return a / b
    except ZeroDivisionError:
        return nan if a == 0 or math.isnan(a) else math.copysign(inf, a) * math.copysign(1.0, b)


@operation(local=lambda x, y: -1.0, symbol="-", samples=[(2.0,), (-0.5,)])
def neg(x: float) -> float:
    """-x."""
    return -x


@operation(local=lambda x, y: 1.0, symbol="=", samples=[(2.0,), (-0.5,)])
def identity(x: float) -> float:
    """x itself, as a node of its own."""
    return x


@operation(local=None, symbol="⊥", samples=[(2.0,), (-0.5,)])
def stop_gradient(x: float) -> float:
    """x itself, but a constant to derivatives: none flows through it."""
    return x


@operation(local=[lambda a, b, y: b, lambda a, b, y: a], symbol="·", samples=[(2.0, -3.0), (0.5, 0.25)])
def chain(upstream: float, local: float) -> float:
    """The chain rule's own product, upstream · local; a zero on either side deposits nothing: 0 · inf is 0."""
    return upstream * local if upstream != 0 and local != 0 else 0.0
