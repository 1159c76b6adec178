"""Checkpoints: a resumed run gives the bits of one that was never stopped; nothing else is taken for one."""

from __future__ import annotations

import json
import math

import pytest

from chainrule import losses
from chainrule.data import moons
from chainrule.errors import ArgumentError, SavedFileError
from chainrule.nn import MLP
from chainrule.optim import SGD, Adam, AdamW, cosine
from chainrule.saving import save
from chainrule.training import Checkpoint, EarlyStopping, fit, record_gradients
from chainrule.training.trainer import EagerTrainer

X, Y = moons(n=20, noise=0.1, seed=2)
LOSS = "binary_cross_entropy"

OPTIMIZERS = {
    "sgd": lambda parameters: SGD(parameters, 0.1),
    "momentum": lambda parameters: SGD(parameters, 0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda parameters: Adam(parameters, 0.05),
    "adamw, cosine": lambda parameters: AdamW(parameters, cosine(0.1, 0.0, 40)),
}
UNEVEN = {"validation": 0.2, "batch_size": 3, "seed": 5}


def names(folder):
    """Of the files in a folder, hidden ones included."""
    return sorted(file.name for file in folder.iterdir())


def net(seed: int = 1) -> MLP:
    return MLP(2, [4, 1], activation="tanh", seed=seed)


def train(model, optimizer="adam", **options):
    made = OPTIMIZERS[optimizer](model.parameters())
    return fit(
        model, options.pop("X", X), options.pop("y", Y), loss=options.pop("loss", LOSS), optimizer=made, **options
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    "settings", [{}, UNEVEN, {"batch_size": None, "penalty": 1e-3}], ids=["plain", "uneven", "all"]
)
def test_a_resumed_run_is_an_unbroken_one_to_the_bit(tmp_path, optimizer, settings):
    unbroken, model = net(), net()
    whole = train(unbroken, optimizer, epochs=7, callbacks=record_gradients, **settings)
    for epochs, seed in [(2, 1), (2, 99), (3, 99), (7, 99)]:  # the second 2: nothing is left to do
        model = net(seed)  # what it was before a run is resumed does not matter
        checkpoint = Checkpoint(tmp_path / "c", resume=True)
        parts = train(model, optimizer, epochs=epochs, callbacks=record_gradients, checkpoint=checkpoint, **settings)
    assert model.state_dict() == unbroken.state_dict()
    assert parts == whole
    assert names(tmp_path) == ["c"]


def test_a_run_with_checkpoints_is_one_without(tmp_path):
    model, without = net(), net()
    assert train(model, epochs=3, checkpoint=tmp_path / "c") == train(without, epochs=3)
    assert model.state_dict() == without.state_dict()


def test_early_stopping_goes_on_counting(tmp_path):
    settings = {"callbacks": EarlyStopping(3), "validation": 0.3, "batch_size": 4, "seed": 4}
    unbroken, model = net(), net()
    whole = train(unbroken, epochs=60, **settings)
    assert whole.stopped == "early stopping"
    assert 3 < len(whole) < 60
    for epochs in range(1, len(whole) + 1):
        model = net()
        parts = train(model, epochs=epochs, checkpoint=Checkpoint(tmp_path / "c", resume=True), **settings)
    assert parts == whole
    assert model.state_dict() == unbroken.state_dict()
    again = net()  # a run that has ended stays so, however often it is resumed
    assert train(again, epochs=60, checkpoint=Checkpoint(tmp_path / "c", resume=True), **settings) == whole
    assert again.state_dict() == unbroken.state_dict()


def test_every_so_many_epochs_and_at_the_end(tmp_path):
    seen = []

    def look(state):
        path = tmp_path / "c"
        seen.append(json.loads(path.read_text())["epoch"] if path.exists() else 0)

    train(net(), epochs=8, checkpoint=Checkpoint(tmp_path / "c", every=3), callbacks=look)
    assert seen == [0, 0, 0, 3, 3, 3, 6, 6]
    assert json.loads((tmp_path / "c").read_text())["epoch"] == 8


def test_without_resume_a_run_starts_anew(tmp_path):
    first, second = net(), net()
    train(first, epochs=3, checkpoint=tmp_path / "c")
    history = train(second, epochs=3, checkpoint=tmp_path / "c")
    assert len(history) == 3
    assert second.state_dict() == first.state_dict()


def test_metrics_that_are_not_finite_come_back_as_nan(tmp_path):
    def undefined(predictions, targets):
        return float("inf")

    for epochs in (2, 4):
        checkpoint = Checkpoint(tmp_path / "c", resume=True)
        history = train(net(), epochs=epochs, metrics=[undefined], checkpoint=checkpoint)
    assert [math.isnan(x) for x in history["undefined"]] == [True] * 4


def test_numbers_that_a_callback_adds_come_back(tmp_path):
    def note(state):
        state.history.rows[-1] |= {"mine": state.epoch, "undefined": math.nan, "validation_loss": 1 / state.epoch}

    for epochs in (2, 4):
        checkpoint = Checkpoint(tmp_path / "c", resume=True)
        history = train(net(), epochs=epochs, callbacks=note, checkpoint=checkpoint)
    assert history.best_epoch == 4
    assert history["mine"] == [1.0, 2.0, 3.0, 4.0]
    assert [math.isnan(x) for x in history["undefined"]] == [True] * 4


class Measuring(EagerTrainer):
    """Measures a number more, and no metrics."""

    def measure(self, X, y):
        return {"loss": super().measure(X, y)["loss"], "rows": len(X)}


def test_what_a_trainer_of_ones_own_measures_comes_back(tmp_path):
    for epochs in (2, 4):
        checkpoint = Checkpoint(tmp_path / "c", resume=True)
        history = train(net(), epochs=epochs, trainer=Measuring, validation=0.2, checkpoint=checkpoint)
    assert history["rows"] == [16.0] * 4
    assert history["validation_rows"] == [4.0] * 4


def test_a_run_that_native_code_refused_for_a_long_reason_is_resumed(tmp_path):
    pytest.importorskip("llvmlite")
    pytest.importorskip("numpy")

    def loss(predictions, targets):
        if not isinstance(predictions[0].data, float):
            raise ValueError("never " * 10_000)
        return losses.binary_cross_entropy(predictions, targets)

    notes = []
    for epochs in (10_000, 10_001):
        checkpoint = Checkpoint(tmp_path / "c", every=10_000, resume=True)
        data = {"X": X * 10, "y": Y * 10, "loss": loss, "callbacks": lambda state: state.stop("enough")}
        notes.append(train(net(), epochs=epochs, checkpoint=checkpoint, **data).engine_note)
    assert notes[0].startswith("not compiled: ValueError: never")
    assert notes[0].endswith("...")
    assert len(notes[0]) < 3000


@pytest.mark.parametrize(
    ("message", "callback"),
    [
        (r"history\.stopped must be text of at most 10000 letters", lambda state: state.stop("x" * 10_001)),
        (r"history\.stopped must be text, not 5", lambda state: state.stop(5)),
        (r"gradients\[0\] must be a table", lambda state: state.history.gradients.append(5)),
    ],
)
def test_what_could_not_be_read_again_is_not_written(tmp_path, message, callback):
    with pytest.raises(ArgumentError, match=message):
        train(net(), epochs=1, checkpoint=tmp_path / "c", callbacks=callback)
    assert names(tmp_path) == []


def test_leftovers_of_a_killed_run_are_swept_up(tmp_path):
    train(net(), epochs=1, checkpoint=tmp_path / "c")
    (tmp_path / ".c.0123abcd.tmp").write_text("half")
    train(net(), epochs=2, checkpoint=Checkpoint(tmp_path / "c", resume=True))
    assert names(tmp_path) == ["c"]


def own_loss(predictions, targets):
    return losses.binary_cross_entropy(predictions, targets)


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        ("there data is", {"X": [[a + 1e-9, b] for a, b in X]}),
        ("there data is", {"y": [1 - label for label in Y]}),
        ("there validation is None, here sha256", {"validation": (X, Y)}),
        ("there data is", {"validation": 0.3}),
        ("there batch_size is 16, here 4", {"batch_size": 4}),
        ("there seed is 0, here 1", {"seed": 1}),
        ("there loss is binary_cross_entropy, here own_loss", {"loss": own_loss}),
        ("there penalty is None, here 0.1", {"penalty": 0.1}),
        ("there optimizer is .*Adam.*, here .*SGD", {"optimizer": "sgd"}),
        ("there metrics is", {"metrics": ["mean_absolute_error"]}),
        ("there early stopping is", {"callbacks": EarlyStopping(3)}),
        ("there model is", {"model": MLP(2, [5, 1], activation="tanh", seed=1)}),
        ("there model is", {"model": MLP(2, [4, 1], seed=1)}),
        ("2 epochs are done, more than epochs=1", {"epochs": 1}),
    ],
)
def test_the_checkpoint_of_another_run(tmp_path, message, changes):
    train(net(), epochs=2, checkpoint=tmp_path / "c")
    content = (tmp_path / "c").read_bytes()
    options = {"model": net(seed=9), "epochs": 3, "checkpoint": Checkpoint(tmp_path / "c", resume=True)} | changes
    model = options.pop("model")
    before = model.state_dict()
    with pytest.raises(SavedFileError, match=message) as error:
        train(model, **options)
    assert "\n" not in str(error.value)
    assert model.state_dict() == before
    assert (tmp_path / "c").read_bytes() == content


