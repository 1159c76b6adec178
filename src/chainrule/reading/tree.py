"""The syntax tree of a text: expressions and statements, for generators of other languages.

Names are those in the text; what they stand for is up to the generator. Syntax that the reader has no node for becomes
`Unread`, at its place in the tree. So a text is refused only by a generator that gets to that place: a branch that is
never taken may hold anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple


class Unread(NamedTuple):
    """An expression, a statement or the target of an assignment that the reader has no node for.

    Attributes:
        text: its text in Python.
        line: its line in the file.
        why: what it is, in words for a message; by default the text.
    """

    text: str
    line: int
    why: str = ""

    @property
    def words(self) -> str:
        """The words for it in a message."""
        return self.why or repr(self.text)


# ---- expressions -----------------------------------------------------------------------------------------------------


class Constant(NamedTuple):
    """A number, a truth, None, or a text."""

    value: object


class Name(NamedTuple):
    """An operand, a local variable, or something around the function."""

    name: str


class Attribute(NamedTuple):
    """`math.exp` or `math.pi`."""

    of: Expression
    name: str


class Items(NamedTuple):
    """`(a, b)` or `[a, b]`."""

    items: tuple[Expression, ...]
    brackets: str


class Index(NamedTuple):
    """`xs[i]` or `xs[1:]`."""

    row: Expression
    place: Expression


class Slice(NamedTuple):
    """The place in `xs[first:end:step]`."""

    first: Expression | None
    end: Expression | None
    step: Expression | None


class Unary(NamedTuple):
    """`-x`, `+x` or `not x`."""

    sign: str
    operand: Expression


class Arithmetic(NamedTuple):
    """`a + b` and the like; `sign` is one of + - * / ** % // << >> | ^ &."""

    left: Expression
    sign: str
    right: Expression


class Logic(NamedTuple):
    """`a and b and c`, or the same with `or`."""

    sign: str
    parts: tuple[Expression, ...]


class Comparison(NamedTuple):
    """`a < b <= c`: one sign fewer than parts."""

    parts: tuple[Expression, ...]
    signs: tuple[str, ...]


class Choice(NamedTuple):
    """`first if condition else second`."""

    condition: Expression
    first: Expression
    second: Expression


class Call(NamedTuple):
    """`function(*arguments, **named)`, each of them written out."""

    function: Expression
    arguments: tuple[Expression, ...]
    named: tuple[tuple[str, Expression], ...] = ()


class Star(NamedTuple):
    """`*xs`, among the items of a row, the arguments of a call, or the names that are assigned to."""

    of: Any


class Loop(NamedTuple):
    """`for target in items if condition`, within a comprehension."""

    target: Target
    items: Expression
    conditions: tuple[Expression, ...]


class Comprehension(NamedTuple):
    """`[item for x in xs]`, or the same in round brackets."""

    item: Expression
    loops: tuple[Loop, ...]
    brackets: str


Expression = (
    Constant | Name | Attribute | Items | Index | Slice | Unary | Arithmetic | Logic | Comparison | Choice | Call
    | Comprehension | Star | Unread
)  # fmt: skip

# ---- statements ------------------------------------------------------------------------------------------------------


class Targets(NamedTuple):
    """The names that `a, (b, c) = …` assigns to."""

    targets: tuple[Target, ...]


Target = Name | Targets | Star | Unread


class Return(NamedTuple):
    """`return value`."""

    value: Expression
    line: int


class Assign(NamedTuple):
    """`a = b = value`."""

    targets: tuple[Target, ...]
    value: Expression
    line: int


class Update(NamedTuple):
    """`name += value`, and the same with another sign."""

    name: Name
    sign: str
    value: Expression
    line: int


class If(NamedTuple):
    """`if condition: first`, `else: second`."""

    condition: Expression
    first: tuple[Statement, ...]
    second: tuple[Statement, ...]
    line: int


class For(NamedTuple):
    """`for target in items: body`."""

    target: Target
    items: Expression
    body: tuple[Statement, ...]
    line: int


class While(NamedTuple):
    """`while condition: body`."""

    condition: Expression
    body: tuple[Statement, ...]
    line: int


class Do(NamedTuple):
    """A call whose result nobody takes, such as `xs.append(x)`."""

    call: Expression
    line: int


class Raise(NamedTuple):
    """`raise error`. What it raises is a text alone: no writer makes another language's error of it."""

    error: str
    line: int

    @property
    def words(self) -> str:
        """The words for it in a message."""
        return repr(f"raise {self.error}")


class Try(NamedTuple):
    """A body whose handlers are for exceptions of Python's arithmetic, where C has a result."""

    body: tuple[Statement, ...]
    line: int


Statement = Return | Assign | Update | If | For | While | Do | Raise | Try | Unread


class Function(NamedTuple):
    """A value or a local derivative; a lambda becomes a function with one `return`.

    Attributes:
        name: its name; empty for a lambda.
        operands: the names of the arguments by position.
        row: the name of `*xs`; empty if there is none.
        body: its statements, without the docstring.
        line: its first line.
    """

    name: str
    operands: tuple[str, ...]
    row: str
    body: tuple[Statement, ...]
    line: int


def statements(body: Sequence[Statement]) -> Iterator[Statement]:
    """All statements of a body, including nested ones, which follow the statement that they are in."""
    for statement in body:
        yield statement
        if isinstance(statement, If):
            yield from statements([*statement.first, *statement.second])
        elif isinstance(statement, For | While | Try):
            yield from statements(statement.body)
