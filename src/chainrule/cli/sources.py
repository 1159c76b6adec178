"""The source of rows: a CSV file, or a toy set as a table of the same form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chainrule.data.tables import Table, read_csv
from chainrule.data.toy import TOY_SETS, toy_set
from chainrule.errors import ArgumentError, suggest

TOY_OPTIONS: dict[str, dict[str, Any]] = {"xor": {"repeat": 50, "noise": 0.1}}
OTHER_OPTIONS: dict[str, Any] = {"n": 200, "noise": 0.1}


def read_source(data: str, seed: int) -> Table:
    """Reads the rows to learn from.

    Args:
        data: the name of a toy set or of a CSV file; write ./xor for a file with a toy set's name.
        seed: the seed of a toy set.

    Raises:
        DataError: the file is not a valid table.
        ArgumentError: there is neither such a file nor such a toy set.

    >>> len(read_source("moons", seed=0)), read_source("moons", seed=0).columns
    (200, ('x1', 'x2', 'class'))
    """
    if data in TOY_SETS:
        return _toy_table(data, seed)
    if not Path(data).suffix and not Path(data).exists():
        toys = ", ".join(TOY_SETS)
        raise ArgumentError(f"{data} is neither a file nor one of the toy sets {toys}.{suggest(data, TOY_SETS)}")
    return read_csv(data)


def files_of(data: str) -> list[Path]:
    """The file that is read, if there is one."""
    return [] if data in TOY_SETS else [Path(data)]


def _toy_table(name: str, seed: int) -> Table:
    X, y = toy_set(name, seed=seed, **TOY_OPTIONS.get(name, OTHER_OPTIONS))
    rows = tuple([(repr(x1), repr(x2), str(label)) for (x1, x2), label in zip(X, y, strict=True)])
    lines = tuple(range(2, len(rows) + 2))
    return Table(path=name, columns=("x1", "x2", "class"), rows=rows, lines=lines, has_header=True)
