"""Trigonometric functions and their inverses, in radians."""

from __future__ import annotations

import math

from chainrule.core.operation import ieee, operation
from chainrule.ops.arithmetic import div
from chainrule.ops.exponentials import hypot, sqrt


@operation(local=lambda x, y: cos(x), samples=[(-2.0,), (0.0,), (1.5,)])
def sin(x: float) -> float:
    """The sine of x in radians."""
    return ieee(math.sin, x)


@operation(local=lambda x, y: -sin(x), samples=[(-2.0,), (0.0,), (1.5,)])
def cos(x: float) -> float:
    """The cosine of x in radians."""
    return ieee(math.cos, x)


@operation(local=lambda x, y: 1.0 + y * y, samples=[(-1.0,), (0.0,), (1.2,)])
def tan(x: float) -> float:
    """The tangent of x in radians."""
    return ieee(math.tan, x)


@operation(local=lambda x, y: div(1.0, sqrt((1.0 - x) * (1.0 + x))), samples=[(-0.9,), (0.0,), (0.5,)])
def asin(x: float) -> float:
    """The angle in radians, from -π/2 to π/2, whose sine is x; nan beyond ±1, where the slope is inf."""
    return ieee(math.asin, x)


@operation(local=lambda x, y: div(-1.0, sqrt((1.0 - x) * (1.0 + x))), samples=[(-0.9,), (0.0,), (0.5,)])
def acos(x: float) -> float:
    """The angle in radians, from 0 to π, whose cosine is x; nan beyond ±1, where the slope is -inf."""
    return ieee(math.acos, x)


@operation(local=lambda x, y: div(1.0, 1.0 + x * x), samples=[(-2.0,), (0.0,), (30.0,)])
def atan(x: float) -> float:
    """The angle in radians whose tangent is x."""
    return math.atan(x)


@operation(
    local=[
        lambda a, b, y: div(div(b, hypot(a, b)), hypot(a, b)),
        lambda a, b, y: div(div(-a, hypot(a, b)), hypot(a, b)),
    ],
    samples=[(1.0, 2.0), (-3.0, 0.5), (0.2, -4.0)],
)
def atan2(a: float, b: float) -> float:
    """The angle in radians of the point with ordinate a and abscissa b, in -π … π."""
    return math.atan2(a, b)
