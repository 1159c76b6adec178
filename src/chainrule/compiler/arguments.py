"""The arguments of a compiled function, taken apart: their numbers, and what must be equal for a trace to serve.

`read` goes through the arguments of a call: it puts their numbers into a `Reading` and gives the key of their
structure. That is all that most calls need. For each new key `layout_of` goes through them once more and makes a
`Layout`: where the numbers lie, how to put arguments together for a trace, and how derivatives are given back in the
same nesting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.compiler.tracing import is_number_leaf, is_whole
from chainrule.engine import Value
from chainrule.errors import ArgumentError, OperandError, SizeError
from chainrule.nn.module import Module
from chainrule.operation import number
from chainrule.trees import leaves, tree_map

LARGE = 64
"""Arrays with more numbers than that are copied as a whole."""


class Same:
    """Something as a part of a key that is equal to nothing but itself."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Same) and other.thing is self.thing


class Reading:
    """The numbers of one call.

    Attributes:
        count: how many there are, those that differ from sample to sample counted once.
        blocks: float64[numbers, samples] of each batched argument or part of one, in order.
        values: whether some are Values, which have a graph of their own.
    """

    def __init__(self) -> None:
        self.count = 0
        self.values = False
        self.blocks: list[np.ndarray] = []
        self._row: list[float] = []
        self._parts: list[Any] = []

    def add(self, numbers: Sequence[float]) -> None:
        """More numbers, floats all of them."""
        self._row.extend(numbers)
        self.count += len(numbers)

    def add_array(self, array: np.ndarray) -> None:
        """More numbers: an array of float64 with one axis."""
        if len(array) < LARGE:
            self._row.extend(array.tolist())
        else:
            self._parts += [self._row, array]
            self._row = []
        self.count += len(array)

    def add_block(self, block: np.ndarray) -> None:
        """More numbers that differ from sample to sample; in the row of numbers there are zeros for them."""
        self.blocks.append(block)
        self.add_array(np.zeros(len(block)))

    def numbers(self) -> np.ndarray:
        """All of them: float64[count]."""
        if not self._parts:
            return np.array(self._row, dtype=np.float64)
        return np.concatenate([np.array(part, dtype=np.float64) for part in [*self._parts, self._row]])

    def columns(self) -> np.ndarray | None:
        """Those that differ: float64[numbers, samples], without copying where there is one block; None without any.

        Raises:
            SizeError: the blocks have different numbers of samples.
        """
        if not self.blocks:
            return None
        counts = [block.shape[1] for block in self.blocks]
        if min(counts) != max(counts):
            found = ", ".join(map(str, dict.fromkeys(counts)))
            raise SizeError(f"the batched arguments have {found} samples: give equally many of each")
        return self.blocks[0] if len(self.blocks) == 1 else np.concatenate(self.blocks)


# ---- reading: for each call ------------------------------------------------------------------------------------------


def read(x: Any, axis: Any, into: Reading) -> Any:
    """Adds the numbers of an argument to `into`; gives the key of its structure.

    Args:
        x: a number, or nested lists, tuples, dicts and arrays; anything else is part of the key.
        axis: along which axis it differs from sample to sample; None if it does not; or a nesting of such.
        into: what is added to.

    >>> reading = Reading()
    >>> key = read([2.0, (3, {"a": np.ones(2)})], None, reading)
    >>> reading.numbers().tolist(), key == read([5.0, (4, {"a": np.zeros(2)})], None, Reading())
    ([2.0, 3.0, 1.0, 1.0], True)
    """
    kind = type(x)
    if axis is not None:
        return _read_batched(x, axis, into)
    if kind is float:
        into.add((x,))
        return float
    if kind is list or kind is tuple:
        return _read_row(x, into)
    return _read_other(x, into)


def _read_row(x: Any, into: Reading) -> Any:
    kinds = set(map(type, x))
    if kinds == _FLOATS:
        into.add(x)
        return type(x), len(x), float
    keys = [read(part, None, into) for part in x]
    alike = bool(keys) and keys.count(keys[0]) == len(keys)
    return type(x), len(x), keys[0] if alike else tuple(keys)


_FLOATS = {float}


