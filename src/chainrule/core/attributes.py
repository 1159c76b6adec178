"""Attributes of the user's own on Values, such as `p.momentum = 0.0`: which names are refused, and what classes keep.

A name one edit away from `data`, `grad`, `label` or a method is taken for a slip of the keyboard: `v.gard = 0` would
otherwise change nothing, in silence. Where the attributes lie is up to each build of the engine (`storage/nodes.py`).
"""

from __future__ import annotations

import functools
import string
from types import MemberDescriptorType
from typing import Any, NoReturn

from chainrule.errors import MissingAttributeError

ATTRIBUTES = ("data", "grad", "label")
SHORTEST = 4
"""Methods of fewer letters are not taken for what was meant: `p.lr` is no slip of `lt`, nor `p.tau` of `tan`."""


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


@functools.lru_cache(maxsize=1000)
def meant(cls: type, name: str) -> str:
    """Returns the attribute or method of a class of Values of which `name` is a slip; "" if there is none."""
    methods = [x for x in dir(cls) if not x.startswith("_") and len(x) >= SHORTEST and abs(len(x) - len(name)) < 2]
    known = [x for x in methods if hasattr(cls, x) and x not in ATTRIBUTES]
    return next((x for x in (*ATTRIBUTES, *known) if name in one_edit_away(x)), "")


def refuse_slip(name: str, right: str) -> NoReturn:
    """Refuses a name that is one edit away from the right one."""
    raise MissingAttributeError(f"a Value has no attribute {name!r}. Did you mean {right!r}?")


def check_name(cls: type, name: str) -> None:
    """Refuses a new attribute whose name is a slip of another. (Every object of a subclass asks: answers are kept.)"""
    if right := meant(cls, name):
        refuse_slip(name, right)


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
    return [Slip(name, right) for right in ATTRIBUTES for name in sorted(one_edit_away(right, letters))]


def is_there(value: Any, name: str) -> bool:
    """Returns whether `dir` tells of a name: not of slips, nor of what only other Values have."""
    kept = next((vars(cls)[name] for cls in type(value).__mro__ if name in vars(cls)), None)
    return not isinstance(kept, Slip) and (type(kept).__name__ != "OwnAttribute" or hasattr(value, name))


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
