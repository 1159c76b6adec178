"""The first row of a table: whether it names the columns, and how they are called."""

from __future__ import annotations

from collections.abc import Iterable

from chainrule.data.tables.cells import is_missing, kind_of, may_be_name
from chainrule.data.tables.formats import looks_written

SAMPLE = 1000
"""The kinds of columns are found in so many rows at the top; the rest can say little else of the first row."""


def find_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns; see `read_csv` for the rule."""
    first, body = rows[0], rows[1:SAMPLE]
    columns = list(zip(*body, strict=True)) or [()] * len(first)
    plain = [may_be_name(cell) and not looks_written(cell) for cell in first]
    typed = [index for index, cells in enumerate(columns) if _is_typed(cells)]
    if any(plain[index] and not is_missing(first[index]) for index in typed):
        return all(plain[index] for index in typed)
    unrepeated = all(cell not in cells for cell, cells in zip(first, columns, strict=True))
    return all(plain) and len(set(first)) == len(first) and unrepeated


def _is_typed(cells: Iterable[str]) -> bool:
    """Whether a column holds numbers however they are written, truth values, or dates."""
    known = [cell for cell in cells if not is_missing(cell)]
    return kind_of(known) in ("number", "bool") or (bool(known) and all(map(looks_written, known)))


def column_names(path: str, first: list[str], has_header: bool) -> tuple[tuple[str, ...], list[str]]:
    """The names in the header, told apart; `column_1`, … where there is no header or a name is missing.

    Returns:
        The names, and notes on those that stood there more than once.

    >>> column_names("t.csv", ["x", "", "x"], True)
    (('x', 'column_2', 'x.2'), ["t.csv has the column 'x' more than once: the one at place 3 is called 'x.2'"])
    """
    numbered = [f"column_{number}" for number in range(1, len(first) + 1)]
    if not has_header:
        return tuple(numbered), []
    given = [cell or default for cell, default in zip(first, numbered, strict=True)]
    names, notes, taken = list[str](), list[str](), set(given)
    seen: dict[str, int] = {}
    for place, name in enumerate(given, 1):
        new, seen[name] = name, seen.get(name, 0) + 1
        if seen[name] > 1:
            while (new := f"{name}.{seen[name]}") in taken:
                seen[name] += 1
            taken.add(new)
            notes.append(f"{path} has the column {name!r} more than once: the one at place {place} is called {new!r}")
        names.append(new)
    return tuple(names), notes
