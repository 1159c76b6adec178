"""What a large graph needs next, fetched ahead of time.

The CPU itself sees that memory is read from one end to the other, as constants are, and fetches the next lines in time.
It cannot foresee when the derivatives come back to a value; but that is known here, once and for all.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from chainrule.compiler.levels.nodes import Ints

LARGE = 2**22
"""From so many bytes on, of numbers and tables, fetching ahead gains more than it costs."""

LINE = 8
"""How many numbers of 64 bits a line of the CPU's caches has."""

REUSE_DISTANCE = 2**20
"""After so many operands, a line that nothing touched meanwhile is no longer in the caches."""

PREFETCH_DISTANCE = 2000
"""So many operands earlier a line is fetched."""

MOST_LINES = 1024
"""So many lines are fetched before one segment; the caches should keep them until they are read."""


def prefetch_list(table: npt.NDArray[np.int32], at: Ints, runs: Ints) -> tuple[Ints, Ints, npt.NDArray[np.int32]]:
    """The lines to fetch before each segment.

    Args:
        table: the slots of operands, in the order in which they are read.
        at: for each segment where it begins there.
        runs: int[segments, 2, 2], for each the first slot and the length of the two runs that it writes.

    Returns:
        For each segment the place of its first line and how many it has, and a slot in each line.

    >>> table = np.arange(2 * REUSE_DISTANCE, dtype=np.int32)  # from one end to the other
    >>> at = np.arange(0, len(table), 4096)  # where 4096 numbers, or 512 lines, are read at a time
    >>> first, many, slots = prefetch_list(table, at, np.zeros((len(at), 2, 2), int))
    >>> many[:4].tolist(), many[-1].item(), slots[:4].tolist()
    ([762, 512, 512, 512], 262, [0, 8, 16, 24])
    """
    slots, when = _touched(table, at, runs)
    # one number for the line and the time says all that matters, and is sorted in one go
    key = np.sort(slots // LINE << 32 | when)
    line, when = key >> 32, key & (2**32 - 1)
    before = np.append(0, when[:-1])
    first = np.append(True, line[1:] != line[:-1])
    last = np.append(first[1:], True)
    before[first] = when[last] - 2 * len(table)  # in the call before this one
    far = (when - before > 2 * REUSE_DISTANCE) & (when % 2 == 0)
    order = np.argsort(when[far], kind="stable")
    line, when = line[far][order], when[far][order] // 2
    segment = np.maximum(np.searchsorted(at, when - PREFETCH_DISTANCE, side="right") - 1, 0)
    begins, ends = (np.searchsorted(segment, np.arange(len(at)), side=side) for side in ("left", "right"))
    return begins, np.minimum(ends - begins, MOST_LINES), (line * LINE).astype(np.int32)


def _touched(table: npt.NDArray[np.int32], at: Ints, runs: Ints) -> tuple[Ints, Ints]:
    """The slots that are read or written, and when: twice the place in the table, and one more if it is written."""
    first, length = runs.reshape(-1, 2).T
    lines = -(-length // LINE)
    written = np.repeat(first, lines) + LINE * (np.arange(lines.sum()) - np.repeat(np.cumsum(lines) - lines, lines))
    slots = np.concatenate([table, written]).astype(np.int64)
    return slots, np.concatenate([2 * np.arange(len(table)), 2 * np.repeat(np.repeat(at, 2), lines) + 1])
