"""From nests to LLVM's assembly: loops, reads and writes, sums, and in their midst the operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from llvmlite import ir

from chainrule import ops
from chainrule.compiler.control import counted
from chainrule.compiler.graph import BATCH_SUM
from chainrule.compiler.loops.layout import Layout
from chainrule.compiler.loops.nests import Nest, own_place
from chainrule.compiler.loops.program import Call, Expression, Index, Number, Program, Read, Statement, Sum
from chainrule.compiler.lowering import Emitter
from chainrule.compiler.native import Machine

I64, I32, POINTER = ir.IntType(64), ir.IntType(32), ir.PointerType()
UNROLLED = 4
"""Sums of up to so many steps are written out."""


@dataclass
class Width:
    """How many lanes a piece of code works on: `vectors` vectors of `lanes` numbers."""

    lanes: int
    vectors: int

    @property
    def all(self) -> int:
        return self.lanes * self.vectors


Vectors = list[ir.Value]

ACCUMULATORS = 8
"""So many vectors of sums are kept in registers at once."""


@dataclass
class Place:
    """A place within the loops of a nest, and the numbers that the nest has just calculated there."""

    axes: list[ir.Value]
    near: dict[int, Vectors] = field(default_factory=dict)


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

    def finish(self) -> None:
        """Ends the function."""
        self.builder.ret_void()
        with self.builder.goto_block(self.entry):
            self.builder.branch(self.function.blocks[1])

    # ---- loops and variables ----
    def loop(self, end: int, step: int = 1, start: int = 0, along_lanes: bool = False) -> AbstractContextManager[ir.Value]:
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
        return self.builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(I32, self.width.lanes), [0] * self.width.lanes))

    def vector_type(self) -> ir.Type:
        return ir.VectorType(self.element, self.width.lanes) if self.width.lanes > 1 else self.element

    # ---- places in memory ----
    def flat(self, array: int, indices: list[Index], axes: list[ir.Value]) -> ir.Value:
        """The flat place in an array."""
        offset, strides, tables = _flattened(self.program.arrays[array].shape, indices, len(axes))
        total: ir.Value = I64(offset)
        for stride, axis in zip(strides, axes, strict=True):
            if stride:
                total = self.plus(total, self.times(axis, stride))
        for index, scale in tables:
            total = self.plus(total, self.times(self.from_table(index, axes), scale))
        return total

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
        at = self.plus(self.flat(read.array, read.indices, axes), I64(offset))
        step = _lane_step(self.program.arrays[read.array].shape, read.indices)  # in the array, from lane to lane
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
                vector = self.builder.insert_element(vector, self.builder.load(place, typ=self.element, align=size), I32(lane))
            found.append(vector)
        return found

    def within(self, bounds: tuple[Index, Index], axes: list[ir.Value]) -> list[ir.Value] | None:
        """For each vector in which lanes the step `axes[-1]` of a sum is within the bounds; None: in all."""
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
        at: ir.Value = I64(offset + (statement.row * _row_major(shape)[0] if shape else 0))
        for axis, stride in zip(axes, _row_major(shape), strict=True):
            at = self.plus(at, self.times(axis, stride))
        align = self.bits // 8
        if area == "scratch":
            at, align = self.times(at, self.width.all), self.width.lanes * self.bits // 8
        for u, value in enumerate(values):
            self.builder.store(value, self.pointer(area, self.plus(at, I64(u * self.width.lanes))), align=align)

    # ---- expressions ----
    def value(self, x: Expression, axes: list[ir.Value], near: dict[int, Vectors]) -> Vectors:
        """The numbers of an expression; `near` has those that the same nest has just calculated."""
        if isinstance(x, Number):
            return self.number(x.number)
        if isinstance(x, Read):
            return near[x.array] if x.array in near and own_place(x, len(self.nest_axes), self.rows[x.array]) else self.load(x, axes)
        arguments = [self.value(a, axes, near) for a in x.arguments]
        return self.apply(x.op, arguments)

    nest_axes: tuple[int, ...] = ()
    rows: dict[int, int] = {}  # noqa: RUF012 - set anew for each nest

    def apply(self, op, arguments: list[Vectors]) -> Vectors:
        return [self.emitter().apply(op, [a[u] for a in arguments]) for u in range(self.width.vectors)]

    # ---- statements ----
    def statement(self, statement: Statement, places: list[Place]) -> None:
        """Calculates a statement at several places at once, and keeps the numbers near each."""
        if statement.op is ops.take:
            for place in places:
                place.near[statement.target] = self._take(statement, place)
            return
        totals = []
        for place in places:
            arguments = [self.value(x, place.axes, place.near) for x in statement.arguments]
            if not statement.sums and statement.op not in (ops.sum, ops.weighted_sum, ops.largest):
                totals.append(self.apply(statement.op, arguments))
            elif arguments:
                totals.append(arguments[0])
            else:
                totals.append(self.number(-math.inf if statement.op is ops.largest else 0.0))
        for one in statement.sums:
            totals = self.sum(statement, one, totals, places)
        for place, total in zip(places, totals, strict=True):
            place.near[statement.target] = total

    def sum(self, statement: Statement, one: Sum, totals: list[Vectors], places: list[Place]) -> list[Vectors]:
        """Adds the steps of a sum to the totals of several places."""
        if self._is_long(statement, one, len(places[0].axes)):
            return [self._long_sum(statement, one, t, p.axes, p.near) for t, p in zip(totals, places, strict=True)]
        if one.length <= UNROLLED and not one.along_lanes:
            for k in range(one.length):
                totals = self._steps(statement, one, totals, places, I64(k))
            return totals
        variables = [self.variables(total) for total in totals]
        with self.loop(one.length, along_lanes=one.along_lanes) as k:
            before = [[self.builder.load(x, typ=self.vector_type()) for x in row] for row in variables]
            for row, values in zip(variables, self._steps(statement, one, before, places, k), strict=True):
                for x, value in zip(row, values, strict=True):
                    self.builder.store(value, x)
        return [[self.builder.load(x, typ=self.vector_type()) for x in row] for row in variables]

    def _steps(
        self, statement: Statement, one: Sum, totals: list[Vectors], places: list[Place], k: ir.Value
    ) -> list[Vectors]:
        return [self.step(statement, one, t, [*p.axes, k], p.near) for t, p in zip(totals, places, strict=True)]

    def _is_long(self, statement: Statement, one: Sum, axes: int) -> bool:
        """Whether vectors shall run along the steps of a sum, several partial sums at once."""
        lanes = self.machine.lanes(self.bits)
        if self.width.all > 1 or self.lanes or one.length < 4 * lanes or one.bounds or statement.op is ops.largest:
            return False
        found = [read for part in one.parts for read in _reads(part)]
        return all(stride_along(self.program, read, axes, axes + 1) in (0, 1) for read in found)

    def _long_sum(self, statement: Statement, one: Sum, total: Vectors, axes: list[ir.Value], near: dict[int, Vectors]) -> Vectors:
        lanes = self.machine.lanes(self.bits)
        before, self.along, self.width = self.along, len(axes), Width(lanes, 1)
        whole = one.length // (4 * lanes) * 4 * lanes
        places = self.variables(self.number(0.0) * 4)
        with self.loop(whole, 4 * lanes) as k:
            for u, place in enumerate(places):
                at = self.plus(I64(u * lanes), k)
                old = [self.builder.load(place, typ=self.vector_type())]
                self.builder.store(self.step(statement, one, old, [*axes, at], near)[0], place)
        e = self.emitter()
        parts = [self.builder.load(place, typ=self.vector_type()) for place in places]
        together = e.add(e.add(parts[0], parts[1]), e.add(parts[2], parts[3]))
        self.along, self.width = before, Width(1, 1)
        places = self.variables([self.emitter().add(total[0], self.across(together))])
        if whole < one.length:
            with self.loop(one.length, 1, whole) as k:
                old = [self.builder.load(places[0], typ=self.element)]
                self.builder.store(self.step(statement, one, old, [*axes, k], near)[0], places[0])
        return [self.builder.load(places[0], typ=self.element)]

    def across(self, vector: ir.Value) -> ir.Value:
        """The sum of the numbers of a vector."""
        if not isinstance(vector.type, ir.VectorType):
            return vector
        name = f"llvm.vector.reduce.fadd.v{vector.type.count}f{self.bits}"
        function = self.function.module.globals.get(name)
        if function is None:
            function = ir.Function(self.function.module, ir.FunctionType(self.element, [self.element, vector.type]), name)
        return self.builder.call(function, [ir.Constant(self.element, -0.0), vector], fastmath=("reassoc",))

    def step(self, statement: Statement, one: Sum, total: Vectors, axes: list[ir.Value], near: dict[int, Vectors]) -> Vectors:
        parts = [self.value(x, axes, near) for x in one.parts]
        e = self.emitter()
        if statement.op is ops.largest:
            more = self.apply(ops.max, [total, parts[0]])
        elif len(parts) == 2:
            more = [e.fma(a, b, t) for a, b, t in zip(*parts, total, strict=True)]
        else:
            more = [e.add(t, a) for a, t in zip(parts[0], total, strict=True)]
        if one.bounds is None:
            return more
        inside = self.within(one.bounds, axes)
        return [e.where(mask, m, t) for mask, m, t in zip(inside, more, total, strict=True)]

    def _take(self, statement: Statement, at_place: Place) -> Vectors:
        axes, near = at_place.axes, at_place.near
        place = self.value(statement.arguments[0], axes, near)
        found, at = self.number(math.nan), 0
        for one in statement.sums:
            for k in range(one.length):
                e = self.emitter()
                parts = self.value(one.parts[0], [*axes, I64(k)], near)
                found = [
                    e.where(e.compare("==", p, e.constant(at)), a, f) for p, a, f in zip(place, parts, found, strict=True)
                ]
                at += 1
        return found

    def add_up(self, statement: Statement, axes: list[ir.Value], near: dict[int, Vectors]) -> None:
        """Adds a statement's numbers to the vector that grows to their sum over all lanes; or finishes that at once, if
        there is no other block."""
        if self.program.crossing:
            self.store(statement, axes, [self.across(self._over_lanes(statement, axes, near))])
            return
        area, offset = "sums", self.layout.place[statement.sum_at][1]  # type: ignore[attr-defined]
        at: ir.Value = I64(offset)
        for axis, stride in zip(axes, _row_major(statement.axes), strict=True):
            at = self.plus(at, self.times(axis, stride))
        place = self.pointer(area, self.times(at, self.width.lanes))
        align = self.width.lanes * self.bits // 8
        total = self.builder.load(place, typ=self.vector_type(), align=align)
        x = statement.arguments[0]
        e = self.emitter()
        if isinstance(x, Call) and x.op is ops.mul:
            a, b = [self.value(part, axes, near) for part in x.arguments]
            terms: list[Callable[[ir.Value], ir.Value]] = [lambda t, u=u: e.fma(a[u], b[u], t) for u in range(self.width.vectors)]
        else:
            values = self.value(x, axes, near)
            terms = [lambda t, u=u: e.add(t, values[u]) for u in range(self.width.vectors)]
        for u, term in enumerate(terms):
            more = term(total)
            total = more if self.mask is None else e.where(self.mask[u], more, total)
        self.builder.store(total, place, align=align)

    # ---- nests ----
    def nest(self, nest: Nest) -> None:
        """The loops of a nest, and what is in them."""
        self.nest_axes = nest.axes
        self.rows = {statement.target: statement.row for statement in nest.statements}
        self._loops(nest, list(nest.axes), [])

    def chain(self, chain: list[Nest]) -> None:
        """Nests that share their first axis, which runs in order."""
        with self.loop(chain[0].axes[0]) as i:
            for nest in chain:
                self.nest_axes = nest.axes
                self.rows = {statement.target: statement.row for statement in nest.statements}
                self._loops(nest, list(nest.axes[1:]), [i])

    def nests(self, found: list[Nest], before: Callable[[Nest], None] = lambda nest: None) -> None:
        """One nest after the other; those of a chain together."""
        done: set[int] = set()
        for nest in found:
            if nest.chain is None:
                before(nest)
                self.nest(nest)
            elif nest.chain not in done:
                done.add(nest.chain)
                self.along = None
                self.chain([other for other in found if other.chain == nest.chain])

    def _loops(self, nest: Nest, extents: list[int], axes: list[ir.Value]) -> None:
        if not extents:
            self._body(nest, [Place(axes)])
        elif extents[0] == 1 and len(axes) not in nest.along_lanes:
            self._loops(nest, extents[1:], [*axes, I64(0)])
        elif len(extents) == 1 and self.along is not None:
            self._along(nest, extents[0], axes)
        elif len(extents) == 1 and self._sums_of_many(nest, extents[0]):
            with self.loop(extents[0], self.width.lanes) as i:
                self._add_up_many(nest.statements[0], axes, i)
        elif len(extents) == 1 and (at_once := self._at_once(nest, extents[0])) > 1:
            with self.loop(extents[0], at_once) as i:
                self._body(nest, [Place([*axes, self.plus(I64(n), i)]) for n in range(at_once)])
        else:
            with self.loop(extents[0], along_lanes=len(axes) in nest.along_lanes) as i:
                self._loops(nest, extents[1:], [*axes, i])

    def _sums_of_many(self, nest: Nest, extent: int) -> bool:
        """Whether the last loop can make as many sums over lanes at once as a vector has numbers."""
        return (
            self.program.crossing
            and self.width.lanes > 1
            and extent % self.width.lanes == 0
            and [s.op for s in nest.statements] == [BATCH_SUM]
        )

    def _add_up_many(self, statement: Statement, axes: list[ir.Value], first: ir.Value) -> None:
        """Sums over lanes of elements that lie side by side."""
        rows = [self._over_lanes(statement, [*axes, self.plus(I64(j), first)], {}) for j in range(self.width.lanes)]
        area, offset = self.layout.place[statement.target]
        at: ir.Value = I64(offset)
        for axis, stride in zip([*axes, first], _row_major(statement.axes), strict=True):
            at = self.plus(at, self.times(axis, stride))
        self.builder.store(self._each_sum(rows), self.pointer(area, at), align=self.bits // 8)

    def _each_sum(self, rows: Vectors) -> ir.Value:
        """The sums of the numbers of each of as many vectors as one has numbers, as a vector: halves are added, pair by
        pair, until one vector is left."""
        lanes, half = self.width.lanes, self.width.lanes
        e, order = self.emitter(), list(range(self.width.lanes))
        while len(rows) > 1:
            half //= 2
            low, high = [], []
            for start in range(0, lanes, 2 * half):
                low += [start + i for i in range(half)] + [lanes + start + i for i in range(half)]
                high += [start + half + i for i in range(half)] + [lanes + start + half + i for i in range(half)]
            kind = ir.VectorType(I32, lanes)
            count = len(rows) // 2
            rows = [
                e.add(
                    self.builder.shuffle_vector(rows[i], rows[i + count], ir.Constant(kind, low)),
                    self.builder.shuffle_vector(rows[i], rows[i + count], ir.Constant(kind, high)),
                )
                for i in range(count)
            ]
        del order
        return rows[0]

    def _over_lanes(self, statement: Statement, axes: list[ir.Value], near: dict[int, Vectors]) -> ir.Value:
        """One vector whose numbers add up to the sum of a statement's numbers over all lanes."""
        values = self.value(statement.arguments[0], axes, near)
        e = self.emitter()
        if self.mask is not None:
            values = [e.where(mask, x, e.constant(0.0)) for mask, x in zip(self.mask, values, strict=True)]
        total = values[0]
        for x in values[1:]:
            total = e.add(total, x)
        return total

    def _along(self, nest: Nest, extent: int, axes: list[ir.Value]) -> None:
        """The last loop, in vectors, and what is left over one by one."""
        lanes = self.machine.lanes(self.bits)
        whole = extent // lanes * lanes
        if whole:
            self.width = Width(lanes, 1)
            with self.loop(whole, lanes) as i:
                self._body(nest, [Place([*axes, i])])
        self.width = Width(1, 1)
        if whole < extent:
            with self.loop(extent, 1, whole) as i:
                self._body(nest, [Place([*axes, i])])

    def _body(self, nest: Nest, places: list[Place]) -> None:
        for statement in nest.statements:
            if statement.op is BATCH_SUM:
                for place in places:
                    self.add_up(statement, place.axes, place.near)
                continue
            self.statement(statement, places)
            if statement.target in nest.kept:
                for place in places:
                    self.store(statement, place.axes, place.near[statement.target])

    def _at_once(self, nest: Nest, extent: int) -> int:
        """At how many neighbouring places along the last axis sums are made at once, to share what they read."""
        if not self.lanes or nest.chain is not None or len(nest.axes) - 1 in nest.along_lanes:
            return 1
        if not any(one.length > UNROLLED or one.along_lanes for s in nest.statements for one in s.sums):
            return 1
        most = max(1, ACCUMULATORS // self.width.vectors)
        return next(n for n in range(min(most, extent), 0, -1) if extent % n == 0)


def _row_major(shape: tuple[int, ...]) -> list[int]:
    return [math.prod(shape[d + 1 :]) for d in range(len(shape))]


def _flattened(shape: tuple[int, ...], indices: list[Index], axes: int) -> tuple[int, list[int], list[tuple[Index, int]]]:
    """Indices along the dimensions of an array as one: offset, a stride for each axis, and tables with their scale."""
    offset, strides, tables = 0, [0] * axes, []
    for index, scale in zip(indices, _row_major(shape), strict=True):
        offset += index.offset * scale
        for axis, stride in enumerate(index.strides):
            strides[axis] += stride * scale
        if index.table is not None:
            tables.append((index, scale))
    return offset, strides, tables


def _lane_step(shape: tuple[int, ...], indices: list[Index]) -> int:
    """How far apart, in an array, the elements of two neighbouring lanes are."""
    return sum([index.lane * scale for index, scale in zip(indices, _row_major(shape), strict=True)])


def stride_along(program: Program, read: Read, axis: int, axes: int) -> int | None:
    """How far from one place along an axis to the next a read is, in memory; None if a table says."""
    _, strides, tables = _flattened(program.arrays[read.array].shape, read.indices, axes)
    if any(index.table.shape[axis] > 1 for index, _ in tables if index.table is not None):
        return None
    return strides[axis]


def vectors_along(program: Program, nest: Nest) -> int | None:
    """The axis that vectors can run along outside of lanes: the last one, if all is read and written side by side."""
    if not nest.axes:
        return None
    last = len(nest.axes) - 1
    for statement in nest.statements:
        for read in statement.arguments:
            for one in _reads(read):
                if stride_along(program, one, last, len(nest.axes)) not in (0, 1):
                    return None
        for total in statement.sums:
            if total.bounds is not None:
                return None
            for part in total.parts:
                for one in _reads(part):
                    if stride_along(program, one, last, len(nest.axes) + 1) not in (0, 1):
                        return None
    return last


def _reads(x: Expression) -> Iterator[Read]:
    if isinstance(x, Read):
        yield x
    elif isinstance(x, Call):
        for a in x.arguments:
            yield from _reads(a)
