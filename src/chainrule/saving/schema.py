"""What a document must look like: JSON that is read without surprises, and schemas that it is held against as a whole.

A schema is made of kinds. Each looks at a piece of a document and complains of the first fault, with the way to it:

>>> point = Record({"x": Number(), "name": Text()}, optional={"tags": ListOf(Text())})
>>> check(point, {"x": 1.5, "name": "a"})
>>> check(point, {"x": 1.5, "name": "a", "tags": ["b", None]})
Traceback (most recent call last):
chainrule.saving.schema.SchemaError: tags[1] must be text, not None
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.errors import shown

DEEPEST = 60
"""On so many levels the lists and tables of a document may lie."""
MOST_PARTS = 30_000_000
MOST_DIGITS = 400
"""An integer has no more: no float is larger."""


class SchemaError(ValueError):
    """A document is not what its schema says; the message has the way to the place, and what should be there."""


class Kind:
    """What a piece of a document is."""

    words = ""

    def check(self, x: Any, path: str) -> None:
        """Sees that `x`, which stands at `path`, is of this kind.

        Raises:
            SchemaError: it is not.
        """
        raise NotImplementedError

    def refuse(self, x: Any, path: str) -> SchemaError:
        return SchemaError(f"{path or 'the document'} must be {self.words}, not {shown(x)}")


@dataclass(frozen=True)
class Number(Kind):
    """A finite number, which a float can hold."""

    least: float = -sys.float_info.max
    words = "a finite number"

    def check(self, x: Any, path: str) -> None:
        if type(x) not in (float, int) or not self.least <= x <= sys.float_info.max:
            raise self.refuse(x, path)


def _span(kind: Whole | ListOf) -> str:
    return f"{kind.least}" if kind.most == kind.least else f"{kind.least} to {kind.most}"


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number within bounds."""

    least: int
    most: int = 2**53

    @property
    def words(self) -> str:  # type: ignore[override]
        return f"the whole number {self.least}" if self.most == self.least else f"a whole number from {_span(self)}"

    def check(self, x: Any, path: str) -> None:
        if type(x) is not int or not self.least <= x <= self.most:
            raise self.refuse(x, path)


@dataclass(frozen=True)
class Flag(Kind):
    """True or false."""

    words = "true or false"

    def check(self, x: Any, path: str) -> None:
        if type(x) is not bool:
            raise self.refuse(x, path)


@dataclass(frozen=True)
class Text(Kind):
    """Text of a length that a name may have; `pattern` says more about it."""

    longest: int = 10_000
    pattern: str = ""

    @property
    def words(self) -> str:  # type: ignore[override]
        return f"text of the form {self.pattern}" if self.pattern else "text"

    def check(self, x: Any, path: str) -> None:
        if type(x) is not str or not re.fullmatch(self.pattern or r"(?s:.*)", x):
            raise self.refuse(x, path)
        if len(x) > self.longest:
            raise SchemaError(f"{path} must be text of at most {self.longest} letters, but has {len(x)}")


@dataclass(frozen=True)
class Anything(Kind):
    """Whatever JSON can hold."""

    def check(self, x: Any, path: str) -> None:
        pass


@dataclass(frozen=True)
class Maybe(Kind):
    """Something, or null."""

    kind: Kind

    def check(self, x: Any, path: str) -> None:
        if x is not None:
            self.kind.check(x, path)


@dataclass(frozen=True)
class ListOf(Kind):
    """A list of things of one kind."""

    kind: Kind
    least: int = 0
    most: int | None = None

    @property
    def words(self) -> str:  # type: ignore[override]
        if self.most is None:
            return f"a list of {self.least} or more" if self.least else "a list"
        return f"a list of {_span(self)}"

    def check(self, x: Any, path: str) -> None:
        if type(x) is not list or len(x) < self.least or (self.most is not None and len(x) > self.most):
            raise self.refuse(x, path)
        for i, part in enumerate(x):
            self.kind.check(part, f"{path}[{i}]")


@dataclass(frozen=True)
class Row(Kind):
    """A list with a thing of its own kind in each place."""

    kinds: tuple[Kind, ...]

    @property
    def words(self) -> str:  # type: ignore[override]
        return f"a list of {len(self.kinds)}"

    def check(self, x: Any, path: str) -> None:
        if type(x) is not list or len(x) != len(self.kinds):
            raise self.refuse(x, path)
        for i, (kind, part) in enumerate(zip(self.kinds, x, strict=True)):
            kind.check(part, f"{path}[{i}]")


@dataclass(frozen=True)
class TableOf(Kind):
    """A table: things of one kind by name."""

    kind: Kind
    words = "a table"

    def check(self, x: Any, path: str) -> None:
        if type(x) is not dict:
            raise self.refuse(x, path)
        for name, part in x.items():
            self.kind.check(part, _below(path, name))


