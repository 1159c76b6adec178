"""Batches: splits the arguments of a step into the numbers that all samples share and columns of those that differ."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.compiler.calling.arguments import EXACT, block_of, check_integers, shown
from chainrule.compiler.calling.static_keys import class_key, names_key, static_key
from chainrule.compiler.trace.variables import is_kept, is_number_leaf, is_whole
from chainrule.core.arrays import array_of
from chainrule.core.operation import number
from chainrule.core.trees import ARRAY, DEEPEST, RECORD, kind_of, leaves, parts_of, too_deep
from chainrule.engine import Value
from chainrule.errors import ArgumentError, OperandError, SizeError


@dataclass(slots=True)
class Batch:
    """The arguments of one step.

    Attributes:
        key: the structure of the arguments, with their axes; batches with equal keys can use the same trace.
        batched: the positions, among all numbers of the arguments, of those that differ from sample to sample.
        numbers: the numbers that all samples share.
        columns: float64[batched numbers, samples]; None if no argument has a sample axis.
        arguments: the arguments, with `_Samples` in place of those that have a sample axis.
    """

    key: Any
    batched: list[int]
    numbers: list[float]
    columns: np.ndarray | None
    arguments: Sequence[Any]

    @property
    def sample(self) -> list[Any]:
        """The arguments of the first sample; without a sample axis, the arguments themselves."""
        return self.sample_at(0)

    @property
    def family(self) -> Any:
        """The key without the lengths of lists: batches with equal families may be able to share a kernel."""
        return tuple([_shape(x, False) for x in self.sample]), self.key[1]

    def sample_at(self, i: int) -> list[Any]:
        """Returns the arguments of one sample."""
        return [x.at(i) if isinstance(x, _Samples) else x for x in self.arguments]


class _Samples:
    """An argument that differs from sample to sample.

    Args:
        x: an array, or nested lists that are as regular as an array.
        axis: the sample axis.
        exact: the largest integer that native code accepts; it and all smaller ones are exact as floats.

    Attributes:
        columns: its numbers: float64[numbers, samples].
        shape: the structure of one sample.
    """

    def __init__(self, x: Any, axis: int, exact: int) -> None:
        if isinstance(x, dict):
            raise OperandError(f"in_axes={axis} is for {shown(x)}: give each of its parts as an argument of its own")
        if axis == 0 and type(x) is np.ndarray and x.dtype == np.float64 and x.size and x.ndim:  # the usual case
            self.columns, self._lengths, self._whole = x.reshape(len(x), -1).T, x.shape[1:], False
        else:
            self.columns, self._lengths, self._whole = block_of(x, axis, exact)
        self._is_array = kind_of(x) == ARRAY
        self.shape = _shape_of_arrays(self._lengths, self._whole, self._is_array)

    def at(self, i: int) -> Any:
        """Returns one sample. Integers stay integers, since they may be indices."""
        numbers = self.columns[:, i].reshape(self._lengths)
        numbers = numbers.astype(np.int64) if self._whole else numbers
        return numbers if self._is_array and self._lengths else numbers.tolist()


def batch_of(arguments: tuple, in_axes: Any, exact: int = EXACT) -> Batch:
    """Splits the arguments of one step into shared numbers and columns.

    Args:
        arguments: numbers or nested lists of them.
        in_axes: None, one sample axis for all arguments, or a list with the sample axis of each argument or None.
        exact: the largest integer that native code accepts; it and all smaller ones are exact as floats.
    """
    if in_axes is None:
        structures, plain = _taken_apart(arguments, exact)
        return Batch((structures, None), [], plain, None, arguments)
    axes = list(in_axes) if isinstance(in_axes, list | tuple) else [in_axes] * len(arguments)
    if len(axes) != len(arguments):
        raise ArgumentError(f"in_axes has {len(axes)} entries, but the loss has {len(arguments)} arguments")
    parts = [x if axis is None else _Samples(x, axis, exact) for x, axis in zip(arguments, axes, strict=True)]
    counts = {x.columns.shape[1] for x in parts if isinstance(x, _Samples)}
    if len(counts) > 1:
        raise SizeError(f"the batched arguments have {', '.join(map(str, sorted(counts)))} samples: give equally many")
    batched: list[int] = []
    numbers: list[float] = []
    columns, shapes, at = [], [], 0
    for x in parts:
        if isinstance(x, _Samples):
            batched += range(at, at + len(x.columns))
            columns.append(x.columns)
            shapes.append(x.shape)
            at += len(x.columns)
        else:
            shapes.append(_shape(x))
            found = _numbers((x,), exact)
            numbers += found
            at += len(found)
    table = np.ascontiguousarray(np.concatenate(columns)) if columns else None  # a copy: callers may change theirs
    return Batch((tuple(shapes), tuple(axes)), batched, numbers, table, parts)


def batches_of(all_arguments: list[tuple], in_axes: Any, exact: int) -> tuple[list[Batch], list[int]]:
    """Splits the arguments of many steps.

    Returns:
        The different batches, and for each step the index of its batch. Steps that are given the same objects share
        one batch.
    """
    of_tuple: dict[int, int] = {}  # many steps are often given one and the same tuple
    known: dict[tuple[int, ...], int] = {}
    found: list[Batch] = []
    of_step = []
    for arguments in all_arguments:
        at = of_tuple.get(id(arguments))
        if at is None:
            same = tuple(map(id, arguments))
            at = known.get(same)
            if at is None:
                at = known[same] = len(found)
                found.append(batch_of(arguments, in_axes, exact))
            of_tuple[id(arguments)] = at
        of_step.append(at)
    return found, of_step


def _taken_apart(arguments: tuple, exact: int) -> tuple[tuple, list[float]]:
    """Returns the structures of the arguments and all their numbers. The common cases, floats alone and a single flat
    list, have short cuts."""
    kinds = set(map(type, arguments))
    if kinds == FLOAT:
        return ("float",) * len(arguments), list(arguments)
    if len(arguments) == 1 and kinds == LIST and arguments[0]:
        kinds = set(map(type, arguments[0]))
        if kinds == FLOAT:
            return (("list", len(arguments[0]), "float"),), arguments[0]
        if kinds == INT:
            if max(arguments[0]) > exact or min(arguments[0]) < -exact:
                check_integers(arguments[0], exact)  # raises
            return (("list", len(arguments[0]), "int"),), arguments[0]
    return tuple([_shape(x) for x in arguments]), _numbers(arguments, exact)


INT, FLOAT, LIST = {int}, {float}, {list}


def _numbers(arguments: tuple, exact: int) -> list[float]:
    """Returns all numbers of the arguments."""
    found = leaves(list(arguments), is_kept)
    kinds = set(map(type, found))
    if kinds <= PLAIN:  # the usual case
        if int in kinds:
            check_integers([x for x in found if type(x) is int], exact)
        return found
    check_integers([x for x in found if _is_number(x) and is_whole(x)], exact)
    return [number(x, "an argument") for x in found if _is_number(x)]


PLAIN = {int, float, np.float64}


def _is_number(x: Any) -> bool:
    """Returns whether `x` is an input of the kernel. Everything else is part of the key."""
    return not isinstance(x, bool) and is_number_leaf(x)  # the same rule as in `trace`


@functools.lru_cache(maxsize=1000)
def _shape_of_arrays(lengths: tuple[int, ...], whole: bool, is_array: bool) -> Any:
    """Returns the structure of one sample of an array, or of lists, whose numbers are all integers (`whole`) or all
    floats."""
    sample = np.zeros(lengths, np.int64 if whole else np.float64)
    return _shape(sample if is_array else sample.tolist())


def _shape(x: Any, lengths: bool = True, depth: int = 0) -> Any:
    """Returns the structure of an argument; without `lengths`, it is the same for lists that differ only in length."""
    if type(x) is list and x:
        of, *others = set(map(type, x))  # a short cut: most lists are long and hold plain numbers
        if not others and (of is float or of is int):
            return "list", len(x) if lengths else 0, of.__name__
    depth += 1
    if depth > DEEPEST:
        raise too_deep(x)
    if isinstance(x, dict):
        return class_key(x), names_key(x), tuple([_shape(part, lengths, depth) for part in x.values()])
    if isinstance(x, list | tuple):
        shapes = [_shape(part, lengths, depth) for part in x]
        same = bool(shapes) and all(shape == shapes[0] for shape in shapes)
        named = type(x).__name__, class_key(x)
        return (*named, len(x) if lengths else 0, shapes[0]) if same else (*named, tuple(shapes))
    kind = kind_of(x)
    if kind == RECORD and not is_kept(x):
        return static_key(type(x)), tuple([_shape(part, lengths, depth) for part in parts_of(x) or ()])
    if kind == ARRAY and array_of(x).shape:
        return _shape_of_array(array_of(x), lengths)
    return _shape_of_leaf(x)


def _shape_of_array(x: np.ndarray, lengths: bool) -> Any:
    if x.dtype.kind not in "fiub":
        raise OperandError(f"a step takes arrays of plain numbers, x.astype(float), not {shown(x)}")
    return "array", x.shape if lengths else x.ndim, x.dtype.kind == "f"


def _shape_of_leaf(x: Any) -> Any:
    if _is_number(x):
        return "int" if is_whole(x) else "float"
    if isinstance(x, Value):
        raise OperandError(f"a step takes plain numbers, not Values: give x.data for {shown(x)}, or let the loss close "
                           "over it")  # fmt: skip
    return static_key(x)
