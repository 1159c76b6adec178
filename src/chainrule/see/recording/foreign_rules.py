"""Our rules for operations of other engines: which operation of the table it is, and its local derivatives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from chainrule.core.operation import TABLE, Operation

OPERATIONS = {
    **{"+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow", "neg": "neg", "relu": "relu", "tanh": "tanh"},
    **{"__add__": "add", "__radd__": "add", "__sub__": "sub", "__mul__": "mul", "__rmul__": "mul", "__pow__": "pow"},
    **{"__truediv__": "div", "__neg__": "neg", "__iadd__": "add", "__imul__": "mul"},
}
"""Operations by the names that other engines and Python give them."""


class OfAnotherEngine:
    """An operation that is not in the table, or not with these operands."""

    built_in = False

    def __init__(self, name: str, operands: int) -> None:
        self.name = self.symbol = name
        self.operand_names = tuple([f"x{i + 1}" for i in range(operands)])


class Rule(NamedTuple):
    """What is known of a result: its operation, None for a leaf; the local derivatives, None where they are not known;
    and whether they are the engine's own."""

    op: Any
    locals: tuple[float | None, ...]
    are_own: bool


def rule_of(node: Any, operands: Sequence[Any], method: str, kept: Sequence[str], named: Sequence[str]) -> Rule:
    """Finds the rule for an object of another engine.

    Args:
        node: the result.
        operands: the objects it is made of.
        method: the method that made it, "" if that is not known.
        kept: the attributes in which an engine may keep its local derivatives.
        named: the attributes in which it may keep the operation's name.
    """
    if not operands:
        return Rule(None, (), False)
    name = next((x for each in named if isinstance(x := getattr(node, each, None), str) and x), method) or "?"
    op, numbers, shown = _operation(name, [float(x.data) for x in operands])
    own = next((x for each in kept if isinstance(x := getattr(node, each, None), list | tuple)), None)
    if own is not None and len(own) == len(operands):
        return Rule(shown, tuple([float(x) for x in own]), True)
    if op is None:
        return Rule(shown, (None,) * len(operands), False)
    y = float(op.value(*numbers))
    return Rule(shown, tuple([op.slope(i, numbers, y) for i in range(len(operands))]), False)


def _operation(name: str, numbers: list[float]) -> tuple[Operation | None, list[float], Any]:
    """The operation of the table, its operands with the constants that the name holds, and what is shown."""
    plain = name.strip().lower()
    if power := re.fullmatch(r"\*\*\s*(-?[\d.]+(?:e-?\d+)?)", plain):
        return TABLE["pow"], [*numbers, float(power[1])], OfAnotherEngine(name, len(numbers))
    op = TABLE.get(OPERATIONS.get(plain, plain.strip("_")))
    if op is None or (op.operand_names is not None and len(op.operand_names) != len(numbers)):
        return None, numbers, OfAnotherEngine(name, len(numbers))
    return op, numbers, op
