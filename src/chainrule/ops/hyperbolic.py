"""Hyperbolic functions and their inverses; `tanh` is among the activations."""

from __future__ import annotations

import math
from math import inf

from chainrule.core.operation import ieee, operation
from chainrule.ops.arithmetic import div
from chainrule.ops.exponentials import hypot, sqrt


@operation(local=lambda x, y: cosh(x), samples=[(-2.0,), (0.0,), (1.5,)])
def sinh(x: float) -> float:
    """The hyperbolic sine, (exp(x) - exp(-x)) / 2, exact near 0; ±inf from about ±710.5 on.

    >>> sinh(0.0), sinh(-1000.0)
    (0.0, -inf)
    """
    return math.copysign(ieee(math.sinh, math.fabs(x)), x)


@operation(local=lambda x, y: sinh(x), samples=[(-2.0,), (0.0,), (1.5,)])
def cosh(x: float) -> float:
    """The hyperbolic cosine, (exp(x) + exp(-x)) / 2; inf from about ±710.5 on."""
    return ieee(math.cosh, x)


@operation(local=lambda x, y: div(1.0, hypot(1.0, x)), samples=[(-2.0,), (0.0,), (30.0,)])
def asinh(x: float) -> float:
    """The number whose hyperbolic sine is x: log(x + √(x² + 1)), exact near 0 and without overflow."""
    return math.asinh(x)


@operation(local=lambda x, y: div(1.0, sqrt(x - 1.0) * sqrt(x + 1.0)), samples=[(1.5,), (2.0,), (30.0,)])
def acosh(x: float) -> float:
    """The number from 0 on whose hyperbolic cosine is x; nan below 1, where the slope is inf."""
    return ieee(math.acosh, x)


@operation(local=lambda x, y: div(1.0, (1.0 - x) * (1.0 + x)), samples=[(-0.9,), (0.0,), (0.5,)])
def atanh(x: float) -> float:
    """The number whose hyperbolic tangent is x: ±inf at ±1, nan beyond.

    >>> atanh(0.0), atanh(1.0), atanh(2.0)
    (0.0, inf, nan)
    """
    return math.copysign(inf, x) if math.fabs(x) == 1.0 else ieee(math.atanh, x)
