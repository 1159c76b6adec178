"""`chainrule train`: from a table to a model that was measured on rows it has never seen."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from chainrule import optim
from chainrule.cli import outputs, summary
from chainrule.cli.codes import FINE, INTERRUPTED
from chainrule.cli.measures import compare, outputs_of, r2
from chainrule.cli.options import DataOptions, NetOptions, OutputOptions, TrainingOptions
from chainrule.cli.pictures import save_picture
from chainrule.cli.problem import Files, Problem
from chainrule.cli.screen import complain, remark
from chainrule.errors import AnomalyError, ArgumentError
from chainrule.nn import MLP
from chainrule.saving.models import save
from chainrule.training import Checkpoint, EarlyStopping, History, fit

OPTIMIZERS = {"adam": (optim.Adam, 0.01), "adamw": (optim.AdamW, 0.01), "sgd": (optim.SGD, 0.1)}
"""Each with the learning rate that it has if none is given."""

RAMPS = ("relu", "leaky_relu", "gelu", "softplus")
"""Activations for which weights start as He et al. draw them."""

VALIDATION = 0.2

MOST_PARAMETERS = 1_000_000
"""Beyond this an epoch of single numbers would take hours."""


def train(data: str, rows: DataOptions, net: NetOptions, training: TrainingOptions, output: OutputOptions) -> int:
    """Trains, measures, saves, and says what came of it."""
    for options in (rows, net, training):
        options.check()
    problem = Problem.read(data, rows, training.loss_name)
    files = Files.choose(data, training, output)
    model = _model(problem, net, rows.seed)
    if not output.quiet:
        for line in (*problem.notes, summary.beginning(problem)):
            remark(line)
    history = _fit(model, problem, training, seed=rows.seed, quiet=output.quiet)
    if not len(history):
        complain("stopped by Ctrl-C before the first epoch was done: there is no model")
        return INTERRUPTED
    about: dict[str, Any] = {"encoder": problem.encoder.to_config(), "loss": problem.goal.loss}
    if files.earlier_picture:  # recorded as ours until another one is drawn
        about["picture"] = files.earlier_picture
    save(model, files.model, **about)  # first of all, so that no later failure loses the trained model
    X, _ = problem.encoder.encode(problem.table, problem.held_out)
    report = compare(problem.encoder, problem.table, outputs_of(model, X), problem.held_out)
    about["held_out"] = report.numbers
    if files.picture:
        save_picture(files.picture, problem, model, history)
        about["picture"] = outputs.digest(files.picture)
    save(model, files.model, **about)
    summary.ending(report, history, data, files, quiet=output.quiet)
    return INTERRUPTED if history.stopped == "interrupted" else FINE


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
