"""Writes numbers, operations and local derivatives for readers.

Formulas are not stored anywhere: they result from calling an operation of the table on names instead of numbers.
`formula(tanh, 0)` calls tanh's own local derivative on an object that writes down what is done to it. So a user's own
operation has a formula as well, even one typed into a console.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from chainrule import ops
from chainrule.core.operation import TABLE, Operation

TERNARY, COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(7)
"""How tightly a piece of a formula binds, loosest first, as in Python."""

MANY = 100
"""An operation with more operands is not written out: nobody would read it."""

_INFIX = {
    "+": (" + ", SUM),
    "-": (" - ", SUM),
    "*": ("*", PRODUCT),
    "·": ("*", PRODUCT),
    "/": ("/", PRODUCT),
    "**": ("**", POWER),
    "%": (" % ", PRODUCT),
    "//": (" // ", PRODUCT),
    **{symbol: (f" {symbol} ", COMPARISON) for symbol in ("<", "≤", ">", "≥", "==", "≠")},
}


def short(x: float) -> str:
    """A number for readers: six significant digits, or more where six would suggest a rounder number.

    A number that differs from a round one only by rounding errors is shown as that.

    >>> short(0.7071067811865476), short(-1.4999999999999996), short(0.99999998), short(1e-7), short(1234567.0)
    ('0.707107', '-1.5', '0.99999998', '1e-7', '1234567')
    """
    if not math.isfinite(x):
        return str(x)
    if x.is_integer() and math.fabs(x) < 1e9:
        return f"{x:.0f}"
    text = ""
    for digits in range(6, 16):
        text = f"{x:.{digits}g}"
        mantissa = text.partition("e")[0].strip("-").replace(".", "").lstrip("0")
        shows_its_fraction = len(mantissa) == digits and not text.lstrip("-").isdigit()
        if shows_its_fraction or math.isclose(float(text), x, rel_tol=2e-14):
            break
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


class Term:
    """A piece of a formula; applying operations to it gives the longer formula."""

    __slots__ = ("binding", "text")

    def __init__(self, text: str, binding: int = ATOM) -> None:
        self.text = text
        self.binding = binding

    @staticmethod
    def _record(op: Operation, operands: Sequence[Any]) -> Term:
        return _applied(op, [_term(x) for x in operands])

    def within(self, binding: int) -> str:
        """The text in a place that needs at least this binding, in parentheses if it binds less."""
        return self.text if self.binding >= binding else f"({self.text})"

    # fmt: off
    def __add__(self, other: Any) -> Any: return ops.add(self, other)
    def __radd__(self, other: Any) -> Any: return ops.add(other, self) if other else self  # sums begin with 0
    def __sub__(self, other: Any) -> Any: return ops.sub(self, other)
    def __rsub__(self, other: Any) -> Any: return ops.sub(other, self)
    def __mul__(self, other: Any) -> Any: return ops.mul(self, other)
    def __rmul__(self, other: Any) -> Any: return ops.mul(other, self)
    def __truediv__(self, other: Any) -> Any: return ops.div(self, other)
    def __rtruediv__(self, other: Any) -> Any: return ops.div(other, self)
    def __pow__(self, other: Any) -> Any: return ops.pow(self, other)
    def __rpow__(self, other: Any) -> Any: return ops.pow(other, self)
    def __neg__(self) -> Any: return ops.neg(self)
    def __abs__(self) -> Any: return ops.abs(self)
    def __lt__(self, other: Any) -> Any: return ops.lt(self, other)
    def __le__(self, other: Any) -> Any: return ops.le(self, other)
    def __gt__(self, other: Any) -> Any: return ops.gt(self, other)
    def __ge__(self, other: Any) -> Any: return ops.ge(self, other)
    def __eq__(self, other: Any) -> Any: return ops.eq(self, other)
    def __ne__(self, other: Any) -> Any: return ops.ne(self, other)
    # fmt: on
    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Any:
        if name not in TABLE or TABLE[name].takes_lists:
            raise AttributeError(name)
        return partial(TABLE[name], self)

    def __bool__(self) -> bool:
        raise TypeError("a formula has no truth value")


def formula(op: Operation, index: int, operands: Sequence[str | float] = (), result: str | float = "y") -> str | None:
    """The local derivative of an operation with respect to one operand, as text.

    Args:
        op: an operation of the table.
        index: the position of the operand.
        operands: a name or number for each operand; the operation's own names if left out. A variadic operation needs
            them.
        result: a name or number for the result.

    Returns:
        The formula; "0" where the operation is constant in that operand; None for a local derivative that is not
        written in operations of the table, so that only its number is known.

    >>> formula(ops.tanh, 0), formula(ops.pow, 0), formula(ops.relu, 0), formula(ops.lt, 0)
    ('1 - y*y', 'b*a**(b - 1)', '1 if x > 0 else 0', '0')
    >>> formula(ops.tanh, 0, ["n"], "out"), formula(ops.mul, 0, [2.0, -3.0])
    ('1 - out*out', '-3')
    >>> formula(ops.weighted_sum, 2, ["b", "w1", "x1", "w2", "x2"])
    'w1'
    """
    terms = [_term(operand) for operand in operands or op.operand_names or ()]
    try:
        local = op.local(index, terms, _term(result), finite=True)
        if local is None:
            return "0"
        term = _term(local)
    except Exception:  # a user's function may raise anything on a Term
        return None
    return f"1 if {term.text} else 0" if term.binding == COMPARISON else term.text


def call(op: Operation, operands: Sequence[str | float]) -> str:
    """An operation applied to names or numbers, as in Python.

    >>> call(ops.mul, ["x", -3.0]), call(ops.tanh, ["n"]), call(ops.gt, ["x", 0.0]), call(ops.logsumexp, ["a", "b"])
    ('x*(-3)', 'tanh(n)', '(x > 0)', 'logsumexp([a, b])')
    >>> call(ops.weighted_sum, ["b", "w1", "x1", "w2", "x2"]), call(ops.take, ["i", "a", "b"])
    ('b + w1*x1 + w2*x2', 'take([a, b], i)')
    """
    if len(operands) > MANY:
        first = operands[: 4 if op is ops.take else 3]
        return _applied(op, [_term(x) for x in (*first, "…", operands[-1])]).text
    terms = [_term(operand) for operand in operands]
    term: Any = None
    if op.operand_names is None:  # plain arithmetic reads better than a call
        try:
            term = op.value(*terms)
        except Exception:  # the function is written for floats and may raise anything on Terms
            term = None
    term = term if isinstance(term, Term) else _applied(op, terms)
    return term.within(SUM)


def _term(x: Any) -> Term:
    """Turns a name or a number into a Term."""
    if isinstance(x, Term):
        return x
    if isinstance(x, str):
        return Term(x)
    text = short(float(x))
    return Term(text, SIGN if text.startswith("-") else ATOM)


def _applied(op: Operation, terms: Sequence[Term]) -> Term:
    """Writes an operation: infix, prefix, `if … else`, or as a call."""
    if op.symbol in _INFIX and len(terms) == 2:
        return _infix(op.symbol, *terms)
    if op.symbol == "-" and len(terms) == 1:
        return Term(f"-{terms[0].within(POWER)}", SIGN)
    if op.symbol == "?:" and len(terms) == 3:
        condition, a, b = [term.within(COMPARISON) for term in terms]
        return Term(f"{a} if {condition} else {b}", TERNARY)
    if op is ops.take and terms:
        return Term(f"take([{', '.join([term.text for term in terms[1:]])}], {terms[0].text})")
    listed = ", ".join([term.text for term in terms])
    return Term(f"{op.name}([{listed}])" if op.operand_names is None else f"{op.name}({listed})")


def _infix(symbol: str, left: Term, right: Term) -> Term:
    sign, binding = _INFIX[symbol]
    before = left.within(binding + (symbol == "**"))
    if before.startswith("-") and right.text.startswith("-") and binding == PRODUCT:
        before = f"({before})"
    after = f"({right.text})" if right.text.startswith("-") else right.within(binding + (symbol != "**"))
    return Term(f"{before}{sign}{after}", binding)
