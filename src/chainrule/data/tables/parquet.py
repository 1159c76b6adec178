"""Parquet files as tables of text, by pyarrow."""

from __future__ import annotations

import datetime
import io
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

from chainrule.core.extras import require
from chainrule.data.tables.decoding import named, read_bytes
from chainrule.data.tables.headers import column_names
from chainrule.data.tables.table import Table
from chainrule.errors import DataError

MAGIC = b"PAR1"


def is_parquet(path: str | Path) -> bool:
    """Whether a file's name says that it is a Parquet file."""
    return Path(path).suffix.lower() in (".parquet", ".pq")


def read_parquet(path: str | Path) -> Table:
    """Reads a Parquet file as a table of text: numbers as Python writes them, dates as 2024-01-31.

    The lines of the table are the numbers of its rows, from 1.

    Raises:
        DataError: the file cannot be read, has no rows, or holds lists, bytes or other nested things.
        MissingExtraError: pyarrow is not installed.
    """
    parquet, name = require("pyarrow.parquet", extra="parquet"), named(path)
    content = read_bytes(path)
    if not content.startswith(MAGIC):
        raise DataError(f"{name} is not a Parquet file")
    try:
        frame = parquet.read_table(io.BytesIO(content))
        values = [column.to_pylist() for column in frame.columns]
    except (OSError, ValueError, NotImplementedError) as error:  # pyarrow's own errors are kinds of these
        raise DataError(f"{name} cannot be read: {error}") from None
    if not frame.num_rows:
        raise DataError(f"{name} is empty: a table needs at least one row")
    columns, notes = column_names(name, list(frame.column_names), True)
    cells = [[_text(name, title, value) for value in column] for title, column in zip(columns, values, strict=True)]
    lines = tuple(range(1, frame.num_rows + 1))
    rows = tuple(zip(*cells, strict=True))
    return Table(path=name, columns=columns, rows=rows, lines=lines, has_header=True, notes=tuple(notes))


def _text(path: str, column: str, value: Any) -> str:
    """A value as it would stand in a CSV file.

    Raises:
        DataError: it is neither a number, nor a text, a truth value, a date or nothing.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, datetime.date):  # also times of day with a date
        return value.isoformat()
    raise DataError(f"{path}, column {column!r} holds a {type(value).__name__}: a cell is a number, a text or a date")
