"""What an argument that is no number adds to the key of a call, so that no trace outlives what it was made of."""

from __future__ import annotations

import functools
import random
import sys
import types
import weakref
from array import array
from collections import defaultdict, deque
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from contextvars import ContextVar
from typing import Any

import numpy as np

from chainrule.compiler.calling.class_keys import (
    Same,
    Seen,
    attributes_of_class,
    attributes_of_module,
    has_more,
    reduced_parts,
    slots_of,
)
from chainrule.compiler.trace.generators import generator_kinds, states
from chainrule.core.operation import Operation
from chainrule.engine import Value, is_compiled
from chainrule.errors import OperandError, shown
from chainrule.nn.module import Module

_THEMSELVES = (types.CodeType, type(None), type(...), type(NotImplemented), Operation)
_THEIR_VALUE = {int, str, bytes, bool}
_VALUES = {Value}
_READS_REFUSED = is_compiled()
"""Whether a trace refuses to read attributes of the user's own on plain Values: then they are in no key, and may change
from step to step, as the moments of an optimiser do."""


def static_key(x: Any) -> Any:
    """The key of something that is no number: what is equal to it, or itself with all that its attributes hold now.

    Raises:
        OperandError: it cannot be known when it changes.

    >>> static_key("call") == static_key("call"), static_key({1, 2}) == static_key({2, 1})
    (True, True)
    """
    try:
        key = _key(x, {})
        if sys.getrecursionlimit() > MOST_LEVELS:
            _check_levels(key)
        return key
    except RecursionError:
        raise OperandError(
            f"an argument holds a {type(x).__name__} in which one thing leads to the next more deeply than can be "
            "looked into: give what the function needs of it, as lists of numbers"
        ) from None


MOST_LEVELS = 5000
"""Python can hash keys that are nested this deeply. It accepts deeper ones only if its recursion limit was raised, and
then it may crash when it hashes them."""


def _check_levels(key: Any) -> None:
    level = [key]
    for _ in range(MOST_LEVELS):
        level = [part for x in level if isinstance(x, tuple | frozenset) for part in x]
        if not level:
            return
    raise RecursionError


def class_key(x: Any, seen: Seen | None = None) -> Any:
    """The part of a key for the class of a list, tuple or dict; None for Python's own classes.

    Args:
        x: the list, tuple or dict.
        seen: the objects that the walk has met so far, if there is a walk.
    """
    if type(x) in (list, tuple, dict):
        return None
    seen = {id(x): (0, x)} if seen is None else seen
    factory = _key(x.default_factory, seen) if isinstance(x, defaultdict) else None
    return attributes_of_class(type(x), seen, _key), factory, _attributes(x, seen)


def names_key(x: dict) -> Any:
    """The part of a key for the names in a dict. There 1 differs from True, and from 1.0."""
    names = tuple(x)
    return names if set(map(type, names)) <= {str} else tuple([static_key(name) for name in names])


def _key(x: Any, seen: Seen) -> Any:
    kind = type(x)  # isinstance would ask a proxy what it stands for, which may fail
    if kind is Value or issubclass(kind, Value):  # by far the most are values, or plain
        return id(x) if kind is Value and _READS_REFUSED else _of_value(x, seen)
    if kind in _THEIR_VALUE:
        return kind, x
    if kind is float:
        return float, x.hex()  # 0.0 is not -0.0, and nan is nan
    if id(x) in seen:  # an object may hold itself, and many may hold the same one
        return "seen", seen[id(x)][0]
    if issubclass(kind, type):
        return attributes_of_class(x, seen, _key)
    seen[id(x)] = len(seen), x
    return _of_taken_apart(x, seen) or _of_code(x, seen) or _of_parts(x, seen) or _of_object(x, seen)


def _of_value(x: Any, seen: Seen) -> Any:
    """The key of a Value that may have attributes of the user's own, which a function could read."""
    own = x.own_attributes()
    if not own:
        return id(x)
    if id(x) in seen:
        return "seen", seen[id(x)][0]
    seen[id(x)] = len(seen), x
    return id(x), tuple([(name, _key(part, seen)) for name, part in own.items()])


def _of_code(x: Any, seen: Seen) -> Any:
    """The key of a function or module; None for anything else. The globals that a function uses are constants."""
    key: Any = None
    if issubclass(type(x), _THEMSELVES):
        key = Same(x)
    elif issubclass(type(x), types.FunctionType):
        cells = tuple([_key(cell, seen) for cell in x.__closure__ or ()])
        own = _key(x.__defaults__, seen), _key(x.__kwdefaults__, seen), _key(x.__dict__, seen) if x.__dict__ else None
        key = "function", Same(x.__code__), Same(x.__globals__), cells, own
    elif issubclass(type(x), types.CellType):
        key = "cell", _key(x.cell_contents, seen) if x != types.CellType() else None
    elif issubclass(type(x), types.ModuleType):
        key = attributes_of_module(x, seen, _key)
    elif issubclass(type(x), types.BuiltinFunctionType):  # of a module, or the method of an object
        of_module = isinstance(x.__self__, types.ModuleType | None)
        key = Same(x) if of_module else (x.__name__, _key(x.__self__, seen))
    elif callable(x) and hasattr(x, "__wrapped__"):  # what wraps a function, as a compiled one does, is code as well
        owner = getattr(x, "__self__", None)  # of a method, which is made anew each time it is asked for
        which = Same(x) if owner is None else type(x)
        key = which, _key(x.__wrapped__, seen), _key(owner, seen), _of_wrapper(x, seen)
    return key


