"""Refuses what micrograd's programs do to a Value from outside, and shows their own operation as chainrule has it."""

from __future__ import annotations

from types import FrameType
from typing import Any, NoReturn

from chainrule.core.modes import caller
from chainrule.core.operation import HOW_TO_ADD, TABLE
from chainrule.errors import MissingAttributeError, OperandError, ReadOnlyError
from chainrule.reading.closures import as_operation

_INNER = {"__init__", "_backward", "<lambda>"}


def refuse_change(value: Any, x: Any) -> NoReturn:
    """Refuses to set a read-only property, as its setter."""
    how = _how_to_add("")
    raise ReadOnlyError(f"how a Value was made, its _backward included, cannot be changed from outside. {how}")


def label_alone(label: Any, op: Any = "", own_label: Any = "", *others: Any) -> str:
    """Returns the label that is given to `Value(…)`, or "" for the empty operands of a leaf of micrograd's.

    Raises:
        ReadOnlyError: there are operands, as micrograd's operations give them.
        OperandError: the label is of another kind.
    """
    if not isinstance(label, str | tuple | list | set):
        raise OperandError(f"a label is a str, and a Value is made of one number: Value(data, label={str(label)!r})")
    if op or others or (label and not isinstance(label, str)):
        how = _how_to_add(op if isinstance(op, str) else "")
        raise ReadOnlyError(f"Value(data, label): the label is a str; no operands from outside. {how}")
    return label if isinstance(label, str) else own_label


def refuse_softmax(value: Any) -> NoReturn:
    """Refuses `v.softmax(others)`, as a property: no number has a softmax of its own."""
    raise MissingAttributeError(
        "a Value has no softmax, which is of a list of numbers:\n\n"
        "    total = chainrule.logsumexp(xs)\n    probabilities = [chainrule.exp(x - total) for x in xs]"
    )


def refuse_topo(value: Any) -> NoReturn:
    """Refuses `v.topo()`, as a property."""
    raise MissingAttributeError("a Value has no method for the order of its graph: say chainrule.topological_order(v)")


def _how_to_add(op: str) -> str:
    """Returns how an operation is made: the one that the user's line is part of, where it can be seen."""
    frame: FrameType | None = caller()
    while frame is not None and frame.f_code.co_name in _INNER:
        frame = frame.f_back
    known = next((each for each in TABLE.values() if each.built_in and op in (each.name, each.symbol)), None)
    if known is not None:
        call = f"chainrule.{known.name}({', '.join(known.operand_names or ())})"
        return f"This operation is chainrule's already: {call} makes its node"
    name, definition = ("", "") if frame is None else as_operation(frame.f_code, op)
    return f"Your operation {name}, as chainrule has it:\n\n{definition}" if definition else HOW_TO_ADD
