"""A table as text: what the readers of files return, and what tasks and encoders take."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from chainrule.data.tables.cells import Kind, is_missing, name_cells, read_numbers, to_bool, to_number
from chainrule.data.tables.formats import Format
from chainrule.errors import DataError, suggest


class Column:
    """The cells of a column, and what they hold, which is looked at once: a table has many, and is read in many ways.

    Args:
        cells: the cells from top to bottom.
    """

    def __init__(self, cells: Sequence[str]) -> None:
        self.cells = cells

    @cached_property
    def numbers(self) -> list[float | None]:
        """The number in each cell; None for all else."""
        return [to_number(cell) for cell in self.cells]

    @cached_property
    def truths(self) -> list[float | None]:
        """1 for each cell with "true" and 0 for "false"; None for all else."""
        return [to_bool(cell) for cell in self.cells]

    @cached_property
    def gaps(self) -> list[int]:
        """The positions of missing cells."""
        pairs = enumerate(zip(self.cells, self.numbers, strict=True))
        return [row for row, (cell, number) in pairs if number is None and is_missing(cell)]

    @cached_property
    def kind(self) -> Kind | None:
        """The kind that all cells have in common, missing ones aside; None if all are missing."""
        known = len(self.cells) - len(self.gaps)
        if not known:
            return None
        for kind, values in (("number", self.numbers), ("bool", self.truths)):
            if len(values) - values.count(None) == known:
                return kind  # type: ignore[return-value]
        return "text"


@dataclass(frozen=True)
class Table:
    """A table as text: every row has one cell for every column.

    Attributes:
        path: the file, as the user wrote it; messages begin with it.
        columns: the names of the columns, all different; `column_1`, `column_2`, … where the file names none.
        rows: the cells, stripped of surrounding spaces.
        lines: the line of the file on which each row starts.
        has_header: whether the first row of the file names the columns.
        unnamed: the columns that the header leaves without a name.
        notes: remarks on how the file was read, one line each.
        formats: the columns whose cells were rewritten as plain numbers, and how they had been written; see
            `rewritten`.
    """

    path: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    has_header: bool
    unnamed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    formats: Mapping[str, Format] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def index(self, column: str) -> int:
        """The position of a column.

        Raises:
            DataError: there is no such column; the message lists those that there are.
        """
        if column not in self._places:
            hint = suggest(column, self.columns)
            raise DataError(f"{self.path} has no column {column!r}.{hint} It has {', '.join(self.columns)}.")
        return self._places[column]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.columns)}

    def where(self, column: str) -> str:
        """The file and a column, for messages."""
        return f"{self.path}, column {column!r}"

    @cached_property
    def _columns(self) -> dict[str, Column]:
        return {}

    def column(self, name: str) -> Column:
        """A column and what its cells hold.

        Raises:
            DataError: there is no such column.
        """
        index = self.index(name)
        if name not in self._columns:
            self._columns[name] = Column([row[index] for row in self.rows])
        return self._columns[name]

    def numbers(self, name: str, kind: Kind, rows: Iterable[int] | None = None) -> list[float | None]:
        """The numbers of a column of kind "number" or "bool"; None for missing cells.

        Args:
            name, kind: the column and its kind.
            rows: the positions of the wanted rows; all if left out.

        Raises:
            DataError: a cell holds something else, or an infinite number; the message names its line.
        """
        column, rows = self.column(name), None if rows is None else list(rows)
        values = column.numbers if kind == "number" else column.truths
        chosen = values if rows is None else [values[row] for row in rows]
        try:
            if math.isfinite(sum(chosen)):  # type: ignore[arg-type]
                return chosen
        except TypeError:  # None is among them
            pass
        return read_numbers(self.where(name), kind, self.cells(name, rows))

    def cells(self, column: str, rows: Iterable[int] | None = None) -> list[tuple[int, str]]:
        """The cells of one column, from top to bottom.

        Args:
            column: its name.
            rows: the positions of the wanted rows in `rows`; all if left out.

        Returns:
            A list of `(line, cell)`.

        Raises:
            DataError: there is no such column.
        """
        index = self.index(column)
        return [(self.lines[row], self.rows[row][index]) for row in (range(len(self)) if rows is None else rows)]

    def only(self, rows: Sequence[int], *notes: str) -> Table:
        """Returns a table of the rows at these positions, with more notes."""
        kept, lines = tuple(self.rows[row] for row in rows), tuple(self.lines[row] for row in rows)
        return replace(self, rows=kept, lines=lines, notes=(*self.notes, *notes))

    def rewritten(self, formats: Mapping[str, Format], *notes: str) -> Table:
        """Returns the table with the cells of some columns rewritten as plain numbers, as "1.234,5" to "1234.5".

        Columns that the table lacks are passed over, and those that were rewritten before are not rewritten again.

        Args:
            formats: for the name of each column how its numbers are written.
            notes: remarks to add to the table's own.

        Raises:
            DataError: a cell is written in another way; the message names its line.
        """
        new = {name: form for name, form in formats.items() if name in self._places and name not in self.formats}
        if not new and not notes:
            return self
        columns = [[row[place] for row in self.rows] for place in range(len(self.columns))] if new else []
        for name, form in new.items():
            columns[self._places[name]] = self._numbers(name, form)
        rows = tuple(zip(*columns, strict=True)) if new else self.rows
        return replace(self, rows=rows, notes=(*self.notes, *notes), formats={**self.formats, **new})

    def _numbers(self, name: str, form: Format) -> list[str]:
        cells = self.cells(name)
        numbers = [cell if is_missing(cell) else form.read(cell) for _, cell in cells]
        strays = [cell for cell, number in zip(cells, numbers, strict=True) if number is None]
        if strays:
            raise DataError(f"{self.where(name)} needs {form.words} in each cell, but has {name_cells(strays)}")
        return [number or "" for number in numbers]
