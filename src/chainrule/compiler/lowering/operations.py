"""Lowering: LLVM instructions for each operation of the table.

Some operations are written by hand, the `PRIMITIVES`; the instructions of all others follow from their text in the
table. In exact mode only the text counts, and every function of `math` in it is the C library's, so the results are
those of the eager engine, bit by bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic, NotLowered
from chainrule.compiler.lowering.maths import (
    arcs,
    erf,
    exponential,
    lists,
    logarithm,
    philox,
    powers,
    roots,
    trigonometry,
)  # fmt: skip
from chainrule.compiler.lowering.translate import translate
from chainrule.compiler.native.llvm import Machine
from chainrule.core.operation import Operation
from chainrule.errors import OperandError

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

    def has(self, name: str) -> bool:
        """Whether an operation of that name has a lowering written by hand."""
        return name in (EXACT if self.exact else PRIMITIVES)


def _take(e: Emitter, place: ir.Value, *row: ir.Value) -> ir.Value:
    taken = e.constant(math.nan)
    for i, x in enumerate(row):
        taken = e.where(e.compare("==", place, e.constant(i)), x, taken)
    return taken


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

PRIMITIVES: dict[str, Callable[..., ir.Value]] = {
    **EXACT,
    "exp": exponential.exp,
    "expm1": exponential.expm1,
    "sigmoid": exponential.sigmoid,
    "tanh": exponential.tanh,
    "pow": powers.pow,
    "sum": lists.total,
    "weighted_sum": lists.weighted_sum,
    "logsumexp": lists.logsumexp,
    "erf": erf.erf,
    "erfc": erf.erfc,
    "gelu": erf.gelu,
    "sin": trigonometry.sin,
    "cos": trigonometry.cos,
    "tan": trigonometry.tan,
    "atan": arcs.atan,
    "atan2": arcs.atan2,
    "sqrt": roots.sqrt,
    "hypot": roots.hypot,
    "norm": roots.norm,
    "log": logarithm.log,
    "log1p": logarithm.log1p,
}
"""Operations written by hand."""
