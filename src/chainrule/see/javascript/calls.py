"""Writes calls in JavaScript: of operations, of functions at hand, of Python's own functions and of those of `math`."""

from __future__ import annotations

import builtins
import inspect
import math
import sys
from collections.abc import Iterable, Sequence
from types import FunctionType
from typing import Any

from chainrule.core.operation import Operation, ieee
from chainrule.reading import tree
from chainrule.reading.functions import of_math
from chainrule.reading.text import python
from chainrule.see.javascript.expressions import Expressions, row_piece
from chainrule.see.javascript.kinds import (
    ATOM,
    CHOICE,
    NUMBER,
    SUM,
    TRUTH,
    WHOLE,
    Fixed,
    Known,
    Piece,
    Row,
    constant,
    converted,
    join,
    number,
    truth,
)

KINDS_OF_TYPES: dict[Any, tuple[Any, ...]] = {float: (NUMBER,), int: (WHOLE, TRUTH), bool: (TRUTH,)}


class Calls(Expressions):
    """A writer of expressions with calls."""

    def call(self, node: tree.Call) -> Piece:
        if isinstance(node.function, tree.Attribute) and isinstance(node.function.of, tree.Name | tree.Items):
            method = self.method(node)
            if method:
                return method
        function = self.write(node.function)
        if not isinstance(function.kind, Known):
            raise self.refuse(f"a call of {python(node.function)}")
        thing = function.kind.thing
        if isinstance(thing, Operation) and thing.takes_lists and self.is_whole_row(node):
            self.module.needs("once")
            name, kind = self.module.value(thing)
            return Piece(f"once({name}, {self.module.variable(self.whole_row)})", ATOM, kind)
        named = {name: self.write(x) for name, x in node.named}
        return self.called(thing, self.spread(node.arguments), named)

    def is_whole_row(self, node: tree.Call) -> bool:
        """Returns whether a local derivative asks an operation for what it makes of all operands."""
        return self.whole_row != "" and node.arguments == (tree.Name(self.whole_row),) and not node.named

    def called(self, thing: Any, given: Sequence[Piece], named: dict[str, Piece]) -> Piece:
        """Writes a call of an object with these arguments."""
        if isinstance(thing, Operation):
            return self.operation(thing, given, named)
        if thing is ieee and len(given) == 2 and isinstance(given[0].kind, Known) and not named:
            return self.in_ieee(given[0].kind.thing, given[1])
        if isinstance(thing, FunctionType):
            return self.function_at_hand(thing, given, named)
        if getattr(thing, "__module__", "") == "math" and not named:
            return self.of_math(thing.__name__, given)
        name = getattr(thing, "__name__", repr(thing))
        if isinstance(thing, type) or thing is getattr(builtins, name, None):
            return self.of_python(name, given, named)
        raise self.refuse(f"a call of {name}")

    def method(self, node: tree.Call) -> Piece | None:
        """Writes a call of a method of a list; None if that is none."""
        assert isinstance(node.function, tree.Attribute)
        of = self.write(node.function.of)
        if not isinstance(of.kind, Row):
            return None
        match node.function.name, node.arguments, node.function.of:
            case "pop", (), _:
                return Piece(f"{of.at(ATOM)}.pop()", ATOM, of.kind.item or NUMBER)
            case "append", (one,), tree.Name(name):
                x = self.write(one)
                self.kinds[name] = Row(join(of.kind.item, x.kind))
                return Piece(f"{of.at(ATOM)}.push({x.text})", ATOM, WHOLE)
        raise self.refuse(repr(python(node)))

    # ---- functions -------------------------------------------------------------------------------------------------

    def operation(self, op: Operation, given: Sequence[Piece], named: dict[str, Piece]) -> Piece:
        """Writes the value of an operation."""
        if op.takes_lists:
            self.module.guessed[op._pack] = Row(NUMBER)
            row = row_piece(self.function_at_hand(op._pack, given, named), self)
            name, kind = self.module.value(op)
            return Piece(f"{name}({row.text})", ATOM, kind)
        spread = any(x.text.startswith("...") for x in given)
        if op.operand_names is None:
            name, kind = self.module.value(op)
            return Piece(f"{name}({self.row(given).text})", ATOM, kind)
        if spread:
            raise self.refuse(f"a call of {op.name} with a list")
        arguments = op._bind(tuple(given), named)[0]
        numbers = [number(x if isinstance(x, Piece) else constant(x)) for x in arguments]
        name, kind = self.module.value(op)
        return Piece(f"{name}({', '.join([x.text for x in numbers])})", ATOM, kind)

    def function_at_hand(self, function: Any, given: Sequence[Piece], named: dict[str, Piece]) -> Piece:
        """Writes a call of a function written in Python."""
        if function in (list, tuple):
            return self.of_python("list", given, named)
        if not isinstance(function, FunctionType):
            raise self.refuse(f"a call of a {type(function).__name__}, of which there is no text")
        code = function.__code__
        star = bool(code.co_flags & inspect.CO_VARARGS)
        if any(x.text.startswith("...") for x in given[: code.co_argcount if star else None]):
            raise self.refuse(f"a call of {function.__name__} with a list")
        rest = self.row(given[code.co_argcount :]) if star else None
        try:
            bound = inspect.signature(function).bind(*given[: code.co_argcount if star else None], **named)
        except TypeError as error:
            raise self.refuse(f"a call of {function.__name__}: {error}") from None
        bound.apply_defaults()
        pieces = {name: x if isinstance(x, Piece) else self.thing(x) for name, x in bound.arguments.items() if x != ()}
        if rest is not None:
            row = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
            pieces[row] = rest
        name, kind = self.module.function(function, {name: x.kind for name, x in pieces.items()})
        texts = [x.text for x in pieces.values() if not isinstance(x.kind, Known)]
        return Piece(f"{name}({', '.join(texts)})", ATOM, kind)

    # ---- functions of math -----------------------------------------------------------------------------------------

    def of_math(self, name: str, given: Sequence[Piece]) -> Piece:
        """Writes a call of a function of `math`."""
        entry = of_math(name)
        if not entry.javascript or (entry.operands != len(given) and entry.operands >= 0 and name != "hypot"):
            raise self.refuse(f"math.{name} of {len(given)} numbers")
        if entry.operands < 0 and name == "fsum":
            return Piece(self.in_module(entry.javascript, [row_piece(given[0], self).text]), ATOM, NUMBER)
        texts = [x.text if x.text.startswith("...") else number(x).text for x in given]
        text = self.in_module(entry.javascript, texts)
        if entry.llvm == "test":
            return Piece(text, ATOM, TRUTH)
        if entry.llvm == "whole":
            if self.strict:
                text = self.in_module("whole", [text])
            return Piece(f"{text} + 0", SUM, WHOLE)
        if self.strict:
            pole = "ValueError: math domain error" if entry.infinite != math.inf and entry.infinite is not None else ""
            text = self.in_module("checked", [f'"{pole or "OverflowError: math range error"}"', text, *texts])
        return Piece(text, ATOM, NUMBER)

    def in_module(self, name: str, texts: Sequence[str]) -> str:
        """Writes a call of a function of JavaScript's, or of those that a page gets."""
        if "." not in name:
            self.module.needs(name)
        return f"{name}({', '.join(texts)})"

    def in_ieee(self, function: Any, x: Piece) -> Piece:
        """Writes a call of a function of `math` that gives IEEE's result where Python raises."""
        entry = of_math(getattr(function, "__name__", ""))
        module = getattr(function, "__module__", "")
        if module != "math" or not entry.javascript or entry.operands != 1 or entry.llvm in ("whole", "test"):
            raise self.refuse(f"ieee of {getattr(function, '__name__', function)}")
        text = self.in_module(entry.javascript, [number(x).text])
        if entry.infinite is not None:
            text = self.in_module("ieee", [text, number(x).text, constant(entry.infinite).text])
        return Piece(text, ATOM, NUMBER)

    # ---- Python's own functions ------------------------------------------------------------------------------------

    def of_python(self, name: str, given: Sequence[Piece], named: dict[str, Piece]) -> Piece:
        """Writes a call of one of Python's own functions."""
        write = getattr(self, f"_{name}", None)
        named = {} if name == "zip" else named
        if write is None or named or any(x.text.startswith("...") for x in given):
            raise self.refuse(f"a call of {name}")
        try:
            piece: Piece = write(*given)
        except TypeError:
            raise self.refuse(f"a call of {name} with {len(given)} arguments") from None
        return piece

    def _len(self, row: Piece) -> Piece:
        if isinstance(row.kind, Fixed):
            return constant(len(row.kind.items))
        return Piece(f"{row_piece(row, self).at(ATOM)}.length", ATOM, WHOLE)

    def _range(self, first: Piece, end: Piece | None = None, step: Piece | None = None) -> Piece:
        start, to = (constant(0), first) if end is None else (first, end)
        texts = [number(x).text for x in (start, to, step or constant(1))]
        return Piece(self.in_module("range", texts), ATOM, Row(WHOLE))

    def _list(self, row: Piece | None = None) -> Piece:
        return Piece("[]", ATOM, Row(None)) if row is None else self._copy(row)

    def _copy(self, row: Piece) -> Piece:
        return Piece(f"[...{row_piece(row, self).text}]", ATOM, row_piece(row, self).kind)

    _tuple = _list

    def _reversed(self, row: Piece) -> Piece:
        return Piece(f"{self._copy(row).text}.reverse()", ATOM, row_piece(row, self).kind)

    def _sorted(self, row: Piece) -> Piece:
        return Piece(self.in_module("sorted", [row.text]), ATOM, row_piece(row, self).kind)

    def _zip(self, *rows: Piece) -> Piece:
        kinds = tuple([row_piece(row, self).kind.item or NUMBER for row in rows])
        return Piece(self.in_module("zip", [row.text for row in rows]), ATOM, Row(Fixed(kinds)))

    def _enumerate(self, row: Piece, start: Piece | None = None) -> Piece:
        kind = row_piece(row, self).kind.item or NUMBER
        at = "i" if start is None else f"i + {number(start).at(SUM + 1)}"
        return Piece(f"{row.at(ATOM)}.map((x, i) => [{at}, x])", ATOM, Row(Fixed((WHOLE, kind))))

    def _map(self, function: Piece, row: Piece) -> Piece:
        if not isinstance(function.kind, Known):
            raise self.refuse("a call of map")
        items = row_piece(row, self)
        each = self.called(function.kind.thing, [Piece("x$", ATOM, items.kind.item or NUMBER)], {})
        return Piece(f"{items.at(ATOM)}.map((x$) => {each.at(CHOICE)})", ATOM, Row(each.kind))

    def _any(self, row: Piece) -> Piece:
        return self._some("some", row)

    def _all(self, row: Piece) -> Piece:
        return self._some("every", row)

    def _some(self, method: str, row: Piece) -> Piece:
        items = row_piece(row, self)
        test = truth(Piece("x$", ATOM, items.kind.item or NUMBER)).text
        return Piece(f"{items.at(ATOM)}.{method}((x$) => {test})", ATOM, TRUTH)

    def _sum(self, row: Piece, start: Piece | None = None) -> Piece:
        items, first = row_piece(row, self), number(start or constant(0))
        kind = WHOLE if items.kind.item in (None, WHOLE, TRUTH) and first.kind == WHOLE else NUMBER
        adds = "compensated" if kind == NUMBER and sys.version_info >= (3, 12) else "summed"
        return Piece(self.in_module(adds, [items.text, first.text]), ATOM, kind)

    def _max(self, *given: Piece) -> Piece:
        return self._extreme("most", given)

    def _min(self, *given: Piece) -> Piece:
        return self._extreme("least", given)

    def _extreme(self, name: str, given: Sequence[Piece]) -> Piece:
        row = row_piece(given[0], self) if len(given) == 1 else self.row([number(x) for x in given])
        return Piece(self.in_module(name, [row.text]), ATOM, row_piece(row, self).kind.item or NUMBER)

    def _abs(self, x: Piece) -> Piece:
        return Piece(f"Math.abs({number(x).text})", ATOM, number(x).kind)

    def _float(self, x: Piece) -> Piece:
        return converted(number(x), NUMBER)

    def _int(self, x: Piece) -> Piece:
        if x.kind == WHOLE:
            return x
        inside = number(x).text
        return Piece(self.in_module("whole", [inside]), ATOM, WHOLE)

    def _bool(self, x: Piece) -> Piece:
        return truth(x)

    def _round(self, x: Piece) -> Piece:
        return Piece(self.in_module("rounded", [number(x).text]), ATOM, WHOLE)

    def _pow(self, a: Piece, b: Piece) -> Piece:
        return self.combined(a, "**", b)

    def _isinstance(self, x: Piece, of: Piece) -> Piece:
        kind = of.kind.thing if isinstance(of.kind, Known) else None
        if kind is Iterable or kind is Sequence:
            return constant(isinstance(x.kind, Row | Fixed))
        if kind in KINDS_OF_TYPES and isinstance(x.kind, str):
            return constant(x.kind in KINDS_OF_TYPES[kind])
        raise self.refuse("a call of isinstance")
