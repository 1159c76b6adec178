"""The functions of `math` in other languages, one line for each. A new function is added here, and nowhere else.

A function without a line stays Python's own: C calls it in Python, LLVM and JavaScript
have no code for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan


@dataclass(frozen=True)
class Function:
    """A function of `math`.

    Attributes:
        name: its name there.
        operands: the number of its operands; -1 for any number of them, or a list.
        c: the function of the C library with the same bits; empty if there is none.
        llvm: how LLVM gets the same bits: "libm" calls the C library, "intrinsic" is an intrinsic of LLVM's, "whole" is
            a function whose result is an int in Python (in C, 0 is added, since no int is -0), "test" one whose result
            is a truth; empty if there is no way.
        javascript: the function in JavaScript, within 4 units in the last place: its own, or one without a point that
            stands in `see/javascript/maths.js`; empty if there is none.
        infinite: the result of `ieee` where C's function is infinite at a finite number, if it is not that infinity.
    """

    name: str
    operands: int = 1
    c: str = ""
    llvm: str = ""
    javascript: str = ""
    infinite: float | None = None


FUNCTIONS = {
    function.name: function
    for function in (
        Function("acos", 1, c="acos", llvm="libm", javascript="Math.acos"),
        Function("acosh", 1, c="acosh", llvm="libm", javascript="Math.acosh"),
        Function("asin", 1, c="asin", llvm="libm", javascript="Math.asin"),
        Function("asinh", 1, c="asinh", llvm="libm", javascript="Math.asinh"),
        Function("atan", 1, c="atan", llvm="libm", javascript="Math.atan"),
        Function("atan2", 2, c="atan2", llvm="libm", javascript="Math.atan2"),
        Function("atanh", 1, c="atanh", llvm="libm", infinite=nan, javascript="Math.atanh"),
        Function("cbrt", 1, c="cbrt", llvm="libm", javascript="Math.cbrt"),
        Function("ceil", 1, c="ceil", llvm="whole", javascript="Math.ceil"),
        Function("copysign", 2, c="copysign", llvm="intrinsic", javascript="copysign"),
        Function("cos", 1, c="cos", llvm="libm", javascript="Math.cos"),
        Function("cosh", 1, c="cosh", llvm="libm", javascript="Math.cosh"),
        Function("degrees", 1, javascript="degrees"),
        Function("erf", 1, c="erf", llvm="libm", javascript="erf"),
        Function("erfc", 1, c="erfc", llvm="libm", javascript="erfc"),
        Function("exp", 1, c="exp", llvm="libm", javascript="Math.exp"),
        Function("exp2", 1, c="exp2", llvm="libm", javascript="exp2"),
        Function("expm1", 1, c="expm1", llvm="libm", javascript="Math.expm1"),
        Function("fabs", 1, c="fabs", llvm="intrinsic", javascript="Math.abs"),
        Function("floor", 1, c="floor", llvm="whole", javascript="Math.floor"),
        Function("fmod", 2, c="fmod", llvm="libm", javascript="fmod"),
        Function("fsum", -1, javascript="fsum"),
        Function("hypot", 2, javascript="hypot"),  # as accurate as can be in Python
        Function("isfinite", 1, c="isfinite", llvm="test", javascript="isfinite"),
        Function("isinf", 1, c="isinf", llvm="test", javascript="isinf"),
        Function("isnan", 1, c="isnan", llvm="test", javascript="Number.isNaN"),
        Function("ldexp", 2, javascript="ldexp"),
        Function("log", 1, c="log", llvm="libm", infinite=nan, javascript="Math.log"),
        Function("log10", 1, c="log10", llvm="libm", infinite=nan, javascript="Math.log10"),
        Function("log1p", 1, c="log1p", llvm="libm", infinite=nan, javascript="Math.log1p"),
        Function("log2", 1, c="log2", llvm="libm", infinite=nan, javascript="Math.log2"),
        Function("nextafter", 2, javascript="nextafter"),
        Function("pow", 2, c="pow", llvm="libm", javascript="pow"),
        Function("radians", 1, javascript="radians"),
        Function("sin", 1, c="sin", llvm="libm", javascript="Math.sin"),
        Function("sinh", 1, c="sinh", llvm="libm", infinite=inf, javascript="Math.sinh"),
        Function("sqrt", 1, c="sqrt", llvm="intrinsic", javascript="Math.sqrt"),
        Function("tan", 1, c="tan", llvm="libm", javascript="Math.tan"),
        Function("tanh", 1, c="tanh", llvm="libm", javascript="Math.tanh"),
        Function("trunc", 1, c="trunc", llvm="whole", javascript="Math.trunc"),
    )
}
"""The functions by name."""


def of_math(name: str) -> Function:
    """The function of `math` with this name. One without a line is taken to have one operand."""
    return FUNCTIONS.get(name, Function(name))
