"""Activation functions, which neurons apply to their weighted sums."""

from __future__ import annotations

import math

from chainrule.core.operation import operation
from chainrule.ops.arithmetic import chain
from chainrule.ops.comparisons import abs, gt, max, select
from chainrule.ops.exponentials import exp, log1p
from chainrule.ops.special import erfc

_SQRT_HALF = math.sqrt(0.5)
_INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)


@operation(local=lambda x, y: 1.0 - y * y, samples=[(-2.0,), (0.0,), (0.8814,), (3.0,)])
def tanh(x: float) -> float:
    """The hyperbolic tangent, from -1 to 1; its derivative is off by 2⁻⁵¹ at most, and 0 where |x| is above 19.1."""
    return math.tanh(x)


@operation(local=lambda x, y: y * sigmoid(-x), symbol="σ", samples=[(-2.0,), (0.0,), (3.0,)])
def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), written so that neither tail overflows; 1 - σ(x) is σ(-x), which does not cancel."""
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    return math.exp(x) / (1.0 + math.exp(x))


@operation(local=lambda x, y: sigmoid(x), samples=[(-2.0,), (0.0,), (3.0,)])
def softplus(x: float) -> float:
    """log(1 + exp(x)), the smooth relu, written so that neither tail overflows."""
    return max(x, 0.0) + log1p(exp(-abs(x)))


@operation(local=lambda x, y: gt(x, 0.0), symbol="ReLU", samples=[(-2.0,), (0.5,), (3.0,)])
def relu(x: float) -> float:
    """x where it is positive, else 0; the slope at 0 is 0.

    >>> relu(-2.0), relu(3.0)
    (0.0, 3.0)
    """
    return 0.0 if x <= 0 else x


@operation(
    local=[lambda x, slope, y: select(gt(x, 0.0), 1.0, slope), lambda x, slope, y: select(gt(x, 0.0), 0.0, x)],
    samples=[(-2.0, 0.01), (0.5, 0.01), (-3.0, 0.2)],
)
def leaky_relu(x: float, slope: float = 0.01) -> float:
    """x where it is positive, else slope · x; at 0 the slope is that of the left side."""
    return x if x > 0 else slope * x


@operation(
    local=lambda x, y: 0.5 * erfc(-x * _SQRT_HALF) + chain(_INV_SQRT_2PI * exp(-0.5 * x * x), x),
    samples=[(-2.0,), (0.0,), (0.5,), (3.0,)],
)
def gelu(x: float) -> float:
    """x · Φ(x) with Φ the normal distribution function (Hendrycks and Gimpel 2016, the exact form)."""
    return chain(0.5 * erfc(-x * _SQRT_HALF), x)
