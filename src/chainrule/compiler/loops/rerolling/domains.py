"""Iteration domains: the loops that run over the members of a group, and operands as places, one for each member."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from chainrule.compiler.loops.program import Index
from chainrule.compiler.loops.rerolling.axes import index_at_points, index_of
from chainrule.core.operation import Operation


@dataclass
class Element:
    """An operand that is an element of an array: which one, for each member (and step of a run)."""

    group: int
    places: np.ndarray


@dataclass
class Inlined:
    """An operand that is calculated where it is used, without an array."""

    op: Operation
    arguments: list[Element | Inlined]


@dataclass
class Domain:
    """The iteration domain of a group: all points of a box, or some of them.

    Attributes:
        box: the extents of the loops.
        at: int[members, axes]: the point of each member; None if the members fill the box in order.
    """

    box: tuple[int, ...]
    at: np.ndarray | None = None

    def index(self, column: np.ndarray) -> Index:
        """Fits an Index over the axes to a column with one entry for each member."""
        return index_of(column, self.box) if self.at is None else index_at_points(column, self.at, self.box)

    def scattered(self, numbers: np.ndarray) -> np.ndarray:
        """Scatters the numbers of members to their points of the box; other points get the first number."""
        if self.at is None:
            return numbers.reshape(self.box)
        whole = np.full(self.box, numbers[0])
        whole[tuple(self.at.T)] = numbers
        return whole

    def points(self, count: int) -> np.ndarray:
        """int[members, axes]: the point of each member."""
        if self.at is not None:
            return self.at
        return np.array(np.unravel_index(np.arange(count), self.box), dtype=np.int64).T.reshape(count, len(self.box))

    def places(self, order: np.ndarray | None) -> np.ndarray:
        """For each member its flat place in the box; `order` is the order in which the members stand in the domain."""
        count = math.prod(self.box) if self.at is None else len(self.at)
        flat = np.arange(count) if self.at is None else np.ravel_multi_index(tuple(self.at.T), self.box)
        if order is None:
            return flat
        places = np.empty(count, dtype=np.int64)
        places[order] = flat
        return places

    def with_steps(self, steps: int) -> Domain:
        """The domain with one more axis, for the steps of sums of equal length."""
        if self.at is None:
            return Domain((*self.box, steps))
        count = len(self.at)
        points = np.concatenate([np.repeat(self.at, steps, axis=0), np.tile(np.arange(steps), count)[:, None]], axis=1)
        return Domain((*self.box, steps), points)


@dataclass
class Steps:
    """A run of operands: the number of steps of each member, and the summands of all members one after the other."""

    lengths: np.ndarray
    parts: list[Element | Inlined]
    any_order: bool = True

    @property
    def starts(self) -> np.ndarray:
        """The index of each member's first step."""
        return np.cumsum(self.lengths) - self.lengths

    def permuted(self, order: np.ndarray) -> Steps:
        """The steps of the members in another order."""
        lengths = self.lengths[order]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        steps = np.repeat(self.starts[order], lengths) + within
        return Steps(lengths, [permuted(x, steps) for x in self.parts], self.any_order)


def ascending_order(axes: tuple[int, ...], columns: np.ndarray) -> np.ndarray | None:
    """An order of the members in which columns mostly ascend along each axis; None if they do so already."""
    members = np.arange(math.prod(axes)).reshape(axes)
    order = members
    for axis, extent in enumerate(axes):
        if extent > 1:
            second = int(members.take(1, axis=axis).flat[0])
            steps = columns[second] - columns[0]
            if (steps < 0).sum() > (steps > 0).sum():
                order = np.flip(order, axis)
    return None if order is members else order.ravel()


def mostly_descends(columns: np.ndarray) -> bool:
    """Whether columns descend more often than they ascend."""
    steps = np.diff(columns, axis=0)
    return bool((steps < 0).sum() > (steps > 0).sum())


def permuted(x: Element | Inlined, order: np.ndarray) -> Element | Inlined:
    """An operand for the members in another order."""
    if isinstance(x, Element):
        return Element(x.group, x.places[order])
    return Inlined(x.op, [permuted(a, order) for a in x.arguments])
