"""What a trained network is compared with: a guess that looks at no input, and a linear model."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from chainrule.cli.fitting import Recipe
from chainrule.cli.goals import Output
from chainrule.cli.measures import Report, compare, outputs_of
from chainrule.cli.problem import Problem
from chainrule.errors import AnomalyError

CHIEF = ("accuracy", "r2")
"""The number that decides which model is better: that of classes, and that of numbers."""


@dataclass(frozen=True)
class Baselines:
    """What simpler models give on the held-out rows.

    Attributes:
        guess: the name of the guess: the most frequent class, or the mean.
        of_guess: what the guess gives.
        of_linear: what a linear model gives; None where there is none beside the network, or it could not be trained.
        interrupted: whether its training was stopped by Ctrl-C.
    """

    guess: str
    of_guess: Report
    of_linear: Report | None
    interrupted: bool = False

    @property
    def reports(self) -> dict[str, Report]:
        """The reports by the names of the models."""
        linear = {} if self.of_linear is None else {"linear model": self.of_linear}
        return linear | {self.guess: self.of_guess}


def measure(problem: Problem, results: list[Output]) -> Report:
    """Compares outputs for the held-out rows with their targets."""
    return compare(problem.encoder, problem.table, results, problem.held_out)


def baselines(problem: Problem, recipe: Recipe, *, linear: bool) -> Baselines:
    """Measures the guess, and trains and measures a linear model: the same training of a network without hidden
    layers."""
    name, output = _guess(problem)
    of_linear, interrupted = _linear(problem, recipe) if linear else (None, False)
    return Baselines(name, measure(problem, [output] * len(problem.held_out)), of_linear, interrupted)


def _linear(problem: Problem, recipe: Recipe) -> tuple[Report | None, bool]:
    """What a linear model gives, if its training came to an end, and whether it was interrupted."""
    model = recipe.model(problem, [])
    try:
        history = recipe.fit(model, problem, shown=False)
    except AnomalyError:  # it diverged, which is no fault of the network's
        return None, False
    if history.stopped == "interrupted":
        return None, True
    X = problem.encoder.encode_inputs(problem.table, problem.held_out)
    return measure(problem, outputs_of(model, X)), False


def lead(report: Report, other: Report) -> float:
    """How far the first report is better than the second; nan where they cannot be compared."""
    for chief in CHIEF:
        if chief in report.numbers and chief in other.numbers:
            return report.numbers[chief] - other.numbers[chief]
    return math.nan


def _guess(problem: Problem) -> tuple[str, Output]:
    """The guess for all rows, and the output of a network that would make it."""
    classes, rows = problem.goal.classes, [*problem.train, *problem.validation]
    if not classes:
        return "always the mean", 0.0
    counts = Counter(problem.encoder.encode_targets(problem.table, rows))
    place = int(min(counts, key=lambda place: (-counts[place], place)))
    name = f"always {classes[place]}"
    if problem.goal.outputs == 1:
        return name, 1.0 if place else -1.0
    return name, [float(place == other) for other in range(len(classes))]
