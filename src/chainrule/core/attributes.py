"""Attributes of the user's own on Values, such as `p.momentum = 0.0`: which names are refused, and what classes keep.

A name one edit away from `data`, `grad`, `label` or a method is taken for a slip of the keyboard: `v.gard = 0` would
otherwise change nothing, in silence. What is a word by itself is none: `v.cost`, `v.labels`, `v.date`. Where the
attributes lie is up to each build of the engine (`storage/nodes.py`).
"""

from __future__ import annotations

import functools
import string
from collections.abc import Callable
from types import MemberDescriptorType, MethodType
from typing import Any, NoReturn

from chainrule.core.foreign_names import FOREIGN_NAMES, ForeignName, RefusedName
from chainrule.errors import MissingAttributeError, ReadOnlyError

ATTRIBUTES = ("data", "grad", "label")
SHORTEST = 4
"""Methods of fewer letters are not taken for what was meant: `p.lr` is no slip of `lt`, nor `p.tau` of `tan`."""

WORDS = {
    "date",
    "exit",
    "glad",
    "grab",
    "grade",
    "gram",
    "grand",
    "gray",
    "grey",
    "grid",
    "lapel",
    "libel",
    "local",
    "sqr",
}
"""Words that would be slips, but are more likely meant."""


def one_edit_away(name: str, letters: str = string.ascii_lowercase) -> set[str]:
    """Returns the names with a letter too few, two swapped, one replaced, or one too many.

    (The edits are those of Peter Norvig, How to Write a Spelling Corrector, 2007.)

    Args:
        name: the right name.
        letters: those that may stand in place of others, or be added.

    >>> sorted(one_edit_away("ab", ""))
    ['a', 'b', 'ba']
    """
    splits = [(name[:i], name[i:]) for i in range(len(name) + 1)]
    fewer = {a + b[1:] for a, b in splits if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1}
    replaced = {a + c + b[1:] for a, b in splits if b for c in letters}
    more = {a + c + b for a, b in splits for c in letters}
    return (fewer | swapped | replaced | more) - {name}


def slips_of(right: str, letters: str = string.ascii_lowercase) -> set[str]:
    """Returns the names that are taken for slips of an attribute or method; `letters` as in `one_edit_away`.

    A plural is none (but `grads`, which is likely to mean the gradient), nor the singular of one, nor the name behind
    another letter, as in `dgrad` or `xlabel`. Near a method there are fewer: a letter replaced makes `cost` of `cosh`,
    the first one left out `lip` of `clip`.

    >>> {"gard", "grd", "graad", "grap"} <= slips_of("grad"), {"dgrad", "grid"} & slips_of("grad")
    (True, set())
    """
    near = one_edit_away(right, letters)
    if right not in ATTRIBUTES:
        near = {name for name in near if len(name) != len(right) or sorted(name) == sorted(right)} - {right[1:]}
    with_one_before = {letter + right for letter in letters if letter != right[0]}
    plural = set() if right == "grad" else {f"{right}s"}
    return near - with_one_before - plural - {right.removesuffix("s")} - WORDS


@functools.lru_cache(maxsize=1000)
def meant(cls: type, name: str) -> str:
    """Returns the attribute or method of a class of Values of which `name` is a slip; "" if there is none."""
    methods = [x for x in dir(cls) if not x.startswith("_") and len(x) >= SHORTEST and abs(len(x) - len(name)) < 2]
    known = [x for x in methods if hasattr(cls, x) and x not in ATTRIBUTES]
    return next((x for x in (*ATTRIBUTES, *known) if name in slips_of(x)), "")


def refuse_slip(name: str, right: str) -> NoReturn:
    """Refuses a name that is one edit away from the right one."""
    raise MissingAttributeError(f"a Value has no attribute {name!r}. Did you mean {right!r}?")


def check_name(cls: type, name: str) -> None:
    """Refuses a new attribute that cannot have its name, or whose name is a slip of another. (The answers are kept:
    every object of a subclass asks.)"""
    if isinstance(foreign := FOREIGN_NAMES.get(name), RefusedName):
        foreign.refuse()
    if right := meant(cls, name):
        refuse_slip(name, right)


def check_no_method(cls: type, base: type, name: str) -> None:
    """Refuses an attribute that would hide a method which a class has from its base, that of all nodes."""
    method = getattr(base, name, None)
    if callable(method) and getattr(cls, name) is method:
        refuse_method(name)


def refuse_method(name: str) -> NoReturn:
    """Refuses an attribute that has the name of a method."""
    raise ReadOnlyError(f"{name!r} is a method of every Value: give the attribute another name, such as v.{name}_")


class Method:
    """A method that no attribute of an object can hide."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self._name, self._function = name, function

    def __get__(self, value: Any, owner: type) -> Any:
        return self._function if value is None else MethodType(self._function, value)

    def __set__(self, value: Any, x: Any) -> NoReturn:
        refuse_method(self._name)


class Slip:
    """A name that is a slip of `right`, reserved on a class: to read it or to write it raises the error."""

    def __init__(self, name: str, right: str) -> None:
        self.name, self.right = name, right

    def __get__(self, value: Any, owner: type) -> NoReturn:
        refuse_slip(self.name, self.right)

    def __set__(self, value: Any, x: Any) -> NoReturn:
        refuse_slip(self.name, self.right)


def slips(letters: str = string.ascii_lowercase) -> list[Slip]:
    """Returns the reserved names near `data`, `grad` and `label`; see `one_edit_away` for the letters."""
    return [Slip(name, right) for right in ATTRIBUTES for name in sorted(slips_of(right, letters))]


def refuse_missing(cls: str, name: str) -> NoReturn:
    """Refuses to read an attribute that other Values have, but this one lacks."""
    if name in FOREIGN_NAMES:
        FOREIGN_NAMES[name].refuse()
    raise AttributeError(f"{cls!r} object has no attribute {name!r}")


def is_there(value: Any, name: str) -> bool:
    """Returns whether `dir` tells of a name: not of slips, nor of what only other Values have."""
    kept = next((vars(cls)[name] for cls in type(value).__mro__ if name in vars(cls)), None)
    on_some = isinstance(kept, ForeignName) or type(kept).__name__ == "OwnAttribute"
    return not isinstance(kept, Slip) and (not on_some or hasattr(value, name))


def in_slots(value: Any) -> dict[str, Any]:
    """Returns the attributes that a subclass of Value keeps in slots."""
    own = [cls for cls in type(value).__mro__ if not cls.__module__.startswith("chainrule.")]
    named = [name for cls in own for name, x in vars(cls).items() if isinstance(x, MemberDescriptorType)]
    return {name: getattr(value, name) for name in named if hasattr(value, name)}


def more_derived(cls: type, other: type) -> type:
    """Returns the class of a result: that of another operand if it derives from the class so far.

    A class that stands for numbers of another kind has `_results`, the class of what is calculated with it.
    """
    other = getattr(other, "_results", other)
    return other if issubclass(other, cls) else cls
