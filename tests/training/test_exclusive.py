"""Threads that train: each its own model, and one model by one of them at a time."""

from __future__ import annotations

import copy
import threading

import pytest

from chainrule import fit
from chainrule.errors import ArgumentError
from chainrule.nn import MLP
from chainrule.training import exclusive

X, Y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]


def net():
    return MLP(1, [2, 1], activation="tanh", seed=1)


def train(model, **options):
    return fit(model, X, Y, loss="mean_squared_error", epochs=2, progress=False, compile=False, **options)


def while_training(model, work):
    """Runs `work` in this thread while another trains the model; gives what went wrong there."""
    inside, go_on, errors = threading.Event(), threading.Event(), []

    def wait(state):
        inside.set()
        assert go_on.wait(20)

    def run():
        try:
            train(model, callbacks=wait)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert inside.wait(20)
    try:
        work()
    finally:
        go_on.set()
        thread.join(20)
    return errors


def test_a_model_that_another_thread_trains_is_refused_and_not_changed():
    model = net()

    def work():
        before = model.state_dict()
        with pytest.raises(ArgumentError, match=r"fit\(copy.deepcopy\(model\), X, y, ...\)"):
            train(model)
        assert model.state_dict() == before

    assert while_training(model, work) == []
    train(model)


def test_a_model_that_shares_parameters_with_it_is_refused():
    model, other = net(), net()
    other.layers[0] = model.layers[0]

    def work():
        with pytest.raises(ArgumentError, match="shares parameters"):
            train(other)

    assert while_training(model, work) == []


def test_a_copy_and_another_model_can_be_trained():
    model = net()
    assert while_training(model, lambda: [train(copy.deepcopy(model)), train(net())]) == []


def test_training_inside_of_training_is_the_threads_own_affair():
    model, inside = net(), []

    def callback(state):
        if not inside:
            inside.append(True)
            train(model)

    assert train(model, callbacks=callback).stopped == "done"


def test_a_model_is_free_again_after_an_error(in_threads):
    model = net()

    def fail(state):
        raise ValueError("no")

    def run():
        with pytest.raises(ValueError, match="no"):
            train(model, callbacks=fail)

    in_threads([run])
    train(model)
    assert exclusive._running == []


def test_a_thread_that_does_not_exist_trains_nothing():
    """As in a forked process, which has no other threads."""
    model = net()
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    gone = thread.ident, frozenset(map(id, model.parameters()))
    exclusive._running.append(gone)
    try:
        train(model)
    finally:
        exclusive._running.remove(gone)
