"""Plots, by matplotlib: loss curves, decision boundaries, the gradients of each layer.

Each `plot_*` function draws into the axes that it is given, or into a new figure, and returns the axes:
`plot_history(history).figure.savefig("loss.png")`. It opens no window and uses no state of pyplot, and a notebook shows
the result all the same. The colours are those of Okabe and Ito, which people with any kind of colour vision can
distinguish; markers and dashes differ as well.
"""

from __future__ import annotations

import importlib
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.core.extras import require
from chainrule.core.files import FilePath, atomic_write, check_target
from chainrule.core.modes import no_grad
from chainrule.errors import ArgumentError, DataError, SizeError, shown, suggest
from chainrule.nn import Module
from chainrule.training.callbacks import gradient_statistics, parameters_by_layer
from chainrule.training.history import History
from chainrule.training.objective import LABELS, middle
from chainrule.training.samples import Samples, read_samples
from chainrule.training.trainer import to_numbers

__all__ = ["plot_boundary", "plot_gradients", "plot_history", "training_picture"]

PALETTE = BLUE, ORANGE, GREEN, RED, PINK, SKY, YELLOW = (
    *("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442"),
)
MARKERS = "osD^vPX"
INK = "#222222"

STYLE = {
    "font.size": 14.0,
    "axes.titlesize": 15.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "lines.linewidth": 2.2,
    "legend.frameon": False,
    "svg.hashsalt": "chainrule",  # makes files reproducible
}
FORMATS = ("png", "svg", "pdf")
GRID = 50
"""A model is evaluated on a grid of so many points a side for its decision boundary."""

FINE = 400
"""The boundary is drawn on a grid of so many points a side, by interpolation."""
BINS = 41


def __dir__() -> list[str]:
    return __all__


