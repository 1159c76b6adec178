"""Layouts: where the numbers of arguments lie in a row, and how a row becomes arguments, or derivatives like them."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.compiler.calling.arguments import FLOATS, Reading, block_of, pairs_of, plain_array, read, shown
from chainrule.compiler.calling.static_keys import static_key
from chainrule.compiler.trace.variables import is_kept, is_number_leaf, is_whole
from chainrule.core.arrays import array_of
from chainrule.core.trees import ARRAY, RECORD, formed, kind_of, leaves, parts_of, rebuilt, tree_map
from chainrule.engine import Value
from chainrule.errors import ArgumentError
from chainrule.nn.module import Module


def _samples_first(x: np.ndarray, sampled: bool) -> np.ndarray:
    """Returns the array with its last axis, if that is the axis of the samples, moved to the front."""
    return np.moveaxis(x, -1, 0) if sampled and x.ndim > 1 else x


class _Own:
    """A leaf that holds only numbers, or Values, which are never copied."""

    _one_leaf = True
    whole: bool

    @property
    def is_exact(self) -> bool:
        """Whether it is a number that has a derivative only as a float: an integer, or a truth."""
        return self.whole

    def copied(self, memo: dict[int, Any]) -> Any:
        """Returns the leaf with copies of what it holds, as `copy.deepcopy` makes them."""
        return self


@dataclass(frozen=True)
class Number(_Own):
    """A number: an input of the graph."""

    at: int
    whole: bool
    count = 1
    batched = False

    def sample(self, numbers: list[float]) -> Any:
        """Returns what a trace gets for this leaf: here, the number itself."""
        return int(numbers[self.at]) if self.whole else numbers[self.at]

    def filled(self, block: np.ndarray, sampled: bool) -> Any:
        """Returns the derivative by the leaf from a block [count, …] whose last axis is the samples' if `sampled`."""
        return float(block[0]) if block.ndim == 1 else _samples_first(block[0], sampled)

    def nested(self, rows: list[Any]) -> Any:
        """Returns the leaf with `rows` in place of its numbers."""
        return rows[0]


@dataclass(frozen=True)
class Row(_Own):
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
        return self.kind([_samples_first(x, sampled) for x in block])

    def nested(self, rows: list[Any]) -> Any:
        return self.kind(rows)


@dataclass(frozen=True)
class Array(_Own):
    """An array, or a batch of arrays: then `axis` is the axis of the samples, and `shape` the shape of one sample. In a
    batch `of_lists` one sample is a list."""

    at: int
    count: int
    shape: tuple[int, ...]
    whole: bool
    axis: int | None = None
    of_lists: bool = False

    @property
    def batched(self) -> bool:
        return self.axis is not None

    def sample(self, numbers: list[float]) -> Any:
        array = np.array(numbers[self.at : self.at + self.count]).reshape(self.shape)
        array = array.astype(np.int64) if self.whole else array
        return array.tolist() if self.of_lists or not self.shape else array

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
    """A Module, whose parameters are among the Values that the function closes over."""

    module: Module
    names: tuple[str, ...]
    places: tuple[int, ...]
    """The places of the parameters among those Values."""
    whole = False
    batched = False
    _one_leaf = True
    is_exact = False

    @property
    def count(self) -> int:
        return len(self.places)

    def sample(self, numbers: list[float]) -> Any:
        return self.module

    def copied(self, memo: dict[int, Any]) -> Any:
        return replace(self, module=copy.deepcopy(self.module, memo))

    def filled(self, block: np.ndarray, sampled: bool) -> Any:
        if block.ndim == 1:
            return dict(zip(self.names, block.tolist(), strict=True))
        one = Number(0, False)
        return {name: one.filled(block[i : i + 1], sampled) for i, name in enumerate(self.names)}

    def nested(self, rows: list[Any]) -> Any:
        return dict(zip(self.names, rows, strict=True))


@dataclass(frozen=True)
class Static:
    """Anything else: a constant, the same in each call with this key."""

    thing: Any
    _one_leaf = True
    count = 0
    whole = False
    batched = False

    @property
    def is_exact(self) -> bool:
        return isinstance(self.thing, bool)

    def sample(self, numbers: list[float]) -> Any:
        return self.thing

    def copied(self, memo: dict[int, Any]) -> Any:
        return Static(copy.deepcopy(self.thing, memo))

    def filled(self, block: np.ndarray, sampled: bool) -> Any:
        raise AssertionError("nothing is differentiated by it")

    def nested(self, rows: list[Any]) -> Any:
        raise AssertionError("nothing is differentiated by it")


Leaf = Number | Row | Array | Parameters | Static


