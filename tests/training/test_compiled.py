"""fit by native code finds what the eager engine finds."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("numpy")

from chainrule import Value, losses, ops
from chainrule.data import moons
from chainrule.errors import TraceError
from chainrule.nn import MLP, Embedding, Frozen, Module
from chainrule.optim import SGD, Adam, AdamW, constant, cosine
from chainrule.training import EarlyStopping, fit, record_gradients
from chainrule.training.compiled import CompiledTrainer

X, Y = moons(n=22, noise=0.1, seed=2)
SIGNS = [2 * label - 1 for label in Y]
BCE = "binary_cross_entropy"

OPTIMIZERS = {
    "sgd": lambda parameters: SGD(parameters, 0.1),
    "momentum": lambda parameters: SGD(parameters, 0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda parameters: Adam(parameters, 0.05),
    "adamw, cosine": lambda parameters: AdamW(parameters, cosine(0.1, 0.0, 40)),
}
LOSSES = {
    "mean_squared_error": ([float(sign) for sign in SIGNS], 1),
    "mean_absolute_error": ([[float(label), 1.0] for label in Y], 2),
    "max_margin": (SIGNS, 1),
    "binary_cross_entropy": ([[label, 1 - label] for label in Y], 2),
    "cross_entropy": (Y, 3),
}


class Branching(Module):
    """Rows go one way or the other."""

    def __init__(self):
        self.inside, self.other = net(), net(seed=2)

    def forward(self, x):
        return self.inside(x) if x[0] > 0.5 else self.other(x)


def net(outputs: int = 1, seed: int = 1) -> MLP:
    return MLP(2, [4, outputs], activation="tanh", seed=seed)


def cubic(predictions, targets):
    """A loss of one's own, which is no mean: the largest counts once more."""
    errors = [abs(p - t) ** 3 for p, t in zip(predictions, targets, strict=True)]
    return (sum(errors) * (1 / len(errors)) + ops.max(errors[0], errors[-1])) * 0.02


def of_the_last_layer(model):
    return Adam(model.layers[1].parameters(), 0.05)


def twice(X=X, y=Y, *, loss=BCE, make=net, optimizer=OPTIMIZERS["adam"], **options):
    """Trains by both engines, compares everything, and gives the compiled run's model and history."""
    actual = []
    for compile in (False, True):
        model = make()
        made = optimizer(model if optimizer is of_the_last_layer else model.parameters())
        history = fit(model, X, y, loss=loss, optimizer=made, compile=compile, **{"epochs": 4, "seed": 3} | options)
        assert history.engine == ("compiled" if compile else "eager")
        actual.append((model, made, history))
    (eager, own, expected), (compiled, other, history) = actual
    close(compiled.state_dict(), eager.state_dict())
    close(other.state_dict(), own.state_dict())
    assert len(history) == len(expected)
    for name in expected.names:
        assert history[name] == pytest.approx(expected[name], rel=1e-9)
    gradients = [[p.peek_grad() for p in model.parameters()] for model in (eager, compiled)]
    assert gradients[1] == pytest.approx(gradients[0], rel=1e-9, abs=1e-12)
    return compiled, history


def close(actual, expected):
    assert actual.keys() == expected.keys()
    for name, x in expected.items():
        assert actual[name] == (x if isinstance(x, str) else pytest.approx(x, rel=1e-9, abs=1e-12)), name


# ---- the numbers are those of the eager engine ---------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_and_optimizer(loss, optimizer):
    targets, outputs = LOSSES[loss]
    settings = {"batch_size": 5, "validation": 0.2, "penalty": 1e-3}  # the last batch has fewer rows
    twice(X, targets, loss=loss, make=lambda: net(outputs), optimizer=OPTIMIZERS[optimizer], **settings)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [None, 5, 1])
def test_a_loss_of_ones_own(optimizer, batch_size):
    twice(X, SIGNS, loss=cubic, optimizer=OPTIMIZERS[optimizer], batch_size=batch_size, metrics=["accuracy"])


def test_all_rows_at_once():
    twice(batch_size=None, epochs=6)


def test_a_penalty_of_ones_own():
    models = []

    def make():
        models.append(net())
        return models[-1]

    twice(make=make, penalty=lambda: ops.sum([abs(p) for p in models[-1].parameters()]) * 0.01)


def test_frozen_parameters_stay_and_have_gradients():
    before = net().layers[0].parameters()
    model, _ = twice(optimizer=of_the_last_layer, callbacks=record_gradients)
    assert [p.data for p in model.layers[0].parameters()] == [p.data for p in before]
    assert all(p.peek_grad() for p in model.layers[0].parameters())


@pytest.mark.parametrize("batch_size", [None, 5])
def test_rows_that_go_different_ways(batch_size):
    twice(make=Branching, batch_size=batch_size)


def test_gradients_by_layer():
    actual = []
    for compile in (False, True):
        history = fit(net(), X, Y, loss=BCE, epochs=2, callbacks=[record_gradients], compile=compile)
        actual.append(history.gradients[-1]["layers.1"])
    assert actual[1] == pytest.approx(actual[0], rel=1e-9)


class Words(Module):
    """Whole numbers choose rows of a table."""

    def __init__(self):
        draw = random.Random(1)
        self.words, self.out = Embedding(3, 2, rng=draw), MLP(2, [2], seed=1)

    def forward(self, x):
        first, second = self.words(x[0]), self.words(x[1])
        return self.out([a * b for a, b in zip(first, second, strict=True)])


