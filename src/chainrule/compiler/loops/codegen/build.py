"""Builds the module of a program: the native functions of its phases, and one that runs them all."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from llvmlite import ir

from chainrule.compiler.graph.graph import BATCH_SUM
from chainrule.compiler.loops.codegen.addresses import BROKEN, I32, I64, POINTER, Access, AddressReport, Width
from chainrule.compiler.loops.codegen.checkpoints import Segments, numbers_of, with_segments
from chainrule.compiler.loops.codegen.layout import Layout, Phases, area_ranges, lay_out, phases
from chainrule.compiler.loops.codegen.nest_code import NestCode
from chainrule.compiler.loops.codegen.nests import Nest, nests
from chainrule.compiler.loops.codegen.strides import vectors_along
from chainrule.compiler.loops.program import Program, Read, Statement
from chainrule.compiler.native.llvm import Machine

CACHE = 256 * 1024
"""The most bytes of a block of lanes, so that it stays in the second-level cache of most CPUs."""

MEMORY_LIMIT = 2**30
"""The default for the most bytes that loops may keep for the reverse sweep, for a block of lanes."""

MOST_VECTORS = 4
"""A block has at most so many vectors of lanes."""

POINTERS = ("shared", "tables", "sums", "batched", "fixed", "scratch", "each")
NUMBERS = ("batched_stride", "fixed_stride", "each_stride", "start", "end")
"""The arguments of each native function: pointers to the areas of memory, and integers."""


@dataclass
class Plan:
    """A program with all decisions that code generation needs.

    Attributes:
        layout: the place of its arrays.
        phases: its statements, by phase.
        nests: its nests, by phase.
        vectors: how many vectors of lanes a block has.
        each: the area and the place of outputs and guards that differ from lane to lane.
        row_of: for each of these, by array and flat place, its row in `each`.
        segments: recurrences that are recomputed for the reverse sweep, segment by segment.
        beyond_limit: whether it takes more memory than the limit, since its recurrences cannot run in segments.
        address_report: how the addresses were treated, once there is a module.
    """

    program: Program
    layout: Layout
    phases: Phases
    nests: PhaseNests
    vectors: int
    each: list[tuple[str, int]]
    row_of: dict[tuple[int, int], int]
    segments: list[Segments]
    beyond_limit: bool = False
    address_report: AddressReport = field(default_factory=AddressReport)


@dataclass
class PhaseNests:
    """The nests of each phase."""

    before: list[Nest]
    inside: list[Nest]
    after: list[Nest]

    @classmethod
    def of(cls, program: Program, order: Phases) -> PhaseNests:
        """Groups the statements of each phase into nests; what later phases need is stored."""
        wanted = {array for array, *_ in [*program.outputs, *program.guards]}
        later = {read.array for s in [*order.inside, *order.after] for read in s.reads()}
        return cls(
            nests(order.before, wanted | later),
            nests(order.inside, wanted | program.exports.keys()),
            nests(order.after, wanted),
        )

    def all(self) -> list[Nest]:
        """The nests of all phases."""
        return [*self.before, *self.inside, *self.after]


def plan(program: Program, machine: Machine, bits: int = 64, memory_limit: int = MEMORY_LIMIT) -> Plan:
    """Lays a program out and chooses the size of its blocks.

    Args:
        program: the program.
        machine: the CPU.
        bits: the size of a number.
        memory_limit: the most bytes that loops may keep for the reverse sweep, for a block of lanes. Beyond it they are
            recomputed from checkpoints.
    """
    lanes = machine.lanes(bits)
    order = phases(program)
    phase_nests = PhaseNests.of(program, order)
    kept = {array for nest in phase_nests.all() for array in nest.stored}
    program, segments = with_segments(program, kept, memory_limit // (bits // 8), lanes)
    if segments:
        order = phases(program)
        phase_nests = PhaseNests.of(program, order)
    layout = lay_out(program, *_stored(program, phase_nests, segments))
    vectors = MOST_VECTORS
    if program.crosses_lanes:
        assert program.lanes is not None
        vectors = -(-program.lanes // lanes)
    else:
        bytes_a_vector = layout.sizes["scratch"] * lanes * bits // 8
        while vectors > 1 and bytes_a_vector * vectors > CACHE:
            vectors //= 2
    rows = [(a, at) for a, at, *_ in [*program.outputs, *program.guards] if program.arrays[a].lanes]
    row_of = {element: row for row, element in enumerate(dict.fromkeys(rows))}
    each = [(layout.place[a][0], layout.place[a][1] + at) for a, at in row_of]
    recurrent = {s.target for s in program.statements if s.recurrence is not None}
    beyond = not segments and numbers_of(program, kept & recurrent, lanes) * bits // 8 > memory_limit
    return Plan(program, layout, order, phase_nests, vectors, each, row_of, segments, beyond)


def _stored(program: Program, phase_nests: PhaseNests, segments: list[Segments]) -> tuple[set[int], dict[int, int]]:
    """The arrays that need memory, and the number of places along the first dimension for those that keep only some."""
    sums = {statement.target for statement in program.statements if statement.op is BATCH_SUM}
    kept = sums | program.exports.keys() | set(program.exports.values())
    extents: dict[int, int] = {}
    for nest in phase_nests.all():
        kept |= nest.stored | nest.carried
        extents |= dict.fromkeys(nest.carried, 1)
    for one in segments:
        kept |= set(one.saved.values())
        extents |= {array: one.rows for array in one.windows if extents.get(array) != 1}
    return kept, extents


def module_of(plan: Plan, machine: Machine, bits: int = 64, checked: bool = False) -> ir.Module:
    """Builds the module with the functions `before`, `blocks` (for lanes from start to end), `after`, and `run`, which
    calls all three.

    If it is `checked`, the code checks each address before it uses it.
    """
    plan.address_report = AddressReport(checks=[] if checked else None)
    return _ModuleBuilder(plan, machine, bits).module


class _ModuleBuilder:
    def __init__(self, plan: Plan, machine: Machine, bits: int) -> None:
        self.plan, self.machine, self.bits = plan, machine, bits
        self.module = ir.Module("loops")
        self.area_ranges = area_ranges(plan.program, plan.layout, machine.lanes(bits), plan.vectors, len(plan.each))
        if plan.address_report.checks is not None:
            ir.GlobalVariable(self.module, I64, BROKEN).initializer = I64(0)
        self.signature = ir.FunctionType(ir.VoidType(), [POINTER] * len(POINTERS) + [I64] * len(NUMBERS))
        lanes = machine.lanes(bits)
        self._shared("before", plan.nests.before)
        for vectors in self._widths():
            masked = vectors == 1 or plan.program.crosses_lanes
            self._block(f"block{vectors}", plan.nests.inside, Width(lanes, vectors), masked)
        self._after(plan.nests.after)
        self._blocks()
        self._run()

    def _widths(self) -> list[int]:
        """The numbers of vectors of blocks, the largest first: smaller blocks are for the remainder, or for fewer
        lanes."""
        return sorted({self.plan.vectors, 1}, reverse=True)

    def _function(self, name: str, *, internal: bool = False) -> ir.Function:
        function = ir.Function(self.module, self.signature, name)
        for argument, text in zip(function.args, POINTERS + NUMBERS, strict=True):
            argument.name = text
            if text in POINTERS and text not in ("batched", "each"):  # these two may alias
                argument.add_attribute("noalias")
        function.attributes.add("nounwind")
        if internal:
            function.linkage = "internal"
        return function

    def _code(self, function: ir.Function) -> NestCode:
        code = NestCode(function, self.plan.program, self.plan.layout, self.machine, self.bits)
        code.areas = dict(zip(POINTERS, function.args, strict=False))
        code.strides = dict(zip(("batched", "fixed", "each"), function.args[7:10], strict=True))
        code.area_ranges, code.address_report = self.area_ranges, self.plan.address_report
        code.segments = self.plan.segments
        return code

    def _shared(self, name: str, phase: list[Nest]) -> None:
        code = self._code(self._function(name))
        self._nests(code, phase)
        for array, read in self.plan.program.packs.items():
            self._pack(code, array, read)
        code.finish()

    def _pack(self, code: NestCode, array: int, read: Read) -> None:
        """Packs shared inputs along the lanes."""
        program, (index,) = self.plan.program, read.indices
        shape, lanes = program.arrays[array].shape, program.lanes or 0
        target, source = self.plan.layout.place[array][1], self.plan.layout.place[read.array][1]
        code.subject, code.ragged = f"a{array}, laid out along the lanes", True  # it may serve a sum with bounds
        read_access = Access("shared", self.plan.layout.array_range(program, read.array))
        write_access = Access("fixed", self.plan.layout.array_range(program, array), None, True)
        with code.loop(math.prod(shape)) as i:
            at: ir.Value = I64(source + index.offset)
            for stride, inner, extent in zip(
                index.strides, [math.prod(shape[d + 1 :]) for d in range(len(shape))], shape, strict=True
            ):
                place = code.builder.srem(code.builder.sdiv(i, I64(inner)), I64(extent))
                code.bounds.define_variable(place, 0, extent - 1)
                at = code.plus(at, code.times(place, stride))
            with code.loop(lanes) as lane:
                source_address = code.pointer(read_access, code.plus(at, code.times(lane, index.lane)))
                x = code.builder.load(source_address, typ=code.element)
                code.builder.store(x, code.in_row(write_access, code.plus(I64(target), i), lane))

    def _nests(self, code: NestCode, phase: list[Nest]) -> None:
        def begin(nest: Nest) -> None:
            code.width, code.vector_axis = Width(1, 1), vectors_along(self.plan.program, nest)

        code.width = Width(1, 1)
        code.nests(phase, begin)

    def _block(self, name: str, phase: list[Nest], width: Width, masked: bool) -> None:
        code = self._code(self._function(name, internal=True))
        code.width, code.has_lanes, code.start = width, True, code.function.args[10]
        room, most = self.plan.program.lanes or 0, self.machine.lanes(self.bits)
        code.bounds.define_variable(code.start, 0, -(-room // most) * most - width.all)
        if masked:
            code.mask = self._mask(code, width)
        if self.plan.program.crosses_lanes:
            code.count = code.builder.sub(code.function.args[11], code.function.args[10])
        self._copy_in(code, width)
        code.nests(phase)
        for row, (area, at) in enumerate(self.plan.each):
            self._copy_out(code, row, area, at)
        for array, export in self.plan.program.exports.items():
            self._export(code, array, export, width)
        code.finish()

    def _copy_in(self, code: NestCode, width: Width) -> None:
        """Copies the batched inputs of a block, if the layout asks for that."""
        copied = self.plan.layout.copied
        if copied is None:
            return
        rows = sum([math.prod(array.shape) for array in self.plan.program.arrays if array.kind == "batched"])
        code.subject = "inputs of each sample, copied for a block"
        with code.loop(rows) as i:
            for u in range(width.vectors):
                at = code.in_row(Access("batched"), i, u * width.lanes, width.lanes)
                x = code.builder.load(at, typ=code.vector_type(), align=self.bits // 8)
                target = code.plus(I64(copied), i)
                place = code.in_row(Access("scratch", store=True), target, u * width.lanes, width.lanes)
                code.builder.store(x, place, align=width.lanes * self.bits // 8)

    def _export(self, code: NestCode, array: int, export: int, width: Width) -> None:
        """Copies an array with lanes to a shared one."""
        elements, wide = self.plan.program.arrays[export].shape
        source, target = self.plan.layout.place[array][1], self.plan.layout.place[export][1]
        code.subject = f"a{export}, a copy of the lanes of a{array}"
        array_range = self.plan.layout.array_range(self.plan.program, array)
        write_access = Access("shared", self.plan.layout.array_range(self.plan.program, export), None, True)
        with code.loop(elements) as i:
            row = code.plus(code.function.args[10], code.plus(I64(target), code.times(i, wide)))
            for u, numbers in enumerate(code.row("scratch", code.plus(I64(source), i), array_range)):
                x = numbers
                if code.mask is not None:  # lanes behind the last sample hold anything
                    e = code.emitter()
                    x = e.where(code.mask[u], x, e.constant(0.0))
                place = code.pointer(write_access, code.plus(I64(u * width.lanes), row), width.lanes)
                code.builder.store(x, place, align=self.bits // 8)
            if self.plan.program.crosses_lanes:  # the only block: clear the lanes behind it
                for lane in range(width.all, wide, width.lanes):
                    place = code.pointer(write_access, code.plus(I64(lane), row), width.lanes)
                    code.builder.store(code.emitter().constant(0.0), place, align=self.bits // 8)

    def _mask(self, code: NestCode, width: Width) -> list[ir.Value] | None:
        """The lanes that are samples; those behind the last sample are not."""
        start, end = code.function.args[10], code.function.args[11]
        count = code.builder.sub(end, start)
        if width.lanes == 1:
            return [code.builder.icmp_signed("<", I64(u), count) for u in range(width.vectors)]
        kind = ir.VectorType(I64, width.lanes)
        one = code.builder.insert_element(ir.Constant(kind, ir.Undefined), count, I32(0))
        counts = code.builder.shuffle_vector(
            one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(I32, width.lanes), [0] * width.lanes)
        )
        numbers = [[u * width.lanes + lane for lane in range(width.lanes)] for u in range(width.vectors)]
        return [code.builder.icmp_signed("<", ir.Constant(kind, row), counts) for row in numbers]

    def _copy_out(self, code: NestCode, row: int, area: str, at: int) -> None:
        """Copies a result that differs from lane to lane to its row of `each`."""
        code.subject = "the results of each sample"
        for u, x in enumerate(code.row(area, I64(at), (at, at + 1))):
            place = code.in_row(Access("each", store=True), I64(row), u * code.width.lanes, code.width.lanes)
            code.builder.store(x, place, align=self.bits // 8)

    def _after(self, phase: list[Nest]) -> None:
        code = self._code(self._function("after"))
        layout, lanes = self.plan.layout, self.machine.lanes(self.bits)
        for statement in self.plan.phases.inside:
            if statement.op is BATCH_SUM and not self.plan.program.crosses_lanes:
                self._reduce_partial_sums(code, statement, layout, lanes)
        self._nests(code, phase)
        code.finish()

    def _reduce_partial_sums(self, code: NestCode, statement: Statement, layout: Layout, lanes: int) -> None:
        """Adds up the numbers of each vector of partial sums."""
        target, source = layout.place[statement.target][1], layout.place[statement.sum_at][1]  # type: ignore[attr-defined]
        code.subject = f"a{statement.target}, sums over the lanes"
        write_access = Access("shared", layout.array_range(self.plan.program, statement.target), None, True)
        with code.loop(math.prod(statement.axes)) as i:
            code.width = Width(lanes, 1)
            at = code.pointer(Access("sums"), code.times(code.plus(I64(source), i), lanes), lanes)
            vector = code.builder.load(at, typ=code.vector_type(), align=lanes * self.bits // 8)
            code.builder.store(code.horizontal_sum(vector), code.pointer(write_access, code.plus(I64(target), i)))
        code.width = Width(1, 1)

    def _blocks(self) -> None:
        """Runs the lanes from start to end: full blocks, then vector by vector."""
        function = self._function("blocks")
        builder = ir.IRBuilder(function.append_basic_block())
        if self.plan.program.crosses_lanes:
            self._only_block(function, builder)
            return
        start, end = function.args[10], function.args[11]
        lanes = self.machine.lanes(self.bits)
        for vectors in self._widths():
            step = vectors * lanes
            head, body, after = [function.append_basic_block() for _ in range(3)]
            before = builder.block
            builder.branch(head)
            builder.position_at_end(head)
            at = builder.phi(I64)
            at.add_incoming(start, before)
            following = builder.add(at, I64(step))
            limit = following if vectors > 1 else builder.add(at, I64(1))
            builder.cbranch(builder.icmp_signed("<=", limit, end), body, after)
            builder.position_at_end(body)
            moved = [self._at_block(builder, function, text, at) for text in POINTERS]
            builder.call(self.module.globals[f"block{vectors}"], [*moved, *function.args[7:10], at, end])
            at.add_incoming(following, builder.block)
            builder.branch(head)
            builder.position_at_end(after)
            start = at
        builder.ret_void()

    def _only_block(self, function: ir.Function, builder: ir.IRBuilder) -> None:
        """Runs all lanes in one block, the smallest that has room for them."""
        widths = self._widths()
        for vectors in reversed(widths[1:]):
            fits, wider = function.append_basic_block(), function.append_basic_block()
            limit = I64(vectors * self.machine.lanes(self.bits))
            builder.cbranch(builder.icmp_signed("<=", function.args[11], limit), fits, wider)
            builder.position_at_end(fits)
            builder.call(self.module.globals[f"block{vectors}"], function.args)
            builder.ret_void()
            builder.position_at_end(wider)
        builder.call(self.module.globals[f"block{widths[0]}"], function.args)
        builder.ret_void()

    def _at_block(self, builder: ir.IRBuilder, function: ir.Function, name: str, at: ir.Value) -> ir.Value:
        pointer = function.args[POINTERS.index(name)]
        if name not in ("batched", "fixed", "each"):
            return pointer
        return builder.gep(pointer, [at], source_etype=ir.DoubleType() if self.bits == 64 else ir.FloatType())

    def _run(self) -> None:
        function = self._function("run")
        builder = ir.IRBuilder(function.append_basic_block())
        size = 0 if self.plan.program.crosses_lanes else self.plan.layout.sizes["sums"] * self.machine.bits // 8
        builder.call(self.module.globals["before"], function.args)
        if size:
            kind = ir.FunctionType(ir.VoidType(), [POINTER, ir.IntType(8), I64, ir.IntType(1)])
            memset = ir.Function(self.module, kind, "llvm.memset.p0.i64")
            builder.call(memset, [function.args[2], ir.IntType(8)(0), I64(size), ir.IntType(1)(0)])
        builder.call(self.module.globals["blocks"], function.args)
        builder.call(self.module.globals["after"], function.args)
        builder.ret_void()
