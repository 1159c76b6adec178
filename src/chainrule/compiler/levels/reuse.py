"""Places used again: results go where others have been that nobody needs any more.

A large graph then works in the few places that it needs at a time, which stay in the CPU's caches. Of a segment's
results some are soon done with, others not for long, as a value that the derivatives come back to: these stand apart,
so that one of them does not keep the places of all.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from chainrule.compiler.levels.nodes import Ints, Nodes, Truths, spans
from chainrule.compiler.levels.segments import Segments


@dataclass(frozen=True)
class Places:
    """Where the results of segments go.

    Attributes:
        segments: these, with those nodes first that are soon done with.
        soon: for each segment how many these are.
        to: for each segment the place of its first result.
        later: for each segment the place of its first result that is needed for longer.
        used: how many places are taken in all.
    """

    segments: Segments
    soon: Ints
    to: Ints
    later: Ints
    used: int

    @property
    def of_nodes(self) -> Ints:
        """For each node of the segments the place of its result."""
        segment, rank = _ranks(self.segments)
        soon = self.soon[segment]
        return np.where(rank < soon, self.to[segment], self.later[segment] - soon) + rank


def places_of(nodes: Nodes, segments: Segments, side: Ints, kept: Truths, used: int) -> Places:
    """Places for the results of segments.

    Args:
        nodes: the graph's.
        segments: those to calculate, one after the other.
        side: for each segment how many results are written at once; the last ones may be fewer, what then stands
            behind them is lost.
        kept: for each node of the graph whether its result is needed after the last segment.
        used: how many places are taken already.
    """
    if not len(segments.nodes):
        nowhere = np.zeros(0, np.int64)
        return Places(segments, nowhere, nowhere, nowhere, used)
    last = _last_uses(nodes, segments, kept)
    soon = _soon_done(segments, last, side)
    segment, rank = _ranks(segments)
    by_last = np.lexsort((last, segment))
    longer = np.empty(len(last), np.int64)
    longer[by_last] = rank >= soon[segment]
    order = np.lexsort((rank, segments.count, longer, segment))
    segments = Segments(segments.nodes[order], segments.count[order], segments.begins, segments.shape, segments.rows)
    run = 2 * segment + longer[order]
    sizes = np.bincount(run, minlength=2 * len(soon))
    ends = np.full(len(sizes), -1)
    np.maximum.at(ends, run, last[order])
    found, used = taken_in_turn(-(-sizes // np.repeat(side, 2)) * np.repeat(side, 2), ends, used)
    return Places(segments, soon, found[::2], found[1::2], used)


def _ranks(segments: Segments) -> tuple[Ints, Ints]:
    """For each node its segment, and how many nodes of that stand before it."""
    lengths = segments.lengths
    segment = np.repeat(np.arange(len(lengths)), lengths)
    return segment, np.arange(len(segment)) - segments.begins[segment]


def _last_uses(nodes: Nodes, segments: Segments, kept: Truths) -> Ints:
    """For each node of the segments the last one of them that reads its result; of one to keep, their number."""
    segment, arity = _ranks(segments)[0], nodes.arity[segments.nodes]
    last = np.full(len(nodes), -1)
    last[segments.nodes] = segment
    np.maximum.at(last, nodes.operands[spans(nodes.start[segments.nodes], arity)], np.repeat(segment, arity))
    last[kept] = len(segments.lengths)
    return last[segments.nodes]


def _soon_done(segments: Segments, last: Ints, side: Ints) -> Ints:
    """For each segment how many of its results are to stand apart: as many as saves most places for most time."""
    segment, rank = _ranks(segments)
    begins = segments.begins[:-1]
    life = last[np.lexsort((last, segment))] - segment  # as they would stand, the soonest done with first
    longest = life[segments.begins[1:] - 1]
    before = np.append(0, life[:-1])
    saved = np.where(rank % side[segment], -1, rank * (longest[segment] - before))
    most = np.maximum.reduceat(saved, begins)
    return np.minimum.reduceat(np.where(saved == most[segment], rank, len(last)), begins)


def taken_in_turn(sizes: Ints, last: Ints, used: int) -> tuple[Ints, int]:
    """Where runs of neighbouring places are, each two those of one segment, which are calculated one after the other.

    Args:
        sizes: for each run how many places it has.
        last: for each run the last segment that reads from it; of one to keep, any number behind the last segment.
        used: how many places are taken already.

    Returns:
        For each run its first place, and how many places are taken in all.

    >>> places, used = taken_in_turn(np.array([4, 0, 4, 2, 4, 8]), np.array([1, 0, 9, 9, 9, 9]), used=10)
    >>> places.tolist(), used
    ([10, 0, 14, 18, 10, 20], 28)
    """
    free: defaultdict[int, list[int]] = defaultdict(list)  # the places of runs that are done with, by their size
    done: list[list[int]] = [[] for _ in range(len(sizes) // 2)]
    lengths, places = sizes.tolist(), [0] * len(sizes)
    for run, (size, end) in enumerate(zip(lengths, last.tolist(), strict=True)):
        if size:
            fitting = free[size]
            if fitting:
                places[run] = fitting.pop()
            else:
                places[run], used = used, used + size
            if end < len(done):
                done[end].append(run)
        if run % 2:
            for k in done[run // 2]:
                free[lengths[k]].append(places[k])
    return np.array(places, np.int64), used
