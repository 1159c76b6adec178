"""Finds how the numbers of a table are written: decimal commas, thousands, percent, currencies, dates.

What one cell leaves open (is 1.234 more than a thousand?) the whole column decides; what the column leaves open, the
other columns decide; and where they do not, either, it is read as English, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from chainrule.data.tables.cells import MOST_NAMED, MOST_STRAY_TEXT, is_missing, name_cells
from chainrule.data.tables.formats import DATES, DateFormat, Format, Marked, NumberFormat, marked, plain_digits
from chainrule.data.tables.table import Table
from chainrule.errors import ArgumentError, DataError

MARKS = (".", ",")
SAMPLE = 50
"""A column is text if few of so many cells at its top look like numbers or dates."""


@dataclass(frozen=True)
class _Numbers:
    """A column in which all cells, or all but a few, are numbers of some kind.

    Attributes:
        where: the file and the column, for messages.
        cells: (line, cell) of what is not missing.
        plain: whether Python reads all cells as they are.
    """

    where: str
    cells: list[tuple[int, str]]
    plain: bool

    @cached_property
    def parts(self) -> list[Marked | None]:
        """Each cell without the signs around its digits; None for a cell that is no number."""
        return [marked(cell) for _, cell in self.cells]

    @cached_property
    def marks(self) -> list[str]:
        """The decimal marks with which all cells can be read; with which most can, where no mark reads all."""
        if self.plain and any("." in cell and not _has_thousands(cell) for _, cell in self.cells):
            return ["."]  # as quick as most columns of numbers allow
        strays = {mark: len(self.strays(mark)) for mark in MARKS}
        return [mark for mark in MARKS if strays[mark] == min(strays.values())]

    def strays(self, mark: str) -> list[tuple[int, str]]:
        """The cells that cannot be read with this decimal mark."""
        pairs = zip(self.cells, self.parts, strict=True)
        return [cell for cell, part in pairs if part is None or plain_digits(part.digits, mark) is None]

    @cached_property
    def open(self) -> str:
        """A cell whose number depends on the decimal mark, where either would do; "" if there is none."""
        if len(self.marks) == 1:
            return ""
        for (_, cell), part in zip(self.cells, self.parts, strict=True):
            if part is not None and ("." in part.digits or "," in part.digits):
                readings = {float(plain_digits(part.digits, mark) or "nan") for mark in MARKS}
                if len(readings) > 1:
                    return cell
        return ""

    def format(self, mark: str) -> NumberFormat | None:
        """The format of the column; None where all cells are plain numbers.

        Raises:
            DataError: some cells are no numbers, or they are not all in one unit.
        """
        if mark == "." and self.plain:
            return None
        if strays := self.strays(mark):
            raise DataError(f"{self.where} holds numbers, but not in {name_cells(strays)}: mend or empty these cells")
        parts = [part for part in self.parts if part is not None]
        percent, currencies = {part.percent for part in parts}, {part.currency for part in parts} - {""}
        if len(percent) > 1 or len(currencies) > 1:
            units = sorted(currencies) or ["%"]
            of_each = [next(c for c, p in self._pairs if unit in (p.currency, "%" * p.percent)) for unit in units]
            of_each += [next(c for c, p in self._pairs if not p.percent)] * (len(percent) > 1)
            raise DataError(f"{self.where} has numbers in different units, {name_cells(of_each)}: bring them to one")
        return NumberFormat(mark, percent == {True}, "".join(currencies))

    @property
    def _pairs(self) -> list[tuple[tuple[int, str], Marked]]:
        return [(cell, part) for cell, part in zip(self.cells, self.parts, strict=True) if part is not None]


def settle_formats(table: Table, *, decimal: str | None = None, ignore: Iterable[str] = ()) -> Table:
    """Rewrites columns of numbers with marks, and of dates, as plain numbers.

    Args:
        table: a table as read.
        decimal: the decimal mark of all columns, "." or ","; if left out, each column decides, then the others.
        ignore: columns that do not matter.

    Returns:
        The table with plain numbers, which knows how they were written (`formats`), and says so in its notes.

    Raises:
        ArgumentError: there is no such decimal mark.
        DataError: a column of numbers has a few cells that are none, several units, or another decimal mark.

    >>> table = Table("t.csv", ("price", "day"), (("1.234,5 €", "31.1.2024"), ("2 €", "1.2.2024")), (2, 3), True)
    >>> plain = settle_formats(table)
    >>> plain.rows
    (('1234.5', '19753'), ('2', '19754'))
    >>> for note in plain.notes:
    ...     print(note)
    t.csv, column 'price': '1.234,5 €' is read as 1234.5, a number in € with a decimal comma
    t.csv, column 'day': '31.1.2024' is read as 19753, the days since 1970-01-01 of a date, day first
    """
    if decimal not in (None, *MARKS):
        raise ArgumentError(f"the decimal mark is '.' or ',', not {decimal!r}")
    ignored, formats, notes = set(ignore), dict[str, Format](), list[str]()
    numbers: dict[str, _Numbers] = {}
    dates: dict[str, list[str]] = {}
    for name in table.columns:
        if name in ignored or table.column(name).kind in (None, "bool"):
            continue
        if column := _as_numbers(table, name):
            numbers[name] = column
        elif orders := _date_orders(table.where(name), _known(table, name)):
            dates[name] = orders
    usual = decimal or _convention(numbers.values())
    for name, column in numbers.items():
        mark = _mark(column, decimal, usual)
        if (form := column.format(mark)) is not None:
            formats[name] = form
        if column.open and not usual:
            notes.append(_undecided(column))
    for name, orders in dates.items():
        order = "dmy" if usual == "," and "dmy" in orders else orders[-1]
        formats[name] = DateFormat(order, _zoned(table, name))
        if len(orders) > 1 and usual != ",":
            cell = _first(table, name)
            notes.append(f"{table.where(name)}: {cell!r} may have the day first; it is read with the month first")
    return table.rewritten(formats, *_said(table, formats), *notes)


def _as_numbers(table: Table, name: str) -> _Numbers | None:
    """The column as numbers; None if it has none, or not more than a few strays short of all."""
    where, cells = table.where(name), _known(table, name)
    if table.column(name).kind == "number":
        return _Numbers(where, cells, plain=True)
    top = cells[:SAMPLE]
    if sum(marked(cell) is not None for _, cell in top) < (1 - 4 * MOST_STRAY_TEXT) * len(top):
        return None
    column = _Numbers(where, cells, plain=False)
    return column if len(column.strays(column.marks[0])) <= MOST_STRAY_TEXT * len(cells) else None


def _known(table: Table, name: str) -> list[tuple[int, str]]:
    """(line, cell) of what is not missing in a column."""
    gaps = set(table.column(name).gaps)
    return [cell for row, cell in enumerate(table.cells(name)) if row not in gaps]


def _has_thousands(cell: str) -> bool:
    """Whether the points in a cell may group thousands."""
    part = marked(cell)
    return part is not None and plain_digits(part.digits, ",") is not None


def _convention(columns: Iterable[_Numbers]) -> str | None:
    """The decimal mark of the columns that leave no choice; None if there are none, or they differ."""
    decided = {column.marks[0] for column in columns if len(column.marks) == 1}
    return decided.pop() if len(decided) == 1 else None


def _mark(column: _Numbers, asked: str | None, usual: str | None) -> str:
    """The decimal mark of a column.

    Raises:
        DataError: the mark that was asked for cannot be.
    """
    if asked and asked not in column.marks:
        line, cell = next(cell for cell in column.strays(asked))
        raise DataError(f"{column.where} cannot have the decimal mark {asked!r}: line {line} has {cell!r}")
    return column.marks[0] if len(column.marks) == 1 else usual or "."


def _undecided(column: _Numbers) -> str:
    """The note on a column that might be read in two ways, and is read as English."""
    part = marked(column.open)
    assert part is not None
    english, other = (plain_digits(part.digits, mark) for mark in MARKS)
    rest = f"it is read as {english} (--decimal=, reads {other})"
    return f"{column.where}: {column.open!r} may be {english} or {other}; {rest}"


def _date_orders(where: str, cells: Sequence[tuple[int, str]]) -> list[str]:
    """The orders in which all cells are dates; none if the column holds no dates.

    Raises:
        DataError: all cells but a few are dates.
    """
    fits = {order: [cell for _, cell in cells[:SAMPLE] if _is_date(order, cell)] for order in DATES}
    likely = [order for order in DATES if len(fits[order]) >= (1 - 2 * MOST_STRAY_TEXT) * len(cells[:SAMPLE])]
    strays = {order: [cell for cell in cells if not _is_date(order, cell[1])] for order in likely} if cells else {}
    fewest = min((len(some) for some in strays.values()), default=len(cells))
    best = [order for order, some in strays.items() if len(some) == fewest]
    if not best or fewest > MOST_STRAY_TEXT * len(cells):
        return []
    if fewest:
        raise DataError(f"{where} holds dates, but not in {name_cells(strays[best[0]])}: mend or empty these cells")
    return best


def _is_date(order: str, cell: str) -> bool:
    return any(DateFormat(order, zoned).read(cell) is not None for zoned in (False, True))


def _zoned(table: Table, name: str) -> bool:
    """Whether the times of a column have time zones; `rewritten` then refuses those without."""
    cell = _first(table, name)
    return any(DateFormat(order, True).read(cell) is not None for order in DATES)


def _first(table: Table, name: str) -> str:
    return next(cell for _, cell in table.cells(name) if not is_missing(cell))


def _said(table: Table, formats: dict[str, Format]) -> list[str]:
    """Says of each format how a cell is read, and in which columns."""
    notes = []
    for form in dict.fromkeys(formats.values()):
        names = [name for name, other in formats.items() if other == form]
        cells = [cell for name in names for _, cell in table.cells(name)[:SAMPLE] if not is_missing(cell)]
        cell = max(cells or [_first(table, names[0])], key=_telling)
        shown = ", ".join([repr(name) for name in names[:MOST_NAMED]])
        more = f", … ({len(names)} in all)" if len(names) > MOST_NAMED else ""
        days = "the days since 1970-01-01 of " if isinstance(form, DateFormat) else ""
        where = f"{table.path}, column{'s' * (len(names) > 1)} {shown}{more}"
        notes.append(f"{where}: {cell!r} is read as {form.read(cell)}, {days}{form.words}")
    return notes


def _telling(cell: str) -> tuple[bool, bool]:
    """How well a cell shows what its format does: with both marks, with one, with none."""
    return ("," in cell or "." in cell, "," in cell and "." in cell)
