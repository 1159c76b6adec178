"""Trees, that is numbers in nested lists, tuples and dicts: flattened to one list, and rebuilt from it."""

from __future__ import annotations

import copy
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from chainrule.errors import OperandError

DEEPEST = 100
"""The most levels that a tree may have: one with more probably holds itself. Every walk ends there with an error,
whatever Python's own recursion limit is."""


def leaves(tree: Any) -> list[Any]:
    """Returns the numbers of `tree` from left to right; a single number is a tree, too.

    Raises:
        OperandError: the tree is nested too deeply, or holds itself.

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
    """Returns the error for a tree that has more than `DEEPEST` levels."""
    kind = type(tree).__name__ if isinstance(tree, list | tuple | dict) else "list"
    return OperandError(
        f"a {kind} holds itself, or is nested more than {DEEPEST} deep: give lists, tuples and dicts of numbers"
    )


def unflatten(like: Any, flat: Iterable[Any]) -> Any:
    """Returns a tree of the shape of `like` whose numbers are taken from `flat` in turn.

    >>> unflatten({"w": [1.0, 2.0], "b": (3.0,)}, "xyz")
    {'w': ['x', 'y'], 'b': ('z',)}
    """
    return _fill(like, iter(flat), 0)


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """Returns `tree` with `function` applied to each of its numbers.

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
    """Returns a dict, list or tuple of the class of `like` with other parts, one for each of its own. A dict of a class
    that is not Python's own becomes a plain dict: such a class may keep its numbers elsewhere as well.

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
    """Returns a list or tuple of a class that is not Python's own, with the attributes of `like`."""
    plain: Any = list if isinstance(like, list) else tuple
    try:
        new = type(like)(parts)
    except TypeError:  # the class is not called with its parts
        new = plain.__new__(type(like), parts)
        if plain is list:
            new[:] = parts
    if hasattr(like, "__dict__"):
        vars(new).update(vars(like))
    return new