def test_a_schedule_or_setting_of_the_optimizer_that_changed(tmp_path):
    def resume(optimizer):
        model = net()
        checkpoint = Checkpoint(tmp_path / "c", resume=True)
        return fit(model, X, Y, loss=LOSS, optimizer=optimizer(model.parameters()), epochs=2, checkpoint=checkpoint)

    resume(lambda parameters: Adam(parameters, cosine(0.1, 0.0, 40)))
    for other in [
        lambda parameters: Adam(parameters, cosine(0.1, 0.0, 50)),
        lambda parameters: Adam(parameters, cosine(0.1, 0.0, 40), betas=(0.8, 0.999)),
        lambda parameters: Adam(parameters, 0.1),
    ]:
        with pytest.raises(SavedFileError, match="there optimizer is"):
            resume(other)


@pytest.mark.parametrize("resume", [True, False])
def test_damaged_and_foreign_files_are_neither_read_nor_written_over(tmp_path, resume):
    path = tmp_path / "c"
    train(net(), epochs=2, checkpoint=path)
    content = path.read_bytes()
    save(net(), tmp_path / "model.json")
    bad = [
        content[: len(content) // 2],
        content.replace(b"1", b"2", 1),
        b"",
        b"a,b\n1,2\n",
        (tmp_path / "model.json").read_bytes(),
    ]
    for damaged in bad:
        path.write_bytes(damaged)
        model = net()
        before = model.state_dict()
        with pytest.raises(SavedFileError):
            train(model, epochs=3, checkpoint=Checkpoint(path, resume=resume))
        assert path.read_bytes() == damaged
        assert model.state_dict() == before


@pytest.mark.parametrize("part", ["rng", "history", "best", "optimizer", "model", "settings"])
@pytest.mark.parametrize("value", [5, [1], {"a": 1}])
def test_every_wrong_part_is_refused_and_nothing_is_half_loaded(tmp_path, part, value):
    path = tmp_path / "c"
    train(net(), epochs=2, checkpoint=path)
    document = json.loads(path.read_text())
    del document["sha256"]
    path.write_text(json.dumps(document | {part: value}))
    model = net(seed=9)
    optimizer = Adam(model.parameters(), 0.05)
    before = model.state_dict(), optimizer.state_dict()
    with pytest.raises(SavedFileError, match=r"damaged|another run"):
        fit(model, X, Y, loss=LOSS, optimizer=optimizer, epochs=3, checkpoint=Checkpoint(path, resume=True))
    assert (model.state_dict(), optimizer.state_dict()) == before
