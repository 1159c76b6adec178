"""The history: columns, the best epoch, and there and back through JSON."""

from __future__ import annotations

import json
import math

import pytest

from chainrule.training import History

ROWS = [{"loss": 0.9, "validation_loss": 1.0, "lr": 0.1}, {"loss": 0.5, "validation_loss": 1.5, "lr": 0.05}]


def test_columns():
    history = History(ROWS)
    assert (history.loss, history.validation_loss, history.lr) == ([0.9, 0.5], [1.0, 1.5], [0.1, 0.05])
    assert (history.accuracy, history.validation_accuracy) == ([], [])
    assert history["lr"] == history.lr
    with pytest.raises(KeyError, match="no 'accuracy' in this history; there are loss, validation_loss, lr"):
        history["accuracy"]


def test_the_best_epoch_is_that_of_the_validation_loss_if_there_is_one():
    assert (History(ROWS).monitored, History(ROWS).best_epoch) == ("validation_loss", 1)
    assert History([{"loss": 2.0}, {"loss": 1.0}, {"loss": 1.0}]).best_epoch == 2
    assert History().best_epoch == 0


def test_there_and_back():
    history = History([{"loss": 0.1, "r2": math.nan, "lr": 1e-300}], [{"layers.0": {"mean": 0.5}}], "done", "own")
    again = History.from_dict(json.loads(json.dumps(history.to_dict(), allow_nan=False)))
    assert repr(again.rows) == repr(history.rows)
    assert (again.gradients, again.stopped, again.loss_name) == (history.gradients, "done", "own")


def test_repr():
    assert repr(History(ROWS, stopped="early stopping")) == (
        "History(2 epochs, loss 0.5, validation_loss 1.5, early stopping)"
    )
    assert repr(History()) == "History(0 epochs, running)"
