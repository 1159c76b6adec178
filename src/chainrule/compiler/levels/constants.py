"""Where constants stand: in the order in which they are read, so that the CPU's caches have the next one ready.

A constant that few nodes use is read at few, far apart times. For each of them it gets a place of its own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.compiler.levels.nodes import LEAF, VARYING, Ints, Nodes, ragged_ranges

MOST_USES = 4
"""A constant that so many operands are has a place for each."""


def with_own_constants(nodes: Nodes, inputs: int) -> Nodes:
    """The nodes with more constants: those that few operands are, once for each.

    What differs from sample to sample is left out, as rows of a block are dear.

    Args:
        nodes: those of a graph.
        inputs: how many of them are inputs; they come first.
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
    """Constants in the order in which nodes read them.

    Args:
        nodes: those of a graph.
        constants: some of them; who uses none of the others comes last.
        users: nodes in the order of calculation.
    """
    read = nodes.operands[ragged_ranges(nodes.start[users], nodes.arity[users])][::-1]
    first = np.full(len(nodes), len(read))
    first[read] = np.arange(len(read))[::-1]  # the last of several assignments holds, which is the first use
    return constants[np.argsort(first[constants], kind="stable")]
