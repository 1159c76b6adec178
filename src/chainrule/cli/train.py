"""`chainrule train`: from a table to a model that was measured on rows it has never seen."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from chainrule import optim
from chainrule.cli import outputs, summary
from chainrule.cli.codes import FINE, INTERRUPTED
from chainrule.cli.goals import Goal
from chainrule.cli.measures import compare, outputs_of, r2
from chainrule.cli.options import DataOptions, NetOptions, OutputOptions, TrainingOptions
from chainrule.cli.pictures import can_draw, save_picture
from chainrule.cli.screen import complain, remark
from chainrule.cli.sources import files_of, read_source
from chainrule.data.tables import Encoder, Table, Task
from chainrule.data.toy import split_indices
from chainrule.errors import AnomalyError, ArgumentError, SavedFileError
from chainrule.nn import MLP
from chainrule.saving.models import load_file, save
from chainrule.training import Checkpoint, EarlyStopping, History, fit

OPTIMIZERS = {"adam": (optim.Adam, 0.01), "adamw": (optim.AdamW, 0.01), "sgd": (optim.SGD, 0.1)}
"""Each with the learning rate that it has if none is given."""

RAMPS = ("relu", "leaky_relu", "gelu", "softplus")
"""Activations for which weights start as He et al. draw them."""

VALIDATION = 0.2

MOST_PARAMETERS = 1_000_000
"""Beyond this an epoch of single numbers would take hours."""


@dataclass(frozen=True)
class Problem:
    """What is to be learned, from which rows.

    Attributes:
        table: all rows.
        encoder: knows the training rows only.
        train, held: the positions of the rows to train on, and of those held out.
        goal: the loss and what belongs to it.
    """

    table: Table
    encoder: Encoder
    train: list[int]
    held: list[int]
    goal: Goal
    notes: tuple[str, ...]

    @classmethod
    def read(cls, data: str, rows: DataOptions, loss: str | None) -> Problem:
        """Takes the table apart.

        Raises:
            DataError: it is no table, or one from which nothing can be learned.
            ArgumentError: there is no such toy set, or the loss does not go with the target.
        """
        table = read_source(data, rows.seed)
        task = Task.from_table(table, rows.target, ignore=rows.ignore, keep=rows.keep)
        stratify = task.goal == "classification"
        train, held = split_indices(task.targets(table), rows.held_out, seed=rows.seed, stratify=stratify)
        encoder = Encoder.fit(table, task, rows=train)
        notes = (*task.notes, *encoder.notes(table, train))
        return cls(table, encoder, train, held, Goal.choose(loss, encoder), notes)


@dataclass(frozen=True)
class Files:
    """Where things go.

    Attributes:
        model, picture, checkpoint: the files to be written.
        earlier_picture: the digest of the picture that an earlier run left behind with its model; "" if there is none.
    """

    model: Path
    picture: Path | None
    checkpoint: Path | None
    earlier_picture: str = ""

    @classmethod
    def choose(cls, data: str, training: TrainingOptions, output: OutputOptions) -> Files:
        """The files that were named, or such as are named after the data; all of them may be written.

        Raises:
            ArgumentError: one may not.
            MissingExtraError: a picture was asked for, and cannot be drawn.
        """
        read = files_of(data)
        model = output.model or Path(f"{Path(data).stem}.model.json")
        outputs.check(model, outputs.MODEL, force=output.force, inputs=read)
        picture = output.picture or model.with_name(f"{model.name.removesuffix('.json').removesuffix('.model')}.png")
        outputs.check_different([model, picture, training.checkpoint])
        earlier = _picture_of(model)
        outputs.check(picture, outputs.PICTURE, force=output.force, inputs=read, known=earlier)
        if training.checkpoint:
            outputs.check(training.checkpoint, outputs.CHECKPOINT, inputs=read)
        drawn = can_draw(required=output.picture is not None, quiet=output.quiet)
        return cls(model, picture if drawn else None, training.checkpoint, earlier)


def train(data: str, rows: DataOptions, net: NetOptions, training: TrainingOptions, output: OutputOptions) -> int:
    """Trains, measures, saves, and says what came of it."""
    for options in (rows, net, training):
        options.check()
    problem = Problem.read(data, rows, training.loss_name)
    model = _model(problem, net, rows.seed)
    files = Files.choose(data, training, output)
    if not output.quiet:
        for line in (*problem.notes, summary.beginning(problem)):
            remark(line)
    history = _fit(model, problem, training, seed=rows.seed, quiet=output.quiet)
    if not len(history):
        complain("stopped by Ctrl-C before the first epoch was done: there is no model")
        return INTERRUPTED
    about: dict[str, Any] = {"encoder": problem.encoder.to_config(), "loss": problem.goal.loss}
    if files.earlier_picture:  # known as ours until another one is drawn
        about["picture"] = files.earlier_picture
    save(model, files.model, **about)  # at once: whatever fails from here on, nothing that was learned is lost
    X, _ = problem.encoder.encode(problem.table, problem.held)
    report = compare(problem.encoder, problem.table, outputs_of(model, X), problem.held)
    about["held_out"] = report.numbers
    if files.picture:
        save_picture(files.picture, problem, model, history)
        about["picture"] = outputs.digest(files.picture)
    save(model, files.model, **about)
    summary.ending(report, history, data, files, quiet=output.quiet)
    return INTERRUPTED if history.stopped == "interrupted" else FINE


def _picture_of(model: Path) -> str:
    """The digest of the picture that an earlier run left behind with its model; "" if there is none."""
    try:
        return str(load_file(model)[1].get("picture", ""))
    except SavedFileError:
        return ""


def _model(problem: Problem, net: NetOptions, seed: int) -> MLP:
    init = "he" if net.activation in RAMPS else "xavier"
    inputs, sizes = len(problem.encoder.features), [*net.hidden, problem.goal.outputs]
    parameters = sum((nin + 1) * nout for nin, nout in pairwise([inputs, *sizes]))
    if parameters > MOST_PARAMETERS:
        raise ArgumentError(f"a network with {parameters:,} parameters is too large to be trained number by number")
    return MLP(inputs, sizes, activation=net.activation, init=init, seed=seed)


def _fit(model: MLP, problem: Problem, training: TrainingOptions, *, seed: int, quiet: bool) -> History:
    X, encoded = problem.encoder.encode(problem.table, problem.train)
    kind, usual = OPTIMIZERS[training.optimizer]
    checkpoint = Checkpoint(training.checkpoint, resume=training.resume) if training.checkpoint else None
    try:
        return fit(
            model,
            X,
            problem.goal.targets(encoded),
            loss=problem.goal.loss,
            optimizer=kind(model.parameters(), usual if training.lr is None else training.lr),
            epochs=training.epochs,
            batch_size=training.batch_size,
            validation=VALIDATION if training.patience else None,
            metrics=["accuracy"] if problem.goal.classes else [r2],
            seed=seed,
            callbacks=[EarlyStopping(training.patience)] if training.patience else [],
            checkpoint=checkpoint,
            progress=not quiet,
            compile=training.compiled,
        )
    except AnomalyError as error:
        raise AnomalyError(f"the training diverged, and nothing was saved; try a smaller --lr. {error}") from None
