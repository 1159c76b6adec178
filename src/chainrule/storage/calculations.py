"""What an operation does to a new node, in plain Python: one function for each that sets number and local derivatives.

It does what `Operation.slope` says for each operand in turn, but all that does not depend on the numbers is looked up
once, when the operation is used for the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from chainrule.core.operation import BY_CODE, number
from chainrule.core.stale import CONSTANT


class Calculations(dict[int, Callable[[Any], None]]):
    """The function of each operation that was used, by its code. It is called with a node that has its operands."""

    def __missing__(self, code: int) -> Callable[[Any], None]:
        op = BY_CODE[code]
        count = None if op.operand_names is None else len(op.operand_names)
        self[code] = made = {1: _of_one, 2: _of_two, None: _of_any_number}.get(count, _of_more)(op)
        return made


calculations = Calculations()


def _of_one(op: Any) -> Callable[[Any], None]:
    value, (local,) = op.value, _functions(op)

    def calculate(node: Any) -> None:
        (a,) = node._operands_
        x = a._data_
        y = value(x)
        if type(y) is not float:
            y = number(y, op.name)
        node._data_ = y
        slope = 0.0 if a._state_ & CONSTANT else local(x, y)
        node._locals_ = (slope if type(slope) is float else _as_float(slope, op),)

    return calculate


def _of_two(op: Any) -> Callable[[Any], None]:
    value, (first, second) = op.value, _functions(op)

    def calculate(node: Any) -> None:
        a, b = node._operands_
        x, z = a._data_, b._data_
        y = value(x, z)
        if type(y) is not float:
            y = number(y, op.name)
        node._data_ = y
        in_a = 0.0 if a._state_ & CONSTANT else first(x, z, y)
        if type(in_a) is not float:
            in_a = _as_float(in_a, op)
        in_b = 0.0 if b._state_ & CONSTANT else second(x, z, y)
        if type(in_b) is not float:
            in_b = _as_float(in_b, op)
        node._locals_ = in_a, in_b

    return calculate


def _of_more(op: Any) -> Callable[[Any], None]:
    value, functions = op.value, _functions(op)

    def calculate(node: Any) -> None:
        operands = node._operands_
        numbers = [x._data_ for x in operands]
        node._data_ = y = number(value(*numbers), op.name)
        each = zip(operands, functions, strict=True)
        slopes = [0.0 if x._state_ & CONSTANT else local(*numbers, y) for x, local in each]
        node._locals_ = tuple([slope if type(slope) is float else _as_float(slope, op) for slope in slopes])

    return calculate


def _of_any_number(op: Any) -> Callable[[Any], None]:
    value = op.value

    def calculate(node: Any) -> None:
        operands = node._operands_
        numbers = [x._data_ for x in operands]
        node._data_ = y = number(value(*numbers), op.name)
        local, row = op._limit if y in (inf, -inf) else op._locals, op.row(numbers, y)
        slopes = [0.0 if x._state_ & CONSTANT else local(i, row, y) for i, x in enumerate(operands)]
        node._locals_ = tuple([slope if type(slope) is float else _as_float(slope, op) for slope in slopes])

    return calculate


def _functions(op: Any) -> list[Callable[..., Any]]:
    return [local or _constant for local in op._locals]


def _constant(*numbers: float) -> float:
    return 0.0


def _as_float(slope: Any, op: Any) -> float:
    return 0.0 if slope is None else number(slope, f"the local derivative of {op.name}")
