"""Calls that take lists: how their arguments become the operands of one operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from chainrule.errors import OperandError, SizeError, shown


class Row(list):
    """The operands of a node, as its local derivatives get them. What several of these ask an operation to calculate of
    all operands, such as `argmax(xs)`, is calculated once.
    """

    __slots__ = ("_known",)

    _known: dict[int, Any]

    def result_of(self, op: Any) -> Any:
        """Returns the result of an operation that takes a list, for all operands."""
        try:
            known = self._known
        except AttributeError:  # nothing was asked so far, as of most rows
            known = self._known = {}
        if op.code not in known:
            known[op.code] = op.on(self)
        return known[op.code]


@lru_cache(maxsize=1000)
def names_any(local: Callable) -> bool:
    """Returns whether a local derivative may ask operations for what they make of all operands: it names something
    beside its arguments, or its text is unknown."""
    code = getattr(local, "__code__", None)
    return code is None or bool(code.co_names or code.co_freevars)


def constant_in_all(index: int, operands: Sequence, y: object) -> None:
    """The local derivative of an operation of any number of operands that is constant in all of them."""


def listed(values: Iterable) -> list:
    """Returns the numbers of a list, as operands."""
    if not isinstance(values, Iterable):
        raise OperandError(f"a list of numbers is needed, such as sum([a, b]), not {shown(values)}")
    return list(values)


def neuron(weights: Sequence, inputs: Sequence, bias: object = 0.0) -> list:
    """Returns the operands of a neuron: b, w₁, x₁, w₂, x₂, …"""
    try:
        count = len(weights)
        if count != len(inputs):
            message = f"weighted_sum has {count} weights but {len(inputs)} inputs"
            raise SizeError(f"{message}: give one weight an input")
        operands = [bias] * (2 * count + 1)
        operands[1::2] = weights
        operands[2::2] = inputs
    except TypeError:
        raise OperandError("weighted_sum takes two lists and a bias: weighted_sum([w1, w2], [x1, x2], b)") from None
    return operands


def chosen(values: Sequence, place: object) -> list:
    """Returns a place and the numbers of a list, as operands."""
    return [place, *listed(values)]


def at_least_one(values: Iterable) -> list:
    """Returns the numbers of a list that must not be empty, as operands."""
    numbers = listed(values)
    if not numbers:
        raise OperandError("there is no mean of an empty list: give at least one number")
    return numbers


BUNDLE = 8
"""So many numbers are bundled into one."""


def bundles(values: Iterable, operation: Callable[[list], object]) -> list:
    """Returns the numbers of a list, if there are few; otherwise results of an operation on eight of them at a time."""
    numbers = listed(values)
    while len(numbers) > BUNDLE:
        numbers = [operation(numbers[k : k + BUNDLE]) for k in range(0, len(numbers), BUNDLE)]
    return numbers
