"""Text such as `tanh(x1*w1 + b)` read as an expression of Values.

Python's own parser takes the text apart; what it gives is walked against a list of what is allowed, and nothing of
it is ever run as Python. An expression becomes a short program for a stack: take a number, take a variable, apply an
operation of the table to the last few. That program is run on Values for the graph, and on plain numbers for checks.
"""

from __future__ import annotations

import ast
import keyword
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chainrule.engine import Value
from chainrule.errors import ExpressionError, OperandError, SizeError, suggest
from chainrule.operation import TABLE, Operation, number

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
    ast.Starred: "an expression has no *arguments; write each of them",
    ast.BitXor: "^ is not a power here; write x**2",
    ast.Mod: "there is no operation %",
    ast.FloorDiv: "there is no operation //; write /",
    ast.MatMult: "there is no operation @; write products and sums, or weighted_sum([w1, w2], [x1, x2], b)",
    ast.Not: "there is no operation `not`; of a comparison, write the opposite one",
}

_ELSEWHERE = {"ln": "log", "arctan": "atan", "arctan2": "atan2", "logistic": "sigmoid", "maximum": "max"}
"""What other libraries call an operation."""

_MARK = "▸"
"""Stands in messages before the character at which a text cannot be read on."""


class Expression:
    """An expression, and the numbers of its variables where they were given; made by `parse`.

    Attributes:
        text: the expression as it was written.
        names: its variables, in the order in which they appear.
    """

    def __init__(self, text: str, values: Mapping[str, float] | None = None) -> None:
        self.text = text.strip()
        given = _named_values(values or {})
        self._program = _program(self.text, given)
        self.names = _variables(self._program)
        self._variables: dict[str, Value] = {}
        self._root: Value | None = None
        if values is not None or not self.names:
            self._bind(given)

    @property
    def root(self) -> Value:
        """The Value of the whole expression.

        Raises:
            ExpressionError: the expression was parsed without numbers for its variables.
        """
        if self._root is None:
            raise ExpressionError(_missing(self.names))
        return self._root

    @property
    def variables(self) -> dict[str, Value]:
        """The leaves, by name."""
        return dict(self._variables)

    def function(self, *numbers: Any) -> Any:
        """The expression as an ordinary function of its variables, in the order of `names`: of floats or of Values.

        Raises:
            ExpressionError: there are more or fewer numbers than variables.

        >>> f = parse("x**2 * w").function
        >>> f(3.0, 2.0), f(Value(3.0), 2.0).data
        (18.0, 18.0)
        """
        if len(numbers) != len(self.names):
            message = f"{self.text!r} is a function of {len(self.names)} numbers but was given {len(numbers)}"
            raise ExpressionError(f"{message}: {', '.join(self.names) or 'it has no variables'}")
        return _run(self._program, dict(zip(self.names, numbers, strict=True)))

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """The expression at the numbers of a dict, which may be floats or Values.

        >>> parse("x - y")({"y": 1.0, "x": 3.0})
        2.0
        """
        _refuse_wrong_names(self.names, values)
        return _run(self._program, dict(values))

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def _bind(self, given: Mapping[str, float]) -> None:
        _refuse_wrong_names(self.names, given)
        self._variables = {name: Value(given[name], label=name) for name in self.names}
        # Without variables its numbers are what there is to differentiate in, so they become leaves, too.
        leaf = float if self.names else Value
        try:
            root = _run(self._program, self._variables, leaf)
        except (OperandError, SizeError) as error:  # an operation with too many operands, a list for a number
            raise ExpressionError(f"cannot calculate {_clipped(self.text)!r}: {error}") from None
        self._root = root if isinstance(root, Value) else Value(root)


def parse(text: str, values: Mapping[str, float] | None = None) -> Expression:
    """Reads an expression; it is parsed, never evaluated as Python.

    There are numbers, names, + - * / **, comparisons, `a if condition else b`, calls of every operation of the table
    (those of one's own as well), and the constants pi, e and inf unless a variable has that name.

    Args:
        text: the expression, such as `"tanh(x*w + b)"`.
        values: a number for each variable; without it the expression can only be used as a function.

    Returns:
        The expression, with `root` (a Value), `variables` (its leaves by name) and `function`.

    Raises:
        ExpressionError: the text is no expression, an operation does not exist, or numbers and names do not match.

    >>> expression = parse("tanh(x*w + b)", {"x": 2.0, "w": -3.0, "b": 6.5})
    >>> expression.root.backward()
    >>> round(expression.root.data, 6), round(expression.variables["b"].grad, 6)
    (0.462117, 0.786448)
    >>> parse("tahn(x)", {"x": 1.0})
    Traceback (most recent call last):
        ...
    chainrule.errors.ExpressionError: there is no operation 'tahn'. Did you mean 'tanh'?
    """
    return Expression(text, values)


