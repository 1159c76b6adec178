"""Translates the text of an operation's value to instructions.

The text of `value` is read into a tree, which is followed statement by statement, with vectors in place of numbers.
Everything that is known beforehand, such as the number of operands of a sum, is calculated at once, so loops over
operands are unrolled. If a condition depends on numbers, both branches are calculated, and each lane selects one
(if-conversion). Where Python would raise (1/0, exp(1000)) the result is IEEE 754's; therefore a `try` in the table
stands for its body, since the handlers there return just that result.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.expressions import Expressions, Names
from chainrule.core.operation import Operation, is_built_in
from chainrule.reading.source import NoTextError, definition
from chainrule.reading.text import python
from chainrule.reading.tree import (
    Assign,
    Do,
    For,
    If,
    Raise,
    Return,
    Statement,
    Target,
    Try,
    Unread,
    Update,
    While,
    statements,
)

MOST_STEPS = 20_000
"""A function may take at most this many statements when its loops are unrolled."""

NOTHING = object()
"""The result of statements that do not return."""


def translate(emitter: Arithmetic, op: Operation, operands: Sequence[ir.Value]) -> ir.Value:
    """Adds the instructions for the text of an operation's value.

    Args:
        emitter: where to add them; an `Emitter`, for the operations that the text names.
        op: the operation.
        operands: numbers of the emitter's type, as many as the operation takes.

    Raises:
        NotLowered: the text has something that cannot be translated.
    """
    translator = Translator(emitter, op.name)
    if not isinstance(op.value, FunctionType):
        raise translator.refuse(f"a value that is a {type(op.value).__name__}, of which there is no text")
    try:
        return translator.number(translator.run(op.value, operands, {}))
    except RecursionError:
        raise translator.refuse("expressions or calls that are nested too deeply") from None


@dataclass(frozen=True)
class Bound:
    """A statement that the translator adds: a loop's target is assigned the next item."""

    target: Target
    value: Any


class Translator(Expressions):
    """Translates the text of one operation."""

    def __init__(self, emitter: Arithmetic, name: str) -> None:
        super().__init__(emitter, name)
        self.steps = 0

    def run(self, function: FunctionType, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """The result of a call of a function written in Python."""
        if function in self.calling:
            raise self.refuse(f"{function.__name__}, which calls itself")
        try:
            text = definition(function)
            bound = inspect.signature(function).bind(*arguments, **named)
        except (NoTextError, TypeError, ValueError) as error:
            raise self.refuse(f"{function.__name__}, whose text cannot be had: {error}") from None
        bound.apply_defaults()
        place = self.file, self.line
        self.calling.append(function)
        self.file = function.__code__.co_filename
        result = self.block(text.body, Names(function, dict(bound.arguments)))
        self.calling.pop()
        self.file, self.line = place
        if result is NOTHING:
            raise self.refuse(f"a way through {function.__name__} that returns nothing")
        return result

    def block(self, body: Sequence[Statement | Bound], names: Names) -> Any:  # noqa: PLR0912 - a case a statement
        """Runs statements, and keeps what they assign in `names`.

        Returns:
            What they return; NOTHING if they do not return.
        """
        todo = list(reversed(body))
        while todo:
            statement = todo.pop()
            self.count(statement)
            match statement:
                case Return(value):
                    return self.value(value, names)
                case If(test, first, second):
                    condition = self.truth(self.value(test, names))
                    if isinstance(condition, bool):
                        todo += reversed(first if condition else second)
                    elif any(isinstance(inside, Return) for inside in statements([statement])):
                        rest = todo[::-1]
                        return self.branch(condition, [*first, *rest], [*second, *rest], names)
                    else:
                        self.join(condition, statement, names)
                case For(target, items, inside):
                    for item in reversed(self.listed(self.value(items, names), items)):
                        todo += [*reversed(inside), Bound(target, item)]
                case While(test, inside):
                    condition = self.truth(self.value(test, names))
                    if not isinstance(condition, bool):
                        raise self.refuse(f"'while {python(test)}:', whose end depends on numbers")
                    todo += [statement, *reversed(inside)] if condition else []
                case Try(inside):
                    if not is_built_in(names.function):
                        raise self.refuse("a try, whose except may give any number")
                    todo += reversed(inside)
                case _:
                    self.simple(statement, names)
        return NOTHING

    def count(self, statement: Statement | Bound) -> None:
        """Records which statement is being translated, and limits their number."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise self.refuse(f"more than {MOST_STEPS:,} steps")
        if not isinstance(statement, Bound):
            self.line = statement.line

    def branch(self, condition: ir.Value, first: list, second: list, names: Names) -> Any:
        """Translates both branches, and selects between their results."""
        results = [self.block(body, Names(names.function, dict(names.own))) for body in (first, second)]
        if NOTHING in results:
            raise self.refuse("an if with a way that returns nothing")
        return self.choose(condition, *results)

    def join(self, condition: ir.Value, statement: If, names: Names) -> None:
        """Translates both branches of an `if` that only assigns, and selects between the values of each name."""
        first, second = [Names(names.function, dict(names.own)) for _ in range(2)]
        self.block(statement.first, first)
        self.block(statement.second, second)
        names.own = {
            name: self.choose(condition, first.own[name], second.own[name]) for name in first.own if name in second.own
        }

    def simple(self, statement: Statement | Bound, names: Names) -> None:
        """Translates a statement that assigns."""
        match statement:
            case Bound(target, value):
                self.assign(target, value, names)
            case Assign(targets, node):
                value = self.value(node, names)
                for target in targets:
                    self.assign(target, value, names)
            case Update(name, sign, node):
                before = self.named(name, names)
                self.assign(name, self.arithmetic(sign, before, self.value(node, names)), names)
            case Do(call):
                self.value(call, names)
            case Raise() | Unread():
                raise self.refuse(statement.words, statement.line)
