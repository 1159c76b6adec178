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
"""So many rows of operands as the segment says."""

ACROSS = 0
"""In place of lanes: one node, the lanes being its operands."""

MOST_ROWS = 8
"""Operations of any number of operands, sums aside, have a loop of their own for each number up to this."""

LONG = 32
"""From so many terms on, a sum is calculated across its operands."""

COPY, NEG, MUL, ADD, SUB, SUM, WEIGHTED, PRODUCTS, LONG_SUM, LONG_WEIGHTED, OTHER = range(11)
"""Shapes of sums of terms: ±x, ab, a ± b, Σ x, b + Σ ax, Σ ax; from OTHER on those of operations of `Nodes.ops`."""

_OF_TERMS: tuple[tuple[Operation, int], ...] = (
    *((ops.identity, 1), (ops.neg, 1), (ops.mul, 2), (ops.add, 2), (ops.sub, 2)),
    *((ops.sum, ANY), (ops.weighted_sum, ANY), (ops.mul, ANY), (ops.sum, ANY), (ops.weighted_sum, ANY)),
)
_PLAIN, _LONGS = (COPY, NEG, ADD, SUB, SUM, LONG_SUM), (LONG_SUM, LONG_WEIGHTED)


@dataclass(frozen=True)
class Kind:
    """What a loop does.

    Attributes:
        op: the operation; `mul` with any number of rows is a sum of products.
        rows: how many rows of operands there are, or ANY.
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
        begins: where in `nodes` each segment begins, and the end of the last one.
        shape: for each segment one of the shapes above.
        count: for each segment the most operands, or products, that a node of it has.
    """

    nodes: Ints
    begins: Ints
    shape: Ints
    count: Ints

    @property
    def lengths(self) -> Ints:
        """How many nodes each segment has."""
        return np.diff(self.begins)

    @property
    def rows(self) -> Ints:
        """How many operands each segment's table has for a node."""
        rows = self.count * np.where(self.shape == PRODUCTS, 2, 1)
        weighted = (self.shape == WEIGHTED) | (self.shape == LONG_WEIGHTED)
        return np.where(weighted, 2 * rows + 1, rows)


def segmented(nodes: Nodes, order: Ints, ends: Ints, few: int, long: int) -> Segments:
    """Cuts batches into segments.

    Args:
        nodes: the graph's.
        order: the nodes to calculate, in batches of one family.
        ends: for each batch the place in `order` where it ends.
        few: so many sums of one shape are worth a segment; fewer go together with those of other shapes.
        long: from so many terms on, a sum has a segment of its own.
    """
    if not len(order):
        return Segments(order, np.zeros(1, np.int64), order, order)
    batch = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    shape, count, products = _shapes(nodes, order, long)
    detail = np.where(np.isin(shape, _LONGS), np.arange(len(order)), count)
    by = np.lexsort((order, detail, shape, batch))  # neighbours in the graph often have neighbours as operands
    order, batch, shape, count, detail, products = (x[by] for x in (order, batch, shape, count, detail, products))
    new = _changes(batch, shape, detail)
    size = np.bincount(np.cumsum(new) - 1)[np.cumsum(new) - 1]
    rest = (shape < LONG_SUM) & (size < few)
    rest &= np.bincount(batch[new & rest], minlength=len(ends))[batch] > 1  # something else to go together with
    shape[rest], count[rest] = WEIGHTED, np.maximum(products[rest], 1)
    detail[rest] = -_about(products[rest])
    by = np.lexsort((detail, shape, batch))
    order, batch, shape, count, detail = (x[by] for x in (order, batch, shape, count, detail))
    begins = np.flatnonzero(_changes(batch, shape, detail))
    return Segments(order, np.append(begins, len(order)), shape[begins], np.maximum.reduceat(count, begins))


def _about(products: Ints) -> Ints:
    """The class of sums that go together: up to 2 products, 3 or 4, up to 8, 16, …"""
    return np.ceil(np.log2(np.maximum(products, 2))).astype(np.int64)


def _changes(*keys: Ints) -> Truths:
    """For each place whether any of the keys differs from that before."""
    new = np.zeros(len(keys[0]), bool)
    new[0] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return new


