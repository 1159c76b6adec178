"""Replaces functions of floats in an optimiser's code by chainrule's, while its update is traced: `math.sqrt(x)` and
`min(1.0, x)` do not accept symbols. The replacements are made in copies of the functions with globals of their own, so
nothing outside sees them.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import math
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

from chainrule import ops
from chainrule.compiler.graph.differentiate import Symbol
from chainrule.compiler.steps.dependencies import content, is_library, names_of
from chainrule.reading.functions import FUNCTIONS


def _min(*xs: Any, **more: Any) -> Any:
    return _reduced(ops.min, builtins.min, xs, more)


def _max(*xs: Any, **more: Any) -> Any:
    return _reduced(ops.max, builtins.max, xs, more)


def _reduced(ours: Callable, pythons: Callable, xs: tuple, more: dict[str, Any]) -> Any:
    row = list(xs[0]) if len(xs) == 1 else list(xs)
    if more or not any(isinstance(x, Symbol) for x in row):
        return pythons(row, **more)
    return functools.reduce(ours, row)


def _copysign(a: Any, b: Any) -> Any:
    return ops.abs(a) * ops.select(ops.lt(b, 0.0), -1.0, 1.0)


def _hypot(*xs: Any) -> Any:
    return ops.sqrt(ops.sum([x * x for x in xs]))


def _dist(p: Any, q: Any) -> Any:
    return _hypot(*[a - b for a, b in zip(p, q, strict=True)])


class _Super:
    """The replacement of `super`: its methods use chainrule's functions, too. Without arguments, it finds class and
    object in the caller's frame."""

    def __init__(self, *given: Any) -> None:
        frame = sys._getframe(1)
        if not given:
            given = frame.f_locals["__class__"], frame.f_locals[frame.f_code.co_varnames[0]]
        self._above = super(*given)

    def __getattr__(self, name: str) -> Any:
        return _replacement(getattr(self._above, name), {})


_OURS: dict[str, Callable] = {name: getattr(ops, name) for name in FUNCTIONS if name in ops.__all__}
_OURS |= {"fabs": ops.abs, "fsum": ops.sum, "hypot": _hypot, "dist": _dist, "copysign": _copysign}


def _of_symbols(ours: Callable, pythons: Callable) -> Callable:
    """Returns a function that calls `ours` if an argument is a symbol or contains one, and otherwise `pythons`."""

    def either(*given: Any) -> Any:
        xs = [list(part) if isinstance(part, Iterable) else part for part in given]
        row = [x for part in xs for x in (part if isinstance(part, list) else [part])]
        return ours(*xs) if any(isinstance(x, Symbol) for x in row) else pythons(*xs)

    return either


_MATH = types.SimpleNamespace(**vars(math))
for _name, _function in _OURS.items():
    setattr(_MATH, _name, _of_symbols(_function, getattr(math, _name)))
_MATH.log = _of_symbols(lambda x, *base: ops.log(x) / ops.log(*base) if base else ops.log(x), math.log)

_REPLACEMENTS: dict[Any, Any] = {math: _MATH, min: _min, max: _max, super: _Super}
_REPLACEMENTS |= {getattr(math, name): getattr(_MATH, name) for name in _OURS}


def with_our_functions(function: Callable, done: dict[Any, Any] | None = None) -> Any:
    """Returns a copy of a user's function in which chainrule's functions take the place of those that accept only
    floats.

    Args:
        function: is not changed.
        done: the copies that were made before, by their originals.

    >>> from chainrule.compiler.graph.graph import Graph
    >>> x = Symbol(Graph.of_inputs(["x"]), 0)
    >>> own = eval("lambda x: min(1.0, math.sqrt(x))", {"math": math, "__name__": "a file of the user's"})
    >>> with_our_functions(own)(x).node
    3
    """
    done = {} if done is None else done
    if not isinstance(function, types.FunctionType) or is_library(function):
        return function
    if function in done:
        return done[function]
    names: dict[str, Any] = dict(function.__globals__)
    cells = _closure(function, done)
    new = done[function] = types.FunctionType(function.__code__, names, function.__name__, None, cells)
    new.__defaults__ = tuple([_replacement(x, done) for x in function.__defaults__ or ()])
    new.__kwdefaults__ = {name: _replacement(x, done) for name, x in (function.__kwdefaults__ or {}).items()}
    for name in names_of(function.__code__):
        x = names.get(name, getattr(builtins, name, None))
        replacement = _replacement(x, done)
        if replacement is not x:
            names[name] = replacement
    return new


def _closure(function: types.FunctionType, done: dict[Any, Any]) -> tuple[types.CellType, ...] | None:
    cells = function.__closure__
    if cells is None:
        return None
    inside = [content(cell) for cell in cells]
    done[function] = function  # for a function that closes over itself
    new = [_replacement(x, done) for x in inside]
    return tuple([cell if x is y else types.CellType(y) for cell, x, y in zip(cells, inside, new, strict=True)])


def _replacement(x: Any, done: dict[Any, Any]) -> Any:
    """Returns what takes the place of `x` in code that is run on symbols; in most cases `x` itself."""
    if isinstance(x, types.FunctionType):
        return with_our_functions(x, done)
    if isinstance(x, types.MethodType):
        own = with_our_functions(x.__func__, done)
        return x if own is x.__func__ else types.MethodType(own, x.__self__)
    if isinstance(x, staticmethod | classmethod):
        own = with_our_functions(x.__func__, done)
        return x if own is x.__func__ else type(x)(own)
    if isinstance(x, property):
        own = with_our_functions(x.fget, done) if x.fget else None
        return x if own is x.fget else property(own, x.fset, x.fdel)
    if isinstance(x, functools.partial):
        own = _replacement(x.func, done)
        return x if own is x.func else functools.partial(own, *x.args, **x.keywords)
    hashable = isinstance(x, types.BuiltinFunctionType | types.ModuleType) or x is super
    return _REPLACEMENTS.get(x, x) if hashable else x


def give_our_functions(one: Any) -> None:
    """Makes the methods of an object, and the functions among its attributes, use chainrule's functions.

    Args:
        one: the object, which is changed. Copies of its class's methods become attributes of the object; those that
            Python looks up only in the class (properties and `__call__`) go into a subclass, which becomes its class.
    """
    done: dict[Any, Any] = {}
    kind, own, below = type(one), vars(one), dict[str, Any]()
    for name, x in own.items():
        own[name] = _replacement(x, done)
    for name in {name for base in kind.__mro__ for name in vars(base)}:
        x = inspect.getattr_static(kind, name)
        replacement = _replacement(x, done)
        if replacement is x or (name.startswith("__") and name != "__call__"):
            continue
        if isinstance(x, property) or name == "__call__":
            below[name] = replacement
        elif name not in own:
            own[name] = replacement.__get__(one, kind)
    if below:
        one.__class__ = type(kind.__name__, (kind,), below)
