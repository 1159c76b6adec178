"""What fit refuses: by name, in one line, with the model as it was and nothing written."""

from __future__ import annotations

import math

import pytest

from chainrule import Value
from chainrule.errors import ArgumentError, ChainruleError, DataError, OperandError, SavedFileError, SizeError
from chainrule.nn import MLP, Module
from chainrule.optim import SGD
from chainrule.training import Checkpoint, EarlyStopping, evaluate, fit

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
Y = [0, 1, 1, 0]
ONES = [1.0, 1.0, 1.0, 1.0]


def names(folder):
    """Of the files in a folder, hidden ones included."""
    return sorted(file.name for file in folder.iterdir())


class Detached(Module):
    def __init__(self):
        self.w = Value(1.0)

    def forward(self, x):
        return Value(self.w.data * x[0])


def refuse(error, message, /, *, model=None, X=X, y=Y, loss="binary_cross_entropy", **options):
    model = model or MLP(2, [3, 1], seed=1)
    before = model.state_dict()
    with pytest.raises(error, match=message) as caught:
        fit(model, X, y, loss=loss, **options)
    assert isinstance(caught.value, ChainruleError)
    assert "\n" not in str(caught.value)
    assert model.state_dict() == before


@pytest.mark.parametrize(
    ("error", "message", "data"),
    [
        (DataError, "X has no rows", {"X": [], "y": []}),
        (SizeError, "X has 4 rows, but y has 3", {"y": [0, 1, 1]}),
        (SizeError, r"X is ragged: X\[2\] has 3 numbers, X\[0\] has 2", {"X": [*X[:2], [1.0, 2.0, 3.0], X[3]]}),
        (SizeError, "rows of 3 numbers, which the model does not take", {"X": [[1.0, 2.0, 3.0]] * 4}),
        (DataError, r"X\[1\]\[0\] is nan", {"X": [X[0], [math.nan, 1.0], *X[2:]]}),
        (DataError, r"X\[3\]\[1\] is inf", {"X": [*X[:3], [1.0, math.inf]]}),
        (DataError, r"y\[2\] is nan", {"y": [0, 1, math.nan, 0]}),
        (DataError, r"y\[0\] is -inf", {"y": [-math.inf, 1, 1, 0], "loss": "mean_squared_error"}),
        (OperandError, r"X\[0\]\[1\] needs real numbers but got the str '0\.5'", {"X": [[0.0, "0.5"], *X[1:]]}),
        (OperandError, r"y\[0\] needs real numbers but got the str 'cat'", {"y": ["cat", "dog", "cat", "dog"]}),
        (OperandError, r"X\[0\]\[0\] needs real numbers but got the Value", {"X": [[Value(1.0), 0.0], *X[1:]]}),
        (OperandError, r"X\[0\]\[0\] needs real numbers but got the NoneType", {"X": [[None, 0.0], *X[1:]]}),
        (DataError, r"X\[0\] is '0\.5', not a row: .*\[0\.5\]", {"X": [0.5, 1.0, 1.5, 2.0]}),
        (DataError, r"X\[0\] is an empty row", {"X": [[], [], [], []]}),
        (DataError, "X must be a list or array, not the str", {"X": "data.csv"}),
        (DataError, "y must be a list or array, not the int", {"y": 1}),
        (SizeError, r"y is ragged: y\[1\] has a number alone, y\[0\] has 1 numbers", {"y": [[0], 1, 1, 0]}),
        (DataError, "every target is of the class 1", {"y": [1, 1, 1, 1]}),
        (DataError, r"y\[1\] is 2: binary_cross_entropy takes 0 and 1", {"y": [0, 2, 1, 0]}),
        (DataError, r"y\[0\] is 0: max_margin takes -1 and 1", {"loss": "max_margin"}),
        (SizeError, "bring both to the same form", {"y": [[0.0], [1.0], [1.0], [0.0]], "loss": "mean_squared_error"}),
        (ArgumentError, "cross_entropy needs a model with one output a class", {"loss": "cross_entropy"}),
    ],
)
def test_data(error, message, data):
    refuse(error, message, **data)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 2, 0], r"y\[2\] is 2: cross_entropy takes a class, the whole number 0 to 1"),
        ([0, -1, 1, 0], r"y\[1\] is -1"),
        ([0, 1.0, 1, 0], r"y\[1\] is 1\.0"),
        ([[0, 1], [1, 0], [1, 0], [0, 1]], r"y\[0\] is \[0, 1\]"),
    ],
)
def test_classes(y, message):
    refuse(DataError, message, model=MLP(2, [2], seed=1), y=y, loss="cross_entropy")


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("batch_size must be a whole number, 1 or more, not 0", {"batch_size": 0}),
        ("batch_size must be", {"batch_size": 2.5}),
        ("batch_size must be", {"batch_size": True}),
        ("epochs must be a whole number, 0 or more, not -1", {"epochs": -1}),
        ("epochs must be", {"epochs": "10"}),
        ("seed must be", {"seed": -1}),
        ("seed must be", {"seed": None}),
        (r"loss='cross_entrpy': there are .* Did you mean 'cross_entropy'\?", {"loss": "cross_entrpy"}),
        ("loss=None: there are", {"loss": None}),
        ("metric='acuracy'.* Did you mean 'accuracy'", {"metrics": ["acuracy"]}),
        ("a metric cannot be called 'lr'", {"metrics": [type("lr", (), {"__call__": None})()]}),
        ("validation is a share of the rows between 0 and 1", {"validation": 0.0}),
        ("validation is a share", {"validation": 1.0}),
        ("validation is a share", {"validation": -0.5}),
        ("validation is a share", {"validation": math.nan}),
        ("validation is a share", {"validation": 2}),
        ("validation is a share", {"validation": True}),
        ("validation is a share", {"validation": "0.2"}),
        ("penalty is the strength", {"penalty": -1.0}),
        ("penalty is the strength", {"penalty": math.nan}),
        ("penalty is the strength", {"penalty": "l2"}),
        ("3 parameters of the optimizer are not the model's", {"optimizer": SGD([Value(1.0) for _ in range(3)])}),
        ("give an object, such as Adam", {"optimizer": "adam"}),
        ("give an object, such as Adam", {"optimizer": SGD}),
        ("a callback is a function of the state", {"callbacks": [5]}),
        (r"an object like EarlyStopping\(\)", {"callbacks": [EarlyStopping]}),
        ("give it as checkpoint=", {"callbacks": [Checkpoint("x")]}),
        ("progress is True, False or None", {"progress": "yes"}),
        ("own must give one Value.* not a int", {"loss": lambda predictions, targets: 5}),
        ("does not depend on any parameter", {"loss": lambda predictions, targets: Value(5.0)}),
        ("accuracy is for classes, but the targets have 4 different values",
         {"y": [0.1, 0.2, 0.3, 0.4], "loss": "mean_squared_error", "metrics": ["accuracy"]}),
    ],
)  # fmt: skip
def test_options(message, options):
    if "own must" in message:
        message = message.replace("own", "the loss <lambda>")
    refuse(ArgumentError, message, **options)


