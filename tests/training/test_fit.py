"""fit: what it computes, what it measures, how it stops."""

from __future__ import annotations

import gc
import math
import pickle

import pytest

from chainrule import Value, losses
from chainrule.data import circles, moons, split, xor
from chainrule.errors import AnomalyError
from chainrule.nn import MLP, Module
from chainrule.optim import SGD, Adam, linear
from chainrule.training import EagerTrainer, EarlyStopping, Trainer, evaluate, fit, record_gradients

X, Y = moons(n=24, noise=0.1, seed=2)
SIGNS = [2 * label - 1 for label in Y]


def net(*, outputs: int = 1, seed: int = 1) -> MLP:
    return MLP(2, [4, outputs], activation="tanh", seed=seed)


def by_hand(model, batches, lr):
    """The lecture's loop; gives the parameters after each step."""
    states = []
    for batch in batches:
        loss = losses.mean_squared_error(model([X[i] for i in batch]), [SIGNS[i] for i in batch])
        model.zero_grad()
        loss.backward()
        for parameter in model.parameters():
            parameter.data -= lr * parameter.grad
        states.append(model.state_dict())
    return states


def test_all_rows_at_once_are_the_lectures_loop_to_the_bit():
    model, reference = net(), net()
    history = fit(
        *(model, X, SIGNS),
        loss="mean_squared_error",
        optimizer=SGD(model.parameters(), 0.05),
        batch_size=None,
        epochs=5,
    )
    states = by_hand(reference, [range(24)] * 5, 0.05)
    assert model.state_dict() == states[-1]
    for state, loss in zip(states, history.loss, strict=True):
        reference.load_state_dict(state)
        assert losses.mean_squared_error(reference(X), SIGNS).data == loss


def test_each_epoch_takes_every_row_once_in_batches_of_the_seed():
    def batches(seed):
        seen = []

        class Watching(EagerTrainer):
            def step(self, X, y):
                seen.append([tuple(row) for row in X])
                super().step(X, y)

        fit(net(), X, Y, loss="binary_cross_entropy", batch_size=10, epochs=2, seed=seed, trainer=Watching)
        return seen

    seen = batches(0)
    assert [len(batch) for batch in seen] == [10, 10, 4, 10, 10, 4]
    first, second = ([row for batch in part for row in batch] for part in (seen[:3], seen[3:]))
    assert sorted(first) == sorted(second) == sorted(map(tuple, X))
    assert first != second
    assert seen == batches(0)
    assert seen != batches(1)


def test_history_is_what_the_model_does():
    model = net()
    train_X, train_y, held_X, held_y = split(X, Y, 0.25, seed=5)
    history = fit(model, X, Y, loss="binary_cross_entropy", epochs=3, validation=0.25, seed=5)
    train = evaluate(model, train_X, train_y, loss="binary_cross_entropy")
    held = evaluate(model, held_X, held_y, loss="binary_cross_entropy")
    assert (history.loss[-1], history.accuracy[-1]) == (train["loss"], train["accuracy"])
    assert (history.validation_loss[-1], history.validation_accuracy[-1]) == (held["loss"], held["accuracy"])


def test_validation_as_a_pair_is_only_measured():
    model, alone = net(), net()
    pair = ([[0.0, 1.0], [1.0, -0.5]], [0, 1])
    history = fit(model, X, Y, loss="binary_cross_entropy", epochs=2, validation=pair)
    fit(alone, X, Y, loss="binary_cross_entropy", epochs=2)
    assert model.state_dict() == alone.state_dict()
    assert history.validation_loss[-1] == evaluate(model, *pair, loss="binary_cross_entropy")["loss"]


def test_a_share_of_rows_with_several_labels_each():
    targets = [[label, 1 - label] for label in Y]
    history = fit(net(outputs=2), X, targets, loss="binary_cross_entropy", epochs=1, validation=0.25)
    assert history.validation_loss


@pytest.mark.parametrize(
    ("loss", "targets", "outputs"),
    [
        ("mean_squared_error", [float(label) for label in Y], 1),
        ("mean_absolute_error", [[float(label), 1.0] for label in Y], 2),
        ("max_margin", SIGNS, 1),
        ("binary_cross_entropy", Y, 1),
        ("binary_cross_entropy", [[label, 1 - label] for label in Y], 2),
        ("cross_entropy", Y, 2),
    ],
)
def test_every_loss_gets_smaller(loss, targets, outputs):
    history = fit(net(outputs=outputs), X, targets, loss=loss, epochs=8, penalty=1e-4)
    assert history.loss[-1] < history.loss[0]
    assert bool(history.accuracy) == (loss not in ("mean_squared_error", "mean_absolute_error"))
    assert history.loss_name == loss


