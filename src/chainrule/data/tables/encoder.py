"""Encodes the cells of a table as the numbers that a network takes, and decodes its outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chainrule.data.tables.columns import (
    ClassColumn,
    InputColumn,
    NumberColumn,
    TargetColumn,
    TextColumn,
    column_to_config,
    input_from_config,
    target_from_config,
)
from chainrule.data.tables.formats import Format, from_config, to_config
from chainrule.data.tables.table import Table
from chainrule.data.tables.task import Task
from chainrule.errors import DataError, SavedFileError


@dataclass(frozen=True)
class Encoder:
    """Encodes the rows of any table with the columns that it was fitted on, which it finds by name, in any order.

    Attributes:
        inputs: the input columns, with what each learned from the training rows.
        target: the column to predict: a `ClassColumn`, or a `NumberColumn` for a quantity.
        formats: how numbers are written in those columns in which they are not plain; tables are read by it.
    """

    inputs: tuple[InputColumn, ...]
    target: TargetColumn
    formats: Mapping[str, Format] = field(default_factory=dict)

    @classmethod
    def fit(cls, table: Table, task: Task, rows: Iterable[int] | None = None) -> Encoder:
        """Learns means, standard deviations and categories.

        Args:
            table: a table from `read_csv`.
            task: what to predict from what.
            rows: the positions of the training rows, all rows if left out; nothing is learned from other rows.

        Raises:
            DataError: there are no rows, or a column of numbers holds something else or an infinite number.
        """
        rows = list(range(len(table)) if rows is None else rows)
        if not rows:
            raise DataError(f"{table.path}: no training rows to learn means and categories from")
        inputs = tuple(
            TextColumn.fit(table, name, rows) if kind == "text" else NumberColumn.fit(table, name, kind, rows)
            for name, kind in task.inputs.items()
        )
        target = task.classes or NumberColumn.fit(table, task.target, task.target_kind, rows)
        formats = {name: form for name, form in table.formats.items() if name == task.target or name in task.inputs}
        return cls(inputs, target, formats)

    @property
    def features(self) -> list[str]:
        """A name for each number of an encoded row: the column, or `column=category`."""
        return [feature for column in self.inputs for feature in column.features]

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names of the classes, in the order of the model's outputs; None if the target is a quantity."""
        return self.target.classes if isinstance(self.target, ClassColumn) else None

    def encode(
        self, table: Table, rows: Iterable[int] | None = None
    ) -> tuple[list[list[float]], list[int] | list[float]]:
        """Encodes inputs and targets.

        Args:
            table: a table with all columns, the target included; other columns are ignored.
            rows: the positions of the rows to encode; all if left out.

        Returns:
            `(X, y)`: `X` has `len(features)` numbers for each row; `y` the class as a whole number, or the
            standardised quantity.

        Raises:
            DataError: a column is missing, a column of numbers holds something else, or the target is no known class.
        """
        rows = None if rows is None else list(rows)
        X = self.encode_inputs(table, rows)
        return X, self.encode_targets(table, rows)

    def encode_targets(self, table: Table, rows: Iterable[int] | None = None) -> list[int] | list[float]:
        """Encodes `y` alone; otherwise like `encode`."""
        target = self.target
        table.index(target.name)
        table = table.rewritten(self._formats_of([target.name]))
        return target.encode(table, rows) if isinstance(target, ClassColumn) else target.standardise(table, rows)

    def encode_inputs(self, table: Table, rows: Iterable[int] | None = None) -> list[list[float]]:
        """Encodes `X` alone, for a table that need not have the target; otherwise like `encode`."""
        table = self._checked(table)
        rows = None if rows is None else list(rows)
        blocks = [column.encode(table, rows) for column in self.inputs]
        return [[number for block in row for number in block] for row in zip(*blocks, strict=True)]

    def notes(self, table: Table, rows: Iterable[int] | None = None) -> list[str]:
        """Notes on what `encode` handles silently, one line each: missing cells, and categories that were not in
        training."""
        table = self._checked(table)
        rows = None if rows is None else list(rows)
        return [note for column in self.inputs for note in column.notes(table, rows)]

    def decode(self, output: float | Sequence[float]) -> str | float:
        """Decodes the model's output for one row.

        Args:
            output: the scores (logits) of the classes; for two classes also a single score, positive for the second;
                for a quantity the standardised number.

        Returns:
            The name of the class, or the quantity in the units of the table.

        Raises:
            SizeError: there are not as many scores as classes, or several numbers for a quantity.
            ArgumentError: a score is nan.
        """
        return self.target.decode(output)

    def to_config(self) -> dict[str, Any]:
        """Returns the encoder as a dict for JSON, to be saved with the model."""
        inputs = [column_to_config(column) for column in self.inputs]
        formats = {name: to_config(form) for name, form in self.formats.items()}
        return {"inputs": inputs, "target": column_to_config(self.target)} | ({"formats": formats} if formats else {})

    @classmethod
    def from_config(cls, config: object) -> Encoder:
        """Restores the encoder from the dict of `to_config`.

        Raises:
            SavedFileError: the config is damaged; the message names the place.
        """
        if not isinstance(config, dict) or set(config) - {"formats"} != {"inputs", "target"}:
            raise SavedFileError("encoder must have inputs and target, and nothing else")
        if not isinstance(config["inputs"], list) or not config["inputs"]:
            raise SavedFileError("encoder: inputs must be a list of one column or more")
        inputs = [input_from_config(column, f"encoder: inputs[{i}]") for i, column in enumerate(config["inputs"])]
        target = target_from_config(config["target"], "encoder: target")
        names = [column.name for column in inputs] + [target.name]
        if len(set(names)) != len(names):
            raise SavedFileError(f"encoder: columns {', '.join(names)} are not all different")
        formats = config.get("formats", {})  # older files have none
        if not isinstance(formats, dict) or not set(formats) <= set(names):
            raise SavedFileError("encoder: formats must be those of its columns")
        read = {name: from_config(form, f"encoder: formats: {name!r}") for name, form in formats.items()}
        return cls(tuple(inputs), target, read)

    def _formats_of(self, names: Iterable[str]) -> dict[str, Format]:
        return {name: self.formats[name] for name in names if name in self.formats}

    def _checked(self, table: Table) -> Table:
        """The table with plain numbers in all inputs.

        Raises:
            DataError: an input is missing, or its numbers are written in another way.
        """
        missing = [column.name for column in self.inputs if column.name not in table.columns]
        if missing:
            hint = "" if table.has_header else " Its first row seems to name no columns."
            names, found = ", ".join(missing), ", ".join(table.columns)
            raise DataError(f"{table.path} lacks the columns {names} that the model needs; it has {found}.{hint}")
        return table.rewritten(self._formats_of(column.name for column in self.inputs))
