"""Vectorisation: chooses the axis that becomes the lanes where no batch of samples was declared.

Axes of different statements are the same axis where one statement reads, at its own place along the axis, what the
other wrote there. The axis with most operations becomes the lanes; sums along it become reductions over all lanes.
"""

from __future__ import annotations

import math

import numpy as np

from chainrule.compiler.graph.graph import BATCH_SUM
from chainrule.compiler.loops.program import (
    Array,
    Call,
    Expression,
    Index,
    Number,
    Program,
    Read,
    Statement,
    Sum,
    reads,
)
from chainrule.ops import mul, weighted_sum
from chainrule.ops import sum as sum_of

FEWEST_PLACES = 4
"""A shorter axis is not worth vectors."""

MOST_CROSSING = 32
"""Lanes that read from one another must all be in one block, so there cannot be more than that."""

EXPORT_WIDTH = 16
"""Results that differ from lane to lane are copied out in rows of a multiple of so many numbers: the widest vector
there is."""

Axis = tuple[str, int, int]
"""("array", array, dimension) or ("sum", statement, sum): axes that may be one and the same."""


def choose_lanes(program: Program) -> Program:
    """Vectorises a program along the axis with most work.

    Args:
        program: a program without lanes.

    Returns:
        The program with that axis as its lanes; the same program if no axis is worth it.
    """
    classes = _UnionFind()
    for at, statement in enumerate(program.statements):
        _unify(program, at, statement, classes)
    work: dict[Axis, int] = {}
    for at, statement in enumerate(program.statements):
        size = math.prod(statement.axes)
        own = {classes.find(("array", statement.target, d)) for d in range(len(statement.axes))}
        for axis in own:
            work[axis] = work.get(axis, 0) + size
        for number, one in enumerate(statement.sums):
            for axis in own | {classes.find(("sum", at, number))}:
                work[axis] = work.get(axis, 0) + size * one.length
    extents = {classes.find(("array", s.target, d)): n for s in program.statements for d, n in enumerate(s.axes)}
    in_order = {classes.find(("array", s.target, 0)) for s in program.statements if s.recurrence is not None}
    candidates = [axis for axis in work if extents.get(axis, 0) >= FEWEST_PLACES and axis not in in_order]
    total_work = sum([math.prod(s.axes) * (1 + sum([one.length for one in s.sums])) for s in program.statements])
    for chosen in sorted(candidates, key=lambda axis: (-work[axis], -extents[axis])):
        if work[chosen] * 2 < total_work:
            break
        try:
            candidate = _Vectorized(program, classes, chosen, extents[chosen]).program()
        except _CrossLaneError:
            continue
        if _in_phases(candidate) and not (candidate.crosses_lanes and extents[chosen] > MOST_CROSSING):
            return candidate
    return program


def _in_phases(program: Program) -> bool:
    """Whether no statement that runs in each lane needs a reduction over all lanes."""
    late: set[int] = set()
    for statement in program.statements:
        needs = any(read.array in late for read in statement.reads())
        if statement.lanes and needs:
            return False
        if statement.op is BATCH_SUM or needs:
            late.add(statement.target)
    return True


class _CrossLaneError(Exception):
    """A read crosses lanes in a way that code generation does not support."""


class _UnionFind:
    """Classes of axes that are the same, as disjoint sets."""

    def __init__(self) -> None:
        self.parent: dict[Axis, Axis] = {}

    def find(self, axis: Axis) -> Axis:
        while axis in self.parent:
            axis = self.parent[axis]
        return axis

    def union(self, a: Axis, b: Axis) -> None:
        a, b = self.find(a), self.find(b)
        if a != b:
            self.parent[a] = b


def _unify(program: Program, at: int, statement: Statement, classes: _UnionFind) -> None:
    """Unites the axes of a statement with the dimensions that it reads along them."""
    axes = [("array", statement.target, d) for d in range(len(statement.axes))]
    for argument in statement.arguments:
        for read in reads(argument):
            _unify_read(program, read, axes, statement.axes, classes)
    for number, one in enumerate(statement.sums):
        for part in one.parts:
            for read in reads(part):
                _unify_read(program, read, [*axes, ("sum", at, number)], (*statement.axes, one.length), classes)


