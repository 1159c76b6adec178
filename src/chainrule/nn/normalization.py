"""Softmax and normalisation, of lists of numbers or Values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.engine import Value
from chainrule.errors import SizeError
from chainrule.nn.module import Module
from chainrule.ops import div, exp, largest, sqrt, sum, weighted_sum


def softmax(xs: Sequence[Any]) -> list[Any]:
    """exp(xᵢ) / Σ exp(xⱼ), for a list of any length; large numbers do not overflow.

    >>> softmax([1000.0, 1000.0])
    [0.5, 0.5]
    """
    # Any shift gives the same result; the largest number, without derivative, is the one that keeps exp in bounds.
    shift = largest([x.data if isinstance(x, Value) else x for x in xs])
    exps = [exp(x - shift) for x in xs]
    total = sum(exps)
    return [div(e, total) for e in exps]


def rms_norm(xs: Sequence[Any], eps: float = 1e-5) -> list[Any]:
    """xᵢ / √(mean of xⱼ² + eps) (Zhang and Sennrich 2019).

    >>> [round(x, 4) for x in rms_norm([3.0, -4.0])]
    [0.8485, -1.1314]
    """
    scale = div(1.0, sqrt(weighted_sum(xs, xs) * (1.0 / _count(xs)) + eps))
    return [x * scale for x in xs]


def layer_norm(xs: Sequence[Any], eps: float = 1e-5) -> list[Any]:
    """(xᵢ - mean) / √(variance + eps) (Ba, Kiros and Hinton 2016).

    >>> [round(x, 4) for x in layer_norm([3.0, -4.0])]
    [1.0, -1.0]
    """
    mean = sum(xs) * (1.0 / _count(xs))
    return rms_norm([x - mean for x in xs], eps)


def _count(xs: Sequence[Any]) -> int:
    if not len(xs):
        raise SizeError("normalisation of an empty list: give at least one number")
    return len(xs)


class RMSNorm(Module):
    """`rms_norm` of `width` numbers, each multiplied by a learned gain, which starts at 1.

    >>> [round(x.data, 4) for x in RMSNorm(2)([3.0, -4.0])]
    [0.8485, -1.1314]
    """

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        self.gain = [Value(1.0) for _ in range(width)]
        self.eps = eps

    def forward(self, x: Sequence[Any]) -> list[Any]:
        return [g * xi for g, xi in _zipped(self, self.gain, rms_norm(x, self.eps))]

    def _described(self) -> tuple[str, str]:
        return _same(self.gain), ""


class LayerNorm(Module):
    """`layer_norm` of `width` numbers, each multiplied by a learned gain, which starts at 1, plus a learned bias, which
    starts at 0.

    >>> [round(x.data, 4) for x in LayerNorm(2)([3.0, -4.0])]
    [1.0, -1.0]
    """

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        self.gain = [Value(1.0) for _ in range(width)]
        self.bias = [Value(0.0) for _ in range(width)]
        self.eps = eps

    def forward(self, x: Sequence[Any]) -> list[Any]:
        scaled = [g * xi for g, xi in _zipped(self, self.gain, layer_norm(x, self.eps))]
        return [xi + b for xi, b in zip(scaled, self.bias, strict=True)]

    def _described(self) -> tuple[str, str]:
        return _same(self.gain), ""


def _same(gain: Sequence[Any]) -> str:
    return f"{len(gain):,} → {len(gain):,}"


def _zipped(module: Module, gain: list[Value], x: list[Any]) -> list[tuple[Value, Any]]:
    if len(gain) != len(x):
        raise SizeError(f"{type(module).__name__}({len(gain)}) was given {len(x)} numbers")
    return list(zip(gain, x, strict=True))