@dataclass(frozen=True)
class Record(Kind):
    """A table with these names and no others, unless `others` says what they are."""

    kinds: Mapping[str, Kind]
    optional: Mapping[str, Kind] = field(default_factory=dict)
    others: Kind | None = None

    @property
    def words(self) -> str:  # type: ignore[override]
        return f"a table with {', '.join(self.kinds)}"

    def check(self, x: Any, path: str) -> None:
        if type(x) is not dict:
            raise self.refuse(x, path)
        for name in self.kinds:
            if name not in x:
                raise SchemaError(f"{path or 'the document'} must have {', '.join(self.kinds)}, but lacks {name}")
        for name, part in x.items():
            kind = self.kinds.get(name) or self.optional.get(name) or self.others
            if kind is None:
                known = ", ".join([*self.kinds, *self.optional])
                raise SchemaError(f"{path or 'the document'} must have {known} and nothing else, but has {shown(name)}")
            kind.check(part, _below(path, name))


def check(kind: Kind, document: Any) -> None:
    """Holds a document against a schema.

    Raises:
        SchemaError: it is something else; the message names the first place.
    """
    kind.check(document, "")


def _below(path: str, name: str) -> str:
    step = name if re.fullmatch(r"[\w.]{1,80}", name, re.ASCII) else f"[{shown(name)}]"
    return f"{path}.{step}" if path and not step.startswith("[") else f"{path}{step}"


# ---- JSON without surprises ---------------------------------------------------------------------------------------


def parse(text: str) -> Any:
    """The document that a text is in JSON.

    Raises:
        SchemaError: it is none, or one with what no document of ours has: NaN, a number that no float holds, a name
            twice in one table, half a surrogate pair, or lists within lists without end.

    >>> parse('{"a": [1, 2.5], "a": 1}')
    Traceback (most recent call last):
    chainrule.saving.schema.SchemaError: the name 'a' stands twice in one table
    """
    if sys.getrecursionlimit() > 10_000 and _depth(text) > DEEPEST:
        raise SchemaError(f"it is nested more than {DEEPEST} deep")
    try:
        document = json.loads(text, object_pairs_hook=_table, parse_constant=_no_constant, parse_int=_integer)
    except RecursionError:
        raise SchemaError(f"it is nested more than {DEEPEST} deep") from None
    except json.JSONDecodeError as error:
        raise SchemaError(f"it cannot be read as JSON ({error})") from None
    check_plain(document)
    return document


def check_plain(document: Any) -> None:
    """Sees that something, made of Python's own lists and dicts, is a document that can be written and read again.

    Raises:
        SchemaError: it holds what JSON cannot hold or would change in silence.
    """
    level: dict[int, tuple[Any, int]] = {0: ([document], 1)}  # lists and tables, and how many ways lead to each
    parts = 0
    for _ in range(DEEPEST + 1):
        below: dict[int, tuple[Any, int]] = {}
        for whole, ways in level.values():
            if isinstance(whole, dict):
                _check_names(whole)
            parts += ways * len(whole)
            if parts > MOST_PARTS:  # where a list stands twice in each of many others, all of 2ⁿ would be written
                raise SchemaError(f"more than {MOST_PARTS:,} parts")
            for x in whole.values() if isinstance(whole, dict) else whole:
                if isinstance(x, float):
                    if not math.isfinite(x):
                        raise SchemaError(f"{x} is no finite number")
                elif isinstance(x, dict | list | tuple):
                    below[id(x)] = x, ways + below.get(id(x), (x, 0))[1]
                else:
                    _check_single(x)
        if not below:
            return
        level = below
    raise SchemaError(f"a list or table that holds itself, or is nested more than {DEEPEST} deep")


def _check_single(x: Any) -> None:
    if isinstance(x, str):
        _check_letters(x)
    elif x is not None and not isinstance(x, int):
        raise SchemaError(f"Object of type {type(x).__name__} is not JSON serializable")
    elif x is not None and abs(x) >= 10**MOST_DIGITS:
        raise SchemaError(f"an integer of more than {MOST_DIGITS} digits, which no float holds")


def _check_names(table: dict[Any, Any]) -> None:
    names = {name if isinstance(name, str) else _name(name) for name in table}
    if len(names) != len(table):
        raise SchemaError("two names in one table are the same as text, such as 1 and '1'")
    for name in names:
        _check_letters(name)


def _name(key: Any) -> str:
    """What JSON makes of a key."""
    if not isinstance(key, int | float | None):
        raise SchemaError(f"keys must be str, int, float, bool or None, not {type(key).__name__}")
    return json.dumps(key)


def _check_letters(text: str) -> None:
    if not text.isascii() and re.search("[\ud800-\udfff]", text):
        raise SchemaError(f"the text {shown(text)} holds half of a surrogate pair, which is no letter")


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        twice, _ = Counter([name for name, _ in pairs]).most_common(1)[0]
        raise SchemaError(f"the name {shown(twice)} stands twice in one table")
    return table


def _no_constant(name: str) -> Any:
    raise SchemaError(f"{name} is no finite number")


def _integer(digits: str) -> int:
    if (count := len(digits.lstrip("-"))) > MOST_DIGITS:
        raise SchemaError(f"an integer of {count} digits, which no float holds")
    return int(digits)


def _depth(text: str) -> int:
    """On how many levels the lists and tables of a JSON text lie."""
    depth = deepest = 0
    for mark in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text):
        letter = mark.group()[0]
        depth += (letter in "[{") - (letter in "]}")
        deepest = max(deepest, depth)
    return deepest
