"""Numbers in nested lists, tuples and dicts: taken apart into one flat list, and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """The numbers of `tree` from left to right; a number by itself is a tree, too.

    >>> leaves({"w": [1.0, 2.0], "b": (3.0, [])})
    [1.0, 2.0, 3.0]
    """
    if isinstance(tree, dict):
        return [leaf for branch in tree.values() for leaf in leaves(branch)]
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree]


def unflatten(like: Any, flat: Iterable[Any]) -> Any:
    """A tree of the shape of `like`, its numbers taken from `flat` in turn.

    >>> unflatten({"w": [1.0, 2.0], "b": (3.0,)}, "xyz")
    {'w': ['x', 'y'], 'b': ('z',)}
    """
    return _fill(like, iter(flat))


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """`tree` with `function` applied to each of its numbers.

    >>> tree_map(abs, [1, (-2, {"b": -3})])
    [1, (2, {'b': 3})]
    """
    return unflatten(tree, [function(leaf) for leaf in leaves(tree)])


def _fill(like: Any, flat: Iterator[Any]) -> Any:
    if isinstance(like, dict):
        return {key: _fill(branch, flat) for key, branch in like.items()}
    if isinstance(like, tuple) and hasattr(like, "_fields"):
        return type(like)(*[_fill(branch, flat) for branch in like])
    if isinstance(like, list | tuple):
        return type(like)([_fill(branch, flat) for branch in like])
    return next(flat)
