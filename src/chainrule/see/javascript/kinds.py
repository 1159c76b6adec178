"""What an expression is in JavaScript: its text, and which kind of Python's objects it stands for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

NUMBER, WHOLE, BIG, TRUTH, NOTHING = "number", "whole", "big", "truth", "nothing"
"""A float; an int; an int that operators on bits made, a BigInt in JavaScript; a bool; None."""


@dataclass(frozen=True)
class Row:
    """A list, or a tuple of whatever length, whose items are of one kind; None for an empty one."""

    item: Any


@dataclass(frozen=True)
class Fixed:
    """A tuple of known length."""

    items: tuple


class Known:
    """An object that is no number, such as a function; the same only as itself."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)


Kind = Any
"""One of the words above, a Row, a Fixed, or a Known."""


class NotWritten(Exception):  # noqa: N818
    """Raised for a text that JavaScript has no equivalent of; the message says what it has."""


def join(a: Kind, b: Kind) -> Kind:
    """Returns the kind of what may be of either of two kinds; None stands for one that is not known yet.

    Raises:
        NotWritten: nothing is of both.

    >>> join(WHOLE, NUMBER), join(Row(None), Row(TRUTH)), join(NOTHING, NUMBER)
    ('number', Row(item='truth'), 'number')
    """
    if a == b or b in (None, NOTHING):
        return a if b is None or a is not None else b
    if a in (None, NOTHING):
        return b
    if isinstance(a, Row) and isinstance(b, Row):
        return Row(join(a.item, b.item))
    if isinstance(a, Fixed) and isinstance(b, Fixed) and len(a.items) == len(b.items):
        return Fixed(tuple(map(join, a.items, b.items)))
    if isinstance(a, Row | Fixed) and isinstance(b, Row | Fixed):
        return join(row_of(a), row_of(b))
    if isinstance(a, str) and isinstance(b, str):
        return BIG if {a, b} == {WHOLE, BIG} else NUMBER
    raise NotWritten("a name that stands for several kinds of things")


def row_of(kind: Kind) -> Row:
    """Returns a tuple of known length as a Row."""
    if isinstance(kind, Row):
        return kind
    item = None
    for each in kind.items:
        item = join(item, each)
    return Row(item)


CHOICE, OR, AND, EITHER, XOR, BOTH, EQUAL, LESS, SHIFT, SUM, PRODUCT, SIGN, ATOM = range(13)
"""Precedences of JavaScript, lowest first."""


@dataclass(frozen=True)
class Piece:
    """An expression in JavaScript.

    Attributes:
        text: its text.
        rank: its precedence.
        kind: what it stands for.
        known: its number, if that is known.
    """

    text: str
    rank: int
    kind: Kind
    known: Any = None

    def at(self, rank: int) -> str:
        """Its text, in brackets if its precedence is lower than its place needs."""
        return self.text if self.rank >= rank else f"({self.text})"


def constant(x: Any) -> Piece:
    """Returns a number, a truth or None of Python's.

    >>> constant(-0.0).text, constant(2.0).text, constant(float("inf")).text, constant(True).text
    ('-0', '2', 'Infinity', 'true')
    """
    if x is None:
        return Piece("null", ATOM, NOTHING)
    if isinstance(x, bool):
        return Piece("true" if x else "false", ATOM, TRUTH)
    kind = WHOLE if isinstance(x, int) else NUMBER
    try:
        number = float(x)
    except OverflowError:
        raise NotWritten(f"the number {x:.3e}, which is too large") from None
    size = abs(number)
    text = "NaN" if math.isnan(number) else "Infinity" if math.isinf(number) else repr(size).removesuffix(".0")
    below = math.copysign(1.0, number) < 0 and not math.isnan(number)
    return Piece(f"-{text}" if below else text, SIGN if below else ATOM, kind, x if kind == WHOLE else number)


def converted(x: Piece, kind: Kind) -> Piece:
    """Returns an expression as one of another kind, which `join` made of its own and others.

    Raises:
        NotWritten: it cannot be one.
    """
    if x.kind in (kind, NOTHING) or kind is None:
        return x
    if kind == BIG and x.kind == WHOLE:
        whole = isinstance(x.known, int)
        return Piece(f"{x.known}n", ATOM if x.known >= 0 else SIGN, BIG) if whole else _called("BigInt", x, BIG)
    if kind in (NUMBER, WHOLE, BIG) and x.kind in (TRUTH, BIG):
        return _called("Number" if kind != BIG else "BigInt", x, kind)
    if kind == NUMBER and x.kind == WHOLE:
        return Piece(x.text, x.rank, NUMBER, x.known)
    if isinstance(kind, Row) and isinstance(x.kind, Row | Fixed) and _same_text(row_of(x.kind).item, kind.item):
        return Piece(x.text, x.rank, kind)
    if isinstance(kind, Fixed) and isinstance(x.kind, Fixed) and all(map(_same_text, x.kind.items, kind.items)):
        return Piece(x.text, x.rank, kind)
    raise NotWritten("several kinds of things in one place")


def _same_text(a: Kind, b: Kind) -> bool:
    return a is None or a == b or {a, b} <= {NUMBER, WHOLE}


def _called(name: str, x: Piece, kind: Kind) -> Piece:
    return Piece(f"{name}({x.text})", ATOM, kind)


def number(x: Piece) -> Piece:
    """Returns an expression as a number, of which a whole one stays whole.

    Raises:
        NotWritten: it is something else.
    """
    if x.kind in (NUMBER, WHOLE):
        return x
    if x.kind in (TRUTH, BIG):
        return converted(x, WHOLE)
    raise NotWritten(f"{x.text or 'a function'} in place of a number")


def truth(x: Piece) -> Piece:
    """Returns whether Python takes something for true: a number unless it is 0, nan included."""
    if x.kind == TRUTH:
        return x
    if x.kind in (NUMBER, WHOLE, BIG):
        return Piece(f"{x.at(EQUAL)} !== 0{'n' if x.kind == BIG else ''}", EQUAL, TRUTH)
    if isinstance(x.kind, Row | Fixed):
        return Piece(f"{x.at(ATOM)}.length > 0", LESS, TRUTH)
    return Piece("false" if x.kind == NOTHING else "true", ATOM, TRUTH)
