"""The arguments of a step, taken apart: the numbers that samples share, and columns of those that differ."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.compiler.tracing import is_whole
from chainrule.errors import ArgumentError, SizeError
from chainrule.trees import leaves


@dataclass
class Batch:
    """The arguments of one step.

    Attributes:
        key: what must be equal for the same trace to serve.
        batched: which of the numbers of the arguments differ from sample to sample.
        numbers: all others.
        columns: float64[batched numbers, samples]; None if there is no batch.
        arrays: for each argument whether it differs from sample to sample, and it itself: as an array whose first axis
            is that of the samples if so, else as it is.
    """

    key: Any
    batched: list[int]
    numbers: list[float]
    columns: np.ndarray | None
    arrays: list[tuple[bool, Any]]

    @property
    def sample(self) -> list[Any]:
        """The arguments, or those of the first sample."""
        return self.sample_at(0)

    @property
    def family(self) -> Any:
        """The key without the lengths of lists."""
        return tuple([_shape(x, False) for x in self.sample]), self.key[1]

    def sample_at(self, i: int) -> list[Any]:
        """The arguments of one sample."""
        return [x[i].tolist() if varies else x for varies, x in self.arrays]


def batch_of(arguments: tuple, in_axes: Any) -> Batch:
    """Takes the arguments of a step apart.

    Args:
        arguments: numbers or nested lists of them.
        in_axes: None, one axis for all, or for each argument its axis or None.
    """
    if in_axes is None:
        arrays = [(False, x) for x in arguments]
        return Batch((tuple([_shape(x) for x in arguments]), None), [], _numbers(arguments), None, arrays)
    axes = list(in_axes) if isinstance(in_axes, list | tuple) else [in_axes] * len(arguments)
    if len(axes) != len(arguments):
        raise ArgumentError(f"in_axes has {len(axes)} entries, but the loss has {len(arguments)} arguments")
    arrays = [
        (axis is not None, x if axis is None else _moved(x, axis)) for x, axis in zip(arguments, axes, strict=True)
    ]
    counts = {len(x) for varies, x in arrays if varies}
    if len(counts) > 1:
        raise SizeError(f"the batched arguments have {', '.join(map(str, sorted(counts)))} samples: give equally many")
    if counts == {0}:
        raise SizeError("a batch of no samples: give at least one")
    batched: list[int] = []
    numbers: list[float] = []
    columns, shapes, at = [], [], 0
    for varies, x in arrays:
        if varies:
            flat = x.reshape(len(x), -1)
            batched += range(at, at + flat.shape[1])
            columns.append(flat)
            shapes.append(_shape_of_arrays(x.shape[1:]))
            at += flat.shape[1]
        else:
            found = leaves(x)
            numbers += found
            shapes.append(_shape(x))
            at += len(found)
    table = np.ascontiguousarray(np.concatenate(columns, axis=1).T) if columns else None
    return Batch((tuple(shapes), tuple(axes)), batched, numbers, table, arrays)


def _numbers(arguments: tuple) -> list[float]:
    """All numbers of the arguments; most of these are plain lists."""
    if len(arguments) == 1 and type(arguments[0]) is list and set(map(type, arguments[0])) <= {int, float}:
        return arguments[0]
    return leaves(list(arguments))


def _moved(x: Any, axis: int) -> np.ndarray:
    array = np.asarray(x, dtype=np.float64)
    return np.moveaxis(array, axis, 0) if axis else array  # by far most are 0


@functools.cache
def _shape_of_arrays(shape: tuple[int, ...]) -> Any:
    """That of a sample, whose numbers are all floats."""
    return _shape(np.zeros(shape).tolist())


def _shape(x: Any, lengths: bool = True) -> Any:
    """The structure of an argument."""
    if type(x) is list and x:
        kinds = set(map(type, x))  # most lists are long, and of plain numbers
        if kinds in ({float}, {int}):
            return "list", len(x) if lengths else 0, "int" if int in kinds else "float"
    if isinstance(x, dict):
        return tuple([(key, _shape(part, lengths)) for key, part in x.items()])
    if isinstance(x, list | tuple):
        shapes = [_shape(part, lengths) for part in x]
        same = bool(shapes) and all(shape == shapes[0] for shape in shapes)
        return (type(x).__name__, len(x) if lengths else 0, shapes[0]) if same else (type(x).__name__, tuple(shapes))
    return "int" if is_whole(x) else "float"