def _of_wrapper(x: Any, seen: Seen) -> Any:
    """The part of a key for the wrapper of a function. None for the compiler's own wrappers, whose counts and kernels
    change all the time."""
    if type(x).__module__.startswith("chainrule.compiler."):
        return None
    return attributes_of_class(type(x), seen, _key), _attributes(x, seen)


def _of_taken_apart(x: Any, seen: Seen) -> Any:
    """The key of an object of Python's own that is not equal to the tuple or dict of its parts; None for anything
    else."""
    parts = _taken_apart(x)
    return None if parts is x else (attributes_of_class(type(x), seen, _key), _of_parts(parts, seen))


def _taken_apart(x: Any) -> Any:
    """An object of Python's own as a tuple or dict of its parts; anything else as it is."""
    parts = x
    if issubclass(type(x), slice):
        parts = "slice", x.start, x.stop, x.step
    elif issubclass(type(x), types.MethodType):  # made anew each time it is asked for
        parts = x.__func__, x.__self__
    elif issubclass(type(x), functools.partial):
        parts = "partial", x.func, x.args, x.keywords, vars(x)
    elif issubclass(type(x), ContextVar):
        parts = "context", x.name, x.get(None)
    elif issubclass(type(x), weakref.ref):
        parts = "reference", x()
    elif type(x) in weakref.ProxyTypes:
        parts = "proxy", _referent(x)
    elif issubclass(type(x), types.MappingProxyType):
        parts = dict(x)
    elif issubclass(type(x), KeysView | ValuesView | ItemsView):
        parts = tuple(x)
    elif issubclass(type(x), memoryview):
        parts = "memory", x.readonly, x.format, x.shape, x.strides, x.tobytes()
    return parts


def _referent(proxy: Any) -> Any:
    """The object that a proxy stands for; None if it no longer exists."""
    try:
        return proxy.__repr__.__self__
    except ReferenceError:
        return None


def _of_parts(x: Any, seen: Seen) -> Any:
    """The key of an object that consists of known parts; None for anything else."""
    parts_key: Any = None
    if issubclass(type(x), dict):
        parts_key = class_key(x, seen), tuple([(_key(key, seen), _key(part, seen)) for key, part in x.items()])
    elif issubclass(type(x), list | tuple | deque):
        plain = set(map(type, x)) == _VALUES and (_READS_REFUSED or not any(map(vars, x)))
        parts = tuple(map(id, x)) if plain else tuple([_key(part, seen) for part in x])
        parts_key = class_key(x, seen), type(x), getattr(x, "maxlen", None), parts
    elif issubclass(type(x), set | frozenset):  # in the order in which it gives its members
        parts_key = class_key(x, seen), tuple([_key(part, seen) for part in x])
    elif issubclass(type(x), np.ndarray):
        content = tuple([_key(part, seen) for part in x.ravel().tolist()]) if x.dtype.hasobject else x.tobytes()
        own = None if type(x) is np.ndarray else class_key(x, seen)
        parts_key = np.ndarray, own, x.shape, x.strides, _key(x.dtype, seen) if x.dtype.names else x.dtype.str, content
    elif issubclass(type(x), np.generic) and not x.dtype.hasobject:
        parts_key = type(x), x.dtype.str, x.tobytes()
    elif issubclass(type(x), array | bytearray):
        parts_key = class_key(x, seen), getattr(x, "typecode", ""), bytes(x)
    return parts_key


def _of_object(x: Any, seen: Seen) -> Any:
    cls: Any = type(x)
    alone, kind = len(seen) == 1, attributes_of_class(cls, seen, _key)
    own = _attributes(x, seen)
    if issubclass(type(x), Module):
        return kind, Same(x), own
    if issubclass(type(x), generator_kinds()):
        if alone or issubclass(type(x), random.SystemRandom):
            raise OperandError(_not_seen(x))
        return kind, Same(x), states([x])[0]
    if not has_more(cls):  # it is what its attributes hold, and which it is, unless its class says what is equal
        return kind, Same(x) if cls.__eq__ is object.__eq__ else None, own
    if issubclass(type(x), Iterator):
        raise OperandError(_not_seen(x))
    reduced = reduced_parts(x)
    if isinstance(reduced, tuple):
        return kind, own, tuple([_key(part, seen) for part in reduced])
    if alone and reduced is None:
        raise OperandError(_not_seen(x))
    return kind, Same(x), own  # a global, or a part of something else, which may not use it at all


def _not_seen(x: Any) -> str:
    return (
        f"an argument holds the {type(x).__name__} {shown(x)}, of which a compiled function cannot see whether it has "
        "changed: call it before, and give the numbers"
    )


def _attributes(x: Any, seen: Seen) -> Any:
    """The keys of an object's attributes; None if it can have none. A Value's key is its identity: its number is read
    at each call, and a trace keeps the Values that it uses, so that no other Value gets the identity of one of them."""
    kind: Any = type(x)
    slots = slots_of(kind)
    held = _dict_of(x)
    if not slots and held is None:
        return None
    named = list((held or {}).items())
    named += [(name, getattr(x, name)) for name in slots if hasattr(x, name)]
    return tuple([(name, _key(part, seen)) for name, part in named])


def _dict_of(x: Any) -> Any:
    """The `__dict__` of an object; None if it has none, or its class does not give it at the moment."""
    try:
        return getattr(x, "__dict__", None)
    except Exception:  # of a proxy for what is not there
        return None
