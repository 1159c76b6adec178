"""The writer of C: it writes the tree of a value or a local derivative as a function that Cython turns into plain C.

The text stays the same but for a few things: operations become their C functions, functions of `math` become those of
the C library if these give the same bits, and an operation of any number of operands reads them from the edges of its
node. A function whose text means something else in C, or nothing, needs Python.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chainrule.reading.functions import of_math
from chainrule.reading.text import ATOM, SIGN, Text, python
from chainrule.reading.tree import (
    Arithmetic,
    Assign,
    Attribute,
    Call,
    Choice,
    Comparison,
    Constant,
    Do,
    Expression,
    For,
    If,
    Index,
    Logic,
    Name,
    Raise,
    Return,
    Slice,
    Statement,
    Try,
    Unary,
    Unread,
    Update,
    While,
    statements,
)

NUMBER, WHOLE, EDGES = "double", "Py_ssize_t", "Edge*"
"""The types of arguments in C: numbers, whole numbers, and the edges of a node of any number of operands."""

COUNT, PLACE = "n", "i"
"""The names in C of the number of edges, and of the counter of a loop over them."""


class NeedsPythonError(Exception):
    """Raised for a function that needs Python; the message says what its text has that C does not."""


@dataclass(frozen=True)
class CFunction:
    """A function in C.

    Attributes:
        text: the text of the whole function.
        calls: the operations whose values it calls.
        python: whether it calls a function of Python's own, which may raise.
        of_all: the operations whose values for all operands are its last arguments.
    """

    text: str
    calls: frozenset[str]
    python: bool
    of_all: tuple[str, ...] = ()


@dataclass
class CText(Text):
    """A writer of one function of the table as Cython code.

    Args:
        table: the number of operands of each operation; None for any number.
        constants: the numbers that have names in the function's file.
        rows: the tuples of numbers that have.
        types: the types of the arguments in C, by name.
        body: the statements of the function.
    """

    table: Mapping[str, int | None]
    constants: Mapping[str, float]
    types: Mapping[str, str]
    body: Sequence[Statement]
    rows: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    calls: set[str] = field(default_factory=set)
    of_all: dict[str, None] = field(default_factory=dict)
    python: bool = False
    within_index: bool = False
    line: int = 0

    def __post_init__(self) -> None:
        self.row = next((name for name, kind in self.types.items() if kind == EDGES), "")
        self.numbers, self.places = _assigned(self.body, {self.row, *self.rows})
        self.own = self.numbers | self.places | self.types.keys()

    def refuse(self, what: Expression | str) -> NeedsPythonError:
        """Returns the error that says what has no equivalent in C, and in which line."""
        if isinstance(what, Unread):
            return NeedsPythonError(f"{what.words} (line {what.line})")
        words = what if isinstance(what, str) else repr(python(what))
        return NeedsPythonError(f"{words} (line {self.line})")

    def function(self, name: str) -> CFunction:
        """Writes the whole function, with this name in C.

        Raises:
            NeedsPythonError: the text means something else in C, or nothing.
        """
        whole = {x for x, kind in self.types.items() if kind != NUMBER} | ({PLACE} if self.row else set())
        if self.numbers & (self.places | whole) or self.places & self.types.keys():
            raise self.refuse("a name that stands for several kinds of things")
        if not _returns(self.body):
            raise self.refuse("a way that returns nothing")
        places = (self.places | whole) - self.types.keys()
        declared = [f"cdef {WHOLE} {x}" for x in sorted(places)]
        declared += [f"cdef {NUMBER} {x}" for x in sorted(self.numbers - self.types.keys())]
        body = self.block(self.body)
        given = [f"{kind} {x}" for x, kind in self.types.items()] + [f"{NUMBER} {of_all(op)}" for op in self.of_all]
        head = f"cdef inline double {name}({', '.join(given)}) RAISES:"
        lines = [head, *_indented([*declared, *body])]
        return CFunction("\n".join(lines) + "\n", frozenset(self.calls), self.python, tuple(self.of_all))

    # ---- statements --------------------------------------------------------------------------------------------------

    def block(self, body: Iterable[Statement]) -> list[str]:
        """Writes the lines of some statements."""
        return [line for statement in body for line in self.lines(statement)] or ["pass"]

    def lines(self, statement: Statement) -> list[str]:
        """Writes the lines of a statement."""
        self.line = statement.line
        match statement:
            case Return(value):
                return [f"return {self.expression(value)}"]
            case Assign(targets, value):
                names = [target.name for target in targets if isinstance(target, Name)]
                if len(names) == len(targets):
                    return [" = ".join([*names, self.expression(value)])]
            case Update(name, "+" | "-" | "*" | "/" as sign, value):
                return [f"{self.expression(name)} {sign}= {self.expression(value)}"]
            case If(condition, first, second):
                otherwise = ["else:", *_indented(self.block(second))] if second else []
                return [f"if {self.expression(condition)}:", *_indented(self.block(first)), *otherwise]
            case For():
                return self.loop(statement)
            case Try(body):
                return self.tried(body)
            case While(condition):
                raise self.refuse(f"'while {python(condition)}:'")
            case Do(call):
                raise self.refuse(call)
            case Raise():
                raise self.refuse(statement.words)
        raise self.refuse(statement if isinstance(statement, Unread) else "an assignment that C has not")

    def loop(self, statement: For) -> list[str]:
        """Writes a loop over operands or over whole numbers; one over constants is written out."""
        match statement:
            case For(Name(name), Name(row), body) if row in self.rows and row not in self.own:
                lines = self.block(body)
                return [line for x in self.rows[row] for line in (f"{name} = {_constant(x)[0]}", *lines)]
            case For(Name(name), Name(self.row), body):
                if PLACE in self.places:
                    raise self.refuse(f"{PLACE} as a name of its own")
                item = f"{name} = {self.row}[{PLACE}].operand._data_"
                return [f"for {PLACE} in range({COUNT}):", *_indented([item, *self.block(body)])]
            case For(Name(name), Call(Name("range"), arguments, ()), body):
                given = ", ".join([self.whole(argument) for argument in arguments])
                return [f"for {name} in range({given}):", *_indented(self.block(body))]
        raise self.refuse(f"a loop over {python(statement.items)!r}")

    def tried(self, body: Sequence[Statement]) -> list[str]:
        """Writes the body of a `try` alone: where Python raises, C gives IEEE's result, the same as the handlers."""
        before, self.python = self.python, False
        lines = self.block(body)
        if self.python:
            raise self.refuse("a try, in which a function of Python's own may raise")
        self.python = before
        return lines

    # ---- expressions -------------------------------------------------------------------------------------------------

    def written(self, node: Expression) -> tuple[str, int]:
        match node:
            case Call(Name("select"), (condition, first, second), ()):  # C calculates only the one chosen
                return super().written(Choice(condition, first, second))
            case Name(name) if name in self.constants and name not in self.own:
                return _constant(self.constants[name])
            case Arithmetic(_, "+" | "-" | "*", _) | Unary() | Logic() | Choice():
                return super().written(node)
            case Arithmetic(left, "/", right) if not (self.within_index or (self.is_int(left) and self.is_int(right))):
                return super().written(node)  # of two ints, C would give an int
            case Arithmetic(Name(name), "%", _) if self.types.get(name) == WHOLE:
                return super().written(node)
            case Comparison(_, signs) if not {"is", "is not"} & {*signs}:
                return super().written(node)
        return self.atom(node), ATOM

    def compared(self, node: Expression) -> str:
        match node:
            case Call(Attribute(Name("math"), name), arguments, ()) if not self.within_index:
                return self.of_math(name, arguments)  # an int, too: -0 compares as 0 does
        return super().compared(node)

    def atom(self, node: Expression) -> str:
        match node:
            case Constant(int() as number):
                return repr(number)
            case Constant(float() as number) if not self.within_index:
                return repr(number)
            case Name(name) if name in self.own - {self.row} and (self.is_place(name) or not self.within_index):
                return name
            case Index(Name(self.row), place) if not isinstance(place, Unary):  # -1 counts from the end
                return f"{self.row}[{self.whole(place)}].operand._data_"
            case Call(function, arguments, ()):
                return self.call(function, arguments)
            case Name(self.row):
                raise self.refuse(f"{self.row} as a whole")
        raise self.refuse(node)

    def is_int(self, node: Expression) -> bool:
        """Returns whether an expression is an int in C."""
        match node:
            case Constant(int()) | Comparison() | Unary("not", _) | Call(Name("len")):
                return True
            case Name(name):
                return self.is_place(name)
            case Unary(_, operand):
                return self.is_int(operand)
            case Arithmetic(left, _, right):
                return self.is_int(left) and self.is_int(right)
            case Choice(_, first, second):
                return self.is_int(first) and self.is_int(second)
            case Logic(_, parts):
                return all(map(self.is_int, parts))
        return False

    def is_place(self, name: str) -> bool:
        """Returns whether a name stands for a whole number."""
        return name in self.places or self.types.get(name) == WHOLE

    def whole(self, node: Expression) -> str:
        """Writes a whole number: the place of an operand, or an end of a range."""
        if self.within_index:
            raise self.refuse("an index within an index")
        self.within_index = True
        text = self.expression(node)
        self.within_index = False
        return text

    def call(self, function: Expression, arguments: Sequence[Expression]) -> str:
        """Writes a call of an operation, of a function of `math`, or of one of Python's that C writes otherwise."""
        match function, arguments:
            case Name("len"), [Name(self.row)]:
                return COUNT
            case Name("int"), [place] if self.within_index:
                self.within_index = False
                text = f"whole({self.expression(place)})"
                self.within_index = True
                return text
            case _ if self.within_index:
                raise self.refuse(f"a call of {python(function)} within an index")
            case Name("ieee"), [Attribute(Name("math"), name), *given] if _same_in_ieee(name, given):
                return self.of_math(name, given)
            case Name(name), [Index(Name(self.row), Slice(None, Name(end), None))] if self.takes(name, None):
                return self.operation(name, f"{self.row}, {self.whole(Name(end))}")
            case Name(name), [Name(self.row)] if self.takes(name, None):
                return self.operation_of_all(name)
            case Name(name), [
                Index(Name(self.row), Slice(Arithmetic(Name(), "+", Constant(1)) as first, None, None))
            ] if self.takes(name, None):
                start = self.whole(first)
                return self.operation(name, f"{self.row} + {start}, {COUNT} - ({start})")
            case Name(name), _ if self.takes(name, len(arguments)):
                return self.operation(name, ", ".join(map(self.expression, arguments)))
            case Attribute(Name("math"), name), _:
                return self.number_of_math(name, arguments)
        raise self.refuse(f"a call of {python(function)}")

    def takes(self, name: str, count: int | None) -> bool:
        """Returns whether a name stands for an operation of `count` operands; None stands for any number."""
        return name in self.table and name not in self.own and self.table[name] == count

    def operation(self, name: str, given: str) -> str:
        """Writes a call of the value of another operation."""
        self.calls.add(name)
        return f"value_{name}({given})"

    def operation_of_all(self, name: str) -> str:
        """Writes the value of another operation for all operands; in a local derivative, one of many that need it, it
        is an argument."""
        if len([kind for kind in self.types.values() if kind == WHOLE]) == 1:
            return self.operation(name, f"{self.row}, {COUNT}")
        self.calls.add(name)
        self.of_all[name] = None
        return of_all(name)

    def number_of_math(self, name: str, arguments: Sequence[Expression]) -> str:
        """Writes a call of a function of `math` whose result is a float: where Python gives an int, there is no -0."""
        text = self.of_math(name, arguments)
        return f"({text} + 0.0)" if of_math(name).llvm == "whole" else text

    def of_math(self, name: str, arguments: Sequence[Expression]) -> str:
        """Writes a call of a function of `math`: of C's, if that gives the same bits, otherwise of Python's."""
        given = list(map(self.expression, arguments))
        if _same_in_c(name, arguments):
            return f"math.{of_math(name).c}({', '.join(given)})"
        self.python = True
        return f"python_math({name!r}, ({', '.join(given)}{',' if len(given) == 1 else ''}))"


