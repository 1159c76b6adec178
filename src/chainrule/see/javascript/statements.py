"""Writes the statements of a function in JavaScript."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from chainrule.core.operation import is_built_in
from chainrule.reading.tree import (
    Assign,
    Call,
    Do,
    For,
    Function,
    If,
    Name,
    Raise,
    Return,
    Star,
    Statement,
    Target,
    Targets,
    Try,
    Unread,
    Update,
    While,
    statements,
)
from chainrule.see.javascript.calls import Calls
from chainrule.see.javascript.expressions import row_piece
from chainrule.see.javascript.kinds import NUMBER, WHOLE, Kind, Known, Piece, constant, converted, join

MOST_ROUNDS = 10
"""So many times a function is written anew, until the kinds of its variables are those that it was written with."""


class Statements(Calls):
    """A writer of one function."""

    returned: Kind = None

    def whole(self, name: str, text: Function) -> str:
        """Writes the whole function under a name in JavaScript, and leaves in `returned` of which kind its result is.

        Raises:
            NotWritten: the text has something that JavaScript has not.
        """
        arguments = [x for x, kind in self.kinds.items() if not isinstance(kind, Known)]
        given = ", ".join(map(self.module.variable, arguments))
        for statement in statements(text.body):
            self.own |= _targets(statement)
        if not _returns(text.body):
            raise self.refuse(f"a way through {text.name or 'a lambda'} that returns nothing", text.line)
        for _ in range(MOST_ROUNDS):
            before = dict(self.kinds), self.returned
            body = self.block(text.body)
            if before == (self.kinds, self.returned):
                break
        else:
            raise self.refuse("names that stand for ever other kinds of things", text.line)
        declared = sorted({x for statement in statements(text.body) for x in _targets(statement)} - {*arguments})
        first = [f"let {', '.join(map(self.module.variable, declared))};"] if declared else []
        return "\n".join([f"function {name}({given}) {{", *_indented([*first, *body]), "}\n"])

    def block(self, body: Iterable[Statement]) -> list[str]:
        """Writes the lines of some statements."""
        return [line for statement in body for line in self.lines(statement)]

    def lines(self, statement: Statement) -> list[str]:  # noqa: PLR0911 - a case for each statement
        """Writes the lines of a statement."""
        self.line = statement.line
        match statement:
            case Return(value):
                result = self.write(value)
                self.returned = join(self.returned, result.kind)
                return [f"return {converted(result, self.returned).text};"]
            case Assign() | Update():
                return self.assigned(statement)
            case If(condition, first, second):
                otherwise = [*_indented(self.block(first)), "} else {", *_indented(self.block(second))]
                inside = otherwise if second else _indented(self.block(first))
                return [f"if ({self.condition(condition).text}) {{", *inside, "}"]
            case For():
                return self.loop(statement)
            case While(condition, body):
                return [f"while ({self.condition(condition).text}) {{", *_indented(self.block(body)), "}"]
            case Do(call):
                return [f"{self.write(call).text};"]
            case Raise(error):
                self.module.needs("raise")
                return [f"return raise({quoted(error)});"]
            case Try(body) if is_built_in(self.function):  # JavaScript has the results of the table's handlers
                return self.block(body)
            case Try():
                raise self.refuse("a try, whose except may give any number")
            case Unread():
                raise self.refuse(statement.words)
        raise self.refuse("a statement that JavaScript has not")

    def assigned(self, statement: Assign | Update) -> list[str]:
        """Writes an assignment."""
        if isinstance(statement, Update):
            name, value = (
                statement.name,
                self.combined(self.name(statement.name), statement.sign, self.write(statement.value)),
            )
            return [self.assign(name, value)]
        value = self.write(statement.value)
        lines = [self.assign(target, value) for target in statement.targets]
        if len(lines) > 1 and not isinstance(statement.targets[0], Name):
            raise self.refuse("several targets, of which the first is no name")
        return lines

    def assign(self, target: Target, value: Piece) -> str:
        """Writes the assignment of one expression to one target."""
        if isinstance(value.kind, Known):
            raise self.refuse("an assignment of a function")
        left = self.pattern(target, value.kind)
        if isinstance(target, Name):
            value = converted(value, self.kinds[target.name])
        return f"{left} = {value.text};"

    def loop(self, statement: For) -> list[str]:
        """Writes a loop over whole numbers or over a list."""
        match statement:
            case For(Name(name), Call(Name("range"), arguments, ()), body) if "range" not in self.own:
                return self.counted(name, [self.number(x) for x in arguments], body)
            case For(target, items, body):
                row = row_piece(self.write(items), self)
                left = self.pattern(target, row.kind.item or NUMBER)
                item = self.module.counter()
                return [
                    f"for (const {item} of {row.text}) {{",
                    *_indented([f"{left} = {item};", *self.block(body)]),
                    "}",
                ]
        raise self.refuse("a loop")

    def counted(self, name: str, given: Sequence[Piece], body: Sequence[Statement]) -> list[str]:
        """Writes a loop over whole numbers."""
        first, end, *step = [constant(0), *given] if len(given) == 1 else given
        by = step[0] if step else constant(1)
        if not isinstance(by.known, int) or by.known == 0 or not all(x.kind == WHOLE for x in given):
            raise self.refuse("a range whose step is not known, or not of whole numbers")
        left = self.pattern(Name(name), WHOLE)
        at, to = self.module.counter(), self.module.counter()
        sign, forth = ("<", f"+= {by.known}") if by.known > 0 else (">", f"-= {-by.known}")
        head = f"for (let {at} = {first.text}, {to} = {end.text}; {at} {sign} {to}; {at} {forth}) {{"
        return [head, *_indented([f"{left} = {at};", *self.block(body)]), "}"]


def quoted(text: str) -> str:
    """Returns a text as JavaScript writes it, which may stand within a page.

    >>> quoted("</script>")
    '"\\\\u003c/script>"'
    """
    return json.dumps(text).replace("<", "\\u003c")


def _targets(statement: Statement) -> set[str]:
    """Returns the names that a statement itself assigns to."""
    match statement:
        case Assign(targets):
            return {name for target in targets for name in _names(target)}
        case Update(Name(name)):
            return {name}
        case For(target):
            return set(_names(target))
    return set()


def _names(target: Any) -> list[str]:
    match target:
        case Name(name):
            return [name]
        case Targets(targets):
            return [name for each in targets for name in _names(each)]
        case Star(of):
            return _names(of)
    return []


def _returns(body: Sequence[Statement]) -> bool:
    """Returns whether every way through these statements returns something, or raises an error."""
    return any(
        isinstance(statement, Return | Raise | Unread)
        or (isinstance(statement, If) and _returns(statement.first) and _returns(statement.second))
        or (isinstance(statement, Try) and _returns(statement.body))
        for statement in body
    )


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]
