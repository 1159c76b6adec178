"""What the functions of this room are generated with: arguments, loops, and numbers in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from llvmlite import ir

I32, I64, POINTER = ir.IntType(32), ir.IntType(64), ir.PointerType()
DOUBLE = ir.DoubleType()


class Carried:
    """A loop-carried value; set `value` in the loop's body."""

    def __init__(self, value: ir.Value) -> None:
        self.value = value


class FunctionAt:
    """A function at an address that is known only at run time, for `IRBuilder.call`."""

    def __init__(self, address: ir.Value, function_type: ir.FunctionType) -> None:
        self.address, self.function_type, self.type = address, function_type, address.type

    def get_reference(self) -> str:
        """Its name in LLVM's assembly."""
        return self.address.get_reference()


class Code:
    """A function that is being generated.

    Attributes:
        module: its module.
        builder: LLVM's builder, at the place of the next instruction.
        element: the type of its numbers.
    """

    def __init__(self, module: ir.Module, name: str, arguments: Sequence[ir.Type], bits: int) -> None:
        self.module, self.bits = module, bits
        self.element: ir.Type = DOUBLE if bits == 64 else ir.FloatType()
        self.function = ir.Function(module, ir.FunctionType(I32, arguments), name)
        self.function.attributes.add("nounwind")
        self.builder = ir.IRBuilder(self.function.append_basic_block("entry"))

    def block(self, name: str = "") -> ir.Block:
        """A new block of instructions."""
        return self.function.append_basic_block(name)

    # ---- integers ------------------------------------------------------------------------------------------------

    def integer(self, x: int | ir.Value) -> ir.Value:
        """An integer of 64 bits."""
        return ir.Constant(I64, x) if isinstance(x, int) else x

    def plus(self, a: ir.Value | int, b: ir.Value | int) -> ir.Value:
        """a + b, of integers."""
        return self.builder.add(self.integer(a), self.integer(b))

    def minus(self, a: ir.Value | int, b: ir.Value | int) -> ir.Value:
        """a - b, of integers."""
        return self.builder.sub(self.integer(a), self.integer(b))

    def times(self, a: ir.Value | int, b: ir.Value | int) -> ir.Value:
        """a · b, of integers."""
        return self.builder.mul(self.integer(a), self.integer(b))

    def smaller(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """The smaller of two integers."""
        return self.builder.select(self.builder.icmp_signed("<", a, b), a, b)

    # ---- memory --------------------------------------------------------------------------------------------------

    def at(self, base: ir.Value, i: ir.Value | int, element: ir.Type | None = None) -> ir.Value:
        """The address of element i."""
        return self.builder.gep(base, [self.integer(i)], source_etype=element or self.element)

    def number(self, base: ir.Value, i: ir.Value | int, lanes: int = 1, element: ir.Type | None = None) -> ir.Value:
        """Loads the number at a place, or a vector of numbers from there on."""
        element = element or self.element
        kind = ir.VectorType(element, lanes) if lanes > 1 else element
        return self.builder.load(self.at(base, i, element), typ=kind, align=4 if element == ir.FloatType() else 8)

    def put(self, x: ir.Value, base: ir.Value, i: ir.Value | int) -> None:
        """Stores a number at a place, or a vector of numbers from there on."""
        element = x.type.element if isinstance(x.type, ir.VectorType) else x.type
        self.builder.store(x, self.at(base, i, element), align=4 if element == ir.FloatType() else 8)

    def index(self, base: ir.Value, i: ir.Value | int) -> ir.Value:
        """Loads an int32, which is never negative, as an int64."""
        return self.builder.zext(self.builder.load(self.at(base, i, I32), typ=I32), I64)

    def prefetch(self, address: ir.Value) -> None:
        """Prefetches the cache line of an address, which need not be valid, into the second-level cache."""
        signature = ir.FunctionType(ir.VoidType(), [POINTER, I32, I32, I32])
        prefetch = self.module.declare_intrinsic("llvm.prefetch", [POINTER], signature)
        to_read, second_cache, of_data = (ir.Constant(I32, flag) for flag in (0, 2, 1))
        self.builder.call(prefetch, [address, to_read, second_cache, of_data])

    def converted(self, x: ir.Value, element: ir.Type) -> ir.Value:
        """Converts a number or a vector to another precision."""
        is_vector = isinstance(x.type, ir.VectorType)
        own = x.type.element if is_vector else x.type
        if own == element:
            return x
        wanted = ir.VectorType(element, x.type.count) if is_vector else element
        return self.builder.fpext(x, wanted) if element == DOUBLE else self.builder.fptrunc(x, wanted)

    # ---- loops ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def loop(
        self, end: ir.Value | int, step: int = 1, begin: ir.Value | int = 0, carried: Carried | None = None
    ) -> Iterator[ir.Value]:
        """Generates a loop around the body of the `with`, which gets the counter; afterwards `carried` has its last
        value."""
        builder, before = self.builder, self.builder.block
        head, body, after = self.block(), self.block(), self.block()
        builder.branch(head)
        builder.position_at_end(head)
        i = builder.phi(I64)
        i.add_incoming(self.integer(begin), before)
        old = None
        if carried is not None:
            old = builder.phi(carried.value.type)
            old.add_incoming(carried.value, before)
            carried.value = old
        builder.cbranch(builder.icmp_signed("<", i, self.integer(end)), body, after)
        builder.position_at_end(body)
        yield i
        i.add_incoming(self.plus(i, step), builder.block)
        if old is not None and carried is not None:
            old.add_incoming(carried.value, builder.block)
            carried.value = old
        builder.branch(head)
        builder.position_at_end(after)
