"""The grammar of expressions: it turns a text into a short program for a stack.

Python's own parser makes a syntax tree of the text. Only certain kinds of nodes are allowed in it, and none is ever run
as Python. Each instruction of the program takes a number, takes a variable, or applies an operation of the table to the
last few results; it runs on Values as well as on plain numbers.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.core.operation import TABLE, Operation
from chainrule.errors import ExpressionError, suggest

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf}
"""Names that stand for a number, unless a variable of that name is given."""

_OPERATORS: dict[type, str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
}

_REFUSED: dict[type, str] = {
    ast.Attribute: "an expression has no attributes (the dot); operations are called as tanh(x)",
    ast.Subscript: "an expression has no indices; give each number a name of its own, such as x1",
    ast.Lambda: "an expression cannot define functions",
    ast.BoolOp: "`and` and `or` cannot be differentiated; of comparisons, write (x > 0)*(y > 0) or max(x > 0, y > 0)",
    ast.NamedExpr: "an expression cannot assign names; give numbers apart from it, such as x=2",
    ast.JoinedStr: "an expression has no strings",
    ast.List: "a list stands only in calls such as sum([x, y]); the expression itself is one number",
    ast.Tuple: "this is several numbers, not one; the decimal point is a point, as in 1.5",
    ast.Starred: "an expression has no *arguments; write each of them",
    ast.BitXor: "^ is not a power here; write x**2",
    ast.Mod: "there is no operation %",
    ast.FloorDiv: "there is no operation //; write /",
    ast.MatMult: "there is no operation @; write products and sums, or weighted_sum([w1, w2], [x1, x2], b)",
    ast.Not: "there is no operation `not`; of a comparison, write the opposite one",
}

_ELSEWHERE = {
    **{"ln": "log", "arctan": "atan", "arctan2": "atan2", "logistic": "sigmoid", "maximum": "max", "swish": "silu"},
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "sinh", "cosh", "tanh")},
    **{"gammaln": "lgamma", "psi": "digamma", "ndtr": "norm_cdf", "ndtri": "norm_ppf", "log_ndtr": "norm_logcdf"},
}
"""For names that operations have in other libraries, the names that they have here."""

_JOINED = re.compile(
    r"(?<![\w.])(?>0x[\da-f_]+|0o[0-7_]+|0b[01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d[\d_]*)?j?)[^\W\d]",
    re.IGNORECASE,
)
"""A number directly followed by a name or keyword. Python accepts `1if x else 2`, but gives a warning of its own."""

_MARK = "▸"
"""The mark in messages before the character at which a text cannot be read on."""

# ---- programs ------------------------------------------------------------------------------------------------------


Span = tuple[int, int]
"""Where a part of the text begins and ends, in letters."""


@dataclass(frozen=True)
class Number:
    """The instruction to take a number of the text."""

    number: float


@dataclass(frozen=True)
class Name:
    """The instruction to take a variable; `position` is its place in the text."""

    name: str
    position: int


@dataclass(frozen=True)
class Listing:
    """The instruction to make a list of the last `count` results."""

    count: int

    def apply(self, operands: list[Any]) -> Any:
        return operands


@dataclass(frozen=True)
class Apply:
    """The instruction to apply an operation to the last `count` results; the last of these are passed by name."""

    op: Operation
    count: int
    named: Sequence[str] = ()

    def apply(self, operands: list[Any]) -> Any:
        first_named = self.count - len(self.named)
        named = dict(zip(self.named, operands[first_named:], strict=True))
        return self.op(*operands[:first_named], **named)


@dataclass(frozen=True)
class Program:
    """The instructions that calculate an expression.

    Attributes:
        names: the variables, in the order in which they appear in the text.
        spans: for each instruction, where the letters begin and end that it stands for.
    """

    instructions: tuple[Number | Name | Listing | Apply, ...]
    names: tuple[str, ...]
    spans: tuple[Span, ...]

    def run(
        self,
        variables: Mapping[str, Any],
        number: Callable[[float], Any] = float,
        note: Callable[[Any, Span], None] = lambda result, span: None,
    ) -> Any:
        """Returns the result.

        Args:
            variables: what stands for each name.
            number: `number(x)` stands for each number x of the text.
            note: is told of each intermediate result, and where it stands in the text.
        """
        stack: list[Any] = []
        for instruction, span in zip(self.instructions, self.spans, strict=True):
            match instruction:
                case Number(x):
                    stack.append(number(x))
                case Name(name):
                    stack.append(variables[name])
                case _:
                    start = len(stack) - instruction.count
                    stack[start:] = [instruction.apply(stack[start:])]
            note(stack[-1], span)
        return stack.pop()


def read(text: str, given: Iterable[str] = ()) -> Program:
    """Reads a text into a program, without recursion.

    Args:
        text: an expression.
        given: names that are variables even where they would be a constant or an operation.

    Raises:
        ExpressionError: the text is not an expression.

    >>> program = read("x*w + b")
    >>> program.names, program.run({"x": 2.0, "w": 3.0, "b": 1.0})
    (('x', 'w', 'b'), 7.0)
    """
    reader = _Reader(text, frozenset(given))
    pending: list[ast.expr] = [reader.tree]
    backwards: list[Any] = []
    while pending:
        node = pending.pop()
        instruction, parts = reader.read(node)
        if instruction is not None:
            backwards.append((instruction, reader.span(node)))
        pending.extend(parts)
    instructions, spans = zip(*reversed(backwards), strict=True)
    names = sorted([x for x in instructions if isinstance(x, Name)], key=lambda name: name.position)
    return Program(instructions, tuple(dict.fromkeys([name.name for name in names])), spans)


# ---- reading -------------------------------------------------------------------------------------------------------


class _Reader:
    """A reader of Python's syntax tree, which turns one node at a time into an instruction and the operands' nodes."""

    def __init__(self, text: str, given: frozenset[str]) -> None:
        self.text = text.translate({ord(space): " " for space in "\n\r\t\f\v"})
        self.given = given
        self.tree = _parsed(self.text)
        calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        self.argument_lists = {id(part) for call in calls for part in _arguments(call) if isinstance(part, ast.List)}

    def read(self, node: ast.expr) -> tuple[Any, list[ast.expr]]:
        instruction: Any
        parts: list[ast.expr] = []
        match node:
            case ast.Constant():
                instruction = self.number(node, 1.0)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as constant):
                instruction = self.number(constant, -1.0)
            case ast.Name():
                instruction = self.name(node)
            case ast.UnaryOp(op=ast.USub()):
                instruction, parts = Apply(TABLE["neg"], 1), [node.operand]
            case ast.UnaryOp(op=ast.UAdd()):
                instruction, parts = None, [node.operand]
            case ast.BinOp() if type(node.op) in _OPERATORS:
                instruction, parts = Apply(TABLE[_OPERATORS[type(node.op)]], 2), [node.left, node.right]
            case ast.Compare(ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                instruction, parts = Apply(TABLE[_OPERATORS[type(op)]], 2), [node.left, right]
            case ast.IfExp():
                instruction, parts = Apply(TABLE["select"], 3), [node.test, node.body, node.orelse]
            case ast.Call():
                instruction, parts = self.call(node), _arguments(node)
            case ast.List() if id(node) in self.argument_lists:
                instruction, parts = Listing(len(node.elts)), node.elts
            case _:
                raise self.refusal(node, _reason(node))
        return instruction, parts

    def number(self, node: ast.Constant, sign: float) -> Number:
        if not isinstance(node.value, int | float) or isinstance(node.value, bool):
            raise self.refusal(node, "an expression is made of real numbers, names and operations")
        try:
            value = sign * float(node.value)
        except OverflowError:
            value = math.inf
        if math.isinf(value):
            raise self.refusal(node, "this number is too large for a float; write inf if that is meant")
        return Number(value)

    def name(self, node: ast.Name) -> Number | Name:
        if node.id in CONSTANTS and node.id not in self.given:
            return Number(CONSTANTS[node.id])
        if node.id in TABLE and node.id not in self.given:
            raise ExpressionError(f"{node.id} is an operation: call it, {_example(TABLE[node.id])}")
        return Name(node.id, node.col_offset)

    def call(self, node: ast.Call) -> Apply:
        named = [part.arg for part in node.keywords if part.arg is not None]
        if len(named) < len(node.keywords):
            raise self.refusal(node, "write each operand by itself, without **")
        if len(named) > len(set(named)):
            raise self.refusal(node, "this names an operand twice")
        return Apply(self.operation(node), len(_arguments(node)), named)

    def operation(self, node: ast.Call) -> Operation:
        if isinstance(node.func, ast.Attribute):
            raise self.refusal(node, _REFUSED[ast.Attribute])
        if not isinstance(node.func, ast.Name):
            raise self.refusal(node, "a product is written with *, as in 2*(x + 1)")
        name = node.func.id
        if name in self.given:
            raise ExpressionError(f"{name} is a number here and cannot be called: write a product as {name}*(...)")
        if name not in TABLE:
            close = f" Did you mean {_ELSEWHERE[name]!r}?" if name in _ELSEWHERE else suggest(name, TABLE)
            raise ExpressionError(f"there is no operation {name!r}.{close or f' A product is written {name}*(...)'}")
        return TABLE[name]

    def span(self, node: ast.expr) -> Span:
        """Where a node begins and ends in the text; Python counts bytes."""
        text, end = self.text.encode("utf-8"), node.end_col_offset or 0
        return len(text[: node.col_offset].decode("utf-8")), len(text[:end].decode("utf-8"))

    def refusal(self, node: ast.expr, reason: str) -> ExpressionError:
        segment = ast.get_source_segment(self.text, node) or self.text
        return ExpressionError(f"cannot use {clipped(segment)!r}: {reason}")


def _parsed(text: str) -> ast.expr:
    """Returns Python's syntax tree of an expression."""
    if not text:
        raise ExpressionError("the expression is empty: write one such as tanh(x*w + b)")
    if "#" in text:
        raise ExpressionError(f"cannot read the expression {_marked(text, text.index('#'))}: there are no comments")
    if joined := _JOINED.search(text):
        reason = _syntax_reason("invalid decimal literal", "")
        raise ExpressionError(f"cannot read the expression {_marked(text, joined.start())}: {reason}")
    if "\\" in text:
        position = text.index("\\")
        raise ExpressionError(f"cannot read the expression {_marked(text, position)}: write / for a division")
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        position = error.offset - 1 if error.offset else len(text)
        reason = _syntax_reason(error.msg, text[position:])
        raise ExpressionError(f"cannot read the expression {_marked(text, position)}: {reason}") from None
    except (RecursionError, MemoryError):
        raise ExpressionError(f"the expression {clipped(text)!r} is nested too deeply: split it up") from None
    except ValueError as error:  # characters that cannot be in any source text
        raise ExpressionError(f"cannot read the expression {clipped(text)!r}: {error}") from None


