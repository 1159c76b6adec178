"""Frames: the loops in which the members of a group are, and the operands as rows of places, one for each member."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from chainrule.compiler.loops.finding.axes import fitted, index_of
from chainrule.compiler.loops.program import Index
from chainrule.core.operation import Operation


@dataclass
class Element:
    """An operand that is an element of an array: which, for each member (and step of a run)."""

    group: int
    places: np.ndarray


@dataclass
class Calculated:
    """An operand that is calculated on the spot."""

    op: Operation
    arguments: list[Element | Calculated]


@dataclass
class Frame:
    """The loops in which the members of a group are: all places of a box, or some points of it.

    Attributes:
        box: the extents of the loops.
        at: int[members, axes]: where in the box each member is; None if they fill it in order.
    """

    box: tuple[int, ...]
    at: np.ndarray | None = None

    def index(self, column: np.ndarray) -> Index:
        """A column, with an entry for each member, as an Index over the axes."""
        return index_of(column, self.box) if self.at is None else fitted(column, self.at, self.box)

    def spread(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers of members, each at its point of the box; elsewhere the first of them."""
        if self.at is None:
            return numbers.reshape(self.box)
        whole = np.full(self.box, numbers[0])
        whole[tuple(self.at.T)] = numbers
        return whole

    def points(self, count: int) -> np.ndarray:
        """int[members, axes]: where in the box each member is."""
        if self.at is not None:
            return self.at
        return np.array(np.unravel_index(np.arange(count), self.box), dtype=np.int64).T.reshape(count, len(self.box))

    def places(self, order: np.ndarray | None) -> np.ndarray:
        """For each member, which stands in the frame as `order` says, its flat place in the box."""
        count = math.prod(self.box) if self.at is None else len(self.at)
        flat = np.arange(count) if self.at is None else np.ravel_multi_index(tuple(self.at.T), self.box)
        if order is None:
            return flat
        found = np.empty(count, dtype=np.int64)
        found[order] = flat
        return found

    def with_steps(self, steps: int) -> Frame:
        """The frame with one more axis, that of the steps of sums of equal length."""
        if self.at is None:
            return Frame((*self.box, steps))
        count = len(self.at)
        points = np.concatenate([np.repeat(self.at, steps, axis=0), np.tile(np.arange(steps), count)[:, None]], axis=1)
        return Frame((*self.box, steps), points)


@dataclass
class Steps:
    """A run of operands: for each member its length, and for all members one after the other what is added up."""

    lengths: np.ndarray
    parts: list[Element | Calculated]
    any_order: bool = True

    @property
    def starts(self) -> np.ndarray:
        """Where in the row of all steps those of each member begin."""
        return np.cumsum(self.lengths) - self.lengths

    def picked(self, order: np.ndarray) -> Steps:
        """The steps of members in another order."""
        lengths = self.lengths[order]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        steps = np.repeat(self.starts[order], lengths) + within
        return Steps(lengths, [picked(x, steps) for x in self.parts], self.any_order)


def forward(axes: tuple[int, ...], columns: np.ndarray) -> np.ndarray | None:
    """An order of the members in which, along each axis, columns mostly grow; None: they do."""
    members = np.arange(math.prod(axes)).reshape(axes)
    turned = members
    for axis, extent in enumerate(axes):
        if extent > 1:
            second = int(members.take(1, axis=axis).flat[0])
            steps = columns[second] - columns[0]
            if (steps < 0).sum() > (steps > 0).sum():
                turned = np.flip(turned, axis)
    return None if turned is members else turned.ravel()


def backwards(columns: np.ndarray) -> bool:
    """Whether columns shrink more often than they grow."""
    steps = np.diff(columns, axis=0)
    return bool((steps < 0).sum() > (steps > 0).sum())


def picked(x: Element | Calculated, order: np.ndarray) -> Element | Calculated:
    """An operand for members in another order."""
    if isinstance(x, Element):
        return Element(x.group, x.places[order])
    return Calculated(x.op, [picked(a, order) for a in x.arguments])