def test_whole_numbers_stay_indices():
    twice([[0, 1], [1, 2], [2, 0]], [0, 1, 1], loss="cross_entropy", make=Words)

    def own(predictions, targets):
        return losses.cross_entropy(predictions, targets) * 2.0

    twice([[0, 1], [1, 2], [2, 0]], [0, 1, 1], loss=own, make=Words)


def test_rows_in_which_whole_numbers_and_floats_are_mixed():
    mixed = [[int(a) if i % 3 else a, b] for i, (a, b) in enumerate(X)]
    twice(mixed, loss=cubic, batch_size=4)
    twice(mixed, batch_size=4)


class Odd(Module):
    """Predictions in a tuple; one is the same for all rows, and one is a plain number."""

    def __init__(self):
        self.w, self.b = Value(0.3), Value(0.2)

    def forward(self, x):
        return self.w * x[0], self.b, 1.0


def test_predictions_that_do_not_depend_on_the_row():
    targets = [[label, 0.5, 0.5] for label in Y]
    twice(X, targets, loss="mean_squared_error", make=Odd, metrics=["mean_absolute_error"])

    def own(predictions, targets):
        return losses.mean_squared_error(predictions, targets) * 2.0

    twice(X, targets, loss=own, make=Odd)


def test_a_value_that_is_no_parameter_may_change():
    scales = []

    class Scaled(Module):
        def __init__(self):
            self.inside = net()
            scales.append(Value(1.0))
            self.scale = Frozen(scales[-1])

        def forward(self, x):
            return self.inside(x) * self.scale.part

    def change(state):
        scales[-1].data *= 0.5

    twice(make=Scaled, callbacks=change)


def test_a_branch_on_a_parameter():
    class Folded(Module):
        def __init__(self):
            self.w = Value(0.3)

        def forward(self, x):
            return self.w * x[0] if self.w > 0 else self.w * x[1]

    twice(X, [-2.0] * len(X), loss="mean_squared_error", make=Folded, optimizer=OPTIMIZERS["sgd"])


def test_arrays_are_taken():
    import numpy as np

    twice(np.array(X), np.array(Y), loss="cross_entropy", make=lambda: net(2))


# ---- callbacks -----------------------------------------------------------------------------------------------------


def test_callbacks_may_change_the_rate_and_settings_and_parameters():
    def change(state):
        state.optimizer.schedule = constant(0.01 * state.epoch)
        state.optimizer.momentum = 0.5
        state.optimizer.memory["velocity"][0] += 0.1
        state.model.parameters()[1].data *= 0.9

    twice(callbacks=change, optimizer=OPTIMIZERS["momentum"])


def test_early_stopping_puts_the_best_model_back():
    def uphill(parameters):
        return SGD(parameters, lr=lambda step: 0.1 if step < 4 else -0.5)

    settings = {"batch_size": None, "validation": (X[:6], Y[:6]), "callbacks": EarlyStopping(3), "epochs": 50}
    _, history = twice(optimizer=uphill, **settings)
    assert history.stopped == "early stopping"


def test_many_steps_of_few_rows():
    twice(batch_size=1, epochs=12)


def test_what_only_native_code_cannot_do_goes_on():
    class Guarded(Module):
        """0 · ∞ deposits nothing in the eager engine; native code, by plain products, gets nan."""

        def __init__(self):
            self.w, self.v = Value(1.0), Value(0.5)

        def forward(self, x):
            return ops.select(x[0] > 0, ops.log(ops.max(x[0] * self.w * self.w, 0.0)), self.w * self.w) + self.v

    data = [[-1.0], [2.0], [-2.0], [1.0]], [0.5, 1.0, 0.0, 2.0]
    twice(*data, loss="mean_squared_error", make=Guarded, optimizer=OPTIMIZERS["momentum"], batch_size=2)


class Scaled(Module):
    def __init__(self, w):
        self.w = Value(w)

    def forward(self, x):
        return self.w * x[0]


def exp_of_squares(predictions, targets):
    return ops.sum([ops.exp(p * p) for p in predictions]) / len(predictions)


STEEP = {  # model, rate, input and loss; at the trial's own rate they diverge
    "loss of one's own": (3.0, 1e-6, 1.0, exp_of_squares),
    "loss by sample": (1.0, 1e-170, 1e80, "mean_squared_error"),
}


@pytest.mark.parametrize("case", STEEP)
def test_a_rate_at_which_the_trial_diverges_is_no_reason_to_refuse(case):
    w, rate, x, loss = STEEP[case]
    settings = {"make": lambda: Scaled(w), "optimizer": lambda parameters: SGD(parameters, rate), "loss": loss}
    model, _ = twice([[x]] * 8, [0.0] * 8, epochs=2, batch_size=8, **settings)
    assert model.w.data < w


@pytest.mark.parametrize("case", STEEP)
def test_native_code_is_compared_also_where_the_trial_diverges_at_its_own_rate(case, monkeypatch):
    """As if native code moved the parameters otherwise than the optimiser does."""
    w, rate, x, loss = STEEP[case]
    model, rates = Scaled(w), []

    def note_rate(self, *arguments):
        rates.append(self.optimizer.lr)
        return moves(self, *arguments) and self.optimizer.lr > rate

    moves = CompiledTrainer._updates_like_eager
    monkeypatch.setattr(CompiledTrainer, "_updates_like_eager", note_rate)
    with pytest.raises(TraceError, match="did not move the parameters"):
        fit(model, [[x]] * 8, [0.0] * 8, loss=loss, optimizer=SGD([model.w], rate), epochs=1, compile=True)
    assert rates[-1] == rate
    assert model.w.data == w
