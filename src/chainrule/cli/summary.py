"""What `chainrule train` says: in one line what begins, and at the end what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainrule.cli.goals import Output, r2, root_mean_squared_error
from chainrule.cli.outputs import quoted
from chainrule.cli.screen import plain, show as show_text
from chainrule.modes import no_grad
from chainrule.nn import Module
from chainrule.training import History

if TYPE_CHECKING:
    from chainrule.cli.train import Files, Problem

MOST_CLASSES = 10
"""So many classes are counted one by one, no more."""


@dataclass(frozen=True)
class Report:
    """How good the model is on the held-out rows.

    Attributes:
        numbers: accuracy; or root mean squared error and R².
        headline: the same in words.
        details: further lines: of each class, how many rows were right.
    """

    numbers: dict[str, float]
    headline: str
    details: tuple[str, ...] = ()


def outputs_of(model: Module, X: list[list[float]]) -> list[Output]:
    """What the model gives for each row, as plain numbers."""
    with no_grad():
        return [_number(model(row)) for row in X]


def beginning(problem: Problem, model: Any) -> str:
    """What is to be learned from what."""
    target, classes = problem.encoder.target.name, problem.goal.classes
    goal = f"{target} ({len(classes)} classes)" if classes else f"{target} (a number)"
    rows = f"{len(problem.train)} rows to learn from, {len(problem.held)} held out"
    net = f"{len(problem.encoder.features)} inputs, {len(model.parameters())} parameters"
    return f"{problem.table.path}: {goal} from {net}; {rows}"


def measure(problem: Problem, model: Module) -> Report:
    """Tries the model on the held-out rows."""
    X, encoded = problem.encoder.encode(problem.table, problem.held)
    predicted = [problem.encoder.decode(output) for output in outputs_of(model, X)]
    if problem.goal.classes:
        return _of_classes([problem.goal.classes[int(place)] for place in encoded], predicted, problem.goal.classes)
    decode = problem.encoder.target.decode
    return _of_numbers([float(decode(z)) for z in encoded], [float(number) for number in predicted])


def _of_classes(truth: list[str], predicted: list[Any], classes: tuple[str, ...]) -> Report:
    rows, right = Counter(truth), Counter([t for t, p in zip(truth, predicted, strict=True) if t == p])
    accuracy = right.total() / len(truth)
    width = max(len(plain(name)) for name in classes[:MOST_CLASSES])
    details = [f"{plain(name):{width}}  {right[name]} of {rows[name]}" for name in classes[:MOST_CLASSES]]
    return Report(
        {"accuracy": accuracy, "rows": len(truth)},
        f"accuracy [bold]{100 * accuracy:.1f} %[/bold]: {right.total()} of {len(truth)} rows never seen in training",
        tuple(details) if len(classes) <= MOST_CLASSES else (),
    )


def _of_numbers(truth: list[float], predicted: list[float]) -> Report:
    error, explained = root_mean_squared_error(predicted, truth), r2(predicted, truth)
    rows = f"{len(truth)} rows never seen in training"
    return Report(
        {"rmse": error, "r2": explained, "rows": len(truth)},
        f"R² [bold]{explained:.3f}[/bold], typical error (RMSE) [bold]{error:.4g}[/bold]: {rows}",
    )


def show(report: Report, history: History, data: str, files: Files, *, quiet: bool) -> None:
    """Prints the result, and what was left where."""
    show_text(f"held-out {report.headline}")
    if quiet:
        return
    for line in report.details:
        show_text(f"    {line}")
    show_text(f"training {_of_training(history)}")
    show_text(f"model    {plain(files.model)}")
    if files.picture:
        show_text(f"picture  {plain(files.picture)}")
    is_file = files.model.name and data.lower().endswith((".csv", ".tsv", ".txt"))
    show_text(f"next     {plain(quoted('chainrule', 'predict', files.model, data if is_file else 'FILE.csv'))}")


def _of_training(history: History) -> str:
    row = history.rows[-1]
    parts = [f"loss {row['loss']:.4g}"]
    if "accuracy" in row:
        parts.insert(0, f"accuracy {100 * row['accuracy']:.1f} %")
    ends = {"interrupted": " (stopped by Ctrl-C)", "early stopping": f" (early stopping, best: {history.best_epoch})"}
    return f"{', '.join(parts)} after {len(history)} epochs{ends.get(history.stopped, '')}"


def _number(output: Any) -> Output:
    return [value.data for value in output] if isinstance(output, list) else output.data
