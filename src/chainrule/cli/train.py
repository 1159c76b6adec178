"""`chainrule train`: from a table to a model that was measured on rows it has never seen."""

from __future__ import annotations

from typing import Any

from chainrule.cli import outputs, summary
from chainrule.cli.baselines import Baselines, baselines, measure
from chainrule.cli.codes import FINE, INTERRUPTED
from chainrule.cli.fitting import Recipe
from chainrule.cli.measures import Report, outputs_of
from chainrule.cli.options import DataOptions, NetOptions, OutputOptions, TrainingOptions
from chainrule.cli.pictures import save_picture
from chainrule.cli.problem import Files, Problem
from chainrule.cli.screen import complain, remark
from chainrule.nn import MLP
from chainrule.saving.models import save
from chainrule.training import Checkpoint, History


def train(data: str, rows: DataOptions, net: NetOptions, training: TrainingOptions, output: OutputOptions) -> int:
    """Trains, measures, saves, and says what came of it."""
    for options in (rows, net, training):
        options.check()
    problem = Problem.read(data, rows, training)
    files = Files.choose(data, training, output)
    recipe = Recipe(net, training, rows.seed, output.quiet)
    hidden = net.hidden(len(problem.encoder.inputs))
    model = recipe.model(problem, hidden)
    if not output.quiet:
        for line in (*problem.notes, summary.beginning(problem)):
            remark(line)
    checkpoint = Checkpoint(training.checkpoint, resume=training.resume) if training.checkpoint else None
    history = recipe.fit(model, problem, checkpoint)
    if not len(history):
        complain("stopped by Ctrl-C before the first epoch was done: there is no model")
        return INTERRUPTED
    about = _about(problem, rows, history)
    if files.earlier_picture:  # recorded as ours until another one is drawn
        about["picture"] = files.earlier_picture
    save(model, files.model, **about)  # first of all, so that no later failure loses the trained model
    report, beside = _measured(model, problem, recipe, linear=bool(hidden) and history.stopped != "interrupted")
    if report:
        about["held_out"] = report.numbers
    if beside:
        about["beside"] = {name: other.numbers for name, other in beside.reports.items()}
    save(model, files.model, **about)
    if files.picture:
        save_picture(files.picture, problem, model, history, report)
        about["picture"] = outputs.digest(files.picture)
        save(model, files.model, **about)
    summary.ending(summary.Outcome(report, beside, history), data, files, quiet=output.quiet)
    interrupted = history.stopped == "interrupted" or (beside is not None and beside.interrupted)
    return INTERRUPTED if interrupted else FINE


def _about(problem: Problem, rows: DataOptions, history: History) -> dict[str, Any]:
    """What is saved with a model: all that `predict` and `info` need."""
    about: dict[str, Any] = {"encoder": problem.encoder.to_config(), "loss": problem.goal.loss}
    if told := {name: word for name, word in (("delimiter", rows.delimiter), ("encoding", rows.encoding)) if word}:
        about["reading"] = told
    counts = {"train": len(problem.train), "validation": len(problem.validation), "held_out": len(problem.held_out)}
    about["trained"] = {"data": problem.table.path, "rows": counts, "epochs": len(history), "stopped": history.stopped}
    return about


def _measured(model: MLP, problem: Problem, recipe: Recipe, *, linear: bool) -> tuple[Report | None, Baselines | None]:
    """What the network gives on the held-out rows, and what simpler models do; None where no rows are held out."""
    if not problem.held_out:
        return None, None
    X = problem.encoder.encode_inputs(problem.table, problem.held_out)
    report = measure(problem, outputs_of(model, X))
    return report, baselines(problem, recipe, linear=linear)
