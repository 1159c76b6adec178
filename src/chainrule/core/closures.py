"""Refuses what micrograd's programs do to a Value from outside, and shows their own operation as chainrule has it."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any

from chainrule.core.modes import caller
from chainrule.core.operation import HOW_TO_ADD, TABLE, check_label
from chainrule.errors import OperandError, ReadOnlyError
from chainrule.reading.closures import as_operation

_INNER = {"__init__", "_backward", "<lambda>"}

_NOTHING = (lambda: None).__code__

_STAYS = (
    "how a Value was made, its _backward included, stays as it is: leave the line out. pickle.dumps(v) works without "
    "it, a graph is freed with the last reference to its result, and v.detach() is a leaf with the same number"
)


def fixed(read: Callable[[Any], Any], doc: str | None = None, closure: bool = False) -> property:
    """Returns a property that tells how a Value was made, which is not changed from outside.

    What changes nothing is let pass: to empty what is empty on a leaf, or to take away a closure, which no Value has.

    Args:
        read: its getter.
        doc: its docstring.
        closure: whether this is micrograd's `_backward`.
    """

    def write(value: Any, x: Any = None) -> None:
        if not _is_empty(x):
            how = _how_to_add("")
            raise ReadOnlyError(f"how a Value was made, its _backward included, cannot be changed from outside. {how}")
        if not (value.is_leaf() or (closure and x is None)):
            raise ReadOnlyError(f"{_STAYS}. {_how_to_add('')}" if callable(x) else _STAYS)

    return property(read, write, write, doc)


def label_alone(label: Any, rest: tuple, operands: Any, op: Any) -> str:
    """Returns the label of a leaf that is made as in micrograd, `Value(data, operands, operation, label)`, or with
    these by name: without operands. An operation that is none of the table's is the label of a leaf that has no other.

    Raises:
        ReadOnlyError: there are operands, or an operation of the table, as where micrograd makes a result.
        OperandError: the label is of another kind.
    """
    if not isinstance(label, str | tuple | list | set | frozenset | None):
        raise OperandError(f"a label is a str, and a Value is made of one number: Value(data, label={str(label)!r})")
    if isinstance(label, str):
        own, others = label, rest
    else:
        op, own, others = (*rest, op)[0], (*rest[1:], "")[0], rest[2:]
    operands = operands if isinstance(label, str) else label or operands
    own = "" if own is None else own
    check_label(own)
    if operands or others or not isinstance(op, str | None) or _known(op):
        how = _how_to_add(op if isinstance(op, str) else "")
        raise ReadOnlyError(f"a Value that is made from outside is a leaf, Value(data, label), without operands. {how}")
    return own or op or ""


def _is_empty(x: Any) -> bool:
    """Returns whether something is None, holds nothing, or is a function that does nothing, such as `lambda: None`."""
    if isinstance(x, FunctionType):
        return (x.__code__.co_code, x.__code__.co_consts) == (_NOTHING.co_code, _NOTHING.co_consts)
    return x is None or (isinstance(x, str | tuple | list | set | frozenset) and not x)


def _known(op: Any) -> Any:
    """Returns the operation of the table that has this name or symbol; None if there is none."""
    return next((each for each in TABLE.values() if each.built_in and op in (each.name, each.symbol)), None)


def _how_to_add(op: str) -> str:
    """Returns how an operation is made: the one that the user's line is part of, where it can be seen."""
    frame: FrameType | None = caller()
    while frame is not None and frame.f_code.co_name in _INNER:
        frame = frame.f_back
    known = _known(op)
    if known is not None:
        call = f"chainrule.{known.name}({', '.join(known.operand_names or ())})"
        return f"This operation is chainrule's already: {call} makes its node"
    name, definition = ("", "") if frame is None else as_operation(frame.f_code, op, frame.f_lineno)
    return f"Your operation {name}, as chainrule has it:\n\n{definition}" if definition else HOW_TO_ADD
