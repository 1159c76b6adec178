"""The functions that programs call as `ops.exp`, `ops.sum` and so on, for the reference: on `Dual`s, by `math`.

They have chainrule's names and conventions (of equal numbers the first is taken; relu and abs have slope 0 at 0), and
none of its code.
"""

from __future__ import annotations

import builtins
import math
from typing import Any

from .duals import Dual, absolute, chosen, compared, lifted, made, total, unary, watch


def exp(x: Any) -> Dual:
    x = lifted(x)
    y = math.exp(x.value)
    return unary(x, y, y, y)


def expm1(x: Any) -> Dual:
    x = lifted(x)
    y = math.exp(x.value)
    return unary(x, math.expm1(x.value), y, y)


def log(x: Any) -> Dual:
    x = lifted(x)
    return unary(x, math.log(x.value), 1.0 / x.value, 1.0 / x.value**2)


def log1p(x: Any) -> Dual:
    x = lifted(x)
    y = 1.0 + x.value
    return unary(x, math.log1p(x.value), 1.0 / y, 1.0 / y**2, (1.0 + math.fabs(x.value)) / y**2)


def sqrt(x: Any) -> Dual:
    x = lifted(x)
    y = math.sqrt(x.value)
    return unary(x, y, 0.5 / y, 0.25 / y**3)


def sin(x: Any) -> Dual:
    x = lifted(x)
    return unary(x, math.sin(x.value), math.cos(x.value), math.sin(x.value))


def cos(x: Any) -> Dual:
    x = lifted(x)
    return unary(x, math.cos(x.value), -math.sin(x.value), math.cos(x.value))


def atan(x: Any) -> Dual:
    x = lifted(x)
    slope = 1.0 / (1.0 + x.value**2)
    return unary(x, math.atan(x.value), slope, 2.0 * x.value * slope**2)


def tanh(x: Any) -> Dual:
    """The slope is taken as 1 - y², so its bound is that of this difference."""
    x = lifted(x)
    y = math.tanh(x.value)
    slope = 1.0 / math.cosh(x.value) ** 2 if math.fabs(x.value) < 300 else 0.0
    return unary(x, y, slope, 2.0 * y * slope, 1.0 + y * y)


def sigmoid(x: Any) -> Dual:
    x = lifted(x)
    y = 1.0 / (1.0 + math.exp(-x.value))
    slope = y / (1.0 + math.exp(x.value))
    return unary(x, y, slope, slope * (1.0 - 2.0 * y))


def softplus(x: Any) -> Dual:
    x = lifted(x)
    y = 1.0 / (1.0 + math.exp(-x.value))
    return unary(x, math.log1p(math.exp(x.value)), y, y * (1.0 - y))


def erf(x: Any) -> Dual:
    x = lifted(x)
    slope = 2.0 / math.sqrt(math.pi) * math.exp(-(x.value**2))
    return unary(x, math.erf(x.value), slope, 2.0 * x.value * slope, slope * (1.0 + x.value**2))


def gelu(x: Any) -> Dual:
    x = lifted(x)
    a = x.value
    normal, density = 0.5 * math.erfc(-a / math.sqrt(2.0)), math.exp(-0.5 * a * a) / math.sqrt(2.0 * math.pi)
    value, slope, curve = a * normal, normal + a * density, (2.0 - a * a) * density
    rounding = math.fabs(value) + a * a * density  # the argument of erfc is rounded
    slope_room = normal + (math.fabs(a) + math.fabs(a**3)) * density + math.fabs(curve) * x.room
    return made(value, rounding, [(x, slope, slope_room)])


def relu(x: Any) -> Dual:
    a, zero = compared(x, 0.0)
    return chosen(x) if a > zero else Dual(0.0)


def abs(x: Any) -> Dual:
    return absolute(x)


def max(a: Any, b: Any) -> Dual:
    x, y = compared(a, b)
    return chosen(a if x >= y else b)


def min(a: Any, b: Any) -> Dual:
    x, y = compared(a, b)
    return chosen(a if x <= y else b)


def clip(x: Any, low: Any, high: Any) -> Dual:
    return min(max(x, low), high)


def select(condition: Any, a: Any, b: Any) -> Dual:
    return chosen(a if condition else b)


def hypot(a: Any, b: Any) -> Dual:
    a, b = lifted(a), lifted(b)
    y = math.hypot(a.value, b.value)
    rooms = 2.0 * (a.room + b.room) / y
    return made(y, y, [(x, x.value / y, rooms + math.fabs(x.value / y)) for x in (a, b)])


def sum(xs: Any) -> Dual:
    return total(xs)


def weighted_sum(weights: Any, xs: Any, bias: Any) -> Dual:
    return total([bias, *[lifted(w) * x for w, x in zip(weights, xs, strict=True)]])


def logsumexp(xs: Any) -> Dual:
    found = [lifted(x) for x in xs]
    most = builtins.max(x.value for x in found)
    y = most + math.log(math.fsum(math.exp(x.value - most) for x in found))
    shares = [math.exp(x.value - y) for x in found]
    peak = math.fabs(most) + math.fabs(y) + 1.0
    room = peak + builtins.sum([share * x.room for share, x in zip(shares, found, strict=True)])
    parts = zip(found, shares, strict=True)
    return made(y, peak, [(x, s, s * (x.room + room + math.fabs(x.value))) for x, s in parts])


def largest(xs: Any) -> Dual:
    """The first of the largest."""
    best = lifted(xs[0])
    for x in xs[1:]:
        a, b = compared(best, x)
        best = best if a >= b else lifted(x)
    return chosen(best)


def take(xs: Any, place: int) -> Dual:
    return chosen(xs[place])


def stop_gradient(x: Any) -> Dual:
    watch.operations += 1
    return Dual(lifted(x).value, lifted(x).room)


def identity(x: Any) -> Dual:
    return chosen(x)


class Module:
    """A plain stand-in for `chainrule.nn.Module`, whose Values are numbers here."""

    def __call__(self, *args: Any) -> Any:
        return self.forward(*args)  # type: ignore[attr-defined]


def named_parameters(thing: Any, path: str = "") -> dict[str, Any]:
    """The places that a model keeps Values in, by the names that chainrule gives them: (owner, key) for each."""
    found: dict[str, Any] = {}
    if isinstance(thing, list):
        items: Any = list(enumerate(thing))
    else:
        items = list(vars(thing).items())
    for key, part in items:
        name = f"{path}{key}"
        if isinstance(part, Dual):
            found[name] = (thing, key)
        elif isinstance(part, list | Module):
            found |= named_parameters(part, f"{name}.")
    return found
