"""A function that is being written in LLVM's assembly: its loops, its numbers, and how they are read and written."""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir

from chainrule.compiler.loops.program import Index, Program, Read, Statement
from chainrule.compiler.loops.writing.addresses import I32, I64, Access, Addresses, Vectors
from chainrule.compiler.loops.writing.bounds import Range
from chainrule.compiler.loops.writing.layout import Layout
from chainrule.compiler.loops.writing.strides import flattened, lane_step, row_major, stride_along
from chainrule.compiler.lowering.operations import Emitter
from chainrule.compiler.native.llvm import Machine


def within_reach(tables: np.ndarray, begin: int, size: int, reach: Range | None) -> np.ndarray:
    """What a load from one table may find: its own entries, if `reach`, where the address lies, is proved to be within
    it; else those of any table, since an address is kept within the area of all.

    >>> tables = np.array([0, 1, 70, 80])
    >>> within_reach(tables, 2, 2, Range(2, 3)), within_reach(tables, 2, 2, Range(1, 3))
    (array([70, 80]), array([ 0,  1, 70, 80]))
    """
    own = reach is not None and begin <= reach.low and reach.high < begin + size
    return tables[begin : begin + size] if own else tables


class Code(Addresses):
    """The body of a function that is being written.

    Attributes:
        lanes: whether this is a piece of code for lanes.
        along: outside lanes the axis that vectors run along.
        bases: for arrays of which a window is kept, at which place that begins now.
        inside: in a sum with bounds in which lanes the present step is within them, for each vector.
        at_work: the array that is being filled.
    """

    def __init__(self, function: ir.Function, program: Program, layout: Layout, machine: Machine, bits: int) -> None:
        super().__init__(function, program, layout, machine, bits)
        self.lanes = False
        self.along: int | None = None
        self.bases: dict[int, ir.Value] = {}
        self.inside: list[ir.Value] | None = None
        self.at_work = 0

    def variables(self, starts: Vectors) -> list[ir.Value]:
        """Places in the function's own memory (registers, in the end), with these numbers in them."""
        places = []
        for start in starts:
            with self.builder.goto_block(self.entry):
                places.append(self.builder.alloca(start.type))
            self.builder.store(start, places[-1])
        return places

    def contents(self, places: list[ir.Value]) -> Vectors:
        """The numbers in variables."""
        return [self.builder.load(place, typ=self.vector_type()) for place in places]

    # ---- numbers ----
    def emitter(self) -> Emitter:
        return Emitter(self.builder, self.function.module, self.machine, self.width.lanes, self.bits)

    def number(self, x: float) -> Vectors:
        return [self.emitter().constant(x)] * self.width.vectors

    def splat(self, x: ir.Value) -> ir.Value:
        return self.repeated(x, self.width.lanes)

    def vector_type(self) -> ir.Type:
        return ir.VectorType(self.element, self.width.lanes) if self.width.lanes > 1 else self.element

    # ---- places in memory ----
    def flat(self, array: int, indices: list[Index], axes: list[ir.Value]) -> ir.Value:
        """The flat place in an array."""
        offset, strides, tables = flattened(self.program.arrays[array].shape, indices, len(axes))
        total: ir.Value = I64(offset)
        for stride, axis in zip(strides, axes, strict=True):
            if stride:
                total = self.plus(total, self.times(axis, stride))
        for index, scale in tables:
            total = self.plus(total, self.times(self.from_table(index, axes), scale))
        return total

    def within_window(self, array: int, at: ir.Value) -> ir.Value:
        """The flat place of an element in what is kept of its array."""
        base = self.bases.get(array)
        if base is None:
            return at
        return self.minus(at, self.times(base, math.prod(self.program.arrays[array].shape[1:])))

    def from_table(self, index: Index, axes: list[ir.Value]) -> ir.Value:
        assert index.table is not None
        begin = self.layout.table_at[id(index.table)]
        at: ir.Value = I64(begin)
        scale = 1
        for axis, extent in reversed(list(zip(axes, index.table.shape, strict=True))):
            if extent > 1:
                at = self.plus(at, self.times(axis, scale))
                scale *= extent
        before, self.subject = self.subject, f"a{self.at_work}: a table of indices"
        place = self.pointer(Access("tables", (begin, begin + index.table.size)), at)
        self.subject = before
        found = self.builder.sext(self.builder.load(place, typ=I32), I64)
        entries = within_reach(self.layout.tables, begin, index.table.size, self.bounds.range(at))
        self.bounds.variable(found, int(np.min(entries)), int(np.max(entries)))
        return found

    def load(self, read: Read, axes: list[ir.Value]) -> Vectors:
        """The numbers of an element, for all lanes of this piece of code."""
        area, offset = self.layout.place[read.array]
        own = self.layout.own(self.program, read.array)
        self.subject = f"a{self.at_work}: {read}"
        if self.layout.extents.get(read.array) == 1:
            return self.row(area, I64(offset), own) if area == "scratch" else self._load_one(area, I64(offset), own)
        at = self.plus(self.within_window(read.array, self.flat(read.array, read.indices, axes)), I64(offset))
        step = lane_step(self.program.arrays[read.array].shape, read.indices)  # in the array, from lane to lane
        if area == "shared":
            if self.along is not None and self.width.lanes > 1:
                step = stride_along(self.program, read, self.along, len(axes)) or 0
            elif step and self.start is not None:
                at = self.plus(at, self.times(self.start, step))
            return self._load_steps(area, at, step, own)
        if area == "scratch" and (read.lane is not None or step):
            lane = read.lane or Index(0, (0,) * len(axes), None, 1)
            at = self.plus(self.times(at, self.width.all), self.single(lane, axes))
            own = own[0] * self.width.all, own[1] * self.width.all
            return self._load_steps(area, at, step * self.width.all + lane.lane, own)
        return self.row(area, at, own)

    def row(self, area: str, at: ir.Value, own: tuple[int, int]) -> Vectors:
        """The numbers of a row of an area that has a number for each lane; `own` are the rows of the array."""
        size, lanes, found = self.bits // 8, self.width.lanes, []
        for u in range(self.width.vectors):
            place = self.in_row(Access(area, own, self.counting(u)), at, u * lanes, lanes)
            align = size if area in self.strides else lanes * size
            found.append(self.builder.load(place, typ=self.vector_type(), align=align))
        return found

    def single(self, index: Index, axes: list[ir.Value]) -> ir.Value:
        """The value of one index, in the first lane."""
        total: ir.Value = I64(index.offset)
        for stride, axis in zip(index.strides, axes, strict=False):
            if stride:
                total = self.plus(total, self.times(axis, stride))
        return total

    def _load_one(self, area: str, at: ir.Value, own: tuple[int, int]) -> Vectors:
        """One number, the same for all lanes."""
        place = self.pointer(Access(area, own, self._counting_at_all()), at)
        return [self.splat(self.builder.load(place, typ=self.element, align=self.bits // 8))] * self.width.vectors

    def _load_steps(self, area: str, at: ir.Value, step: int, own: tuple[int, int]) -> Vectors:
        """Numbers that lie `step` apart from lane to lane; the same one for all lanes if that is 0."""
        size, lanes = self.bits // 8, self.width.lanes
        if not step or lanes == 1:
            return self._load_one(area, at, own)
        found = []
        for u in range(self.width.vectors):
            first, counts = self.plus(at, I64(u * lanes * step)), self.counting(u)
            if step == 1:
                place = self.pointer(Access(area, own, counts), first, lanes)
                found.append(self.builder.load(place, typ=self.vector_type(), align=size))
                continue
            vector: ir.Value = ir.Constant(self.vector_type(), ir.Undefined)
            for lane in range(lanes):
                own_count = None if counts is None else self.builder.extract_element(counts, I32(lane))
                place = self.pointer(Access(area, own, own_count), self.plus(first, I64(lane * step)))
                x = self.builder.load(place, typ=self.element, align=size)
                vector = self.builder.insert_element(vector, x, I32(lane))
            found.append(vector)
        return found

    def counting(self, u: int) -> ir.Value | None:
        """In checked code which lanes of a vector count: those that are samples, and whose sums have such a step."""
        if self.account.checks is None:
            return None
        found = [truths[u] for truths in (self.mask, self.inside) if truths is not None]
        return self.builder.and_(*found) if len(found) == 2 else found[0] if found else None

    def _counting_at_all(self) -> ir.Value | None:
        """In checked code whether any lane counts."""
        found: ir.Value | None = None
        for u in range(self.width.vectors):
            own = self.counting(u)
            if own is None:
                return None
            found = self._any(own) if found is None else self.builder.or_(found, self._any(own))
        return found

    def within(self, bounds: tuple[Index, Index], axes: list[ir.Value]) -> list[ir.Value]:
        """For each vector in which lanes the step `axes[-1]` of a sum is within the bounds."""
        low, high = bounds
        return [
            self.builder.and_(self._beyond("<=", low, axes, u), self._beyond(">", high, axes, u))
            for u in range(self.width.vectors)
        ]

    def _beyond(self, sign: str, bound: Index, axes: list[ir.Value], u: int) -> ir.Value:
        """Whether a bound is below (or above) the step of a sum."""
        if bound.table is not None:
            first = self.plus(self.from_table(bound, axes[:-1]), I64(bound.offset))
        else:
            first = self.single(bound, axes[:-1])
        if bound.lane and self.start is not None:
            first = self.plus(first, self.times(self.start, bound.lane))
        if self.width.lanes == 1:
            return self.builder.icmp_signed(sign, first, axes[-1])
        kind = ir.VectorType(I64, self.width.lanes)
        row = [(u * self.width.lanes + lane) * bound.lane for lane in range(self.width.lanes)]
        values = self.builder.add(self.splat(first), ir.Constant(kind, row))
        return self.builder.icmp_signed(sign, values, self.splat(axes[-1]))

    def store(self, statement: Statement, axes: list[ir.Value], values: Vectors) -> None:
        array = statement.target
        area, offset = self.layout.place[array]
        shape = self.program.arrays[array].shape
        at: ir.Value = I64(offset)
        if self.layout.extents.get(array) != 1:
            at = self.within_window(array, I64(offset + (statement.row * row_major(shape)[0] if shape else 0)))
            for axis, stride in zip(axes, row_major(shape), strict=True):
                at = self.plus(at, self.times(axis, stride))
        self.subject = f"a{array}, to be filled"
        own, align = self.layout.own(self.program, array), self.bits // 8
        for u, value in enumerate(values):
            lanes = (
                value.type.count if isinstance(value.type, ir.VectorType) else 1
            )  # a sum over the lanes is one number
            if area == "scratch":
                place, align = self.in_row(Access(area, own, None, True), at, u * lanes, lanes), lanes * self.bits // 8
            else:
                place = self.pointer(Access(area, own, None, True), self.plus(at, I64(u * lanes)), lanes)
            self.builder.store(value, place, align=align)
