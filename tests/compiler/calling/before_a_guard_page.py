"""A program that calls compiled functions with batches that end where memory ends: to read beyond would kill it."""

from __future__ import annotations

import ctypes
import math
import mmap

import numpy as np

import chainrule


def at_the_end(*shape):
    """An array whose last number is the last before a page that nobody may read."""
    size = 8 * math.prod(shape)
    room = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    whole = np.frombuffer(mmap.mmap(-1, room + mmap.PAGESIZE), np.uint8)  # the array keeps the map
    page = ctypes.c_void_p(whole.ctypes.data + room)
    if ctypes.CDLL(None).mprotect(page, ctypes.c_size_t(mmap.PAGESIZE), 0):
        raise MemoryError("no page can be guarded")
    array = whole[room - size : room].view(np.float64).reshape(shape)
    array[...] = np.linspace(0.5, 1.5, math.prod(shape)).reshape(shape)
    return array


def main() -> None:
    for reduce in (None, "sum"):
        of_row = chainrule.compile(lambda x: chainrule.sin(x) * x, in_axes=-1, reduce=reduce)
        of_rows = chainrule.compile(lambda x, s: chainrule.sin(x[0]) * s + x[1], in_axes=(1, None), reduce=reduce)
        for n in (*range(1, 36), 1023, 4095, 4096):
            for _ in range(2):
                of_row(at_the_end(n))
                of_rows.value_and_grad(at_the_end(2, n), 2.0, argnums=1)
    print("read nothing beyond")


if __name__ == "__main__":
    main()