def test_validation_pairs_are_looked_through_as_well():
    refuse(SizeError, "validation X has 4 rows, but validation y has 1", validation=(X, [1]))
    refuse(DataError, "validation X has no rows", validation=([], []))
    refuse(DataError, r"validation y\[0\] is 7: binary", validation=(X, [7, 0, 0, 0]))
    refuse(SizeError, "validation X has rows of 1 numbers, X has rows of 2", validation=([[1.0]], [1]))
    refuse(DataError, r"validation X\[0\]\[0\] is nan", validation=([[math.nan, 0.0]], [1]))


def test_models():
    with pytest.raises(ArgumentError, match="must be a Module"):
        fit(lambda x: x[0], X, Y, loss="mean_squared_error")
    with pytest.raises(ArgumentError, match="has no parameters"):
        fit(Module(), X, Y, loss="mean_squared_error")
    refuse(ArgumentError, "does not depend on any parameter .* take .data", model=Detached(), loss="mean_squared_error")
    model = MLP(2, [3, 1], seed=1)
    old = SGD(MLP(2, [3, 1], seed=1).parameters())
    refuse(ArgumentError, r"13 parameters .* make it anew, SGD\(model\.parameters", model=model, optimizer=old)


def test_callbacks_and_checkpoints_of_ones_own_options():
    for options in [{"patience": 0}, {"patience": 1.5}, {"min_delta": -1.0}, {"min_delta": math.nan}]:
        with pytest.raises(ArgumentError):
            EarlyStopping(**options)
    with pytest.raises(ArgumentError, match="every is a number of epochs"):
        Checkpoint("c", every=0)


def test_checkpoint_paths(tmp_path):
    refuse(SavedFileError, "is a directory", checkpoint=tmp_path)
    refuse(SavedFileError, "there is no folder", checkpoint=tmp_path / "no" / "c")
    refuse(SavedFileError, "not the name of a file", checkpoint=5)
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    refuse(SavedFileError, "is not a chainrule checkpoint file", checkpoint=tmp_path / "data.csv")
    assert (tmp_path / "data.csv").read_text() == "a,b\n1,2\n"
    assert names(tmp_path) == ["data.csv"]


def test_nothing_is_written_when_the_data_are_refused(tmp_path):
    refuse(DataError, "nan", X=[[math.nan, 0.0], *X[1:]], checkpoint=tmp_path / "c")
    refuse(SizeError, "which the model does not take", X=[[1.0]] * 4, checkpoint=tmp_path / "c")
    assert names(tmp_path) == []


def test_evaluate_refuses_the_same():
    model = MLP(2, [3, 1], seed=1)
    with pytest.raises(DataError, match="nan"):
        evaluate(model, [[math.nan, 0.0]], [1], loss="binary_cross_entropy")
    with pytest.raises(ArgumentError, match="Did you mean"):
        evaluate(model, X, Y, loss="max_margn")
    assert evaluate(model, X, ONES, loss="binary_cross_entropy")["loss"] > 0  # one class is enough to be measured
