"""Ctrl-C: the first leaves the best model, the second stops at once, and neither leaves half a step."""

from __future__ import annotations

import signal
import threading

import pytest

from chainrule import losses
from chainrule.data import moons
from chainrule.nn import MLP
from chainrule.optim import SGD, Adam
from chainrule.training import Checkpoint, evaluate, fit

X, Y = moons(n=20, noise=0.1, seed=2)
LOSS = "binary_cross_entropy"


def press(times: int = 1) -> None:
    for _ in range(times):
        signal.raise_signal(signal.SIGINT)


def net() -> MLP:
    return MLP(2, [4, 1], activation="tanh", seed=1)


def uphill(model):
    """An optimiser that gets better for two epochs of one step, and then worse."""
    return SGD(model.parameters(), lr=lambda step: 0.1 if step < 2 else -0.3)


@pytest.fixture(autouse=True)
def ctrl_c_is_given_back():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def ctrl_c(state):
    if state.epoch == 5:
        press()


def keyboard_interrupt(state):
    if state.epoch == 5:
        raise KeyboardInterrupt


@pytest.mark.parametrize("callback", [ctrl_c, keyboard_interrupt])
@pytest.mark.parametrize("validation", [None, (X[:7], Y[:7])])
def test_the_first_leaves_the_best_model(callback, validation):
    model = net()
    history = fit(
        model, X, Y, loss=LOSS, optimizer=uphill(model), batch_size=None, validation=validation, callbacks=callback
    )
    assert (history.stopped, len(history)) == ("interrupted", 5)
    rows = validation or (X, Y)
    monitored = history[history.monitored]
    assert evaluate(model, *rows, loss=LOSS)["loss"] == min(monitored) < monitored[-1]


def pressing_loss(at, times):
    """A loss that presses Ctrl-C in its call number `at`, in the middle of a step."""
    calls = []

    def loss(predictions, targets):
        calls.append(None)
        if len(calls) == at:
            press(times)
        return losses.binary_cross_entropy(predictions, targets)

    return loss


def test_the_first_lets_the_step_finish():
    # The calls are: the check that a gradient flows, a measurement, then the steps of epoch 1.
    model, reference = net(), net()
    settings = {"batch_size": 5, "seed": 3}
    history = fit(model, X, Y, loss=pressing_loss(4, 1), optimizer=SGD(model.parameters(), 0.1), **settings)
    assert (history.stopped, len(history)) == ("interrupted", 0)
    stop_after_two = Counting(reference.parameters(), 0.1)
    with pytest.raises(StopIteration):
        fit(reference, X, Y, loss=LOSS, optimizer=stop_after_two, **settings)
    assert model.state_dict() == reference.state_dict()


class Counting(SGD):
    """Refuses the third step."""

    def step(self):
        if self.steps == 2:
            raise StopIteration
        super().step()


def test_the_second_raises_at_once_and_leaves_whole_steps():
    model = net()
    states = []

    def remember(state):
        states.append(state.model.state_dict())

    with pytest.raises(KeyboardInterrupt):  # calls: 2 before, then 1 step and 1 measurement an epoch
        fit(
            *(model, X, Y), loss=pressing_loss(9, 2), optimizer=Adam(model.parameters(), 0.1), batch_size=None,
            callbacks=remember,
        )  # fmt: skip
    assert model.state_dict() == states[-1]
    assert len(states) == 3


@pytest.mark.parametrize("times", [2, 3, 5])
@pytest.mark.parametrize("kind", [SGD, Adam])
def test_no_update_is_left_half_done(kind, times):
    class Pressing(kind):
        """Presses Ctrl-C when half of the parameters have moved, in its third step."""

        def updated(self, data, grads, lr):
            for i, x in enumerate(super().updated(data, grads, lr)):
                if self.steps == 3 and i == 8:
                    press(times)
                yield x

    model, reference = net(), net()
    optimizer, same = Pressing(model.parameters(), 0.1), kind(reference.parameters(), 0.1)
    with pytest.raises(KeyboardInterrupt):
        fit(model, X, Y, loss=LOSS, optimizer=optimizer, batch_size=None)
    fit(reference, X, Y, loss=LOSS, optimizer=same, batch_size=None, epochs=2)
    assert model.state_dict() == reference.state_dict()
    assert {**optimizer.state_dict(), "type": None} == {**same.state_dict(), "type": None}


def test_a_program_that_handles_ctrl_c_itself_keeps_doing_so():
    pressed = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        history = fit(net(), X, Y, loss=LOSS, epochs=6, callbacks=ctrl_c)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (history.stopped, pressed) == ("done", [signal.SIGINT])


def test_training_works_in_a_thread():
    histories = []
    thread = threading.Thread(target=lambda: histories.append(fit(net(), X, Y, loss=LOSS, epochs=2)))
    thread.start()
    thread.join()
    assert histories[0].stopped == "done"


def test_an_interrupted_run_can_be_resumed_to_the_bit(tmp_path):
    model, unbroken = net(), net()
    first = fit(model, X, Y, loss=LOSS, batch_size=5, epochs=8, callbacks=ctrl_c, checkpoint=tmp_path / "c")
    assert first.stopped == "interrupted"
    resumed = fit(model, X, Y, loss=LOSS, batch_size=5, epochs=8, checkpoint=Checkpoint(tmp_path / "c", resume=True))
    whole = fit(unbroken, X, Y, loss=LOSS, batch_size=5, epochs=8)
    assert model.state_dict() == unbroken.state_dict()
    assert resumed == whole
