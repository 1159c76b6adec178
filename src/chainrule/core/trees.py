"""Numbers in nested lists, tuples and dicts: taken apart into one flat list, and put together again."""

from __future__ import annotations

import copy
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from chainrule.errors import OperandError

DEEPEST = 100
"""No list of numbers has more levels, unless it holds itself: so each walk over one ends, with an error that says why,
whatever Python's own limit of recursion is."""


def leaves(tree: Any) -> list[Any]:
    """The numbers of `tree` from left to right; a number by itself is a tree, too.

    Raises:
        OperandError: it is nested too deeply, or holds itself.

    >>> leaves({"w": [1.0, 2.0], "b": (3.0, [])})
    [1.0, 2.0, 3.0]
    """
    found: list[Any] = []
    _collect(tree, found, 0)
    return found


def _collect(tree: Any, found: list[Any], depth: int) -> None:
    if isinstance(tree, list | tuple | dict):
        if depth > DEEPEST:
            raise too_deep(tree)
        for branch in list(tree.values()) if isinstance(tree, dict) else tree:
            _collect(branch, found, depth + 1)
    else:
        found.append(tree)


def too_deep(tree: Any) -> OperandError:
    """The error for what has more levels than `DEEPEST`."""
    kind = type(tree).__name__ if isinstance(tree, list | tuple | dict) else "list"
    return OperandError(
        f"a {kind} holds itself, or is nested more than {DEEPEST} deep: give lists, tuples and dicts of numbers"
    )


def unflatten(like: Any, flat: Iterable[Any]) -> Any:
    """A tree of the shape of `like`, its numbers taken from `flat` in turn.

    >>> unflatten({"w": [1.0, 2.0], "b": (3.0,)}, "xyz")
    {'w': ['x', 'y'], 'b': ('z',)}
    """
    return _fill(like, iter(flat), 0)


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """`tree` with `function` applied to each of its numbers.

    >>> tree_map(abs, [1, (-2, {"b": -3})])
    [1, (2, {'b': 3})]
    """
    return unflatten(tree, [function(leaf) for leaf in leaves(tree)])


def _fill(like: Any, flat: Iterator[Any], depth: int) -> Any:
    if depth > DEEPEST:
        raise too_deep(like)
    if isinstance(like, dict):
        return rebuilt(like, [_fill(branch, flat, depth + 1) for branch in like.values()])
    if isinstance(like, list | tuple):
        return rebuilt(like, [_fill(branch, flat, depth + 1) for branch in like])
    return next(flat)


def rebuilt(like: Any, parts: list[Any]) -> Any:
    """A dict, list or tuple of the same class with other parts, one for each that `like` has; of a dict's class only
    where that is one of Python's own, for others may keep their numbers elsewhere as well: it is then a plain dict.

    >>> from collections import Counter
    >>> rebuilt((1, 2), [3, 4]), rebuilt(Counter("aa"), [5.0])
    ((3, 4), Counter({'a': 5.0}))
    """
    kind = type(like)
    if kind is list:
        return parts
    if isinstance(like, dict):
        new = copy.copy(like) if kind in (OrderedDict, defaultdict, Counter) else {}
        for key, part in zip(like.keys(), parts, strict=True):
            new[key] = part
        return new
    if hasattr(like, "_fields"):
        return kind(*parts)
    return tuple(parts) if kind is tuple else _of_own_class(like, parts)


def _of_own_class(like: Any, parts: list[Any]) -> Any:
    """A list or tuple of a class of somebody's own, with what its attributes hold."""
    plain: Any = list if isinstance(like, list) else tuple
    try:
        new = type(like)(parts)
    except TypeError:  # it is made of something else
        new = plain.__new__(type(like), parts)
        if plain is list:
            new[:] = parts
    if hasattr(like, "__dict__"):
        vars(new).update(vars(like))
    return new
