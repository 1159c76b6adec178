"""The driver: the native loop over training steps, which runs the kernels of loss and update in turn.

It is the same for all functions. It learns from records, rows of integers, what a step runs and on which memory.
"""

from __future__ import annotations

from enum import IntEnum, auto

from llvmlite import ir

from chainrule.compiler.loops.codegen.build import NUMBERS, POINTERS
from chainrule.compiler.native.cache import cached_object
from chainrule.compiler.native.counted_loops import I64, counted
from chainrule.compiler.native.llvm import Library, Machine, load, made_once

POINTER, I32 = ir.PointerType(), ir.IntType(32)
LANES = 8
OWN = len(POINTERS) + len(NUMBERS)
"""The number of arguments of a kernel."""


class Field(IntEnum):
    """The fields of the record of a loss: addresses, counts and places.

    A stretch, int32[3], describes a copy of consecutive numbers: the place of the first, the place that it is copied
    to, and their count. A pair, int32[2], describes the copy of a single number: its place, and the place that it is
    copied to.
    """

    RUN = 0
    ARGUMENTS = 1
    """The kernel's own arguments, one after the other."""
    INPUTS = 1 + OWN
    INPUT_COUNT = auto()
    """The places in `shared` of the numbers of a step, and their count."""
    CONSTANTS = auto()
    """Numbers that are the same at each step."""
    CONSTANT_PLACES = auto()
    CONSTANT_COUNT = auto()
    """The places in `shared` of these constants, and their count."""
    PARAMETERS = auto()
    PARAMETER_COUNT = auto()
    LONE_PARAMETERS = auto()
    LONE_PARAMETER_COUNT = auto()
    """Stretches and pairs from the row of parameters to `shared`."""
    GRADIENTS = auto()
    GRADIENT_COUNT = auto()
    LONE_GRADIENTS = auto()
    LONE_GRADIENT_COUNT = auto()
    """Stretches and pairs from `shared` to the row of gradients."""
    LOSS = auto()
    GUARDS = auto()
    GUARD_COUNT = auto()
    """Pairs: the place of a guard in `shared`, and the truth that it must have, 1 or 0."""
    OTHERWISE = auto()
    """The index of the record to try if a guard does not hold; -1 if there is none."""
    SIZE = auto()


class UpdateField(IntEnum):
    """The fields of the record of the update."""

    RUN = 0
    ARGUMENTS = 1
    ROWS = 1 + OWN
    GRADIENT = auto()
    """The addresses of the row of parameters and of that of gradients."""
    WIDTH = auto()
    """The length of a row, a multiple of eight."""
    LR = auto()
    STEP = auto()
    NEXT_LR = auto()
    """The places in the kernel's memory of the learning rate, the step's number, and the next learning rate."""
    INTO = auto()
    INTO_COUNT = auto()
    LONE_INTO = auto()
    LONE_INTO_COUNT = auto()
    OUT_OF = auto()
    OUT_OF_COUNT = auto()
    LONE_OUT_OF = auto()
    LONE_OUT_OF_COUNT = auto()
    """Stretches and pairs from all rows to the kernel's memory, and back; none if the kernel runs on the rows."""
    SIZE = auto()


WHY, REACHED = 0, 1
"""The fields of the row that the driver writes before it returns: the reason, and the step that it reached."""

DONE, NOT_FINITE, GUARD = 0, 1, 2
"""Why the driver returned: all steps are done; the loss or a gradient is not finite; each record had a guard that did
not hold."""


