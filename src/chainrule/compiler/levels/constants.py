"""Copies and orders constants so that they are read sequentially, which the CPU's prefetcher serves.

A constant with few uses is read at few, distant times; it gets a slot for each use.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.compiler.levels.nodes import LEAF, VARYING, Ints, Nodes, ragged_ranges

MOST_USES = 4
"""A constant with at most so many uses gets a slot for each."""


def with_own_constants(nodes: Nodes, inputs: int) -> Nodes:
    """Duplicates constants that few nodes use, once for each use.

    Uses by nodes that differ from sample to sample are left alone, as rows of a block are expensive.

    Args:
        nodes: the nodes of a graph.
        inputs: how many of them are inputs; inputs come first.
    """
    users = np.flatnonzero((nodes.code != LEAF) & (nodes.phase != VARYING))
    at = ragged_ranges(nodes.start[users], nodes.arity[users])
    used = nodes.operands[at]
    is_constant = (nodes.code[used] == LEAF) & (used >= inputs) & (used < nodes.extra(0))
    mask = is_constant & (np.bincount(used, minlength=len(nodes))[used] <= MOST_USES)
    at, used = at[mask], used[mask]
    first = nodes.extra(0)
    nodes = nodes.with_constants(nodes.numbers[used])
    operands = nodes.operands.copy()
    operands[at] = first + np.arange(len(at))
    return replace(nodes, operands=operands)


def in_order_of_use(nodes: Nodes, constants: Ints, users: Ints) -> Ints:
    """Sorts constants by their first use.

    Args:
        nodes: the nodes of a graph.
        constants: some constants; those that `users` do not read come last.
        users: nodes in the order of calculation.
    """
    read = nodes.operands[ragged_ranges(nodes.start[users], nodes.arity[users])][::-1]
    first = np.full(len(nodes), len(read))
    first[read] = np.arange(len(read))[::-1]  # the last assignment wins: the first use
    return constants[np.argsort(first[constants], kind="stable")]