def _reason(node: ast.expr) -> str:
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        return "this compares twice in a row; write (0 < x)*(x < 1) for 0 < x < 1"
    if isinstance(node, ast.BoolOp):
        return _REFUSED[ast.BoolOp]
    kind = type(getattr(node, "op", node))
    return _REFUSED.get(kind, "this is Python, but not arithmetic that an expression can hold")


def _syntax_reason(message: str, rest: str) -> str:
    """Translates the complaint of Python's parser for someone who writes arithmetic."""
    if "':='" in message or rest.startswith("="):
        return "an expression has no =; give numbers apart from it, such as x=2"
    if message == "invalid syntax" and not rest:
        return "it ends too early"
    if message.startswith("invalid decimal"):
        return "a name cannot begin with a digit, and a product is written 2*x"
    if message.startswith("Exceeds the limit"):
        return "this number has too many digits"
    return message


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *[part.value for part in call.keywords]]


def _example(op: Operation) -> str:
    return f"{op.name}({', '.join(op.operand_names)})" if op.operand_names else f"{op.name}([x, y])"


def _marked(text: str, position: int) -> str:
    """Returns where a text cannot be read on: `at character 6 (x1 * ▸* w1)`."""
    before, after = text[:position], text[position:]
    before = before if len(before) <= 25 else "…" + before[-24:]
    after = after if len(after) <= 25 else after[:24] + "…"
    return f"at character {position + 1} ({before}{_MARK}{after})"


def clipped(text: str) -> str:
    """Shortens a text for a message of one line."""
    return text if len(text) <= 40 else text[:37] + "..."