def of_all(name: str) -> str:
    """Returns the name in C for the value of an operation for all operands."""
    return f"all_{name}"


def _same_in_c(name: str, arguments: Sequence[Expression]) -> bool:
    return of_math(name).c != "" and of_math(name).operands == len(arguments)


def _same_in_ieee(name: str, arguments: Sequence[Expression]) -> bool:
    return _same_in_c(name, arguments) and of_math(name).llvm != "whole"  # -inf is no int: `ieee` gives inf


def _returns(body: Sequence[Statement]) -> bool:
    """Returns whether every way through these statements returns something."""
    return any(
        isinstance(statement, Return)
        or (isinstance(statement, If) and _returns(statement.first) and _returns(statement.second))
        or (isinstance(statement, Try) and _returns(statement.body))
        for statement in body
    )


def _assigned(body: Sequence[Statement], rows: set[str]) -> tuple[set[str], set[str]]:
    """Returns the names to which statements assign numbers, and the names of the counters of loops."""
    numbers: set[str] = set()
    places: set[str] = set()
    for statement in statements(body):
        match statement:
            case Assign(targets):
                numbers |= {target.name for target in targets if isinstance(target, Name)}
            case Update(Name(name)):
                numbers.add(name)
            case For(Name(name), items):
                (numbers if isinstance(items, Name) and items.name in rows else places).add(name)
    return numbers, places


def _constant(x: float) -> tuple[str, int]:
    """Returns the text of a number that has a name in Python, and the precedence of that text."""
    text = "math.NAN" if math.isnan(x) else "math.INFINITY" if math.isinf(x) else repr(abs(x))
    return (f"-{text}", SIGN) if math.copysign(1.0, x) < 0 else (text, ATOM)


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]
