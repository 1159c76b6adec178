"""What classes and modules add to the key of a call; and how objects of classes written in C are looked into."""

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
    """Something as a part of a key that is equal to nothing but itself."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Same) and other.thing is self.thing


class _AllSame:
    """Likewise many things."""

    __slots__ = ("ids", "things")

    def __init__(self, things: tuple) -> None:
        self.things, self.ids = things, tuple(map(id, things))

    def __hash__(self) -> int:
        return hash(self.ids)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _AllSame) and other.ids == self.ids


Seen = dict[int, tuple[int, Any]]
"""What a walk came by: for each object its number, and itself, so that no other gets its place in memory meanwhile."""

Key = Callable[[Any, Seen], Any]

_IMMUTABLE = 1 << 8
"""Among `__flags__` of a class: Python refuses to set its attributes."""

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
"""Of attributes of such types just which they are is looked at."""

_FOLDERS = str(Path(os.__file__).parent), *site.getsitepackages(), site.getusersitepackages()
_LIBRARIES = tuple([folder + os.sep for folder in _FOLDERS])
"""The folders of Python's own modules and of installed ones."""


def attributes_of_class(kind: Any, seen: Seen, key: Key) -> Any:
    """The key of a class: itself, and what its attributes and those of its bases are, unless Python refuses to set
    those. It is looked at once a walk, however many objects are of it.

    Args:
        kind: the class.
        seen: of the walk.
        key: gives the key of what an attribute holds.
    """
    if kind.__flags__ & _IMMUTABLE:
        return kind
    if id(kind) in seen:
        return "seen", seen[id(kind)][0]
    seen[id(kind)] = len(seen), kind
    bases = [base for base in kind.__mro__ if not base.__flags__ & _IMMUTABLE]
    return Same(kind), tuple([(Same(base), _held(vars(base), seen, key)) for base in bases])


def attributes_of_module(module: Any, seen: Seen, key: Key) -> Any:
    """The key of a module: itself, and its attributes; what these hold in turn only if it is the user's own."""
    if _is_of_library(module):
        return Same(module), tuple(vars(module)), _AllSame(tuple(vars(module).values()))
    return Same(module), _held(vars(module), seen, key)


def _is_of_library(module: Any) -> bool:
    """Whether a module is Python's own or an installed one. One that was made by hand may have no file."""
    file = getattr(module, "__file__", None)
    return file.startswith(_LIBRARIES) if file else module.__name__ in sys.stdlib_module_names


def _held(named: Mapping[str, Any], seen: Seen, key: Key) -> Any:
    named = dict(named)  # in one go: other threads may be changing it
    named.pop("__slotnames__", None)  # which Python keeps in a class when it copies an object of it
    things = tuple(named.values())
    open_ones = [name for name, x in named.items() if type(x) not in _FIXED and _is_looked_into(name, x)]
    return tuple(named), _AllSame(things), tuple([key(named[name], seen) for name in open_ones])


def _is_looked_into(name: str, x: Any) -> bool:
    of_python = (name[:1] == name[-1:] == "_") or name == "_abc_impl"
    return not (of_python or isinstance(x, type | Enum | Iterator))


@functools.lru_cache(maxsize=1000)
def slots_of(kind: type) -> tuple[str, ...]:
    """The names of what objects of a class keep outside of their `__dict__`."""
    descriptors = {name: x for base in kind.__mro__ if "__slots__" in vars(base) for name, x in [*vars(base).items()]}
    return tuple([name for name, x in descriptors.items() if isinstance(x, types.MemberDescriptorType)])


@functools.lru_cache(maxsize=1000)
def has_more(kind: Any) -> bool:
    """Whether objects of a class have memory besides their attributes, as those of a class written in C do.

    >>> import datetime
    >>> has_more(datetime.date), has_more(Same), has_more(object)
    (True, False, False)
    """
    places = len(slots_of(kind)) + (kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0)
    return bool(kind.__itemsize__) or kind.__basicsize__ > object.__basicsize__ + 8 * places


def reduced_parts(x: Any) -> tuple | str | None:
    """What pickle would write of an object: its parts, or the name of a global; None if it cannot."""
    reduce = copyreg.dispatch_table.get(type(x))
    try:
        reduced = reduce(x) if reduce else x.__reduce_ex__(4)
    except Exception:  # a class may do there what it likes
        return None
    if isinstance(reduced, str):
        return reduced
    return tuple([list(part) if isinstance(part, Iterator) else part for part in reduced])