@dataclass
class Layout:
    """The layout that all calls with arguments of one structure share.

    Attributes:
        forms: for each argument its nesting, with a Leaf in place of each number, array, Module or other thing.
        count: how many numbers the arguments have.
        batched: the places of the numbers that differ from sample to sample.
        live: the parameters of Modules among the arguments.
        named: the names of the last arguments, which are given by name.
    """

    forms: list[Any]
    count: int
    batched: tuple[int, ...]
    live: list[Value]
    named: tuple[str, ...] = ()

    def sample(self, numbers: list[float]) -> list[Any]:
        """Returns arguments with these numbers, as nested lists, tuples and dicts."""
        return [tree_map(lambda leaf: leaf.sample(numbers), form) for form in self.forms]

    @functools.cached_property
    def exact(self) -> frozenset[int]:
        """The arguments that hold integers or truths, which are made floats before they are differentiated by."""
        return frozenset([i for i, form in enumerate(self.forms) if any(leaf.is_exact for leaf in leaves(form))])

    def held(self) -> Any:
        """Returns the key of what the arguments hold besides numbers at present."""
        things = [leaf for form in self.forms for leaf in leaves(form)]
        return static_key([getattr(leaf, "thing", getattr(leaf, "module", None)) for leaf in things])

    def copied(self) -> Layout | None:
        """Returns the layout with copies of all that the arguments hold besides numbers and parameters, or None if
        something in it cannot be copied."""
        memo: dict[int, Any] = {id(x): x for x in self.live}
        try:
            return replace(self, forms=[tree_map(lambda leaf: leaf.copied(memo), form, formed) for form in self.forms])
        except Exception:  # a class may raise anything here
            return None

    @property
    def trace_key(self) -> Any:
        """The key that calls must share to use the same trace. An array and a batch of such have the same one."""
        key = tuple([read(x, None, Reading()) for x in self.sample([0.0] * self.count)])
        return key, self.batched, self.named

    def inputs_of(self, i: int, name: str) -> tuple[int, ...]:
        """Returns the inputs of the graph that argument `i` has.

        Raises:
            ArgumentError: the argument holds something that has no derivative.
        """
        inputs: list[int] = []
        for leaf in leaves(self.forms[i]):
            if isinstance(leaf, Static):
                has = f"{shown(leaf.thing)}, which has no derivative"
                raise ArgumentError(f"argument {i} of {name} holds {has}: leave it out of argnums")
            if isinstance(leaf, Parameters):
                inputs += [self.count + place for place in leaf.places]
            else:
                inputs += range(leaf.at, leaf.at + leaf.count)
        return tuple(inputs)


def layout_of(arguments: Sequence[Any], axes: Sequence[Any], named: tuple[str, ...] = ()) -> Layout:
    """Returns the layout of arguments that `read` has accepted.

    >>> layout = layout_of([2.0, [3.0, 4.0]], [None, None])
    >>> layout.forms
    [Number(at=0, whole=False), Row(at=1, count=2, kind=<class 'list'>)]
    >>> layout.sample([5.0, 6.0, 7.0])
    [5.0, [6.0, 7.0]]
    """
    forms = _Forms()
    by_argument = [forms.of(x, axis) for x, axis in zip(arguments, axes, strict=True)]
    return Layout(by_argument, forms.at, tuple(forms.batched), list(forms.live.values()), named)


class _Forms:
    """A walk over arguments in the order of `read`, which makes their forms."""

    def __init__(self) -> None:
        self.at = 0
        self.batched: list[int] = []
        self.live: dict[int, Value] = {}

    def of(self, x: Any, axis: Any) -> Any:
        if axis is not None and not isinstance(axis, int):
            parts = [self.of(part, own) for part, own in pairs_of(x, axis)]
            return rebuilt(x, parts)
        if isinstance(x, dict):
            return rebuilt(x, [self.of(part, axis) for part in x.values()])
        if isinstance(x, tuple) or (isinstance(x, list) and axis is None):
            if axis is None and set(map(type, x)) == FLOATS and type(x) in (list, tuple):
                return Row(self._next(len(x)), len(x), type(x))
            return rebuilt(x, [self.of(part, axis) for part in x])
        if kind_of(x) == RECORD and not is_kept(x):
            return formed(x, [self.of(part, axis) for part in parts_of(x) or ()])
        x = array_of(x) if kind_of(x) == ARRAY else x
        return self._leaf(x) if axis is None else self._batch(x, axis)

    def _next(self, count: int) -> int:
        self.at += count
        return self.at - count

    def _batch(self, x: Any, axis: int) -> Array:
        columns, shape, whole = block_of(x, axis)
        at = self._next(len(columns))
        self.batched += range(at, self.at)
        return Array(at, len(columns), shape, whole, axis, not isinstance(x, np.ndarray))

    def _leaf(self, x: Any) -> Leaf:
        if isinstance(x, np.ndarray):
            whole = plain_array(x)[1]
            at = self._next(x.size)
            return Array(at, x.size, x.shape, whole) if x.shape else Number(at, whole)
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