def _read_other(x: Any, into: Reading) -> Any:
    if isinstance(x, dict):
        return dict, tuple(x), tuple([read(part, None, into) for part in x.values()])
    if isinstance(x, list | tuple):
        return _read_row(x, into)
    if isinstance(x, np.ndarray):
        array, whole = plain_array(x)
        into.add_array(array.ravel())
        into.values |= x.dtype.kind == "O" and any(isinstance(y, Value) for y in x.flat)
        return np.ndarray, x.shape, whole
    if isinstance(x, bool | np.bool_) or not (isinstance(x, Value) or is_number_leaf(x)):
        return _read_static(x)
    into.add((x.peek_data() if isinstance(x, Value) else number(x, "an argument"),))
    into.values |= isinstance(x, Value)
    return int if is_whole(x) else float


def _read_static(x: Any) -> Any:
    """The key of something that is no number: itself, or what is equal to it."""
    if isinstance(x, bool | np.bool_):
        return bool, bool(x)
    if isinstance(x, Module):
        return Module, Same(x), tuple(map(id, x.parameters()))
    try:
        hash(x)
    except TypeError:
        return Same(x)
    return "static", type(x), x


def _read_batched(x: Any, axis: Any, into: Reading) -> Any:
    if not isinstance(axis, int):
        return tuple([read(part, own, into) for part, own in pairs_of(x, axis)])
    if isinstance(x, dict):
        return dict, tuple(x), tuple([_read_batched(part, axis, into) for part in x.values()])
    if isinstance(x, tuple):
        return type(x), len(x), tuple([_read_batched(part, axis, into) for part in x])
    columns, shape, whole = block_of(x, axis)
    into.add_block(columns)
    return np.ndarray, shape, whole, axis


def pairs_of(x: Any, axes: Any) -> list[tuple[Any, Any]]:
    """The parts of an argument, each with its axis, where `in_axes` has a nesting for it.

    Raises:
        ArgumentError: the argument has another nesting.
    """
    if isinstance(axes, dict):
        if isinstance(x, dict) and x.keys() == axes.keys():
            return [(part, axes[key]) for key, part in x.items()]
        has = f"the keys {sorted(map(str, x))}" if isinstance(x, dict) else f"a {type(x).__name__}"
        raise ArgumentError(f"in_axes has {axes!r} for an argument that is {has}: give it the same keys")
    if isinstance(x, list | tuple) and len(x) == len(axes):
        return list(zip(x, axes, strict=True))
    has = f"a {type(x).__name__}" + (f" of {len(x)}" if isinstance(x, list | tuple) else "")
    raise ArgumentError(f"in_axes has {axes!r} for an argument that is {has}: give it the same nesting")


def plain_array(x: np.ndarray) -> tuple[np.ndarray, bool]:
    """An array as float64, and whether it holds integers.

    Raises:
        OperandError: it holds something else than real numbers.
    """
    if x.dtype.kind in "fiub":
        return np.ascontiguousarray(x, dtype=np.float64).reshape(x.shape), x.dtype.kind != "f"
    if x.dtype.kind == "O" and all(isinstance(y, Value) or is_number_leaf(y) for y in x.ravel().tolist()):
        numbers = [y.peek_data() if isinstance(y, Value) else number(y, "an argument") for y in x.ravel().tolist()]
        return np.array(numbers, dtype=np.float64).reshape(x.shape), False
    raise OperandError(f"an argument is an array of {x.dtype}: give an array of numbers, x.astype(float)")


def block_of(x: Any, axis: int) -> tuple[np.ndarray, tuple[int, ...], bool]:
    """A batch: its numbers float64[…, samples], the shape of one sample, and whether it holds integers.

    Raises:
        ArgumentError: there is no such axis.
        OperandError: it is no array of plain numbers, nor lists that are as regular as one.
        SizeError: it has no samples.
    """
    try:
        given = np.asarray(x)
        if given.dtype.kind == "O" and any(isinstance(y, Value) for y in given.flat):
            raise OperandError(f"a batch is made of plain numbers, not of Values: {_shown(x)}")
        array, whole = plain_array(given)
    except ValueError:
        raise OperandError(
            f"in_axes={axis} is for an argument that is no array of numbers, {_shown(x)}: give an array or lists of "
            "equal lengths; where parts of it have no sample axis, nest in_axes as the argument is"
        ) from None
    if not -array.ndim <= axis < array.ndim:
        has = f"has {array.ndim} {'axis' if array.ndim == 1 else 'axes'}" if array.ndim else f"is the number {x!r}"
        raise ArgumentError(f"in_axes={axis}, but the argument {has}: give an array or a list with that axis, or None "
                            "in in_axes; of a tuple or dict, each part must have the axis")  # fmt: skip
    last = np.moveaxis(array, axis, -1)
    if not last.shape[-1]:
        raise SizeError("this is a batch of no samples: give at least one")
    return np.ascontiguousarray(last.reshape(-1, last.shape[-1])), last.shape[:-1], whole


