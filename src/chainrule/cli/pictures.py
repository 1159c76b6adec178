"""The picture that `chainrule train` saves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chainrule.cli.problem import Problem
from chainrule.data.tables import NumberColumn
from chainrule.nn import Module
from chainrule.plots import training_picture
from chainrule.training import History


class InUnits(Module):
    """A model for rows in the units of the table: it standardises them like the encoder, and calls another model."""

    def __init__(self, model: Module, columns: Sequence[NumberColumn]) -> None:
        self.model, self.columns = model, columns

    def forward(self, x: list[float]) -> Any:
        pairs = zip(self.columns, x, strict=True)
        return self.model.forward([(number - column.mean) / column.scale for column, number in pairs])


def save_picture(path: Path, problem: Problem, model: Module, history: History) -> None:
    """Saves loss and accuracy by epoch; for classes of two numbers also the decision boundary, with the training
    rows."""
    encoder = problem.encoder
    columns = [column for column in encoder.inputs if isinstance(column, NumberColumn) and column.scale]
    if not problem.goal.classes or len(encoder.features) != 2 or len(columns) != 2:
        training_picture(history, path=path)
        return
    X, encoded = encoder.encode(problem.table, problem.train)
    rows = [[column.decode(z) for column, z in zip(columns, row, strict=True)] for row in X]
    training_picture(
        history,
        InUnits(model, columns),
        rows,
        problem.goal.targets(encoded),
        path=path,
        classes=problem.goal.classes,
        features=encoder.features,
        **({} if problem.goal.outputs > 1 else {"threshold": 0.0}),
    )