def plot_history(history: History, ax: Any = None) -> Any:
    """Plots the loss of each epoch, and the accuracy, if there is one, on an axis to the right.

    Args:
        history: what `fit` returned.
        ax: the axes to draw into; a new figure if left out.

    Returns:
        The axes of the loss.

    Raises:
        ArgumentError: the history has no epochs.
        MissingExtraError: matplotlib is not installed.

    >>> ax = plot_history(History([{"loss": 0.9}, {"loss": 0.4}], loss_name="cross_entropy"))
    >>> ax.get_ylabel(), [float(y) for y in ax.lines[0].get_ydata()]
    ('cross entropy', [0.9, 0.4])
    """
    if not len(history):
        raise ArgumentError("the history has no epochs: there is nothing to plot")
    with _style():
        ax = ax or _own_axes()
        lines = _curves(ax, "loss", history.loss, history.validation_loss, BLUE)
        ax.set(xlabel="epoch", title="Loss")
        ax.set_ylabel(history.loss_name.replace("_", " "), color=BLUE)
        ax.xaxis.set_major_locator(_ticker().MaxNLocator(integer=True, nbins=6, steps=[1, 2, 5, 10]))
        if min(history.loss + history.validation_loss) >= 0:
            ax.set_ylim(bottom=0)
        if history.accuracy:
            right = ax.twinx()
            lines += _curves(right, "accuracy", history.accuracy, history.validation_accuracy, RED)
            right.set_ylim(0, 1.03)
            right.set_ylabel("accuracy", color=RED)
            right.yaxis.set_major_formatter(_ticker().PercentFormatter(1.0))
            right.spines["right"].set_visible(True)
            ax.set_title("Loss and accuracy")
        ax.legend(handles=lines, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    return ax


def plot_boundary(
    model: Module,
    X: Any,
    y: Any,
    ax: Any = None,
    *,
    classes: Sequence[str] | None = None,
    features: Sequence[str] = ("x1", "x2"),
    threshold: float | None = None,
) -> Any:
    """Plots the class that a model predicts at each point of the plane, and the samples.

    Args:
        model: takes two numbers; returns one score for each class, or a single score for two classes.
        X: the samples, rows of two numbers.
        y: the class of each sample: an index for several scores, one of two numbers such as 0 and 1 for a single score.
        ax: the axes to draw into; a new figure if left out.
        classes: the names of the classes, in the order of the scores; the targets themselves if left out.
        features: the names of the two inputs.
        threshold: the single score above which the second class is predicted. If left out: the midpoint of the two
            targets if no sample's score lies outside of them, as after a sigmoid or tanh; otherwise 0.

    Returns:
        The axes.

    Raises:
        SizeError: the rows do not have two numbers, or the numbers of names and classes differ.
        DataError: a target is not a class of the model.
        MissingExtraError: matplotlib is not installed.

    >>> from chainrule.nn import MLP
    >>> ax = plot_boundary(MLP(2, [3, 1], seed=1), [[0.0, 0.0], [1.0, 1.0]], [0, 1], features=("length", "width"))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('length', 'width')
    """
    samples = read_samples(X, y)
    if len(samples.X[0]) != 2:
        raise SizeError(f"a boundary is drawn for two inputs, but X has rows of {len(samples.X[0])}")
    targets, scores = _scores(model, samples)
    names = [str(target) for target in targets] if classes is None else list(classes)
    if len(names) != len(targets):
        raise SizeError(f"{len(names)} names for {len(targets)} classes: give one for each")
    plane = _Plane.around(samples)
    with _style():
        ax = ax or _own_axes(5.6, 5.2)
        if len(scores[0]) == 1:
            low, high = targets
            beyond = any(not low <= row[0] <= high for row in scores)
            level = (0.0 if beyond else (low + high) / 2) if threshold is None else threshold
            margins = plane.scores(model) - level
            _draw_regions(ax, plane, [-margins[0], margins[0]])
        else:
            _draw_regions(ax, plane, list(plane.scores(model)))
        _draw_samples(ax, samples, targets, names)
        ax.set(xlabel=features[0], ylabel=features[1], title="Decision boundary")
        ax.xaxis.set_major_locator(_ticker().MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=min(len(names), 4), handletextpad=0.2)
    return ax


def plot_gradients(model: Module, ax: Any = None) -> Any:
    """Plots a histogram of the gradients of each layer after `backward()`, each at its own scale.

    Args:
        model: the model.
        ax: the axes to draw into; a new figure if left out.

    Returns:
        The axes.

    Raises:
        ArgumentError: every gradient is 0, or one is infinite or nan.
        MissingExtraError: matplotlib is not installed.

    >>> from chainrule.nn import MLP
    >>> model = MLP(2, [3, 1], activation="tanh", seed=1)
    >>> model([1.0, -1.0]).backward()
    >>> [label.get_text() for label in plot_gradients(model).get_yticklabels()]
    ['layers.1', 'layers.0']
    """
    layers = {name: [p.peek_grad() for p in parameters] for name, parameters in parameters_by_layer(model).items()}
    largest = max((abs(gradient) for gradients in layers.values() for gradient in gradients), default=0.0)
    if not 0 < largest < math.inf:
        fault = "every gradient is 0" if largest == 0 else "a gradient is not finite"
        raise ArgumentError(f"{fault}: plot the gradients after loss.backward(), before zero_grad()")
    edges = [largest * (2 * i / BINS - 1) for i in range(BINS + 1)]
    with _style():
        ax = ax or _own_axes(7.2, 2.4 + 0.8 * len(layers))
        for row, gradients in enumerate(layers.values()):
            _draw_histogram(ax, gradients, edges, baseline=len(layers) - 1 - row)
        ax.set(xlabel="gradient", title="Gradients of each layer", ylim=(-0.1, len(layers)))
        ax.set_yticks(range(len(layers)), labels=list(layers)[::-1])
        ax.xaxis.set_major_locator(_ticker().MaxNLocator(nbins=6, symmetric=True))
    return ax


def training_picture(
    history: History,
    model: Module | None = None,
    X: Any = None,
    y: Any = None,
    *,
    path: FilePath | None = None,
    panels: Sequence[Callable[[Any], Any]] = (),
    **options: Any,
) -> Any:
    """Makes a picture of a training run: loss and accuracy, and the decision boundary if there are two inputs.

    Args:
        history: what `fit` returned.
        model, X, y: for the boundary. It is drawn if all three are given, X has two columns, and the loss is about
            classes or y has two values.
        path: a `.png`, `.svg` or `.pdf` file, written atomically; no file if left out.
        panels: functions that draw something of your own into axes, which stand to the right.
        options: `classes`, `features` and `threshold`, as for `plot_boundary`.

    Returns:
        The figure, which a notebook shows.

    Raises:
        ArgumentError: the history has no epochs, or the file is of another kind.
        SavedFileError: the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    kind = "" if path is None else Path(check_target(path)).suffix[1:].lower()
    if path is not None and kind not in FORMATS:
        raise ArgumentError(f"{path}: a picture is a file of .{', .'.join(FORMATS)}.{suggest(kind, FORMATS)}")
    samples = None if model is None or X is None or y is None else read_samples(X, y)
    if samples is not None and not _has_boundary(history, samples):
        samples = None
    if samples is not None and history.loss_name not in (*LABELS, "cross_entropy"):
        options = {"threshold": middle(samples.y)} | options
    with _style():
        count = 1 + bool(samples) + len(panels)
        figure = _figure(7.2 if count == 1 else 5.5 * count, 5.0)
        figure.get_layout_engine().set(wspace=0.08)
        places = _side_by_side(figure, count)
        plot_history(history, places[0])
        if samples and model is not None:
            plot_boundary(model, samples.X, samples.y, places[1], **options)
        for place, draw in zip(places[count - len(panels) :], panels, strict=True):
            draw(place)
        if path is not None:
            _save(figure, path, kind)
    return figure


def _save(figure: Any, path: FilePath, kind: str) -> None:
    """Writes a figure to a file, without the date, so that the same picture is the same file."""
    buffer = io.BytesIO()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[kind]
    figure.savefig(buffer, format=kind, dpi=100, metadata=undated)
    atomic_write(path, buffer.getvalue())


def _has_boundary(history: History, samples: Samples) -> bool:
    few = all(isinstance(target, int | float) for target in samples.y) and len(set(samples.y)) <= 2
    return len(samples.X[0]) == 2 and (history.loss_name == "cross_entropy" or few)


# ---- the plane of a decision boundary ----


@dataclass(frozen=True)
class _Plane:
    """The rectangle around some samples."""

    left: float
    right: float
    bottom: float
    top: float

    @classmethod
    def around(cls, samples: Samples) -> _Plane:
        (left, right), (bottom, top) = (_widened(min(xs), max(xs)) for xs in zip(*samples.X, strict=True))
        return cls(left, right, bottom, top)

    def scores(self, model: Module) -> Any:
        """An array (scores, FINE, FINE) of the model's scores, from bottom to top and left to right."""
        numpy = require("numpy", extra="plot")
        xs, ys = numpy.linspace(self.left, self.right, GRID), numpy.linspace(self.bottom, self.top, GRID)
        with no_grad():
            rows = [[_list(output) for output in to_numbers(model([[x, y] for x in xs.tolist()]))] for y in ys.tolist()]
        coarse = numpy.moveaxis(numpy.array(rows), 2, 0)
        places = numpy.linspace(0, GRID - 1, FINE)
        weights = numpy.clip(1 - abs(places[:, None] - numpy.arange(GRID)), 0, 1)  # linear interpolation
        return weights @ coarse @ weights.T


def _widened(low: float, high: float) -> tuple[float, float]:
    margin = 0.12 * (high - low) or 1.0
    return low - margin, high + margin


def _scores(model: Module, samples: Samples) -> tuple[list[Any], list[list[float]]]:
    """The targets that stand for the classes, and the scores of each sample: one, or one for each class."""
    with no_grad():
        scores = [_list(output) for output in to_numbers(model(samples.X))]
    values = set() if any(isinstance(target, list) for target in samples.y) else set(samples.y)
    count = len(scores[0])
    if count > 1:
        for target in values - set(range(count)) or ({samples.y[0]} if not values else set()):
            raise DataError(f"the target {shown(target)} is not the index of a class: the model has 0 to {count - 1}")
        return list(range(count)), scores
    if not 1 <= len(values) <= 2:
        raise DataError(f"a single score parts two classes, but y has {len(values)} different numbers")
    if len(values) == 1:
        values |= {0, 1} if values <= {0, 1} else {-next(iter(values))}
    return sorted(values), scores


def _draw_regions(ax: Any, plane: _Plane, scores: list[Any]) -> None:
    """Tints the plane by the highest score, with a line where two scores are equal."""
    numpy = require("numpy", extra="plot")
    tints = require("matplotlib.colors", extra="plot").ListedColormap(
        [_tint(PALETTE[i % len(PALETTE)]) for i in range(len(scores))]
    )
    extent = (plane.left, plane.right, plane.bottom, plane.top)
    highest = numpy.argmax(scores, axis=0)
    look = {"cmap": tints, "vmin": -0.5, "vmax": len(scores) - 0.5, "interpolation": "nearest"}
    ax.imshow(highest, origin="lower", extent=extent, aspect="auto", **look)
    for i, score in enumerate(scores[1:], 1):
        margin = score - numpy.max([other for j, other in enumerate(scores) if j != i], axis=0)
        if margin.min() < 0 < margin.max():
            ax.contour(margin, levels=[0.0], origin="lower", extent=extent, colors=[INK], linewidths=1.4)


def _draw_samples(ax: Any, samples: Samples, targets: list[Any], names: list[str]) -> None:
    size = min(max(4000 / len(samples), 14), 60)
    for i, (target, name) in enumerate(zip(targets, names, strict=True)):
        points = [row for row, its in zip(samples.X, samples.y, strict=True) if its == target]
        look = {"color": PALETTE[i % len(PALETTE)], "marker": MARKERS[i % len(MARKERS)], "edgecolors": INK}
        ax.scatter([x for x, _ in points], [x for _, x in points], s=size, linewidths=0.6, label=name, **look)


def _draw_histogram(ax: Any, gradients: list[float], edges: list[float], baseline: int) -> None:
    """Draws the gradients of one layer, scaled so that layers can stand above each other."""
    counts = require("numpy", extra="plot").histogram(gradients, edges)[0]
    ax.axhline(baseline, color="#BBBBBB", linewidth=1.0)
    ax.stairs(baseline + 0.8 * counts / counts.max(), edges, baseline=baseline, fill=True, color=BLUE)
    statistics = gradient_statistics(gradients)
    shown = f"{len(gradients)} parameters, {statistics['zeros']:.0%} exactly 0, deviation {statistics['deviation']:.2g}"
    ax.text(edges[-1], baseline + 0.82, shown, ha="right", va="bottom", fontsize="small", color=INK)


def _tint(colour: str) -> tuple[float, ...]:
    """A light tint of a colour."""
    return tuple(1 - 0.35 * (1 - part) for part in require("matplotlib.colors", extra="plot").to_rgb(colour))


# ---- matplotlib, without pyplot ----


def _curves(ax: Any, name: str, train: list[float], validation: list[float], colour: str) -> list[Any]:
    """A solid line for the training rows, and a dashed one for the validation rows."""
    lines = []
    for numbers, dashes, label in ((train, "-", name), (validation, "--", f"validation {name}")):
        if numbers:
            marker = "o" if len(numbers) == 1 else None  # a line of one point would be invisible
            look = {"color": colour, "linestyle": dashes, "label": label, "marker": marker}
            lines += ax.plot(range(1, len(numbers) + 1), numbers, **look)
    return lines


def _figure(width: float, height: float) -> Any:
    require("matplotlib.figure", extra="plot")
    return _shown().ShownFigure(figsize=(width, height), layout="constrained")


def _side_by_side(figure: Any, count: int) -> Any:
    """Axes side by side in a figure."""
    return figure.subplots(1, count, squeeze=False, subplot_kw={"axes_class": _shown().ShownAxes})[0]


def _own_axes(width: float = 7.2, height: float = 5.0) -> Any:
    return _side_by_side(_figure(width, height), 1)[0]


def _shown() -> Any:
    return importlib.import_module("chainrule.bridges.matplotlib")  # it needs matplotlib


def _style() -> Any:
    return require("matplotlib", extra="plot").rc_context(STYLE)


def _ticker() -> Any:
    return require("matplotlib.ticker", extra="plot")


def _list(x: Any) -> list[float]:
    return x if isinstance(x, list) else [x]
