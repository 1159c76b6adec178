"""Statements in LLVM's assembly: operations, sums of many steps, and sums over all lanes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from llvmlite import ir

from chainrule import ops
from chainrule.compiler.graph.graph import BATCH_SUM
from chainrule.compiler.loops.program import Call, Expression, Number, Program, Read, Statement, Sum, reads
from chainrule.compiler.loops.writing.addresses import I32, I64, Access, Vectors, Width
from chainrule.compiler.loops.writing.code import Code
from chainrule.compiler.loops.writing.layout import Layout
from chainrule.compiler.loops.writing.nests import Nest, is_previous, own_place
from chainrule.compiler.loops.writing.strides import row_major, stride_along
from chainrule.compiler.native.llvm import Machine
from chainrule.core.operation import Operation

UNROLLED = 4
"""Sums of up to so many steps are written out."""


@dataclass
class Place:
    """A place within the loops of a nest, and the numbers that the nest has just calculated there."""

    axes: list[ir.Value]
    near: dict[int, Vectors] = field(default_factory=dict)


class StatementCode(Code):
    """A function that calculates statements.

    Attributes:
        nest_axes: the extents of the loops around the present statement.
        rows: for the arrays that its nest fills, in which row that begins.
        previous: in a chain, of the arrays that are carried, the numbers of the iteration before.
        made: the numbers of each array that the nest has made last.
    """

    def __init__(self, function: ir.Function, program: Program, layout: Layout, machine: Machine, bits: int) -> None:
        super().__init__(function, program, layout, machine, bits)
        self.nest_axes: tuple[int, ...] = ()
        self.rows: dict[int, int] = {}
        self.previous: dict[int, Vectors] = {}
        self.made: dict[int, Vectors] = {}

    # ---- expressions ----
    def value(self, x: Expression, axes: list[ir.Value], near: dict[int, Vectors]) -> Vectors:
        """The numbers of an expression; `near` has those that the same nest has just calculated."""
        if isinstance(x, Number):
            return self.number(x.number)
        if isinstance(x, Read) and x.array in self.previous and is_previous(x):
            return self.previous[x.array]
        if isinstance(x, Read):
            return (
                near[x.array]
                if x.array in near and own_place(x, len(self.nest_axes), self.rows[x.array])
                else self.load(x, axes)
            )
        arguments = [self.value(a, axes, near) for a in x.arguments]
        return self.apply(x.op, arguments)

    def apply(self, op: Operation, arguments: list[Vectors]) -> Vectors:
        """An operation, vector by vector."""
        return [self.emitter().apply(op, [a[u] for a in arguments]) for u in range(self.width.vectors)]

    # ---- statements ----
    def begin(self, statement: Statement) -> None:
        """Says of which statement the addresses that follow are."""
        self.at_work, self.ragged = statement.target, statement.ragged

    def statement(self, statement: Statement, places: list[Place]) -> None:
        """Calculates a statement at several places at once, and keeps the numbers near each."""
        self.begin(statement)
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
                totals = self._add_steps(statement, one, totals, places, I64(k))
            return totals
        variables = [self.variables(total) for total in totals]
        with self.loop(one.length, along_lanes=one.along_lanes) as k:
            before = [[self.builder.load(x, typ=self.vector_type()) for x in row] for row in variables]
            for row, values in zip(variables, self._add_steps(statement, one, before, places, k), strict=True):
                for x, value in zip(row, values, strict=True):
                    self.builder.store(value, x)
        return [[self.builder.load(x, typ=self.vector_type()) for x in row] for row in variables]

    def _add_steps(
        self, statement: Statement, one: Sum, totals: list[Vectors], places: list[Place], k: ir.Value
    ) -> list[Vectors]:
        return [self.step(statement, one, t, [*p.axes, k], p.near) for t, p in zip(totals, places, strict=True)]

    def _is_long(self, statement: Statement, one: Sum, axes: int) -> bool:
        """Whether vectors shall run along the steps of a sum, several partial sums at once."""
        lanes = self.machine.lanes(self.bits)
        if self.width.all > 1 or self.lanes or one.length < 4 * lanes or one.bounds or statement.op is ops.largest:
            return False
        found = [read for part in one.parts for read in reads(part)]
        return all(stride_along(self.program, read, axes, axes + 1) in (0, 1) for read in found)

    def _long_sum(
        self, statement: Statement, one: Sum, total: Vectors, axes: list[ir.Value], near: dict[int, Vectors]
    ) -> Vectors:
        lanes = self.machine.lanes(self.bits)
        before, self.along, self.width = self.along, len(axes), Width(lanes, 1)
        single, self.previous = self.previous, self._in_all_lanes(self.previous)
        near_all = self._in_all_lanes(near)
        whole = one.length // (4 * lanes) * 4 * lanes
        places = self.variables(self.number(0.0) * 4)
        with self.loop(whole, 4 * lanes) as k:
            for u, place in enumerate(places):
                at = self.plus(I64(u * lanes), k)
                old = [self.builder.load(place, typ=self.vector_type())]
                self.builder.store(self.step(statement, one, old, [*axes, at], near_all)[0], place)
        e = self.emitter()
        parts = [self.builder.load(place, typ=self.vector_type()) for place in places]
        together = e.add(e.add(parts[0], parts[1]), e.add(parts[2], parts[3]))
        self.along, self.width, self.previous = before, Width(1, 1), single
        places = self.variables([self.emitter().add(total[0], self.across(together))])
        if whole < one.length:
            with self.loop(one.length, 1, whole) as k:
                old = [self.builder.load(places[0], typ=self.element)]
                self.builder.store(self.step(statement, one, old, [*axes, k], near)[0], places[0])
        return [self.builder.load(places[0], typ=self.element)]

    def _in_all_lanes(self, made: dict[int, Vectors]) -> dict[int, Vectors]:
        """What the nest has just calculated, for vectors that run along the steps of a sum: all steps use it."""
        return {array: [self.splat(x) for x in numbers] for array, numbers in made.items()}

    def across(self, vector: ir.Value) -> ir.Value:
        """The sum of the numbers of a vector."""
        if not isinstance(vector.type, ir.VectorType):
            return vector
        name = f"llvm.vector.reduce.fadd.v{vector.type.count}f{self.bits}"
        function = self.function.module.globals.get(name)
        if function is None:
            function = ir.Function(
                self.function.module, ir.FunctionType(self.element, [self.element, vector.type]), name
            )
        return self.builder.call(function, [ir.Constant(self.element, -0.0), vector], fastmath=("reassoc",))

    def step(
        self, statement: Statement, one: Sum, total: Vectors, axes: list[ir.Value], near: dict[int, Vectors]
    ) -> Vectors:
        inside = None if one.bounds is None else self.within(one.bounds, axes)
        self.inside = inside
        parts = [self.value(x, axes, near) for x in one.parts]
        self.inside = None
        e = self.emitter()
        if statement.op is ops.largest:
            more = self.apply(ops.max, [total, parts[0]])
        elif len(parts) == 2:
            more = [e.fma(a, b, t) for a, b, t in zip(*parts, total, strict=True)]
        else:
            more = [e.add(t, a) for a, t in zip(parts[0], total, strict=True)]
        if inside is None:
            return more
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
                    e.where(e.compare("==", p, e.constant(at)), a, f)
                    for p, a, f in zip(place, parts, found, strict=True)
                ]
                at += 1
        return found

    def add_up(self, statement: Statement, axes: list[ir.Value], near: dict[int, Vectors]) -> None:
        """Adds a statement's numbers to the vector that grows to their sum over all lanes; or finishes that at once, if
        there is no other block."""
        self.begin(statement)
        if self.program.crossing:
            self.store(statement, axes, [self.across(self._over_lanes(statement, axes, near))])
            return
        offset = self.layout.place[statement.sum_at][1]  # type: ignore[attr-defined]
        at: ir.Value = I64(offset)
        for axis, stride in zip(axes, row_major(statement.axes), strict=True):
            at = self.plus(at, self.times(axis, stride))
        self.subject = f"a{statement.target}, a sum over the lanes"
        place = self.pointer(Access("sums", store=True), self.times(at, self.width.lanes), self.width.lanes)
        align = self.width.lanes * self.bits // 8
        total = self.builder.load(place, typ=self.vector_type(), align=align)
        x = statement.arguments[0]
        e = self.emitter()
        product = x if isinstance(x, Call) and x.op is ops.mul else None
        factors = [self.value(part, axes, near) for part in product.arguments] if product else []
        values = [] if factors else self.value(x, axes, near)
        for u in range(self.width.vectors):
            more = e.fma(factors[0][u], factors[1][u], total) if factors else e.add(total, values[u])
            total = more if self.mask is None else e.where(self.mask[u], more, total)
        self.builder.store(total, place, align=align)

    def sums_of_many(self, nest: Nest, extent: int) -> bool:
        """Whether the last loop can make as many sums over lanes at once as a vector has numbers."""
        return (
            self.program.crossing
            and self.width.lanes > 1
            and extent % self.width.lanes == 0
            and [s.op for s in nest.statements] == [BATCH_SUM]
        )

    def add_up_many(self, statement: Statement, axes: list[ir.Value], first: ir.Value) -> None:
        """Sums over lanes of elements that lie side by side."""
        self.begin(statement)
        rows = [self._over_lanes(statement, [*axes, self.plus(I64(j), first)], {}) for j in range(self.width.lanes)]
        area, offset = self.layout.place[statement.target]
        at: ir.Value = I64(offset)
        self.subject = f"a{statement.target}, sums over the lanes"
        access = Access(area, self.layout.own(self.program, statement.target), None, True)
        for axis, stride in zip([*axes, first], row_major(statement.axes), strict=True):
            at = self.plus(at, self.times(axis, stride))
        self.builder.store(self._each_sum(rows), self.pointer(access, at, self.width.lanes), align=self.bits // 8)

    def _each_sum(self, rows: Vectors) -> ir.Value:
        """The sums of the numbers of each of as many vectors as one has numbers, as a vector: halves are added, pair by
        pair, until one vector is left."""
        lanes, half = self.width.lanes, self.width.lanes
        e = self.emitter()
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
