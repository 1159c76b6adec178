"""The table: the slots of the operands of segments.

The nodes of a segment stand in blocks of those that are calculated together. A block has its rows of operands one after
the other. If the segment does not give their number, it precedes them, and is that of the block's longest node; shorter
sums are padded with products that change nothing. The last block of a segment may have fewer nodes and shorter rows.
Vectors read past their end, but even the next block's number of rows is a valid slot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chainrule.compiler.levels.nodes import NEUTRAL, ONE, ZERO, Ints, Nodes, Truths, ragged_arange
from chainrule.compiler.levels.segments import LONG_SUM, LONG_WEIGHTED, PRODUCTS, SUB, SUM, VARIADIC, WEIGHTED, Segments


@dataclass
class _Blocks:
    """Blocks, and for each node the places of its operands.

    Attributes:
        at: where each block begins.
        count: the number of operands, terms or products of its longest node.
        counted: whether that number stands in the table.
        total: the size of the table.
        of: for each node its block.
        to: for each node the place of its first operand.
        step: for each node the distance between operands.
    """

    at: Ints
    count: Ints
    counted: Truths
    total: int
    of: Ints
    to: Ints
    step: Ints


def _blocks(segments: Segments, block_size: Ints) -> _Blocks:
    lengths = segments.lengths
    segment = np.repeat(np.arange(len(lengths)), lengths)
    lane = (np.arange(len(segment)) - segments.begins[segment]) % block_size[segment]
    first = np.flatnonzero(lane == 0)
    size, shape = np.diff(first, append=len(segment)), segments.shape[segment[first]]
    count = np.maximum.reduceat(segments.count, first) if len(first) else first
    with_bias = (shape == WEIGHTED) | (shape == LONG_WEIGHTED)
    rows = np.where(with_bias | (shape == PRODUCTS), 2 * count, count) + with_bias
    counted = segments.arity[segment[first]] == VARIADIC
    at = np.append(0, np.cumsum(counted + rows * size))
    of = np.repeat(np.arange(len(first)), size)
    return _Blocks(at[:-1], count, counted, int(at[-1]), of, at[of] + counted[of] + lane, size[of])


def table_of(
    nodes: Nodes, segments: Segments, slot: Ints, block_size: Ints
) -> tuple[npt.NDArray[np.int32], Ints, Ints]:
    """Builds the table.

    Args:
        nodes: the nodes of the graph.
        segments: the segments to calculate.
        slot: for each node its slot.
        block_size: for each segment how many nodes are calculated together.

    Returns:
        The table, for each segment where it begins there, and the places of what are no slots, but numbers of operands.
    """
    blocks = _blocks(segments, block_size)
    table = np.zeros(blocks.total, np.int32)
    table[blocks.at[blocks.counted]] = blocks.count[blocks.counted]
    shape = np.repeat(segments.shape, segments.lengths)
    begins, arity = nodes.start[segments.nodes], nodes.arity[segments.nodes]

    def put(mask: Truths, to: Ints, step: Ints, source: Ints, source_step: int, count: Ints) -> None:
        n, k = count[mask], ragged_arange(count[mask])
        operands = nodes.operands[np.repeat(source[mask], n) + source_step * k]
        table[np.repeat(to[mask], n) + np.repeat(step[mask], n) * k] = slot[operands]

    plain = (shape == SUM) | (shape == LONG_SUM) | (shape == SUB)
    with_bias = (shape == WEIGHTED) | (shape == LONG_WEIGHTED)
    products = with_bias | (shape == PRODUCTS)
    put(plain, blocks.to, blocks.step, begins, 2, arity // 2)
    put(~(plain | products), blocks.to, blocks.step, begins, 1, arity)
    biased = with_bias.copy()
    biased[with_bias] = nodes.operands[begins[with_bias] + 1] == nodes.extra(ONE)
    table[blocks.to[with_bias]] = slot[nodes.extra(NEUTRAL)]
    table[blocks.to[biased]] = slot[nodes.operands[begins[biased]]]
    to, terms = blocks.to + with_bias * blocks.step, arity // 2 - biased
    put(products, to, blocks.step, begins + 2 * biased, 1, 2 * terms)
    present = np.where(products, 2 * terms, terms)
    missing = np.where(plain | products, blocks.count[blocks.of] * np.where(products, 2, 1) - present, 0)
    k = ragged_arange(missing)
    neutral = np.where(np.repeat(products, missing) & (k % 2 == 1), nodes.extra(ZERO), nodes.extra(NEUTRAL))
    table[np.repeat(to + present * blocks.step, missing) + np.repeat(blocks.step, missing) * k] = slot[neutral]
    return table, blocks.at[blocks.of[segments.begins[:-1]]], blocks.at[blocks.counted]
