"""A function that is being written in LLVM's assembly: its loops, its numbers, and how they are read and written."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass

from llvmlite import ir

from chainrule.compiler.control import counted
from chainrule.compiler.loops.layout import Layout
from chainrule.compiler.loops.program import Index, Program, Read, Statement
from chainrule.compiler.loops.strides import flattened, lane_step, row_major, stride_along
from chainrule.compiler.lowering import Emitter
from chainrule.compiler.native import Machine

I64, I32, POINTER = ir.IntType(64), ir.IntType(32), ir.PointerType()

Vectors = list[ir.Value]
"""The numbers of all lanes that a piece of code works on."""


@dataclass
class Width:
    """How many lanes a piece of code works on: `vectors` vectors of `lanes` numbers."""

    lanes: int
    vectors: int

    @property
    def all(self) -> int:
        return self.lanes * self.vectors


class Code:
    """The body of a function that is being written.

    Attributes:
        builder: where the next instruction goes.
        areas: the pointers to the areas of memory, by name.
        strides: for `fixed` and `batched` the distance of one row to the next.
    """

    def __init__(self, function: ir.Function, program: Program, layout: Layout, machine: Machine, bits: int) -> None:
        self.function, self.program, self.layout, self.machine, self.bits = function, program, layout, machine, bits
        self.entry = function.append_basic_block("entry")
        self.builder = ir.IRBuilder(function.append_basic_block("body"))
        self.areas: dict[str, ir.Value] = {}
        self.strides: dict[str, ir.Value] = {}
        self.element = ir.DoubleType() if bits == 64 else ir.FloatType()
        self.width = Width(1, 1)
        self.mask: list[ir.Value] | None = None
        self.start: ir.Value | None = None  # the first lane of the block
        self.count: ir.Value | None = None  # of lanes, where they read from one another
        self.lanes = False  # whether this is a piece of code for lanes
        self.along: int | None = None  # outside lanes: the axis that vectors run along
        self.bases: dict[int, ir.Value] = {}  # for arrays of which a window is kept, at which place that begins now

    def finish(self) -> None:
        """Ends the function."""
        self.builder.ret_void()
        with self.builder.goto_block(self.entry):
            self.builder.branch(self.function.blocks[1])

    # ---- loops and variables ----
    def loop(
        self, end: int | ir.Value, step: int = 1, start: int | ir.Value = 0, along_lanes: bool = False
    ) -> AbstractContextManager[ir.Value]:
        """A loop from `start` up to `end`; gives the counter. One along lanes ends with the last one there is."""
        if along_lanes and self.count is not None:
            fewer = self.builder.icmp_signed("<", self.count, I64(end))
            return counted(self.builder, self.builder.select(fewer, self.count, I64(end)), step, start)
        return counted(self.builder, end, step, start)

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
        if self.width.lanes == 1:
            return x
        vector = ir.VectorType(x.type, self.width.lanes)
        one = self.builder.insert_element(ir.Constant(vector, ir.Undefined), x, I32(0))
        return self.builder.shuffle_vector(
            one,
            ir.Constant(vector, ir.Undefined),
            ir.Constant(ir.VectorType(I32, self.width.lanes), [0] * self.width.lanes),
        )

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
        return self.builder.sub(at, self.times(base, math.prod(self.program.arrays[array].shape[1:])))

    def from_table(self, index: Index, axes: list[ir.Value]) -> ir.Value:
        assert index.table is not None
        at: ir.Value = I64(self.layout.table_at[id(index.table)])
        scale = 1
        for axis, extent in reversed(list(zip(axes, index.table.shape, strict=True))):
            if extent > 1:
                at = self.plus(at, self.times(axis, scale))
                scale *= extent
        place = self.builder.gep(self.areas["tables"], [at], source_etype=I32)
        return self.builder.sext(self.builder.load(place, typ=I32), I64)

    def plus(self, a: ir.Value, b: ir.Value) -> ir.Value:
        if isinstance(a, ir.Constant) and isinstance(b, ir.Constant):
            return I64(a.constant + b.constant)
        if isinstance(a, ir.Constant) and a.constant == 0:
            return b
        return self.builder.add(a, b)

    def times(self, a: ir.Value, n: int) -> ir.Value:
        if isinstance(a, ir.Constant):
            return I64(a.constant * n)
        return a if n == 1 else self.builder.mul(a, I64(n))

    def pointer(self, area: str, at: ir.Value) -> ir.Value:
        return self.builder.gep(self.areas[area], [at], source_etype=self.element)

    def load(self, read: Read, axes: list[ir.Value]) -> Vectors:
        """The numbers of an element, for all lanes of this piece of code."""
        area, offset = self.layout.place[read.array]
        if self.layout.extents.get(read.array) == 1:
            return self.row(area, I64(offset)) if area == "scratch" else self._load_steps(area, I64(offset), 0)
        at = self.plus(self.within_window(read.array, self.flat(read.array, read.indices, axes)), I64(offset))
        step = lane_step(self.program.arrays[read.array].shape, read.indices)  # in the array, from lane to lane
        if area == "shared":
            if self.along is not None and self.width.lanes > 1:
                step = stride_along(self.program, read, self.along, len(axes)) or 0
            elif step and self.start is not None:
                at = self.plus(at, self.times(self.start, step))
            return self._load_steps(area, at, step)
        if area == "scratch" and (read.lane is not None or step):
            lane = read.lane or Index(0, (0,) * len(axes), None, 1)
            at = self.plus(self.times(at, self.width.all), self.single(lane, axes))
            return self._load_steps(area, at, step * self.width.all + lane.lane)
        return self.row(area, at)

    def row(self, area: str, at: ir.Value) -> Vectors:
        """The numbers of a row of an area that has a number for each lane."""
        align = self.bits // 8
        if area == "scratch":
            at, align = self.times(at, self.width.all), self.width.lanes * self.bits // 8
        else:
            at = self.builder.mul(at, self.strides[area])
        places = [self.pointer(area, self.plus(at, I64(u * self.width.lanes))) for u in range(self.width.vectors)]
        return [self.builder.load(place, typ=self.vector_type(), align=align) for place in places]

    def single(self, index: Index, axes: list[ir.Value]) -> ir.Value:
        """The value of one index, in the first lane."""
        total: ir.Value = I64(index.offset)
        for stride, axis in zip(index.strides, axes, strict=False):
            if stride:
                total = self.plus(total, self.times(axis, stride))
        return total

    def _load_steps(self, area: str, at: ir.Value, step: int) -> Vectors:
        """Numbers that lie `step` apart from lane to lane; the same one for all lanes if that is 0."""
        size, lanes = self.bits // 8, self.width.lanes
        if not step or lanes == 1:
            x = self.splat(self.builder.load(self.pointer(area, at), typ=self.element, align=size))
            return [x] * self.width.vectors
        found = []
        for u in range(self.width.vectors):
            first = self.plus(at, I64(u * lanes * step))
            if step == 1:
                found.append(self.builder.load(self.pointer(area, first), typ=self.vector_type(), align=size))
                continue
            vector: ir.Value = ir.Constant(self.vector_type(), ir.Undefined)
            for lane in range(lanes):
                place = self.pointer(area, self.plus(first, I64(lane * step)))
                vector = self.builder.insert_element(
                    vector, self.builder.load(place, typ=self.element, align=size), I32(lane)
                )
            found.append(vector)
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
        align = self.bits // 8
        if area == "scratch":
            at, align = self.times(at, self.width.all), self.width.lanes * self.bits // 8
        for u, value in enumerate(values):
            self.builder.store(value, self.pointer(area, self.plus(at, I64(u * self.width.lanes))), align=align)
