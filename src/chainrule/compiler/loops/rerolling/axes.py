"""Axes: the loops over which the members of a group run, and the place of an operand along them."""

from __future__ import annotations

import math
from collections import Counter

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


SPARSEST = 3
"""A box is worth its loops if at least one in so many of its places is a member."""


def ragged_axes_of(columns: np.ndarray) -> tuple[tuple[int, ...], np.ndarray] | None:
    """Finds loops like `axes_of`, but inner loops may differ in length, as in a triangle.

    Returns:
        The extents of the box around the members, and int[members, axes]: where in it each member is.

    >>> ragged_axes_of(np.array([[0, 0], [1, 0], [1, 1], [2, 0], [2, 1], [2, 2]]))[0]
    (3, 3)
    """
    if len(columns) < 3 or not columns.shape[1]:
        return None
    steps = np.diff(columns, axis=0)
    counts = Counter(map(tuple, steps.tolist()))
    usual = max(sorted(counts), key=counts.__getitem__)
    breaks = (steps != np.array(usual)).any(axis=1)
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    lengths = np.diff([*starts, len(columns)])
    if len(starts) == len(columns):
        return None
    outer = axes_of(columns[starts])
    if outer is not None:
        coordinates = (
            np.stack(np.unravel_index(np.arange(len(starts)), outer), axis=1) if outer else np.zeros((1, 0), int)
        )
    else:
        nested = ragged_axes_of(columns[starts])
        if nested is None:
            return None
        outer, coordinates = nested
    box = (*outer, int(lengths.max()))
    if math.prod(box) > SPARSEST * len(columns):
        return None
    within = np.arange(len(columns)) - np.repeat(starts, lengths)
    return box, np.concatenate([np.repeat(coordinates, lengths, axis=0), within[:, None]], axis=1)


def index_at_points(column: np.ndarray, points: np.ndarray, box: tuple[int, ...]) -> Index:
    """Fits an Index like `index_of`, for members at some points of a box.

    >>> str(index_at_points(np.array([5, 6, 7]), np.array([[0, 0], [1, 0], [1, 1]]), (2, 2)))
    'i+j+5'
    """
    matrix = np.concatenate([np.ones((len(points), 1)), points], axis=1)
    solution = np.linalg.lstsq(matrix, column.astype(float), rcond=None)[0]
    offset, *strides = [round(x) for x in solution.tolist()]
    if (points @ np.array(strides, dtype=np.int64) + offset == column).all():
        return Index(offset, tuple(strides))
    table = np.zeros(box, dtype=np.int64)
    table[tuple(points.T)] = column
    return Index(0, (0,) * len(box), squeezed(table))


def index_of(column: np.ndarray, axes: tuple[int, ...]) -> Index:
    """Fits a column by an Index over the axes: affine where possible, otherwise a table.

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
    affine = np.zeros(axes, dtype=np.int64)
    for axis, (extent, stride) in enumerate(zip(axes, strides, strict=True)):
        affine = affine + (np.arange(extent) * stride).reshape([-1 if a == axis else 1 for a in range(len(axes))])
    if (affine == rest).all():
        return Index(offset, tuple(strides))
    return Index(0, (0,) * len(axes), squeezed(box))


def squeezed(box: np.ndarray) -> np.ndarray:
    """Drops the axes along which a box is constant; they keep the extent 1.

    >>> squeezed(np.array([[1, 2], [1, 2]])).shape
    (1, 2)
    """
    for axis in range(box.ndim):
        first = box.take([0], axis=axis)
        if box.shape[axis] > 1 and same_numbers(box, first):
            box = first
    return box


def same_numbers(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays are equal to the bit; `b` is broadcast where it is smaller."""
    if a.dtype == np.float64:
        a, b = a.view(np.int64), b.view(np.int64)
    return bool((a == b).all())
