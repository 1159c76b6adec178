"""`chainrule predict`: the predictions of a saved model for the rows of a file."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from chainrule.cli import outputs
from chainrule.cli.codes import FINE
from chainrule.cli.goals import Goal, Output
from chainrule.cli.measures import compare, outputs_of
from chainrule.cli.options import Reading, character
from chainrule.cli.screen import remark
from chainrule.cli.sources import READING, files_of, read_table
from chainrule.data.tables import Encoder, Table, write_csv
from chainrule.data.tables.files import Likely
from chainrule.data.tables.formats import DateFormat
from chainrule.errors import DataError, SavedFileError
from chainrule.nn import Module
from chainrule.saving.models import load_file
from chainrule.training import LOSSES


def predict(
    model_file: Path, file: Path, out: Path | None, reading: Reading = READING, *, force: bool, quiet: bool
) -> int:
    """Writes the rows of a file with predictions, to standard output or to a file.

    The file is read as the one that the model was trained on, unless `reading` says otherwise.
    """
    model, encoder, goal, extra = read_model(model_file)
    table = read_table(file, reading_of(extra, reading))
    X = encoder.encode_inputs(table)
    if out is not None:
        outputs.check(out, outputs.TABLE, force=force, inputs=[model_file, *files_of(str(file))])
    if not quiet:
        for note in (*table.notes, *encoder.notes(table)):
            remark(note)
    results = outputs_of(model, X)
    header, rows = _with_predictions(table, encoder, goal, results)
    if out is None:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([header, *rows])
    else:
        write_csv(out, header, rows)
    if not quiet:
        _compare(table, encoder, results)
        if out is not None:
            remark(f"{len(rows)} predictions are in {out}")
    return FINE


def read_model(path: Path) -> tuple[Module, Encoder, Goal, dict[str, Any]]:
    """Loads a model that `chainrule train` saved, with all that is needed to use it, and all that was saved with it.

    Raises:
        SavedFileError: it is damaged, or was saved by other means.
    """
    model, extra = load_file(path)
    if "encoder" not in extra or "loss" not in extra:
        raise SavedFileError(f"{path} does not say which columns it needs: only chainrule train saves that")
    try:
        encoder = Encoder.from_config(extra["encoder"])
    except SavedFileError as error:
        raise SavedFileError(f"{path} is damaged: {error}") from None
    goal = Goal(str(extra["loss"]), encoder.classes)
    config = model.config()
    if goal.loss not in LOSSES or (config["nin"], config["nouts"][-1]) != (len(encoder.features), goal.outputs):
        raise SavedFileError(f"{path} is damaged: its network does not go with its columns or its loss")
    return model, encoder, goal, extra


def reading_of(extra: dict[str, Any], asked: Reading) -> Reading:
    """How to read rows for a model: as asked for; where something is left to be guessed, first as `train` was told.

    Raises:
        SavedFileError: the model is damaged.
    """
    told = extra.get("reading", {})  # older models have none
    if not isinstance(told, dict) or not all(isinstance(word, str) for word in told.values()):
        raise SavedFileError("the model is damaged: it does not say how its rows were read")
    likely = Likely(character(told.get("delimiter", "")), told.get("encoding", Likely().encoding))
    return replace(asked, likely=likely)


def _with_predictions(
    table: Table, encoder: Encoder, goal: Goal, results: list[Output]
) -> tuple[list[str], list[list[str]]]:
    """The table with the prediction added, and for classes with their probabilities."""
    added = [f"predicted_{encoder.target.name}"]
    chances = [goal.probabilities(result) for result in results]
    if goal.classes and chances and chances[0] is not None:
        added += ["probability", *[f"probability_{name}" for name in goal.classes]]
    if taken := [name for name in added if name in table.columns]:
        raise DataError(f"{table.path} has a column {taken[0]!r} already: rename it, or predict for the original rows")
    rows, form = [], encoder.formats.get(encoder.target.name)
    for cells, result, of_classes in zip(table.rows, results, chances, strict=True):
        decoded = encoder.decode(result)
        if isinstance(decoded, str):
            prediction = decoded
        else:
            prediction = form.write(decoded) if isinstance(form, DateFormat) else f"{decoded:.6g}"
        numbers = [] if of_classes is None else [f"{p:.4f}" for p in (max(of_classes), *of_classes)]
        rows.append([*cells, prediction, *numbers])
    return [*table.columns, *added], rows


def _compare(table: Table, encoder: Encoder, results: list[Output]) -> None:
    """Reports how good the predictions are for rows of which the file has the right answers, if there are any."""
    if encoder.target.name not in table.columns:
        return
    gaps = set(table.column(encoder.target.name).gaps)
    rows = [row for row in range(len(table)) if row not in gaps]
    if not rows:
        return
    try:
        remark(f"{compare(encoder, table, [results[row] for row in rows], rows).words} as the file has them")
    except DataError as error:
        remark(f"not compared with the file's own answers: {error}")
