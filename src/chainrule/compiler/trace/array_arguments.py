"""How a traced function sees a NumPy array: as nested lists that refuse operators with another meaning for lists."""

from __future__ import annotations

from typing import Any

from chainrule.core.trees import DEEPEST, too_deep
from chainrule.errors import OperandError


class Rows(list):
    """The rows of an array, or its numbers. For arrays `x + y` adds numbers, for lists it joins them; so it is refused.

    >>> Rows([1.0, 2.0])[0], len(Rows([1.0, 2.0]))
    (1.0, 2)
    >>> Rows([1.0]) + Rows([2.0])
    Traceback (most recent call last):
    chainrule.errors.OperandError: an array is a list in a compiled function: for +, say [a + b for a, b in zip(x, y)]
    """

    __slots__ = ()
    __array_ufunc__ = None

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, tuple):
            shown = "".join([f"[{i!r}]" if isinstance(i, int) else "[…]" for i in at])
            raise OperandError(f"an array is nested lists in a compiled function: say x{shown} for x[{at!r}]")
        return super().__getitem__(at)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"an array is nested lists in a compiled function, which have no {name!r}: go through its numbers, "
            "[f(a) for a in x], or ask the array before the call"
        )


def _refusing(sign: str) -> Any:
    def refuse(self: Rows, *other: Any) -> Any:
        raise OperandError(
            f"an array is a list in a compiled function: for {sign}, say [a {sign} b for a, b in zip(x, y)]"
        )

    return refuse


for _sign, _names in {
    "+": ("add", "radd", "iadd"),
    "-": ("sub", "rsub"),
    "*": ("mul", "rmul", "imul"),
    "/": ("truediv", "rtruediv"),
    "**": ("pow", "rpow"),
    "@": ("matmul", "rmatmul"),
    "<": ("lt",),
    "<=": ("le",),
    ">": ("gt",),
    ">=": ("ge",),
}.items():
    for _name in _names:
        setattr(Rows, f"__{_name}__", _refusing(_sign))


def rows_of(nested: Any) -> Any:
    """Converts nested lists to Rows."""
    return Rows([rows_of(part) for part in nested]) if isinstance(nested, list) else nested


def lists_of(tree: Any, depth: int = 0) -> Any:
    """Converts the Rows in a result to plain lists.

    Raises:
        OperandError: it is nested too deeply, or holds itself.
    """
    if depth > DEEPEST:
        raise too_deep(tree)
    if isinstance(tree, Rows):
        return [lists_of(part, depth + 1) for part in tree]
    if isinstance(tree, dict):
        return {key: lists_of(part, depth + 1) for key, part in tree.items()}
    if type(tree) in (list, tuple):
        return type(tree)([lists_of(part, depth + 1) for part in tree])
    return tree
