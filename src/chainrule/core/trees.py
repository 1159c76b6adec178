"""Trees, that is numbers in nested lists, tuples, dicts, arrays, tables and dataclasses: flattened to one list, and
rebuilt from it."""

from __future__ import annotations

import copy
import functools
import itertools
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from chainrule.core.arrays import array_of, cells_of, filled, is_array, is_table
from chainrule.errors import OperandError

DEEPEST = 100
"""The most levels that a tree may have: one with more probably holds itself. Every walk ends there with an error,
whatever Python's own recursion limit is."""

LEAF, ROW, NAMED, ARRAY, RECORD = range(5)
"""What a class is to a tree: a number, or anything else without parts; a list or tuple; a dict; an array or table; or
a dataclass."""

Rebuild = Callable[[Any, list[Any]], Any]


@functools.lru_cache(maxsize=1000)
def _kind(cls: Any) -> int:
    """Returns what objects of a class are to a tree. A class may say `_one_leaf = True`; and a dataclass is a leaf if
    its `__init__` does not take just its fields, since another could not be made of other numbers."""
    if issubclass(cls, dict):
        return NAMED
    if issubclass(cls, list | tuple):
        return ROW
    if is_array(cls) or is_table(cls):
        return ARRAY
    if not is_dataclass(cls) or hasattr(cls, "_one_leaf"):
        return LEAF
    takes_more = any(
        "INITVAR" in repr(getattr(field, "_field_type", "")) for field in cls.__dataclass_fields__.values()
    )
    return RECORD if all(field.init for field in fields(cls)) and not takes_more else LEAF


def fields_of(record: Any) -> tuple[str, ...]:
    """Returns the names of the fields of a dataclass."""
    return tuple([field.name for field in fields(record)])


def kind_of(x: Any) -> int:
    """Returns what an object is to a tree."""
    return _kinds(type(x))


_kinds: Any = _kind  # called with a class, which is hashable, though mypy doubts it


def is_tree(x: Any) -> bool:
    """Returns whether `x` has parts."""
    return _kinds(type(x)) != LEAF and parts_of(x) is not None


def parts_of(x: Any) -> Sequence[Any] | None:
    """Returns the parts of a list, tuple, dict, array or dataclass; None for anything else."""
    return _parts(x, 0, _never)


def leaves(tree: Any, whole: Callable[[Any], bool] | None = None) -> list[Any]:
    """Returns the numbers of `tree` from left to right; a single number is a tree, too.

    Args:
        tree: numbers in nested lists, tuples, dicts, arrays (row by row) and dataclasses.
        whole: says of an array, table or dataclass whether it is not to be taken apart, but is a leaf.

    Raises:
        OperandError: the tree is nested too deeply, or holds itself.

    >>> leaves({"w": [1.0, 2.0], "b": (3.0, [])})
    [1.0, 2.0, 3.0]
    """
    if _kinds(type(tree)) == LEAF:
        return [tree]
    found: list[Any] = []
    _collect(tree, found, 0, whole or _never)
    return found


def _never(record: Any) -> bool:
    return False


def _collect(tree: Any, found: list[Any], depth: int, whole: Callable[[Any], bool]) -> None:
    parts = _parts(tree, depth, whole)
    if parts is None:
        found.append(tree.item() if kind_of(tree) == ARRAY and not tree.shape else tree)
        return
    for branch in parts:
        if _kinds(type(branch)) == LEAF:  # by far the most
            found.append(branch)
        else:
            _collect(branch, found, depth + 1, whole)


def _parts(tree: Any, depth: int, whole: Callable[[Any], bool]) -> Sequence[Any] | None:
    """The parts of a tree; None if it has none, as an array without axes."""
    kind = _kinds(type(tree))
    if kind == LEAF or (kind >= ARRAY and whole(tree)):
        return None
    if depth > DEEPEST:
        raise too_deep(tree)
    if kind == ROW:
        return tree
    if kind == NAMED:
        return list(tree.values())
    if kind == ARRAY:
        return cells_of(tree)
    return [getattr(tree, name) for name in fields_of(tree)]


def too_deep(tree: Any) -> OperandError:
    """Returns the error for a tree that has more than `DEEPEST` levels."""
    kind = type(tree).__name__ if isinstance(tree, list | tuple | dict) else "list"
    return OperandError(
        f"a {kind} holds itself, or is nested more than {DEEPEST} deep: give lists, tuples and dicts of numbers"
    )


def unflatten(like: Any, flat: Iterable[Any], rebuild: Rebuild | None = None, whole: Any = None) -> Any:
    """Returns a tree of the shape of `like` whose numbers are taken from `flat` in turn.

    Args:
        like: a tree.
        flat: something in place of each of its numbers.
        rebuild: makes each level of the tree from that of `like` and the new parts: `rebuilt`, if left out.
        whole: as for `leaves`.

    >>> unflatten({"w": [1.0, 2.0], "b": (3.0,)}, "xyz")
    {'w': ['x', 'y'], 'b': ('z',)}
    """
    if _kinds(type(like)) == LEAF:
        return next(iter(flat))
    return _fill(like, iter(flat), 0, rebuild or rebuilt, whole or _never)


def tree_map(function: Callable[[Any], Any], tree: Any, rebuild: Rebuild | None = None) -> Any:
    """Returns `tree` with `function` applied to each of its numbers.

    >>> tree_map(abs, [1, (-2, {"b": -3})])
    [1, (2, {'b': 3})]
    """
    return unflatten(tree, [function(leaf) for leaf in leaves(tree)], rebuild)


