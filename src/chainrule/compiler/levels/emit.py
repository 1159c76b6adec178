"""Generates the native functions that walk a table of segments, with one small loop for each kind of segment.

There are two of them. `levels_shared` calculates nodes that all samples share: the lanes of a vector are nodes, and
their operands are gathered from their slots. `levels_samples` calculates nodes that differ from sample to sample: the
lanes are samples, which lie side by side.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from llvmlite import ir

from chainrule import ops
from chainrule.compiler.levels.batch import Batch
from chainrule.compiler.levels.code import I32, I64, POINTER, Carried, Code, FunctionAt
from chainrule.compiler.levels.schedule import Plan
from chainrule.compiler.levels.sections import Field
from chainrule.compiler.levels.segments import HORIZONTAL, VARIADIC, Kind
from chainrule.compiler.lowering.operations import Emitter, NotLowered
from chainrule.compiler.native.cache import cached_object
from chainrule.compiler.native.llvm import Machine
from chainrule.core.operation import Operation
from chainrule.errors import ArgumentError

ARGUMENTS = [POINTER, POINTER, I64, POINTER, I64, I64, POINTER]
"""The arguments of both functions: numbers, segments, their count, table, places of a row, places in use, the callback
into Python.

They return 0, or 1 if the callback failed.
"""

IN_PYTHON = [I64, I64, I64, I64, I64, POINTER, POINTER, I64, I64, POINTER]
"""The arguments of the callback into Python: kind, nodes, the slots of results (`Field.SHORT_FIRST`, `SHORT_COUNT`,
`LONG_FIRST`), table, numbers, places of a row, places in use, and the address to which it writes 0 when it has
succeeded. It returns nothing: Ctrl-C may arrive before its first line, and ctypes would then go on with an undefined
return value."""

TABLE_PREFETCH_DISTANCE = 4096
"""How many entries ahead the table is prefetched, and the most entries at a time."""

Load = Callable[[ir.Value | int], ir.Value]

_LOOPS = {ops.sum, ops.weighted_sum, ops.mul, ops.take}


@functools.lru_cache(maxsize=10_000)
def is_lowered(op: Operation, arity: int, bits: int, exact: bool) -> bool:
    """Whether there is native code for an operation of so many operands; otherwise Python calculates it."""
    if arity == VARIADIC:
        return op in _LOOPS
    module = ir.Module("trial")
    code = Code(module, "trial", [], bits)
    emitter = Emitter(code.builder, module, Machine.host(), 2, bits, exact)
    try:
        emitter.apply(op, [emitter.constant(0.5)] * arity)
    except NotLowered:
        return False
    return True


@dataclass(frozen=True)
class Rows:
    """The rows of operands of a block: where the first begins, the distance to the next, and their number."""

    table: ir.Value
    step: ir.Value
    count: ir.Value


class Walk(Code):
    """A function that walks segments.

    Args:
        module: the module that it goes to.
        name: its name.
        kinds: the kinds of the segments.
        style: (machine, bits, exact).
        first: the number by which Python knows the first kind.
    """

    def __init__(
        self, module: ir.Module, name: str, kinds: Sequence[Kind], style: tuple[Machine, int, bool], first: int
    ) -> None:
        self.machine, bits, self.exact = style
        super().__init__(module, name, ARGUMENTS, bits)
        self.base, segments, count, table, self.width, self.live, self.python = self.function.args
        for argument in (self.base, segments, table):
            argument.add_attribute("noalias")
        with self.loop(count) as k:
            self._segment(self.at(segments, self.times(k, len(Field)), I32), table, kinds, first)
        self.builder.ret(ir.Constant(I32, 0))

    def _segment(self, fields: ir.Value, table: ir.Value, kinds: Sequence[Kind], first: int) -> None:
        field = {which: self.index(fields, which) for which in Field}
        self.n, self.short_first, self.short_count, self.long_first = (
            field[w] for w in (Field.NODES, Field.SHORT_FIRST, Field.SHORT_COUNT, Field.LONG_FIRST)
        )
        self.table = self.at(table, field[Field.TABLE], I32)
        self._prefetch(field, table)
        builder, impossible, done = self.builder, self.block("impossible"), self.block("done")
        choice = builder.switch(field[Field.KIND], impossible)
        for i, own in enumerate(kinds):
            choice.add_case(self.integer(i), case := self.block(f"{own.op.name}.{own.arity}.{own.lanes}"))
            builder.position_at_end(case)
            if not is_lowered(own.op, own.arity, self.bits, self.exact):
                self._in_python(i + first)
            elif own.op is ops.take and own.arity == VARIADIC:
                self._take(own)
            else:
                self._case(own)
            builder.branch(done)
        builder.position_at_end(impossible)
        builder.unreachable()
        builder.position_at_end(done)

    def _case(self, kind: Kind) -> None:
        raise NotImplementedError

    def _prefetch(self, field: dict[Field, ir.Value], table: ir.Value) -> None:
        """Prefetches what later segments need."""

    def out(self, i: ir.Value | int) -> ir.Value:
        """The address of the result of node i."""
        first = self.builder.icmp_signed("<", self.integer(i), self.short_count)
        slot = self.builder.select(first, self.short_first, self.minus(self.long_first, self.short_count))
        return self.at(self.base, self.times(self.plus(slot, i), self.width))

    def emitter(self, lanes: int) -> Emitter:
        """Emits operations on vectors of so many lanes."""
        return Emitter(self.builder, self.module, self.machine, lanes, self.bits, self.exact)

    @contextlib.contextmanager
    def blocks(self, kind: Kind, block_size: int) -> Iterator[tuple[ir.Value, Rows]]:
        """Generates a loop over blocks of nodes around the body of the `with`, which gets the place of a block's first
        node and the rows of its operands."""
        at = Carried(self.integer(0))
        with self.loop(self.n, block_size, carried=at) as i:
            step = self.smaller(self.minus(self.n, i), self.integer(block_size)) if block_size > 1 else self.integer(1)
            begin, count = at.value, self.integer(kind.arity)
            if kind.arity == VARIADIC:
                begin, count = self.plus(begin, 1), self.index(self.table, begin)
            yield i, Rows(self.at(self.table, begin, I32), step, count)
            rows = count
            if kind.arity == VARIADIC and kind.op in (ops.mul, ops.weighted_sum):
                rows = self.plus(self.times(count, 2), int(kind.op is ops.weighted_sum))
            at.value = self.plus(begin, self.times(rows, step))

    def result(self, kind: Kind, e: Emitter, count: ir.Value, load: Load) -> ir.Value:
        """The result of a node's operation, on operands that `load` takes from the rows of the table."""
        if kind.arity != VARIADIC:
            return e.apply(kind.op, [load(j) for j in range(kind.arity)])
        if kind.op is ops.sum:
            total = Carried(load(0))
            with self.loop(count, begin=1, carried=total) as j:
                total.value = e.add(total.value, load(j))
            return total.value
        bias = kind.op is ops.weighted_sum
        total = Carried(load(0) if bias else e.mul(load(0), load(1)))
        with self.loop(count, begin=0 if bias else 1, carried=total) as j:
            row = self.plus(self.times(j, 2), int(bias))
            total.value = self.multiply_add(e, load(row), load(self.plus(row, 1)), total.value)
        return total.value

    def multiply_add(self, e: Emitter, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """a · b + c: rounded twice in exact mode, fused otherwise."""
        return e.add(c, e.mul(a, b)) if self.exact else e.fma(a, b, c)

    def _take(self, kind: Kind) -> None:
        """Selects an element of a list by its index, for one node and sample after the other."""
        builder, e = self.builder, self.emitter(1)
        with self.blocks(kind, 1) as (i, rows), self.loop(self.live) as s:
            size = builder.sitofp(self.minus(rows.count, 1), self.element)
            base = self.at(self.base, s)
            place = self.number(base, self.times(self.index(rows.table, 0), self.width))
            inside = builder.and_(e.compare(">=", place, e.constant(0.0)), e.compare("<", place, size))
            inside = builder.and_(inside, e.compare("==", place, e.floor(place)))
            chosen = builder.fptosi(e.where(inside, place, e.constant(-1.0)), I64)
            slot = self.index(rows.table, self.plus(chosen, 1))
            y = e.where(inside, self.number(base, self.times(slot, self.width)), e.constant(float("nan")))
            self.put(y, self.out(i), s)

    def _in_python(self, kind: int) -> None:
        """Calls Python; returns from the function if that fails."""
        builder = self.builder
        where = [self.short_first, self.short_count, self.long_first]
        with builder.goto_entry_block():
            outcome = builder.alloca(I32)
        builder.store(ir.Constant(I32, 1), outcome)
        arguments = [self.integer(kind), self.n, *where, self.table, self.base, self.width, self.live, outcome]
        builder.call(FunctionAt(self.python, ir.FunctionType(ir.VoidType(), IN_PYTHON)), arguments)
        status = builder.load(outcome, typ=I32)
        failed, going_on = self.block("failed"), self.block()
        builder.cbranch(builder.icmp_signed("!=", status, ir.Constant(I32, 0)), failed, going_on)
        builder.position_at_end(failed)
        builder.ret(ir.Constant(I32, 1))
        builder.position_at_end(going_on)


class SharedWalk(Walk):
    """Walks nodes that all samples share: lanes are nodes. With `ahead`, it prefetches what is needed next."""

    def __init__(self, module: ir.Module, kinds: Sequence[Kind], style: tuple[Machine, int, bool], ahead: bool) -> None:
        self.ahead = ahead
        super().__init__(module, "levels_shared", kinds, style, 0)

    def _prefetch(self, field: dict[Field, ir.Value], table: ir.Value) -> None:
        if not self.ahead:
            return
        lines = self.at(table, field[Field.PREFETCH_AT], I32)
        with self.loop(field[Field.PREFETCH_COUNT]) as i:
            self.prefetch(self.at(self.base, self.index(lines, i)))
        with self.loop(self.smaller(field[Field.ENTRIES], self.integer(TABLE_PREFETCH_DISTANCE)), 16) as i:
            self.prefetch(self.at(self.table, self.plus(i, TABLE_PREFETCH_DISTANCE), I32))

    def _case(self, kind: Kind) -> None:
        if kind.lanes == HORIZONTAL:
            self._horizontal(kind)
            return
        e = self.emitter(kind.lanes)
        with self.blocks(kind, kind.lanes) as (i, rows):

            def load(j: ir.Value | int) -> ir.Value:
                return self._gathered(rows.table, self.times(j, rows.step), 1, kind.lanes)

            self.put(self.result(kind, e, rows.count, load), self.out(i), 0)

    def _gathered(self, table: ir.Value, at: ir.Value | int, step: int, lanes: int) -> ir.Value:
        """Gathers the numbers of so many slots that the table names."""
        if lanes == 1:
            return self.number(self.base, self.index(table, at))
        vector = ir.Constant(ir.VectorType(self.element, lanes), ir.Undefined)
        for lane in range(0, lanes, 2):
            places = [self.plus(at, (lane + k) * step) for k in range(2)]
            pair = self._index_pair(table, places[0]) if step == 1 else [self.index(table, place) for place in places]
            for k in range(2):
                x = self.number(self.base, pair[k])
                vector = self.builder.insert_element(vector, x, ir.Constant(I32, lane + k))
        return vector

    def _index_pair(self, table: ir.Value, at: ir.Value) -> list[ir.Value]:
        """Loads the slots at two neighbouring places of the table at once, since loads are the bottleneck."""
        both = self.builder.load(self.at(table, at, I32), typ=I64, align=4)
        low = self.builder.and_(both, self.integer(2**32 - 1))
        high = self.builder.lshr(both, self.integer(32))
        return [low, high] if sys.byteorder == "little" else [high, low]

    def _horizontal(self, kind: Kind) -> None:
        """Calculates one long sum: lanes are terms, and the remainder is added one by one."""
        lanes = self.machine.lanes(self.bits)
        bias = kind.op is ops.weighted_sum
        count, terms = self.index(self.table, 0), self.at(self.table, 1 + int(bias), I32)
        whole = self.builder.and_(count, self.integer(-lanes))

        def added(e: Emitter, i: ir.Value, total: ir.Value) -> ir.Value:
            if not bias:
                return e.add(total, self._gathered(terms, i, 1, e.lanes))
            a, p = [self._gathered(terms, self.plus(self.times(i, 2), side), 2, e.lanes) for side in (0, 1)]
            return e.fma(a, p, total)

        e, one = self.emitter(lanes), self.emitter(1)
        total = Carried(e.constant(0.0))
        with self.loop(whole, lanes, carried=total) as i:
            total.value = added(e, i, total.value)
        rest = Carried(self._gathered(self.table, 1, 1, 1) if bias else one.constant(0.0))
        with self.loop(count, begin=whole, carried=rest) as i:
            rest.value = added(one, i, rest.value)
        y = rest.value
        for lane in range(lanes):
            y = one.add(y, self.builder.extract_element(total.value, ir.Constant(I32, lane)))
        self.put(y, self.out(0), 0)


class SamplesWalk(Walk):
    """Walks nodes that differ from sample to sample: lanes are samples."""

    def _case(self, kind: Kind) -> None:
        e = self.emitter(kind.lanes)
        with self.blocks(kind, 1) as (i, rows):
            out = self.out(i)
            with self.loop(self.live, kind.lanes) as s:

                def load(j: ir.Value | int) -> ir.Value:
                    at = self.times(self.index(rows.table, j), self.width)
                    return self.number(self.at(self.base, s), at, kind.lanes)

                self.put(self.result(kind, e, rows.count, load), out, s)


def build(plan: Plan, machine: Machine, bits: int = 64) -> bytes:
    """Compiles the object code of a plan, which serves every other plan of the same kinds.

    Args:
        plan: what to calculate; only its kinds, its lanes and whether it is exact matter.
        machine: the CPU to compile for.
        bits: the size of a number, 64 or 32.

    Raises:
        ArgumentError: the plan is for vectors of another size than the machine has.
    """
    if plan.lanes != machine.lanes(bits):
        has = f"{machine.lanes(bits)} numbers of {bits} bits"
        raise ArgumentError(f"the plan is for vectors of {plan.lanes} numbers, but the machine's have {has}")
    module = ir.Module("levels")
    style = machine, bits, plan.exact
    SharedWalk(module, plan.kinds, style, plan.ahead)
    if plan.batch is not None:
        walk = SamplesWalk(module, "levels_samples", plan.batch.kinds, style, len(plan.kinds))
        Batch(module, walk.function, style)
    return cached_object(module, machine, unroll=False)  # its loops go on as long as the tables say