def _shown(x: Any) -> str:
    text = f"{type(x).__name__} {x!r}"
    return f"the {text if len(text) <= 60 else text[:57] + '...'}"


# ---- layouts: for each new structure ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    """A number: an input of the graph."""

    at: int
    whole: bool
    count = 1
    batched = False

    def sample(self, numbers: list[float]) -> Any:
        """Itself, for a trace."""
        return int(numbers[self.at]) if self.whole else numbers[self.at]

    def filled(self, block: np.ndarray, sampled: bool) -> Any:
        """The derivative by it, from a block [1, …]; if `sampled`, the last axis is that of the samples."""
        return float(block[0]) if block.ndim == 1 else np.moveaxis(block[0], -1, 0) if sampled else block[0]

    def nested(self, rows: list[Any]) -> Any:
        """Of each number what takes its place: here, of this one."""
        return rows[0]


@dataclass(frozen=True)
class Row:
    """A list or tuple of floats."""

    at: int
    count: int
    kind: type
    whole = False
    batched = False

    def sample(self, numbers: list[float]) -> Any:
        return self.kind(numbers[self.at : self.at + self.count])

    def filled(self, block: np.ndarray, sampled: bool) -> Any:
        if block.ndim == 1:
            return self.kind(block.tolist())
        return self.kind([np.moveaxis(x, -1, 0) if sampled else x for x in block])

    def nested(self, rows: list[Any]) -> Any:
        return self.kind(rows)


@dataclass(frozen=True)
class Array:
    """An array, or a batch of such: then `axis` is that of the samples, and `shape` does not have it."""

    at: int
    count: int
    shape: tuple[int, ...]
    whole: bool
    axis: int | None = None

    @property
    def batched(self) -> bool:
        return self.axis is not None

    def sample(self, numbers: list[float]) -> Any:
        array = np.array(numbers[self.at : self.at + self.count]).reshape(self.shape)
        return array.astype(np.int64).tolist() if self.whole else array.tolist()

    def filled(self, block: np.ndarray, sampled: bool) -> Any:
        more = block.ndim - 1
        array = block.reshape(*self.shape, *block.shape[1:])
        own, others = range(len(self.shape)), range(len(self.shape), len(self.shape) + more)
        array = array.transpose(*others, *own)  # what is differentiated comes first, then what it is differentiated by
        if sampled:
            array = np.moveaxis(array, more - 1, 0)
        return np.moveaxis(array, 0, self.axis) if sampled and self.axis is not None and more == 1 else array


@dataclass(frozen=True)
class Parameters:
    """A Module: its parameters are among the Values that the function closes over."""

    module: Module
    names: tuple[str, ...]
    places: tuple[int, ...]
    """Where they are among those Values."""
    whole = False
    batched = False

    @property
    def count(self) -> int:
        return len(self.places)

    def sample(self, numbers: list[float]) -> Any:
        return self.module

    def filled(self, block: np.ndarray, sampled: bool) -> Any:
        one = Number(0, False)
        return {name: one.filled(block[i : i + 1], sampled) for i, name in enumerate(self.names)}

    def nested(self, rows: list[Any]) -> Any:
        return dict(zip(self.names, rows, strict=True))


@dataclass(frozen=True)
class Static:
    """Anything else: the same in each call with this key."""

    thing: Any
    count = 0
    whole = False
    batched = False

    def sample(self, numbers: list[float]) -> Any:
        return self.thing

    def filled(self, block: np.ndarray, sampled: bool) -> Any:
        raise AssertionError("nothing is differentiated by it")

    def nested(self, rows: list[Any]) -> Any:
        raise AssertionError("nothing is differentiated by it")


Leaf = Number | Row | Array | Parameters | Static


