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
"""If the environment has 1 for this variable, native code is compiled with a check of each address, and its memory lies
between guard pages. Both are for tests: the code is slow and needs much memory."""


def is_checked() -> bool:
    """Whether the environment asks for checked addresses."""
    return os.environ.get(BOUNDS, "") not in ("", "0")


def aligned(shape: Sequence[int], dtype: Any) -> np.ndarray:
    """Allocates zeros at the beginning of a cache line.

    Large arrays lie in huge pages where the system has them: with small pages, most gathered numbers would cost a look
    into the page tables as well.

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
    """An array for native code to read: itself, or a copy between guard pages where addresses are checked.

    Args:
        array: the array.
        checked: whether addresses are checked; if left out, the environment decides, which takes a microsecond.
    """
    if not (is_checked() if checked is None else checked):
        return array
    copy = aligned(array.shape, array.dtype)
    copy[...] = array
    return copy


def _between_guards(size: int) -> np.ndarray:
    """Allocates bytes between two guard pages.

    They end just before the second page if they can do so and still begin at a cache line; otherwise every other
    allocation ends at the second page as closely as possible, and the others begin right after the first one.
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
    """The C library's `mprotect` where memory can be mapped as in this module; otherwise None."""
    if not hasattr(mmap, "MAP_ANONYMOUS"):
        return None
    try:
        return ctypes.CDLL(None).mprotect
    except (AttributeError, OSError, TypeError):
        return None


_protect = _find_protect()


def too_large_is_infinite(dtype: Any) -> contextlib.AbstractContextManager:
    """Context manager for conversions to 32-bit floats, which silences NumPy's overflow warnings: the conversion is
    documented."""
    return np.errstate(over="ignore") if np.dtype(dtype).itemsize == 4 else _NOTHING


_NOTHING = contextlib.nullcontext()
