"""Losses of weighted samples."""

from __future__ import annotations

import pytest

from chainrule import fit, losses
from chainrule.data import moons
from chainrule.errors import ArgumentError
from chainrule.nn import MLP
from chainrule.training import WeightedMean


def test_a_weight_multiplies_the_loss_of_its_sample():
    plain = [losses.cross_entropy([[1.0, 2.0]], [0]), losses.cross_entropy([[0.5, -1.0]], [1])]
    found = WeightedMean(losses.cross_entropy)([[1.0, 2.0], [0.5, -1.0]], [[0, 3.0], [1, 0.5]])
    assert found == pytest.approx((3.0 * plain[0] + 0.5 * plain[1]) / 2)


def test_several_numbers_of_a_target_come_as_a_list():
    loss = WeightedMean(lambda prediction, target: prediction[0] * target[1])
    assert loss([[2.0, 0.0]], [[3.0, 5.0, 0.5]]) == 5.0
    assert loss([2.0, 0.0], [3.0, 5.0, 0.5]) == 5.0  # one sample alone


def test_native_code_trains_as_the_eager_engine_does():
    pytest.importorskip("llvmlite")
    X, y = moons(n=30, noise=0.1, seed=1)
    rows = [[target, 0.5 + i / 10] for i, target in enumerate(y)]
    histories = []
    for compile in (False, True):
        model = MLP(2, [5, 1], activation="tanh", seed=1)
        loss = WeightedMean(losses.binary_cross_entropy)
        histories.append(fit(model, X, rows, loss=loss, epochs=4, batch_size=8, validation=(X, rows), compile=compile))
    assert [history.engine for history in histories] == ["eager", "compiled"]
    assert histories[1].validation_loss == pytest.approx(histories[0].validation_loss, rel=1e-9)
    assert histories[0].loss_name == "weighted binary_cross_entropy"


def test_a_loss_that_returns_no_number_is_refused_by_name():
    def both(prediction, target):
        return [prediction, target]

    with pytest.raises(ArgumentError, match="the loss both must return one number for a sample"):
        WeightedMean(both)([1.0], [[0.0, 1.0]])