@dataclass
class Layout:
    """What all calls with arguments of one structure share.

    Attributes:
        forms: for each argument its nesting, with a Leaf in place of each number, array, Module or other thing.
        count: how many numbers the arguments have.
        batched: which of these differ from sample to sample.
        live: the parameters of Modules among the arguments.
        named: the names of the last arguments, those that are given by name alone.
    """

    forms: list[Any]
    count: int
    batched: tuple[int, ...]
    live: list[Value]
    named: tuple[str, ...] = ()

    def sample(self, numbers: list[float]) -> list[Any]:
        """Arguments with these numbers, as nested lists, tuples and dicts."""
        return [tree_map(lambda leaf: leaf.sample(numbers), form) for form in self.forms]

    @property
    def trace_key(self) -> Any:
        """What must be equal for the same trace to serve: an array and a list of the same numbers are equal here."""
        key = tuple([read(x, None, Reading()) for x in self.sample([0.0] * self.count)])
        return key, self.batched, self.named

    def inputs_of(self, i: int, name: str) -> tuple[int, ...]:
        """The inputs of the graph that an argument has.

        Raises:
            ArgumentError: it holds something that has no derivative.
        """
        found: list[int] = []
        for leaf in leaves(self.forms[i]):
            if isinstance(leaf, Static):
                has = f"{_shown(leaf.thing)}, which has no derivative"
                raise ArgumentError(f"argument {i} of {name} holds {has}: leave it out of argnums")
            if leaf.whole:
                raise ArgumentError(f"argument {i} of {name} holds integers, which have no derivative: give floats")
            if isinstance(leaf, Parameters):
                found += [self.count + place for place in leaf.places]
            else:
                found += range(leaf.at, leaf.at + leaf.count)
        return tuple(found)

    def filled(self, i: int, take: Callable[[Leaf], tuple[np.ndarray, bool]]) -> Any:
        """Derivatives in the nesting of an argument; `take` gives each leaf its block, and says if it is sampled."""
        return tree_map(lambda leaf: leaf.filled(*take(leaf)), self.forms[i])


def layout_of(arguments: Sequence[Any], axes: Sequence[Any], named: tuple[str, ...] = ()) -> Layout:
    """The layout of arguments that were read.

    >>> layout = layout_of([2.0, [3.0, 4.0]], [None, None])
    >>> layout.forms
    [Number(at=0, whole=False), Row(at=1, count=2, kind=<class 'list'>)]
    >>> layout.sample([5.0, 6.0, 7.0])
    [5.0, [6.0, 7.0]]
    """
    forms = _Forms()
    found = [forms.of(x, axis) for x, axis in zip(arguments, axes, strict=True)]
    return Layout(found, forms.at, tuple(forms.batched), list(forms.live.values()), named)


class _Forms:
    """Goes through arguments just as `read` does."""

    def __init__(self) -> None:
        self.at = 0
        self.batched: list[int] = []
        self.live: dict[int, Value] = {}

    def of(self, x: Any, axis: Any) -> Any:
        if axis is not None and not isinstance(axis, int):
            parts = [self.of(part, own) for part, own in pairs_of(x, axis)]
            return dict(zip(x, parts, strict=True)) if isinstance(x, dict) else _like(x, parts)
        if isinstance(x, dict):
            return {key: self.of(part, axis) for key, part in x.items()}
        if isinstance(x, tuple) or (isinstance(x, list) and axis is None):
            if axis is None and set(map(type, x)) == _FLOATS and type(x) in (list, tuple):
                return Row(self._next(len(x)), len(x), type(x))
            return _like(x, [self.of(part, axis) for part in x])
        if axis is not None:
            return self._batch(x, axis)
        return self._leaf(x)

    def _next(self, count: int) -> int:
        self.at += count
        return self.at - count

    def _batch(self, x: Any, axis: int) -> Array:
        columns, shape, whole = block_of(x, axis)
        at = self._next(len(columns))
        self.batched += range(at, self.at)
        return Array(at, len(columns), shape, whole, axis)

    def _leaf(self, x: Any) -> Leaf:
        if isinstance(x, np.ndarray):
            return Array(self._next(x.size), x.size, x.shape, plain_array(x)[1])
        if isinstance(x, bool | np.bool_):
            return Static(bool(x))
        if isinstance(x, Value):
            return Number(self._next(1), False)
        if is_number_leaf(x):
            return Number(self._next(1), is_whole(x))
        return self._module(x) if isinstance(x, Module) else Static(x)

    def _module(self, module: Module) -> Parameters:
        named = module.named_parameters()
        for _, parameter in named:
            self.live.setdefault(id(parameter), parameter)
        place = {key: i for i, key in enumerate(self.live)}
        return Parameters(module, tuple([name for name, _ in named]), tuple([place[id(p)] for _, p in named]))


def _like(x: Any, parts: list[Any]) -> Any:
    return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
