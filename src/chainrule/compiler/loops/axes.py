"""Axes: along which loops the members of a group run, and where along them an operand lies."""

from __future__ import annotations

import numpy as np

from chainrule.compiler.loops.program import Index


def axes_of(columns: np.ndarray) -> tuple[int, ...] | None:
    """The extents of nested loops over which every column is affine: offset + Σ stride · axis.

    Args:
        columns: int[members, n], with a row for each member in order.

    Returns:
        The extents, outermost first; None if there are no such loops.

    >>> axes_of(np.array([[0, 7], [1, 7], [2, 7], [0, 9], [1, 9], [2, 9]]))
    (2, 3)
    >>> axes_of(np.array([[0], [1], [5]])) is None
    True
    """
    count = len(columns)
    if count == 1:
        return ()
    steps = np.diff(columns, axis=0)
    same = (steps == steps[0]).all(axis=1)
    inner = count if same.all() else int(np.argmin(same)) + 1
    if inner == count:
        return (count,)
    if count % inner:
        return None
    blocks = columns.reshape(count // inner, inner, -1)
    within = blocks - blocks[:, :1]
    if not (within == within[0]).all():
        return None
    outer = axes_of(blocks[:, 0])
    return None if outer is None else (*outer, inner)


def index_of(column: np.ndarray, axes: tuple[int, ...]) -> Index:
    """A column as an Index over the axes: affine if it is so, otherwise a table.

    >>> str(index_of(np.array([3, 4, 13, 14]), (2, 2)))
    '10i+j+3'
    """
    box = column.reshape(axes)
    offset = int(box.flat[0])
    rest = box - offset
    strides = []
    for axis, extent in enumerate(axes):
        step = int(rest[tuple([1 if a == axis else 0 for a in range(len(axes))])]) if extent > 1 else 0
        strides.append(step)
    line = np.zeros(axes, dtype=np.int64)
    for axis, (extent, stride) in enumerate(zip(axes, strides, strict=True)):
        line = line + (np.arange(extent) * stride).reshape([-1 if a == axis else 1 for a in range(len(axes))])
    if (line == rest).all():
        return Index(offset, tuple(strides))
    return Index(0, (0,) * len(axes), squeezed(box))


def squeezed(box: np.ndarray) -> np.ndarray:
    """A box without the axes along which nothing changes, which keep the extent 1.

    >>> squeezed(np.array([[1, 2], [1, 2]])).shape
    (1, 2)
    """
    for axis in range(box.ndim):
        first = box.take([0], axis=axis)
        if box.shape[axis] > 1 and same_numbers(box, first):
            box = first
    return box


def same_numbers(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether numbers are equal to the bit (b is repeated where it is smaller)."""
    if a.dtype == np.float64:
        a, b = a.view(np.int64), b.view(np.int64)
    return bool((a == b).all())
