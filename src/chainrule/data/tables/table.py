"""A table as text: what the readers of files return, and what tasks and encoders take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from chainrule.data.tables.cells import is_missing, name_cells
from chainrule.data.tables.formats import Format
from chainrule.errors import DataError, suggest


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
