"""fit by native code, where it is broken off: by Ctrl-C, by numbers that are not finite, and to be resumed."""

from __future__ import annotations

import re
import signal

import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("numpy")

from chainrule import Value, losses, ops
from chainrule.data import moons
from chainrule.errors import AnomalyError
from chainrule.nn import MLP, Module
from chainrule.optim import SGD, Adam, AdamW, cosine
from chainrule.training import Checkpoint, fit, record_gradients

X, Y = moons(n=22, noise=0.1, seed=2)
SIGNS = [2 * label - 1 for label in Y]
BCE = "binary_cross_entropy"

OPTIMIZERS = {
    "sgd": lambda parameters: SGD(parameters, 0.1),
    "momentum": lambda parameters: SGD(parameters, 0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda parameters: Adam(parameters, 0.05),
    "adamw, cosine": lambda parameters: AdamW(parameters, cosine(0.1, 0.0, 40)),
}


def net(outputs: int = 1, seed: int = 1) -> MLP:
    return MLP(2, [4, outputs], activation="tanh", seed=seed)


def cubic(predictions, targets):
    """A loss of one's own, which is no mean: the largest counts once more."""
    errors = [abs(p - t) ** 3 for p, t in zip(predictions, targets, strict=True)]
    return (sum(errors) * (1 / len(errors)) + ops.max(errors[0], errors[-1])) * 0.02


def close(actual, expected):
    assert actual.keys() == expected.keys()
    for name, x in expected.items():
        assert actual[name] == (x if isinstance(x, str) else pytest.approx(x, rel=1e-9, abs=1e-12)), name


# ---- Ctrl-C --------------------------------------------------------------------------------------------------------


def press(times=1):
    for _ in range(times):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_leaves_the_best_model():
    def ctrl_c(state):
        if state.epoch == 5:
            press()

    model = net()
    optimizer = SGD(model.parameters(), lr=lambda step: 0.1 if step < 2 else -0.3)
    history = fit(model, X, Y, loss=BCE, optimizer=optimizer, batch_size=None, callbacks=ctrl_c, compile=True)
    assert (history.stopped, len(history), history.engine) == ("interrupted", 5, "compiled")
    assert losses.binary_cross_entropy(model(X), Y).data == pytest.approx(min(history.loss))


def pressing_rate(at, times):
    """A schedule that presses Ctrl-C when it is asked for the rate of a step: right before native code runs."""
    pressed = []

    def rate(step):
        if step == at and not pressed:
            pressed.append(step)
            press(times)
        return 0.1

    return rate


def test_ctrl_c_within_an_epoch_ends_after_a_whole_step():
    model, reference = net(), net()
    optimizer = SGD(model.parameters(), pressing_rate(1, 1))
    history = fit(model, X, Y, loss=BCE, optimizer=optimizer, batch_size=2, compile=True)
    assert (history.stopped, len(history)) == ("interrupted", 0)
    assert 0 < optimizer.steps < 11
    steps_of(reference, optimizer.steps)
    close(model.state_dict(), reference.state_dict())


@pytest.mark.parametrize("at", [0, 1, 5])
def test_the_second_ctrl_c_raises_at_once_and_leaves_whole_steps(at):
    model, reference = net(), net()
    optimizer = SGD(model.parameters(), pressing_rate(at, 2))
    with pytest.raises(KeyboardInterrupt):
        fit(model, X, Y, loss=BCE, optimizer=optimizer, batch_size=2, compile=True)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert optimizer.steps <= at
    steps_of(reference, optimizer.steps)
    close(model.state_dict(), reference.state_dict())


def steps_of(model, count):
    """So many steps of the eager engine, as fit does them."""

    class Few(SGD):
        def step(self):
            if self.steps == count:
                raise KeyboardInterrupt
            super().step()

    fit(model, X, Y, loss=BCE, optimizer=Few(model.parameters(), 0.1), batch_size=2, compile=False)


# ---- checkpoints ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    ("loss", "batch_size"),
    [(BCE, 4), *(pytest.param(*case, marks=pytest.mark.slow) for case in [(BCE, None), (cubic, 4), (cubic, None)])],
)
def test_a_resumed_run_is_an_unbroken_one_to_the_bit(tmp_path, optimizer, loss, batch_size):
    def train(model, **options):
        made = OPTIMIZERS[optimizer](model.parameters())
        return fit(
            *(model, X, SIGNS if loss is cubic else Y), loss=loss, optimizer=made, batch_size=batch_size,
            validation=(X[:5], SIGNS[:5] if loss is cubic else Y[:5]), callbacks=record_gradients, **options,
        )  # fmt: skip

    unbroken = net()
    whole = train(unbroken, epochs=6, compile=True)
    for epochs, seed, compile in [(2, 1, True), (2, 99, True), (3, 99, "auto"), (6, 99, "auto")]:
        model = net(seed=seed)
        checkpoint = Checkpoint(tmp_path / "c", resume=True)
        parts = train(model, epochs=epochs, checkpoint=checkpoint, compile=compile)
        assert parts.engine == "compiled"
    assert model.state_dict() == unbroken.state_dict()
    assert parts == whole


