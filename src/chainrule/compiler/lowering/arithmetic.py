"""Arithmetic in LLVM's assembly, with which the lowerings of operations are written.

An `Arithmetic` adds instructions to a function, for numbers of one type: a double, a float, or a vector of these. All
its methods take and return LLVM values. Comparisons return truths, which are bits or vectors of bits; `where` selects
by them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llvmlite import ir

from chainrule.compiler.native.llvm import Machine
from chainrule.errors import ArgumentError, ChainruleError

Body = Callable[["Arithmetic", Sequence[ir.Value]], ir.Value]


class NotLowered(ChainruleError, NotImplementedError):  # noqa: N818
    """An operation cannot be compiled; where it occurs, Python has to calculate."""


class Splat(ir.FormattedConstant):
    """The same constant in all lanes, in LLVM's short notation."""

    def __init__(self, vector: ir.VectorType, one: ir.Constant) -> None:
        super().__init__(ir.IntType(1), f"splat ({one.type} {one.get_reference()})")
        self.type, self.number = vector, one.constant


class Arithmetic:
    """A place in a function where instructions are added, and the type of the numbers there.

    Attributes:
        builder: LLVM's builder, at that place.
        module: the module of the function.
        machine: the CPU that is compiled for.
        lanes: how many numbers a vector has; 1 for no vector.
        bits: the size of a number, 64 or 32.
        exact: whether results are to be those of the table, bit by bit.
        type: LLVM's type of the numbers.
        short: whether the digits of a float of 32 bits are enough, although the numbers have 64.
        flags: what sums and products are marked with: `contract` lets LLVM round a·b + c only once.
    """

    def __init__(
        self,
        builder: ir.IRBuilder,
        module: ir.Module,
        machine: Machine,
        lanes: int = 8,
        bits: int = 64,
        exact: bool = False,
    ) -> None:
        if bits not in (32, 64):
            raise ArgumentError(f"a number has 32 or 64 bits, not {bits}")
        if exact and bits != 64:
            raise ArgumentError("the table's own bits are those of floats of 64 bits")
        self.builder, self.module, self.machine = builder, module, machine
        self.lanes, self.bits, self.exact = lanes, bits, exact
        self.flags: tuple[str, ...] = ()
        self.short = False
        self.element: ir.Type = ir.DoubleType() if bits == 64 else ir.FloatType()
        self.type = self.vector(self.element)
        self.integer = self.vector(ir.IntType(bits))
        self.truth_type = self.vector(ir.IntType(1))

    @property
    def suffix(self) -> str:
        """The type as LLVM has it in names: `v8f64`."""
        return f"v{self.lanes}f{self.bits}" if self.lanes > 1 else f"f{self.bits}"

    def vector(self, element: ir.Type) -> ir.Type:
        """The type of as many elements as there are lanes."""
        return ir.VectorType(element, self.lanes) if self.lanes > 1 else element

    def of(self, builder: ir.IRBuilder, *, lanes: int = 0, bits: int = 0) -> Arithmetic:
        """Plain arithmetic at another place, or on numbers of another type; no rounding is saved there."""
        return Arithmetic(builder, self.module, self.machine, lanes or self.lanes, bits or self.bits, self.exact)

    # ---- constants -----------------------------------------------------------------------------------------------

    def constant(self, x: float) -> ir.Value:
        """A number, in all lanes."""
        return self._splat(ir.Constant(self.element, float(x)))

    def known(self, x: ir.Value) -> float | None:
        """The number that a value is, if it is a constant and the same in all lanes."""
        number = x.number if isinstance(x, Splat) else x.constant if isinstance(x, ir.Constant) else None
        return number if isinstance(number, float) else None

    def whole(self, n: int) -> ir.Value:
        """An integer of the numbers' size, in all lanes."""
        return self._splat(ir.Constant(ir.IntType(self.bits), n))

    def _splat(self, one: ir.Constant) -> ir.Value:
        if self.lanes == 1:
            return one
        return Splat(self.vector(one.type), one)

    # ---- arithmetic ----------------------------------------------------------------------------------------------

    def add(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a + b."""
        return self.builder.fadd(a, b, flags=self.flags)

    def sub(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a - b."""
        return self.builder.fsub(a, b, flags=self.flags)

    def mul(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a · b."""
        return self.builder.fmul(a, b, flags=self.flags)

    def div(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """a / b, with IEEE's answers for b = 0."""
        return self.builder.fdiv(a, b)

    def neg(self, x: ir.Value) -> ir.Value:
        """-x."""
        return self.builder.fneg(x)

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """a · b + c, rounded once if the machine can do that fast, else twice."""
        if self.machine.fma:
            return self.intrinsic("llvm.fma", a, b, c)
        return self.add(self.mul(a, b), c)

    def sqrt(self, x: ir.Value) -> ir.Value:
        """The square root, rounded correctly; nan for a negative number."""
        return self.intrinsic("llvm.sqrt", x)

    def abs(self, x: ir.Value) -> ir.Value:
        """|x|."""
        return self.intrinsic("llvm.fabs", x)

    def copysign(self, size: ir.Value, sign: ir.Value) -> ir.Value:
        """A number of the size of one and the sign of another."""
        return self.intrinsic("llvm.copysign", size, sign)

    def floor(self, x: ir.Value) -> ir.Value:
        """The largest whole number that is no larger than x."""
        return self.intrinsic("llvm.floor", x)

    def intrinsic(self, name: str, *operands: ir.Value) -> ir.Value:
        """A function that LLVM itself knows, of numbers of this type."""
        return self.declared(f"{name}.{self.suffix}", self.type, *operands)

    def declared(self, name: str, result: ir.Type, *operands: ir.Value) -> ir.Value:
        """Calls a function that is not of this module."""
        function = self.module.globals.get(name)
        if function is None:
            signature = ir.FunctionType(result, [operand.type for operand in operands])
            function = ir.Function(self.module, signature, name)
        return self.builder.call(function, operands)

    # ---- comparisons and choices ---------------------------------------------------------------------------------

    def compare(self, sign: str, a: ir.Value, b: ir.Value) -> ir.Value:
        """The truth of `a < b` and the like; with a nan only `!=` holds."""
        if sign == "!=":
            return self.builder.fcmp_unordered(sign, a, b)
        return self.builder.fcmp_ordered(sign, a, b)

    def is_nan(self, x: ir.Value) -> ir.Value:
        """Whether x is nan."""
        return self.builder.fcmp_unordered("uno", x, x)

    def truth(self, x: ir.Value) -> ir.Value:
        """Whether Python takes a number as true in an `if`: unless it is 0."""
        return self.compare("!=", x, self.constant(0.0))

    def where(self, condition: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
        """a in each lane where the condition holds, else b."""
        return self.builder.select(condition, a, b)

    def number(self, truth: ir.Value) -> ir.Value:
        """1.0 where a truth holds, else 0.0."""
        return self.where(truth, self.constant(1.0), self.constant(0.0))

    # ---- functions -----------------------------------------------------------------------------------------------

    def call(self, name: str, body: Body, operands: Sequence[ir.Value], *, inline: bool = False) -> ir.Value:
        """Calls a function of the module, which is made when it is first called.

        Args:
            name: of the function; the type of its numbers becomes part of it.
            body: adds its instructions, given a place within it and its arguments; returns the result.
            operands: the arguments, numbers of this type.
            inline: whether a copy of it is always to stand where it is called.
        """
        name = f"chainrule.{name}.{self.suffix}{'.exact' if self.exact else ''}"
        function = self.module.globals.get(name)
        if function is None:
            signature = ir.FunctionType(self.type, [operand.type for operand in operands])
            function = ir.Function(self.module, signature, name)
            function.linkage = "internal"
            for attribute in ("nounwind", "readnone", *(["alwaysinline"] if inline else [])):
                function.attributes.add(attribute)
            builder = ir.IRBuilder(function.append_basic_block())
            builder.ret(body(self.of(builder), function.args))
        return self.builder.call(function, operands)

    def table(self, name: str, numbers: Sequence[float]) -> ir.Value:
        """The address of a constant table in the module; it is added at the first use."""
        name = f"chainrule.{name}.f{self.bits}"
        if name not in self.module.globals:
            row = ir.ArrayType(self.element, len(numbers))
            variable = ir.GlobalVariable(self.module, row, name)
            variable.linkage, variable.global_constant = "internal", True
            variable.initializer = ir.Constant(row, list(numbers))
            variable.type = ir.PointerType()
        return self.module.globals[name]

    def libm(self, name: str, *operands: ir.Value) -> ir.Value:
        """A function of the C library, called once for each lane."""
        if self.lanes > 1 or self.bits != 64:
            return self.call(f"libm.{name}", lambda inside, xs: inside._each_lane(name, xs), operands)
        function = self.module.globals.get(name)
        if function is None:
            signature = ir.FunctionType(self.type, [self.type] * len(operands))
            function = ir.Function(self.module, signature, name)
            for attribute in ("nounwind", "readnone", "nobuiltin"):  # so that LLVM does not make x·x of pow(x, 2)
                function.attributes.add(attribute)
        return self.builder.call(function, operands)

    def _each_lane(self, name: str, vectors: Sequence[ir.Value]) -> ir.Value:
        one, builder = self.of(self.builder, lanes=1, bits=64), self.builder
        result = ir.Constant(self.type, ir.Undefined)
        for lane in range(self.lanes):
            place = ir.Constant(ir.IntType(32), lane)
            xs = [builder.extract_element(vector, place) if self.lanes > 1 else vector for vector in vectors]
            xs = [builder.fpext(x, one.type) if self.bits == 32 else x for x in xs]
            y = one.libm(name, *xs)
            y = builder.fptrunc(y, self.element) if self.bits == 32 else y
            result = builder.insert_element(result, y, place) if self.lanes > 1 else y
        return result
