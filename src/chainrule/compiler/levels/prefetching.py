"""Software prefetching for large graphs.

The CPU's own prefetcher recognises memory that is read sequentially, as constants are. It cannot foresee when the
reverse sweep comes back to a value, but the table of operands says it in advance.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from chainrule.compiler.levels.nodes import Ints

LARGE = 2**22
"""From so many bytes of numbers and tables on, prefetching gains more than it costs."""

LINE = 8
"""How many numbers of 64 bits fit a cache line."""

REUSE_DISTANCE = 2**20
"""A cache line that no operand touched for so long has been evicted."""

PREFETCH_DISTANCE = 2000
"""A line is prefetched so many operands before its use."""

MOST_LINES = 1024
"""At most so many lines are prefetched before one segment, so that the caches keep them until they are read."""


def prefetch_list(table: npt.NDArray[np.int32], at: Ints, runs: Ints) -> tuple[Ints, Ints, npt.NDArray[np.int32]]:
    """Finds the cache lines to prefetch before each segment.

    Args:
        table: the slots of operands, in the order in which they are read.
        at: for each segment its beginning in the table.
        runs: int[segments, 2, 2]: the first slot and the length of the two runs of results that each segment writes.

    Returns:
        For each segment the place of its first line and how many it has, and a slot in each line.

    >>> table = np.arange(2 * REUSE_DISTANCE, dtype=np.int32)  # from one end to the other
    >>> at = np.arange(0, len(table), 4096)  # where 4096 numbers, or 512 lines, are read at a time
    >>> first, many, slots = prefetch_list(table, at, np.zeros((len(at), 2, 2), int))
    >>> many[:4].tolist(), many[-1].item(), slots[:4].tolist()
    ([762, 512, 512, 512], 262, [0, 8, 16, 24])
    """
    slots, when = _touched(table, at, runs)
    # line and time packed into one integer sort much faster than as two keys
    key = np.sort(slots // LINE << 32 | when)
    line, when = key >> 32, key & (2**32 - 1)
    before = np.append(0, when[:-1])
    first = np.append(True, line[1:] != line[:-1])
    last = np.append(first[1:], True)
    before[first] = when[last] - 2 * len(table)  # its last use in the previous call
    far = (when - before > 2 * REUSE_DISTANCE) & (when % 2 == 0)
    order = np.argsort(when[far], kind="stable")
    line, when = line[far][order], when[far][order] // 2
    segment = np.maximum(np.searchsorted(at, when - PREFETCH_DISTANCE, side="right") - 1, 0)
    begins, ends = (np.searchsorted(segment, np.arange(len(at)), side=side) for side in ("left", "right"))
    return begins, np.minimum(ends - begins, MOST_LINES), (line * LINE).astype(np.int32)


def _touched(table: npt.NDArray[np.int32], at: Ints, runs: Ints) -> tuple[Ints, Ints]:
    """The slots that are read or written, and when: twice the place in the table, plus 1 for a write."""
    first, length = runs.reshape(-1, 2).T
    lines = -(-length // LINE)
    written = np.repeat(first, lines) + LINE * (np.arange(lines.sum()) - np.repeat(np.cumsum(lines) - lines, lines))
    slots = np.concatenate([table, written]).astype(np.int64)
    return slots, np.concatenate([2 * np.arange(len(table)), 2 * np.repeat(np.repeat(at, 2), lines) + 1])
