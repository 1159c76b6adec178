"""Strides: how far apart in memory neighbouring elements along an axis are."""

from __future__ import annotations

import math

from chainrule.compiler.loops.codegen.nests import Nest
from chainrule.compiler.loops.program import Index, Program, Read, reads


def row_major(shape: tuple[int, ...]) -> list[int]:
    """The stride of each dimension of an array, the last one running fastest."""
    return [math.prod(shape[d + 1 :]) for d in range(len(shape))]


def flattened(
    shape: tuple[int, ...], indices: list[Index], axes: int
) -> tuple[int, list[int], list[tuple[Index, int]]]:
    """Combines the indices along the dimensions of an array: an offset, a stride for each axis, and tables with their
    scale."""
    offset, strides, tables = 0, [0] * axes, []
    for index, scale in zip(indices, row_major(shape), strict=True):
        offset += index.offset * scale
        for axis, stride in enumerate(index.strides):
            strides[axis] += stride * scale
        if index.table is not None:
            tables.append((index, scale))
    return offset, strides, tables


def lane_stride(shape: tuple[int, ...], indices: list[Index]) -> int:
    """The distance, in an array, between the elements of two neighbouring lanes."""
    return sum([index.lane * scale for index, scale in zip(indices, row_major(shape), strict=True)])


def stride_along(program: Program, read: Read, axis: int, axes: int) -> int | None:
    """The distance in memory between a read's elements at neighbouring places along an axis; None if it comes from a
    table."""
    _, strides, tables = flattened(program.arrays[read.array].shape, read.indices, axes)
    if any(index.table.shape[axis] > 1 for index, _ in tables if index.table is not None):
        return None
    return strides[axis]


def vectors_along(program: Program, nest: Nest) -> int | None:
    """The axis along which vectors can run outside of lanes: the last one, if all reads and writes are contiguous or
    constant along it."""
    if not nest.axes:
        return None
    last = len(nest.axes) - 1
    for statement in nest.statements:
        for argument in statement.arguments:
            for read in reads(argument):
                if stride_along(program, read, last, len(nest.axes)) not in (0, 1):
                    return None
        for one in statement.sums:
            if one.bounds is not None:
                return None
            for part in one.parts:
                for read in reads(part):
                    if stride_along(program, read, last, len(nest.axes) + 1) not in (0, 1):
                        return None
    return last
