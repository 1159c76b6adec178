"""Memory that native code works in."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import math
import mmap
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

CACHE_LINE = 64
HUGE_PAGE = 2**21

BOUNDS = "CHAINRULE_BOUNDS"
"""If the environment has 1 for this, native code that is compiled looks at each address before it goes there, and what
it works in lies between pages that nobody may touch. Both are for tests: the code is slow, and takes much memory."""


def is_checked() -> bool:
    """Whether the environment asks for checked addresses."""
    return os.environ.get(BOUNDS, "") not in ("", "0")


def aligned(shape: Sequence[int], dtype: Any) -> np.ndarray:
    """Zeros that begin with a line of the CPU's caches.

    What is large lies in huge pages where the system has them: with small ones, most of the numbers that are gathered
    from here and there would cost a look into the page tables as well.

    >>> x = aligned([3, 2], np.float64)
    >>> x.tolist(), x.ctypes.data % CACHE_LINE
    ([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]], 0)
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if is_checked() and _protect is not None:
        return _between_guards(size).view(dtype).reshape(shape)
    if size < 2 * HUGE_PAGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        room, boundary = np.zeros(size + CACHE_LINE, np.uint8), CACHE_LINE
    else:
        pages = mmap.mmap(-1, size + HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with contextlib.suppress(OSError):  # a system that has none
            pages.madvise(mmap.MADV_HUGEPAGE)
        room, boundary = np.frombuffer(pages, np.uint8), HUGE_PAGE
    start = -room.ctypes.data % boundary
    return room[start : start + size].view(dtype).reshape(shape)


def for_native_code(array: np.ndarray, checked: bool | None = None) -> np.ndarray:
    """An array that native code is to read: itself, or where addresses are checked a copy between guard pages.

    Args:
        array: what it is to read.
        checked: whether they are; if it is not said, the environment says so, which takes a microsecond.
    """
    if not (is_checked() if checked is None else checked):
        return array
    copy = aligned(array.shape, array.dtype)
    copy[...] = array
    return copy


def _between_guards(size: int) -> np.ndarray:
    """Bytes between two pages that nobody may touch. They end just before the second one, if they can do that and
    begin with a line of the caches, too; else every other time, and begin right behind the first one otherwise."""
    assert _protect is not None
    page = mmap.PAGESIZE
    whole = max(-(-size // page), 1) * page
    pages = mmap.mmap(-1, whole + 2 * page, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    room = np.frombuffer(pages, np.uint8)
    for guard in (0, page + whole):
        if _protect(ctypes.c_void_p(room.ctypes.data + guard), ctypes.c_size_t(page), 0):
            raise MemoryError("no memory between guard pages: the process has as many mappings as it may have")
    last = page + (whole - size) // CACHE_LINE * CACHE_LINE
    start = last if not size % CACHE_LINE or next(_turn) % 2 else page
    return room[start : start + size]


_turn = itertools.count()


def _find_protect() -> Any:
    """The C library's `mprotect`, where memory can be mapped as this module does; else None."""
    if not hasattr(mmap, "MAP_ANONYMOUS"):
        return None
    try:
        return ctypes.CDLL(None).mprotect
    except (AttributeError, OSError, TypeError):
        return None


_protect = _find_protect()


def too_large_is_infinite(dtype: Any) -> contextlib.AbstractContextManager:
    """Around conversions to floats of 32 bits: NumPy need not warn of what is documented."""
    return np.errstate(over="ignore") if np.dtype(dtype).itemsize == 4 else _NOTHING


_NOTHING = contextlib.nullcontext()
