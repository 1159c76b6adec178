"""How a class of another engine is built: under which names it keeps its number, its gradient and its operands.

Read from what its methods store and from what its objects hold; nothing of the class is called.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from chainrule.errors import ArgumentError

DATA = ("data", "value", "val", "number", "num", "x", "v", "_data", "_value")
GRAD = ("grad", "gradient", "derivative", "deriv", "adjoint", "g", "dx", "_grad", "_gradient")
BACKWARD = (
    *("backward", "backprop", "back_prop", "backpropagate", "back_propagate", "backward_pass"),
    "compute_gradients",
)
CHILDREN = (
    *("_children", "_prev", "children", "prev", "parents", "_parents", "operands", "inputs"),
    *("_operands", "_inputs"),
)
LOCALS = (
    *("_local_grads", "local_grads", "_locals", "locals", "local_gradients", "_local_gradients"),
    *("local_derivatives", "_local_derivatives", "partials", "_partials"),
)
OPERATION = ("_op", "op", "operation", "_operation", "op_name")


class Names(NamedTuple):
    """The names of a class: of the number, of the gradient and of the method that goes backward."""

    data: str
    grad: str
    backward: str


class Attribute:
    """An attribute as it is beneath a property that stands in its place: a slot, a property of the class's own, or in
    the object's dict, with the class's default.

    Args:
        cls: the class, before it is watched.
        name: the attribute's name.
    """

    def __init__(self, cls: type, name: str) -> None:
        self.name = name
        thing = next((vars(each)[name] for each in cls.__mro__ if name in vars(each)), _NOTHING)
        self._slot: Any = thing if hasattr(type(thing), "__set__") else None
        self._default = thing

    def get(self, node: Any) -> Any:
        """Returns it, or raises AttributeError as the object would."""
        if self._slot is not None:
            return self._slot.__get__(node, type(node))
        found = node.__dict__.get(self.name, self._default)
        if found is _NOTHING:
            words = f"{type(node).__name__!r} object has no attribute {self.name!r}"
            raise AttributeError(words, name=self.name, obj=node)
        return found

    def peek(self, node: Any) -> Any:
        """Returns it, or None if the object has none."""
        try:
            return self.get(node)
        except AttributeError:
            return None

    def put(self, node: Any, x: Any) -> None:
        """Writes it."""
        if self._slot is not None:
            self._slot.__set__(node, x)
        else:
            node.__dict__[self.name] = x

    def delete(self, node: Any) -> None:
        """Deletes it, or raises AttributeError as the object would."""
        if self._slot is not None:
            self._slot.__delete__(node)
        elif node.__dict__.pop(self.name, _NOTHING) is _NOTHING:
            raise AttributeError(f"{type(node).__name__!r} object has no attribute {self.name!r}")


_NOTHING = object()


class Held(NamedTuple):
    """What an object says of its making: its operands; whether they stand in order and as often as they occur, which a
    set does not know; its own local derivatives, if it keeps them; and the name of its operation, "" if it has none."""

    operands: tuple[Any, ...]
    in_order: bool
    locals: tuple[float, ...] | None
    operation: str


def names_in(cls: Any) -> Names:
    """Returns the names under which a class keeps what is watched.

    Raises:
        ArgumentError: it is no class, or has no such names.

    >>> class Number:
    ...     def __init__(self, value):
    ...         self.value, self.gradient = value, 0.0
    ...     def backprop(self): ...
    >>> names_in(Number)
    Names(data='value', grad='gradient', backward='backprop')
    """
    if not isinstance(cls, type):
        raise ArgumentError(f"recording(Value=...) takes a class, not an object of {type(cls).__name__}: Value=type(x)")
    backward = next((name for name in BACKWARD if callable(getattr(cls, name, None))), None)
    if backward is None:
        known = ", ".join(BACKWARD[:3])
        raise ArgumentError(f"{cls.__name__} has no method backward(), so there is nothing to watch (or {known})")
    kept = set(_attributes(cls))
    found = []
    for what, names in (("number", DATA), ("gradient", GRAD)):
        name = next((name for name in names if name in kept), None)
        if name is None:
            raise ArgumentError(
                f"{cls.__name__} keeps its {what} under no name that is known: call it self.{names[0]} (or {names[1]})"
            )
        found.append(name)
    return Names(found[0], found[1], backward)


def functions_of(cls: type) -> dict[str, Any]:
    """The functions and static methods of a class and of those that it inherits from, by their names."""
    found: dict[str, Any] = {}
    for each in cls.__mro__[:-1]:
        for name, thing in vars(each).items():
            found.setdefault(name, thing)
    return {name: x for name, x in found.items() if isinstance(x, FunctionType | staticmethod)}


def codes_of(cls: type) -> set[CodeType]:
    """The codes of all that runs as part of a class: its methods, and what is defined within them."""
    found: set[CodeType] = set()
    for each in cls.__mro__[:-1]:
        for x in vars(each).values():
            parts = (x.fget, x.fset) if isinstance(x, property) else (getattr(x, "__func__", x),)
            todo = list(parts)
            while todo:
                if isinstance(part := todo.pop(), FunctionType):
                    found |= {part.__code__, *within(part.__code__)}
                    todo.append(getattr(part, "__wrapped__", None))
    return found


def within(code: CodeType) -> set[CodeType]:
    """The codes of what is defined within a function."""
    found: set[CodeType] = set()
    todo = [code]
    while todo:
        fresh = [x for x in todo.pop().co_consts if isinstance(x, CodeType)]
        found.update(fresh)
        todo += fresh
    return found


def _attributes(cls: type) -> Iterator[str]:
    """What objects of a class have: what its code stores, its slots, fields and properties."""
    for code in codes_of(cls):
        yield from (x.argval for x in dis.get_instructions(code) if x.opname == "STORE_ATTR")
    for each in cls.__mro__[:-1]:
        yield from vars(each).get("__annotations__", ())
        yield from (name for name, x in vars(each).items() if hasattr(type(x), "__set__"))


def held_by(node: Any, cls: type) -> Held:
    """Reads what an object says of its making.

    Args:
        node: the object.
        cls: the class whose objects can be operands.
    """
    things = dict(things_of(node))
    name = next((name for name in CHILDREN if _holds(things.get(name), cls)), None)
    if name is None:
        name = next((name for name, x in things.items() if _holds(x, cls)), None)
    operation = next((x for each in OPERATION if isinstance(x := things.get(each), str) and x), "")
    if name is None:
        alone = tuple([x for x in things.values() if isinstance(x, cls) and x is not node])
        return Held(alone, len(alone) == 1, None, operation)  # such as self.left and self.right
    content, in_order = things[name], isinstance(things[name], list | tuple)
    pairs = [x for x in content if isinstance(x, tuple) and len(x) == 2 and isinstance(x[0], cls)]
    if pairs:  # (operand, local derivative)
        return Held(tuple([x for x, _ in pairs]), in_order, _numbers([x for _, x in pairs]), operation)
    operands = tuple([x for x in content if isinstance(x, cls)])
    own = next((x for each in LOCALS if (x := _numbers(things.get(each), len(operands))) is not None), None)
    return Held(operands, in_order, own if in_order else None, operation)


def _holds(x: Any, cls: type) -> bool:
    """Whether this is a collection of operands, alone or as pairs of an operand and something."""
    if not isinstance(x, list | tuple | set | frozenset) or not x:
        return False
    return any(isinstance(each, cls) or (isinstance(each, tuple) and each and isinstance(each[0], cls)) for each in x)


def things_of(node: Any) -> Iterator[tuple[str, Any]]:
    """The attributes of an object, in its dict and in slots."""
    yield from getattr(node, "__dict__", {}).items()
    for each in type(node).__mro__[:-1]:
        slots = vars(each).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(node, name):
                yield name, getattr(node, name)


def _numbers(x: Any, count: int | None = None) -> tuple[float, ...] | None:
    """A list of numbers as a tuple; None if it is none, or not one of so many."""
    if not isinstance(x, list | tuple) or (count is not None and len(x) != count):
        return None
    try:
        return tuple([float(each) for each in x])
    except (TypeError, ValueError):
        return None
