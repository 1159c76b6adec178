"""Training data, checked before use."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from chainrule.core.arrays import lists_of
from chainrule.core.operation import is_numeral, number
from chainrule.data.toy import split
from chainrule.errors import ArgumentError, DataError, SizeError, shown


@dataclass(frozen=True)
class Samples:
    """Rows of finite numbers, all of one length, and for each row a target: a number, or a row of numbers."""

    X: list[list[float]]
    y: list[Any]

    def __len__(self) -> int:
        return len(self.X)


def read_samples(X: Any, y: Any, prefix: str = "") -> Samples:
    """Reads lists, arrays or tables as Samples. Integers stay integers, as they may be indices.

    Args:
        X: the rows.
        y: the target of each row.
        prefix: precedes X and y in messages.

    Raises:
        DataError: there are no rows, X is not a list of rows, or a number is not finite.
        OperandError: something is not a number.
        SizeError: the rows have different lengths, or the numbers of rows and targets differ.

    >>> read_samples([[0, 1.5]], [1])
    Samples(X=[[0, 1.5]], y=[1])
    """
    names, one_column = (f"{prefix}X", f"{prefix}y"), len(getattr(y, "columns", ())) == 1
    X, y = _list(lists_of(X), names[0]), _list(lists_of(y), names[1])
    if one_column:  # a DataFrame with the targets alone
        y = [target for [target] in y]
    rows = [_row(row, f"{names[0]}[{i}]") for i, row in enumerate(X)]
    targets = [_row(t, f"{names[1]}[{i}]") if _is_list(t) else _finite(t, f"{names[1]}[{i}]") for i, t in enumerate(y)]
    if not rows:
        raise DataError(f"{names[0]} has no rows: there is nothing to learn from")
    if len(rows) != len(targets):
        raise SizeError(f"{names[0]} has {len(rows)} rows, but {names[1]} has {len(targets)}: each needs one target")
    _check_widths(rows, names[0])
    _check_widths(targets, names[1])
    return Samples(rows, targets)


def divide(samples: Samples, validation: Any, *, classes: bool, seed: int) -> tuple[Samples, Samples | None]:
    """Splits the rows into those to train on and those to validate on.

    Args:
        samples: all rows.
        validation: None; the share of rows to hold out; or another `(X, y)`.
        classes: whether the targets are classes: if each is one number, that share of every class is held out.
        seed: the seed of the random choice.

    Raises:
        ArgumentError: the share is not between 0 and 1, or `validation` is something else.
    """
    if validation is None:
        return samples, None
    if isinstance(validation, tuple | list) and len(validation) == 2:
        held_out = read_samples(validation[0], validation[1], "validation ")
        if len(held_out.X[0]) != len(samples.X[0]):
            raise SizeError(f"validation X has rows of {len(held_out.X[0])} numbers, X has rows of {len(samples.X[0])}")
        return samples, held_out
    if isinstance(validation, bool) or not isinstance(validation, float) or not 0 < validation < 1:
        raise ArgumentError(
            f"validation is a share of the rows between 0 and 1, or a pair (X, y), not {shown(validation)}"
        )
    single = not isinstance(samples.y[0], list)
    X, y, X_held, y_held = split(samples.X, samples.y, validation, seed=seed, stratify=classes and single)
    return Samples(X, y), Samples(X_held, y_held)


def _list(x: Any, name: str) -> list[Any]:
    if isinstance(x, str | bytes | dict) or not isinstance(x, Iterable):
        raise DataError(f"{name} must be a list or array, not the {type(x).__name__} {_text(x)!r}")
    rows = list(x)
    _check_header(rows, name)
    return rows


def _check_header(rows: list[Any], name: str) -> None:
    """Refuses rows of which the first has the names of columns."""
    names, numbers = [list(row) if _is_list(row) else [row] for row in [*rows, 0.0, 0.0][:2]]
    words = [j for j, x in enumerate(names) if isinstance(x, str) and not is_numeral(x)]
    of_words = words and all(isinstance(x, str) for x in names)
    if of_words and all(j < len(numbers) and is_numeral(numbers[j]) for j in words):
        rest = f"{name}[1:]"
        if any(isinstance(x, str) for x in numbers):
            rest = (
                f"[[float(x) for x in row] for row in {rest}]" if _is_list(rows[0]) else f"[float(x) for x in {rest}]"
            )
        raise DataError(f"{name}[0] has the names of columns, {shown(rows[0])}: leave it out, {rest}")


def _row(row: Any, name: str) -> list[float]:
    if not _is_list(row):
        example = f"[{row!r}]" if isinstance(row, int | float) else "[0.5, 1.0]"
        raise DataError(f"{name} is {_text(row)!r}, not a row: give one list a sample, such as {example}")
    if not len(row):
        raise DataError(f"{name} is an empty row: a sample needs at least one number")
    if all(type(x) is float for x in row) and math.isfinite(sum(row)):
        return list(row)  # as most rows are, of which there may be many
    return [_finite(x, f"{name}[{j}]") for j, x in enumerate(row)]


def _finite(x: Any, name: str) -> float:
    if isinstance(x, Integral) and not isinstance(x, bool):
        return int(x)
    x = number(x, name)
    if not math.isfinite(x):
        raise DataError(f"{name} is {x}: leave the row out or fill it in, for nothing can be learned from it")
    return x


def _text(x: Any) -> str:
    return x[:40] if isinstance(x, str) else shown(x, 40)


def _is_list(x: Any) -> bool:
    return hasattr(x, "__len__") and hasattr(x, "__iter__") and not isinstance(x, str | bytes | dict)


def _check_widths(rows: list[Any], name: str) -> None:
    def width(row: Any) -> str:
        return f"{len(row)} numbers" if isinstance(row, list) else "a number alone"

    for i, row in enumerate(rows):
        if width(row) != width(rows[0]):
            raise SizeError(f"{name} is ragged: {name}[{i}] has {width(row)}, {name}[0] has {width(rows[0])}")
