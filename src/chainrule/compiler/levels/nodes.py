"""The nodes of a graph as arrays, with its arithmetic in one common form: sums of products.

An addition, a product, a neuron's Σ wᵢxᵢ + b: each is a sum of terms, and a term is a product of two nodes (x is x · 1
and -x is x · -1). In that form all arithmetic is of one family, so that nodes of different operations can be calculated
side by side, and a product that one sum alone uses can go into it. None of it changes a bit of a result.
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
"""Codes of nodes: inputs and constants, sums of terms, sums over samples; from FIRST_OP on, places in `Nodes.ops`."""

BEFORE, VARYING, AFTER = range(3)
"""Phases, when a node can be calculated: before the samples are gone through, for each of them, after all of them."""

EXTRA = (1.0, -1.0, -0.0, 0.0)
"""Constants that stand behind the graph's own nodes, at these places:"""
ONE, MINUS_ONE, NEUTRAL, ZERO = range(4)  # nothing, since adding -0.0 changes no number

_ARITHMETIC = (ops.add, ops.sub, ops.mul, ops.neg, ops.identity, ops.stop_gradient, ops.sum, ops.weighted_sum)


@dataclass
class Nodes:
    """The nodes of a graph, and behind them the constants `EXTRA`.

    Attributes:
        code: for each node LEAF, TERMS, SUM_OF_BATCH, or FIRST_OP and on for an operation.
        ops: the operations, in the order of their codes.
        start: where the operands of each node begin, and the end of the last ones.
        operands: those of all nodes; a node of terms has a₁, p₁, a₂, p₂, … for Σ aᵢ · pᵢ, added from left to right.
        numbers: for each node its number if it is a constant.
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
        """The nodes and more constants, which come before those of `EXTRA`."""
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
        """How many operands each node has."""
        return np.diff(self.start)


def ragged_arange(lengths: Ints) -> Ints:
    """0, 1, … up to each length, one after the other.

    >>> ragged_arange(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def ragged_ranges(starts: Ints, lengths: Ints) -> Ints:
    """start, start + 1, … for each start, as many as its length.

    >>> ragged_ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    return np.repeat(starts, lengths) + ragged_arange(lengths)


def nodes_of(graph: Graph, results: Sequence[int], exact: bool) -> Nodes:
    """The nodes of a graph, its arithmetic as sums of products.

    Args:
        graph: what to read.
        results: the nodes whose own numbers are wanted.
        exact: keep to the order of additions, and to the 0.0 that `sum` begins with.

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
        present.add(ops.identity)  # of a single sample, which is what a sum over samples is then
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
    """For each node itself, but for a constant the last one of the same bits, which may be one of `EXTRA`."""
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
    """The nodes with the operands of arithmetic as terms."""
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
    """Which of some weighted sums need no term for their bias, as it is 0.0."""
    return (nodes.operands[nodes.start[members]] == nodes.extra(ZERO)) & (nodes.arity[members] > 1) & (not exact)


def _terms_of(op: Operation, members: Ints, nodes: Nodes, exact: bool) -> Ints:
    """How many terms the nodes of one operation have."""
    arity = nodes.arity[members]
    if op is ops.weighted_sum:
        return (arity + 1) // 2 - _no_bias(members, nodes, exact)
    if op is ops.sum:
        return arity + 1 if exact else np.maximum(arity, 1)
    return np.full_like(arity, 2 if op in (ops.add, ops.sub) else 1)


def _put_terms(op: Operation, members: Ints, nodes: Nodes, out: Ints, to: Ints, exact: bool) -> None:
    """Writes the terms of nodes of one operation into `out`, which is full of ones, each from its place on."""
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
    """Products that one sum alone uses go into it, in place; nobody uses them then."""
    terms = np.flatnonzero(nodes.code == TERMS)
    at = ragged_ranges(nodes.start[terms], nodes.arity[terms])[::2]
    owner, inner = np.repeat(terms, nodes.arity[terms] // 2), nodes.operands[at]
    fits = (nodes.operands[at + 1] == nodes.extra(ONE)) & (nodes.code[inner] == TERMS) & (nodes.arity[inner] == 2)
    fits &= (uses[inner] == 1) & (nodes.phase[inner] == nodes.phase[owner])
    at, source = at[fits], nodes.start[inner[fits]]
    nodes.operands[at], nodes.operands[at + 1] = nodes.operands[source], nodes.operands[source + 1]


def _bias_first(nodes: Nodes) -> None:
    """Of each sum the first term that is a plain node goes to the front, in place."""
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