def test_classes_are_learned():
    X, y = circles(n=60, noise=0.05, seed=1)
    model = MLP(2, [6, 2], activation="tanh", seed=1)
    history = fit(model, X, y, loss="cross_entropy", optimizer=Adam(model.parameters(), 0.05), epochs=25)
    assert history.accuracy[-1] == 1.0


def test_a_loss_and_metrics_of_ones_own():
    def cubic(predictions, targets):
        return sum(abs(p - t) ** 3 for p, t in zip(predictions, targets, strict=True)) * (1 / len(targets))

    def worst(predictions, targets):
        return max(abs(p - t) for p, t in zip(predictions, targets, strict=True))

    def undefined(predictions, targets):
        return math.inf

    metrics = ["accuracy", "mean_absolute_error", worst, undefined]
    model = net()
    history = fit(model, X, SIGNS, loss=cubic, metrics=metrics, epochs=2, validation=0.25)
    assert history.names[:5] == ["loss", "accuracy", "mean_absolute_error", "worst", "undefined"]
    assert history["validation_worst"][-1] > 0
    assert all(math.isnan(x) for x in history["undefined"])
    assert history.loss_name == "cubic"


def test_accuracy_of_a_regression_that_names_classes():
    y = [5.0, 7.0]  # the border is half-way, at 6
    model = MLP(1, [1], init=lambda rng, nin, nout: 1.0)
    assert evaluate(model, [[5.9], [6.1]], y, loss="mean_squared_error", metrics="accuracy")["accuracy"] == 1.0
    assert evaluate(model, [[6.1], [6.1]], y, loss="mean_squared_error", metrics="accuracy")["accuracy"] == 0.5


def test_a_penalty_is_in_the_step_and_not_in_the_history():
    model, same = net(), net()
    start = losses.binary_cross_entropy(model(X), Y).data
    settings = {"loss": "binary_cross_entropy", "batch_size": None, "epochs": 1}
    history = fit(model, X, Y, optimizer=SGD(model.parameters(), 1e-9), penalty=0.5, **settings)
    assert history.loss[0] == pytest.approx(start, rel=1e-6)
    assert model.parameters()[0].peek_grad() == pytest.approx(gradient_with_penalty(0.5), rel=1e-6)
    fit(
        *(same, X, Y), optimizer=SGD(same.parameters(), 1e-9), **settings,
        penalty=lambda: losses.l2_penalty(same.parameters(), 0.5),
    )  # fmt: skip
    assert same.state_dict() == model.state_dict()


def gradient_with_penalty(strength):
    model = net()
    (losses.binary_cross_entropy(model(X), Y) + losses.l2_penalty(model.parameters(), strength)).backward()
    return model.parameters()[0].grad


def test_the_rate_of_a_schedule_is_in_the_history():
    model = net()
    optimizer = SGD(model.parameters(), linear(0.1, 0.0, 6))
    history = fit(model, X, Y, loss="binary_cross_entropy", optimizer=optimizer, batch_size=12, epochs=3)
    assert history.lr == pytest.approx([0.1, 0.1 * 4 / 6, 0.1 * 2 / 6])


def test_frozen_parameters_stay():
    model = net()
    frozen = [parameter.data for parameter in model.layers[0].parameters()]
    last = [parameter.data for parameter in model.layers[1].parameters()]
    fit(model, X, Y, loss="binary_cross_entropy", optimizer=Adam(model.layers[1].parameters()), epochs=2)
    assert [parameter.data for parameter in model.layers[0].parameters()] == frozen
    assert all(p.data != x for p, x in zip(model.layers[1].parameters(), last, strict=True))


def test_no_epochs_change_nothing():
    model = net()
    before = model.state_dict()
    history = fit(model, X, Y, loss="binary_cross_entropy", epochs=0)
    assert (len(history), history.stopped, history.best_epoch, history.loss) == (0, "done", 0, [])
    assert model.state_dict() == before


def test_arrays_are_taken():
    numpy = pytest.importorskip("numpy")
    model, same = net(outputs=2), net(outputs=2)
    fit(model, numpy.array(X), numpy.array(Y), loss="cross_entropy", epochs=2)
    fit(same, X, Y, loss="cross_entropy", epochs=2)
    assert model.state_dict() == same.state_dict()


