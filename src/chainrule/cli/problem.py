"""The beginning of a training run on the command line: the rows and the goal, and the files to write.

`train`, `summary` and `pictures` use both; so they are defined below these three, without knowledge of them.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chainrule.cli import outputs
from chainrule.cli.goals import Goal
from chainrule.cli.options import DataOptions, OutputOptions, TrainingOptions
from chainrule.cli.screen import remark
from chainrule.cli.sources import files_of, read_source, stem_of
from chainrule.core.extras import require
from chainrule.data.tables import Encoder, Table, Task, settle_formats, without_gaps
from chainrule.data.toy import split_indices
from chainrule.errors import ArgumentError, DataError, MissingExtraError, SavedFileError
from chainrule.saving.models import load_extra

LEAST_ROWS = 20
"""Of fewer rows to learn from none are set aside to say when to stop: they would say little."""


MOST_NUMBERS = 50_000_000
"""The most numbers of all rows together: 400 MB, in each of the forms that they take."""


@dataclass(frozen=True)
class Problem:
    """A table prepared for training: which rows are learned from, which only test the result, and what is learned.

    Rows are not copied: `train`, `validation` and `held_out` are positions in `table`, and each row is in one of them.
    Training takes `encoder.encode(table, train)`, which gives numbers for the network and the encoded targets; the
    model is then measured on `encoder.encode(table, held_out)`.

    Attributes:
        table: all rows, as read.
        encoder: encodes cells as the numbers of the network, and decodes its outputs. Means, scales and categories come
            from the training rows alone, so that held-out rows do not leak into training.
        train: positions of the rows to learn from.
        validation: positions of the rows that say when to stop learning; none where there are few rows.
        held_out: positions of the rows that are held out, on which the model is measured at the end.
        goal: classes or a number; the loss, and how many outputs the network needs for it.
        notes: notes on the table for the user, one line each, such as columns that were left out.
    """

    table: Table
    encoder: Encoder
    train: list[int]
    validation: list[int]
    held_out: list[int]
    goal: Goal
    notes: tuple[str, ...]

    @classmethod
    def read(cls, data: str, rows: DataOptions, training: TrainingOptions) -> Problem:
        """Reads a table, or creates a toy set, and prepares it.

        Args:
            data: the name of a file or of a toy set, or "-" for standard input.
            rows: which column is the target, what to leave out, how many rows to hold out.
            training: the loss, the share of validation rows, and whether classes are weighted.

        Raises:
            DataError: it is not a table, or nothing can be learned from it.
            ArgumentError: there is no such toy set, or the loss does not fit the target.
        """
        table = read_source(data, rows.seed, rows.reading)
        table = settle_formats(table, decimal=rows.decimal, ignore=rows.ignore)
        table = without_gaps(table, rows.target, rows.ignore)
        task = Task.from_table(table, rows.target, goal=rows.task, ignore=rows.ignore, keep=rows.keep)
        targets, stratify = task.targets(table), task.goal == "classification"
        if training.class_weights and not stratify:
            raise ArgumentError(f"--class-weights is for classes, but {task.target!r} holds numbers")
        learned, held_out = _split(targets, range(len(table)), rows.held_out, seed=rows.seed, stratify=stratify)
        share = training.validation if len(learned) >= LEAST_ROWS else 0.0
        train, validation = _split(targets, learned, share, seed=rows.seed, stratify=stratify)
        encoder = Encoder.fit(table, task, rows=[*train, *validation])
        _check_size(table, encoder)
        notes = (*table.notes, *task.notes, *encoder.notes(table, learned))
        return cls(table, encoder, train, validation, held_out, Goal.choose(training.loss_name, encoder), notes)


def _check_size(table: Table, encoder: Encoder) -> None:
    """Refuses a table that would not fit into memory, since each text of a column becomes an input.

    Raises:
        DataError: names the column with the most texts.
    """
    inputs = len(encoder.features)
    if inputs * len(table) > MOST_NUMBERS:
        widest = max(encoder.inputs, key=lambda column: len(column.features))
        share = f"{len(widest.features):,} of them come from the column {widest.name!r}"
        raise DataError(
            f"{table.path} has {inputs:,} inputs in {len(table):,} rows, too many to be trained number by number; "
            f"{share}: --ignore={shlex.quote(widest.name)} leaves it out"
        )


def _split(
    targets: Sequence[float], rows: Sequence[int], share: float, *, seed: int, stratify: bool
) -> tuple[list[int], list[int]]:
    """Splits positions of rows: those that are kept, and a share of them."""
    if not share:
        return list(rows), []
    kept, taken = split_indices([targets[row] for row in rows], share, seed=seed, stratify=stratify)
    return [rows[place] for place in kept], [rows[place] for place in taken]


@dataclass(frozen=True)
class Files:
    """The files that a training run writes. All are checked before training, so that no file of the user's is lost.

    Attributes:
        model: the model with its encoder, as JSON: what `chainrule predict` reads.
        picture: loss and accuracy by epoch; None where none can be drawn.
        checkpoint: the progress of training; None unless asked for.
        earlier_picture: the digest of the picture that an earlier run saved with this model, "" if there is none. Only
            a picture with that digest is chainrule's own and may be replaced; the model's file records it.
    """

    model: Path
    picture: Path | None
    checkpoint: Path | None
    earlier_picture: str = ""

    @classmethod
    def choose(cls, data: str, training: TrainingOptions, output: OutputOptions) -> Files:
        """The files that were named, or files named after the data; all of them may be written.

        Raises:
            ArgumentError: one must not be written.
            MissingExtraError: a picture was asked for, and matplotlib is not installed.
        """
        read = files_of(data)
        model = output.model or Path(f"{stem_of(data)}.model.json")
        outputs.check(model, outputs.MODEL, force=output.force, inputs=read)
        picture = output.picture or model.with_name(f"{model.name.removesuffix('.json').removesuffix('.model')}.png")
        outputs.check_different([model, picture, training.checkpoint])
        earlier = _picture_of(model)
        outputs.check(picture, outputs.PICTURE, force=output.force, inputs=read, known=earlier)
        if training.checkpoint:
            outputs.check(training.checkpoint, outputs.CHECKPOINT, inputs=read)
        drawn = _can_draw(required=output.picture is not None, quiet=output.quiet)
        return cls(model, picture if drawn else None, training.checkpoint, earlier)


def _picture_of(model: Path) -> str:
    """The digest of the picture that an earlier run saved with its model; "" if there is none."""
    try:
        return str(load_extra(model).get("picture", ""))
    except SavedFileError:
        return ""


def _can_draw(*, required: bool, quiet: bool) -> bool:
    """Whether matplotlib is installed; if not, tells how to install it, unless it is to be quiet.

    Raises:
        MissingExtraError: it is not installed, and a picture is `required`.
    """
    try:
        require("matplotlib", extra="plot")
    except MissingExtraError as error:
        if required:
            raise
        if not quiet:
            remark(f"there will be no picture: {error}")
        return False
    return True
