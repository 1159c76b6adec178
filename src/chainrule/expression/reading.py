"""Expressions of Values, read from text such as `tanh(x1*w1 + b)`.

`grammar.py` reads the text; here its variables get their numbers. The same expression gives a graph of Values, and a
function of plain numbers for checks.
"""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chainrule.core.operation import number
from chainrule.engine import Value
from chainrule.errors import ExpressionError, OperandError, SizeError, shown, suggest
from chainrule.expression.grammar import Span, clipped, read


class Expression:
    """An expression, and the numbers of its variables if they were given; made by `parse`.

    Attributes:
        text: the expression as it was written.
        names: its variables, in the order in which they appear.
        spans: the Values of its parts, and where each stands in the text: letter of the begin, and of the end.
    """

    def __init__(self, text: str, values: Mapping[str, float] | None = None) -> None:
        if not isinstance(text, str):
            raise ExpressionError(
                f"an expression is a text such as 'tanh(x*w + b)', not the {type(text).__name__} {shown(text)}"
            )
        self.text = text.strip()
        given = _named_values(values or {})
        self._program = read(self.text, given)
        self.names = self._program.names
        self._variables: dict[str, Value] = {}
        self._root: Value | None = None
        self.spans: list[tuple[Value, Span]] = []
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
        """Calculates the expression from floats or Values of its variables, in the order of `names`.

        Raises:
            ExpressionError: there are more or fewer numbers than variables.

        >>> f = parse("x**2 * w").function
        >>> f(3.0, 2.0), f(Value(3.0), 2.0).data
        (18.0, 18.0)
        """
        if len(numbers) != len(self.names):
            message = f"{self.text!r} is a function of {len(self.names)} numbers but was given {len(numbers)}"
            raise ExpressionError(f"{message}: {', '.join(self.names) or 'it has no variables'}")
        return self._program.run(dict(zip(self.names, numbers, strict=True)))

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Calculates the expression from a dict of its variables, which may be floats or Values.

        >>> parse("x - y")({"y": 1.0, "x": 3.0})
        2.0
        """
        _refuse_wrong_names(self.names, values)
        return self._program.run(dict(values))

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def _note(self, result: Any, span: Span) -> None:
        if isinstance(result, Value):
            self.spans.append((result, span))

    def _bind(self, given: Mapping[str, float]) -> None:
        _refuse_wrong_names(self.names, given)
        self._variables = {name: Value(given[name], label=name) for name in self.names}
        # Without variables only the numbers of the text can be differentiated by, so these become leaves.
        leaf = float if self.names else Value
        try:
            root = self._program.run(self._variables, leaf, self._note)
        except (OperandError, SizeError) as error:  # an operation with too many operands, a list for a number
            raise ExpressionError(f"cannot calculate {clipped(self.text)!r}: {error}") from None
        self._root = root if isinstance(root, Value) else Value(root)


def parse(text: str, values: Mapping[str, float] | None = None) -> Expression:
    """Reads an expression; it is parsed, never evaluated as Python.

    It may have numbers, names, + - * / **, comparisons, `a if condition else b`, calls of every operation of the table
    (those that you defined as well), and the constants pi, e and inf unless a variable has that name.

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
    """Returns numbers by name, from texts such as `x1=2` or `angle=pi/2`.

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
            raise ExpressionError(f"{clipped(assignment)!r} gives no number: write NAME=NUMBER, such as {example}")
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ExpressionError(f"{name!r} cannot be the name of a variable: take letters, digits and _, such as x1")
        name = unicodedata.normalize("NFKC", name)
        if name in values:
            raise ExpressionError(f"{name} is given twice, as {values[name]!r} and in {assignment!r}: give it once")
        values[name] = _constant(text, assignment)
    return values


def _constant(text: str, assignment: str) -> float:
    """Returns the number that a text without variables stands for."""
    try:
        program = read(text)
        if program.names:
            raise ExpressionError(f"{program.names[0]!r} is not one")
        return program.run({})
    except (ExpressionError, OperandError, SizeError) as error:
        raise ExpressionError(f"{clipped(assignment)!r} gives no number: {error}") from None


# ---- numbers and names ---------------------------------------------------------------------------------------------


def _named_values(values: Mapping[str, float]) -> dict[str, float]:
    """Returns the numbers as floats, with their names normalised as Python's parser does (µ and μ are one letter)."""
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