def test_whole_numbers_stay_indices():
    from chainrule.nn import Embedding

    class Bag(Module):
        def __init__(self):
            self.words, self.out = Embedding(3, 2), MLP(2, [2], seed=1)

        def forward(self, x):
            rows = self.words(x)
            return self.out.forward([rows[0][j] + rows[1][j] for j in range(2)])

    history = fit(Bag(), [[0, 1], [1, 2], [2, 0]], [0, 1, 1], loss="cross_entropy", epochs=3)
    assert history.loss[-1] < history.loss[0]


# ---- the forgotten zero_grad: fit never warns (warnings are errors here), whatever it is given ----


def test_stale_gradients_from_before_are_set_to_zero():
    model, clean = net(), net()
    for _ in range(2):
        losses.binary_cross_entropy(model(X), Y).backward()
    for parameter in model.parameters():
        parameter.data += 0.0 * parameter.grad
    losses.binary_cross_entropy(model(X), Y).backward()
    for either in (model, clean):
        fit(either, X, Y, loss="binary_cross_entropy", epochs=2, callbacks=EarlyStopping(1))
        fit(either, X, Y, loss="binary_cross_entropy", epochs=2, optimizer=Adam(either.layers[1].parameters()))
    assert model.state_dict() == clean.state_dict()


# ---- callbacks, early stopping ----


def test_a_callback_sees_each_epoch_and_can_stop():
    seen = []

    def watch(state):
        seen.append((state.epoch, state.epochs, state.history.rows[-1]["loss"], state.model.state_dict()))
        if state.epoch == 3:
            state.stop()

    model = net()
    history = fit(model, X, Y, loss="binary_cross_entropy", epochs=9, callbacks=[watch])
    assert (history.stopped, len(history)) == ("callback", 3)
    assert [(epoch, epochs) for epoch, epochs, *_ in seen] == [(1, 9), (2, 9), (3, 9)]
    assert [loss for _, _, loss, _ in seen] == history.loss
    assert seen[-1][3] == model.state_dict()


@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping_waits_and_puts_the_best_model_back(restore):
    model = net()
    optimizer = SGD(model.parameters(), lr=lambda step: 0.1 if step < 4 else -0.5)  # goes uphill from step 4 on
    history = fit(
        *(model, X, Y), loss="binary_cross_entropy", optimizer=optimizer, batch_size=None, validation=(X[:6], Y[:6]),
        callbacks=EarlyStopping(patience=3, restore_best=restore),
    )  # fmt: skip
    assert history.stopped == "early stopping"
    assert len(history) == history.best_epoch + 3
    held = evaluate(model, X[:6], Y[:6], loss="binary_cross_entropy")["loss"]
    assert held == (min(history.validation_loss) if restore else history.validation_loss[-1])
    assert min(history.validation_loss) < history.validation_loss[-1]


def test_an_improvement_below_min_delta_is_none():
    model = net()
    optimizer = SGD(model.parameters(), lr=1e-6)
    history = fit(
        *(model, X, Y), loss="binary_cross_entropy", optimizer=optimizer, callbacks=EarlyStopping(2, min_delta=0.01)
    )
    assert (history.stopped, len(history)) == ("early stopping", 3)
    assert history.loss[2] < history.loss[1] < history.loss[0]


def test_the_best_model_is_put_back_when_the_epochs_run_out_too():
    model = net()
    optimizer = SGD(model.parameters(), lr=lambda step: 0.1 if step < 4 else -0.5)
    history = fit(
        *(model, X, Y), loss="binary_cross_entropy", optimizer=optimizer, batch_size=None, epochs=6,
        callbacks=EarlyStopping(patience=50),
    )  # fmt: skip
    assert history.stopped == "done"
    assert evaluate(model, X, Y, loss="binary_cross_entropy")["loss"] == min(history.loss) < history.loss[-1]


def test_one_early_stopping_serves_many_runs():
    stopping = EarlyStopping(patience=2)
    histories = [fit(net(), X, Y, loss="binary_cross_entropy", epochs=6, callbacks=[stopping]) for _ in range(2)]
    assert histories[0].rows == histories[1].rows


def test_gradients_by_layer():
    model = net()
    history = fit(model, X, Y, loss="binary_cross_entropy", epochs=2, callbacks=[record_gradients])
    assert [list(row) for row in history.gradients] == [["layers.0", "layers.1"]] * 2
    last = [parameter.peek_grad() for parameter in model.layers[1].parameters()]
    assert history.gradients[-1]["layers.1"]["mean"] == pytest.approx(sum(last) / len(last))
    assert history.gradients[-1]["layers.1"]["largest"] == max(map(abs, last))
    relu = MLP(2, [3, 1], init=lambda rng, nin, nout: -1.0, seed=1)  # all off for inputs above 0
    history = fit(
        relu, [[1.0, 1.0], [2.0, 1.0]], [0, 1], loss="binary_cross_entropy", epochs=1, callbacks=record_gradients
    )
    assert history.gradients[0]["layers.0"]["zeros"] == 1.0


