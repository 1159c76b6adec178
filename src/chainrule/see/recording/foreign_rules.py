"""Our rules for operations of other engines: which operation of the table a result is, of which operands in which
order, and its local derivatives."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from chainrule.core.operation import TABLE, Operation
from chainrule.see.recording.readings import alike

OPERATIONS = {
    **{"+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow", "^": "pow", "×": "mul", "·": "mul", "−": "sub"},
    **{"radd": "add", "iadd": "add", "rsub": "sub", "isub": "sub", "rmul": "mul", "imul": "mul", "rpow": "pow"},
    **{"truediv": "div", "rtruediv": "div", "itruediv": "div", "negative": "neg", "ln": "log", "σ": "sigmoid"},
    **{"plus": "add", "minus": "sub", "times": "mul", "subtract": "sub", "multiply": "mul", "divide": "div"},
    **{"power": "pow", "ipow": "pow"},
}
"""Operations by the names that other engines and Python give them, where these are not the table's."""

MOST_SORTED = 3
"""Of so many operands in a set, all orders are tried."""
_NUMBER = r"-?\d+\.?\d*(?:e[+-]?\d+)?"
_POWER = re.compile(rf"(?:\*\*|\^|pow)\s*\(?({_NUMBER})\)?")


@dataclass(frozen=True)
class OfAnotherEngine:
    """An operation that is not in the table, or not with these operands."""

    name: str
    operand_names: tuple[str, ...]
    built_in = False

    @property
    def symbol(self) -> str:
        return self.name


@lru_cache(maxsize=1000)
def unknown(name: str, operands: int) -> OfAnotherEngine:
    """Returns the operation of this name that the table lacks, the same one each time."""
    return OfAnotherEngine(name, tuple([f"x{i + 1}" for i in range(operands)]))


class Operand(NamedTuple):
    """An operand: a number, and the place among the held objects, None for a plain number of the program."""

    number: float
    held: int | None


class Call(NamedTuple):
    """A call of a method that is running: its name and its arguments."""

    method: str
    arguments: tuple[Operand, ...]


class Rule(NamedTuple):
    """What is known of a result: its operation; its operands; and our local derivatives, None where there are none."""

    op: Any
    operands: tuple[Operand, ...]
    locals: tuple[float | None, ...]


def rule_of(numbers: Sequence[float], in_order: bool, y: float, operation: str, calls: Sequence[Call]) -> Rule:
    """Finds the rule for a result of another engine.

    Where several arrangements of operands are possible, that one counts which gives the result's number. If none does,
    the first: the number may be wrong.

    Args:
        numbers: those of the objects it holds as operands.
        in_order: whether these stand in order and as often as they occur, as they do not in a set.
        y: its own number.
        operation: the name that the engine gives it, or "".
        calls: the methods that are running, the innermost last.
    """
    first: tuple[Operation, tuple[Operand, ...]] | None = None
    for depth, (name, call) in enumerate(_names(operation, calls)):
        op, constants = _operation(name)
        if op is None:
            continue
        for operands in _arrangements(op, numbers, in_order, call, constants):
            if _gives(op, operands, y):
                return Rule(op, operands, local_derivatives(op, operands))
            if depth == 0:
                first = first or (op, operands)
    if first is not None:
        return Rule(*first, local_derivatives(*first))
    shown = operation or (calls[-1].method if calls else "?")
    left = tuple([Operand(x, i) for i, x in enumerate(numbers)])
    return Rule(unknown(shown, len(left)), left, (None,) * len(left))


def _names(operation: str, calls: Sequence[Call]) -> Iterator[tuple[str, Call | None]]:
    """The names under which the operation may be known, each with the call that tells its operands: the engine's own
    name, then those of the methods, from the innermost on."""
    if operation and _operation(operation)[0] is not None:
        yield operation, next((call for call in reversed(calls) if _operation(call.method)[0] is not None), None)
    for call in reversed(calls):
        yield call.method, call


def _operation(name: str) -> tuple[Operation | None, list[Operand]]:
    """The operation of the table that a name means, and the constants that the name holds, as in **2."""
    plain = name.strip().lower()
    if power := _POWER.fullmatch(plain):
        return TABLE["pow"], [Operand(float(power[1]), None)]
    word = plain.strip("_")
    return TABLE.get(OPERATIONS.get(plain, OPERATIONS.get(word, word))), []


def _arrangements(
    op: Operation, numbers: Sequence[float], in_order: bool, call: Call | None, constants: list[Operand]
) -> Iterator[tuple[Operand, ...]]:
    """The ways in which the operands may stand, the likeliest first. Only in a reflected method, and where no call
    tells it, there are several: a - b that gives b - a is a mistake."""
    held = [Operand(x, i) for i, x in enumerate(numbers)]
    count = len(held) if op.operand_names is None else len(op.operand_names)
    given = call.arguments if call else ()
    plain = constants or [x for x in given if x.held is None]
    ways: list[list[Operand]] = []
    if in_order or op.operand_names is None:
        ways = [held]
    elif given:
        ways = [_as_called(held, given)]
    elif len(held) == count <= MOST_SORTED:
        ways = [list(each) for each in itertools.permutations(held)]
    if len(held) + 1 == count:
        ways += [[*held, x] for x in plain]
        if not in_order:  # in a set, x * x is one
            ways.append([*held, *held])
    if call is None or call.method.startswith("__r"):
        ways = [each for way in ways for each in (way[::-1], way)] if call else [*ways, *[way[::-1] for way in ways]]
    yield from dict.fromkeys(tuple(way) for way in ways if len(way) == count)


def _as_called(held: list[Operand], given: Sequence[Operand]) -> list[Operand]:
    """The operands in the order of the call: a plain number may have become an object of its own meanwhile."""
    left = [x for x in held if x not in given]
    arranged = []
    for x in given:
        made = next((each for each in left if x.held is None and alike(each.number, x.number)), None)
        if made is not None:
            left.remove(made)
        arranged.append(made or x)
    return [*arranged, *left]


def _gives(op: Operation, operands: Sequence[Operand], y: float) -> bool:
    found = value_of(op, [x.number for x in operands])
    return found is not None and alike(found, y)


def value_of(op: Operation, numbers: Sequence[float]) -> float | None:
    """Returns what an operation of the table gives; None where it has no value."""
    try:
        return float(op.value(*numbers))
    except (ArithmeticError, ValueError):
        return None


def local_derivatives(op: Operation, operands: Sequence[Operand]) -> tuple[float | None, ...]:
    """Returns our local derivatives of an operation; None in plain numbers, and where there is none."""
    return slopes(op, [x.number for x in operands], [x.held is None for x in operands])


def slopes(op: Operation, numbers: Sequence[float], constant: Sequence[bool]) -> tuple[float | None, ...]:
    """Returns the local derivatives of an operation of the table at these numbers.

    Args:
        op: the operation.
        numbers: those of its operands.
        constant: which operands are plain numbers, in which there is none.
    """
    y = value_of(op, numbers)
    if y is None or math.isnan(y):
        return (None,) * len(numbers)
    row = op.row(list(numbers), y)
    return tuple([_slope(op, i, row, y) if op.flows(i) and not constant[i] else None for i in range(len(numbers))])


def _slope(op: Operation, i: int, row: Any, y: float) -> float | None:
    try:
        return float(op.slope(i, row, y))
    except (ArithmeticError, ValueError):
        return None
