"""Translates calls in an operation's text: of operations, of Python's own functions and of functions of `math`."""

from __future__ import annotations

import builtins
import math
import sys
from collections.abc import Sequence
from types import BuiltinFunctionType
from typing import Any

from llvmlite import ir

from chainrule.compiler.lowering.values import Values
from chainrule.core.operation import TABLE, Operation, ieee
from chainrule.reading.functions import of_math

OF_LISTS = (len, range, zip, enumerate, reversed, list, tuple)
"""Functions of Python that only arrange their arguments."""


def call(text: Values, function: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
    """The result of a call.

    Args:
        text: translates the text that the call is in.
        function: the called function; it is not one of the user's.
        arguments: its arguments: numbers, truths, or objects known beforehand.
        named: the arguments that are given by name.

    Raises:
        NotLowered: it cannot be translated.
    """
    if isinstance(function, Operation):
        return _operation(text, function, arguments, named)
    if function is ieee and len(arguments) == 2 and not named:
        return _of_math(text, arguments[0], arguments[1:], ieee)
    if function in OF_LISTS:
        return text.certain(function, *arguments, **named)
    if isinstance(function, BuiltinFunctionType | type) and not named:
        if function.__module__ == "math":
            return _of_math(text, function, arguments, None)
        return _of_python(text, function, arguments)
    raise text.refuse(f"a call of {getattr(function, '__name__', repr(function))}")


class _Number:
    """A number as an argument of an operation, which then arranges its operands as it does with Values."""

    def __init__(self, value: ir.Value) -> None:
        self.value = value

    @staticmethod
    def _record(op: Operation, operands: Sequence[Any]) -> tuple[Operation, Sequence[Any]]:
        return op, operands


def _operation(text: Values, op: Operation, arguments: list[Any], named: dict[str, Any]) -> Any:
    def given(x: Any) -> Any:
        if isinstance(x, list | tuple):
            return [given(item) for item in x]
        return _Number(text.number(x)) if isinstance(x, ir.Value) else x

    result = text.certain(op, *map(given, arguments), **{name: given(x) for name, x in named.items()})
    if not isinstance(result, tuple):
        return result
    _, operands = result
    return text.emitter.apply(op, [x.value if isinstance(x, _Number) else text.number(x) for x in operands])


def _of_math(text: Values, function: Any, arguments: Sequence[Any], guard: Any) -> Any:
    """A function of the module `math`. One that the C library has is called there."""
    name, emitter = getattr(function, "__name__", ""), text.emitter
    if text.known(*arguments):
        return text.certain(guard, function, *arguments) if guard else text.certain(function, *arguments)
    xs, entry = [text.number(x) for x in arguments], of_math(name)
    if len(xs) != entry.operands or getattr(function, "__module__", "") != "math":
        raise text.refuse(f"math.{name} of {len(xs)} numbers")
    if entry.llvm == "test":
        return _kind(text, name, xs[0])
    if entry.llvm == "whole":
        return _whole(text, name, xs[0], guard)
    if entry.llvm == "intrinsic":
        return emitter.intrinsic(f"llvm.{name}", *xs)
    if name in TABLE and emitter.has(name):
        y = emitter.apply(TABLE[name], xs)
    elif entry.llvm == "libm":
        y = emitter.libm(entry.c, *xs)
    else:
        raise text.refuse(f"math.{name}, which is Python's own")
    if guard and entry.infinite is not None:
        return emitter.where(_is_new(emitter, xs[0], y), emitter.constant(entry.infinite), y)
    return y


def _whole(text: Values, name: str, x: ir.Value, guard: Any) -> ir.Value:
    """A function that gives an int, which is never -0. Under `ieee` the result for an infinite x is inf."""
    emitter = text.emitter
    y = emitter.builder.fadd(emitter.intrinsic(f"llvm.{name}", x), emitter.constant(0.0))
    if not guard:
        return y
    return emitter.where(emitter.compare("==", y, emitter.constant(-math.inf)), emitter.constant(math.inf), y)


def _is_new(emitter: Any, x: ir.Value, y: ir.Value) -> ir.Value:
    """Whether y is infinite, but x is not."""
    infinite = emitter.constant(math.inf)
    return emitter.builder.and_(
        emitter.compare("==", emitter.abs(y), infinite), emitter.compare("<", emitter.abs(x), infinite)
    )


def _kind(text: Values, name: str, x: ir.Value) -> ir.Value:
    emitter = text.emitter
    if name == "isnan":
        return emitter.is_nan(x)
    infinite = emitter.constant(math.inf)
    return emitter.compare("==" if name == "isinf" else "<", emitter.abs(x), infinite)


def _of_python(text: Values, function: Any, arguments: list[Any]) -> Any:
    """One of Python's own functions."""
    if text.known(*arguments) and not any(isinstance(x, list | tuple) for x in arguments):
        return text.certain(function, *arguments)
    items = list(arguments[0]) if len(arguments) == 1 and isinstance(arguments[0], list | tuple) else arguments
    if function in (builtins.max, builtins.min) and items:
        return _extreme(text, ">" if function is builtins.max else "<", items)
    if function is builtins.sum and items is not arguments and not (text.emitter.exact and sys.version_info >= (3, 12)):
        return _total(text, items)  # from 3.12 on, Python's own sum of floats makes up for rounding
    if function is builtins.pow and len(arguments) == 2:
        return text.emitter.apply(TABLE["pow"], [text.number(x) for x in arguments])
    of_one = {builtins.abs: lambda x: text.emitter.abs(text.number(x)), builtins.float: text.number, bool: text.truth}
    if function in of_one and len(arguments) == 1:
        return of_one[function](arguments[0])
    raise text.refuse(f"a call of {function.__name__}")


def _extreme(text: Values, sign: str, items: Sequence[Any]) -> Any:
    """Python's max or min, which keeps its result until a number is beyond it."""
    extreme, *others = [text.number(x) for x in items]
    for other in others:
        extreme = text.emitter.where(text.emitter.compare(sign, other, extreme), other, extreme)
    return extreme


def _total(text: Values, items: Sequence[Any]) -> ir.Value:
    total = text.emitter.constant(0.0)
    for x in items:
        total = text.emitter.builder.fadd(total, text.number(x))
    return total
