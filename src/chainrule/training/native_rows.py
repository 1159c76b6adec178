"""Lays out rows and targets for native code, and turns its results into predictions. Needs NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.engine import Value


@dataclass(frozen=True)
class LaidOut:
    """Rows and targets, as given and as native code takes them.

    Attributes:
        rows, targets: as given.
        X, y: what the batches of a step are taken from: arrays, or lists where the loss is one of whole batches.
        arrays: the arguments for measuring, with all rows.
    """

    rows: list[Any]
    targets: list[Any]
    X: Any
    y: Any
    arrays: tuple[np.ndarray, ...]

    def batch(self, at: list[int]) -> tuple[Any, Any]:
        """The arguments of a step."""
        if isinstance(self.X, list):
            return [self.X[i] for i in at], [self.y[i] for i in at]
        return self.X[at], self.y[at]

    def given(self, at: list[int]) -> tuple[list[Any], list[Any]]:
        """Some rows and targets, as given."""
        return [self.rows[i] for i in at], [self.targets[i] for i in at]


def laid_out(X: list[Any], y: list[Any], *, by_sample: bool) -> LaidOut:
    """Lays out rows and targets, for a loss of one sample or of whole batches."""
    rows = np.array(X, dtype=np.float64)
    if by_sample:
        targets = np.array(y, dtype=np.float64)
        return LaidOut(X, y, rows, targets, (rows, targets))
    return LaidOut(X, y, _of_one_kind(X), _of_one_kind(y), (rows,))


def by_row(predictions: Any) -> list[Any]:
    """Turns columns, one for each number of a prediction, into one prediction for each row.

    >>> by_row([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    [[1.0, 3.0], [2.0, 4.0]]
    """
    if isinstance(predictions, list | tuple):
        return [list(row) for row in zip(*map(by_row, predictions), strict=True)]
    return predictions.tolist()


def as_values(predictions: Any) -> Any:
    return [as_values(part) for part in predictions] if isinstance(predictions, list) else Value(predictions)


def _of_one_kind(rows: list[Any]) -> list[Any]:
    """Makes the numbers of each column all integers or all floats: a trace is valid for one of the two.

    >>> _of_one_kind([[1, 2], [3, 0.5]])
    [[1, 2.0], [3, 0.5]]
    """
    if rows and isinstance(rows[0], list):
        columns = [_of_one_kind(list(column)) for column in zip(*rows, strict=True)]
        return [list(row) for row in zip(*columns, strict=True)]
    return rows if all(isinstance(x, int) for x in rows) else [float(x) for x in rows]
