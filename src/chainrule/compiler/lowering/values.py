"""The values of expressions in an operation's text: numbers, truths, and objects that are known beforehand."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import NotLowered
from chainrule.core.operation import TABLE
from chainrule.errors import ChainruleError

ARITHMETIC: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "+": (operator.add, "add"),
    "-": (operator.sub, "sub"),
    "*": (operator.mul, "mul"),
    "/": (operator.truediv, "div"),
    "**": (operator.pow, "pow"),
    "%": (operator.mod, ""),
    "//": (operator.floordiv, ""),
    **{"<<": (operator.lshift, ""), ">>": (operator.rshift, "")},
    **{"|": (operator.or_, ""), "^": (operator.xor, ""), "&": (operator.and_, "")},
}
"""For each of Python's operators, the function for objects known beforehand, and the name of the operation for
numbers."""

NAMES = {
    **{"%": "Mod", "//": "FloorDiv"},
    **{"<<": "LShift", ">>": "RShift", "|": "BitOr", "^": "BitXor", "&": "BitAnd"},
}
"""Python's names for the operators that have no operation."""

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    **{"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    **{"==": operator.eq, "!=": operator.ne, "is": operator.is_, "is not": operator.is_not},
}


class Values:
    """Makes values out of values: folds those that are known, and adds instructions for the others.

    Args:
        emitter: where to add instructions.
        name: the operation's name in messages.
    """

    def __init__(self, emitter: Any, name: str) -> None:
        self.emitter, self.name = emitter, name
        self.file, self.line = "", 0

    def refuse(self, what: str, line: int = 0) -> NotLowered:
        """The error that says what cannot be translated, and where: in the present statement, or in another line."""
        place = f" (line {line or self.line} of {self.file})" if self.file else ""
        return NotLowered(f"the operation {self.name} is not compiled: its text has {what}{place}")

    def known(self, *values: Any) -> bool:
        """Whether all of them are ordinary Python objects."""
        return not any(isinstance(x, ir.Value) for x in values)

    def is_truth(self, x: Any) -> bool:
        """Whether x is the result of a comparison of numbers."""
        return isinstance(x, ir.Value) and x.type == self.emitter.truth_type

    def number(self, x: Any) -> ir.Value:
        """x as a number of the emitter's type."""
        if self.is_truth(x):
            return self.emitter.number(x)
        if isinstance(x, ir.Value):
            return x
        if isinstance(x, int | float):
            return self.emitter.constant(self.certain(float, x))
        raise self.refuse(f"a {type(x).__name__} in place of a number")

    def truth(self, x: Any) -> Any:
        """x as a truth, or as a bool if it is known."""
        if self.known(x):
            return bool(x)
        return x if self.is_truth(x) else self.emitter.truth(x)

    def choose(self, condition: ir.Value, a: Any, b: Any) -> Any:
        """a where the condition holds, else b."""
        if self.known(a, b) and type(a) is type(b) and (a is b or (isinstance(a, int) and a == b)):
            return a
        if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
            return tuple(self.choose(condition, x, y) for x, y in zip(a, b, strict=True))
        if self.is_truth(a) and self.is_truth(b):
            return self.emitter.where(condition, a, b)
        return self.emitter.where(condition, self.number(a), self.number(b))

    def certain(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Calls a function of objects that are known beforehand."""
        try:
            return function(*arguments, **named)
        except (ArithmeticError, LookupError, TypeError, ValueError, ChainruleError) as error:
            name = getattr(function, "__name__", repr(function))
            raise self.refuse(f"a call of {name} that fails: {error}") from None

    def arithmetic(self, sign: str, a: Any, b: Any) -> Any:
        """An operator of Python on two values."""
        by_python, name = ARITHMETIC[sign]
        if self.known(a, b):
            return self.certain(by_python, a, b)
        if not name:
            raise self.refuse(f"the operator {NAMES[sign]}")
        return self.emitter.apply(TABLE[name], [self.number(a), self.number(b)])

    def negative(self, x: Any) -> Any:
        """-x."""
        return self.certain(operator.neg, x) if self.known(x) else self.emitter.neg(self.number(x))

    def opposite(self, x: Any) -> Any:
        """`not x`."""
        truth = self.truth(x)
        return not truth if isinstance(truth, bool) else self.emitter.builder.not_(truth)

    def both(self, a: Any, b: Any) -> Any:
        """Whether two truths hold, either of which may be known beforehand."""
        if isinstance(a, bool):
            return b if a else False
        if isinstance(b, bool):
            return a if b else False
        return self.emitter.builder.and_(a, b)
