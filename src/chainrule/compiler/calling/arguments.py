"""The arguments of a compiled function, taken apart into their numbers and the key of their structure.

`read` goes through the arguments of a call: it puts their numbers into a `Reading`, and returns the key, which must be
equal for a trace to be used again. That is all that most calls need; for each new key there is a `Layout`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.compiler.calling.static_keys import class_key, names_key, static_key
from chainrule.compiler.trace.variables import is_kept, is_number_leaf, is_whole
from chainrule.core.arrays import array_of
from chainrule.core.operation import number
from chainrule.core.trees import ARRAY, DEEPEST, NAMED, RECORD, ROW, kind_of, leaves, parts_of, too_deep, unflatten
from chainrule.engine import Value
from chainrule.errors import ArgumentError, OperandError, SizeError
from chainrule.errors import shown as brief

EXACT, EXACT_32 = 2**53, 2**24
"""The limits up to which floats of 64 and of 32 bits hold every integer exactly."""

LARGE = 64
"""Arrays of at least so many numbers are copied as a whole."""


class Reading:
    """The numbers of one call.

    Args:
        exact: the limit up to which native code holds every integer exactly.

    Attributes:
        count: how many numbers there are; one that differs from sample to sample counts once.
        blocks: float64[numbers, samples] of each batched argument or part of one, in order.
        values: whether some numbers are Values, which have a graph of their own.
    """

    def __init__(self, exact: int = EXACT) -> None:
        self.count, self.exact = 0, exact
        self.values = False
        self.blocks: list[np.ndarray] = []
        self._row: list[float] = []
        self._parts: list[Any] = []

    def add(self, numbers: Sequence[float]) -> None:
        """Adds numbers, which must be floats."""
        self._row.extend(numbers)
        self.count += len(numbers)

    def add_array(self, array: np.ndarray) -> None:
        """Adds the numbers of a float64 array with one axis."""
        if len(array) < LARGE:
            self._row.extend(array.tolist())
        else:
            self._parts += [self._row, array]
            self._row = []
        self.count += len(array)

    def add_block(self, block: np.ndarray) -> None:
        """Adds numbers that differ from sample to sample; `numbers()` has zeros in their places."""
        self.blocks.append(block)
        self.add_array(np.zeros(len(block)))

    def numbers(self) -> np.ndarray:
        """Returns all numbers: float64[count]."""
        if not self._parts:
            return np.array(self._row, dtype=np.float64)
        return np.concatenate([np.array(part, dtype=np.float64) for part in [*self._parts, self._row]])

    def columns(self) -> np.ndarray | None:
        """Returns the numbers that differ from sample to sample: float64[numbers, samples], or None if there are none.
        A single block is not copied.

        Raises:
            SizeError: the blocks have different numbers of samples.
        """
        if not self.blocks:
            return None
        counts = [block.shape[1] for block in self.blocks]
        if min(counts) != max(counts):
            listed = ", ".join(map(str, dict.fromkeys(counts)))
            raise SizeError(f"the batched arguments have {listed} samples: give equally many of each")
        return self.blocks[0] if len(self.blocks) == 1 else np.concatenate(self.blocks)


# ---- reading: for each call ------------------------------------------------------------------------------------------


def read(x: Any, axis: Any, into: Reading, depth: int = 0) -> Any:
    """Adds the numbers of an argument to `into`; returns the key of its structure.

    Args:
        x: a number, or nested lists, tuples, dicts, arrays, tables and dataclasses; anything else is part of the key
            (see `static_key`).
        axis: the axis along which `x` differs from sample to sample; None if it does not; or a nesting of axes.
        into: gets the numbers.
        depth: the level of `x` in a nesting.

    Raises:
        OperandError: the argument is nested too deeply, or holds itself.

    >>> reading = Reading()
    >>> key = read([2.0, (3, {"a": np.ones(2)})], None, reading)
    >>> reading.numbers().tolist(), key == read([5.0, (4, {"a": np.zeros(2)})], None, Reading())
    ([2.0, 3.0, 1.0, 1.0], True)
    """
    kind = type(x)
    if axis is not None:
        return _read_batched(x, axis, into, depth)
    if kind is float:
        into.add((x,))
        return float
    if kind is list or kind is tuple:
        return _read_row(x, into, depth)
    return _read_other(x, into, depth)


def _read_row(x: Any, into: Reading, depth: int) -> Any:
    kinds = set(map(type, x))
    if kinds == FLOATS:
        into.add(x)
        return type(x), len(x), float
    depth += 1
    if depth > DEEPEST:
        raise too_deep(x)
    keys = [read(part, None, into, depth) for part in x]
    alike = bool(keys) and keys.count(keys[0]) == len(keys)
    return type(x), len(x), keys[0] if alike else tuple(keys)


FLOATS = {float}


def _read_other(x: Any, into: Reading, depth: int) -> Any:
    kind = kind_of(x)
    if kind == ARRAY:
        return _read_array(array_of(x), into)
    if kind == NAMED:
        return class_key(x), names_key(x), _read_row(tuple(x.values()), into, depth)
    if kind == ROW or (kind == RECORD and not is_kept(x)):
        return class_key(x) if kind == ROW else static_key(type(x)), _read_row(parts_of(x) or (), into, depth)
    if isinstance(x, bool | np.bool_) or not (isinstance(x, Value) or is_number_leaf(x)):
        return static_key(x)
    into.add((x.peek_data() if isinstance(x, Value) else number(x, "an argument"),))
    into.values |= isinstance(x, Value)
    if not is_whole(x):
        return float
    check_integers([x], into.exact)
    return int


def _read_array(x: np.ndarray, into: Reading) -> Any:
    array, whole = plain_array(x, into.exact)
    into.add_array(array.ravel())
    into.values |= x.dtype.kind == "O" and any(isinstance(y, Value) for y in x.flat)
    return (float if x.dtype.kind == "f" or not whole else int) if not x.shape else (np.ndarray, x.shape, whole)


def _read_batched(x: Any, axis: Any, into: Reading, depth: int) -> Any:
    depth += 1
    if depth > DEEPEST:
        raise too_deep(x)
    if not isinstance(axis, int):
        return tuple([read(part, own, into, depth) for part, own in pairs_of(x, axis)])
    if isinstance(x, dict):
        return class_key(x), names_key(x), tuple([_read_batched(part, axis, into, depth) for part in x.values()])
    if isinstance(x, tuple):
        return type(x), len(x), tuple([_read_batched(part, axis, into, depth) for part in x])
    if (kind := kind_of(x)) == RECORD:
        return static_key(type(x)), tuple([_read_batched(part, axis, into, depth) for part in parts_of(x) or ()])
    x = array_of(x) if kind == ARRAY else x
    columns, shape, whole = block_of(x, axis, into.exact)
    into.add_block(columns)
    return np.ndarray, isinstance(x, np.ndarray), shape, whole, axis


def pairs_of(x: Any, axes: Any) -> list[tuple[Any, Any]]:
    """Returns the parts of an argument, each with its axis, where `in_axes` has a nesting for the argument.

    Raises:
        ArgumentError: the argument has another nesting.
    """
    if isinstance(axes, dict):
        if isinstance(x, dict) and x.keys() == axes.keys():
            return [(part, axes[key]) for key, part in x.items()]
        has = f"the keys {sorted(map(str, x))}" if isinstance(x, dict) else f"a {type(x).__name__}"
        raise ArgumentError(f"in_axes has {brief(axes)} for an argument that is {has}: give it the same keys")
    if isinstance(x, list | tuple) and len(x) == len(axes):
        return list(zip(x, axes, strict=True))
    has = f"a {type(x).__name__}" + (f" of {len(x)}" if isinstance(x, list | tuple) else "")
    raise ArgumentError(f"in_axes has {brief(axes)} for an argument that is {has}: give it the same nesting")


def plain_array(x: np.ndarray, exact: int = EXACT) -> tuple[np.ndarray, bool]:
    """Returns an array as float64, and whether it holds integers.

    Raises:
        OperandError: the array holds anything but real numbers, or an integer beyond `exact`.
    """
    if x.dtype.kind in "fiub":
        if x.dtype.kind in "iu" and x.itemsize >= 4 and x.size and max(-int(x.min()), int(x.max())) > exact:
            raise OperandError(too_large(max(int(x.max()), int(x.min()), key=abs)))
        return np.ascontiguousarray(x, dtype=np.float64).reshape(x.shape), x.dtype.kind != "f"
    if x.dtype.kind == "O" and all(isinstance(y, Value) or is_number_leaf(y) for y in x.ravel().tolist()):
        check_integers([y for y in x.ravel().tolist() if is_whole(y)], exact)
        numbers = [y.peek_data() if isinstance(y, Value) else number(y, "an argument") for y in x.ravel().tolist()]
        return np.array(numbers, dtype=np.float64).reshape(x.shape), False
    raise OperandError(f"an argument is an array of {x.dtype}: give an array of numbers, x.astype(float)")


def block_of(x: Any, axis: int, exact: int = EXACT) -> tuple[np.ndarray, tuple[int, ...], bool]:
    """Returns the numbers of a batch, float64[…, samples], the shape of one sample, and whether it holds integers.

    Raises:
        ArgumentError: the batch has no such axis.
        OperandError: the batch is no array of plain numbers, and no lists that are as regular as one.
        SizeError: the batch has no samples.
    """
    if axis == 0 and type(x) is np.ndarray and x.dtype == np.float64 and x.size:  # by far the most frequent case
        if x.ndim == 1:
            return np.ascontiguousarray(x)[None], (), False
        if x.ndim:
            return np.ascontiguousarray(x.reshape(len(x), -1).T), x.shape[1:], False
    x = array_of(x) if kind_of(x) == ARRAY else x
    try:
        given = np.asarray(x)
        if given.dtype.kind == "O" and any(isinstance(y, Value) for y in given.flat):
            raise OperandError(f"a batch is made of plain numbers, not of Values: {shown(x)}")
        if given.dtype.kind == "f" and given is not x and (np.abs(given) >= exact).any():  # NumPy has rounded them
            check_integers([y for y in leaves(x) if is_number_leaf(y) and is_whole(y)], exact)
        array, whole = plain_array(given, exact)
    except ValueError:
        raise OperandError(
            f"in_axes={axis} is for an argument that is no array of numbers, {shown(x)}: give an array or lists of "
            "equal lengths; where parts of it have no sample axis, nest in_axes as the argument is"
        ) from None
    if not -array.ndim <= axis < array.ndim:
        has = f"has {array.ndim} {'axis' if array.ndim == 1 else 'axes'}" if array.ndim else f"is the number {x!r}"
        raise ArgumentError(f"in_axes={axis}, but the argument {has}: give an array or a list with that axis, or None "
                            "in in_axes; of a tuple or dict, each part must have the axis")  # fmt: skip
    first = np.moveaxis(array, axis, 0) if axis else array  # which costs more than a small batch itself
    if not len(first):
        raise SizeError("this is a batch of no samples: give at least one")
    return np.ascontiguousarray(first.reshape(len(first), -1).T), first.shape[1:], whole


def with_floats(x: Any) -> Any:
    """Returns an argument with floats in place of its integers, by which it can be differentiated.

    >>> with_floats({"a": [1, 2.5], "b": np.array([1, 2])})
    {'a': [1.0, 2.5], 'b': array([1., 2.])}
    """

    def of(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray):
            return leaf.astype(float)
        return number(leaf, "an argument") if is_number_leaf(leaf) else leaf

    def kept(x: Any) -> bool:
        return (isinstance(x, np.ndarray) and x.dtype.kind in "iufb") or is_kept(x)

    return unflatten(x, [of(leaf) for leaf in leaves(x, kept)], whole=kept)


def refuse_shared(arguments: Sequence[Any], name: str) -> None:
    """Refuses a list that stands in two places among the arguments of a function that changes them: the trace would
    take it for two lists.

    Raises:
        OperandError: there is one.
    """
    seen: set[int] = set()
    rest = list(arguments)
    while rest:
        x = rest.pop()
        if isinstance(x, list | dict | np.ndarray):
            if id(x) in seen and (x.ndim and x.size if isinstance(x, np.ndarray) else len(x)):
                raise OperandError(
                    f"{name} changes lists of its arguments, and {shown(x)} stands in two places there: give copies, "
                    "[list(row) for row in rows], or let it change lists of its own"
                )
            seen.add(id(x))
        if not isinstance(x, np.ndarray):
            rest += parts_of(x) or ()


def check_integers(integers: list[int], exact: int) -> None:
    """Refuses integers that native code cannot hold exactly.

    Raises:
        OperandError: one is beyond `exact`, on either side of 0.
    """
    if integers and (max(integers) > exact or min(integers) < -exact):
        raise OperandError(too_large(max(integers, key=abs)))


def too_large(x: int) -> str:
    return f"the argument {brief(x)} is an integer beyond those that floats hold exactly: give it as a float"


def shown(x: Any) -> str:
    return f"the {type(x).__name__} {brief(x, 50)}"
