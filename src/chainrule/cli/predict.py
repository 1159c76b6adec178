"""`chainrule predict`: the predictions of a saved model for the rows of a file."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from chainrule.cli import outputs
from chainrule.cli.codes import FINE
from chainrule.cli.goals import Goal, Output
from chainrule.cli.measures import compare, outputs_of
from chainrule.cli.screen import remark
from chainrule.data.tables import Encoder, Table, read_csv, write_csv
from chainrule.errors import DataError, SavedFileError
from chainrule.nn import Module
from chainrule.saving.models import load_file
from chainrule.training import LOSSES


def predict(model_file: Path, file: Path, out: Path | None, *, force: bool, quiet: bool) -> int:
    """Writes the rows of a file with predictions, to standard output or to a file."""
    model, encoder, goal = read_model(model_file)
    table = read_csv(file)
    X = encoder.encode_inputs(table)
    if out is not None:
        outputs.check(out, outputs.TABLE, force=force, inputs=[model_file, file])
    if not quiet:
        for note in encoder.notes(table):
            remark(note)
    results = outputs_of(model, X)
    header, rows = _with_predictions(table, encoder, goal, results)
    if out is None:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([header, *rows])
    else:
        write_csv(out, header, rows, source=file)
    if not quiet:
        _compare(table, encoder, results)
        if out is not None:
            remark(f"{len(rows)} predictions are in {out}")
    return FINE


def read_model(path: Path) -> tuple[Module, Encoder, Goal]:
    """Loads a model that `chainrule train` saved, with all that is needed to use it.

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
    return model, encoder, goal


def _with_predictions(
    table: Table, encoder: Encoder, goal: Goal, results: list[Output]
) -> tuple[list[str], list[list[str]]]:
    """The table with one or two columns added."""
    added = [f"predicted_{encoder.target.name}"]
    likely = [goal.probability(result) for result in results]
    if likely and likely[0] is not None:
        added.append("probability")
    if taken := [name for name in added if name in table.columns]:
        raise DataError(f"{table.path} has a column {taken[0]!r} already: rename it, or predict for the original rows")
    rows = []
    for cells, result, probability in zip(table.rows, results, likely, strict=True):
        decoded = encoder.decode(result)
        prediction = decoded if isinstance(decoded, str) else f"{decoded:.6g}"
        rows.append([*cells, prediction, *([] if probability is None else [f"{probability:.4f}"])])
    return [*table.columns, *added], rows


def _compare(table: Table, encoder: Encoder, results: list[Output]) -> None:
    """Reports how good the predictions are, if the file has the right answers; otherwise nothing."""
    if encoder.target.name not in table.columns:
        return
    try:
        remark(f"{compare(encoder, table, results).words} as the file has them")
    except DataError as error:
        remark(f"not compared with the file's own answers: {error}")
