"""Special functions: the error function and its complement."""

from __future__ import annotations

import math

from chainrule.core.operation import operation
from chainrule.ops.exponentials import exp

_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)


@operation(local=lambda x, y: _TWO_OVER_SQRT_PI * exp(-x * x), samples=[(-1.0,), (0.0,), (0.7,)])
def erf(x: float) -> float:
    """The error function 2/√π ∫₀ˣ exp(-t²) dt."""
    return math.erf(x)


@operation(local=lambda x, y: -_TWO_OVER_SQRT_PI * exp(-x * x), samples=[(-1.0,), (0.0,), (0.7,), (3.0,)])
def erfc(x: float) -> float:
    """1 - erf(x), exact in the right tail; the normal distribution function is erfc(-x/√2) / 2."""
    return math.erfc(x)
