"""The nodes of a graph as arrays, with all arithmetic in one form: sums of products.

An addition, a product, a neuron's Σ wᵢxᵢ + b: each is a sum of terms, and a term is a product of two nodes (x is x · 1
and -x is x · -1). In that form all arithmetic is one family, so that nodes of different operations can share a vector,
and a product that only one sum uses can be fused into it. No bit of a result changes by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from chainrule import ops
from chainrule.compiler.graph.graph import BATCH_SUM, Graph
from chainrule.core.operation import Operation
from chainrule.errors import GraphError

Ints = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

LEAF, TERMS, SUM_OF_BATCH, FIRST_OP = range(4)
"""Codes of nodes: inputs and constants, sums of terms, sums over samples. From FIRST_OP on they are places in
`Nodes.ops`."""

BEFORE, VARYING, AFTER = range(3)
"""Phases: a node is calculated before the samples, for each sample, or after all samples."""

EXTRA = (1.0, -1.0, -0.0, 0.0)
"""Constants behind the graph's own nodes, at these places:"""
ONE, MINUS_ONE, NEUTRAL, ZERO = range(4)  # -0.0 is neutral: adding it changes no number

_ARITHMETIC = (ops.add, ops.sub, ops.mul, ops.neg, ops.identity, ops.stop_gradient, ops.sum, ops.weighted_sum)


@dataclass
class Nodes:
    """The nodes of a graph, followed by the constants `EXTRA`.

    Attributes:
        code: for each node LEAF, TERMS or SUM_OF_BATCH, or a number from FIRST_OP on for an operation.
        ops: the operations, in the order of their codes.
        start: for each node where its operands begin, then the end of the last node's.
        operands: the operands of all nodes; for Σ aᵢ · pᵢ, added from left to right, they are a₁, p₁, a₂, p₂, …
        numbers: the number of each constant.
        phase: for each node BEFORE, VARYING or AFTER.
    """

    code: Ints
    ops: list[Operation]
    start: Ints
    operands: Ints
    numbers: Floats
    phase: Ints

    def __len__(self) -> int:
        return len(self.code)

    def extra(self, which: int) -> int:
        """The node of one of the constants `EXTRA`."""
        return len(self.code) - len(EXTRA) + which

    def with_constants(self, numbers: Floats) -> Nodes:
        """The nodes with more constants, in front of `EXTRA`."""
        at, more = self.extra(0), np.zeros(len(numbers), np.int64)
        return Nodes(
            np.insert(self.code, at, more + LEAF),
            self.ops,
            np.insert(self.start, at, more + self.start[at]),
            self.operands + len(numbers) * (self.operands >= at),
            np.insert(self.numbers, at, numbers),
            np.insert(self.phase, at, more + BEFORE),
        )

    @property
    def arity(self) -> Ints:
        """The number of operands of each node."""
        return np.diff(self.start)


def ragged_arange(lengths: Ints) -> Ints:
    """0, 1, … up to each length, concatenated.

    >>> ragged_arange(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def ragged_ranges(starts: Ints, lengths: Ints) -> Ints:
    """start, start + 1, … for each start, as many as its length, concatenated.

    >>> ragged_ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    return np.repeat(starts, lengths) + ragged_arange(lengths)


def nodes_of(graph: Graph, results: Sequence[int], exact: bool) -> Nodes:
    """Reads the nodes of a graph, with its arithmetic as sums of products.

    Args:
        graph: the graph.
        results: the nodes whose own numbers are needed.
        exact: whether to keep the order of additions, and the 0.0 that `sum` begins with.

    Raises:
        GraphError: a node differs from sample to sample and depends on a sum over them.
    """
    nodes = _as_terms(_read(graph), exact)
    uses = np.bincount(nodes.operands, minlength=len(nodes))
    uses[list(results)] += 2
    _fuse_products(nodes, uses)
    if not exact:
        _bias_first(nodes)
    return nodes


def _read(graph: Graph) -> Nodes:
    n, more = len(graph), len(EXTRA)
    present = {op for op in graph.ops if op is not None}
    if not graph.batched:
        present.add(ops.identity)  # what a sum over samples is for a single one
    distinct = sorted(present - {BATCH_SUM}, key=lambda op: op.name)
    code: dict[Operation | None, int] = {op: FIRST_OP + i for i, op in enumerate(distinct)}
    code |= {None: LEAF, BATCH_SUM: SUM_OF_BATCH if graph.batched else code[ops.identity]}
    start = np.zeros(n + more + 1, np.int64)
    np.cumsum(np.fromiter(map(len, graph.operands), np.int64, n), out=start[1 : n + 1])
    start[n + 1 :] = start[n]
    codes = np.append(np.fromiter(map(code.__getitem__, graph.ops), np.int64, n), np.full(more, LEAF))
    numbers = np.append(np.array(graph.numbers, np.float64), EXTRA)
    operands = np.fromiter(chain.from_iterable(graph.operands), np.int64, int(start[-1]))
    operands = _interned_constants(codes, numbers, graph.inputs)[operands]
    return Nodes(codes, distinct, start, operands, numbers, np.append(phases(graph), np.full(more, BEFORE)))


def _interned_constants(codes: Ints, numbers: Floats, inputs: int) -> Ints:
    """Maps each constant to the last one of the same bits, which may be one of `EXTRA`, and every other node to
    itself."""
    constants = np.flatnonzero(codes == LEAF)[inputs:][::-1]
    _, first, which = np.unique(numbers[constants].view(np.int64), return_index=True, return_inverse=True)
    same = np.arange(len(codes))
    same[constants] = constants[first[which]]
    return same


