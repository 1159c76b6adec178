"""Writes the expressions of a function in JavaScript; `statements.py` writes what is around them, `calls.py` calls."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from types import FunctionType, ModuleType
from typing import Any

from chainrule.reading import tree
from chainrule.reading.source import stands_for
from chainrule.reading.text import python
from chainrule.see.javascript.kinds import (
    AND,
    ATOM,
    BIG,
    BOTH,
    CHOICE,
    EITHER,
    EQUAL,
    LESS,
    NOTHING,
    NUMBER,
    OR,
    PRODUCT,
    SHIFT,
    SIGN,
    SUM,
    TRUTH,
    WHOLE,
    XOR,
    Fixed,
    Kind,
    Known,
    NotWritten,
    Piece,
    Row,
    constant,
    converted,
    join,
    number,
    row_of,
    truth,
)

RANKS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "<<": SHIFT, ">>": SHIFT, "|": EITHER, "^": XOR, "&": BOTH}
FOLDED: dict[str, Callable[[Any, Any], Any]] = {
    **{"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow},
    **{"<<": operator.lshift, ">>": operator.rshift, "|": operator.or_, "^": operator.xor, "&": operator.and_},
}
"""Operators whose results are worked out where both sides are known."""

IN_PYTHON = {"/": "divided", "%": "modulo", "//": "wholes", "**": "power"}
"""Functions of python.js that raise what these operators raise."""

MOST_EXACT = 2**31
"""A product with a whole number of this size may be too large for a float to hold it exactly."""

ON_BITS = {"<<", ">>", "|", "^", "&"}


class Expressions:
    """A writer of the expressions of one function.

    Args:
        module: takes the other functions that this one needs.
        function: the function at hand, which knows what names stand for.
        kinds: the kinds of its arguments, by name.
    """

    def __init__(self, module: Any, function: FunctionType, kinds: dict[str, Kind]) -> None:
        self.module, self.function, self.kinds = module, function, dict(kinds)
        self.strict = module.raises_as_python(function)
        self.own: set[str] = set(kinds)
        self.whole_row = ""
        self.line = 0

    def refuse(self, words: str, line: int = 0) -> NotWritten:
        """Returns the error that says what the text has, and in which line."""
        return NotWritten(f"{words} (line {line or self.line} of {self.function.__code__.co_filename})")

    def write(self, node: tree.Expression) -> Piece:
        """Writes an expression."""
        return WRITERS[type(node)](self, node)

    def number(self, node: tree.Expression) -> Piece:
        """Writes an expression that has to be a number."""
        return number(self.write(node))

    def condition(self, node: tree.Expression) -> Piece:
        """Writes whether an expression is true."""
        match node:
            case tree.Logic(sign, parts):
                mark, rank = (" || ", OR) if sign == "or" else (" && ", AND)
                return Piece(mark.join([self.condition(part).at(rank + 1) for part in parts]), rank, TRUTH)
            case tree.Unary("not", operand):
                return Piece(f"!{self.condition(operand).at(ATOM)}", SIGN, TRUTH)
        return truth(self.write(node))

    def unread(self, node: tree.Unread) -> Piece:
        raise self.refuse(node.words, node.line)

    def star(self, node: tree.Star) -> Piece:
        raise self.refuse(repr(python(node)))

    # ---- names and constants ---------------------------------------------------------------------------------------

    def name(self, node: tree.Name) -> Piece:
        if node.name in self.own:
            kind = self.kinds.get(node.name, NUMBER)
            return Piece("" if isinstance(kind, Known) else self.module.variable(node.name), ATOM, kind)
        try:
            return self.thing(stands_for(self.function, node.name))
        except NameError:
            raise self.refuse(f"the name {node.name}, which stands for nothing") from None

    def thing(self, x: Any) -> Piece:
        """Writes an object that is at hand."""
        if x is None or isinstance(x, bool | int | float):
            return constant(float(x) if isinstance(x, float) else x)
        if isinstance(x, tuple | list) and x and all(type(each) in (int, float) for each in x):
            kind = NUMBER if any(type(each) is float for each in x) else WHOLE
            return Piece(self.module.row(x), ATOM, Row(kind), tuple(x))
        if hasattr(type(x), "_record"):
            raise self.refuse("a Value in place of a number")
        return Piece("", ATOM, Known(x))

    def constant(self, node: tree.Constant) -> Piece:
        if node.value is None or isinstance(node.value, bool | int | float):
            return constant(node.value)
        raise self.refuse(repr(node.value))

    def attribute(self, node: tree.Attribute) -> Piece:
        of = self.write(node.of)
        module = of.kind.thing if isinstance(of.kind, Known) else None
        if not isinstance(module, ModuleType) or not hasattr(module, node.name):
            raise self.refuse(repr(python(node)))
        return self.thing(getattr(module, node.name))

    # ---- operators -------------------------------------------------------------------------------------------------

    def unary(self, node: tree.Unary) -> Piece:
        if node.sign == "not":
            return self.condition(node)
        x = self.number(node.operand)
        if x.known is not None:
            return constant(-x.known if node.sign == "-" else x.known)
        if node.sign == "+":
            return x
        if x.kind == WHOLE:
            return Piece(f"0 - {x.at(PRODUCT)}", SUM, WHOLE)  # an int is never -0
        return Piece(f"-{x.at(ATOM)}", SIGN, NUMBER)

    def arithmetic(self, node: tree.Arithmetic) -> Piece:
        return self.combined(self.write(node.left), node.sign, self.write(node.right))

    def combined(self, a: Piece, sign: str, b: Piece) -> Piece:  # noqa: PLR0911 - a way for each kind of operands
        """Writes an operator between two expressions."""
        if a.known is not None and b.known is not None and sign in FOLDED and not isinstance(a.known, tuple):
            try:
                return constant(FOLDED[sign](a.known, b.known))
            except (ArithmeticError, TypeError, ValueError):
                pass  # JavaScript does at its time what Python does
        if sign == "+" and isinstance(a.kind, Row | Fixed) and isinstance(b.kind, Row | Fixed):
            return Piece(f"[...{a.text}, ...{b.text}]", ATOM, join(row_of(a.kind), row_of(b.kind)))
        if sign in ON_BITS:
            return self.of_integers(converted(a, BIG), sign, converted(b, BIG))
        if sign == "*" and a.kind == b.kind == WHOLE and max(abs(a.known or 0), abs(b.known or 0)) >= MOST_EXACT:
            a, b = converted(a, BIG), converted(b, BIG)
        if BIG in (a.kind, b.kind):
            if sign in ("%", "//", "**"):
                raise self.refuse(f"the operator {sign} on integers that may be large")
            if {a.kind, b.kind} <= {BIG, WHOLE} and sign in ("+", "-", "*"):
                return self.of_integers(converted(a, BIG), sign, converted(b, BIG))
            a, b = converted(a, NUMBER), converted(b, NUMBER)
        a, b = number(a), number(b)
        whole = WHOLE if a.kind == b.kind == WHOLE else NUMBER
        if sign in ("%", "//", "**") or (sign == "/" and self.strict and not b.known):
            kind = NUMBER if sign in ("/", "**") else whole
            self.module.needs(IN_PYTHON[sign])
            call = Piece(f"{IN_PYTHON[sign]}({a.text}, {b.text})", ATOM, kind)
            return Piece(f"{call.text} + 0", SUM, WHOLE) if kind == WHOLE else call
        rank = RANKS[sign]
        text = f"{a.at(rank)} {sign} {b.at(rank + 1)}"
        if sign == "*" and whole == WHOLE:
            return Piece(f"{text} + 0", SUM, WHOLE)  # an int is never -0
        return Piece(text, rank, NUMBER if sign == "/" else whole)

    def of_integers(self, a: Piece, sign: str, b: Piece) -> Piece:
        """Writes an operator between two integers of any size."""
        if not a.kind == b.kind == BIG:
            raise self.refuse(f"the operator {sign} between numbers that may not be whole")
        return Piece(f"{a.at(RANKS[sign])} {sign} {b.at(RANKS[sign] + 1)}", RANKS[sign], BIG)

    def logic(self, node: tree.Logic) -> Piece:
        """`a and b` is a where a is false, else b."""
        result = self.write(node.parts[0])
        for part in node.parts[1:]:
            other = self.write(part)
            if result.kind == other.kind == TRUTH:
                return self.condition(node)
            ways = (result, other) if node.sign == "or" else (other, result)
            result = self.either(truth(result), *ways)
        return result

    def choice(self, node: tree.Choice) -> Piece:
        return self.either(self.condition(node.condition), self.write(node.first), self.write(node.second))

    def either(self, condition: Piece, first: Piece, second: Piece) -> Piece:
        """Writes a choice."""
        kind = join(first.kind, second.kind)
        ways = [converted(way, kind) for way in (first, second)]
        return Piece(f"{condition.at(OR)} ? {ways[0].at(CHOICE)} : {ways[1].at(CHOICE)}", CHOICE, kind)

    def comparison(self, node: tree.Comparison) -> Piece:
        parts = list(map(self.write, node.parts))
        each = [self.compared(a, sign, b) for a, sign, b in zip(parts, node.signs, parts[1:], strict=False)]
        return each[0] if len(each) == 1 else Piece(" && ".join([x.at(AND + 1) for x in each]), AND, TRUTH)

    def compared(self, a: Piece, sign: str, b: Piece) -> Piece:
        if sign in ("is", "is not") or NOTHING in (a.kind, b.kind):
            if NOTHING not in (a.kind, b.kind) or sign not in ("is", "is not", "==", "!="):
                raise self.refuse(f"the comparison {sign!r}")
            sign = "==" if sign in ("is", "==") else "!="
            return Piece(f"{a.at(LESS)} {sign}= {b.at(LESS)}", EQUAL, TRUTH)
        a, b = [converted(x, WHOLE) if x.kind == TRUTH else x if x.kind == BIG else number(x) for x in (a, b)]
        rank = EQUAL if sign in ("==", "!=") else LESS
        exact = "=" if rank == EQUAL and a.kind != BIG != b.kind else ""  # == compares a BigInt with a number
        return Piece(f"{a.at(rank + 1)} {sign}{exact} {b.at(rank + 1)}", rank, TRUTH)

    # ---- lists -----------------------------------------------------------------------------------------------------

    def items(self, node: tree.Items) -> Piece:
        if any(isinstance(item, tree.Star) for item in node.items):
            return self.row(self.spread(node.items))
        pieces = list(map(self.write, node.items))
        if node.brackets == "[]":
            return self.row(pieces)
        return Piece(f"[{', '.join([x.text for x in pieces])}]", ATOM, Fixed(tuple([x.kind for x in pieces])))

    def spread(self, nodes: Sequence[tree.Expression]) -> list[Piece]:
        """Writes items, of which those with a star are lists; these are pieces whose text begins with three dots, or,
        where their length is known, as many pieces as they have items."""
        pieces: list[Piece] = []
        for node in nodes:
            x = self.write(node.of if isinstance(node, tree.Star) else node)
            if not isinstance(node, tree.Star):
                pieces.append(x)
            elif isinstance(x.kind, Fixed):
                pieces += [Piece(f"{x.at(ATOM)}[{i}]", ATOM, kind) for i, kind in enumerate(x.kind.items)]
            elif isinstance(x.kind, Row):
                pieces.append(Piece(f"...{x.text}", ATOM, x.kind))
            else:
                raise self.refuse(repr(python(node)))
        return pieces

    def row(self, pieces: Sequence[Piece]) -> Piece:
        """Writes a list of items, some of which may be spread lists."""
        item = None
        spread = [x.text.startswith("...") for x in pieces]
        for x, many in zip(pieces, spread, strict=True):
            item = join(item, x.kind.item if many else x.kind)
        if not any(spread):
            text = f"[{', '.join([converted(x, item).text for x in pieces])}]"
            fixed = item is not None and len({x.kind for x in pieces}) > 1 and item == BIG
            return Piece(text, ATOM, Fixed((BIG,) * len(pieces)) if fixed else Row(item))
        return Piece(f"[{', '.join([x.text for x in pieces])}]", ATOM, Row(item))

    def index(self, node: tree.Index) -> Piece:
        row = self.write(node.row)
        if isinstance(node.place, tree.Slice):
            return self.slice(row_piece(row, self), node.place)
        place = self.number(node.place)
        if isinstance(row.known, tuple) and isinstance(place.known, int) and place.known < len(row.known):
            return constant(row.known[place.known])
        if isinstance(row.kind, Fixed) and isinstance(place.known, int) and abs(place.known) < len(row.kind.items):
            at = place.known % len(row.kind.items)
            return Piece(f"{row.at(ATOM)}[{at}]", ATOM, row.kind.items[at])
        row = row_piece(row, self)
        if place.kind != WHOLE:
            raise self.refuse(repr(python(node)))
        if not self.strict:  # the table's own texts stay within their lists
            below = (not isinstance(node.place, tree.Name) and not isinstance(place.known, int)) or (
                place.known or 0
            ) < 0
            text = f"{row.at(ATOM)}.at({place.text})" if below else f"{row.at(ATOM)}[{place.text}]"
            return Piece(text, ATOM, row.kind.item or NUMBER)
        self.module.needs("item")
        return Piece(f"item({row.text}, {place.text})", ATOM, row.kind.item or NUMBER)

    def slice(self, row: Piece, place: tree.Slice) -> Piece:
        first, end, step = [None if x is None else self.number(x) for x in (place.first, place.end, place.step)]
        if step is None:
            given = ", ".join([x.text for x in (first or constant(0), end) if x is not None])
            return Piece(f"{row.at(ATOM)}.slice({given})", ATOM, row.kind)
        self.module.needs("slice")
        given = ", ".join(["null" if x is None else x.text for x in (first, end)])
        return Piece(f"slice({row.text}, {given}, {step.text})", ATOM, row.kind)

    def comprehension(self, node: tree.Comprehension) -> Piece:
        before, own = dict(self.kinds), set(self.own)
        text, kind = self.looped(node.loops, node.item)
        self.kinds, self.own = before, own
        return Piece(text, ATOM, Row(kind))

    def looped(self, loops: Sequence[tree.Loop], item: tree.Expression) -> tuple[str, Kind]:
        loop = loops[0]
        row = row_piece(self.write(loop.items), self)
        arguments = self.bound(loop.target, row.kind.item)
        text = row.at(ATOM)
        for condition in loop.conditions:
            text += f".filter({arguments} => {self.condition(condition).text})"
        if len(loops) > 1:
            inner, kind = self.looped(loops[1:], item)
            return f"{text}.flatMap({arguments} => {inner})", kind
        each = self.write(item)
        return f"{text}.map({arguments} => {each.at(CHOICE)})", each.kind

    def bound(self, target: tree.Target, kind: Kind) -> str:
        """Writes the target of a comprehension as an argument in brackets, and remembers the kinds of its names."""
        return f"({self.pattern(target, kind or NUMBER, afresh=True)})"

    def pattern(self, target: tree.Target, kind: Kind, *, afresh: bool = False) -> str:
        """Writes the target of an assignment, and remembers the kinds of its names."""
        match target:
            case tree.Name(name):
                self.own.add(name)
                self.kinds[name] = kind if afresh else join(self.kinds.get(name), kind)
                return str(self.module.variable(name))
            case tree.Targets(targets) if isinstance(kind, Row | Fixed):
                return f"[{', '.join(self.patterns(targets, kind, afresh))}]"
            case tree.Unread():
                raise self.refuse(target.words)
        raise self.refuse(f"an assignment to {python(target)}")

    def patterns(self, targets: Sequence[tree.Target], kind: Row | Fixed, afresh: bool) -> list[str]:
        """Writes the targets that the items of a list are assigned to."""
        texts = []
        for i, one in enumerate(targets):
            if isinstance(one, tree.Star):
                if i < len(targets) - 1:
                    raise self.refuse(f"names behind {python(one)}")
                rest = Row(row_of(Fixed(kind.items[i:])).item if isinstance(kind, Fixed) else kind.item)
                texts.append(f"...{self.pattern(one.of, rest, afresh=afresh)}")
            else:
                if isinstance(kind, Fixed) and i >= len(kind.items):
                    raise self.refuse(f"{len(kind.items)} items for {len(targets)} names")
                each = kind.items[i] if isinstance(kind, Fixed) else kind.item
                texts.append(self.pattern(one, each or NUMBER, afresh=afresh))
        return texts

    def call(self, node: tree.Call) -> Piece:
        """Writes a call."""
        raise NotImplementedError


def row_piece(x: Piece, writer: Expressions) -> Piece:
    """Returns a list, with one kind for all of its items.

    Raises:
        NotWritten: it is something else.
    """
    if not isinstance(x.kind, Row | Fixed):
        raise writer.refuse(f"{x.text or 'an object'} in place of a list")
    return Piece(x.text, x.rank, row_of(x.kind), x.known)


WRITERS: dict[type, Callable[[Any, Any], Piece]] = {
    tree.Constant: Expressions.constant,
    tree.Name: Expressions.name,
    tree.Attribute: Expressions.attribute,
    tree.Items: Expressions.items,
    tree.Comprehension: Expressions.comprehension,
    tree.Index: Expressions.index,
    tree.Unary: Expressions.unary,
    tree.Arithmetic: Expressions.arithmetic,
    tree.Logic: Expressions.logic,
    tree.Comparison: Expressions.comparison,
    tree.Choice: Expressions.choice,
    tree.Call: lambda writer, node: writer.call(node),
    tree.Star: Expressions.star,
    tree.Unread: Expressions.unread,
}
"""The method that writes each kind of expression."""
