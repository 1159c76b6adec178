"""The picture that `chainrule train` saves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from chainrule.cli.measures import Report
from chainrule.cli.problem import Problem
from chainrule.core.extras import require
from chainrule.data.tables import NumberColumn
from chainrule.nn import Module
from chainrule.plots import BLUE, INK, training_picture
from chainrule.training import History


class InUnits(Module):
    """A model for rows in the units of the table: it standardises them like the encoder, and calls another model."""

    def __init__(self, model: Module, columns: Sequence[NumberColumn]) -> None:
        self.model, self.columns = model, columns

    def forward(self, x: list[float]) -> Any:
        pairs = zip(self.columns, x, strict=True)
        return self.model.forward([(number - column.mean) / column.scale for column, number in pairs])


MOST_CLASSES = 30
"""A confusion matrix of more classes cannot be read."""

MOST_NUMBERS = 12
"""A confusion matrix of more classes has no numbers in its cells."""

LONGEST = 12
"""Names of classes are cut to so many letters."""


def save_picture(path: Path, problem: Problem, model: Module, history: History, report: Report | None) -> None:
    """Saves loss and accuracy by epoch; for classes of two numbers also the decision boundary, with the training rows;
    and how the predictions for the held-out rows compare with the truth."""
    encoder = problem.encoder
    beside = _comparison(problem, report) if report else None
    panels = [beside] if beside else []
    columns = [column for column in encoder.inputs if isinstance(column, NumberColumn) and column.scale]
    if not problem.goal.classes or len(encoder.features) != 2 or len(columns) != 2:
        training_picture(history, path=path, panels=panels)
        return
    X, encoded = encoder.encode(problem.table, problem.train)
    rows = [[column.decode(z) for column, z in zip(columns, row, strict=True)] for row in X]
    training_picture(
        history,
        InUnits(model, columns),
        rows,
        problem.goal.targets(encoded),
        path=path,
        panels=panels,
        classes=problem.goal.classes,
        features=encoder.features,
        **({} if problem.goal.outputs > 1 else {"threshold": 0.0}),
    )


def _comparison(problem: Problem, report: Report) -> Callable[[Any], None] | None:
    """What draws predictions beside the truth into axes; None if there are too many classes."""
    classes = problem.goal.classes
    if classes is None:
        return lambda ax: draw_predictions(ax, report.pairs, problem.encoder.target.name)
    return (lambda ax: draw_confusion(ax, report.pairs, classes)) if len(classes) <= MOST_CLASSES else None


def draw_confusion(ax: Any, pairs: Sequence[tuple[str, str]], classes: Sequence[str]) -> None:
    """Draws the confusion matrix: how many rows of each class were predicted as which."""
    counts = Counter(pairs)
    grid = [[counts[truth, said] for said in classes] for truth in classes]
    white = require("matplotlib.colors", extra="plot").LinearSegmentedColormap.from_list("", ["#FFFFFF", BLUE])
    most = max(max(row) for row in grid)
    ax.imshow(grid, cmap=white, vmin=0, vmax=most, aspect="equal")
    if len(classes) <= MOST_NUMBERS:
        for i, row in enumerate(grid):
            for j, count in enumerate(row):
                ax.text(j, i, str(count), ha="center", va="center", color="white" if 2 * count > most else INK)
    names = [_plain(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…") for name in classes]
    slanted = sum(map(len, names)) > 30
    ax.set_xticks(range(len(classes)), names, rotation=45 if slanted else 0, ha="right" if slanted else "center")
    ax.set_yticks(range(len(classes)), names)
    ax.tick_params(length=0)
    ax.set(xlabel="predicted", ylabel="truth", title="Held-out rows")


def draw_predictions(ax: Any, pairs: Sequence[tuple[float, float]], name: str) -> None:
    """Draws each prediction against the truth; good ones lie on the line."""
    truth, predicted = [t for t, _ in pairs], [p for _, p in pairs]
    low, high = min(truth + predicted), max(truth + predicted)
    ax.plot([low, high], [low, high], color="#999999", linewidth=1.2, zorder=1)
    ax.scatter(truth, predicted, s=26, color=BLUE, alpha=0.7, linewidths=0, zorder=2)
    ax.set(xlabel=_plain(name), ylabel="predicted", title="Held-out rows")


def _plain(text: str) -> str:
    """Text without formulas, which matplotlib would find between two dollar signs."""
    return text.replace("$", r"\$")
