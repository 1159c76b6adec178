"""An update's functions of floats as chainrule's: `math.sqrt(x)` and `min(1.0, x)` know no symbols, so while an update
is traced, the same code is run with functions that do. Nothing of it is seen outside: the code gets names of its own.
"""

from __future__ import annotations

import builtins
import functools
import math
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

from chainrule import ops
from chainrule.compiler.graph.differentiate import Symbol
from chainrule.compiler.steps.dependencies import content, is_library, names_of


def _least(*xs: Any, **more: Any) -> Any:
    return _of_all(ops.min, builtins.min, xs, more)


def _most(*xs: Any, **more: Any) -> Any:
    return _of_all(ops.max, builtins.max, xs, more)


def _of_all(ours: Callable, pythons: Callable, xs: tuple, more: dict[str, Any]) -> Any:
    row = list(xs[0]) if len(xs) == 1 else list(xs)
    if more or not any(isinstance(x, Symbol) for x in row):
        return pythons(row, **more)
    return functools.reduce(ours, row)


def _with_sign(a: Any, b: Any) -> Any:
    return ops.abs(a) * ops.select(ops.lt(b, 0.0), -1.0, 1.0)


def _hypot(*xs: Any) -> Any:
    return ops.sqrt(ops.sum([x * x for x in xs]))


def _distance(p: Any, q: Any) -> Any:
    return _hypot(*[a - b for a, b in zip(p, q, strict=True)])


class _Above:
    """What `super()` gives: the methods of the classes above, with chainrule's functions as well."""

    def __init__(self) -> None:
        frame = sys._getframe(1)
        self._kind, self._object = frame.f_locals["__class__"], frame.f_locals[frame.f_code.co_varnames[0]]

    def __getattr__(self, name: str) -> Any:
        found = getattr(super(self._kind, self._object), name)
        return (
            types.MethodType(with_ours(found.__func__), self._object) if isinstance(found, types.MethodType) else found
        )


_BY_NAME = ("sqrt", "exp", "expm1", "log1p", "sin", "cos", "tan", "atan", "atan2", "tanh", "erf", "erfc", "pow")
_OURS: dict[str, Callable] = {name: getattr(ops, name) for name in _BY_NAME}
_OURS |= {"fabs": ops.abs, "fsum": ops.sum, "hypot": _hypot, "dist": _distance, "copysign": _with_sign}


def _of_symbols(ours: Callable, pythons: Callable) -> Callable:
    """A function of `math` that knows symbols as well; of numbers it is what it was."""

    def either(*given: Any) -> Any:
        xs = [list(part) if isinstance(part, Iterable) else part for part in given]
        row = [x for part in xs for x in (part if isinstance(part, list) else [part])]
        return ours(*xs) if any(isinstance(x, Symbol) for x in row) else pythons(*xs)

    return either


_MATH = types.SimpleNamespace(**vars(math))
for _name, _function in _OURS.items():
    setattr(_MATH, _name, _of_symbols(_function, getattr(math, _name)))
_MATH.log = _of_symbols(lambda x, *base: ops.log(x) / ops.log(*base) if base else ops.log(x), math.log)

_INSTEAD: dict[Any, Any] = {math: _MATH, min: _least, max: _most, super: _Above}
_INSTEAD |= {getattr(math, name): getattr(_MATH, name) for name in [*_OURS, "log"]}


def with_ours(function: Callable, done: dict[Any, Any] | None = None) -> Any:
    """A function of the user's with chainrule's functions in place of those that know floats alone.

    Args:
        function: is left as it is.
        done: what became of functions already.

    >>> from chainrule.compiler.graph.graph import Graph
    >>> x = Symbol(Graph.of_inputs(["x"]), 0)
    >>> own = eval("lambda x: min(1.0, math.sqrt(x))", {"math": math, "__name__": "a file of the user's"})
    >>> with_ours(own)(x).node
    3
    """
    done = {} if done is None else done
    if not isinstance(function, types.FunctionType) or is_library(function):
        return function
    if function in done:
        return done[function]
    names: dict[str, Any] = dict(function.__globals__)
    new = done[function] = types.FunctionType(function.__code__, names, function.__name__, function.__defaults__,
                                              _closure(function, done))  # fmt: skip
    new.__kwdefaults__ = function.__kwdefaults__
    for name in names_of(function.__code__):
        x = names.get(name, getattr(builtins, name, None))
        instead = _instead(x, done)
        if instead is not x:
            names[name] = instead
    return new


def _closure(function: types.FunctionType, done: dict[Any, Any]) -> tuple[types.CellType, ...] | None:
    cells = function.__closure__
    if cells is None:
        return None
    inside = [content(cell) for cell in cells]
    done[function] = function  # a function that closes over itself
    new = [_instead(x, done) for x in inside]
    return tuple([cell if x is y else types.CellType(y) for cell, x, y in zip(cells, inside, new, strict=True)])


def _instead(x: Any, done: dict[Any, Any]) -> Any:
    if isinstance(x, types.FunctionType):
        return with_ours(x, done)
    hashable = isinstance(x, types.BuiltinFunctionType | types.ModuleType) or x is super
    return _INSTEAD.get(x, x) if hashable else x