def _shapes(nodes: Nodes, members: Ints, long: int) -> tuple[Ints, Ints, Ints]:
    """For each node its shape, how many operands or products that has, and how many products as WEIGHTED."""
    shape, count = nodes.code[members] + OTHER - FIRST_OP, nodes.arity[members]
    products = count.copy()
    of_terms = np.flatnonzero(nodes.code[members] == TERMS)
    if len(of_terms):
        begins, n = nodes.start[members[of_terms]], count[of_terms] // 2
        factor = nodes.operands[spans(begins, 2 * n)[1::2]]
        at = np.append(0, np.cumsum(n)[:-1])
        plain = np.add.reduceat(factor == nodes.extra(ONE), at) == n
        biased = factor[at] == nodes.extra(ONE)
        minus = factor[at + n - 1] == nodes.extra(MINUS_ONE)
        cases = [(n == 1) & biased, (n == 1) & minus, n == 1, (n == 2) & plain, (n == 2) & biased & minus]
        cases += [(n < long) & plain, (n < long) & biased, n < long, plain]
        shape[of_terms] = np.select(cases, [COPY, NEG, MUL, ADD, SUB, SUM, WEIGHTED, PRODUCTS, LONG_SUM], LONG_WEIGHTED)
        products[of_terms] = n - biased
        count[of_terms] = np.select([n == 1, plain | minus & (n == 2) & biased], [2 - (biased | minus), n], n - biased)
    return shape, count, products


# ---- the table -----------------------------------------------------------------------------------------------------


def table_of(nodes: Nodes, segments: Segments, slot: Ints) -> tuple[npt.NDArray[np.int32], Ints]:
    """The slots of all operands.

    Args:
        nodes: the graph's.
        segments: those to calculate.
        slot: for each node its slot.

    Returns:
        table: for each segment row after row, each with an operand of every node.
        at: for each segment where it begins there.
    """
    lengths = segments.lengths
    at = np.append(0, np.cumsum(lengths * segments.rows))
    table = np.zeros(at[-1], np.int32)
    which = np.repeat(np.arange(len(lengths)), lengths)
    shape, step = segments.shape[which], lengths[which]
    to = at[which] + np.arange(len(which)) - segments.begins[which]
    begins, arity = nodes.start[segments.nodes], nodes.arity[segments.nodes]

    def put(some: Truths, to: Ints, step: Ints, source: Ints, source_step: int, count: Ints) -> None:
        k = counting(count[some])
        found = nodes.operands[np.repeat(source[some], count[some]) + source_step * k]
        table[np.repeat(to[some], count[some]) + np.repeat(step[some], count[some]) * k] = slot[found]

    plain = np.isin(shape, _PLAIN)
    put(plain, to, step, begins, 2, arity // 2)
    weighted = (shape == WEIGHTED) | (shape == LONG_WEIGHTED)
    put(~(plain | weighted), to, step, begins, 1, arity)
    if weighted.any():
        biased = weighted.copy()
        biased[weighted] = nodes.operands[begins[weighted] + 1] == nodes.extra(ONE)
        have, full = arity // 2 - biased, segments.count[which]
        across = shape == LONG_WEIGHTED
        table[to[weighted]] = slot[nodes.extra(NOTHING)]
        table[to[biased]] = slot[nodes.operands[begins[biased]]]
        between = np.where(across, 1, 2 * step)
        for side, nothing in (0, NOTHING), (1, ZERO):
            first = to + np.where(across, 1 + side * full, (1 + side) * step)
            put(weighted, first, between, begins + 2 * biased + side, 2, have)
            lacking = np.where(weighted, full - have, 0)
            ends = np.repeat(first + have * between, lacking)
            table[ends + np.repeat(between, lacking) * counting(lacking)] = slot[nodes.extra(nothing)]
    return table, at[:-1]


def kinds_of(nodes: Nodes, segments: Segments, lanes: Ints) -> tuple[list[Kind], Ints]:
    """What the loops of segments are.

    Args:
        nodes: the graph's.
        segments: those to calculate.
        lanes: for each segment how many lanes its loop has, where it is not to go across operands.

    Returns:
        The kinds that there are, and for each segment the place of its own.
    """
    lanes = np.where(np.isin(segments.shape, _LONGS), ACROSS, lanes)
    rows = np.where(segments.shape < OTHER, ANY, segments.count)
    rows[rows > MOST_ROWS] = ANY
    keys, kind = np.unique(np.stack([segments.shape, rows, lanes]), axis=1, return_inverse=True)
    kinds = []
    for shape, number, side in keys.T.tolist():
        op, fixed = _OF_TERMS[shape] if shape < OTHER else (nodes.ops[shape - OTHER], number)
        kinds.append(Kind(op, ANY if op is ops.take and fixed > 1 else fixed, side))
    return kinds, kind.reshape(-1)
