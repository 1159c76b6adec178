"""Operations from their text: the function of an operation's value, as instructions.

The text of `value` is followed, statement by statement, with vectors in place of numbers. Whatever is known beforehand,
such as the number of operands of a sum, is worked out on the spot, so that loops over operands unroll. Of a condition
that depends on numbers both branches are calculated, and each lane chooses. Where Python would raise (1/0, exp(1000))
there is IEEE's answer; so a `try` in the table stands for its body, since the handlers there spell out just that.
"""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import operator
import textwrap
from collections.abc import Sequence
from types import CodeType, FunctionType
from typing import Any

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.expressions import Expressions, Names
from chainrule.core.operation import Operation, is_built_in

MOST_STATEMENTS = 20_000
"""So many a function may take, its loops unrolled."""

RAISED = {"ZeroDivisionError", "OverflowError", "ValueError", "ArithmeticError"}
"""What arithmetic raises in Python, where C has an answer."""

FEATURES = [getattr(__future__, name) for name in __future__.all_feature_names]
FUTURE = functools.reduce(operator.or_, [feature.compiler_flag for feature in FEATURES])
"""Of the flags of a function those which say how its text is to be read."""

NOTHING = object()
"""The result of statements that do not return."""


@functools.lru_cache(maxsize=1000)
def _definition(function: FunctionType) -> ast.FunctionDef:
    """The text of a function, read.

    Raises:
        OSError: there is no text, as for a function that was typed at Python's prompt; or it is a lambda's; or it is
            another's: the file was edited since, or a decorator put this function in the place of that one.
    """
    if hasattr(function, "__wrapped__"):
        raise OSError("it wraps another function")
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    if not isinstance(definition, ast.FunctionDef):
        raise OSError("it is not made by def")
    if not _is_what_runs(function):
        raise OSError("the text that is found there is not what runs")
    return definition


def _is_what_runs(function: FunctionType) -> bool:
    """Whether Python makes of the present text the instructions that the function has."""
    lines, _ = inspect.findsource(function)
    return function.__code__ in _functions_of("".join(lines), function.__code__.co_flags & FUTURE)


@functools.lru_cache(maxsize=100)
def _functions_of(text: str, flags: int) -> list[CodeType]:
    """The instructions of all functions in a text, also of those within others."""
    found, todo = [], [compile(text, "", "exec", flags=flags, dont_inherit=True)]
    while todo:
        inside = [x for x in todo.pop().co_consts if isinstance(x, CodeType)]
        found += inside
        todo += inside
    return found


def translate(emitter: Arithmetic, op: Operation, operands: Sequence[ir.Value]) -> ir.Value:
    """Adds the instructions that the text of an operation's value stands for.

    Args:
        emitter: where to add them; an `Emitter`, for operations that the text names.
        op: the operation.
        operands: numbers of the emitter's type, as many as the operation takes.

    Raises:
        NotLowered: the text has something that cannot be translated.
    """
    translator = Translator(emitter, op.name)
    if not isinstance(op.value, FunctionType):
        raise translator.refuse(f"a value that is a {type(op.value).__name__}, of which there is no text")
    return translator.number(translator.run(op.value, operands, {}))


class Translator(Expressions):
    """Follows the text of one operation."""

    def __init__(self, emitter: Arithmetic, name: str) -> None:
        super().__init__(emitter, name)
        self.statements = 0

    def run(self, function: FunctionType, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """What a function written in Python returns."""
        if function in self.calling:
            raise self.refuse(f"{function.__name__}, which calls itself")
        try:
            definition = _definition(function)
            bound = inspect.signature(function).bind(*arguments, **named)
        except (OSError, SyntaxError, TypeError, ValueError) as error:
            raise self.refuse(f"{function.__name__}, whose text cannot be had: {error}") from None
        bound.apply_defaults()
        self.calling.append(function)
        result = self.block(definition.body, Names(function, dict(bound.arguments)))
        self.calling.pop()
        if result is NOTHING:
            raise self.refuse(f"a way through {function.__name__} that returns nothing")
        return result

    def block(self, statements: Sequence[ast.stmt | Bound], names: Names) -> Any:
        """What statements return, if they do; what they assign is put into names."""
        todo = list(reversed(statements))
        while todo:
            statement = todo.pop()
            self.statements += 1
            if self.statements > MOST_STATEMENTS:
                raise self.refuse(f"more than {MOST_STATEMENTS:,} steps")
            if isinstance(statement, ast.Return) and statement.value is not None:
                return self.value(statement.value, names)
            if isinstance(statement, ast.If):
                condition = self.truth(self.value(statement.test, names))
                if isinstance(condition, bool):
                    todo += reversed(statement.body if condition else statement.orelse)
                elif any(isinstance(node, ast.Return) for node in ast.walk(statement)):
                    rest = todo[::-1]
                    return self.branch(condition, [*statement.body, *rest], [*statement.orelse, *rest], names)
                else:
                    self.join(condition, statement, names)
            elif isinstance(statement, ast.For) and not statement.orelse:
                items = self.value(statement.iter, names)
                for item in reversed(self.listed(items, statement.iter)):
                    todo += [*reversed(statement.body), Bound(statement.target, item)]
            elif isinstance(statement, ast.Try):
                todo += reversed(self.tried(statement, names))
            else:
                self.simple(statement, names)
        return NOTHING

    def branch(self, condition: ir.Value, first: list, second: list, names: Names) -> Any:
        """Goes both ways, and chooses among the results."""
        ways = [self.block(statements, Names(names.function, dict(names.own))) for statements in (first, second)]
        if NOTHING in ways:
            raise self.refuse("an if with a way that returns nothing")
        return self.choose(condition, *ways)

    def join(self, condition: ir.Value, statement: ast.If, names: Names) -> None:
        """Goes both ways through an `if` that only assigns, and chooses what each name stands for."""
        first, second = [Names(names.function, dict(names.own)) for _ in range(2)]
        self.block(statement.body, first)
        self.block(statement.orelse, second)
        names.own = {
            name: self.choose(condition, first.own[name], second.own[name]) for name in first.own if name in second.own
        }

    def tried(self, statement: ast.Try, names: Names) -> list[ast.stmt]:
        """The statements that a `try` about numbers stands for."""
        raised = {handler.type.id if isinstance(handler.type, ast.Name) else "" for handler in statement.handlers}
        if raised - RAISED or statement.orelse or statement.finalbody:
            raise self.refuse("a try that is not about arithmetic")
        if not is_built_in(names.function):
            raise self.refuse("a try, whose except may give any number")
        return statement.body

    def simple(self, statement: ast.stmt | Bound, names: Names) -> None:
        """A statement that assigns, or does nothing."""
        if isinstance(statement, Bound):
            self.assign(statement.target, statement.value, names)
        elif isinstance(statement, ast.Assign):
            value = self.value(statement.value, names)
            for target in statement.targets:
                self.assign(target, value, names)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            self.assign(statement.target, self.value(statement.value, names), names)
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            before = self.on_Name(statement.target, names)
            after = self.arithmetic(statement.op, before, self.value(statement.value, names))
            self.assign(statement.target, after, names)
        elif not isinstance(statement, ast.Pass) and not _is_text(statement):
            raise self.refuse(f"{ast.unparse(statement).splitlines()[0]!r}")


class Bound:
    """A statement of the translator's own: a loop's target gets the next item."""

    def __init__(self, target: ast.expr, value: Any) -> None:
        self.target, self.value = target, value


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
