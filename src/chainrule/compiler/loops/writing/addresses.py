"""Addresses in LLVM's assembly: none that is read or written lies outside of the area that native code was given.

Loops over a box also go to places that are masked out afterwards, and what an operand's address would be there may lie
anywhere. Each address is proved to lie in its area when the code is written (see `bounds`). Where that fails, the code
clamps it: a load takes what is nearest, a store goes nowhere. A place that counts is not moved by that, since there the
address is right; of a vector that begins before an array, and of which some lanes count, the areas have room for the
rest.

Code that is written with CHAINRULE_BOUNDS=1 sees to that, too: each address that counts has to lie in its own array.
One that does not is noted, and touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from llvmlite import ir

from chainrule.compiler.loops.program import Program
from chainrule.compiler.loops.writing.bounds import Bounds
from chainrule.compiler.loops.writing.layout import Layout, Room
from chainrule.compiler.native.counted_loops import counted
from chainrule.compiler.native.llvm import Machine
from chainrule.compiler.native.memory import CACHE_LINE

I64, I32, POINTER = ir.IntType(64), ir.IntType(32), ir.PointerType()

BROKEN = "chainrule_broken"
"""The number in checked code that says which address was wrong; 0 if none was."""

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


@dataclass
class Account:
    """What became of the addresses of a module.

    Attributes:
        all: what they are, as text.
        clamped: those of which there is no proof.
        checks: in checked code for each check what it is of.
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
    """What is read or written.

    Attributes:
        area: the area of memory.
        own: where in it the array lies that it belongs to: from where to where, in numbers or, of an area that has
            those of all lanes side by side, in rows; None if that does not matter.
        counts: which lanes are not masked out afterwards; None for all.
        store: whether it is written to.
    """

    area: str
    own: tuple[int, int] | None = None
    counts: ir.Value | None = None
    store: bool = False