def parse_assignments(assignments: Iterable[str]) -> dict[str, float]:
    """Numbers by name, from texts such as `x1=2` or `angle=pi/2`.

    Raises:
        ExpressionError: a text is not NAME=NUMBER, or a name comes twice.

    >>> parse_assignments(["x1=2", "w1=-3e-1", "angle=pi/2"])
    {'x1': 2.0, 'w1': -0.3, 'angle': 1.5707963267948966}
    """
    values: dict[str, float] = {}
    for assignment in assignments:
        name, equals, text = [part.strip() for part in assignment.partition("=")]
        if not equals or not text or text.startswith("="):
            example = f"{name}=0.5" if name.isidentifier() else "x1=0.5"
            raise ExpressionError(f"{_clipped(assignment)!r} gives no number: write NAME=NUMBER, such as {example}")
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ExpressionError(f"{name!r} cannot be the name of a variable: take letters, digits and _, such as x1")
        name = unicodedata.normalize("NFKC", name)
        if name in values:
            raise ExpressionError(f"{name} is given twice, as {values[name]!r} and in {assignment!r}: give it once")
        values[name] = _constant(text, assignment)
    return values


def _constant(text: str, assignment: str) -> float:
    """The number that a text without variables stands for."""
    try:
        program = _program(text, ())
        if variables := _variables(program):
            raise ExpressionError(f"{variables[0]!r} is not one")
        return _run(program, {})
    except (ExpressionError, OperandError, SizeError) as error:
        raise ExpressionError(f"{_clipped(assignment)!r} gives no number: {error}") from None


# ---- numbers and names ---------------------------------------------------------------------------------------------


def _named_values(values: Mapping[str, float]) -> dict[str, float]:
    """The given numbers as floats, their names written as Python's parser writes names (µ and μ are one letter)."""
    return {unicodedata.normalize("NFKC", name): number(x, name) for name, x in values.items()}


def _refuse_wrong_names(names: Sequence[str], given: Mapping[str, Any]) -> None:
    if missing := [name for name in names if name not in given]:
        raise ExpressionError(_missing(missing))
    for name in given:
        if name not in names:
            has = f"has no {name}" if names else "has no variables"
            raise ExpressionError(f"{name} is given a number, but the expression {has}.{suggest(name, names)}")


def _missing(names: Sequence[str]) -> str:
    variables = "variables have no numbers" if len(names) > 1 else "a variable has no number"
    return f"{variables}: give {', '.join([f'{name}=...' for name in names])}"


# ---- the program of an expression, and how it is run ---------------------------------------------------------------


class _Name(str):
    """A variable, as an instruction; `position` is where it stands in the text."""

    __slots__ = ("position",)
    position: int


class _List(int):
    """The instruction to make a list of the last few results."""


class _Apply:
    """The instruction to apply an operation to the last few results, the last of which are named operands."""

    def __init__(self, op: Operation, count: int, named: Sequence[str] = ()) -> None:
        self.op, self.count, self.named = op, count, named


def _run(program: Sequence[Any], variables: Mapping[str, Any], leaf: Any = float) -> Any:
    """Runs a program; `leaf` makes what stands for a number of the text."""
    stack: list[Any] = []
    for instruction in program:
        if isinstance(instruction, _Name):
            stack.append(variables[instruction])
        elif isinstance(instruction, _List):
            start = len(stack) - instruction
            stack[start:] = [stack[start:]]
        elif isinstance(instruction, _Apply):
            start = len(stack) - instruction.count
            operands = stack[start:]
            first_named = len(operands) - len(instruction.named)
            named = dict(zip(instruction.named, operands[first_named:], strict=True))
            stack[start:] = [instruction.op(*operands[:first_named], **named)]
        else:
            stack.append(leaf(instruction))
    return stack.pop()


def _variables(program: Sequence[Any]) -> tuple[str, ...]:
    """The variables of a program in the order in which they appear in the text."""
    names = [instruction for instruction in program if isinstance(instruction, _Name)]
    return tuple(dict.fromkeys([str(name) for name in sorted(names, key=lambda name: name.position)]))


def _program(text: str, given: Iterable[str]) -> list[Any]:
    """Reads a text into a program, without recursion: operands come before what is made of them."""
    reader = _Reader(text, frozenset(given))
    pending: list[ast.expr] = [reader.tree]
    program: list[Any] = []
    while pending:
        instruction, parts = reader.read(pending.pop())
        program.append(instruction)
        pending.extend(parts)
    return [instruction for instruction in reversed(program) if instruction is not None]


# ---- reading -------------------------------------------------------------------------------------------------------


