"""Encodes columns as numbers, by what was learned of each from the training rows alone."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, get_args

from chainrule.data.tables.cells import Kind, is_missing, name_cells, name_lines, read_as
from chainrule.data.tables.table import Table
from chainrule.errors import ArgumentError, DataError, SavedFileError, SizeError

MISSING = ""  # the category of missing cells


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers, or of true and false, standardised: z = (x - mean) / scale.

    Attributes:
        name: the name of the column.
        kind: "number" or "bool".
        mean: the mean over the training rows, which also replaces missing cells.
        scale: the standard deviation over the training rows (divided by n, not by n - 1). It is 0 where all are equal:
            such a column has taught nothing, so all its cells are encoded as 0.
    """

    name: str
    kind: Kind
    mean: float
    scale: float

    @classmethod
    def fit(cls, table: Table, name: str, kind: Kind, rows: Iterable[int]) -> NumberColumn:
        """Learns mean and scale from the given rows."""
        numbers = table.numbers(name, kind, rows)
        known = [number for number in numbers if number is not None]
        if not known or min(known) == max(known):  # exact, where a sum could miss 0 by rounding
            return cls(name, kind, mean=known[0] if known else 0.0, scale=0.0)
        mean = math.fsum(number / len(known) for number in known)
        # hypot avoids the overflow and underflow of squares
        scale = math.hypot(*(number - mean for number in known)) / math.sqrt(len(known))
        if not math.isfinite(scale):
            raise DataError(f"{table.where(name)} has numbers that are too large to be standardised")
        return cls(name, kind, mean, scale)

    @property
    def features(self) -> list[str]:
        return [self.name]

    def standardise(self, table: Table, rows: Iterable[int] | None = None) -> list[float]:
        """The z of each row."""
        rows = None if rows is None else list(rows)
        numbers = table.numbers(self.name, self.kind, rows)
        if not self.scale:
            return [0.0] * len(numbers)
        encoded = [0.0 if number is None else (number - self.mean) / self.scale for number in numbers]
        if not math.isfinite(sum(encoded)):
            cells = table.cells(self.name, rows)
            beyond = [cell for cell, z in zip(cells, encoded, strict=True) if not math.isfinite(z)]
            if beyond:
                far = "is far beyond the training rows, and infinite when standardised"
                raise DataError(f"{table.where(self.name)} {far}: {name_cells(beyond)}")
        return encoded

    def encode(self, table: Table, rows: Iterable[int] | None = None) -> list[list[float]]:
        """Encodes each row as one input."""
        return [[z] for z in self.standardise(table, rows)]

    def decode(self, output: float | Sequence[float]) -> float:
        """The inverse of standardising: x = mean + scale · z."""
        if isinstance(output, Sequence):
            raise SizeError(f"{len(output)} outputs for {self.name!r}, which is one number")
        return self.mean + self.scale * output

    def notes(self, table: Table, rows: Iterable[int] | None = None) -> list[str]:
        """Notes on what was filled in."""
        where, missing = table.where(self.name), set(table.column(self.name).gaps)
        chosen = range(len(table)) if rows is None else rows
        gaps = [table.lines[row] for row in chosen if row in missing] if missing else []
        filled = f"{where}: {len(gaps)} missing, filled with the mean {self.mean:.6g} ({name_lines(gaps)})"
        constant = f"{where} is the same in all training rows, so it is read as 0"
        return [filled] * bool(gaps) + [constant] * (not self.scale)


@dataclass(frozen=True)
class TextColumn:
    """A column of text, one-hot encoded: one input for each category, 1 where the cell holds it and 0 elsewhere.

    Attributes:
        name: the name of the column.
        categories: the distinct cells of the training rows, sorted; "" for missing cells.
    """

    name: str
    categories: tuple[str, ...]
    kind: ClassVar[Kind] = "text"

    @classmethod
    def fit(cls, table: Table, name: str, rows: Iterable[int]) -> TextColumn:
        """Learns the categories from the given rows."""
        return cls(name, tuple(sorted({_category(cell) for _, cell in table.cells(name, rows)})))

    @property
    def features(self) -> list[str]:
        return [f"{self.name}={category or '(missing)'}" for category in self.categories]

    def encode(self, table: Table, rows: Iterable[int] | None = None) -> list[list[float]]:
        """Encodes each row as one input for each category; all 0 for a cell that is in no category."""
        places = {category: place for place, category in enumerate(self.categories)}
        encoded = []
        for _, cell in table.cells(self.name, rows):
            inputs = [0.0] * len(places)
            if (place := places.get(_category(cell))) is not None:
                inputs[place] = 1.0
            encoded.append(inputs)
        return encoded

    def notes(self, table: Table, rows: Iterable[int] | None = None) -> list[str]:
        """Notes on missing cells, and on cells that were not in the training rows."""
        where, cells = table.where(self.name), table.cells(self.name, rows)
        gaps = [line for line, cell in cells if is_missing(cell)]
        unknown = [(line, cell) for line, cell in cells if _category(cell) not in self.categories]
        missing = f"{where}: {len(gaps)} missing, a category of their own ({name_lines(gaps)})" if gaps else ""
        unseen = f"{where}: not in the training rows, so all 0: {name_cells(unknown)}" if unknown else ""
        return [note for note in (missing, unseen) if note]