# ---- numbers that are not finite -----------------------------------------------------------------------------------


class Rooted(Module):
    """Gives √(w · x): nan as soon as w is negative."""

    def __init__(self, start):
        self.w = Value(start)

    def forward(self, x):
        return (self.w * x[0]).sqrt()


def anomaly(model, optimizer, *data, compile, **options):
    """What is said, and how everything is left."""
    made = optimizer(model.parameters())
    with pytest.raises(AnomalyError) as error:
        fit(model, *data, optimizer=made, compile=compile, **options)
    gradients = [parameter.peek_grad() for parameter in model.parameters()]
    return str(error.value), {**model.state_dict(), **made.state_dict()}, gradients


def cube_of(predictions, targets):
    return sum([(p - t) ** 2 for p, t in zip(predictions, targets, strict=True)])


@pytest.mark.parametrize("loss", ["mean_squared_error", cube_of])
@pytest.mark.parametrize("start", [1.0, 0.0, 9.0])
@pytest.mark.parametrize("batch_size", [1, 2, 3])
@pytest.mark.parametrize("optimizer", [lambda p: SGD(p, 0.5), lambda p: SGD(p, 0.5, momentum=0.5), Adam])
def test_an_anomaly_is_told_as_by_the_eager_engine(loss, start, batch_size, optimizer):
    data = [[1.0 + 0.1 * i] for i in range(7)], [-3.0] * 7
    lr = optimizer if optimizer is not Adam else lambda p: Adam(p, 0.5)
    actual = [
        anomaly(Rooted(start), lr, *data, loss=loss, batch_size=batch_size, epochs=60, compile=compile)
        for compile in (False, True)
    ]
    (expected, state, gradients), (message, own, own_gradients) = actual
    assert without_digits(message) == without_digits(expected)
    close(own, state)
    assert own_gradients == pytest.approx(gradients)


def without_digits(message):
    """The last digits may differ."""
    return re.sub(r"-?\d+\.\d+(e[-+]\d+)?", lambda actual: f"{float(actual[0]):.6g}", message)


@pytest.mark.parametrize("loss", ["mean_squared_error", cubic])
def test_an_update_that_is_not_finite_is_undone(loss):
    far = [[1e3 * a, 1e3 * b] for a, b in X]

    def rate(step):
        return 1e-3 if step < 3 else 1e308

    actual = []
    for compile in (False, True):
        actual.append(
            anomaly(
                *(net(), lambda p: SGD(p, rate, momentum=0.9), far, [9.0 * s for s in SIGNS]),
                loss=loss,
                compile=compile,
                batch_size=4,
                metrics=["mean_squared_error"],
            )
        )
    assert "epoch 1, batch 4" in actual[0][0]
    assert without_digits(actual[0][0]) == without_digits(actual[1][0])
    close(actual[1][1], actual[0][1])
