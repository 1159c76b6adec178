"""The functions of `math` in other languages, one line for each. A new function is added here, and nowhere else.

A function without a line stays Python's own: C calls it in Python, and LLVM has no code for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan


@dataclass(frozen=True)
class Function:
    """A function of `math`.

    Attributes:
        name: its name there.
        operands: the number of its operands.
        c: the function of the C library with the same bits; empty if there is none.
        llvm: how LLVM gets the same bits: "libm" calls the C library, "intrinsic" is an intrinsic of LLVM's, "whole" is
            a function whose result is an int in Python (in C, 0 is added, since no int is -0), "test" one whose result
            is a truth; empty if there is no way.
        infinite: the result of `ieee` where C's function is infinite at a finite number, if it is not that infinity.
    """

    name: str
    operands: int = 1
    c: str = ""
    llvm: str = ""
    infinite: float | None = None


FUNCTIONS = {
    function.name: function
    for function in (
        Function("acos", 1, c="acos", llvm="libm"),
        Function("acosh", 1, c="acosh", llvm="libm"),
        Function("asin", 1, c="asin", llvm="libm"),
        Function("asinh", 1, c="asinh", llvm="libm"),
        Function("atan", 1, c="atan", llvm="libm"),
        Function("atan2", 2, c="atan2", llvm="libm"),
        Function("atanh", 1, c="atanh", llvm="libm", infinite=nan),
        Function("cbrt", 1, c="cbrt", llvm="libm"),
        Function("ceil", 1, c="ceil", llvm="whole"),
        Function("copysign", 2, c="copysign", llvm="intrinsic"),
        Function("cos", 1, c="cos", llvm="libm"),
        Function("cosh", 1, c="cosh", llvm="libm"),
        Function("erf", 1, c="erf", llvm="libm"),
        Function("erfc", 1, c="erfc", llvm="libm"),
        Function("exp", 1, c="exp", llvm="libm"),
        Function("exp2", 1, c="exp2", llvm="libm"),
        Function("expm1", 1, c="expm1", llvm="libm"),
        Function("fabs", 1, c="fabs", llvm="intrinsic"),
        Function("floor", 1, c="floor", llvm="whole"),
        Function("fmod", 2, c="fmod", llvm="libm"),
        Function("hypot", 2),  # as accurate as can be in Python
        Function("isfinite", 1, c="isfinite", llvm="test"),
        Function("isinf", 1, c="isinf", llvm="test"),
        Function("isnan", 1, c="isnan", llvm="test"),
        Function("log", 1, c="log", llvm="libm", infinite=nan),
        Function("log10", 1, c="log10", llvm="libm", infinite=nan),
        Function("log1p", 1, c="log1p", llvm="libm", infinite=nan),
        Function("log2", 1, c="log2", llvm="libm", infinite=nan),
        Function("pow", 2, c="pow", llvm="libm"),
        Function("sin", 1, c="sin", llvm="libm"),
        Function("sinh", 1, c="sinh", llvm="libm", infinite=inf),
        Function("sqrt", 1, c="sqrt", llvm="intrinsic"),
        Function("tan", 1, c="tan", llvm="libm"),
        Function("tanh", 1, c="tanh", llvm="libm"),
        Function("trunc", 1, c="trunc", llvm="whole"),
    )
}
"""The functions by name."""


def of_math(name: str) -> Function:
    """The function of `math` with this name. One without a line is taken to have one operand."""
    return FUNCTIONS.get(name, Function(name))
