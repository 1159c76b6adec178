"""A function that is being generated in LLVM's assembly: its variables, loads and stores."""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir

from chainrule.compiler.loops.codegen.addresses import I32, I64, Access, Addresses, Vectors
from chainrule.compiler.loops.codegen.bounds import Range
from chainrule.compiler.loops.codegen.layout import Layout
from chainrule.compiler.loops.codegen.strides import flattened, lane_stride, row_major, stride_along
from chainrule.compiler.loops.program import Index, Program, Read, Statement
from chainrule.compiler.lowering.operations import Emitter
from chainrule.compiler.native.llvm import Machine


def within_reach(tables: np.ndarray, begin: int, size: int, reach: Range | None) -> np.ndarray:
    """The entries that a load from a table may return: those of the table itself if `reach`, the range of its address,
    lies within it; otherwise those of all tables, as the address is only kept within their common area.

    >>> tables = np.array([0, 1, 70, 80])
    >>> within_reach(tables, 2, 2, Range(2, 3)), within_reach(tables, 2, 2, Range(1, 3))
    (array([70, 80]), array([ 0,  1, 70, 80]))
    """
    own = reach is not None and begin <= reach.low and reach.high < begin + size
    return tables[begin : begin + size] if own else tables


class Code(Addresses):
    """The body of a function that is being generated.

    Attributes:
        has_lanes: whether this code runs in lanes.
        vector_axis: outside of lanes, the axis along which vectors run.
        window_bases: for arrays that keep a window, the place at which it begins now.
        step_mask: within a sum with bounds, for each vector the lanes in which the present step counts.
        target: the array that is being filled.
    """

    def __init__(self, function: ir.Function, program: Program, layout: Layout, machine: Machine, bits: int) -> None:
        super().__init__(function, program, layout, machine, bits)
        self.has_lanes = False
        self.vector_axis: int | None = None
        self.window_bases: dict[int, ir.Value] = {}
        self.step_mask: list[ir.Value] | None = None
        self.target = 0

    def variables(self, starts: Vectors) -> list[ir.Value]:
        """Allocates variables on the stack (registers, after LLVM's passes), with these numbers in them."""
        places = []
        for start in starts:
            with self.builder.goto_block(self.entry):
                places.append(self.builder.alloca(start.type))
            self.builder.store(start, places[-1])
        return places

    def contents(self, places: list[ir.Value]) -> Vectors:
        """Loads variables."""
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
        """The flat place of an element in its array."""
        offset, strides, tables = flattened(self.program.arrays[array].shape, indices, len(axes))
        total: ir.Value = I64(offset)
        for stride, axis in zip(strides, axes, strict=True):
            if stride:
                total = self.plus(total, self.times(axis, stride))
        for index, scale in tables:
            total = self.plus(total, self.times(self.from_table(index, axes), scale))
        return total

    def within_window(self, array: int, at: ir.Value) -> ir.Value:
        """The flat place of an element in the kept part of its array."""
        base = self.window_bases.get(array)
        if base is None:
            return at
        return self.minus(at, self.times(base, math.prod(self.program.arrays[array].shape[1:])))

    def from_table(self, index: Index, axes: list[ir.Value]) -> ir.Value:
        """Loads an entry of a table of indices."""
        assert index.table is not None
        begin = self.layout.table_at[id(index.table)]
        at: ir.Value = I64(begin)
        scale = 1
        for axis, extent in reversed(list(zip(axes, index.table.shape, strict=True))):
            if extent > 1:
                at = self.plus(at, self.times(axis, scale))
                scale *= extent
        before, self.subject = self.subject, f"a{self.target}: a table of indices"
        place = self.pointer(Access("tables", (begin, begin + index.table.size)), at)
        self.subject = before
        entry = self.builder.sext(self.builder.load(place, typ=I32), I64)
        entries = within_reach(self.layout.tables, begin, index.table.size, self.bounds.range(at))
        self.bounds.define_variable(entry, int(np.min(entries)), int(np.max(entries)))
        return entry

    def load(self, read: Read, axes: list[ir.Value]) -> Vectors:
        """Loads an element, for all lanes of this code."""
        area, offset = self.layout.place[read.array]
        array_range = self.layout.array_range(self.program, read.array)
        self.subject = f"a{self.target}: {read}"
        if self.layout.extents.get(read.array) == 1:
            return (
                self.row(area, I64(offset), array_range)
                if area == "scratch"
                else self._load_broadcast(area, I64(offset), array_range)
            )
        at = self.plus(self.within_window(read.array, self.flat(read.array, read.indices, axes)), I64(offset))
        step = lane_stride(self.program.arrays[read.array].shape, read.indices)
        if area == "shared":
            if self.vector_axis is not None and self.width.lanes > 1:
                step = stride_along(self.program, read, self.vector_axis, len(axes)) or 0
            elif step and self.start is not None:
                at = self.plus(at, self.times(self.start, step))
            return self._load_strided(area, at, step, array_range)
        if area == "scratch" and (read.lane is not None or step):
            lane = read.lane or Index(0, (0,) * len(axes), None, 1)
            at = self.plus(self.times(at, self.width.all), self.scalar_index(lane, axes))
            array_range = array_range[0] * self.width.all, array_range[1] * self.width.all
            return self._load_strided(area, at, step * self.width.all + lane.lane, array_range)
        return self.row(area, at, array_range)

    def row(self, area: str, at: ir.Value, array_range: tuple[int, int]) -> Vectors:
        """Loads a row of an area that has one number for each lane; `array_range` are the rows of the array."""
        size, lanes, vectors = self.bits // 8, self.width.lanes, []
        for u in range(self.width.vectors):
            place = self.in_row(Access(area, array_range, self.active_lanes(u)), at, u * lanes, lanes)
            align = size if area in self.strides else lanes * size
            vectors.append(self.builder.load(place, typ=self.vector_type(), align=align))
        return vectors

    def scalar_index(self, index: Index, axes: list[ir.Value]) -> ir.Value:
        """Evaluates an index, in the first lane."""
        total: ir.Value = I64(index.offset)
        for stride, axis in zip(index.strides, axes, strict=False):
            if stride:
                total = self.plus(total, self.times(axis, stride))
        return total

    def _load_broadcast(self, area: str, at: ir.Value, array_range: tuple[int, int]) -> Vectors:
        """Loads one number and broadcasts it to all lanes."""
        place = self.pointer(Access(area, array_range, self._any_active()), at)
        return [self.splat(self.builder.load(place, typ=self.element, align=self.bits // 8))] * self.width.vectors

    def _load_strided(self, area: str, at: ir.Value, step: int, array_range: tuple[int, int]) -> Vectors:
        """Loads numbers that lie `step` apart from lane to lane (a gather); a broadcast if that is 0."""
        size, lanes = self.bits // 8, self.width.lanes
        if not step or lanes == 1:
            return self._load_broadcast(area, at, array_range)
        vectors = []
        for u in range(self.width.vectors):
            first, counts = self.plus(at, I64(u * lanes * step)), self.active_lanes(u)
            if step == 1:
                place = self.pointer(Access(area, array_range, counts), first, lanes)
                vectors.append(self.builder.load(place, typ=self.vector_type(), align=size))
                continue
            vector: ir.Value = ir.Constant(self.vector_type(), ir.Undefined)
            for lane in range(lanes):
                own_count = None if counts is None else self.builder.extract_element(counts, I32(lane))
                place = self.pointer(Access(area, array_range, own_count), self.plus(first, I64(lane * step)))
                x = self.builder.load(place, typ=self.element, align=size)
                vector = self.builder.insert_element(vector, x, I32(lane))
            vectors.append(vector)
        return vectors

    def active_lanes(self, u: int) -> ir.Value | None:
        """In checked code, the lanes of a vector that count: they are samples, and their sum has the present step."""
        if self.address_report.checks is None:
            return None
        masks = [truths[u] for truths in (self.mask, self.step_mask) if truths is not None]
        return self.builder.and_(*masks) if len(masks) == 2 else masks[0] if masks else None

    def _any_active(self) -> ir.Value | None:
        """In checked code, whether any lane counts."""
        active: ir.Value | None = None
        for u in range(self.width.vectors):
            mask = self.active_lanes(u)
            if mask is None:
                return None
            active = self._any(mask) if active is None else self.builder.or_(active, self._any(mask))
        return active

    def bounds_mask(self, bounds: tuple[Index, Index], axes: list[ir.Value]) -> list[ir.Value]:
        """For each vector the lanes in which the step `axes[-1]` of a sum is within the bounds."""
        low, high = bounds
        return [
            self.builder.and_(self._compare_bound("<=", low, axes, u), self._compare_bound(">", high, axes, u))
            for u in range(self.width.vectors)
        ]

    def _compare_bound(self, sign: str, bound: Index, axes: list[ir.Value], u: int) -> ir.Value:
        """Compares a bound of a sum with its step."""
        if bound.table is not None:
            first = self.plus(self.from_table(bound, axes[:-1]), I64(bound.offset))
        else:
            first = self.scalar_index(bound, axes[:-1])
        if bound.lane and self.start is not None:
            first = self.plus(first, self.times(self.start, bound.lane))
        if self.width.lanes == 1:
            return self.builder.icmp_signed(sign, first, axes[-1])
        kind = ir.VectorType(I64, self.width.lanes)
        row = [(u * self.width.lanes + lane) * bound.lane for lane in range(self.width.lanes)]
        values = self.builder.add(self.splat(first), ir.Constant(kind, row))
        return self.builder.icmp_signed(sign, values, self.splat(axes[-1]))

    def store(self, statement: Statement, axes: list[ir.Value], values: Vectors) -> None:
        """Stores the numbers of a statement at a point of its loops."""
        array = statement.target
        area, offset = self.layout.place[array]
        shape = self.program.arrays[array].shape
        at: ir.Value = I64(offset)
        if self.layout.extents.get(array) != 1:
            at = self.within_window(array, I64(offset + (statement.row * row_major(shape)[0] if shape else 0)))
            for axis, stride in zip(axes, row_major(shape), strict=True):
                at = self.plus(at, self.times(axis, stride))
        self.subject = f"a{array}, to be filled"
        access, align = Access(area, self.layout.array_range(self.program, array), store=True), self.bits // 8
        for u, value in enumerate(values):
            lanes = value.type.count if isinstance(value.type, ir.VectorType) else 1  # 1 for a reduction over lanes
            if area == "scratch":
                place, align = self.in_row(access, at, u * lanes, lanes), lanes * self.bits // 8
            else:
                place = self.pointer(access, self.plus(at, I64(u * lanes)), lanes)
            self.builder.store(value, place, align=align)
