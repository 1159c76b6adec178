"""Callbacks, which `fit` calls after each epoch: early stopping, statistics of gradients, or a function of your own.

A callback is a function of a `TrainingState`. A resumed run gives exactly the numbers of an uninterrupted one if its
callbacks depend on nothing but that state and its history; both callbacks in this file do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chainrule.engine import Value
from chainrule.errors import ArgumentError, shown
from chainrule.nn import Module
from chainrule.optim import Optimizer
from chainrule.training.history import History


@dataclass
class TrainingState:
    """The state of training after an epoch.

    Attributes:
        model: the model.
        optimizer: the optimiser.
        history: the history of all epochs so far; `history.rows[-1]` is the last one.
        epochs: the number of epochs to be done in all.

    >>> def stop_when_good(state):
    ...     if state.history.loss[-1] < 0.01:
    ...         state.stop("good enough")
    """

    model: Module
    optimizer: Optimizer
    history: History
    epochs: int
    stop_reason: str = ""
    wants_best: bool = False

    @property
    def epoch(self) -> int:
        """The number of epochs done."""
        return len(self.history)

    def stop(self, reason: str = "callback") -> None:
        """Ends training after this epoch; `history.stopped` becomes the reason."""
        self.stop_reason = reason

    def keep_best(self) -> None:
        """Restores the parameters of the best epoch if training ends here."""
        self.wants_best = True


Callback = Callable[[TrainingState], Any]


@dataclass(frozen=True)
class EarlyStopping:
    """A callback that stops training when the validation loss has not improved for a while (the loss, without
    validation rows).

    Args:
        patience: the number of epochs without an improvement after which it stops.
        min_delta: how far the loss must fall below the best one so far to count as improved.
        restore_best: whether the model gets the parameters of its best epoch at the end, also when all epochs were
            done.

    Raises:
        ArgumentError: `patience` is not a positive integer, or `min_delta` is negative.

    >>> EarlyStopping(patience=5)
    EarlyStopping(patience=5, min_delta=0.0, restore_best=True)
    """

    patience: int = 10
    min_delta: float = 0.0
    restore_best: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.patience, bool) or not isinstance(self.patience, int) or self.patience < 1:
            raise ArgumentError(f"patience is a number of epochs, 1 or more, not {shown(self.patience)}")
        if not isinstance(self.min_delta, int | float) or not 0 <= self.min_delta < math.inf:
            raise ArgumentError(f"min_delta must be 0 or more, not {shown(self.min_delta)}")

    def __call__(self, state: TrainingState) -> None:
        losses = state.history[state.history.monitored]
        best, since = math.inf, 0
        for loss in losses:
            best, since = (loss, 0) if loss < best - self.min_delta else (best, since + 1)
        if since >= self.patience:
            state.stop("early stopping")
        if self.restore_best and (since >= self.patience or state.epoch == state.epochs):
            state.keep_best()


def record_gradients(state: TrainingState) -> None:
    """A callback that adds statistics of each layer's gradients to the history, from the last step of the epoch.

    `history.gradients[epoch][layer]` has "mean", "deviation" (the standard deviation), "largest" (the largest absolute
    value) and "zeros" (the share of gradients that are exactly 0, as behind a relu that is off).

    >>> from chainrule.data import xor
    >>> from chainrule.nn import MLP
    >>> from chainrule.training import fit
    >>> X, y = xor()
    >>> model = MLP(2, [1], seed=1)
    >>> history = fit(model, X, y, loss="binary_cross_entropy", epochs=1, callbacks=record_gradients)
    >>> sorted(history.gradients[0]["layers.0"])
    ['deviation', 'largest', 'mean', 'zeros']
    """
    state.history.gradients.append(
        {
            layer: gradient_statistics([parameter.peek_grad() for parameter in parameters])
            for layer, parameters in parameters_by_layer(state.model).items()
        }
    )


def gradient_statistics(gradients: list[float]) -> dict[str, float]:
    """The mean, the standard deviation, the largest absolute value and the share of zeros.

    >>> gradient_statistics([0.0, 2.0, -2.0, 0.0])
    {'mean': 0.0, 'deviation': 1.4142135623730951, 'largest': 2.0, 'zeros': 0.5}
    """
    mean = math.fsum(x / len(gradients) for x in gradients)
    return {
        "mean": mean,
        "deviation": math.hypot(*[x - mean for x in gradients]) / math.sqrt(len(gradients)),
        "largest": max(abs(x) for x in gradients),
        "zeros": gradients.count(0.0) / len(gradients),
    }


def parameters_by_layer(model: Module) -> dict[str, list[Value]]:
    """The parameters of each part of the model: of each Module in a list, and of each other attribute.

    >>> from chainrule.nn import MLP
    >>> {layer: len(parameters) for layer, parameters in parameters_by_layer(MLP(2, [3, 1])).items()}
    {'layers.0': 9, 'layers.1': 4}
    """
    layers: dict[str, list[Value]] = {}
    for name, parameter in model.named_parameters():
        first, *rest = name.split(".")
        part = getattr(model, first, None)
        numbered = isinstance(part, list | tuple) and isinstance(part[int(rest[0])], Module)
        layers.setdefault(f"{first}.{rest[0]}" if numbered else first, []).append(parameter)
    return layers