class _Driver:
    """The code generator of the native function `drive`.

    Attributes:
        first, last: the steps to run; `last` is not included.
        which: for each step the index of the record to try first.
        records, update: the records of the losses, and that of the update.
        numbers, number_at: the numbers of all batches, and for each step where its numbers begin.
        losses: receives the loss of each step.
        rates: for each step the learning rate, the step's number, and the next learning rate.
        state: receives the fields `WHY` and `REACHED`.
    """

    def __init__(self, bits: int) -> None:
        self.element = ir.DoubleType() if bits == 64 else ir.FloatType()
        self.vector = ir.VectorType(self.element, LANES)
        self.module = ir.Module("driver")
        self.copying = self._write_copying()
        kinds = [I64, I64, POINTER, POINTER, POINTER, POINTER, POINTER, POINTER, POINTER, POINTER]
        self.function = ir.Function(self.module, ir.FunctionType(ir.VoidType(), kinds), "drive")
        (self.first, self.last, self.which, self.records, self.numbers, self.number_at, self.losses, self.update,
         self.rates, self.state) = self.function.args  # fmt: skip
        self.builder = ir.IRBuilder(self.function.append_basic_block())
        self._write()

    def _write(self) -> None:
        builder = self.builder
        self.stop = self.function.append_basic_block("stop")
        self.bad, self.why = [ir.IRBuilder(self.stop).phi(I64) for _ in range(2)]
        with counted(builder, self.last, 1, self.first) as step:
            attempt = self.function.append_basic_block("attempt")
            chosen, before = self.whole(self.which, step), builder.block
            builder.branch(attempt)
            builder.position_at_end(attempt)
            which = builder.phi(I64)
            which.add_incoming(chosen, before)
            record = builder.gep(self.records, [builder.mul(which, I64(Field.SIZE))], source_etype=I64)
            shared = self.pointer(self.whole(record, I64(Field.ARGUMENTS)))
            self._fill_in(record, shared, step)
            self._run(record, Field.ARGUMENTS)
            self._check_guards(record, shared, step, attempt, which)
            self._take_out(record, shared, step)
            self._run_update(step)
        self._note(I64(DONE), self.last)
        builder.ret_void()
        builder.position_at_end(self.stop)
        self._note(self.why, self.bad)
        builder.ret_void()

    def _note(self, why: ir.Value, step: ir.Value) -> None:
        """Writes why the driver returns, and the step that it reached. They are not return values, since an interrupt
        may come before Python has them."""
        for at, x in ((WHY, why), (REACHED, step)):
            self.builder.store(x, self.builder.gep(self.state, [I64(at)], source_etype=I64))

    # ---- reading and writing ----
    def whole(self, row: ir.Value, at: ir.Value) -> ir.Value:
        """Loads a 64-bit integer."""
        return self.builder.load(self.builder.gep(row, [at], source_etype=I64), typ=I64)

    def small(self, row: ir.Value, at: ir.Value) -> ir.Value:
        """Loads a 32-bit integer."""
        return self.builder.sext(self.builder.load(self.builder.gep(row, [at], source_etype=I32), typ=I32), I64)

    def number(self, row: ir.Value, at: ir.Value) -> ir.Value:
        """Loads a float."""
        return self.builder.load(self.builder.gep(row, [at], source_etype=self.element), typ=self.element)

    def put(self, x: ir.Value, row: ir.Value, at: ir.Value) -> None:
        """Stores a float."""
        self.builder.store(x, self.builder.gep(row, [at], source_etype=self.element))

    def pointer(self, address: ir.Value) -> ir.Value:
        """Converts an address, a 64-bit integer, to a pointer."""
        return self.builder.inttoptr(address, POINTER)

    def table(self, record: ir.Value, field: IntEnum) -> tuple[ir.Value, ir.Value]:
        """Loads the address of a table of places, and its number of rows."""
        return self.pointer(self.whole(record, I64(field))), self.whole(record, I64(field + 1))

    # ---- the parts of a step ----
    def _fill_in(self, record: ir.Value, shared: ir.Value, step: ir.Value) -> None:
        builder = self.builder
        own = builder.gep(self.numbers, [self.whole(self.number_at, step)], source_etype=self.element)
        constants = self.pointer(self.whole(record, I64(Field.CONSTANTS)))
        for numbers, field in ((own, Field.INPUTS), (constants, Field.CONSTANT_PLACES)):
            places, count = self.table(record, field)
            with counted(builder, count) as i:
                self.put(self.number(numbers, i), shared, self.small(places, i))
        rows = self.pointer(self.whole(self.update, I64(UpdateField.ROWS)))
        self._copy(record, Field.PARAMETERS, rows, shared)

    def _copy(self, record: ir.Value, field: IntEnum, source: ir.Value, target: ir.Value) -> None:
        """Copies stretches of numbers, then single numbers."""
        tables = [*self.table(record, field), *self.table(record, type(field)(field + 2))]
        self.builder.call(self.copying, [*tables, source, target])

    def _write_copying(self) -> ir.Function:
        """Writes the function that copies. All callers share it, since LLVM would take long to compile its loops for
        each of them."""
        kinds = [POINTER, I64, POINTER, I64, POINTER, POINTER]
        function = ir.Function(self.module, ir.FunctionType(ir.VoidType(), kinds), "copy")
        function.linkage = "internal"
        function.attributes.add("noinline")
        stretches, count, pairs, pair_count, source, target = function.args
        self.builder = builder = ir.IRBuilder(function.append_basic_block())
        with counted(builder, count) as i:
            at = builder.mul(i, I64(3))
            first, to, length = [self.small(stretches, builder.add(at, I64(j))) for j in range(3)]
            from_ = builder.gep(source, [first], source_etype=self.element)
            into = builder.gep(target, [to], source_etype=self.element)
            whole = builder.and_(length, I64(-LANES))
            with counted(builder, whole, LANES) as j:
                x = builder.load(builder.gep(from_, [j], source_etype=self.element), typ=self.vector, align=8)
                builder.store(x, builder.gep(into, [j], source_etype=self.element), align=8)
            with counted(builder, length, 1, whole) as j:
                self.put(self.number(from_, j), into, j)
        with counted(builder, pair_count) as i:
            twice = builder.mul(i, I64(2))
            x = self.number(source, self.small(pairs, twice))
            self.put(x, target, self.small(pairs, builder.add(twice, I64(1))))
        builder.ret_void()
        return function

    def _run(self, record: ir.Value, start: int) -> None:
        builder = self.builder
        arguments = [self.whole(record, I64(start + i)) for i in range(len(POINTERS) + len(NUMBERS))]
        pointers = [self.pointer(x) for x in arguments[: len(POINTERS)]]
        kind = ir.FunctionType(ir.VoidType(), [POINTER] * len(POINTERS) + [I64] * len(NUMBERS))
        function = builder.inttoptr(self.whole(record, I64(start - 1)), kind.as_pointer())
        builder.call(function, [*pointers, *arguments[len(POINTERS) :]])

    def _check_guards(
        self, record: ir.Value, shared: ir.Value, step: ir.Value, attempt: ir.Block, which: ir.PhiInstr
    ) -> None:
        """Jumps back to `attempt` with the next record if a guard does not hold; stops if there is no next record."""
        builder = self.builder
        otherwise = self.function.append_basic_block("otherwise")
        pairs, count = self.table(record, Field.GUARDS)
        with counted(builder, count) as i:
            twice = builder.mul(i, I64(2))
            truth = builder.fcmp_unordered("!=", self.number(shared, self.small(pairs, twice)), self.element(0.0))
            wanted = self.small(pairs, builder.add(twice, I64(1)))
            held = self.function.append_basic_block("held")
            builder.cbranch(builder.icmp_signed("==", builder.zext(truth, I64), wanted), held, otherwise)
            builder.position_at_end(held)
        with builder.goto_block(otherwise):
            another = self.whole(record, I64(Field.OTHERWISE))
            self._stop_if(builder.icmp_signed("<", another, I64(0)), step, GUARD)
            which.add_incoming(another, builder.block)
            builder.branch(attempt)

    def _take_out(self, record: ir.Value, shared: ir.Value, step: ir.Value) -> None:
        builder = self.builder
        loss = self.number(shared, self.whole(record, I64(Field.LOSS)))
        self.put(loss, self.losses, step)
        gradient = self.pointer(self.whole(self.update, I64(UpdateField.GRADIENT)))
        self._copy(record, Field.GRADIENTS, shared, gradient)
        zero = ir.Constant(self.vector, [0.0] * LANES)
        flags = ir.VectorType(ir.IntType(1), LANES)
        with builder.goto_block(self.function.entry_basic_block):
            spoilt = builder.alloca(flags)
        builder.store(ir.Constant(flags, [0] * LANES), spoilt)
        with counted(builder, self.whole(self.update, I64(UpdateField.WIDTH)), LANES) as i:
            x = builder.load(builder.gep(gradient, [i], source_etype=self.element), typ=self.vector, align=8)
            bad = builder.fcmp_unordered("uno", builder.fmul(x, zero), zero)  # 0 · x is nan unless x is finite
            builder.store(builder.or_(builder.load(spoilt, typ=flags), bad), spoilt)
        found = builder.load(spoilt, typ=flags)
        any_bad = builder.fcmp_unordered("uno", builder.fmul(loss, self.element(0.0)), self.element(0.0))
        for lane in range(LANES):
            any_bad = builder.or_(any_bad, builder.extract_element(found, I32(lane)))
        self._stop_if(any_bad, step, NOT_FINITE)

    def _run_update(self, step: ir.Value) -> None:
        builder = self.builder
        shared = self.pointer(self.whole(self.update, I64(UpdateField.ARGUMENTS)))
        rows = self.pointer(self.whole(self.update, I64(UpdateField.ROWS)))
        fields = (UpdateField.LR, UpdateField.STEP, UpdateField.NEXT_LR)
        first = builder.mul(step, I64(len(fields)))
        for i, field in enumerate(fields):
            x = self.number(self.rates, builder.add(first, I64(i)))
            self.put(x, shared, self.whole(self.update, I64(field)))
        self._copy(self.update, UpdateField.INTO, rows, shared)
        self._run(self.update, UpdateField.ARGUMENTS)
        self._copy(self.update, UpdateField.OUT_OF, shared, rows)

    def _stop_if(self, condition: ir.Value, step: ir.Value, why: int) -> None:
        builder = self.builder
        stopping, going = self.function.append_basic_block("stopping"), self.function.append_basic_block("going")
        builder.cbranch(condition, stopping, going)
        builder.position_at_end(stopping)
        builder.branch(self.stop)
        self.bad.add_incoming(step, stopping)
        self.why.add_incoming(I64(why), stopping)
        builder.position_at_end(going)


@made_once
def driver(machine: Machine, bits: int = 64) -> Library:
    """Compiles the driver for kernels whose numbers have `bits` bits, once for each machine."""
    return load(cached_object(_Driver(bits).module, machine))