class Addresses:
    """A function that is being written, and where in memory it goes.

    Attributes:
        builder: where the next instruction goes.
        areas: the pointers to the areas of memory, by name.
        strides: for `fixed`, `batched` and `each` the distance of one row to the next.
        rooms: how large the areas are.
        account: what becomes of the addresses.
        bounds: what is known of whole numbers.
        ragged: whether some of the places that the loops go to are none of the statement's.
        subject: what the next address is of.
    """

    def __init__(self, function: ir.Function, program: Program, layout: Layout, machine: Machine, bits: int) -> None:
        self.function, self.program, self.layout, self.machine, self.bits = function, program, layout, machine, bits
        self.entry = function.append_basic_block("entry")
        self.builder = ir.IRBuilder(function.append_basic_block("body"))
        self.areas: dict[str, ir.Value] = {}
        self.strides: dict[str, ir.Value] = {}
        self.rooms: dict[str, Room] = {}
        self.account = Account()
        self.bounds = Bounds()
        self.ragged = False
        self.subject = ""
        self.element = ir.DoubleType() if bits == 64 else ir.FloatType()
        self.width = Width(1, 1)
        self.mask: list[ir.Value] | None = None
        self.start: ir.Value | None = None  # the first lane of the block
        self.count: ir.Value | None = None  # of lanes, where they read from one another
        self._wrong: ir.Value | None = None

    def finish(self) -> None:
        """Ends the function."""
        if self._wrong is not None:
            wrong = self.builder.load(self._wrong, typ=I64)
            with self.builder.if_then(self.builder.icmp_signed("!=", wrong, I64(0))):
                self.builder.store(wrong, self.function.module.globals[BROKEN])
        self.builder.ret_void()
        with self.builder.goto_block(self.entry):
            self.builder.branch(self.function.blocks[1])

    # ---- whole numbers ----
    def plus(self, a: ir.Value, b: ir.Value) -> ir.Value:
        if isinstance(a, ir.Constant) and isinstance(b, ir.Constant):
            return I64(a.constant + b.constant)
        if isinstance(a, ir.Constant) and a.constant == 0:
            return b
        found = self.builder.add(a, b)
        self.bounds.total(found, a, b)
        return found

    def minus(self, a: ir.Value, b: ir.Value) -> ir.Value:
        if isinstance(b, ir.Constant) and b.constant == 0:
            return a
        found = self.builder.sub(a, b)
        self.bounds.total(found, a, b, -1)
        return found

    def times(self, a: ir.Value, n: int) -> ir.Value:
        if isinstance(a, ir.Constant):
            return I64(a.constant * n)
        if n == 1:
            return a
        found = self.builder.mul(a, I64(n))
        self.bounds.total(found, 0, a, n)
        return found

    def repeated(self, x: ir.Value, lanes: int) -> ir.Value:
        """A number in each of so many lanes."""
        if lanes == 1:
            return x
        undefined = ir.Constant(ir.VectorType(x.type, lanes), ir.Undefined)
        one = self.builder.insert_element(undefined, x, I32(0))
        return self.builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(I32, lanes), [0] * lanes))

    @contextmanager
    def loop(
        self, end: int | ir.Value, step: int = 1, start: int | ir.Value = 0, along_lanes: bool = False
    ) -> Iterator[ir.Value]:
        """A loop from `start` up to `end`; gives the counter. One along lanes ends with the last one there is."""
        last = end
        if along_lanes and self.count is not None:
            fewer = self.builder.icmp_signed("<", self.count, I64(end))
            last = self.builder.select(fewer, self.count, I64(end))
        with counted(self.builder, last, step, start) as counter:
            low, high = self.bounds.range(start), self.bounds.range(end)
            if low is not None and high is not None:
                rounds = (high.high - 1 - low.low) // step if low.low == low.high else high.high - 1 - low.low
                self.bounds.variable(counter, low.low, low.low + rounds * (step if low.low == low.high else 1))
            yield counter

    # ---- places in memory ----
    def pointer(self, access: Access, at: ir.Value, lanes: int = 1) -> ir.Value:
        """The address of the numbers of an area from `at` on, as many as there are lanes."""
        element = I32 if access.area == "tables" else self.element
        inside, at = self._inside(access, at, lanes)
        found = self.builder.gep(self.areas[access.area], [at], source_etype=element)
        return found if inside is None else self._or_nowhere(inside, found, lanes)

    def in_row(self, access: Access, row: ir.Value, column: int | ir.Value = 0, lanes: int = 1) -> ir.Value:
        """As `pointer`, in an area of rows with a number for each lane."""
        column = I64(column) if isinstance(column, int) else column
        if access.area not in self.strides:  # the rows of a block are as long as that
            own = access.own and (access.own[0] * self.width.all, access.own[1] * self.width.all)
            return self.pointer(replace(access, own=own), self.plus(self.times(row, self.width.all), column), lanes)
        inside, row = self._inside(access, row, 1)
        stride = self.strides[access.area]
        at = self.plus(column, self.builder.mul(row, stride))
        found = self.builder.gep(self.areas[access.area], [at], source_etype=self.element)
        if self.account.checks is not None:
            end = self.plus(I64(lanes), self.plus(column, self.start or I64(0)))
            fits = self._seen(self.builder.icmp_signed("<=", end, stride))
            inside = fits if inside is None else self.builder.and_(inside, fits)
        return found if inside is None else self._or_nowhere(inside, found, lanes)

    def _inside(self, access: Access, at: ir.Value, lanes: int) -> tuple[ir.Value | None, ir.Value]:
        """A place that is proved or clamped to lie in its area; and of a store that is not proved, whether it does."""
        room, found, checked = self.rooms[access.area], self.bounds.range(at), self.account.checks is not None
        low, high = room.begin, room.end - lanes
        self.account.all.add(self.subject)
        if found is None or found.low < low or found.high > high:
            self.account.clamped.add(self.subject)
        elif not checked:
            return None, at
        builder = self.builder
        fits = builder.and_(builder.icmp_signed(">=", at, I64(low)), builder.icmp_signed("<=", at, I64(high)))
        if checked and not self.ragged:
            self._seen(self._as_it_should_be(access, at, lanes, fits))
        if access.store:
            return fits, at
        at = builder.select(builder.icmp_signed("<", at, I64(low)), I64(low), at)
        return None, builder.select(builder.icmp_signed(">", at, I64(high)), I64(high), at)

    def _or_nowhere(self, inside: ir.Value, pointer: ir.Value, lanes: int) -> ir.Value:
        """A pointer, or one to memory that nobody reads."""
        with self.builder.goto_block(self.entry):
            nowhere = self.builder.alloca(ir.VectorType(self.element, lanes) if lanes > 1 else self.element)
        nowhere.align, nowhere.type = CACHE_LINE, POINTER
        return self.builder.select(inside, pointer, nowhere)

    # ---- checked code ----
    def _as_it_should_be(self, access: Access, at: ir.Value, lanes: int, fits: ir.Value) -> ir.Value:
        """Whether what counts lies in its own array; `fits` is whether all of it lies in the area."""
        counts, builder = access.counts, self.builder
        if access.own is not None:
            places = self.repeated(at, lanes)
            if lanes > 1:
                places = builder.add(places, ir.Constant(places.type, list(range(lanes))))
            low, high = [self.repeated(I64(bound), lanes) for bound in access.own]
            outside = builder.or_(builder.icmp_signed("<", places, low), builder.icmp_signed(">=", places, high))
            if counts is not None and lanes > 1:
                outside = builder.and_(outside, counts)
            fits = builder.and_(fits, builder.not_(self._any(outside)))
        return fits if counts is None else builder.or_(fits, builder.not_(self._any(counts)))

    def _any(self, truths: ir.Value) -> ir.Value:
        """Whether one of the truths of a vector holds."""
        if not isinstance(truths.type, ir.VectorType):
            return truths
        name = f"llvm.vector.reduce.or.v{truths.type.count}i1"
        function = self.function.module.globals.get(name)
        if function is None:
            kind = ir.FunctionType(ir.IntType(1), [truths.type])
            function = ir.Function(self.function.module, kind, name)
        return self.builder.call(function, [truths])

    def _seen(self, right: ir.Value) -> ir.Value:
        """Takes note, when the code runs, of an address that is not right; gives back whether it is."""
        assert self.account.checks is not None
        self.account.checks.append(self.subject)
        if self._wrong is None:
            with self.builder.goto_block(self.entry):
                self._wrong = self.builder.alloca(I64)
                self.builder.store(I64(0), self._wrong)
        before = self.builder.load(self._wrong, typ=I64)
        self.builder.store(self.builder.select(right, before, I64(len(self.account.checks))), self._wrong)
        return right
