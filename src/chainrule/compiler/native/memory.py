"""Memory for native code."""

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
"""With this environment variable set to 1, native code checks each address, and its memory lies between guard pages.
Both are for tests: the code is slow and needs much memory."""


def is_checked() -> bool:
    """Returns whether the environment asks for checked addresses."""
    return os.environ.get(BOUNDS, "") not in ("", "0")


def aligned(shape: Sequence[int], dtype: Any) -> np.ndarray:
    """Allocates an array of zeros that begins at a cache line.

    Large arrays lie in huge pages where the system has them: with small pages, most gathers would need a look into the
    page tables as well.

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
        with contextlib.suppress(OSError):  # a system without huge pages
            pages.madvise(mmap.MADV_HUGEPAGE)
        room, boundary = np.frombuffer(pages, np.uint8), HUGE_PAGE
    start = -room.ctypes.data % boundary
    return room[start : start + size].view(dtype).reshape(shape)


def for_native_code(array: np.ndarray, checked: bool | None = None) -> np.ndarray:
    """Returns an array for native code to read: the same one, or a copy between guard pages if addresses are checked.

    Args:
        array: the array.
        checked: whether addresses are checked; if left out, the environment is asked, which takes a microsecond.
    """
    if not (is_checked() if checked is None else checked):
        return array
    copy = aligned(array.shape, array.dtype)
    copy[...] = array
    return copy


def _between_guards(size: int) -> np.ndarray:
    """Allocates bytes between two guard pages.

    The bytes begin at a cache line. If their number is a multiple of its size, they end right before the second page.
    Otherwise every other allocation ends as close to the second page as possible; the rest begin right after the first.
    """
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
    """Returns the C library's `mprotect`, or None where memory cannot be mapped as in this module."""
    if not hasattr(mmap, "MAP_ANONYMOUS"):
        return None
    try:
        return ctypes.CDLL(None).mprotect
    except (AttributeError, OSError, TypeError):
        return None


_protect = _find_protect()


def too_large_is_infinite(dtype: Any) -> contextlib.AbstractContextManager:
    """Returns a context manager that silences NumPy's overflow warnings if `dtype` is a 32-bit float: that too large
    numbers become infinite is documented."""
    return np.errstate(over="ignore") if np.dtype(dtype).itemsize == 4 else _NOTHING


_NOTHING = contextlib.nullcontext()
