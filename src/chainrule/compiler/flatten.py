"""The arguments of a compiled function, taken apart: numbers in a row, and what must be equal for a trace to serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.compiler.tracing import is_number_leaf, is_whole
from chainrule.engine import Value
from chainrule.errors import ArgumentError, SizeError
from chainrule.operation import number
from chainrule.trees import leaves, unflatten


@dataclass
class Flat:
    """Arguments in a row.

    Attributes:
        key: their structure.
        sample: the arguments, or those of the first sample, as nested lists, tuples and dicts.
        spans: for each argument the positions of its numbers.
        whole: the positions of integers.
        numbers: float64: all numbers, those of the first sample where they differ.
        batched: the positions of numbers that differ from sample to sample.
        columns: float64[batched, samples]; None without a batch.
        like: for each argument a description of its form, for derivatives.
    """

    key: Any
    sample: list[Any]
    spans: list[range]
    whole: set[int]
    numbers: np.ndarray
    batched: list[int] = field(default_factory=list)
    columns: np.ndarray | None = None
    like: list[Form] = field(default_factory=list)


@dataclass
class Form:
    """The form of an argument: its tree, whether it is an array, and its batch axis."""

    tree: Any
    shape: tuple[int, ...] | None = None
    axis: int | None = None

    def filled(self, flat: Sequence[Any], samples: bool = False) -> Any:
        """Numbers, in order, in that form; with `samples` each of them is a row, with a number for each sample."""
        if self.shape is None:
            plain = type(self.tree) is list and set(map(type, self.tree)) == {float}
            return list(flat) if plain else unflatten(self.tree, flat)
        array = np.array(list(flat), dtype=np.float64)
        if not samples:
            return array.reshape(self.shape)
        array = array.reshape(*self.shape, array.shape[-1])
        return np.moveaxis(array, -1, 0 if self.axis is None else self.axis)


def flatten(arguments: tuple, in_axes: Any) -> Flat:
    """Takes arguments apart.

    Args:
        arguments: numbers; nested lists, tuples and dicts of them; NumPy arrays; anything else is part of the key.
        in_axes: None, one axis for all arguments, or for each argument its axis or None.

    Raises:
        ArgumentError: `in_axes` does not fit.
        SizeError: the batched arguments have different numbers of samples.

    >>> flat = flatten((2.0, [3.0, 4]), None)
    >>> flat.numbers.tolist(), flat.spans, flat.whole
    ([2.0, 3.0, 4.0], [range(0, 1), range(1, 3)], {2})
    """
    axes = list(in_axes) if isinstance(in_axes, list | tuple) else [in_axes] * len(arguments)
    if len(axes) != len(arguments):
        raise ArgumentError(f"in_axes has {len(axes)} entries, but there are {len(arguments)} arguments")
    flat = Flat(None, [], [], set(), np.zeros(0))
    keys: list[Any] = []
    numbers: list[float] = []
    rows: list[np.ndarray] = []
    for x, axis in zip(arguments, axes, strict=True):
        sample, form, own = _one(x, axis)
        start = len(numbers)
        own_numbers, whole = _numbers(sample)
        numbers += own_numbers
        flat.whole.update([start + i for i in whole])
        flat.spans.append(range(start, len(numbers)))
        flat.sample.append(sample)
        flat.like.append(form)
        keys.append((structure(sample), axis))
        if own is not None:
            flat.batched += flat.spans[-1]
            rows.append(own)
    counts = {row.shape[1] for row in rows}
    if len(counts) > 1:
        raise SizeError(f"the batched arguments have {', '.join(map(str, sorted(counts)))} samples: give equally many")
    if counts == {0}:
        raise SizeError("a batch of no samples: give at least one")
    flat.columns = None if not rows else rows[0] if len(rows) == 1 else np.concatenate(rows)
    flat.key, flat.numbers = tuple(keys), np.array(numbers, dtype=np.float64)
    return flat


def _numbers(sample: Any) -> tuple[list[float], list[int]]:
    """All numbers of an argument, and which of them are integers."""
    if type(sample) is float:
        return [sample], []
    flat = sample if type(sample) is list else leaves(sample)
    kinds = set(map(type, flat))
    if list in kinds:
        flat = leaves(sample)
        kinds = set(map(type, flat))
    if kinds <= {float}:  # most arguments are lists of these
        return flat, []
    found = [x for x in flat if is_number_leaf(x) and not isinstance(x, bool)]
    numbers = [number(x.peek_data() if isinstance(x, Value) else x, "an argument") for x in found]
    return numbers, [i for i, x in enumerate(found) if is_whole(x)]


def _one(x: Any, axis: int | None) -> tuple[Any, Form, np.ndarray | None]:
    """One argument: that of the first sample, its form, and its columns."""
    if axis is None:
        if isinstance(x, np.ndarray):
            lists = x.tolist()
            return lists, Form(lists, x.shape), None
        return x, Form(x), None
    array = np.asarray(x)
    if not -array.ndim <= axis < array.ndim:
        raise ArgumentError(f"in_axes={axis}, but the argument has {array.ndim} axes")
    last = np.moveaxis(array, axis, -1)
    columns = np.ascontiguousarray(last.reshape(-1, last.shape[-1]), dtype=np.float64)
    first = last[..., 0].tolist() if last.shape[-1] else []
    return first, Form(first, last.shape[:-1], axis), columns


def structure(x: Any) -> Any:
    """What must be equal of two arguments for the same trace to serve."""
    if type(x) is float:
        return "float"
    if type(x) is list and x:
        kinds = set(map(type, x))
        if kinds in ({float}, {int}):
            return "list", len(x), "int" if int in kinds else "float"
    if isinstance(x, dict):
        return "dict", tuple([(key, structure(part)) for key, part in x.items()])
    if isinstance(x, list | tuple):
        parts = [structure(part) for part in x]
        same = bool(parts) and all(part == parts[0] for part in parts)
        return type(x).__name__, len(x), parts[0] if same else tuple(parts)
    return _kind(x)


def _kind(x: Any) -> Any:
    """The kind of a leaf; of what is no number, the thing itself."""
    if is_number_leaf(x) and not isinstance(x, bool):
        return "int" if is_whole(x) else "float"
    try:
        hash(x)
    except TypeError:
        return "object", id(x)
    return "static", type(x), x