@dataclass(frozen=True)
class ClassColumn:
    """A target that names a class.

    Attributes:
        name: the name of the column.
        kind: the kind of its cells; numbers name the same class however they are written (1, 1.0).
        classes: the names, sorted (by value if they are numbers); a class is encoded as its position.
    """

    name: str
    kind: Kind
    classes: tuple[str, ...]

    @classmethod
    def find(cls, table: Table, name: str, kind: Kind) -> ClassColumn:
        """Finds the classes in all rows.

        Raises:
            DataError: there is only one class, or as many as rows.
        """
        where = table.where(name)
        names = {_class_name(kind, cell) for _, cell in table.cells(name)}
        classes = sorted(names, key=float) if kind == "number" else sorted(names)
        if len(classes) == 1:
            raise DataError(f"{where} has one class only ({classes[0]!r}): a target needs two or more")
        if len(classes) == len(table):
            raise DataError(
                f"{where} has a class of its own for each of the {len(table)} rows: no target can be learned"
            )
        return cls(name, kind, tuple(classes))

    def encode(self, table: Table, rows: Iterable[int] | None = None) -> list[int]:
        """The position of each row's class.

        Raises:
            DataError: a cell names none of the classes.
        """
        places = {name: place for place, name in enumerate(self.classes)}
        cells = table.cells(self.name, rows)
        unknown = [(line, cell) for line, cell in cells if _class_name(self.kind, cell) not in places]
        if unknown:
            known = ", ".join(self.classes)
            raise DataError(f"{table.where(self.name)} is none of the classes {known} in {name_cells(unknown)}")
        return [places[_class_name(self.kind, cell)] for _, cell in cells]

    def decode(self, output: float | Sequence[float]) -> str:
        """The class with the highest score; of two classes the second one, if a single score is above 0."""
        scores = list(output) if isinstance(output, Sequence) else [0.0, output]
        if len(scores) != len(self.classes):
            raise SizeError(f"{len(scores)} scores for the {len(self.classes)} classes {', '.join(self.classes)}")
        if any(math.isnan(score) for score in scores):
            raise ArgumentError(f"scores {scores} are not all numbers, so no class is the likeliest")
        return self.classes[scores.index(max(scores))]


InputColumn = NumberColumn | TextColumn
TargetColumn = NumberColumn | ClassColumn


def column_to_config(column: InputColumn | TargetColumn) -> dict[str, Any]:
    """The column as a dict for JSON."""
    config = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(column).items()}
    return {"kind": column.kind, **config}


def input_from_config(config: object, where: str) -> InputColumn:
    """Restores an input column from the dict of `column_to_config`.

    Raises:
        SavedFileError: it is damaged; the message begins with `where`.
    """
    if isinstance(config, dict) and config.get("kind") == "text":
        _check_keys(config, where, {"name", "kind", "categories"})
        return TextColumn(_text(config, "name", where), _names(config, "categories", where, least=0))
    return _number_column(config, where)


def target_from_config(config: object, where: str) -> TargetColumn:
    """Restores a target column from the dict of `column_to_config`; raises what `input_from_config` does."""
    if not (isinstance(config, dict) and "classes" in config):
        return _number_column(config, where)
    _check_keys(config, where, {"name", "kind", "classes"})
    kind, classes = _kind(config, where, get_args(Kind)), _names(config, "classes", where, least=2)
    if kind != "text" and any(read_as(kind, name) is None for name in classes):
        raise SavedFileError(f"{where}: classes {', '.join(classes)} are not all of kind {kind}")
    return ClassColumn(_text(config, "name", where), kind, classes)


def _kind(config: dict, where: str, known: Sequence[Kind]) -> Kind:
    text = _text(config, "kind", where)
    for kind in known:
        if text == kind:
            return kind
    raise SavedFileError(f"{where}: kind {text!r} is none of {', '.join(known)}")


def _number_column(config: object, where: str) -> NumberColumn:
    config = _check_keys(config, where, {"name", "kind", "mean", "scale"})
    kind = _kind(config, where, ("number", "bool"))
    for key in ("mean", "scale"):
        value = config[key]
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= sys.float_info.max:
            raise SavedFileError(f"{where}: {key} must be a finite number, not {value!r}")
    if config["scale"] < 0:
        raise SavedFileError(f"{where}: scale cannot be negative, but is {config['scale']!r}")
    return NumberColumn(_text(config, "name", where), kind, float(config["mean"]), float(config["scale"]))


def _check_keys(config: object, where: str, keys: set[str]) -> dict[str, Any]:
    if not isinstance(config, dict) or set(config) != keys:
        found = ", ".join(map(str, config)) if isinstance(config, dict) else type(config).__name__
        raise SavedFileError(f"{where} must have {', '.join(sorted(keys))}, but has {found}")
    return config


def _text(config: dict[str, Any], key: str, where: str) -> str:
    if not isinstance(config[key], str):
        raise SavedFileError(f"{where}: {key} must be text, not {config[key]!r}")
    return config[key]


def _names(config: dict[str, Any], key: str, where: str, *, least: int) -> tuple[str, ...]:
    names = config[key]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SavedFileError(f"{where}: {key} must be a list of texts")
    if len(set(names)) != len(names) or len(names) < least:
        raise SavedFileError(f"{where}: {key} must be {least} or more different texts")
    return tuple(names)


def _category(cell: str) -> str:
    return MISSING if is_missing(cell) else cell


def _class_name(kind: Kind, cell: str) -> str:
    """The name of a cell's class: "1" for "1.0" and "1", "true" for "True"; other text as it stands."""
    if kind == "text" or read_as(kind, cell) is None:
        return cell
    if kind == "bool":
        return cell.lower()
    number = float(cell)
    return str(int(number)) if number.is_integer() else repr(number)
