"""The messages of `chainrule train`: one line at the beginning, and the result at the end."""

from __future__ import annotations

from pathlib import Path

from chainrule.cli.measures import Report
from chainrule.cli.outputs import quoted
from chainrule.cli.problem import Files, Problem
from chainrule.cli.screen import plain, remark, show
from chainrule.cli.sources import files_of
from chainrule.training import History

MOST_CLASSES = 10
"""Results are listed by class for at most so many classes."""

ENDS = {"interrupted": " (Ctrl-C)", "early stopping": " (stopped early)"}
"""The endings after which the model has the parameters of its best epoch."""


def beginning(problem: Problem) -> str:
    """Says what is learned from what."""
    target, classes = problem.encoder.target.name, problem.goal.classes
    goal = f"{target} ({len(classes)} classes)" if classes else f"{target} (a number)"
    inputs = f"{len(problem.encoder.features)} input{'s' * (len(problem.encoder.features) > 1)}"
    return f"learning {goal} from {inputs}: {len(problem.train)} rows, and {len(problem.held_out)} held out"


def ending(report: Report, history: History, data: str, files: Files, *, quiet: bool) -> None:
    """Prints the result and the names of the files."""
    show(f"held-out [bold]{report.words}[/bold] never seen in training")
    if quiet:
        return
    if len(report.classes) <= MOST_CLASSES:
        width = max([len(plain(name)) for name in report.classes], default=0)
        for name, (right, there) in report.classes.items():
            show(f"         {plain(name):{width}}  {right} of {there}")
    show(f"training {_of_training(history)}")
    show(f"model    {plain(files.model)}")
    if files.picture:
        show(f"picture  {plain(files.picture)}")
    rows = files_of(data) or [Path("FILE.csv")]
    show(f"next     [bold]{plain(quoted('chainrule', 'predict', files.model, *rows))}[/bold]")
    if _kept(history)["loss"] > history.loss[0]:
        remark("the loss is higher than after the first epoch: a smaller --lr may help")


def _of_training(history: History) -> str:
    row, epochs = _kept(history), f"{len(history)} epoch{'s' * (len(history) > 1)}"
    accuracy = f"accuracy {100 * row['accuracy']:.1f} %, " if "accuracy" in row else ""
    when = f", the best of {epochs}{ENDS[history.stopped]}" if history.stopped in ENDS else f" after {epochs}"
    return f"{accuracy}loss {row['loss']:.4g}{when}"


def _kept(history: History) -> dict[str, float]:
    """The row of the epoch whose numbers the model has."""
    return history.rows[history.best_epoch - 1 if history.stopped in ENDS else -1]
