"""Lanes: the axis along which there is most to do side by side, chosen where no batch of samples was declared.

Axes of different statements are the same axis where one statement reads, at its place along the axis, what the other
wrote there. The axis on which most operations lie becomes the lanes; sums along it become sums over all lanes.
"""

from __future__ import annotations

import math

import numpy as np

from chainrule.compiler.graph import BATCH_SUM
from chainrule.compiler.loops.program import (
    Array,
    Call,
    Expression,
    Index,
    Program,
    Read,
    Statement,
    Sum,
    reads,
)
from chainrule.ops import mul

FEWEST = 4
"""An axis of fewer places is no axis for vectors."""

Axis = tuple[str, int, int]
"""("array", array, dimension), or ("sum", statement, sum): what can be the same axis as another."""


def choose_lanes(program: Program) -> Program:
    """The program with its longest axis as the lanes; the program itself if none is worth it."""
    same = _Same()
    for at, statement in enumerate(program.statements):
        _match(program, at, statement, same)
    work: dict[Axis, int] = {}
    for statement in program.statements:
        size = math.prod(statement.axes) * (1 + sum([one.length for one in statement.sums]))
        for axis in {same.find(("array", statement.target, d)) for d in range(len(statement.axes))}:
            work[axis] = work.get(axis, 0) + size
    extents = {same.find(("array", s.target, d)): n for s in program.statements for d, n in enumerate(s.axes)}
    in_order = {same.find(("array", s.target, 0)) for s in program.statements if s.chain is not None}
    candidates = [axis for axis in work if extents[axis] >= FEWEST and axis not in in_order]
    if not candidates:
        return program
    chosen = max(candidates, key=lambda axis: (work[axis], extents[axis]))
    if work[chosen] * 2 < sum([math.prod(s.axes) * (1 + sum([one.length for one in s.sums])) for s in program.statements]):
        return program
    try:
        return _Turned(program, same, chosen, extents[chosen]).program()
    except _CrossLaneError:
        return program


class _CrossLaneError(Exception):
    """Something reads across lanes in a way that is not foreseen."""


class _Same:
    """Which axes are the same: sets that grow together."""

    def __init__(self) -> None:
        self.parent: dict[Axis, Axis] = {}

    def find(self, axis: Axis) -> Axis:
        while axis in self.parent:
            axis = self.parent[axis]
        return axis

    def join(self, a: Axis, b: Axis) -> None:
        a, b = self.find(a), self.find(b)
        if a != b:
            self.parent[a] = b


def _match(program: Program, at: int, statement: Statement, same: _Same) -> None:
    """Joins the axes of a statement with the dimensions that it reads along them."""
    axes = [("array", statement.target, d) for d in range(len(statement.axes))]
    for argument in statement.arguments:
        for read in reads(argument):
            _match_read(program, read, axes, statement.axes, same)
    for number, one in enumerate(statement.sums):
        for part in one.parts:
            for read in reads(part):
                _match_read(program, read, [*axes, ("sum", at, number)], (*statement.axes, one.length), same)


def _match_read(program: Program, read: Read, axes: list[Axis], extents: tuple[int, ...], same: _Same) -> None:
    array = program.arrays[read.array]
    if array.kind != "value":
        return
    for d, index in enumerate(read.indices):
        along = [a for a, stride in enumerate(index.strides) if stride]
        if index.table is None and len(along) == 1 and not index.offset and index.strides[along[0]] == 1:
            if extents[along[0]] == array.shape[d]:
                same.join(axes[along[0]], ("array", read.array, d))