def phases(graph: Graph) -> Ints:
    """For each node BEFORE, VARYING or AFTER.

    Raises:
        GraphError: a node differs from sample to sample and depends on a sum over them.
    """
    if not graph.batched:
        return np.full(len(graph), BEFORE)
    phase_of = [VARYING if i in graph.batched else BEFORE for i in range(len(graph))]
    for i in range(graph.inputs, len(graph)):
        below = {phase_of[k] for k in graph.operands[i]}
        is_sum = graph.ops[i] is BATCH_SUM
        if AFTER in below and (is_sum or VARYING in below):
            raise GraphError(f"node %{i} is about single samples, but depends on a sum over all of them")
        phase_of[i] = AFTER if is_sum else max(below, default=BEFORE)
    return np.array(phase_of)


# ---- sums of products ----------------------------------------------------------------------------------------------


def _as_terms(nodes: Nodes, exact: bool) -> Nodes:
    """Rewrites the operands of arithmetic as terms."""
    of = {op: np.flatnonzero(nodes.code == FIRST_OP + i) for i, op in enumerate(nodes.ops) if op in _ARITHMETIC}
    arity = nodes.arity
    code, lengths = nodes.code.copy(), arity.copy()
    for op, members in of.items():
        code[members] = TERMS
        lengths[members] = 2 * _terms_of(op, members, nodes, exact)
    start = np.append(0, np.cumsum(lengths))
    operands = np.full(start[-1], nodes.extra(ONE))
    others = np.flatnonzero(code != TERMS)
    operands[ragged_ranges(start[others], arity[others])] = nodes.operands[
        ragged_ranges(nodes.start[others], arity[others])
    ]
    for op, members in of.items():
        _put_terms(op, members, nodes, operands, start[members], exact)
    return Nodes(code, nodes.ops, start, operands, nodes.numbers, nodes.phase)


def _no_bias(members: Ints, nodes: Nodes, exact: bool) -> Truths:
    """Which of some weighted sums need no term for their bias, because it is 0.0."""
    return (nodes.operands[nodes.start[members]] == nodes.extra(ZERO)) & (nodes.arity[members] > 1) & (not exact)


def _terms_of(op: Operation, members: Ints, nodes: Nodes, exact: bool) -> Ints:
    """The number of terms of the nodes of one operation."""
    arity = nodes.arity[members]
    if op is ops.weighted_sum:
        return (arity + 1) // 2 - _no_bias(members, nodes, exact)
    if op is ops.sum:
        return arity + 1 if exact else np.maximum(arity, 1)
    return np.full_like(arity, 2 if op in (ops.add, ops.sub) else 1)


def _put_terms(op: Operation, members: Ints, nodes: Nodes, out: Ints, to: Ints, exact: bool) -> None:
    """Writes the terms of one operation's nodes into `out`, each from its place in `to` on; `out` is prefilled with
    ones."""
    first, given, arity = nodes.start[members], nodes.operands, nodes.arity[members]
    if op is ops.sum:
        out[to[arity == 0]] = nodes.extra(ZERO)
        if exact:
            out[to] = nodes.extra(ZERO)
            to = to + 2
        out[np.repeat(to, arity) + 2 * ragged_arange(arity)] = given[ragged_ranges(first, arity)]
        return
    out[to] = given[first]
    if op is ops.weighted_sum:
        out[ragged_ranges(to + 2 * ~_no_bias(members, nodes, exact), arity - 1)] = given[
            ragged_ranges(first + 1, arity - 1)
        ]
    if op is ops.add or op is ops.sub:
        out[to + 2] = given[first + 1]
    if op is ops.mul:
        out[to + 1] = given[first + 1]
    if op is ops.neg or op is ops.sub:
        out[to + (1 if op is ops.neg else 3)] = nodes.extra(MINUS_ONE)


def _fuse_products(nodes: Nodes, uses: Ints) -> None:
    """Fuses products that only one sum uses into that sum, in place; nothing uses their nodes any more."""
    terms = np.flatnonzero(nodes.code == TERMS)
    at = ragged_ranges(nodes.start[terms], nodes.arity[terms])[::2]
    owner, inner = np.repeat(terms, nodes.arity[terms] // 2), nodes.operands[at]
    fits = (nodes.operands[at + 1] == nodes.extra(ONE)) & (nodes.code[inner] == TERMS) & (nodes.arity[inner] == 2)
    fits &= (uses[inner] == 1) & (nodes.phase[inner] == nodes.phase[owner])
    at, source = at[fits], nodes.start[inner[fits]]
    nodes.operands[at], nodes.operands[at + 1] = nodes.operands[source], nodes.operands[source + 1]


def _bias_first(nodes: Nodes) -> None:
    """Moves the first term of each sum that is a plain node to the front, in place."""
    terms = np.flatnonzero((nodes.code == TERMS) & (nodes.arity > 2))
    if not len(terms):
        return
    at = ragged_ranges(nodes.start[terms], nodes.arity[terms])[::2]
    none = len(nodes.operands)
    plain = np.where(nodes.operands[at + 1] == nodes.extra(ONE), at, none)
    plain_at = np.minimum.reduceat(plain, np.append(0, np.cumsum(nodes.arity[terms] // 2)[:-1]))
    first, plain_at = nodes.start[terms][plain_at < none], plain_at[plain_at < none]
    for side in (0, 1):
        a, b = nodes.operands[first + side], nodes.operands[plain_at + side]
        nodes.operands[first + side], nodes.operands[plain_at + side] = b, a
