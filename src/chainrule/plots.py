"""Plots, by matplotlib: the loss curve, the decision boundary, the gradients of each layer.

Each `plot_*` function draws into the axes that it is given, or into a figure of its own, and returns the axes:
`plot_history(history).figure.savefig("loss.png")`. No window is opened and no state of pyplot is used. Colours are
those of Okabe and Ito, which people with any kind of colour vision can tell apart; markers and dashes differ as well.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chainrule.errors import ArgumentError, SizeError, require, suggest
from chainrule.files import FilePath, atomic_write, check_target
from chainrule.modes import no_grad
from chainrule.nn import Module
from chainrule.training.callbacks import parameters_by_layer
from chainrule.training.history import History
from chainrule.training.objective import LABELS
from chainrule.training.samples import Samples, read_samples
from chainrule.training.trainer import to_numbers

BLUE, ORANGE, GREEN, RED, PINK, SKY, YELLOW = "#0072B2 #E69F00 #009E73 #D55E00 #CC79A7 #56B4E9 #F0E442".split()
PALETTE = (BLUE, ORANGE, GREEN, RED, PINK, SKY, YELLOW)
MARKERS = "osD^vPX"
DASHES = ("-", "--", "-.", ":")
INK = "#222222"

STYLE = {
    "font.size": 13.0,
    "axes.titlesize": 14.0,
    "axes.spines.top": False,
    "axes.edgecolor": "#666666",
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "svg.hashsalt": "chainrule",  # the same picture gives the same file
}
FORMATS = ("png", "svg", "pdf")
GRID = 50  # points a side at which the model is evaluated for a boundary
FINE = 400  # points a side that are drawn, from what lies between those


def plot_history(history: History, ax: Any = None) -> Any:
    """The loss of each epoch, and the accuracy, if there is one, on an axis to the right.

    Args:
        history: what `fit` returned.
        ax: where to draw; a figure of its own if left out.

    Returns:
        The axes of the loss.

    Raises:
        ArgumentError: there are no epochs in the history.
        MissingExtraError: matplotlib is not installed.

    >>> ax = plot_history(History([{"loss": 0.9}, {"loss": 0.4}], loss_name="cross_entropy"))
    >>> ax.get_ylabel(), list(ax.lines[0].get_ydata())
    ('cross entropy', [0.9, 0.4])
    """
    if not len(history):
        raise ArgumentError("the history has no epochs: there is nothing to plot")
    with _style():
        ax = ax or _axes()
        epochs = range(1, len(history) + 1)
        lines = _curves(ax, epochs, history.loss, history.validation_loss, BLUE, "loss")
        name = history.loss_name.replace("_", " ").strip("<>")
        ax.set(xlabel="epoch", ylabel=name, title="Loss" if not history.accuracy else "Loss and accuracy")
        _scale(ax, history.loss + history.validation_loss)
        ax.xaxis.get_major_locator().set_params(integer=True)
        if history.accuracy:
            right = ax.twinx()
            lines += _curves(right, epochs, history.accuracy, history.validation_accuracy, RED, "accuracy")
            right.set(ylabel="accuracy", ylim=(-0.02, 1.02))
            right.yaxis.set_major_formatter(require("matplotlib.ticker", extra="plot").PercentFormatter(1.0))
            right.spines["right"].set_visible(True)
        columns = 2 if len(lines) > 2 else len(lines)
        ax.legend(handles=lines, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=columns, handlelength=2.2)
    return ax
