"""What an argument that is no number adds to the key of a call, so that no trace outlives what it was made of."""

from __future__ import annotations

import dataclasses
import functools
import random
import types
from array import array
from collections import defaultdict, deque
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any

import numpy as np

from chainrule.engine import Value
from chainrule.errors import OperandError
from chainrule.nn.module import Module
from chainrule.operation import Operation

_CODE = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type(None), Operation)
_PLAIN = {int, str}
_VALUES = {Value}


class Same:
    """Something as a part of a key that is equal to nothing but itself."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Same) and other.thing is self.thing


def static_key(x: Any) -> Any:
    """The key of something that is no number: what is equal to it, or itself with all that its attributes hold now.

    Raises:
        OperandError: it cannot be known when it changes.

    >>> static_key("call") == static_key("call"), static_key({1, 2}) == static_key({2, 1})
    (True, True)
    """
    try:
        return _key(x, {})
    except RecursionError:
        raise OperandError(
            f"an argument holds a {type(x).__name__} in which one thing leads to the next more deeply than can be "
            "looked into: give what the function needs of it, as lists of numbers"
        ) from None


Seen = dict[int, tuple[int, Any]]
"""What a walk came by: for each object its number, and itself, so that no other gets its place in memory meanwhile."""


def class_key(x: Any, seen: Seen | None = None) -> Any:
    """What the class of a list, tuple or dict adds to its key: nothing, if it is Python's own.

    Args:
        x: the list, tuple or dict.
        seen: of the walk that came by, if there is one.
    """
    if type(x) in (list, tuple, dict):
        return None
    seen = {id(x): (0, x)} if seen is None else seen
    factory = _key(x.default_factory, seen) if isinstance(x, defaultdict) else None
    return type(x), factory, _attributes(x, seen)


def _key(x: Any, seen: Seen) -> Any:
    kind = type(x)
    if kind is Value:  # by far the most are values, or plain
        return id(x)
    if kind in _PLAIN:
        return kind, x
    if isinstance(x, float | bool | np.bool_ | Value):
        return id(x) if isinstance(x, Value) else (kind, float(x).hex())  # 0.0 is not -0.0, and nan is nan
    # what wraps a function, as a compiled one does, is code as well
    if isinstance(x, _CODE) or (callable(x) and hasattr(x, "__wrapped__")):
        return Same(x)
    if id(x) in seen:  # an object may hold itself, and many may hold the same one
        return "seen", seen[id(x)][0]
    seen[id(x)] = len(seen), x
    return _of_parts(_taken_apart(x), seen) or _of_object(x, seen)


def _taken_apart(x: Any) -> Any:
    """Something of Python's own as a tuple or dict of its parts; anything else as it is."""
    if isinstance(x, slice):
        return "slice", x.start, x.stop, x.step
    if isinstance(x, types.MethodType):  # made anew each time it is asked for
        return x.__func__, x.__self__
    if isinstance(x, functools.partial):
        return "partial", x.func, x.args, x.keywords
    if isinstance(x, Mapping) and not isinstance(x, dict):
        return dict(x)
    return tuple(x) if isinstance(x, KeysView | ValuesView | ItemsView) else x


def _of_parts(x: Any, seen: Seen) -> Any:
    """The key of what is known to consist of parts; None for anything else."""
    found: Any = None
    if isinstance(x, dict):
        found = class_key(x, seen), tuple([(_key(key, seen), _key(part, seen)) for key, part in x.items()])
    elif isinstance(x, list | tuple | deque):
        plain = set(map(type, x)) == _VALUES
        found = class_key(x, seen), type(x), tuple(map(id, x)) if plain else tuple([_key(part, seen) for part in x])
    elif isinstance(x, set | frozenset):
        found = type(x), frozenset([_key(part, seen) for part in x])
    elif isinstance(x, np.ndarray):
        content = tuple([_key(part, seen) for part in x.ravel().tolist()]) if x.dtype.hasobject else x.tobytes()
        found = np.ndarray, x.shape, str(x.dtype), content
    elif isinstance(x, array | bytearray):
        found = type(x), getattr(x, "typecode", ""), bytes(x)
    return found


def _of_object(x: Any, seen: Seen) -> Any:
    if isinstance(x, Module):
        return Module, Same(x), _attributes(x, seen)
    own = _attributes(x, seen)
    drawn = isinstance(x, random.Random | np.random.Generator)
    if drawn:
        own = None if len(seen) == 1 else (Same(x), _state(x))
    elif own is not None and not dataclasses.is_dataclass(x):  # which are what their fields are
        own = _itself(x), own
    if own is not None:
        return type(x), own
    if type(x).__hash__ not in (None, object.__hash__) and not drawn:
        return type(x), x
    if len(seen) > 1 and not isinstance(x, Iterator):  # a part of something else, which may not use it at all
        return Same(x)
    raise OperandError(
        f"an argument holds the {type(x).__name__} {_shown(x)}, of which a compiled function cannot see whether it has "
        "changed: call it before, and give the numbers"
    )


def _state(x: random.Random | np.random.Generator) -> Any:
    """What the numbers that will be drawn depend on."""
    return x.getstate() if isinstance(x, random.Random) else repr(x.bit_generator.state)


def _itself(x: Any) -> Any:
    """The object, if it can be compared as a part of a key, so that equal ones share a trace; else which one it is."""
    try:
        hash(x)
    except TypeError:
        return Same(x)
    return x


def _attributes(x: Any, seen: Seen) -> Any:
    """What the attributes of an object hold; None if it can have none. Of Values just which they are: their numbers are
    read at each call, and a trace holds those that it uses, so that no other gets the place of one of them."""
    kind: Any = type(x)
    slots = _slots(kind)
    if not slots and not hasattr(x, "__dict__"):
        return None
    named = list(getattr(x, "__dict__", {}).items())
    named += [(name, getattr(x, name)) for name in slots if hasattr(x, name)]
    return tuple([(name, _key(part, seen)) for name, part in named])


@functools.lru_cache(maxsize=1000)
def _slots(kind: type) -> tuple[str, ...]:
    """The names of what objects of a class keep outside of their `__dict__`."""
    descriptors = {name: x for base in kind.__mro__ if "__slots__" in vars(base) for name, x in vars(base).items()}
    return tuple([name for name, x in descriptors.items() if isinstance(x, types.MemberDescriptorType)])


def _shown(x: Any) -> str:
    text = repr(x)
    return text if len(text) <= 60 else text[:57] + "..."