class _Turned:
    """A program in which one axis becomes the lanes."""

    def __init__(self, program: Program, same: _Same, chosen: Axis, extent: int) -> None:
        self.old, self.same, self.chosen, self.extent = program, same, chosen, extent
        self.arrays = [self._array(at, array) for at, array in enumerate(program.arrays)]
        self.dimension = {at: d for at, array in enumerate(program.arrays) if (d := self._lane_of(at, array)) is not None}
        self.statements: list[Statement] = []

    def program(self) -> Program:
        for at, statement in enumerate(self.old.statements):
            self._turn(at, statement)
        old = self.old
        return Program(self.arrays, self.statements, old.order, self._outputs(), self._guards(), self.extent)

    def _is_lane(self, axis: Axis) -> bool:
        return self.same.find(axis) == self.chosen

    def _lane_of(self, at: int, array: Array) -> int | None:
        if array.kind != "value":
            return None
        return next((d for d in range(len(array.shape)) if self._is_lane(("array", at, d))), None)

    def _array(self, at: int, array: Array) -> Array:
        lane = self._lane_of(at, array)
        if lane is None:
            return Array(array.shape, array.lanes, array.data, array.kind)
        return Array(tuple([n for d, n in enumerate(array.shape) if d != lane]), True, None, array.kind)

    def _outputs(self) -> list[tuple[int, int]]:
        if any(array in self.dimension for array, _ in self.old.outputs):
            raise _CrossLaneError
        return self.old.outputs

    def _guards(self) -> list[tuple[int, int, bool]]:
        if any(array in self.dimension for array, _, _ in self.old.guards):
            raise _CrossLaneError
        return self.old.guards

    def _turn(self, at: int, statement: Statement) -> None:
        lane = self.dimension.get(statement.target)
        axes = tuple([n for d, n in enumerate(statement.axes) if d != lane])
        arguments = [self._expression(x, lane, len(statement.axes)) for x in statement.arguments]
        sums = []
        for number, one in enumerate(statement.sums):
            along = len(statement.axes) if self._is_lane(("sum", at, number)) and lane is None else None
            parts = [self._expression(x, lane if along is None else along, len(statement.axes) + 1) for x in one.parts]
            if along is None:
                sums.append(Sum(one.length, parts))
            else:
                sums.append(Sum(1, [self._over_lanes(axes, parts)]))
        row, chain = statement.row, statement.chain
        self.statements.append(Statement(statement.target, axes, statement.op, arguments, sums, lane is not None, row, chain))

    def _over_lanes(self, axes: tuple[int, ...], parts: list[Expression]) -> Expression:
        """A statement of its own for a sum over the lanes; returns what reads its result."""
        self.arrays.append(Array(axes))
        target = len(self.arrays) - 1
        inside = parts[0] if len(parts) == 1 else Call(mul, parts)
        self.statements.append(Statement(target, axes, BATCH_SUM, [inside], [], True))
        unit = [tuple([int(a == axis) for a in range(len(axes) + 1)]) for axis in range(len(axes))]
        return Read(target, [Index(0, strides) for strides in unit])

    def _expression(self, x: Expression, lane: int | None, axes: int) -> Expression:
        """An expression without the axis `lane` of its statement, which has become the lanes."""
        if isinstance(x, Call):
            return Call(x.op, [self._expression(a, lane, axes) for a in x.arguments])
        if isinstance(x, Read):
            return self._read(x, lane, axes)
        return x

    def _read(self, read: Read, lane: int | None, axes: int) -> Read:
        dimension = self.dimension.get(read.array)
        if lane is None:
            if dimension is not None:
                raise _CrossLaneError
            return Read(read.array, read.indices)
        if dimension is None:
            if all(_without(index, lane) is not None for index in read.indices):
                return Read(read.array, [index for x in read.indices if (index := _without(x, lane))])
            return self._column(read, lane)
        own = read.indices[dimension]
        if own.table is not None or own.offset or [a for a, s in enumerate(own.strides) if s] != [lane]:
            raise _CrossLaneError
        rest = [_without(index, lane) for d, index in enumerate(read.indices) if d != dimension]
        if any(index is None for index in rest):
            raise _CrossLaneError
        return Read(read.array, [index for index in rest if index is not None])

    def _column(self, read: Read, lane: int) -> Read:
        """A constant, or an input, that differs from lane to lane: laid out anew, along the lanes."""
        array = self.old.arrays[read.array]
        if array.kind == "value":
            raise _CrossLaneError
        if array.data is None:
            raise _CrossLaneError
        along = next(d for d, index in enumerate(read.indices) if _without(index, lane) is None)
        index = read.indices[along]
        if index.table is not None or [s for a, s in enumerate(index.strides) if a != lane and s]:
            raise _CrossLaneError
        data = np.moveaxis(array.data, along, -1)
        self.arrays.append(Array(data.shape[:-1], True, np.ascontiguousarray(data), "data"))
        rest = [_without(x, lane) for d, x in enumerate(read.indices) if d != along]
        return Read(len(self.arrays) - 1, [x for x in rest if x is not None])


def _without(index: Index, axis: int) -> Index | None:
    """An index without an axis on which it does not depend; None if it does."""
    if index.strides[axis] or (index.table is not None and index.table.shape[axis] > 1):
        return None
    strides = index.strides[:axis] + index.strides[axis + 1 :]
    return Index(index.offset, strides, None if index.table is None else index.table.squeeze(axis))
