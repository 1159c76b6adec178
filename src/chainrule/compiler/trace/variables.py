"""The arguments of a function that is traced: variables in place of their numbers."""

from __future__ import annotations

import types
from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from chainrule import ops
from chainrule.core import modes
from chainrule.core.arrays import holds_objects
from chainrule.core.operation import Operation, number
from chainrule.core.trees import ARRAY, RECORD, as_argument, kind_of, leaves, unflatten
from chainrule.engine import Value
from chainrule.errors import OperandError


class Integer(Value):
    """An integer argument of a function that is being traced. It picks a row by `chainrule.take` or in an Embedding.

    Python itself can also use it as an index, call `int(i)`, divide it with remainder, look it up in a dict, or repeat
    a list by it: everything that needs the integer itself. Each such use adds a guard, and for another integer the
    function is traced again.
    """

    __slots__ = ()

    _results = Value  # what is calculated with it is no integer
    __class__ = property(lambda self: int)  # what isinstance goes by, besides the type

    def _whole(self) -> int:
        trace = modes.modes.trace
        return int(self.peek_data()) if trace is None else trace.whole_number_of(self)

    def __hash__(self) -> int:
        return id(self) if modes.modes.trace is None else hash(self._whole())

    def __format__(self, spec: str) -> str:
        return format(self._whole(), spec)

    def __mul__(self, other: Any) -> Any:
        return self._whole() * other if isinstance(other, _REPEATED) else ops.mul(self, other)

    def __rmul__(self, other: Any) -> Any:
        return other * self._whole() if isinstance(other, _REPEATED) else ops.mul(other, self)


_REPEATED = (list, tuple, str, bytes)


def _of_whole_numbers(name: str) -> None:
    """Gives `Integer` a method of int, for which it asks what number it is."""

    def method(self: Integer, *others: Any) -> Any:
        whole = [other._whole() if type(other) is Integer else other for other in others]
        return getattr(self._whole(), name)(*whole)

    setattr(Integer, name, method)


for _name in (
    *("__int__", "__index__", "__float__", "__str__", "__repr__", "__round__", "__floor__", "__ceil__", "__trunc__"),
    *[f"__{side}{name}__" for name in ("mod", "floordiv", "divmod", "and", "or", "xor", "lshift", "rshift")
      for side in ("", "r")],
    *("__invert__", "bit_length"),
):  # fmt: skip
    _of_whole_numbers(_name)


def is_number_leaf(x: Any) -> bool:
    """Whether a leaf of the arguments is a number, and therefore an input of the graph. A Module is not, nor is a
    constant with a name, such as the members of an IntEnum."""
    if isinstance(x, Enum):
        return False
    try:
        number(x, "an argument")
    except OperandError:
        return False
    return True


def is_kept(x: Any) -> bool:
    """Whether a dataclass among the arguments is the same thing for the function, not taken apart into its numbers: it
    holds none, or Values, which are read at each call, or things that have a state of their own."""
    if kind_of(x) != RECORD:
        return False
    try:
        held = leaves(x, lambda part: kind_of(part) == ARRAY and holds_objects(part))
    except OperandError:  # it holds itself
        return True
    others = [part for part in held if isinstance(part, bool) or not is_number_leaf(part)]
    return len(others) == len(held) or not all(isinstance(part, _FIXED) for part in others)


_FIXED = (
    bool,
    np.bool_,
    str,
    bytes,
    type(None),
    Enum,
    Operation,
    *(types.FunctionType, types.BuiltinFunctionType, type),
)
"""Things that a dataclass of numbers may hold beside them."""


def is_whole(x: Any) -> bool:
    """Whether a number is an integer, which has no derivative."""
    if isinstance(x, bool | Value):
        return isinstance(x, Integer)
    return hasattr(type(x), "__index__")


def variables_for(arguments: Sequence[Any]) -> tuple[list[Any], list[Value]]:
    """Returns arguments with variables in place of numbers, for a function that is traced; and these variables."""
    variables = [_variable(x) for x in leaves(list(arguments), is_kept)]
    given = unflatten(list(arguments), variables, as_argument, is_kept)
    return given, [x for x in variables if isinstance(x, Value)]


def _variable(x: Any) -> Any:
    if isinstance(x, bool) or not is_number_leaf(x):
        return x
    if isinstance(x, Value):
        x = x.peek_data()
    return Integer(number(x, "an argument")) if is_whole(x) else Value(number(x, "an argument"))
