"""Generates statements in LLVM's assembly: operations, long sums, and reductions over the lanes."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field

from llvmlite import ir

from chainrule import ops
from chainrule.compiler.graph.graph import BATCH_SUM
from chainrule.compiler.loops.codegen.addresses import I32, I64, Access, Vectors, Width
from chainrule.compiler.loops.codegen.code import Code
from chainrule.compiler.loops.codegen.layout import Layout
from chainrule.compiler.loops.codegen.nests import Nest, is_previous, own_place
from chainrule.compiler.loops.codegen.strides import row_major, stride_along
from chainrule.compiler.loops.program import Call, Expression, Number, Program, Read, Statement, Sum, reads
from chainrule.compiler.native.llvm import Machine
from chainrule.core.operation import Operation

UNROLLED = 4
"""Sums of up to so many steps are fully unrolled."""


@dataclass
class Point:
    """A point of a nest's iteration domain.

    Attributes:
        axes: the loop counters.
        forwarded: the numbers that the nest has calculated at this point, by array: they are read from registers.
    """

    axes: list[ir.Value]
    forwarded: dict[int, Vectors] = field(default_factory=dict)


class StatementCode(Code):
    """A function that calculates statements.

    Attributes:
        nest_axes: the extents of the loops around the present statement.
        rows: for each array that the nest fills, the row at which it begins.
        previous: in a recurrence, the carried values of the iteration before, by array.
        made: the numbers that the nest has calculated last, by array.
    """

    def __init__(self, function: ir.Function, program: Program, layout: Layout, machine: Machine, bits: int) -> None:
        super().__init__(function, program, layout, machine, bits)
        self.nest_axes: tuple[int, ...] = ()
        self.rows: dict[int, int] = {}
        self.previous: dict[int, Vectors] = {}
        self.made: dict[int, Vectors] = {}

    # ---- expressions ----
    def value(self, x: Expression, axes: list[ir.Value], forwarded: dict[int, Vectors]) -> Vectors:
        """Evaluates an expression; `forwarded` has what the same nest has just calculated."""
        if isinstance(x, Number):
            return self.number(x.number)
        if isinstance(x, Read) and x.array in self.previous and is_previous(x):
            return self.previous[x.array]
        if isinstance(x, Read):
            return (
                forwarded[x.array]
                if x.array in forwarded and own_place(x, len(self.nest_axes), self.rows[x.array])
                else self.load(x, axes)
            )
        arguments = [self.value(a, axes, forwarded) for a in x.arguments]
        return self.apply(x.op, arguments)

    def apply(self, op: Operation, arguments: list[Vectors]) -> Vectors:
        """Applies an operation, vector by vector."""
        return [self.emitter().apply(op, [a[u] for a in arguments]) for u in range(self.width.vectors)]

    # ---- statements ----
    def begin(self, statement: Statement) -> None:
        """Notes which statement the following addresses belong to."""
        self.target, self.ragged = statement.target, statement.ragged

    def statement(self, statement: Statement, points: list[Point]) -> None:
        """Calculates a statement at several points together, and keeps the numbers of each."""
        self.begin(statement)
        if statement.op is ops.take:
            for point in points:
                point.forwarded[statement.target] = self._take(statement, point)
            return
        totals = []
        for point in points:
            arguments = [self.value(x, point.axes, point.forwarded) for x in statement.arguments]
            if not statement.sums and statement.op not in (ops.sum, ops.weighted_sum, ops.largest):
                totals.append(self.apply(statement.op, arguments))
            elif arguments:
                totals.append(arguments[0])
            else:
                totals.append(self.number(-math.inf if statement.op is ops.largest else 0.0))
        for one in statement.sums:
            totals = self.sum(statement, one, totals, points)
        for point, total in zip(points, totals, strict=True):
            point.forwarded[statement.target] = total

    def sum(self, statement: Statement, one: Sum, totals: list[Vectors], points: list[Point]) -> list[Vectors]:
        """Adds the steps of a sum to the totals of several points."""
        if self._is_vectorizable(statement, one, len(points[0].axes)):
            return [
                self._vectorized_sum(statement, one, t, p.axes, p.forwarded)
                for t, p in zip(totals, points, strict=True)
            ]
        if one.length <= UNROLLED and not one.along_lanes:
            for k in range(one.length):
                totals = self._add_steps(statement, one, totals, points, I64(k))
            return totals
        variables = [self.variables(total) for total in totals]
        with self.loop(one.length, along_lanes=one.along_lanes) as k:
            before = [[self.builder.load(x, typ=self.vector_type()) for x in row] for row in variables]
            for row, values in zip(variables, self._add_steps(statement, one, before, points, k), strict=True):
                for x, value in zip(row, values, strict=True):
                    self.builder.store(value, x)
        return [[self.builder.load(x, typ=self.vector_type()) for x in row] for row in variables]

    def _add_steps(
        self, statement: Statement, one: Sum, totals: list[Vectors], points: list[Point], k: ir.Value
    ) -> list[Vectors]:
        return [self.step(statement, one, t, [*p.axes, k], p.forwarded) for t, p in zip(totals, points, strict=True)]

    def _is_vectorizable(self, statement: Statement, one: Sum, axes: int) -> bool:
        """Whether vectors can run along the steps of a sum, with several partial sums."""
        lanes = self.machine.lanes(self.bits)
        if self.width.all > 1 or self.has_lanes or one.length < 4 * lanes or one.bounds:
            return False
        operands = [read for part in one.parts for read in reads(part)]
        return all(stride_along(self.program, read, axes, axes + 1) in (0, 1) for read in operands)

    def _vectorized_sum(
        self, statement: Statement, one: Sum, total: Vectors, axes: list[ir.Value], forwarded: dict[int, Vectors]
    ) -> Vectors:
        """Adds the steps of one sum in four vectors of partial sums, and then the remainder one by one."""
        lanes, largest = self.machine.lanes(self.bits), statement.op is ops.largest
        before, self.vector_axis, self.width = self.vector_axis, len(axes), Width(lanes, 1)
        scalars, self.previous = self.previous, self._broadcast(self.previous)
        broadcast = self._broadcast(forwarded)
        whole = one.length // (4 * lanes) * 4 * lanes
        accumulators = self.variables(self.number(-math.inf if largest else 0.0) * 4)
        with self.loop(whole, 4 * lanes) as k:
            for u, accumulator in enumerate(accumulators):
                at = self.plus(I64(u * lanes), k)
                old = [self.builder.load(accumulator, typ=self.vector_type())]
                self.builder.store(self.step(statement, one, old, [*axes, at], broadcast)[0], accumulator)
        join = functools.partial(self.emitter().apply, ops.max if largest else ops.add)
        parts = [self.builder.load(accumulator, typ=self.vector_type()) for accumulator in accumulators]
        combined = join([join(parts[:2]), join(parts[2:])])
        self.vector_axis, self.width, self.previous = before, Width(1, 1), scalars
        across = self._horizontal_largest(combined) if largest else self.horizontal_sum(combined)
        found = self.variables([self.emitter().apply(ops.max if largest else ops.add, [total[0], across])])
        if whole < one.length:
            self._add_one_by_one(statement, one, found, axes, forwarded, whole)
        if largest:  # of 0 and -0 the first is the largest, and it may be in any lane
            zero = self.builder.fcmp_ordered("==", self.builder.load(found[0], typ=self.element), self.number(0.0)[0])
            with self.builder.if_then(zero, likely=False):
                self.builder.store(total[0], found[0])
                self._add_one_by_one(statement, one, found, axes, forwarded, 0)
        return [self.builder.load(found[0], typ=self.element)]

    def _add_one_by_one(
        self,
        statement: Statement,
        one: Sum,
        found: list[ir.Value],
        axes: list[ir.Value],
        forwarded: dict[int, Vectors],
        start: int,
    ) -> None:
        """Adds the steps of a sum from `start` on to the number in a variable."""
        with self.loop(one.length, 1, start) as k:
            old = [self.builder.load(found[0], typ=self.element)]
            self.builder.store(self.step(statement, one, old, [*axes, k], forwarded)[0], found[0])

    def _horizontal_largest(self, vector: ir.Value) -> ir.Value:
        """The largest number of a vector."""
        if not isinstance(vector.type, ir.VectorType):
            return vector
        numbers = [self.builder.extract_element(vector, I32(i)) for i in range(vector.type.count)]
        return functools.reduce(lambda a, b: self.emitter().apply(ops.max, [a, b]), numbers)

    def _broadcast(self, made: dict[int, Vectors]) -> dict[int, Vectors]:
        """Broadcasts what the nest has just calculated, for vectors that run along the steps of a sum."""
        return {array: [self.splat(x) for x in numbers] for array, numbers in made.items()}

    def horizontal_sum(self, vector: ir.Value) -> ir.Value:
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
        self, statement: Statement, one: Sum, total: Vectors, axes: list[ir.Value], forwarded: dict[int, Vectors]
    ) -> Vectors:
        """Adds one step of a sum to a total."""
        step_mask = None if one.bounds is None else self.bounds_mask(one.bounds, axes)
        self.step_mask = step_mask
        parts = [self.value(x, axes, forwarded) for x in one.parts]
        self.step_mask = None
        e = self.emitter()
        if statement.op is ops.largest:
            updated = self.apply(ops.max, [total, parts[0]])
        elif len(parts) == 2:
            updated = [e.fma(a, b, t) for a, b, t in zip(*parts, total, strict=True)]
        else:
            updated = [e.add(t, a) for a, t in zip(parts[0], total, strict=True)]
        if step_mask is None:
            return updated
        return [e.where(mask, m, t) for mask, m, t in zip(step_mask, updated, total, strict=True)]

    def _take(self, statement: Statement, point: Point) -> Vectors:
        axes, forwarded = point.axes, point.forwarded
        place = self.value(statement.arguments[0], axes, forwarded)
        result, at = self.number(math.nan), 0
        for one in statement.sums:
            for k in range(one.length):
                e = self.emitter()
                parts = self.value(one.parts[0], [*axes, I64(k)], forwarded)
                result = [
                    e.where(e.compare("==", p, e.constant(at)), a, f)
                    for p, a, f in zip(place, parts, result, strict=True)
                ]
                at += 1
        return result

    def accumulate(self, statement: Statement, axes: list[ir.Value], forwarded: dict[int, Vectors]) -> None:
        """Adds a statement's numbers to the partial sums of its reduction over lanes; finishes the reduction if there
        is only one block."""
        self.begin(statement)
        if self.program.crosses_lanes:
            self.store(statement, axes, [self.horizontal_sum(self._partial_sums(statement, axes, forwarded))])
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
        factors = [self.value(part, axes, forwarded) for part in product.arguments] if product else []
        values = [] if factors else self.value(x, axes, forwarded)
        for u in range(self.width.vectors):
            updated = e.fma(factors[0][u], factors[1][u], total) if factors else e.add(total, values[u])
            total = updated if self.mask is None else e.where(self.mask[u], updated, total)
        self.builder.store(total, place, align=align)

    def accumulates_many(self, nest: Nest, extent: int) -> bool:
        """Whether the last loop can finish as many reductions over lanes at once as a vector has numbers."""
        return (
            self.program.crosses_lanes
            and self.width.lanes > 1
            and extent % self.width.lanes == 0
            and [s.op for s in nest.statements] == [BATCH_SUM]
        )

    def accumulate_many(self, statement: Statement, axes: list[ir.Value], first: ir.Value) -> None:
        """Reduces neighbouring elements over the lanes, as many as a vector has numbers, and stores the results as one
        vector."""
        self.begin(statement)
        rows = [self._partial_sums(statement, [*axes, self.plus(I64(j), first)], {}) for j in range(self.width.lanes)]
        area, offset = self.layout.place[statement.target]
        at: ir.Value = I64(offset)
        self.subject = f"a{statement.target}, sums over the lanes"
        access = Access(area, self.layout.array_range(self.program, statement.target), None, True)
        for axis, stride in zip([*axes, first], row_major(statement.axes), strict=True):
            at = self.plus(at, self.times(axis, stride))
        self.builder.store(
            self._transposed_sums(rows), self.pointer(access, at, self.width.lanes), align=self.bits // 8
        )

    def _transposed_sums(self, rows: Vectors) -> ir.Value:
        """The horizontal sums of as many vectors as a vector has numbers, as one vector.

        Halves are added pair by pair until one vector is left, as in the transposition of a square matrix.
        """
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

    def _partial_sums(self, statement: Statement, axes: list[ir.Value], forwarded: dict[int, Vectors]) -> ir.Value:
        """One vector whose numbers add up to the sum of a statement's numbers over all lanes."""
        values = self.value(statement.arguments[0], axes, forwarded)
        e = self.emitter()
        if self.mask is not None:
            values = [e.where(mask, x, e.constant(0.0)) for mask, x in zip(self.mask, values, strict=True)]
        total = values[0]
        for x in values[1:]:
            total = e.add(total, x)
        return total
