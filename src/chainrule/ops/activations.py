"""Activation functions, which neurons apply to their weighted sums."""

from __future__ import annotations

import math

from chainrule.core.operation import operation
from chainrule.ops.arithmetic import chain
from chainrule.ops.comparisons import abs, gt, max, select
from chainrule.ops.exponentials import exp, expm1, log1p
from chainrule.ops.special import erfc

_SQRT_HALF = math.sqrt(0.5)
_INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)
_SELU_SCALE = 1.0507009873554805
_SELU_LEFT = 1.7580993408473766


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


@operation(local=lambda x, y: sigmoid(x) + chain(y, sigmoid(-x)), samples=[(-2.0,), (0.0,), (0.5,), (3.0,)])
def silu(x: float) -> float:
    """x · sigmoid(x), also called swish (Elfwing, Uchibe and Doya 2017); exact in its left tail to the last digits.

    >>> silu(0.0), silu(-math.inf), silu(1000.0)
    (0.0, 0.0, 1000.0)
    """
    half = math.exp(-0.5 * math.fabs(x))  # its square alone might be too small for a float where the product is not
    return (chain(half, chain(half, x)) if x < 0 else x) / (1.0 + half * half)


@operation(
    local=[
        lambda x, alpha, y: select(gt(x, 0.0), 1.0, alpha * exp(x)),
        lambda x, alpha, y: select(gt(x, 0.0), 0.0, expm1(x)),
    ],
    symbol="ELU",
    samples=[(-2.0, 1.0), (0.5, 1.0), (-3.0, 0.2)],
)
def elu(x: float, alpha: float = 1.0) -> float:
    """x where it is positive, else alpha · (exp(x) - 1) (Clevert et al. 2015); at 0 the slope of the left side."""
    return x if x > 0 else alpha * expm1(x)


@operation(
    local=lambda x, y: select(gt(x, 0.0), _SELU_SCALE, _SELU_LEFT * exp(x)),
    symbol="SELU",
    samples=[(-2.0,), (0.5,), (3.0,)],
)
def selu(x: float) -> float:
    """1.0507 · elu(x, 1.6733): keeps mean 0 and variance 1 (Klambauer et al. 2017); at 0 the slope of the left side."""
    return _SELU_SCALE * x if x > 0 else _SELU_LEFT * expm1(x)


@operation(
    local=lambda x, y: tanh(softplus(x)) + chain(silu(x), (1.0 - tanh(softplus(x))) * (1.0 + tanh(softplus(x)))),
    samples=[(-2.0,), (0.0,), (0.5,), (3.0,)],
)
def mish(x: float) -> float:
    """x · tanh(softplus(x)) (Misra 2019), as x·w / (w + 2) with w = exp(x)·(exp(x) + 2), so that no tail overflows."""
    half = math.exp(-0.5 * math.fabs(x))
    power = half * half
    if x < 0:
        return chain(half, chain(half, x)) * (power + 2.0) / (power * (power + 2.0) + 2.0)
    return x * (1.0 + 2.0 * power) / (1.0 + 2.0 * power * (1.0 + power))
