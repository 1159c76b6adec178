"""Plots: what is drawn is what happened; files are whole; no window, no pyplot."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys

import pytest

from chainrule import plots
from chainrule.data import circles, moons, spiral, xor
from chainrule.errors import ArgumentError, DataError, MissingExtraError, OperandError, SavedFileError, SizeError
from chainrule.nn import MLP
from chainrule.plots import plot_boundary, plot_gradients, plot_history, training_picture
from chainrule.training import History, fit

pytest.importorskip("matplotlib")

HISTORY = History(
    [
        {"loss": 0.9, "accuracy": 0.5, "validation_loss": 1.0, "validation_accuracy": 0.4, "lr": 0.1},
        {"loss": 0.4, "accuracy": 0.9, "validation_loss": 0.6, "validation_accuracy": 0.8, "lr": 0.1},
    ],
    loss_name="cross_entropy",
)


def names(folder):
    """Of the files in a folder, hidden ones included."""
    return sorted(file.name for file in folder.iterdir())


def line_model(**options) -> MLP:
    """x1 - x2, so that the classes are above and below the diagonal."""
    model = MLP(2, [1], **options, seed=1)
    model.load_state_dict({"layers.0.neurons.0.w.0": 1.0, "layers.0.neurons.0.w.1": -1.0, "layers.0.neurons.0.b": 0.0})
    return model


def region(ax, x, y):
    """The class whose colour stands at a point."""
    image = ax.images[0]
    left, right, bottom, top = image.get_extent()
    classes = image.get_array()
    row, column = (y - bottom) / (top - bottom) * len(classes), (x - left) / (right - left) * len(classes)
    return int(classes[int(row)][int(column)])


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_history():
    ax = plot_history(HISTORY)
    left, right = ax.figure.axes
    assert [list(line.get_ydata()) for line in left.lines] == [HISTORY.loss, HISTORY.validation_loss]
    assert [list(line.get_ydata()) for line in right.lines] == [HISTORY.accuracy, HISTORY.validation_accuracy]
    assert [list(line.get_xdata()) for line in left.lines] == [[1, 2]] * 2
    assert texts(ax) == ["loss", "validation loss", "accuracy", "validation accuracy"]
    assert [line.get_linestyle() for line in left.lines] == ["-", "--"]


def test_history_of_a_regression_and_of_one_epoch():
    ax = plot_history(History([{"loss": -0.4, "lr": 0.1}], loss_name="own_loss"))
    assert (ax.get_ylabel(), len(ax.figure.axes), ax.lines[0].get_marker()) == ("own loss", 1, "o")
    assert ax.get_ylim()[0] < -0.4
    with pytest.raises(ArgumentError, match="no epochs"):
        plot_history(History())


def test_given_axes_are_drawn_into():
    figure = plot_history(HISTORY).figure
    ax = figure.add_subplot()
    assert plot_history(HISTORY, ax) is ax
    assert plot_boundary(line_model(), *xor(), ax) is ax
    model = line_model()
    model([1.0, 2.0]).backward()
    assert plot_gradients(model, ax) is ax


@pytest.mark.parametrize("targets", [(0, 1), (-1, 1), (-1.0, 1.0)])
def test_boundary_of_one_score(targets):
    ax = plot_boundary(line_model(), [[2.0, 0.0], [0.0, 2.0], [1.5, 0.5]], [targets[1], targets[0], targets[1]])
    assert (region(ax, 1.5, 0.5), region(ax, 0.5, 1.5)) == (1, 0)
    assert texts(ax) == [str(target) for target in targets]
    assert [len(points.get_offsets()) for points in ax.collections[-2:]] == [1, 2]


def test_boundary_of_a_probability_is_half_way():
    X, y = [[3.0, 0.0], [0.0, 3.0]], [1, 0]
    model = line_model(output_activation="sigmoid")
    assert [region(plot_boundary(model, X, y), a, b) for a, b in [(1.6, 1.4), (1.4, 1.6)]] == [1, 0]
    high = plot_boundary(model, X, y, threshold=0.95)  # the logit of 0.95 is 2.9
    assert [region(high, a, b) for a, b in [(2.0, 0.0), (3.2, 0.0)]] == [0, 1]


def test_boundary_of_many_classes():
    X, y = spiral(n=60, classes=3, seed=1)
    model = MLP(2, [3], seed=1)
    ax = plot_boundary(model, X, y, classes=["a", "b", "c"], features=("length", "width"))
    for row in X[:20]:
        scores = [score.data for score in model(row)]
        if sorted(scores)[-1] - sorted(scores)[-2] > 0.05:
            assert region(ax, *row) == scores.index(max(scores))
    assert texts(ax) == ["a", "b", "c"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("length", "width")


def test_boundary_of_a_model_that_gives_one_class_everywhere():
    model = MLP(2, [2], init=lambda rng, nin, nout: 0.0)
    ax = plot_boundary(model, [[1.0, 1.0], [1.0, 1.0]], [0, 1])  # all at one place, too
    assert region(ax, 1.0, 1.0) == 0


@pytest.mark.parametrize(
    ("error", "message", "model", "X", "y"),
    [
        (SizeError, "two inputs, but X has rows of 3", MLP(3, [1]), [[1.0, 2.0, 3.0]], [1]),
        (DataError, "2 is not the index of a class: the model has 0 to 1", MLP(2, [2]), [[1.0, 2.0]], [2]),
        (DataError, "has 3 different numbers", MLP(2, [1]), [[1.0, 2.0]] * 3, [0, 1, 2]),
        (DataError, "X has no rows", MLP(2, [1]), [], []),
        (OperandError, "needs real numbers", MLP(2, [1]), [["a", 1.0]], [0]),
    ],
)
def test_what_has_no_boundary(error, message, model, X, y):
    with pytest.raises(error, match=message):
        plot_boundary(model, X, y)


def test_names_for_the_classes():
    with pytest.raises(SizeError, match="3 names for 2 classes"):
        plot_boundary(line_model(), *xor(), classes=["a", "b", "c"])


def test_showing_gradients_is_not_using_them():
    model = line_model()
    for _ in range(2):  # plotted, written, and added to: a warning would be an error here
        model([1.0, 2.0]).backward()
        plot_gradients(model)
        for parameter in model.parameters():
            parameter.data += 0.1
    assert model.parameters()[0].peek_grad() == 2.0


def test_gradients():
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    with pytest.raises(ArgumentError, match=r"every gradient is 0: plot the gradients after loss\.backward"):
        plot_gradients(model)
    model([1.0, 0.0]).backward()
    ax = plot_gradients(model)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["layers.1", "layers.0"]
    assert [text.get_text().split(",")[:2] for text in ax.texts] == [
        ["9 parameters", " 33% exactly 0"],
        ["4 parameters", " 0% exactly 0"],
    ]
    model.parameters()[0].grad = math.inf
    with pytest.raises(ArgumentError, match="not finite"):
        plot_gradients(model)


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_pictures(tmp_path, kind, start):
    path = tmp_path / f"picture.{kind}"
    X, y = moons(n=20, seed=1)
    training_picture(HISTORY, MLP(2, [2], seed=1), X, y, path=path, classes=["a", "b"])
    first = path.read_bytes()
    assert first.startswith(start)
    training_picture(HISTORY, MLP(2, [2], seed=1), X, y, path=path, classes=["a", "b"])
    assert path.read_bytes() == first
    assert names(tmp_path) == [path.name]


def panels(monkeypatch, history, *arguments):
    """How many panels the picture has, and the threshold that its boundary got."""
    drawn = []
    monkeypatch.setattr(plots, "plot_boundary", lambda *arguments, **options: drawn.append(options.get("threshold")))
    monkeypatch.setattr(plots, "atomic_write", lambda path, content: None)
    training_picture(history, *arguments, path="picture.png")
    return drawn


def test_a_boundary_is_drawn_where_there_can_be_one(monkeypatch):
    X, y = circles(n=10, seed=1)
    regression = History([{"loss": 1.0}], loss_name="mean_squared_error")
    assert panels(monkeypatch, HISTORY, MLP(2, [2]), X, y) == [None]
    assert panels(monkeypatch, regression, MLP(2, [1]), X, y) == [0.5]
    assert panels(monkeypatch, regression, MLP(2, [1]), X, [2 * label - 1 for label in y]) == [0.0]
    assert panels(monkeypatch, regression, MLP(2, [1]), X, [float(i) for i in range(10)]) == []
    assert panels(monkeypatch, HISTORY, MLP(3, [2]), [[1.0, 2.0, 3.0]] * 10, y) == []
    assert panels(monkeypatch, HISTORY) == []


def test_where_no_picture_can_be_written(tmp_path):
    with pytest.raises(ArgumentError, match=r"a picture is a file of \.png, \.svg, \.pdf"):
        training_picture(HISTORY, path=tmp_path / "picture.gif")
    with pytest.raises(ArgumentError, match="a picture is a file of"):
        training_picture(HISTORY, path=tmp_path / "picture")
    with pytest.raises(SavedFileError, match="is a directory"):
        training_picture(HISTORY, path=tmp_path)
    with pytest.raises(SavedFileError, match="there is no folder"):
        training_picture(HISTORY, path=tmp_path / "no" / "picture.png")
    with pytest.raises(ArgumentError, match="no epochs"):
        training_picture(History(), path=tmp_path / "picture.png")
    assert names(tmp_path) == []


def test_from_training_to_picture(tmp_path):
    X, y = xor()
    model = MLP(2, [4, 1], activation="tanh", seed=3)
    history = fit(model, X, y, loss="binary_cross_entropy", epochs=3)
    training_picture(history, model, X, y, path=tmp_path / "xor.png")
    assert len(plot_gradients(model).patches) == 2
    assert plot_history(history).lines[0].get_ydata()[-1] == history.loss[-1]


def test_neither_pyplot_nor_the_users_settings_are_touched(tmp_path):
    script = """