class _Reader:
    """Reads the nodes of Python's syntax tree one at a time, into an instruction and the nodes of its operands."""

    def __init__(self, text: str, given: frozenset[str]) -> None:
        self.text = text.translate({ord(space): " " for space in "\n\r\t\f\v"})
        self.given = given
        self.tree = _parsed(self.text)
        calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        self.argument_lists = {id(part) for call in calls for part in _arguments(call) if isinstance(part, ast.List)}

    def read(self, node: ast.expr) -> tuple[Any, list[ast.expr]]:
        match node:
            case ast.Constant():
                return self.constant(node, 1.0), []
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as constant):
                return self.constant(constant, -1.0), []
            case ast.Name():
                return self.name(node), []
            case ast.UnaryOp(op=ast.USub()):
                return _Apply(TABLE["neg"], 1), [node.operand]
            case ast.UnaryOp(op=ast.UAdd()):
                return None, [node.operand]
            case ast.BinOp() if type(node.op) in _OPERATORS:
                return _Apply(TABLE[_OPERATORS[type(node.op)]], 2), [node.left, node.right]
            case ast.Compare(ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return _Apply(TABLE[_OPERATORS[type(op)]], 2), [node.left, right]
            case ast.Compare(ops=[_, _, *_]):
                raise self.refusal(node, "this compares twice in a row; write (0 < x)*(x < 1) for 0 < x < 1")
            case ast.IfExp():
                return _Apply(TABLE["select"], 3), [node.test, node.body, node.orelse]
            case ast.Call():
                named = [self.keyword(node, part.arg) for part in node.keywords]
                parts = _arguments(node)
                return _Apply(self.operation(node), len(parts), named), parts
            case ast.List() if id(node) in self.argument_lists:
                return _List(len(node.elts)), node.elts
        raise self.refusal(node, self.reason(node))

    def constant(self, node: ast.Constant, sign: float) -> float:
        if type(node.value) not in (int, float):
            raise self.refusal(node, "an expression is made of real numbers, names and operations")
        try:
            value = sign * float(node.value)
        except OverflowError:
            value = math.inf
        if math.isinf(value):
            raise self.refusal(node, "this number is too large for a float; write inf if that is meant")
        return value

    def name(self, node: ast.Name) -> Any:
        if node.id in CONSTANTS and node.id not in self.given:
            return CONSTANTS[node.id]
        if node.id in TABLE and node.id not in self.given:
            raise ExpressionError(f"{node.id} is an operation: call it, {_example(TABLE[node.id])}")
        name = _Name(node.id)
        name.position = node.col_offset
        return name

    def operation(self, node: ast.Call) -> Operation:
        if not isinstance(node.func, ast.Name):
            reason = _REFUSED[ast.Attribute] if isinstance(node.func, ast.Attribute) else "write a product as 2*(x + 1)"
            raise self.refusal(node, reason)
        name = node.func.id
        if name in self.given:
            raise ExpressionError(f"{name} is a number here and cannot be called: write a product as {name}*(...)")
        if name not in TABLE:
            close = f" Did you mean {_ELSEWHERE[name]!r}?" if name in _ELSEWHERE else suggest(name, TABLE)
            raise ExpressionError(f"there is no operation {name!r}.{close or f' A product is written {name}*(...)'}")
        return TABLE[name]

    def keyword(self, node: ast.Call, name: str | None) -> str:
        if name is None:
            raise self.refusal(node, "write each operand by itself, without **")
        return name

    def reason(self, node: ast.expr) -> str:
        kind = type(getattr(node, "op", node))
        if isinstance(node, ast.BoolOp):
            kind = ast.BoolOp
        if isinstance(node, ast.List | ast.Tuple):
            return "a list stands only in calls such as sum([x, y]); the expression itself is one number"
        return _REFUSED.get(kind, "this is Python, but not arithmetic that an expression can hold")

    def refusal(self, node: ast.expr, reason: str) -> ExpressionError:
        segment = ast.get_source_segment(self.text, node) or self.text
        return ExpressionError(f"cannot use {_clipped(segment)!r}: {reason}")


def _parsed(text: str) -> ast.expr:
    """Python's syntax tree of an expression."""
    if not text:
        raise ExpressionError("the expression is empty: write one such as tanh(x*w + b)")
    if "#" in text:
        raise ExpressionError(f"cannot read the expression {_marked(text, text.index('#'))}: there are no comments")
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        reason = error.msg
        if "':='" in reason:
            reason = "an expression has no =; give numbers apart from it, such as x=2"
        elif reason.startswith("invalid decimal"):
            reason = "a name cannot begin with a digit, and a product is written 2*x"
        position = min(max((error.offset or 1) - 1, 0), len(text))
        raise ExpressionError(f"cannot read the expression {_marked(text, position)}: {reason}") from None
    except (RecursionError, MemoryError):
        raise ExpressionError(f"the expression {_clipped(text)!r} is nested too deeply: split it up") from None
    except ValueError as error:  # characters that cannot be in any source text
        raise ExpressionError(f"cannot read the expression {_clipped(text)!r}: {error}") from None


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *[part.value for part in call.keywords]]


def _example(op: Operation) -> str:
    return f"{op.name}({', '.join(op.operand_names)})" if op.operand_names else f"{op.name}([x, y])"


def _marked(text: str, position: int) -> str:
    """`at character 6: 'x1 * ▸* w1'`"""
    before, after = text[:position], text[position:]
    before = before if len(before) <= 25 else "…" + before[-24:]
    after = after if len(after) <= 25 else after[:24] + "…"
    return f"at character {position + 1} ({before}{_MARK}{after})"


def _clipped(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
