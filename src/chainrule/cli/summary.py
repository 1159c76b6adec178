"""The messages of `chainrule train`: one line at the beginning, and the result at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chainrule.cli.baselines import Baselines, lead
from chainrule.cli.measures import Report
from chainrule.cli.outputs import quoted
from chainrule.cli.problem import Files, Problem
from chainrule.cli.screen import one_line, plain, remark, show
from chainrule.cli.sources import files_of
from chainrule.training import History

MOST_CLASSES = 10
"""Results are listed by class for at most so many classes."""

NARROWEST = 8
"""The least letters of a column of numbers."""

LONGEST_NAME = 28
"""The most letters of a model's name in a table of 80 columns."""


def _share(x: float) -> str:
    return f"{100 * x:.1f} %"


COLUMNS: dict[str, tuple[str, Callable[[float], str]]] = {
    "accuracy": ("accuracy", _share),
    "balanced_accuracy": ("balanced", _share),
    "f1": ("F1", "{:.3f}".format),
    "auc": ("AUC", "{:.3f}".format),
    "r2": ("R²", "{:.3f}".format),
    "rmse": ("RMSE", "{:.4g}".format),
    "mae": ("MAE", "{:.4g}".format),
}
"""The measures in reports: their headings, and how their numbers are written."""

ENDS = {"interrupted": " (Ctrl-C)", "early stopping": " (stopped early)"}
"""What is said of endings before the last epoch."""


@dataclass(frozen=True)
class Outcome:
    """What came of a training run.

    Attributes:
        report: what the network gives on the held-out rows; None if there are none.
        beside: what simpler models give on them.
        history: how the training went.
    """

    report: Report | None
    beside: Baselines | None
    history: History


def beginning(problem: Problem) -> str:
    """Says what is learned from what."""
    target, classes = problem.encoder.target.name, problem.goal.classes
    goal = f"{target} ({len(classes)} classes)" if classes else f"{target} (a number)"
    inputs = f"{len(problem.encoder.features)} input{'s' * (len(problem.encoder.features) > 1)}"
    watched = f", {len(problem.validation)} to know when to stop" if problem.validation else ""
    return f"learning {goal} from {inputs}: {len(problem.train)} rows{watched}, and {len(problem.held_out)} held out"


def ending(outcome: Outcome, data: str, files: Files, *, quiet: bool) -> None:
    """Prints the result and the names of the files."""
    report, history = outcome.report, outcome.history
    if report:
        show(f"held-out [bold]{report.words}[/bold] never seen in training")
    else:
        show("held-out none: no row is left to say how good the model is on rows that it has never seen")
    if quiet:
        return
    if report and len(report.classes) <= MOST_CLASSES:
        width = max([len(plain(name)) for name in report.classes], default=0)
        for name, (right, there) in report.classes.items():
            show(f"         {plain(name):{width}}  {right} of {there}")
    if report and outcome.beside:
        for line in table_of({"this network": report.numbers, **_numbers(outcome.beside)}):
            print(line)  # as it is, with its spaces
    show(f"training {_of_training(history)}")
    show(f"model    {plain(files.model)}")
    if files.picture:
        show(f"picture  {plain(files.picture)}")
    rows = files_of(data) or [Path("FILE.csv")]
    show(f"next     [bold]{plain(quoted('chainrule', 'predict', files.model, *rows))}[/bold]")
    for hint in _hints(outcome):
        remark(hint)


def _numbers(beside: Baselines) -> dict[str, dict[str, float]]:
    return {name: report.numbers for name, report in beside.reports.items()}


def table_of(numbers: dict[str, dict[str, float]]) -> list[str]:
    """The measures of several models in lines below each other.

    >>> for line in table_of({"this network": {"r2": 0.5, "rmse": 12.0}, "always the mean": {"r2": 0.0, "rmse": 17.0}}):
    ...     print(line)
                                  R²    RMSE
             this network      0.500      12
             always the mean   0.000      17
    """
    names = [name for name in COLUMNS if any(name in row for row in numbers.values())]
    shown = {
        name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 2]} …": row for name, row in numbers.items()
    }
    rows = [("", [COLUMNS[name][0] for name in names])]
    rows += [(one_line(label), [_cell(name, row) for name in names]) for label, row in shown.items()]
    width = max(len(label) for label, _ in rows)
    widths = [max(NARROWEST, 2 + max(len(cells[i]) for _, cells in rows)) for i in range(len(names))]
    return [
        f"         {label:{width}}" + "".join([f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=True)])
        for label, cells in rows
    ]


def _cell(name: str, row: dict[str, float]) -> str:
    return COLUMNS[name][1](row[name]) if name in row else "–"


def _hints(outcome: Outcome) -> list[str]:
    """What may help, or should be known."""
    report, beside, history = outcome.report, outcome.beside, outcome.history
    hints = []
    if _kept(history)["loss"] > history.loss[0]:
        hints.append("the loss is higher than after the first epoch: a smaller --lr may help")
    if report and beside and beside.of_linear and lead(beside.of_linear, report) > 0:
        hints.append("the linear model is better on the held-out rows: --sizes none trains that one alone")
    if report and beside and lead(report, beside.of_guess) <= 0:
        hints.append(f"this is no better than {beside.guess}, which needs no input")
    return hints


def _of_training(history: History) -> str:
    row, epochs = _kept(history), f"{len(history)} epoch{'s' * (len(history) > 1)}"
    accuracy = f"accuracy {100 * row['accuracy']:.1f} %, " if "accuracy" in row else ""
    when = f", the best of {epochs}{ENDS.get(history.stopped, '')}" if _best_is_kept(history) else f" after {epochs}"
    return f"{accuracy}loss {row['loss']:.4g}{when}"


def _best_is_kept(history: History) -> bool:
    """Whether the model has the parameters of its best epoch: after an interruption, and wherever rows were watched."""
    return history.stopped in ENDS or history.monitored != "loss"


def _kept(history: History) -> dict[str, float]:
    """The row of the epoch whose numbers the model has."""
    return history.rows[history.best_epoch - 1 if _best_is_kept(history) else -1]