# ---- numbers that are not finite ----


class Rooted(Module):
    """Gives √(w · x): nan as soon as w is negative."""

    def __init__(self, start: float) -> None:
        self.w = Value(start)

    def forward(self, x):
        return (self.w * x[0]).sqrt()


@pytest.mark.parametrize(("batch_size", "place"), [(2, "when measured after epoch 1"), (1, "epoch 1, batch 2")])
def test_an_anomaly_names_operation_and_place_and_keeps_finite_numbers(batch_size, place):
    model = Rooted(1.0)
    optimizer = SGD(model.parameters(), lr=0.5)
    with pytest.raises(AnomalyError, match=rf"sqrt\(-.*\) gave nan, at line \d+ of .*test_fit\.py.*{place}"):
        fit(model, [[1.0], [1.1]], [-3.0] * 2, loss="mean_squared_error", optimizer=optimizer, batch_size=batch_size)
    assert (optimizer.steps, model.w.peek_grad() == 0.0) == (1, batch_size == 1)
    assert math.isfinite(model.w.data)


def test_a_gradient_that_is_not_finite_is_an_anomaly():
    model = Rooted(0.0)  # √0 is 0, its derivative is not finite
    optimizer = Adam(model.parameters())
    memory = optimizer.state_dict()
    with pytest.raises(AnomalyError, match=r"backward through sqrt.*epoch 1, batch 1"):
        fit(model, [[1.0], [2.0]], [1.0, 1.0], loss="mean_squared_error", optimizer=optimizer)
    assert (model.w.data, model.w.peek_grad(), optimizer.state_dict()) == (0.0, 0.0, memory)


def test_an_update_that_is_not_finite_is_undone():
    model = net()
    before = model.state_dict()
    optimizer = SGD(model.parameters(), lr=1e308, momentum=0.9)
    memory = optimizer.state_dict()
    with pytest.raises(AnomalyError, match=r"the update of layers\..* gave -?inf .*epoch 1, batch 1"):
        fit(
            model,
            [[1e3 * a, 1e3 * b] for a, b in X],
            [9.0 * s for s in SIGNS],
            loss="mean_squared_error",
            optimizer=optimizer,
        )
    assert model.state_dict() == before
    assert optimizer.state_dict() == memory


def test_a_loss_that_is_not_finite_at_the_start():
    model = MLP(1, [1], init=lambda rng, nin, nout: 1e200)
    with pytest.raises(AnomalyError, match=r"mul\(1e\+200, 1e\+200\) gave inf"):
        fit(model, [[1.0], [2.0]], [0.0, 0.0], loss="mean_squared_error")


def test_the_collector_is_left_as_it_was():
    assert gc.isenabled()
    fit(net(), X, Y, loss="binary_cross_entropy", epochs=1)
    assert gc.isenabled()
    gc.disable()
    try:
        fit(net(), X, Y, loss="binary_cross_entropy", epochs=1)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_another_trainer_takes_the_place_of_the_eager_one():
    class Still:
        """A trainer that leaves the model as it is."""

        def __init__(self, model, objective, optimizer):
            self.steps = 0

        def step(self, X, y):
            self.steps += 1

        def measure(self, X, y):
            return {"loss": 1.0 / (1 + self.steps)}

    still: type[Trainer] = Still
    history = fit(net(), *xor(), loss="binary_cross_entropy", epochs=3, trainer=still)
    assert history.loss == [1 / 2, 1 / 3, 1 / 4]


def test_the_state_of_training_can_be_pickled():
    states = []
    X, y = xor()
    model = MLP(2, [3, 1], seed=1)
    optimizer = Adam(model.parameters(), lr=linear(0.1, 0.0, 9))
    fit(
        *(model, X, y),
        loss="binary_cross_entropy",
        epochs=2,
        optimizer=optimizer,
        callbacks=[lambda state: states.append(pickle.dumps(state)), EarlyStopping()],
    )
    first = pickle.loads(states[0])
    assert (first.epoch, first.epochs, first.optimizer.steps) == (1, 2, 1)
    assert all(a is b for a, b in zip(first.optimizer.parameters, first.model.parameters(), strict=True))
    assert pickle.loads(states[1]).model.state_dict() == model.state_dict()
