"""Segments: nodes that one small loop calculates, and the table that says where their operands are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chainrule import ops
from chainrule.compiler.levels.nodes import (
    FIRST_OP,
    MINUS_ONE,
    NOTHING,
    ONE,
    TERMS,
    ZERO,
    Ints,
    Nodes,
    Truths,
    counting,
    spans,
)
from chainrule.operation import Operation

ANY = -1
"""So many operands as the table says."""

ACROSS = 0
"""In place of lanes: the lanes are the operands of one node."""

MOST_ROWS = 8
"""Operations of any number of operands, sums aside, have a loop of their own for each number up to this."""

LONG = 32
"""Sums of so many terms have a segment each."""

SUB, SUM, WEIGHTED, PRODUCTS, LONG_SUM, LONG_WEIGHTED, OTHER = range(7)
"""Shapes of sums of terms: a - b, Σ x, b + Σ ax, Σ ax; from OTHER on those of operations of `Nodes.ops`."""

_OF_TERMS: tuple[tuple[Operation, int], ...] = (
    *((ops.sub, 2), (ops.sum, ANY), (ops.weighted_sum, ANY), (ops.mul, ANY)),
    *((ops.sum, ANY), (ops.weighted_sum, ANY)),
)


@dataclass(frozen=True)
class Kind:
    """What a loop does.

    Attributes:
        op: the operation; `mul` of any number of operands is a sum of products.
        rows: how many operands it has, or ANY.
        lanes: how many nodes, or samples, go side by side, or ACROSS.
    """

    op: Operation
    rows: int
    lanes: int

    def __str__(self) -> str:
        side = f"{self.lanes} at a time" if self.lanes != ACROSS else "across its operands"
        return f"{self.op.name} of {self.rows if self.rows != ANY else 'any number'}, {side}"


@dataclass
class Segments:
    """Nodes in order of calculation, in segments.

    Attributes:
        nodes: all of them.
        count: for each node how many operands, terms or products it has.
        begins: where in `nodes` each segment begins, and the end of the last one.
        shape: for each segment one of the shapes above.
    """

    nodes: Ints
    count: Ints
    begins: Ints
    shape: Ints

    @property
    def lengths(self) -> Ints:
        """How many nodes each segment has."""
        return np.diff(self.begins)


def segmented(nodes: Nodes, order: Ints, ends: Ints, few: int, across: bool) -> Segments:
    """Cuts batches into segments.

    Args:
        nodes: the graph's.
        order: the nodes to calculate, in batches of one family.
        ends: for each batch the place in `order` where it ends.
        few: so many sums of one shape are worth a segment; fewer go together with those of other shapes.
        across: whether long sums may be calculated across their terms.
    """
    if not len(order):
        return Segments(order, order, np.zeros(1, np.int64), order)
    batch = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    shape, count, products = _shapes(nodes, order)
    long = (shape < OTHER) & (products >= LONG)
    if across:
        count[long & (shape == PRODUCTS)] = products[long & (shape == PRODUCTS)]
        shape[long] = np.where(shape[long] == SUM, LONG_SUM, LONG_WEIGHTED)
    own = np.where(long, np.arange(len(order)), 0)

    def put_in_order() -> Truths:
        nonlocal order, batch, shape, count, products, own
        by = np.lexsort((order, count, own, shape, batch))  # neighbours in the graph often have neighbours as operands
        order, batch, shape, count, products, own = (x[by] for x in (order, batch, shape, count, products, own))
        return _changes(batch, shape, own)

    new = put_in_order()
    group = np.cumsum(new) - 1
    some = (shape < LONG_SUM) & (own == 0)
    small = some & (np.bincount(group)[group] < few)
    together = np.bincount(batch[new & (small | some & (shape == WEIGHTED))], minlength=len(ends))
    merged = small & (together[batch] > 1)
    shape[merged], count[merged] = WEIGHTED, products[merged]
    begins = np.flatnonzero(put_in_order())
    return Segments(order, count, np.append(begins, len(order)), shape[begins])


def _changes(*keys: Ints) -> Truths:
    """For each place whether any of the keys differs from that before."""
    new = np.zeros(len(keys[0]), bool)
    new[0] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return new


def _shapes(nodes: Nodes, members: Ints) -> tuple[Ints, Ints, Ints]:
    """For each node its shape, how many operands, terms or products that has, and how many products as WEIGHTED."""
    shape, count = nodes.code[members] + OTHER - FIRST_OP, nodes.arity[members]
    products = count.copy()
    of_terms = np.flatnonzero(nodes.code[members] == TERMS)
    if len(of_terms):
        begins, n = nodes.start[members[of_terms]], count[of_terms] // 2
        factor = nodes.operands[spans(begins, 2 * n)[1::2]]
        at = np.append(0, np.cumsum(n)[:-1])
        plain = np.add.reduceat(factor == nodes.extra(ONE), at) == n
        biased = factor[at] == nodes.extra(ONE)
        minus = (n == 2) & biased & (factor[at + n - 1] == nodes.extra(MINUS_ONE))
        shape[of_terms] = np.select([plain, minus, biased], [SUM, SUB, WEIGHTED], PRODUCTS)
        count[of_terms] = n - (biased & ~plain & ~minus)
        products[of_terms] = n - biased
    return shape, count, products


# ---- the table -----------------------------------------------------------------------------------------------------


@dataclass
class _Blocks:
    """Nodes that go side by side, and where their operands are in the table.

    Attributes:
        of: for each node its block.
        lane: for each node its place there.
        size: for each block how many nodes it has.
        count: for each block the most operands, terms or products.
        any: for each block whether the table says how many.
        at: for each block where it begins, and the end of the last one.
    """

    of: Ints
    lane: Ints
    size: Ints
    count: Ints
    any: Truths
    at: Ints


def _blocks(segments: Segments, side: Ints) -> _Blocks:
    """The blocks of segments, of as many nodes as `side` has for each segment."""
    lengths = segments.lengths
    segment = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(segment)) - segments.begins[segment]
    lane = place % side[segment]
    first = np.flatnonzero(lane == 0)
    size = np.diff(first, append=len(segment))
    count = np.maximum.reduceat(segments.count, first) if len(first) else first
    shape = segments.shape[segment[first]]
    rows = count * np.where((shape >= WEIGHTED) & (shape < OTHER) & (shape != LONG_SUM), 2, 1)
    rows += (shape == WEIGHTED) | (shape == LONG_WEIGHTED)
    some = rows_of(segments)[segment[first]] == ANY
    at = np.append(0, np.cumsum(some + rows * size))
    return _Blocks(np.repeat(np.arange(len(first)), size), lane, size, count, some, at)


def rows_of(segments: Segments) -> Ints:
    """For each segment how many operands its nodes have, or ANY."""
