"""Schemas for documents, and a JSON parser that refuses what is ambiguous.

A schema consists of kinds. Each checks a part of a document and reports the first fault, with the path to it:

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
"""The deepest nesting of the lists and tables of a document."""
MOST_PARTS = 30_000_000
MOST_DIGITS = 400
"""An integer has at most so many digits: no float is larger."""


class SchemaError(ValueError):
    """A document does not match its schema; the message has the path to the fault, and what should be there."""


class Kind:
    """The kind of a part of a document."""

    words = ""

    def check(self, x: Any, path: str) -> None:
        """Checks that `x`, at `path`, is of this kind.

        Raises:
            SchemaError: it is not.
        """
        raise NotImplementedError

    def refuse(self, x: Any, path: str) -> SchemaError:
        return SchemaError(f"{path or 'the document'} must be {self.words}, not {shown(x)}")


@dataclass(frozen=True)
class Number(Kind):
    """A finite number that a float can hold."""

    minimum: float = -sys.float_info.max
    words = "a finite number"

    def check(self, x: Any, path: str) -> None:
        if type(x) not in (float, int) or not self.minimum <= x <= sys.float_info.max:
            raise self.refuse(x, path)


def _span(kind: Integer | ListOf) -> str:
    return f"{kind.minimum}" if kind.maximum == kind.minimum else f"{kind.minimum} to {kind.maximum}"


@dataclass(frozen=True)
class Integer(Kind):
    """An integer within bounds."""

    minimum: int
    maximum: int = 2**53

    @property
    def words(self) -> str:  # type: ignore[override]
        exact = self.minimum == self.maximum
        return f"the whole number {self.minimum}" if exact else f"a whole number from {_span(self)}"

    def check(self, x: Any, path: str) -> None:
        if type(x) is not int or not self.minimum <= x <= self.maximum:
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
    """Text of limited length; `pattern` restricts it further."""

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
    """Any JSON value."""

    def check(self, x: Any, path: str) -> None:
        pass


@dataclass(frozen=True)
class Nullable(Kind):
    """A value of a kind, or null."""

    kind: Kind

    def check(self, x: Any, path: str) -> None:
        if x is not None:
            self.kind.check(x, path)


@dataclass(frozen=True)
class ListOf(Kind):
    """A list of values of one kind."""

    kind: Kind
    minimum: int = 0
    maximum: int | None = None

    @property
    def words(self) -> str:  # type: ignore[override]
        if self.maximum is None:
            return f"a list of {self.minimum} or more" if self.minimum else "a list"
        return f"a list of {_span(self)}"

    def check(self, x: Any, path: str) -> None:
        if type(x) is not list or len(x) < self.minimum or (self.maximum is not None and len(x) > self.maximum):
            raise self.refuse(x, path)
        for i, part in enumerate(x):
            self.kind.check(part, f"{path}[{i}]")


@dataclass(frozen=True)
class TupleOf(Kind):
    """A list with a kind for each place."""

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
class MapOf(Kind):
    """A JSON object whose values are of one kind."""

    kind: Kind
    words = "a table"

    def check(self, x: Any, path: str) -> None:
        if type(x) is not dict:
            raise self.refuse(x, path)
        for name, part in x.items():
            self.kind.check(part, _below(path, name))


@dataclass(frozen=True)
class Record(Kind):
    """A JSON object with these names and no others, unless `others` gives a kind for them.

    >>> check(Record({"size": Integer(1, 10)}), {"size": 11})
    Traceback (most recent call last):
    chainrule.saving.schema.SchemaError: size must be a whole number from 1 to 10, not 11
    """

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
    """Checks a document by a schema.

    Raises:
        SchemaError: it does not match; the message names the first fault.
    """
    kind.check(document, "")


def _below(path: str, name: str) -> str:
    step = name if re.fullmatch(r"[\w.]{1,80}", name, re.ASCII) else f"[{shown(name)}]"
    return f"{path}.{step}" if path and not step.startswith("[") else f"{path}{step}"


# ---- JSON without surprises ---------------------------------------------------------------------------------------


def parse(text: str) -> Any:
    """Parses JSON.

    Raises:
        SchemaError: the text is not JSON, or has what no document of ours has: NaN, a number beyond floats, a duplicate
            name, half a surrogate pair, or too deep nesting.

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
    """Checks that a structure of lists and dicts can be written as JSON and read again without a change.

    Raises:
        SchemaError: it holds what JSON cannot hold or would change silently.
    """
    level: dict[int, tuple[Any, int]] = {0: ([document], 1)}  # by id: each list or dict, and the number of paths to it
    parts = 0
    for _ in range(DEEPEST + 1):
        below: dict[int, tuple[Any, int]] = {}
        for whole, paths in level.values():
            if isinstance(whole, dict):
                _check_names(whole)
            parts += paths * len(whole)
            if parts > MOST_PARTS:  # shared lists are written once for each path, which may be 2ⁿ times
                raise SchemaError(f"more than {MOST_PARTS:,} parts")
            for x in whole.values() if isinstance(whole, dict) else whole:
                if isinstance(x, float):
                    if not math.isfinite(x):
                        raise SchemaError(f"{x} is no finite number")
                elif isinstance(x, dict | list | tuple):
                    below[id(x)] = x, paths + below.get(id(x), (x, 0))[1]
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
    """The text that JSON makes of a key."""
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
    """The nesting depth of a JSON text."""
    depth = deepest = 0
    for mark in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text):
        letter = mark.group()[0]
        depth += (letter in "[{") - (letter in "]}")
        deepest = max(deepest, depth)
    return deepest