import sys
from chainrule.plots import plot_history
from chainrule.training import History
assert "matplotlib" not in sys.modules
import matplotlib
before = matplotlib.rcParams.copy()  # reading "backend" in any other way would load pyplot
plot_history(History([{"loss": 1.0}])).figure.savefig(sys.argv[1])
assert "matplotlib.pyplot" not in sys.modules
assert all(dict.__getitem__(matplotlib.rcParams, name) == dict.__getitem__(before, name) for name in before)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "loss.png")], check=True)


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'chainrule\[plot\]'"):
        plot_history(HISTORY)


def shown(picture):
    """The size in pixels of what a notebook shows, and the size at which it shows it."""
    data, size = picture._repr_png_()
    assert data.startswith(b"\x89PNG")
    return tuple(int.from_bytes(data[i : i + 4]) for i in (16, 20)), (size["width"], size["height"])


def test_a_notebook_shows_plots_without_pyplot(tmp_path):
    X, y = xor()
    model = line_model()
    model(X[0]).backward()
    plotted = [plot_history(HISTORY), plot_boundary(model, X, y), plot_gradients(model)]
    figures = [ax.figure for ax in plotted]
    figures += [training_picture(HISTORY, model, X, y), training_picture(HISTORY, path=tmp_path / "picture.svg")]
    for picture in [*plotted, *figures]:
        pixels, size = shown(picture)
        assert pixels == tuple(2 * length for length in size)
    assert shown(figures[-2])[1] == (1100, 500)
    assert names(tmp_path) == ["picture.svg"]


def test_a_plot_in_the_user_s_own_figure_is_shown_by_whoever_shows_that():
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert plot_history(HISTORY, ax) is ax
    assert not hasattr(ax, "_repr_png_")


def test_a_plot_can_be_copied():
    ax = pickle.loads(pickle.dumps(plot_history(HISTORY)))
    assert shown(ax) == shown(plot_history(HISTORY))