def _fill(like: Any, flat: Iterator[Any], depth: int, rebuild: Rebuild, whole: Callable[[Any], bool]) -> Any:
    parts = _parts(like, depth, whole)
    if parts is None:
        return next(flat)
    return rebuild(like, [_fill(branch, flat, depth + 1, rebuild, whole) for branch in parts])


def ways(tree: Any) -> list[str]:
    """Returns for each number of a tree how one gets to it from the tree, as text.

    >>> ways({"w": [1.0, (2.0,)]})
    ["['w'][0]", "['w'][1][0]"]
    """
    parts = parts_of(tree)
    return (
        [""]
        if parts is None
        else [f"{step}{rest}" for step, part in zip(_steps(tree), parts, strict=True) for rest in ways(part)]
    )


def _steps(tree: Any) -> Iterable[str]:
    """The step to each part of a tree."""
    kind = kind_of(tree)
    if kind == ARRAY:
        places = itertools.product(*map(range, array_of(tree).shape))
        return [f"[{', '.join(map(str, place))}]" for place in places]
    if kind == RECORD:
        return [f".{name}" for name in fields_of(tree)]
    return [f"[{key!r}]" for key in (tree if kind == NAMED else range(len(tree)))]


# ---- one level, with other parts ------------------------------------------------------------------------------------


def rebuilt(like: Any, parts: list[Any]) -> Any:
    """Returns a dict, list, tuple, array or dataclass of the class of `like` with other parts, one for each of its own.

    A dict of a class that is not Python's own becomes a plain dict: such a class may keep its numbers elsewhere too. An
    array, or a table, becomes an array: of floats, if all parts are plain numbers; a tree of arrays, if they are trees.

    >>> from collections import Counter
    >>> rebuilt((1, 2), [3, 4]), rebuilt(Counter("aa"), [5.0])
    ((3, 4), Counter({'a': 5.0}))
    """
    cls: Any = type(like)
    if cls is list:
        return parts
    if cls is Form:
        return _stacked(parts, like.of) if like.like is None else rebuilt(like.like, parts)
    kind = _kind(cls)
    if kind == ARRAY:
        return _stacked(parts, array_of(like).shape)
    if kind == ROW:
        return _of_row(like, parts)
    return _of_dict(like, parts) if kind == NAMED else _of_record(cls, parts)


def _of_dict(like: dict, parts: list[Any]) -> dict:
    new = copy.copy(like) if type(like) in (OrderedDict, defaultdict, Counter) else {}
    for key, part in zip(like.keys(), parts, strict=True):
        new[key] = part
    return new


def _of_row(like: Any, parts: list[Any]) -> Any:
    if hasattr(like, "_fields"):
        return type(like)(*parts)
    return tuple(parts) if type(like) is tuple else _of_own_class(like, parts)


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


def _of_record(cls: Any, parts: list[Any]) -> Any:
    """Returns a dataclass with these fields. Its `__init__` does not run: it may refuse numbers such as derivatives."""
    new = cls.__new__(cls)
    for name, part in zip(fields_of(cls), parts, strict=True):
        object.__setattr__(new, name, part)
    return new


def _stacked(parts: list[Any], shape: tuple[int, ...]) -> Any:
    """Returns an array of this shape; if the parts are trees of one form, such a tree of arrays, whose first axes are
    those of the shape."""
    inner = parts_of(parts[0]) if parts else None
    if inner is None or kind_of(parts[0]) == ARRAY:
        return filled(parts, shape)
    columns = zip(*[parts_of(part) or () for part in parts], strict=True)
    return rebuilt(parts[0], [_stacked(list(column), shape) for column in columns])


def as_argument(like: Any, parts: list[Any]) -> Any:
    """Does what `rebuilt` does, for a tree that a function is called with: the `__post_init__` of a dataclass runs, so
    what it derives from the fields is derived from the new ones.

    Raises:
        OperandError: `__post_init__` changes the fields: they would be others than those of the caller.
    """
    new = rebuilt(like, parts)
    if kind_of(new) == RECORD and hasattr(new, "__post_init__"):
        new.__post_init__()
        before, after = leaves(parts), leaves(new)
        if len(before) != len(after) or any(a is not b for a, b in zip(before, after, strict=True)):
            raise OperandError(
                f"the __post_init__ of {type(new).__name__} changes its fields, which would then be others than those "
                "it was given: do that in a function that makes one, or in a property"
            )
    return new


class Form(tuple):
    """What stands for an array or a dataclass where the structure of a tree is kept: its parts, and what it is.

    Args:
        parts: the parts.
        of: the shape of an array, or the class of a dataclass.
        like: the dataclass; None for an array.
    """

    of: Any
    like: Any

    def __new__(cls, parts: Iterable[Any], of: Any, like: Any = None) -> Form:
        new = super().__new__(cls, parts)
        new.of, new.like = of, like
        return new

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Form) and self.of == other.of and tuple.__eq__(self, other)

    def __hash__(self) -> int:
        return hash((self.of, tuple(self)))

    def __ne__(self, other: object) -> bool:
        return not self == other


def formed(like: Any, parts: list[Any]) -> Any:
    """Does what `rebuilt` does, for the structure of a tree: with a `Form` for each array and dataclass, so that two
    structures can be compared."""
    cls: Any = type(like)
    if cls is Form:
        return Form(parts, like.of, like.like)
    kind = _kind(cls)
    if kind == ARRAY:
        return Form(parts, array_of(like).shape)
    return Form(parts, cls, like) if kind == RECORD else rebuilt(like, parts)
