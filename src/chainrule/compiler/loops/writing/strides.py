"""Strides: how far apart in memory what a statement reads is, from place to place along its axes."""

from __future__ import annotations

import math

from chainrule.compiler.loops.program import Index, Program, Read, reads
from chainrule.compiler.loops.writing.nests import Nest


def row_major(shape: tuple[int, ...]) -> list[int]:
    """How far apart neighbours along each dimension of an array are, the last one running fastest."""
    return [math.prod(shape[d + 1 :]) for d in range(len(shape))]


def flattened(
    shape: tuple[int, ...], indices: list[Index], axes: int
) -> tuple[int, list[int], list[tuple[Index, int]]]:
    """Indices along the dimensions of an array as one: offset, a stride for each axis, and tables with their scale."""
    offset, strides, tables = 0, [0] * axes, []
    for index, scale in zip(indices, row_major(shape), strict=True):
        offset += index.offset * scale
        for axis, stride in enumerate(index.strides):
            strides[axis] += stride * scale
        if index.table is not None:
            tables.append((index, scale))
    return offset, strides, tables


def lane_step(shape: tuple[int, ...], indices: list[Index]) -> int:
    """How far apart, in an array, the elements of two neighbouring lanes are."""
    return sum([index.lane * scale for index, scale in zip(indices, row_major(shape), strict=True)])


def stride_along(program: Program, read: Read, axis: int, axes: int) -> int | None:
    """How far from one place along an axis to the next a read is, in memory; None if a table says."""
    _, strides, tables = flattened(program.arrays[read.array].shape, read.indices, axes)
    if any(index.table.shape[axis] > 1 for index, _ in tables if index.table is not None):
        return None
    return strides[axis]


def vectors_along(program: Program, nest: Nest) -> int | None:
    """The axis that vectors can run along outside of lanes: the last one, if all is read and written side by side."""
    if not nest.axes:
        return None
    last = len(nest.axes) - 1
    for statement in nest.statements:
        for argument in statement.arguments:
            for one in reads(argument):
                if stride_along(program, one, last, len(nest.axes)) not in (0, 1):
                    return None
        for total in statement.sums:
            if total.bounds is not None:
                return None
            for part in total.parts:
                for one in reads(part):
                    if stride_along(program, one, last, len(nest.axes) + 1) not in (0, 1):
                        return None
    return last
