"""The source of rows: a file, standard input, or a toy set as a table of the same form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chainrule.cli.options import Reading
from chainrule.data.tables import Table, read_csv, read_parquet
from chainrule.data.tables.decoding import STANDARD_INPUT
from chainrule.data.tables.parquet import is_parquet
from chainrule.data.toy import TOY_SETS, toy_set
from chainrule.errors import ArgumentError, suggest

TOY_OPTIONS: dict[str, dict[str, Any]] = {"xor": {"repeat": 50, "noise": 0.1}}
OTHER_OPTIONS: dict[str, Any] = {"n": 200, "noise": 0.1}

READING = Reading()


def read_source(data: str, seed: int, reading: Reading = READING) -> Table:
    """Reads the rows to learn from.

    Args:
        data: the name of a toy set or of a file, "-" for standard input; write ./xor for a file with a toy set's name.
        seed: the seed of a toy set.
        reading: how to read the file.

    Raises:
        DataError: the file is not a valid table.
        ArgumentError: there is neither such a file nor such a toy set.

    >>> len(read_source("moons", seed=0)), read_source("moons", seed=0).columns
    (200, ('x1', 'x2', 'class'))
    """
    if data in TOY_SETS:
        return _toy_table(data, seed)
    _check_name(data)
    if data != STANDARD_INPUT and not Path(data).suffix and not Path(data).exists():
        toys = ", ".join(TOY_SETS)
        raise ArgumentError(f"{data} is neither a file nor one of the toy sets {toys}.{suggest(data, TOY_SETS)}")
    return read_table(data, reading)


def read_table(file: str | Path, reading: Reading = READING) -> Table:
    """Reads a file of rows, or standard input for "-": CSV, packed by gzip or not, or Parquet.

    Raises:
        DataError: it is not a valid table.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.
    """
    _check_name(str(file))
    if is_parquet(file):
        return read_parquet(file)
    return read_csv(file, delimiter=reading.between, encoding=reading.encoding, likely=reading.likely)


def _check_name(name: str) -> None:
    """Refuses what looks like an option: a name may begin with a dash only to be standard input."""
    if name.startswith("-") and name != STANDARD_INPUT:
        raise ArgumentError(f"unknown option {name}; write ./{name} for a file of that name")


def files_of(data: str) -> list[Path]:
    """The file that is read, if there is one."""
    return [] if data in TOY_SETS or data == STANDARD_INPUT else [Path(data)]


def stem_of(data: str) -> str:
    """The name for what is made of the data: that of the file without its endings.

    >>> stem_of("folder/churn.csv.gz"), stem_of("moons"), stem_of("-")
    ('churn', 'moons', 'stdin')
    """
    if data == STANDARD_INPUT:
        return "stdin"
    path = Path(data)
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).stem


def _toy_table(name: str, seed: int) -> Table:
    X, y = toy_set(name, seed=seed, **TOY_OPTIONS.get(name, OTHER_OPTIONS))
    rows = tuple([(repr(x1), repr(x2), str(label)) for (x1, x2), label in zip(X, y, strict=True)])
    lines = tuple(range(2, len(rows) + 2))
    return Table(path=name, columns=("x1", "x2", "class"), rows=rows, lines=lines, has_header=True)