def _unify_read(program: Program, read: Read, axes: list[Axis], extents: tuple[int, ...], classes: _UnionFind) -> None:
    array = program.arrays[read.array]
    if array.kind != "value":
        return
    for d, index in enumerate(read.indices):
        along = [a for a, stride in enumerate(index.strides) if stride]
        if index.table is None and len(along) == 1 and not index.offset and index.strides[along[0]] == 1:
            (axis,) = along
            if extents[axis] == array.shape[d]:
                classes.union(axes[axis], ("array", read.array, d))


class _Vectorized:
    """Rewrites a program so that one axis becomes the lanes."""

    def __init__(self, program: Program, classes: _UnionFind, chosen: Axis, extent: int) -> None:
        self.old, self.classes, self.chosen, self.extent = program, classes, chosen, extent
        self.arrays = [self._array(at, array) for at, array in enumerate(program.arrays)]
        self.dimension = {
            at: d for at, array in enumerate(program.arrays) if (d := self._lane_of(at, array)) is not None
        }
        self.statements: list[Statement] = []
        self.crosses_lanes = False
        self.axes: tuple[int, ...] = ()  # of the present expression, without the lanes
        self.exports: dict[int, int] = {}
        self.packs: dict[int, Read] = {}

    def program(self) -> Program:
        for at, statement in enumerate(self.old.statements):
            self._add_statement(at, statement)
        old = self.old
        outputs = [self._exported(array, at) for array, at in old.outputs]
        guards = [(*self._exported(array, at), outcome) for array, at, outcome in old.guards]
        return Program(
            self.arrays,
            self.statements,
            old.order,
            outputs,
            guards,
            self.extent,
            self.crosses_lanes,
            self.exports,
            self.packs,
        )

    def _is_lane(self, axis: Axis) -> bool:
        return self.classes.find(axis) == self.chosen

    def _lane_of(self, at: int, array: Array) -> int | None:
        if array.kind != "value":
            return None
        return next((d for d in range(len(array.shape)) if self._is_lane(("array", at, d))), None)

    def _array(self, at: int, array: Array) -> Array:
        lane = self._lane_of(at, array)
        if lane is None:
            return Array(array.shape, array.lanes, array.data, array.kind)
        return Array(tuple([n for d, n in enumerate(array.shape) if d != lane]), True, None, array.kind)

    def _exported(self, array: int, at: int) -> tuple[int, int]:
        """The place of a result; if it differs from lane to lane, its place in a shared copy of the array."""
        dimension = self.dimension.get(array)
        if dimension is None:
            return array, at
        if array not in self.exports:
            self.exports[array] = len(self.arrays)
            wide = -(-self.extent // EXPORT_WIDTH) * EXPORT_WIDTH
            self.arrays.append(Array((math.prod(self.arrays[array].shape), wide)))
        export = self.exports[array]
        shape = self.old.arrays[array].shape
        place = list(np.unravel_index(at, shape))
        lane = place.pop(dimension)
        rest = shape[:dimension] + shape[dimension + 1 :]
        element = int(np.ravel_multi_index(tuple(place), rest)) if rest else 0
        return export, element * self.arrays[export].shape[1] + int(lane)

    def _add_statement(self, at: int, statement: Statement) -> None:
        lane = self.dimension.get(statement.target)
        axes = self.axes = tuple([n for d, n in enumerate(statement.axes) if d != lane])
        arguments = [self._expression(x, lane, len(statement.axes)) for x in statement.arguments]
        sums = []
        for number, one in enumerate(statement.sums):
            over_lanes = lane is None and self._is_lane(("sum", at, number))
            along = len(statement.axes) if over_lanes else lane
            self.axes = axes if over_lanes else (*axes, one.length)
            parts = [self._expression(x, along, len(statement.axes) + 1) for x in one.parts]
            if over_lanes and one.bounds is None and _is_plain_sum(statement):
                self._add_lane_reduction(statement.target, axes, parts, statement.ragged)
                return
            if over_lanes and one.bounds is None:
                sums.append(Sum(1, [self._reduced_over_lanes(axes, parts, statement.ragged)]))
            elif over_lanes:
                raise _CrossLaneError
            else:
                low_high = one.bounds and (_with_lane(one.bounds[0], lane), _with_lane(one.bounds[1], lane))
                sums.append(Sum(one.length, parts, low_high, self._is_lane(("sum", at, number))))
        others = [d for d in range(len(statement.axes)) if d != lane]
        along_lanes = frozenset([i for i, d in enumerate(others) if self._is_lane(("array", statement.target, d))])
        new = Statement(statement.target, axes, statement.op, arguments, sums, lane is not None, statement.row)
        new.recurrence, new.along_lanes = statement.recurrence, along_lanes if lane is not None else frozenset()
        new.ragged = statement.ragged
        self.statements.append(new)

    def _reduced_over_lanes(self, axes: tuple[int, ...], parts: list[Expression], ragged: bool) -> Expression:
        """Adds a statement that reduces parts over the lanes, and returns the read of its result."""
        self.arrays.append(Array(axes))
        target = len(self.arrays) - 1
        self._add_lane_reduction(target, axes, parts, ragged)
        unit = [tuple([int(a == axis) for a in range(len(axes) + 1)]) for axis in range(len(axes))]
        return Read(target, [Index(0, strides) for strides in unit])

    def _add_lane_reduction(self, target: int, axes: tuple[int, ...], parts: list[Expression], ragged: bool) -> None:
        inside = parts[0] if len(parts) == 1 else Call(mul, parts)
        self.statements.append(Statement(target, axes, BATCH_SUM, [inside], [], True, ragged=ragged))

    def _expression(self, x: Expression, lane: int | None, axes: int) -> Expression:
        """Rewrites an expression whose statement has lost the axis `lane` to the lanes."""
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
            return read
        rest = [_with_lane(index, lane) for d, index in enumerate(read.indices) if d != dimension]
        if dimension is None:
            if any(index.lane for index in rest):
                if self.old.arrays[read.array].data is not None:
                    return self._column(read, lane)
                if self.old.arrays[read.array].kind == "shared":
                    return self._packed(read.array, rest[0])
            return Read(read.array, rest)
        if dimension in read.merged:
            raise _CrossLaneError
        own = _with_lane(read.indices[dimension], lane)
        if own.table is not None:
            raise _CrossLaneError
        if own.lane == 1 and not own.offset and not any(own.strides):
            if any(index.lane for index in rest):
                raise _CrossLaneError
            return Read(read.array, rest)
        self.crosses_lanes = True
        return Read(read.array, rest, own)

    def _packed(self, array: int, index: Index) -> Read:
        """Packs shared inputs that differ from lane to lane along the lanes."""
        along = [axis for axis, stride in enumerate(index.strides) if stride]
        shape = tuple([self.axes[axis] for axis in along])
        own = Index(index.offset, tuple([index.strides[axis] for axis in along]), None, index.lane)
        same = [at for at, read in self.packs.items() if self.arrays[at].shape == shape and read.indices == [own]]
        if not same:
            self.arrays.append(Array(shape, True, None, "packed"))
            same = [len(self.arrays) - 1]
            self.packs[same[0]] = Read(array, [own])
        return Read(same[0], [Index(0, tuple([int(a == axis) for a in range(len(index.strides))])) for axis in along])

    def _column(self, read: Read, lane: int) -> Read:
        """Packs a constant that differs from lane to lane along the lanes."""
        array = self.old.arrays[read.array]
        assert array.data is not None
        along = next(d for d, index in enumerate(read.indices) if _with_lane(index, lane).lane)
        index = _with_lane(read.indices[along], lane)
        if index.table is not None or any(index.strides) or index.offset or index.lane != 1:
            raise _CrossLaneError
        data = np.moveaxis(array.data, along, -1)
        self.arrays.append(Array(data.shape[:-1], True, np.ascontiguousarray(data), "data"))
        return Read(len(self.arrays) - 1, [_with_lane(x, lane) for d, x in enumerate(read.indices) if d != along])


def _is_plain_sum(statement: Statement) -> bool:
    """Whether a statement is one sum and nothing else."""
    if statement.op not in (sum_of, weighted_sum) or len(statement.sums) != 1:
        return False
    return statement.recurrence is None and not statement.row and statement.arguments in ([], [Number(0.0)])


def _with_lane(index: Index, axis: int | None) -> Index:
    """An index after an axis of its statement has become the lanes."""
    if axis is None:
        return index
    strides = index.strides[:axis] + index.strides[axis + 1 :]
    if index.table is None:
        return Index(index.offset, strides, None, index.strides[axis] if axis < len(index.strides) else 0)
    if index.table.shape[axis] > 1:
        raise _CrossLaneError
    return Index(index.offset, strides, index.table.squeeze(axis))
