"""Numbers in nested lists, tuples and dicts: taken apart into one flat list, and put together again."""

from __future__ import annotations

import copy
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
        return rebuilt(like, [_fill(branch, flat) for branch in like.values()])
    if isinstance(like, list | tuple):
        return rebuilt(like, [_fill(branch, flat) for branch in like])
    return next(flat)


def rebuilt(like: Any, parts: list[Any]) -> Any:
    """A dict, list or tuple of the same class with other parts, one for each that `like` has.

    >>> from collections import Counter
    >>> rebuilt((1, 2), [3, 4]), rebuilt(Counter("aa"), [5.0])
    ((3, 4), Counter({'a': 5.0}))
    """
    kind = type(like)
    if kind is list:
        return parts
    if kind is dict:
        return dict(zip(like, parts, strict=True))
    if isinstance(like, tuple):
        return tuple.__new__(kind, parts)  # whatever the class takes when it is called
    new = copy.copy(like)
    for place, part in zip(like if isinstance(like, dict) else range(len(like)), parts, strict=True):
        new[place] = part
    return new
