"""Interprets a cell of a table: a number, a truth value, a missing value, or text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from chainrule.errors import DataError

Kind = Literal["number", "bool", "text"]

MISSING_WORDS = frozenset(
    {*("", "na", "n/a", "#na", "#n/a", "<na>", "nan", "-nan", "null", "?"),
     *("#div/0!", "#value!", "#ref!", "#name?", "#null!", "#num!")}  # what spreadsheets write for errors
)  # fmt: skip
BOOLEANS = {"false": 0.0, "true": 1.0}
MOST_STRAY_TEXT = 0.1
"""Up to this share of texts among numbers counts as mistakes; with more, the column is text."""

MOST_NAMED = 5
"""An error names at most so many lines or cells, and counts the rest."""

DIGITS = frozenset("0123456789")
FIRST = frozenset("0123456789+-.iI")
"""The letters that a number may begin with."""

_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity)", re.IGNORECASE | re.ASCII)
_COMMA_NUMBER = re.compile(r"[+-]?\d[\d.]*,[\d.,]*\d", re.ASCII)


def is_missing(cell: str) -> bool:
    """Whether a cell is empty or holds one of the usual marks for "not known".

    >>> [is_missing(cell) for cell in ("", "NaN", "?", "n/a", "0", "none")]
    [True, True, True, True, False, False]
    """
    return cell[:1] not in DIGITS and cell.lower() in MISSING_WORDS


def to_number(cell: str) -> float | None:
    """The number that a cell holds, possibly infinite; None if it holds none.

    This is stricter than Python's `float`, which also accepts "1_000" and digits of other scripts.

    >>> [to_number(cell) for cell in ("-1.5e3", ".5", "inf", "1_000", "1,5", "red")]
    [-1500.0, 0.5, inf, None, None, None]
    """
    if cell[:1] not in FIRST or "_" in cell or not cell.isascii():
        return None
    try:  # twice as quick as the pattern, which only what follows needs
        number = float(cell)
    except ValueError:
        return None
    return number if cell[-1:] in DIGITS else float(cell) if _NUMBER.fullmatch(cell) else None


def to_bool(cell: str) -> float | None:
    """1.0 for "true" and 0.0 for "false" in any case; None for anything else."""
    return BOOLEANS.get(cell.lower())


def read_as(kind: Kind, cell: str) -> float | None:
    """The number of a cell in a column of kind "number" or "bool"; None if it is of another kind."""
    return to_number(cell) if kind == "number" else to_bool(cell)


def may_be_name(cell: str) -> bool:
    """Whether a cell could name a column: it holds no number, not even one with a comma, and no truth value."""
    return to_number(cell) is None and to_bool(cell) is None and not _COMMA_NUMBER.fullmatch(cell)


def kind_of(cells: Iterable[str]) -> Kind | None:
    """The kind that all cells have in common, missing ones aside; None if all are missing.

    >>> kind_of(["1", "", "2.5"]), kind_of(["true", "False"]), kind_of(["1", "true"]), kind_of(["?", ""])
    ('number', 'bool', 'text', None)
    """
    known = [cell for cell in cells if not is_missing(cell)]
    if not known:
        return None
    if all(to_number(cell) is not None for cell in known):
        return "number"
    return "bool" if all(to_bool(cell) is not None for cell in known) else "text"


def check_text(where: str, cells: Sequence[tuple[int, str]]) -> str | None:
    """Looks for numbers that were only written wrongly, in a column of kind "text".

    Args:
        where: the file and column, for the message.
        cells: (line, cell) of every row.

    Returns:
        A remark where numbers stand among the texts, None otherwise.

    Raises:
        DataError: the texts are numbers written with commas, or a few strays in a column of numbers.
    """
    known = [(line, cell) for line, cell in cells if not is_missing(cell)]
    texts = [(line, cell) for line, cell in known if to_number(cell) is None]
    if all(_COMMA_NUMBER.fullmatch(cell) for _, cell in texts):
        line, cell = texts[0]
        raise DataError(f"{where} writes numbers with a comma (line {line}: {cell!r}): write 1.5 for one and a half")
    if len(texts) <= MOST_STRAY_TEXT * len(known):
        raise DataError(f"{where} holds numbers, but not in {name_cells(texts)}: mend or empty these cells")
    if len(texts) < len(known):
        line, cell = texts[0]
        return f"{where} mixes numbers and text (line {line}: {cell!r}) and is read as text"
    return None


def read_numbers(where: str, kind: Kind, cells: Sequence[tuple[int, str]]) -> list[float | None]:
    """The numbers of a column of kind "number" or "bool"; None for missing cells.

    Raises:
        DataError: a cell holds something else, or an infinite number; the message names its line.
    """
    numbers = [None if is_missing(cell) else read_as(kind, cell) for _, cell in cells]
    pairs = list(zip(cells, numbers, strict=True))
    strays = [cell for cell, number in pairs if number is None and not is_missing(cell[1])]
    if strays:
        wanted = "a number" if kind == "number" else "true or false"
        raise DataError(f"{where} needs {wanted} in each cell, but has {name_cells(strays)}")
    infinite = [cell for cell, number in pairs if number is not None and not math.isfinite(number)]
    if infinite:
        raise DataError(f"{where} has a number that is not finite: {name_cells(infinite)}")
    return numbers


def name_lines(lines: Sequence[int]) -> str:
    """The first few line numbers, in words.

    >>> name_lines([7]), name_lines([2, 3]), name_lines(range(1, 101))
    ('line 7', 'lines 2, 3', 'lines 1, 2, 3, 4, 5, … (100 in all)')
    """
    named = ", ".join(str(line) for line in lines[:MOST_NAMED])
    return f"line{'s' * (len(lines) > 1)} {named}" + _rest(lines)


def name_cells(cells: Sequence[tuple[int, str]]) -> str:
    """The first few cells with their lines, in words.

    >>> name_cells([(2, "inf"), (9, "-inf")])
    "line 2 ('inf'), line 9 ('-inf')"
    """
    return ", ".join(f"line {line} ({cell!r})" for line, cell in cells[:MOST_NAMED]) + _rest(cells)


def _rest(items: Sequence[object]) -> str:
    return f", … ({len(items)} in all)" if len(items) > MOST_NAMED else ""
