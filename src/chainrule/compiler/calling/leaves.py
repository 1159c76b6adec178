"""Copies the numbers of many leaves to and from an array, for code that keeps parameters there while they change.

The compiled build has leaves.pyx in its place.
"""

from __future__ import annotations

from typing import Any

from chainrule.core import stale
from chainrule.engine import Value


def read_data(leaves: list[Value], numbers: Any) -> None:
    """Copies the number of each leaf to its place in `numbers`, an array of floats that is at least as long.

    >>> from array import array
    >>> from chainrule import Value
    >>> numbers = array("d", [0.0, 0.0])
    >>> read_data([Value(2.0), Value(3.0)], numbers)
    >>> numbers.tolist()
    [2.0, 3.0]
    """
    for i, leaf in enumerate(leaves):
        numbers[i] = leaf._data_


def write_data(leaves: list[Value], numbers: Any, before: Any) -> int:
    """Copies each number to its leaf; returns the place of one that did not have its number of `before`, or else -1.

    >>> from array import array
    >>> from chainrule import Value
    >>> leaves = [Value(2.0), Value(3.0)]
    >>> write_data(leaves, array("d", [4.0, 5.0]), array("d", [2.0, 0.0])), [leaf.data for leaf in leaves]
    (1, [4.0, 5.0])
    """
    other = -1
    for i, leaf in enumerate(leaves):
        if leaf._data_ != before[i] and before[i] == before[i]:
            other = i
    for i, leaf in enumerate(leaves):
        leaf._data_ = float(numbers[i])
        leaf._state_ = stale.written(leaf._state_)
    return other
