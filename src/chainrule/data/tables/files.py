"""CSV files: reads bytes on disk as a `Table` of raw cells, and writes them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from chainrule.core.files import atomic_write
from chainrule.data.tables.cells import name_lines
from chainrule.data.tables.decoding import FALLBACK, decode, named, read_bytes
from chainrule.data.tables.headers import column_names, find_header
from chainrule.data.tables.table import Table
from chainrule.errors import ArgumentError, DataError, shown

DELIMITERS = ("\t", ";", "|", ",")
"""Commas come last, as they occur most often inside of cells."""

DELIMITER_WORDS = {"\t": "tabs", ";": "semicolons", "|": "bars", " ": "spaces"}

SNIFFED_ROWS = 100
"""How many rows are examined to find the delimiter."""

MOST_COLUMNS = 10_000
"""A table has at most so many columns, each of which becomes at least one input of a network."""

Record = tuple[int, list[str]]
"""The line on which a row starts, and its cells."""


@dataclass(frozen=True)
class Likely:
    """What a file is likely to have where nothing is said of it, since another one of its kind had it.

    Attributes:
        delimiter: the character between cells; it is taken if it splits the rows as well as any other does.
        encoding: the encoding of what is not Unicode.
    """

    delimiter: str = ""
    encoding: str = FALLBACK


def read_csv(
    path: str | Path,
    *,
    header: bool | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    likely: Likely = Likely(),
) -> Table:
    """Reads a CSV file, with or without a header.

    Cells may be quoted with `"`, and then contain delimiters and line ends. Blank lines, and lines of nothing but
    delimiters, are skipped. A file packed by gzip is unpacked. Of columns with the same name `x` the second one is
    called `x.2`. What had to be guessed stands in the notes of the table.

    Args:
        path: the file; "-" for standard input.
        header: whether the first row names the columns. If left out, it does if it holds text above every column of
            numbers (or of true and false), or, without such columns, if it repeats nothing.
        delimiter: a character; if left out, the one of tab, semicolon, bar and comma that splits most rows like the
            first (or the one that a first line such as `sep=;` names).
        encoding: the encoding; if left out, UTF-8, UTF-16 and UTF-32 are recognised, and else it is the likely one.
        likely: what to try first where something has to be guessed.

    Returns:
        The table; it has at least one row.

    Raises:
        DataError: the file cannot be read, is no text in this encoding, or has no rows, wrongly quoted cells, or rows
            of different lengths. The message names file and lines.
        ArgumentError: `delimiter` is not a single character, or there is no such encoding.
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise ArgumentError(f"delimiter must be a single character such as ',' or ';', not {shown(delimiter)}")
    name = named(path)
    text, notes = decode(name, read_bytes(path), encoding, likely.encoding)
    first_line, text, said = _without_sep_line(text)
    between = delimiter or said or _find_delimiter(text, likely.delimiter)
    if between in DELIMITER_WORDS and delimiter is None:
        notes.append(f"{name} has {DELIMITER_WORDS[between]} between its cells")
    records = _records(name, text, between, first_line)
    if not records:
        raise DataError(f"{name} is empty: a table needs at least one row")
    _check_widths(name, records)
    has_header = find_header([cells for _, cells in records]) if header is None else header
    body = records[1:] if has_header else records
    if not body:
        raise DataError(f"{name} has a header (line {records[0][0]}), but no rows below it")
    columns, renamed = column_names(name, records[0][1], has_header)
    return Table(
        path=name,
        columns=columns,
        rows=tuple(tuple(cells) for _, cells in body),
        lines=tuple(line for line, _ in body),
        has_header=has_header,
        unnamed=frozenset([name for name, cell in zip(columns, records[0][1], strict=True) if has_header and not cell]),
        notes=(*notes, *renamed),
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


def _without_sep_line(text: str) -> tuple[int, str, str | None]:
    """Takes off a first line such as `sep=;`, by which Excel is told the delimiter.

    Returns:
        The number of the first line that is left, the text, and the delimiter if there was such a line.
    """
    found = re.match(r"\"?sep=([^\r\n\"])\"?(?:\r\n|\r|\n)", text, re.IGNORECASE)
    return (2, text[found.end() :], found[1]) if found else (1, text, None)


def _records(path: str, text: str, delimiter: str, line: int) -> list[Record]:
    """The rows that are not blank; the text begins at this line."""
    # strict, so that an unclosed quote is an error instead of one huge cell
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    records: list[Record] = []
    before = line
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                if not records:
                    _check_columns(path, len(cells))  # before millions of cells are read
                records.append((line, stripped))
            line = before + reader.line_num  # a quoted cell may span several lines
    except csv.Error as error:
        raise DataError(f"{path}, line {line}: wrongly quoted or oversized cell ({error})") from None
    return records


def _find_delimiter(text: str, likely: str) -> str:
    """The delimiter that splits the largest share of rows into as many cells as the first row, and at least two."""

    def agreement(delimiter: str) -> float:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        widths = [len(cells) for cells in islice(reader, SNIFFED_ROWS) if any(cell.strip() for cell in cells)]
        return widths.count(widths[0]) / len(widths) if widths and widths[0] > 1 else 0.0

    try:
        best = max([*likely, *DELIMITERS], key=agreement)  # the first one of equals
        return best if agreement(best) else ","
    except csv.Error:  # an oversized cell: reading the rows will name its line
        return ","


def _check_columns(path: str, count: int) -> None:
    """Refuses more columns than can be learned from."""
    if count > MOST_COLUMNS:
        most = f"at most {MOST_COLUMNS:,} can be learned from: keep those that matter"
        raise DataError(f"{path} has {count:,} columns, and {most}")


def _check_widths(path: str, records: list[Record]) -> None:
    """Refuses rows that are longer or shorter than the first one."""
    first_line, first = records[0]
    wrong = [(line, len(cells)) for line, cells in records if len(cells) != len(first)]
    if wrong:
        counts = " or ".join(str(width) for width, _ in Counter(width for _, width in wrong).most_common(3))
        lines = name_lines([line for line, _ in wrong])
        expected = f"{len(first)} cells expected in each row, as in line {first_line}"
        raise DataError(f"{path}: {expected}; found {counts} in {lines}")
