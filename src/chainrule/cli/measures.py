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
from chainrule.nn import Module, softmax


@dataclass(frozen=True)
class Report:
    """The comparison of predictions with the truth.

    Attributes:
        numbers: for classes "accuracy", "balanced_accuracy", "f1" and "auc", for numbers "r2", "rmse" and "mae"; and
            "rows". What is not defined on these rows is left out.
        words: the most important ones in words.
        classes: for each class the number of rows that are right, and the number of its rows; empty for numbers.
        pairs: for each row the truth and the prediction, as names of classes or in the units of the table.
    """

    numbers: dict[str, float]
    words: str
    classes: dict[str, tuple[int, int]]
    pairs: list[tuple[Any, Any]]


def outputs_of(model: Module, X: list[list[float]]) -> list[Output]:
    """The outputs of a model for each row, as plain numbers."""
    with no_grad():
        return [_plain(model(row)) for row in X]


def compare(encoder: Encoder, table: Table, results: Sequence[Output], rows: Iterable[int] | None = None) -> Report:
    """Compares the outputs of a model with the target column.

    Raises:
        DataError: there is no such column, or it holds a class that the model does not know.
    """
    target, truth = encoder.target, encoder.encode_targets(table, rows)
    if isinstance(target, ClassColumn):
        return _of_classes(target, [int(place) for place in truth], results)
    return _of_numbers(target, list(truth), results)


def _of_classes(target: ClassColumn, places: list[int], results: Sequence[Output]) -> Report:
    truth, predicted = [target.classes[place] for place in places], [target.decode(result) for result in results]
    pairs = list(zip(truth, predicted, strict=True))
    there, right, said = Counter(truth), Counter([t for t, p in pairs if t == p]), Counter(predicted)
    accuracy = right.total() / len(truth)
    recalls = [right[name] / there[name] for name in there]
    # a class that neither stands there nor is predicted says nothing of the predictions
    f1 = [2 * right[name] / (there[name] + said[name]) for name in target.classes if there[name] + said[name]]
    numbers = {
        "accuracy": accuracy,
        "balanced_accuracy": math.fsum(recalls) / len(recalls),
        "f1": math.fsum(f1) / len(f1),
        "auc": _auc_of_classes(places, [_chances(result) for result in results]),
        "rows": len(truth),
    }
    return Report(
        _finite(numbers),
        f"accuracy {100 * accuracy:.1f} %: {right.total()} of {len(truth)} rows",
        {name: (right[name], there[name]) for name in target.classes},
        pairs,
    )


def _of_numbers(target: NumberColumn, standardised: list[float], results: Sequence[Output]) -> Report:
    truth, predicted = [target.decode(z) for z in standardised], [target.decode(result) for result in results]
    error, explained = root_mean_squared_error(predicted, truth), r2(predicted, truth)
    words = f"R² {explained:.3f}, typical error (RMSE) {error:.4g}: {len(truth)} rows"
    numbers = {"r2": explained, "rmse": error, "mae": mean_absolute_error(predicted, truth), "rows": len(truth)}
    return Report(_finite(numbers), words, {}, list(zip(truth, predicted, strict=True)))


def _finite(numbers: dict[str, float]) -> dict[str, float]:
    return {name: x for name, x in numbers.items() if math.isfinite(x)}


def root_mean_squared_error(predictions: Sequence[float], targets: Sequence[float]) -> float:
    """The root mean squared error, in the units of the target.

    >>> root_mean_squared_error([1.0, 2.0, 2.0, 2.0], [1.0, 2.0, 2.0, 4.0])
    1.0
    """
    return math.hypot(*[p - t for p, t in zip(predictions, targets, strict=True)]) / math.sqrt(len(targets))


def mean_absolute_error(predictions: Sequence[float], targets: Sequence[float]) -> float:
    """The mean absolute error, in the units of the target.

    >>> mean_absolute_error([1.0, 2.0, 2.0, 2.0], [1.0, 2.0, 2.0, 4.0])
    0.5
    """
    return math.fsum([abs(p - t) / len(targets) for p, t in zip(predictions, targets, strict=True)])


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


def auc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """The area under the ROC curve: the share of pairs of a positive and another row in which the positive one has the
    higher score, a tie counted as half (Mann and Whitney 1947); nan if there are no such pairs.

    >>> auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    0.75
    """
    ranks: dict[float, float] = {}
    for place, score in enumerate(sorted(scores), 1):
        ranks[score] = ranks.get(score, 0.0) + place
    counts, wanted = Counter(scores), sum(positive)
    others = len(scores) - wanted
    if not wanted or not others:
        return math.nan
    total = math.fsum([ranks[score] / counts[score] for score, true in zip(scores, positive, strict=True) if true])
    return (total - wanted * (wanted + 1) / 2) / (wanted * others)


def _auc_of_classes(places: list[int], chances: list[list[float]]) -> float:
    """The AUC of two classes, or the mean of each class against all others; nan unless all classes stand there."""
    classes = range(1, 2) if len(chances[0]) == 2 else range(len(chances[0]))
    of_each = [auc([row[c] for row in chances], [place == c for place in places]) for c in classes]
    return math.fsum(of_each) / len(of_each)


def _chances(result: Output) -> list[float]:
    """Numbers by which rows can be ranked for each class."""
    if not isinstance(result, list):
        return [-result, result]
    return [result[0] - result[1], result[1] - result[0]] if len(result) == 2 else softmax(result)


def _plain(output: Any) -> Output:
    return [value.data for value in output] if isinstance(output, list) else output.data
