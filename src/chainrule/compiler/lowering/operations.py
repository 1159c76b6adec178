"""Lowering: LLVM instructions for each operation of the table.

Some operations are written by hand, the `PRIMITIVES`; the instructions of all others follow from their text in the
table. In exact mode only the text counts, and every function of `math` in it is the C library's, so the results are
those of the eager engine, bit by bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic, NotLowered
from chainrule.compiler.lowering.maths import (
    arcs,
    erf,
    exponential,
    hyperbolic,
    lists,
    logarithm,
    philox,
    powers,
    roots,
    trigonometry,
)
from chainrule.compiler.lowering.maths.factorial import looked_up
from chainrule.compiler.lowering.maths.pieces import in_double
from chainrule.compiler.lowering.translate import translate
from chainrule.compiler.native.llvm import Machine
from chainrule.core.operation import TABLE, Operation
from chainrule.errors import OperandError
from chainrule.ops.gamma import _factorial

__all__ = ["EXACT", "PRIMITIVES", "Emitter", "NotLowered"]


class Emitter(Arithmetic):
    """A place in a function where operations of the table are added, on numbers of one type.

    Args:
        builder: LLVM's builder, at that place.
        module: the module of the function; functions that operations call are added to it.
        machine: the CPU that is compiled for.
        lanes: how many numbers a vector has; 1 for no vector.
        bits: the size of a number, 64 or 32.
        exact: whether results are to be those of the table, bit by bit.

    Raises:
        ArgumentError: a number has neither 32 nor 64 bits, or has 32 and is to be exact.

    >>> import ctypes
    >>> from chainrule import ops
    >>> from chainrule.compiler.native.llvm import compile_to_object, load
    >>> module, number = ir.Module(), ir.DoubleType()
    >>> function = ir.Function(module, ir.FunctionType(number, [number, number]), "larger")
    >>> emitter = Emitter(ir.IRBuilder(function.append_basic_block()), module, Machine.host(), lanes=1)
    >>> emitter.builder.ret(emitter.apply(ops.max, function.args))
    <...>
    >>> library = load(compile_to_object(module, Machine.host()))
    >>> ctypes.CFUNCTYPE(*[ctypes.c_double] * 3)(library.address("larger"))(2.0, 3.0)
    3.0
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
        super().__init__(builder, module, machine, lanes, bits, exact)
        if machine.fma and not exact:
            self.flags = ("contract",)

    def apply(self, op: Operation, operands: Sequence[ir.Value]) -> ir.Value:
        """Adds the instructions of an operation, and returns its result.

        Args:
            op: an operation of the table.
            operands: numbers of this type, as many as the operation takes.

        Raises:
            NotLowered: the operation has no lowering by hand, and its text cannot be translated.
            OperandError: the number of operands is wrong.
        """
        if op.operand_names is not None and len(operands) != len(op.operand_names):
            raise OperandError(f"{op} takes {len(op.operand_names)} operands, not {len(operands)}")
        by_hand = (EXACT if self.exact else PRIMITIVES).get(op.name)
        return by_hand(self, *operands) if by_hand else translate(self, op, operands)

    def of(self, builder: ir.IRBuilder, *, lanes: int = 0, bits: int = 0) -> Emitter:
        """The same at another place, or on numbers of another type; no rounding is saved there."""
        other = Emitter(builder, self.module, self.machine, lanes or self.lanes, bits or self.bits, self.exact)
        other.flags = ()
        return other

    def has(self, name: str) -> bool:
        """Whether an operation of that name has a lowering written by hand."""
        return name in (EXACT if self.exact else PRIMITIVES)

    def helper(self, function: Any) -> Callable[[Emitter, ir.Value], ir.Value] | None:
        """What is written by hand for a function of one number that texts of the table call; None for all others."""
        return _factorial_by_table if function is _factorial else None


def _factorial_by_table(e: Emitter, n: ir.Value) -> ir.Value:
    """n! for n up to 170, with the bits that the text gives it, but without its loop."""
    return looked_up(e, "factorials", [_factorial(k) for k in range(171)], n)


def _take(e: Emitter, place: ir.Value, *row: ir.Value) -> ir.Value:
    taken = e.constant(math.nan)
    for i, x in enumerate(row):
        taken = e.where(e.compare("==", place, e.constant(i)), x, taken)
    return taken


def _by_text(name: str) -> Callable[..., ir.Value]:
    """What the text of an operation says, as a function of its own: in 64 bits, and with every rounding as written.

    In place of the copy wherever the operation is applied; for texts that are long, or that count on their roundings.
    """

    def lowered(e: Emitter, *xs: ir.Value) -> ir.Value:
        return e.call(name, lambda e, xs: in_double(e, lambda e, xs: translate(e, TABLE[name], xs), xs), xs)

    return lowered


EXACT: dict[str, Callable[..., ir.Value]] = {
    "add": Arithmetic.add,
    "sub": Arithmetic.sub,
    "mul": Arithmetic.mul,
    "div": Arithmetic.div,
    "neg": Arithmetic.neg,
    "take": _take,
    "philox": philox.philox,
}
"""Operations written by hand that are exact anyway; in exact mode the text of all others is followed."""

BY_TEXT = (
    "silu",
    "mish",
    "logaddexp",
    "erfinv",
    "norm_pdf",
    "norm_logcdf",
    "norm_ppf",
    "lgamma",
    "digamma",
    "polygamma",
)
"""Operations whose text is made a function of its own."""

PRIMITIVES: dict[str, Callable[..., ir.Value]] = {
    **EXACT,
    "exp": exponential.exp,
    "exp2": exponential.exp2,
    "expm1": exponential.expm1,
    "sigmoid": exponential.sigmoid,
    "tanh": exponential.tanh,
    "pow": powers.pow,
    "sum": lists.total,
    "mean": lists.mean,
    "round": lambda e, x: e.intrinsic("llvm.rint", x),
    "weighted_sum": lists.weighted_sum,
    "logsumexp": lists.logsumexp,
    "erf": erf.erf,
    "erfc": erf.erfc,
    "gelu": erf.gelu,
    "norm_cdf": erf.norm_cdf,
    "sin": trigonometry.sin,
    "cos": trigonometry.cos,
    "tan": trigonometry.tan,
    "atan": arcs.atan,
    "atan2": arcs.atan2,
    "asin": arcs.asin,
    "acos": arcs.acos,
    "sinh": hyperbolic.sinh,
    "cosh": hyperbolic.cosh,
    "asinh": hyperbolic.asinh,
    "acosh": hyperbolic.acosh,
    "atanh": hyperbolic.atanh,
    "sqrt": roots.sqrt,
    "cbrt": roots.cbrt,
    "hypot": roots.hypot,
    "norm": roots.norm,
    "log": logarithm.log,
    "log1p": logarithm.log1p,
    "log2": powers.log2,
    "log10": powers.log10,
    **{name: _by_text(name) for name in BY_TEXT},
}
"""Operations written by hand."""
