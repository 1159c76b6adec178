"""What classes and modules add to the cache key of a call, and how to look into objects of classes written in C."""

from __future__ import annotations

import copyreg
import functools
import os
import site
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from chainrule.core.operation import Operation
from chainrule.nn.module import Module  # whose functions are of another type where they are compiled


class Same:
    """A part of a key that compares a thing by identity."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Same) and other.thing is self.thing


class _AllSame:
    """A part of a key that compares many things by identity."""

    __slots__ = ("ids", "things")

    def __init__(self, things: tuple) -> None:
        self.things, self.ids = things, tuple(map(id, things))

    def __hash__(self) -> int:
        return hash(self.ids)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _AllSame) and other.ids == self.ids


Seen = dict[int, tuple[int, Any]]
"""The objects that a walk has met, by id: for each its number, and itself, so that no other object gets its id."""

Key = Callable[[Any, Seen], Any]

_IMMUTABLE = 1 << 8
"""The bit in `__flags__` of a class whose attributes Python refuses to set."""

_FIXED = {
    *(int, float, str, bytes, bool, complex, type(None), type, property, staticmethod, classmethod, Operation),
    *(types.FunctionType, type(Module.config), types.BuiltinFunctionType, types.ModuleType, types.MemberDescriptorType),
    *(
        types.GetSetDescriptorType,
        types.WrapperDescriptorType,
        types.MethodDescriptorType,
        types.ClassMethodDescriptorType,
    ),
}
"""The types of attributes that are only compared by identity, not looked into."""

_FOLDERS = str(Path(os.__file__).parent), *site.getsitepackages(), site.getusersitepackages()
_LIBRARIES = tuple([folder + os.sep for folder in _FOLDERS])
"""The folders of Python's own modules and of installed ones."""


def attributes_of_class(kind: Any, seen: Seen, key: Key) -> Any:
    """Returns the key of a class: the class, its attributes and those of its bases, unless Python refuses to set those.
    A walk looks at each class once, however many objects are of it.

    Args:
        kind: the class.
        seen: the objects that the walk has met.
        key: returns the key of what an attribute holds.
    """
    if kind.__flags__ & _IMMUTABLE:
        return kind
    if id(kind) in seen:
        return "seen", seen[id(kind)][0]
    seen[id(kind)] = len(seen), kind
    bases = [base for base in kind.__mro__ if not base.__flags__ & _IMMUTABLE]
    return Same(kind), tuple([(Same(base), _held(vars(base), seen, key)) for base in bases])


def attributes_of_module(module: Any, seen: Seen, key: Key) -> Any:
    """Returns the key of a module: the module and its attributes, and what these hold if the module is the user's."""
    if _is_of_library(module):
        return Same(module), tuple(vars(module)), _AllSame(tuple(vars(module).values()))
    return Same(module), _held(vars(module), seen, key)


def _is_of_library(module: Any) -> bool:
    """Returns whether a module is Python's own or an installed one. One that was made by hand may have no file."""
    file = getattr(module, "__file__", None)
    return file.startswith(_LIBRARIES) if file else module.__name__ in sys.stdlib_module_names


def _held(named: Mapping[str, Any], seen: Seen, key: Key) -> Any:
    named = dict(named)  # in one go: other threads may be changing it
    named.pop("__slotnames__", None)  # Python adds this to a class when it copies an object of it
    things = tuple(named.values())
    open_ones = [name for name, x in named.items() if type(x) not in _FIXED and _is_looked_into(name, x)]
    return tuple(named), _AllSame(things), tuple([key(named[name], seen) for name in open_ones])


def _is_looked_into(name: str, x: Any) -> bool:
    of_python = (name[:1] == name[-1:] == "_") or name == "_abc_impl"
    return not (of_python or isinstance(x, type | Enum | Iterator))


@functools.lru_cache(maxsize=1000)
def slots_of(kind: type) -> tuple[str, ...]:
    """Returns the names of the attributes that objects of a class keep in slots, outside of their `__dict__`."""
    descriptors = {name: x for base in kind.__mro__ if "__slots__" in vars(base) for name, x in [*vars(base).items()]}
    return tuple([name for name, x in descriptors.items() if isinstance(x, types.MemberDescriptorType)])


@functools.lru_cache(maxsize=1000)
def has_more(kind: Any) -> bool:
    """Returns whether objects of a class have memory besides their attributes, as those of a class written in C do.

    >>> import datetime
    >>> has_more(datetime.date), has_more(Same), has_more(object)
    (True, False, False)
    """
    places = len(slots_of(kind)) + (kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0)
    return bool(kind.__itemsize__) or kind.__basicsize__ > object.__basicsize__ + 8 * places


def reduced_parts(x: Any) -> tuple | str | None:
    """Returns what pickle would write of an object: its parts, or the name of a global; None if it cannot."""
    reduce = copyreg.dispatch_table.get(type(x))
    try:
        reduced = reduce(x) if reduce else x.__reduce_ex__(4)
    except Exception:  # a class may raise anything here
        return None
    if isinstance(reduced, str):
        return reduced
    return tuple([list(part) if isinstance(part, Iterator) else part for part in reduced])
