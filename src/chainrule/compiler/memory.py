"""Memory that native code works in."""

from __future__ import annotations

import contextlib
import math
import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np

CACHE_LINE = 64
HUGE_PAGE = 2**21


def aligned(shape: Sequence[int], dtype: Any) -> np.ndarray:
    """Zeros that begin with a line of the CPU's caches.

    What is large lies in huge pages where the system has them: with small ones, most of the numbers that are gathered
    from here and there would cost a look into the page tables as well.

    >>> x = aligned([3, 2], np.float64)
    >>> x.tolist(), x.ctypes.data % CACHE_LINE
    ([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]], 0)
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size < 2 * HUGE_PAGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        room, boundary = np.zeros(size + CACHE_LINE, np.uint8), CACHE_LINE
    else:
        pages = mmap.mmap(-1, size + HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with contextlib.suppress(OSError):  # a system that has none
            pages.madvise(mmap.MADV_HUGEPAGE)
        room, boundary = np.frombuffer(pages, np.uint8), HUGE_PAGE
    start = -room.ctypes.data % boundary
    return room[start : start + size].view(dtype).reshape(shape)


def too_large_is_infinite(dtype: Any) -> contextlib.AbstractContextManager:
    """Around conversions to floats of 32 bits: NumPy need not warn of what is documented."""
    return np.errstate(over="ignore") if np.dtype(dtype).itemsize == 4 else _NOTHING


_NOTHING = contextlib.nullcontext()
