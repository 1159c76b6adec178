"""Addresses in LLVM's assembly: every load and store stays within the area of memory that native code was given.

Loops over a box also visit points that are masked out afterwards, where the address of an operand may lie anywhere.
While the code is generated, each address is proved to lie in its area (see `bounds`). Where the proof fails, the code
clamps the address: a load takes the nearest number, and a store goes to a dummy. Points that count are not affected,
since their addresses are right. A vector may begin before an array although only some of its lanes count; the areas
have room for the rest.

Code generated with CHAINRULE_BOUNDS=1 checks this as well: each address that counts has to lie in its own array. A
wrong one is noted, and touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from llvmlite import ir

from chainrule.compiler.loops.codegen.bounds import Bounds
from chainrule.compiler.loops.codegen.layout import AreaRange, Layout
from chainrule.compiler.loops.program import Program
from chainrule.compiler.native.counted_loops import counted
from chainrule.compiler.native.llvm import Machine
from chainrule.compiler.native.memory import CACHE_LINE

I64, I32, POINTER = ir.IntType(64), ir.IntType(32), ir.PointerType()

BROKEN = "chainrule_broken"
"""The global number of checked code that names the wrong address; 0 if there was none."""

Vectors = list[ir.Value]
"""The numbers of all lanes that a piece of code works on, vector by vector."""


@dataclass
class Width:
    """How many lanes a piece of code works on: `vectors` vectors of `lanes` numbers."""

    lanes: int
    vectors: int

    @property
    def all(self) -> int:
        return self.lanes * self.vectors


@dataclass
class AddressReport:
    """How the addresses of a module were treated.

    Attributes:
        all: the addresses, as text.
        clamped: those without a proof.
        checks: in checked code, the address that each check is about.
    """

    all: set[str] = field(default_factory=set)
    clamped: set[str] = field(default_factory=set)
    checks: list[str] | None = None

    def __str__(self) -> str:
        proved, clamped = len(self.all) - len(self.clamped), len(self.clamped)
        checked = ", and each is checked" if self.checks is not None else ""
        return f"addresses: {proved:,} proved to lie in their arrays, {clamped:,} clamped to them{checked}"


@dataclass(frozen=True)
class Access:
    """A load or a store.

    Attributes:
        area: the area of memory.
        array_range: the first place of the array within its area and the one behind its last, in numbers; in rows where
            the area has one number for each lane. None where the access may touch the whole area.
        active: the lanes that count, as the others are masked out afterwards; None for all.
        store: whether it is a store.
    """

    area: str
    array_range: tuple[int, int] | None = None
    active: ir.Value | None = None
    store: bool = False


class Addresses:
    """A function that is being generated, and the addresses in it.

    Attributes:
        builder: the builder, at the place of the next instruction.
        areas: the pointer to each area of memory, by name.
        strides: for `fixed`, `batched` and `each` the distance between rows.
        area_ranges: how large the areas are.
        address_report: how the addresses were treated.
        bounds: what is known of integers.
        ragged: whether some points of the present loops belong to no member of the statement.
        subject: what the next address is about.
    """

    def __init__(self, function: ir.Function, program: Program, layout: Layout, machine: Machine, bits: int) -> None:
        self.function, self.program, self.layout, self.machine, self.bits = function, program, layout, machine, bits
        self.entry = function.append_basic_block("entry")
        self.builder = ir.IRBuilder(function.append_basic_block("body"))
        self.areas: dict[str, ir.Value] = {}
        self.strides: dict[str, ir.Value] = {}
        self.area_ranges: dict[str, AreaRange] = {}
        self.address_report = AddressReport()
        self.bounds = Bounds()
        self.ragged = False
        self.subject = ""
        self.element = ir.DoubleType() if bits == 64 else ir.FloatType()
        self.width = Width(1, 1)
        self.mask: list[ir.Value] | None = None
        self.start: ir.Value | None = None  # the first lane of the block
        self.count: ir.Value | None = None  # the number of lanes, where they read from one another
        self._wrong_check: ir.Value | None = None

    def finish(self) -> None:
        """Ends the function."""
        if self._wrong_check is not None:
            wrong = self.builder.load(self._wrong_check, typ=I64)
            with self.builder.if_then(self.builder.icmp_signed("!=", wrong, I64(0))):
                self.builder.store(wrong, self.function.module.globals[BROKEN])
        self.builder.ret_void()
        with self.builder.goto_block(self.entry):
            self.builder.branch(self.function.blocks[1])

    # ---- whole numbers ----
    def plus(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a + b, of integers."""
        if isinstance(a, ir.Constant) and isinstance(b, ir.Constant):
            return I64(a.constant + b.constant)
        if isinstance(a, ir.Constant) and a.constant == 0:
            return b
        result = self.builder.add(a, b)
        self.bounds.define_sum(result, a, b)
        return result

    def minus(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a - b, of integers."""
        if isinstance(b, ir.Constant) and b.constant == 0:
            return a
        result = self.builder.sub(a, b)
        self.bounds.define_sum(result, a, b, -1)
        return result

    def times(self, a: ir.Value, n: int) -> ir.Value:
        """a · n, of an integer and a constant."""
        if isinstance(a, ir.Constant):
            return I64(a.constant * n)
        if n == 1:
            return a
        result = self.builder.mul(a, I64(n))
        self.bounds.define_sum(result, 0, a, n)
        return result

    def repeated(self, x: ir.Value, lanes: int) -> ir.Value:
        """Broadcasts a number to so many lanes."""
        if lanes == 1:
            return x
        undefined = ir.Constant(ir.VectorType(x.type, lanes), ir.Undefined)
        one = self.builder.insert_element(undefined, x, I32(0))
        return self.builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(I32, lanes), [0] * lanes))

    @contextmanager
    def loop(
        self, end: int | ir.Value, step: int = 1, start: int | ir.Value = 0, along_lanes: bool = False
    ) -> Iterator[ir.Value]:
        """Generates a loop from `start` up to `end` around the body of the `with`, which gets the counter.

        A loop along the lanes ends with the last lane there is.
        """
        last = end
        if along_lanes and self.count is not None:
            fewer = self.builder.icmp_signed("<", self.count, I64(end))
            last = self.builder.select(fewer, self.count, I64(end))
        with counted(self.builder, last, step, start) as counter:
            low, high = self.bounds.range(start), self.bounds.range(end)
            if low is not None and high is not None:
                steps = (high.high - 1 - low.low) // step if low.low == low.high else high.high - 1 - low.low
                self.bounds.define_variable(counter, low.low, low.low + steps * (step if low.low == low.high else 1))
            yield counter

    # ---- places in memory ----
    def pointer(self, access: Access, at: ir.Value, lanes: int = 1) -> ir.Value:
        """The address of the numbers of an area from `at` on, as many as there are lanes."""
        element = I32 if access.area == "tables" else self.element
        inside, at = self._prove_or_clamp(access, at, lanes)
        address = self.builder.gep(self.areas[access.area], [at], source_etype=element)
        return address if inside is None else self._or_dummy(inside, address, lanes)

    def in_row(self, access: Access, row: ir.Value, column: int | ir.Value = 0, lanes: int = 1) -> ir.Value:
        """Like `pointer`, for an area of rows with one number for each lane."""
        column = I64(column) if isinstance(column, int) else column
        if access.area not in self.strides:  # a row has one number for each lane of the block
            if access.array_range is not None and self.address_report.checks is not None:
                begin, end = access.array_range
                access = replace(access, array_range=(begin * self.width.all, end * self.width.all))
            return self.pointer(access, self.plus(self.times(row, self.width.all), column), lanes)
        inside, row = self._prove_or_clamp(access, row, 1)
        stride = self.strides[access.area]
        at = self.plus(column, self.builder.mul(row, stride))
        address = self.builder.gep(self.areas[access.area], [at], source_etype=self.element)
        if self.address_report.checks is not None:
            end = self.plus(I64(lanes), self.plus(column, self.start or I64(0)))
            fits = self._record_check(self.builder.icmp_signed("<=", end, stride))
            inside = fits if inside is None else self.builder.and_(inside, fits)
        return address if inside is None else self._or_dummy(inside, address, lanes)

    def _prove_or_clamp(self, access: Access, at: ir.Value, lanes: int) -> tuple[ir.Value | None, ir.Value]:
        """Keeps a place within its area.

        Returns:
            For a store without a proof, the truth of whether it lies there, otherwise None; and the place, clamped for
            a load without a proof.
        """
        area, places, checked = (
            self.area_ranges[access.area],
            self.bounds.range(at),
            self.address_report.checks is not None,
        )
        low, high = area.begin, area.end - lanes
        self.address_report.all.add(self.subject)
        if places is None or places.low < low or places.high > high:
            self.address_report.clamped.add(self.subject)
        elif not checked:
            return None, at
        builder = self.builder
        fits = builder.and_(builder.icmp_signed(">=", at, I64(low)), builder.icmp_signed("<=", at, I64(high)))
        if checked and not self.ragged:
            self._record_check(self._is_in_array(access, at, lanes, fits))
        if access.store:
            return fits, at
        at = builder.select(builder.icmp_signed("<", at, I64(low)), I64(low), at)
        return None, builder.select(builder.icmp_signed(">", at, I64(high)), I64(high), at)

    def _or_dummy(self, inside: ir.Value, pointer: ir.Value, lanes: int) -> ir.Value:
        """The pointer if `inside` holds, otherwise one to memory that nobody reads."""
        with self.builder.goto_block(self.entry):
            dummy = self.builder.alloca(ir.VectorType(self.element, lanes) if lanes > 1 else self.element)
        dummy.align, dummy.type = CACHE_LINE, POINTER
        return self.builder.select(inside, pointer, dummy)

    # ---- checked code ----
    def _is_in_array(self, access: Access, at: ir.Value, lanes: int, fits: ir.Value) -> ir.Value:
        """Whether what counts lies in its own array; `fits` is whether all of it lies in the area."""
        active, builder = access.active, self.builder
        if access.array_range is not None:
            places = self.repeated(at, lanes)
            if lanes > 1:
                places = builder.add(places, ir.Constant(places.type, list(range(lanes))))
            low, high = [self.repeated(I64(bound), lanes) for bound in access.array_range]
            outside = builder.or_(builder.icmp_signed("<", places, low), builder.icmp_signed(">=", places, high))
            if active is not None and lanes > 1:
                outside = builder.and_(outside, active)
            fits = builder.and_(fits, builder.not_(self._any(outside)))
        return fits if active is None else builder.or_(fits, builder.not_(self._any(active)))

    def _any(self, truths: ir.Value) -> ir.Value:
        """Whether any truth of a vector holds."""
        if not isinstance(truths.type, ir.VectorType):
            return truths
        name = f"llvm.vector.reduce.or.v{truths.type.count}i1"
        function = self.function.module.globals.get(name)
        if function is None:
            kind = ir.FunctionType(ir.IntType(1), [truths.type])
            function = ir.Function(self.function.module, kind, name)
        return self.builder.call(function, [truths])

    def _record_check(self, valid: ir.Value) -> ir.Value:
        """Notes, at run time, an address that is not valid; returns `valid`."""
        assert self.address_report.checks is not None
        self.address_report.checks.append(self.subject)
        if self._wrong_check is None:
            with self.builder.goto_block(self.entry):
                self._wrong_check = self.builder.alloca(I64)
                self.builder.store(I64(0), self._wrong_check)
        before = self.builder.load(self._wrong_check, typ=I64)
        self.builder.store(self.builder.select(valid, before, I64(len(self.address_report.checks))), self._wrong_check)
        return valid
