"""Segments: independent nodes of one operation, which one small loop calculates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule import ops
from chainrule.compiler.levels.nodes import FIRST_OP, MINUS_ONE, ONE, TERMS, Ints, Nodes, Truths, ragged_ranges
from chainrule.core.operation import Operation

VARIADIC = -1
"""In place of an arity: the table has the number of operands."""

HORIZONTAL = 0
"""In place of a number of lanes: the lanes are the operands of one node."""

MOST_OPERANDS = 8
"""Variadic operations other than sums have a loop of their own for each arity up to this."""

LONG_SUM_TERMS = 32
"""A sum of so many terms has a segment of its own."""

SUB, SUM, WEIGHTED, PRODUCTS, LONG_SUM, LONG_WEIGHTED, OTHER = range(7)
"""Shapes of sums of terms: a - b, Σ x, b + Σ ax, Σ ax, long Σ x, long b + Σ ax. From OTHER on, shapes of operations of
`Nodes.ops`."""

_OF_TERMS = (ops.sub, ops.sum, ops.weighted_sum, ops.mul, ops.sum, ops.weighted_sum)


@dataclass(frozen=True)
class Kind:
    """What the loop of a segment does.

    Attributes:
        op: the operation; a variadic `mul` is a sum of products.
        arity: the number of operands, or VARIADIC.
        lanes: how many nodes, or samples, are calculated together, or HORIZONTAL.
    """

    op: Operation
    arity: int
    lanes: int

    def __str__(self) -> str:
        how = f"{self.lanes} at a time" if self.lanes != HORIZONTAL else "across its operands"
        return f"{self.op.name} of {self.arity if self.arity != VARIADIC else 'any number'}, {how}"


@dataclass
class Segments:
    """Nodes in the order of calculation, in segments.

    Attributes:
        nodes: all nodes.
        count: for each node its number of operands, terms or products.
        begins: where in `nodes` each segment begins, then the end of the last one.
        shape: for each segment one of the shapes above.
        arity: for each segment the number of operands of its nodes, or VARIADIC.
    """

    nodes: Ints
    count: Ints
    begins: Ints
    shape: Ints
    arity: Ints

    @property
    def lengths(self) -> Ints:
        """The number of nodes of each segment."""
        return np.diff(self.begins)

    def kinds(self, nodes: Nodes, lanes: Ints) -> tuple[list[Kind], Ints]:
        """The kinds of the segments.

        Args:
            nodes: the nodes of the graph.
            lanes: for each segment its number of lanes.

        Returns:
            The distinct kinds, and for each segment the place of its kind.
        """
        keys, kind = np.unique(np.stack([self.shape, self.arity, lanes]), axis=1, return_inverse=True)
        op = [_OF_TERMS[shape] if shape < OTHER else nodes.ops[shape - OTHER] for shape in keys[0].tolist()]
        return [Kind(*key) for key in zip(op, *keys[1:].tolist(), strict=True)], kind.reshape(-1)


def segmented(nodes: Nodes, order: Ints, ends: Ints, few: int, horizontal: bool) -> Segments:
    """Cuts batches into segments.

    Args:
        nodes: the nodes of the graph.
        order: the nodes to calculate, in batches of one family.
        ends: for each batch the place in `order` where it ends.
        few: with fewer sums of one shape than that, they share a segment with sums of other shapes.
        horizontal: whether the lanes may be the terms of a long sum.
    """
    if not len(order):
        return Segments(order, order, np.zeros(1, np.int64), order, order)
    batch = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    shape, count, products, arity = _shapes(nodes, order)
    long = (shape < OTHER) & (products >= LONG_SUM_TERMS)
    if horizontal:
        count[long & (shape == PRODUCTS)] = products[long & (shape == PRODUCTS)]
        shape[long] = np.where(shape[long] == SUM, LONG_SUM, LONG_WEIGHTED)
    own = np.where(long, 1 + np.arange(len(order)), 0)

    def put_in_order() -> Truths:
        nonlocal order, batch, shape, count, products, arity, own
        by = np.lexsort((order, count, own, arity, shape, batch))  # neighbours often read neighbouring slots
        order, batch, shape, count, products, arity, own = (
            x[by] for x in (order, batch, shape, count, products, arity, own)
        )
        return _changes(batch, shape, arity, own)

    new = put_in_order()
    group, some = np.cumsum(new) - 1, (shape < LONG_SUM) & (own == 0)
    small = some & (np.bincount(group)[group] < few)
    together = np.bincount(batch[new & (small | some & (shape == WEIGHTED))], minlength=len(ends))
    merged = small & (together[batch] > 1)
    shape[merged], count[merged], arity[merged] = WEIGHTED, products[merged], VARIADIC
    begins = np.flatnonzero(put_in_order())
    return Segments(order, count, np.append(begins, len(order)), shape[begins], arity[begins])


def _changes(*keys: Ints) -> Truths:
    """For each place whether any key differs from the place before."""
    new = np.zeros(len(keys[0]), bool)
    new[0] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return new


def _shapes(nodes: Nodes, members: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """For each node its shape; its number of operands, terms or products; its number of products as WEIGHTED; its
    arity."""
    shape, count = nodes.code[members] + OTHER - FIRST_OP, nodes.arity[members]
    products, of_terms = count.copy(), np.flatnonzero(nodes.code[members] == TERMS)
    take = OTHER + nodes.ops.index(ops.take) if ops.take in nodes.ops else -1
    arity = np.where((count > MOST_OPERANDS) | (shape == take), VARIADIC, count)
    if len(of_terms):
        begins, n = nodes.start[members[of_terms]], count[of_terms] // 2
        factor = nodes.operands[ragged_ranges(begins, 2 * n)[1::2]]
        first = np.append(0, np.cumsum(n)[:-1])
        plain = np.add.reduceat(factor == nodes.extra(ONE), first) == n
        biased = factor[first] == nodes.extra(ONE)
        minus = (n == 2) & biased & (factor[first + n - 1] == nodes.extra(MINUS_ONE))
        shape[of_terms] = np.select([plain, minus, biased], [SUM, SUB, WEIGHTED], PRODUCTS)
        count[of_terms] = n - (biased & ~plain & ~minus)
        products[of_terms] = n - biased
        arity[of_terms] = np.where(minus, 2, VARIADIC)
    return shape, count, products, arity
