"""Measures a model: compares its predictions with a table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.cli.goals import Output
from chainrule.core.modes import no_grad
from chainrule.data.tables import ClassColumn, Encoder, NumberColumn, Table
from chainrule.nn import Module


@dataclass(frozen=True)
class Report:
    """The comparison of predictions with the truth.

    Attributes:
        numbers: the accuracy, or root mean squared error and R²; and the number of rows.
        words: the same in words.
        classes: for each class the number of rows that are right, and the number of its rows; empty for numbers.
    """

    numbers: dict[str, float]
    words: str
    classes: dict[str, tuple[int, int]]


def outputs_of(model: Module, X: list[list[float]]) -> list[Output]:
    """The outputs of a model for each row, as plain numbers."""
    with no_grad():
        return [_plain(model(row)) for row in X]


def compare(encoder: Encoder, table: Table, results: Sequence[Output], rows: Iterable[int] | None = None) -> Report:
    """Compares the outputs of a model with the target column.

    Raises:
        DataError: there is no such column, or it holds a class that the model does not know.
    """
    target = encoder.target
    if isinstance(target, ClassColumn):
        return _of_classes(target, target.encode(table, rows), [target.decode(result) for result in results])
    return _of_numbers(target, target.standardise(table, rows), results)


def _of_classes(target: ClassColumn, places: list[int], predicted: list[str]) -> Report:
    truth = [target.classes[place] for place in places]
    there, right = Counter(truth), Counter([t for t, p in zip(truth, predicted, strict=True) if t == p])
    accuracy = right.total() / len(truth)
    return Report(
        {"accuracy": accuracy, "rows": len(truth)},
        f"accuracy {100 * accuracy:.1f} %: {right.total()} of {len(truth)} rows",
        {name: (right[name], there[name]) for name in target.classes},
    )


def _of_numbers(target: NumberColumn, standardised: list[float], results: Sequence[Output]) -> Report:
    truth, predicted = [target.decode(z) for z in standardised], [target.decode(result) for result in results]
    error, explained = root_mean_squared_error(predicted, truth), r2(predicted, truth)
    words = f"R² {explained:.3f}, typical error (RMSE) {error:.4g}: {len(truth)} rows"
    numbers = {"rmse": error, "r2": explained, "rows": len(truth)}
    return Report({name: x for name, x in numbers.items() if math.isfinite(x)}, words, {})


def root_mean_squared_error(predictions: Sequence[float], targets: Sequence[float]) -> float:
    """The root mean squared error, in the units of the target.

    >>> root_mean_squared_error([1.0, 2.0, 2.0, 2.0], [1.0, 2.0, 2.0, 4.0])
    1.0
    """
    return math.hypot(*[p - t for p, t in zip(predictions, targets, strict=True)]) / math.sqrt(len(targets))


def r2(predictions: Sequence[float], targets: Sequence[float]) -> float:
    """R²: the share of the targets' variance that the predictions explain; nan where there is no variance.

    >>> r2([1.0, 1.0, 4.0], [1.0, 2.0, 3.0])
    0.0
    """
    if len(set(targets)) < 2:  # their mean may differ from them by rounding
        return math.nan
    mean = math.fsum([t / len(targets) for t in targets])
    spread = math.hypot(*[t - mean for t in targets])  # hypot does not overflow where squares do
    error = math.hypot(*[p - t for p, t in zip(predictions, targets, strict=True)])
    ratio = error / spread
    return 1.0 - ratio * ratio


def _plain(output: Any) -> Output:
    return [value.data for value in output] if isinstance(output, list) else output.data
