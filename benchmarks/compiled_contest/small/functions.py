"""The functions as chainrule gets them: of numbers, with derivatives by the first arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import chainrule


def of_two(x: Any, y: Any) -> Any:
    return chainrule.sin(x) * y + chainrule.exp(-x)


def squares(xs: Any) -> Any:
    return chainrule.sum([x * x for x in xs])


def least_squares(w: Any, rows: Any, wanted: Any) -> Any:
    off = [
        chainrule.sum([wi * xi for wi, xi in zip(w, row, strict=True)]) - y for row, y in zip(rows, wanted, strict=True)
    ]
    return chainrule.sum([d * d for d in off])


def two_results(xs: Any) -> Any:
    return [squares(xs), chainrule.exp(-chainrule.sum([chainrule.sin(x) for x in xs]))]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "scalars": of_two,
    "array": squares,
    "logsumexp": chainrule.logsumexp,
    "list": chainrule.logsumexp,
    "least_squares": least_squares,
    "batch": of_two,
    "jacobian": two_results,
}
