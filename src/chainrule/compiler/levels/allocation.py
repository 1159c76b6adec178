"""Slot allocation: results are written to slots whose live range has ended.

A large graph then works in the few slots that it needs at a time, which stay in the CPU's caches. Some results of a
segment have short live ranges; others are needed much later, such as a value that the reverse sweep comes back to. The
two kinds lie in separate runs of slots, so that a long-lived result does not keep the slots of short-lived ones.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from chainrule.compiler.levels.nodes import Ints, Nodes, Truths, ragged_ranges
from chainrule.compiler.levels.segments import Segments


@dataclass(frozen=True)
class Allocation:
    """The slots of the results of segments.

    Attributes:
        segments: the segments, with short-lived nodes first.
        short_count: for each segment the number of short-lived nodes.
        short_first: for each segment the slot of its first short-lived result.
        long_first: for each segment the slot of its first long-lived result.
        used: how many slots are used in all.
    """

    segments: Segments
    short_count: Ints
    short_first: Ints
    long_first: Ints
    used: int

    @property
    def of_nodes(self) -> Ints:
        """The slot of the result of each node of the segments."""
        segment, rank = _ranks(self.segments)
        short_count = self.short_count[segment]
        return np.where(rank < short_count, self.short_first[segment], self.long_first[segment] - short_count) + rank


def allocate(nodes: Nodes, segments: Segments, block_size: Ints, live_out: Truths, used: int) -> Allocation:
    """Allocates slots for the results of segments.

    Args:
        nodes: the nodes of the graph.
        segments: the segments, in the order of calculation.
        block_size: for each segment how many results are written together; behind the last ones of a segment, anything
            may be written.
        live_out: for each node of the graph whether its result is needed after the last segment.
        used: how many slots are used already.
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
    """For each node its segment, and its place there."""
    lengths = segments.lengths
    segment = np.repeat(np.arange(len(lengths)), lengths)
    return segment, np.arange(len(segment)) - segments.begins[segment]


def _last_uses(nodes: Nodes, segments: Segments, live_out: Truths) -> Ints:
    """For each node of the segments the last segment that reads its result; the number of segments for a live-out
    node."""
    segment, arity = _ranks(segments)[0], nodes.arity[segments.nodes]
    last = np.full(len(nodes), -1)
    last[segments.nodes] = segment
    np.maximum.at(last, nodes.operands[ragged_ranges(nodes.start[segments.nodes], arity)], np.repeat(segment, arity))
    last[live_out] = len(segments.lengths)
    return last[segments.nodes]


def _short_lived(segments: Segments, last: Ints, block_size: Ints) -> Ints:
    """For each segment how many results form its short run: as many as saves most slots for most time."""
    segment, rank = _ranks(segments)
    begins = segments.begins[:-1]
    live_range = last[np.lexsort((last, segment))] - segment  # sorted, shortest first
    longest = live_range[segments.begins[1:] - 1]
    before = np.append(0, live_range[:-1])
    saved = np.where(rank % block_size[segment], -1, rank * (longest[segment] - before))
    most = np.maximum.reduceat(saved, begins)
    return np.minimum.reduceat(np.where(saved == most[segment], rank, len(last)), begins)


def linear_scan(sizes: Ints, last: Ints, used: int) -> tuple[Ints, int]:
    """Allocates runs of neighbouring slots in one scan over the live ranges (after linear-scan register allocation).

    Each segment has two runs; segments are calculated one after the other.

    Args:
        sizes: for each run its number of slots.
        last: for each run the last segment that reads from it; for a live-out run, any number beyond the last segment.
        used: how many slots are used already.

    Returns:
        For each run its first slot, and how many slots are used in all.

    >>> places, used = linear_scan(np.array([4, 0, 4, 2, 4, 8]), np.array([1, 0, 9, 9, 9, 9]), used=10)
    >>> places.tolist(), used
    ([10, 0, 14, 18, 10, 20], 28)
    """
    free: defaultdict[int, list[int]] = defaultdict(list)  # dead runs by size
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
