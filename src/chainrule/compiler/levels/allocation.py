"""Places used again: results go where others have been that nobody needs any more.

A large graph then works in the few places that it needs at a time, which stay in the CPU's caches. Of a segment's
results some are soon done with, others not for long, as a value that the derivatives come back to: these stand apart,
so that one of them does not keep the places of all.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from chainrule.compiler.levels.nodes import Ints, Nodes, Truths, ragged_ranges
from chainrule.compiler.levels.segments import Segments


@dataclass(frozen=True)
class Allocation:
    """Where the results of segments go.

    Attributes:
        segments: these, with those nodes first that are soon done with.
        short_count: for each segment how many these are.
        short_first: for each segment the place of its first result.
        long_first: for each segment the place of its first result that is needed for longer.
        used: how many places are taken in all.
    """

    segments: Segments
    short_count: Ints
    short_first: Ints
    long_first: Ints
    used: int

    @property
    def of_nodes(self) -> Ints:
        """For each node of the segments the place of its result."""
        segment, rank = _ranks(self.segments)
        short_count = self.short_count[segment]
        return np.where(rank < short_count, self.short_first[segment], self.long_first[segment] - short_count) + rank


def allocate(nodes: Nodes, segments: Segments, block_size: Ints, live_out: Truths, used: int) -> Allocation:
    """Places for the results of segments.

    Args:
        nodes: the graph's.
        segments: those to calculate, one after the other.
        block_size: for each segment how many results are written at once; the last ones may be fewer, what then stands
            behind them is lost.
        live_out: for each node of the graph whether its result is needed after the last segment.
        used: how many places are taken already.
    """
    if not len(segments.nodes):
        none = np.zeros(0, np.int64)
        return Allocation(segments, none, none, none, used)
    last = _last_uses(nodes, segments, live_out)
    short_count = _short_lived(segments, last, block_size)
    segment, rank = _ranks(segments)
    by_last = np.lexsort((last, segment))
    long_lived = np.empty(len(last), np.int64)
    long_lived[by_last] = rank >= short_count[segment]
    order = np.lexsort((rank, segments.count, long_lived, segment))
    segments = Segments(segments.nodes[order], segments.count[order], segments.begins, segments.shape, segments.arity)
    run = 2 * segment + long_lived[order]
    sizes = np.bincount(run, minlength=2 * len(short_count))
    ends = np.full(len(sizes), -1)
    np.maximum.at(ends, run, last[order])
    places, used = linear_scan(-(-sizes // np.repeat(block_size, 2)) * np.repeat(block_size, 2), ends, used)
    return Allocation(segments, short_count, places[::2], places[1::2], used)


def _ranks(segments: Segments) -> tuple[Ints, Ints]:
    """For each node its segment, and how many nodes of that stand before it."""
    lengths = segments.lengths
    segment = np.repeat(np.arange(len(lengths)), lengths)
    return segment, np.arange(len(segment)) - segments.begins[segment]


def _last_uses(nodes: Nodes, segments: Segments, live_out: Truths) -> Ints:
    """For each node of the segments the last one of them that reads its result; of one to keep, their number."""
    segment, arity = _ranks(segments)[0], nodes.arity[segments.nodes]
    last = np.full(len(nodes), -1)
    last[segments.nodes] = segment
    np.maximum.at(last, nodes.operands[ragged_ranges(nodes.start[segments.nodes], arity)], np.repeat(segment, arity))
    last[live_out] = len(segments.lengths)
    return last[segments.nodes]


def _short_lived(segments: Segments, last: Ints, block_size: Ints) -> Ints:
    """For each segment how many of its results are to stand apart: as many as saves most places for most time."""
    segment, rank = _ranks(segments)
    begins = segments.begins[:-1]
    live_range = last[np.lexsort((last, segment))] - segment  # as they would stand, the soonest done with first
    longest = live_range[segments.begins[1:] - 1]
    before = np.append(0, live_range[:-1])
    saved = np.where(rank % block_size[segment], -1, rank * (longest[segment] - before))
    most = np.maximum.reduceat(saved, begins)
    return np.minimum.reduceat(np.where(saved == most[segment], rank, len(last)), begins)


def linear_scan(sizes: Ints, last: Ints, used: int) -> tuple[Ints, int]:
    """Where runs of neighbouring places are, each two those of one segment, which are calculated one after the other.

    Args:
        sizes: for each run how many places it has.
        last: for each run the last segment that reads from it; of one to keep, any number behind the last segment.
        used: how many places are taken already.

    Returns:
        For each run its first place, and how many places are taken in all.

    >>> places, used = linear_scan(np.array([4, 0, 4, 2, 4, 8]), np.array([1, 0, 9, 9, 9, 9]), used=10)
    >>> places.tolist(), used
    ([10, 0, 14, 18, 10, 20], 28)
    """
    free: defaultdict[int, list[int]] = defaultdict(list)  # the places of runs that are done with, by their size
    done: list[list[int]] = [[] for _ in range(len(sizes) // 2)]
    lengths, places = sizes.tolist(), [0] * len(sizes)
    for run, (size, end) in enumerate(zip(lengths, last.tolist(), strict=True)):
        if size:
            reusable = free[size]
            if reusable:
                places[run] = reusable.pop()
            else:
                places[run], used = used, used + size
            if end < len(done):
                done[end].append(run)
        if run % 2:
            for k in done[run // 2]:
                free[lengths[k]].append(places[k])
    return np.array(places, np.int64), used
