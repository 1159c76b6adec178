"""CSV files: reads bytes on disk as a `Table` of raw cells, and writes them."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from chainrule.core.files import atomic_write, read_file
from chainrule.data.tables.cells import is_missing, kind_of, may_be_name, name_lines
from chainrule.errors import ArgumentError, DataError, shown, suggest

DELIMITERS = ("\t", ";", ",")
"""Commas come last, as they occur most often inside of cells."""

SNIFFED_ROWS = 100
"""How many rows are examined to find the delimiter."""

MOST_COLUMNS = 10_000
"""A table has at most so many columns, each of which becomes at least one input of a network."""

Record = tuple[int, list[str]]
"""The line on which a row starts, and its cells."""


@dataclass(frozen=True)
class Table:
    """A CSV file as text: every row has one cell for every column, and nothing is interpreted.

    Attributes:
        path: the file, as the user wrote it; messages begin with it.
        columns: the names of the columns, all different; `column_1`, `column_2`, … where the file names none.
        rows: the cells, stripped of surrounding spaces.
        lines: the line of the file on which each row starts.
        has_header: whether the first row of the file names the columns.
        unnamed: the columns that the header leaves without a name.
    """

    path: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    has_header: bool
    unnamed: frozenset[str] = frozenset()

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


def read_csv(path: str | Path, *, header: bool | None = None, delimiter: str | None = None) -> Table:
    """Reads a CSV file in UTF-8, with or without a byte order mark.

    Cells may be quoted with `"`, and then contain delimiters and line ends. Blank lines, and lines of nothing but
    delimiters, are skipped.

    Args:
        path: the file.
        header: whether the first row names the columns. If left out, it does if it holds text above every column of
            numbers (or of true and false), or, without such columns, if it repeats nothing.
        delimiter: a character; if left out, the one of tab, semicolon and comma that splits most rows like the first.

    Returns:
        The table; it has at least one row.

    Raises:
        DataError: the file cannot be read, is not text in UTF-8, or has no rows, wrongly quoted cells, rows of
            different lengths, or two columns of the same name. The message names file and lines.
        ArgumentError: `delimiter` is not a single character.
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise ArgumentError(f"delimiter must be a single character such as ',' or ';', not {shown(delimiter)}")
    text = _read_text(Path(path))
    records = _records(str(path), text, delimiter or _find_delimiter(text))
    if not records:
        raise DataError(f"{path} is empty: a table needs at least one row")
    _check_widths(str(path), records)
    has_header = _find_header([cells for _, cells in records]) if header is None else header
    body = records[1:] if has_header else records
    if not body:
        raise DataError(f"{path} has a header (line {records[0][0]}), but no rows below it")
    columns = _column_names(str(path), records[0][1], has_header)
    return Table(
        path=str(path),
        columns=columns,
        rows=tuple(tuple(cells) for _, cells in body),
        lines=tuple(line for line, _ in body),
        has_header=has_header,
        unnamed=frozenset([name for name, cell in zip(columns, records[0][1], strict=True) if has_header and not cell]),
    )


def write_csv(
    path: str | Path, header: Sequence[str], rows: Iterable[Sequence[object]], *, source: str | Path | None = None
) -> None:
    """Writes a CSV file atomically: whatever happens, `path` holds either the old file or the complete new one.

    Args:
        path: where to write.
        header: the names of the columns.
        rows: the cells, each row as long as `header`; None makes an empty cell.
        source: a file that must not be overwritten, such as the one that the rows came from.

    Raises:
        DataError: `path` is `source`, a row has another length than the header, or the file cannot be written.
    """
    path = Path(path)
    if source is not None and path.exists() and path.samefile(source):
        raise DataError(f"{path} is the file that is being read, and would be written over: choose another name")
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)  # its line end \r\n makes it quote cells with a lone \r
    for number, row in enumerate([header, *rows]):
        if len(row) != len(header):
            raise DataError(f"row {number} for {path} has {len(row)} cells, but the header has {len(header)}")
        writer.writerow(row)
    atomic_write(path, buffer.getvalue(), error=DataError)


def _read_text(path: Path) -> str:
    """Reads the text of a file."""
    content = read_file(path, error=DataError)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(f"{path} is text in UTF-16: save it as CSV in UTF-8")
    if b"\0" in content:
        raise DataError(f"{path} is not a text file: a CSV file in UTF-8 is needed")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path} is not text in UTF-8 (line {line}): save it as CSV in UTF-8") from None


def _records(path: str, text: str, delimiter: str) -> list[Record]:
    """The rows that are not blank."""
    # strict, so that an unclosed quote is an error instead of one huge cell
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    records: list[Record] = []
    line = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                records.append((line, stripped))
            line = reader.line_num + 1  # a quoted cell may span several lines
    except csv.Error as error:
        raise DataError(f"{path}, line {line}: wrongly quoted or oversized cell ({error})") from None
    return records


def _find_delimiter(text: str) -> str:
    """The delimiter that splits the largest share of rows into as many cells as the first row, and at least two."""

    def agreement(delimiter: str) -> float:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        widths = [len(cells) for cells in islice(reader, SNIFFED_ROWS) if any(cell.strip() for cell in cells)]
        return widths.count(widths[0]) / len(widths) if widths and widths[0] > 1 else 0.0

    try:
        best = max(DELIMITERS, key=agreement)  # the first one of equals
        return best if agreement(best) else ","
    except csv.Error:  # an oversized cell: reading the rows will name its line
        return ","


def _check_widths(path: str, records: list[Record]) -> None:
    """Refuses rows that are longer or shorter than the first one, and more columns than can be learned from."""
    first_line, first = records[0]
    if len(first) > MOST_COLUMNS:
        most = f"at most {MOST_COLUMNS:,} can be learned from: keep those that matter"
        raise DataError(f"{path} has {len(first):,} columns, and {most}")
    wrong = [(line, len(cells)) for line, cells in records if len(cells) != len(first)]
    if wrong:
        counts = " or ".join(str(width) for width, _ in Counter(width for _, width in wrong).most_common(3))
        lines = name_lines([line for line, _ in wrong])
        expected = f"{len(first)} cells expected in each row, as in line {first_line}"
        raise DataError(f"{path}: {expected}; found {counts} in {lines}")


def _find_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns; see `read_csv` for the rule."""
    first, body = rows[0], rows[1:]
    columns = list(zip(*body, strict=True)) or [()] * len(first)
    plain = [may_be_name(cell) for cell in first]
    typed = [index for index, cells in enumerate(columns) if kind_of(cells) in ("number", "bool")]
    if any(plain[index] and not is_missing(first[index]) for index in typed):
        return all(plain[index] for index in typed)
    unrepeated = all(cell not in cells for cell, cells in zip(first, columns, strict=True))
    return all(plain) and len(set(first)) == len(first) and unrepeated


def _column_names(path: str, first: list[str], has_header: bool) -> tuple[str, ...]:
    """The names in the header; `column_1`, … where there is no header or a name is missing."""
    numbered = [f"column_{number}" for number in range(1, len(first) + 1)]
    if not has_header:
        return tuple(numbered)
    names = [cell or default for cell, default in zip(first, numbered, strict=True)]
    for name, count in Counter(names).items():
        if count > 1:
            places = " and ".join(str(place) for place, other in enumerate(names, 1) if other == name)
            raise DataError(f"{path}: columns {places} have the same name {name!r}")
    return tuple(names)
