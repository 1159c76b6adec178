"""The learning task of a table: which column to predict from which others, as a class or as a number."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from chainrule.data.tables.cells import Kind, check_text, is_missing, name_lines
from chainrule.data.tables.columns import ClassColumn
from chainrule.data.tables.identifiers import COUNTS, rises, why_left_out
from chainrule.data.tables.table import Table
from chainrule.errors import ArgumentError, DataError

Goal = Literal["classification", "regression"]

MOST_CLASSES = 20
"""Integers with more different values are quantities, not classes."""

MOST_EXACT = 2.0**53
"""Floats below this represent every integer exactly."""

LEAST_ROWS_PER_CLASS = 2
"""Integers with fewer rows for each value, on average, are quantities."""


@dataclass(frozen=True)
class Task:
    """Which columns are inputs, which is the target, and of what kind each is. It is found on the whole table, without
    statistics.

    Attributes:
        inputs: the kind of each input column, by name and in the order of the table.
        target: the name of the column to predict.
        target_kind: the kind of its cells.
        classes: the classes of the target; None if it is a number (regression).
        notes: remarks for the user, one line each.
    """

    inputs: dict[str, Kind]
    target: str
    target_kind: Kind
    classes: ClassColumn | None
    notes: tuple[str, ...]

    @classmethod
    def from_table(
        cls,
        table: Table,
        target: str | None = None,
        *,
        goal: Goal | None = None,
        ignore: Iterable[str] = (),
        keep: Iterable[str] = (),
    ) -> Task:
        """Examines the columns. It leaves out, with a note, columns that are empty and columns that name the rows:
        row numbers, identifiers, and texts of which nearly each row has one of its own.

        Args:
            table: a table from `read_csv`.
            target: the name of the column to predict; the last one if left out.
            goal: "classification" or "regression". If left out, classification for text, true/false, and integers with
                at most 20 different values, each on two rows or more on average; regression for other numbers.
            ignore: names of columns to leave out.
            keep: names of columns to learn from although they seem to name the rows.

        Raises:
            DataError: a named column does not exist; there are no inputs; the target has missing cells, only one value,
                or as many classes as rows; or a column holds cells that are probably mistakes.
            ArgumentError: `goal` is unknown, or a column to ignore is also the target or to be kept.
        """
        kept = list(keep)
        kinds, notes = _find_kinds(table, target, list(ignore), kept)
        target = target or list(kinds)[-1]
        notes += _drop_names(table, kinds, target, kept)
        _check_complete(table, target)
        for name, kind in kinds.items():
            notes += _check_column(table, name, kind)
        target_kind = kinds.pop(target)
        if not kinds:
            alone = "separate the cells with commas, semicolons or tabs"
            hint = alone if len(table.columns) == 1 else "; ".join(["keep one", *notes])
            raise DataError(f"{table.path} has no input column beside the target {target!r}: {hint}")
        classes = _find_classes(table, target, target_kind, goal)
        notes += [*_rare_class_notes(table, classes), *_sorted_notes(table, classes, kinds)] if classes else []
        return cls(kinds, target, target_kind, classes, tuple(notes))

    @property
    def goal(self) -> Goal:
        return "classification" if self.classes else "regression"

    def targets(self, table: Table) -> list[int] | list[float]:
        """The class of each row as an integer, or its number: what `split_indices` needs."""
        if self.classes:
            return self.classes.encode(table)
        numbers = table.numbers(self.target, self.target_kind)
        return [number for number in numbers if number is not None]  # from_table has refused missing ones


def without_gaps(table: Table, target: str | None = None, ignore: Iterable[str] = ()) -> Table:
    """Leaves out the rows in which the target is missing, and says so in a note.

    Args:
        table: a table as read.
        target: the column to predict; the last one that is neither empty nor ignored if left out.
        ignore: names of columns that do not count.

    Raises:
        DataError: there is no such column, or the target is missing in every row.
    """
    ignored = set(ignore)
    filled = [n for n in table.columns if n not in ignored and not all(is_missing(cell) for _, cell in table.cells(n))]
    if target is None and not filled:
        return table  # `Task.from_table` says so
    name = target or filled[-1]
    gaps = [line for line, cell in table.cells(name) if is_missing(cell)]
    if not gaps:
        return table
    if len(gaps) == len(table):
        raise DataError(f"{table.where(name)} is the target, but is missing in every row")
    rows = [row for row, (_, cell) in enumerate(table.cells(name)) if not is_missing(cell)]
    count = f"{len(gaps)} row{'s' * (len(gaps) > 1)} without {name} {'are' if len(gaps) > 1 else 'is'} left out"
    return table.only(rows, f"{table.path}: {count} ({name_lines(gaps)})")


def _find_kinds(
    table: Table, target: str | None, ignored: list[str], kept: list[str]
) -> tuple[dict[str, Kind], list[str]]:
    """The kind of every column that takes part, and notes on empty ones."""
    for name in [*ignored, *kept] if target is None else [*ignored, *kept, target]:
        table.index(name)  # raises if there is none
    if target in ignored:
        raise ArgumentError(f"column {target!r} cannot be both the target and ignored")
    if both := [name for name in kept if name in ignored]:
        raise ArgumentError(f"column {both[0]!r} cannot be both kept and ignored")
    kinds: dict[str, Kind] = {}
    notes = []
    for name in table.columns:
        if name in ignored:
            continue
        kind = table.column(name).kind
        if kind is None:
            notes.append(f"{table.path}, column {name!r} is empty and left out")
        else:
            kinds[name] = kind
    if not kinds:
        raise DataError(f"{table.path} has no column that holds anything, apart from ignored ones")
    return kinds, notes


def _drop_names(table: Table, kinds: dict[str, Kind], target: str, kept: list[str]) -> list[str]:
    """Removes inputs that name the rows, and returns notes on them. One that only counts is kept if there is no other
    input."""
    inputs = [name for name in kinds if name != target]
    reasons = {name: why_left_out(table, name, kinds[name]) for name in inputs if name not in kept}
    surely = [name for name, why in reasons.items() if why not in ("", COUNTS)]
    counting = [name for name, why in reasons.items() if why == COUNTS]
    if len(surely) + len(counting) == len(inputs):
        counting = []
    removed = {name: kinds.pop(name) for name in [*surely, *counting]}
    number = f"since a row's number may give its {target} away"
    since = {
        name: "since they say nothing of other rows" if kind == "text" else number for name, kind in removed.items()
    }
    return [
        f"{table.where(name)} {reasons[name]} and is left out, {since[name]} "
        f"(to learn from it: {_option('keep', name)})"
        for name in table.columns
        if name in removed
    ]


def _option(option: str, column: str) -> str:
    """An option of the command line that names a column, as it can be typed whatever the name is."""
    return f"--{option}={shlex.quote(column)}"


def _check_complete(table: Table, target: str) -> None:
    gaps = [line for line, cell in table.cells(target) if is_missing(cell)]
    if gaps:
        where = f"{table.path}, column {target!r}"
        raise DataError(f"{where} is the target, but is missing in {name_lines(gaps)}: fill in or delete these rows")


def _check_column(table: Table, name: str, kind: Kind) -> list[str]:
    """Refuses infinite and mistyped numbers; returns a note on a column that mixes kinds."""
    if kind != "text":
        table.numbers(name, kind)
        return []
    mixed = check_text(table.where(name), table.cells(name))
    return [mixed] if mixed else []


def _find_classes(table: Table, target: str, kind: Kind, goal: Goal | None) -> ClassColumn | None:
    """The classes of the target; None for regression."""
    where = f"{table.path}, column {target!r}"
    if goal not in (None, "classification", "regression"):
        raise ArgumentError(f"goal must be 'classification' or 'regression', not {goal!r}")
    if kind == "text":
        if goal == "regression":
            raise DataError(f"{where} holds text, and regression needs numbers: choose classification")
        return ClassColumn.find(table, target, kind)
    values = table.numbers(target, kind)
    different = set(values)
    few = len(different) <= MOST_CLASSES and len(values) >= LEAST_ROWS_PER_CLASS * len(different)
    whole = all(value is not None and value.is_integer() and abs(value) < MOST_EXACT for value in values)
    if goal == "classification" or (goal is None and (kind == "bool" or (whole and few))):
        return ClassColumn.find(table, target, kind)
    if len(different) == 1:
        raise DataError(f"{where} is {values[0]:g} in every row: there is nothing to learn")
    return None


def _rare_class_notes(table: Table, classes: ClassColumn) -> list[str]:
    counts = Counter(classes.encode(table))
    single = [name for place, name in enumerate(classes.classes) if counts[place] == 1]
    where = f"{table.path}, column {classes.name!r}"
    return [f"{where}: the class {name!r} has one row only, which is never held out" for name in single]


def _sorted_notes(table: Table, classes: ClassColumn, inputs: dict[str, Kind]) -> list[str]:
    """Notes on inputs that rise from row to row where rows are sorted by class: neighbouring rows then reveal a
    held-out class."""
    changes = sum(a != b for a, b in pairwise(classes.encode(table)))
    if changes >= len(classes.classes):
        return []
    return [
        f"{table.path}, column {name!r} rises or falls from row to row, and the rows are sorted by {classes.name}: "
        f"held-out rows will flatter a model that learns from it (to leave it out: {_option('ignore', name)})"
        for name, kind in inputs.items()
        if kind == "number" and rises(table, name)
    ]
