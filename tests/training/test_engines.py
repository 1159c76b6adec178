"""Which engine fit trains with, and what it says about that."""

from __future__ import annotations

import math
import random
import signal
import sys

import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("numpy")

from chainrule import losses, ops
from chainrule.data import moons
from chainrule.errors import ArgumentError, MissingExtraError, OperandError, TraceError
from chainrule.nn import MLP, Module
from chainrule.optim import SGD, Optimizer
from chainrule.training import Checkpoint, EagerTrainer, engines, fit

X, Y = moons(n=22, noise=0.1, seed=2)
SIGNS = [2 * label - 1 for label in Y]
BCE = "binary_cross_entropy"


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


@pytest.fixture
def always(monkeypatch):
    """By itself, fit compiles all there is, however little."""
    monkeypatch.setattr(engines, "WORTH_IT", 0)
    monkeypatch.setattr(engines, "TRACE_COST", 0)


# ---- whether, and why not ------------------------------------------------------------------------------------------


def test_little_work_is_not_compiled():
    history = fit(net(), X, Y, loss=BCE, epochs=1)
    assert (history.engine, history.engine_note) == ("eager", "so little work that compiling would take longer")


def test_much_work_is_compiled_and_it_says_so(capsys, monkeypatch):
    monkeypatch.setattr(engines, "WORTH_IT", 10_000)
    history = fit(net(), X, Y, loss=BCE, epochs=40, progress=True)
    assert history.engine == "compiled"
    assert history.engine_note.startswith("compiled in ")
    assert history.engine_note in capsys.readouterr().err.splitlines()


def test_compile_false_does_not(always):
    history = fit(net(), X, Y, loss=BCE, epochs=2, compile=False)
    assert (history.engine, history.engine_note) == ("eager", "compile=False")


def test_without_the_extra(always, monkeypatch, capsys):
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    history = fit(net(), X, Y, loss=BCE, epochs=2, progress=True)
    assert history.engine == "eager"
    assert "pip install 'chainrule[compiler]'" in history.engine_note
    assert history.engine_note in capsys.readouterr().err
    with pytest.raises(MissingExtraError, match="llvmlite"):
        fit(net(), X, Y, loss=BCE, epochs=2, compile=True)


def test_a_library_that_is_broken(always, monkeypatch):
    def broken(name):
        raise ImportError("no symbol LLVMFoo")

    monkeypatch.setattr(engines.importlib, "import_module", broken)
    history = fit(net(), X, Y, loss=BCE, epochs=1)
    assert history.engine_note == "not compiled: ImportError: no symbol LLVMFoo"


class Dropout(Module):
    def __init__(self, draw=random):
        self.inside, self.draw = net(), draw

    def forward(self, x):
        return self.inside([a * (self.draw.random() > 0.5) for a in x])


class Centred(Module):
    """Mixes the rows of a batch."""

    def __init__(self):
        self.inside = net()

    def __call__(self, x):
        if not isinstance(x[0], list):
            return self.inside(x)
        actual = self.inside(x)
        mean = ops.sum(actual) * (1 / len(actual))
        return [one - mean for one in actual]


class Counted(Module):
    """Each call is scaled otherwise than the one before."""

    def __init__(self):
        self.inside, self.calls = net(), 0

    def forward(self, x):
        self.calls += 1
        return self.inside(x) * (1.0 + 1.0 / self.calls)


class Plain(Module):
    """Uses what is not an operation."""

    def __init__(self):
        self.inside = net()

    def forward(self, x):
        return self.inside([math.sin(a) for a in x])


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (Dropout, "gives other numbers each time: "),
        (lambda: Dropout(random.Random(1)), "gives other numbers each time: "),
        (Counted, "gives other numbers each time: "),
        (Centred, "Centred has a __call__ of its own"),
        (Plain, "a float would lose the gradient"),
    ],
    ids=["dropout", "own generator", "state", "batch", "math"],
)
def test_models_that_cannot_be_compiled(make, why, always, capsys):
    state = random.getstate()
    try:
        history = fit(make(), X, Y, loss=BCE, epochs=2, progress=True)
        assert history.engine == "eager"
        assert why in history.engine_note
        assert history.engine_note in capsys.readouterr().err
        model = make()
        before = model.state_dict()
        with pytest.raises((TraceError, OperandError)):
            fit(model, X, Y, loss=BCE, epochs=2, compile=True)
        assert model.state_dict() == before
    finally:
        random.setstate(state)


def test_where_it_cannot_be_compiled_the_numbers_are_those_without():
    actual = []
    for compile in (False, "auto"):
        random.seed(5)
        model = Dropout()
        fit(model, X, Y, loss=BCE, epochs=2, compile=compile)
        actual.append(model.state_dict())
    assert actual[0] == actual[1]


def test_a_penalty_that_depends_on_the_step(always):
    actual = []
    for compile in (False, "auto"):
        model = net()
        optimizer = SGD(model.parameters(), 0.1)

        def penalty(model=model, optimizer=optimizer):
            return losses.l2_penalty(model.parameters(), 1e-3 * optimizer.steps)

        history = fit(model, X, Y, loss=BCE, optimizer=optimizer, epochs=3, penalty=penalty, compile=compile)
        actual.append(model.state_dict())
    assert "by the step" in history.engine_note
    assert actual[0] == actual[1]


class Stepping(SGD):
    def step(self):
        super().step()


class Sorting(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * sorted(grads)[0] for x in data]


@pytest.mark.parametrize(("kind", "why"), [(Stepping, "'step' of its own"), (Sorting, "update of Sorting")])
def test_optimizers_that_cannot_be_compiled(kind, why, always):
    models = [net(), net()]
    for model, compile in zip(models, (False, "auto"), strict=True):
        history = fit(model, X, Y, loss=BCE, optimizer=kind(model.parameters(), 0.1), epochs=2, compile=compile)
    assert why in history.engine_note
    assert models[0].state_dict() == models[1].state_dict()


def test_a_loss_that_goes_too_many_ways_goes_on_eagerly(always):
    def by_label(predictions, targets):
        return sum([p * p if t > 0 else (p - 1) ** 2 for p, t in zip(predictions, targets, strict=True)])

    models = [net(), net()]
    for model, compile in zip(models, (False, "auto"), strict=True):
        history = fit(model, X, Y, loss=by_label, batch_size=6, epochs=8, compile=compile)
    close(models[1].state_dict(), models[0].state_dict())
    assert history.engine == "eager"
    assert "different ways" in history.engine_note


def test_a_mistake_of_the_users_is_told_as_ever(always):
    def wrong(predictions, targets):
        return predictions[0].no_such_method()

    for compile in (False, True, "auto"):
        with pytest.raises(AttributeError, match="no_such_method"):
            fit(net(), X, Y, loss=wrong, compile=compile)


def test_options_that_make_no_sense():
    with pytest.raises(ArgumentError, match="compile is 'auto', True or False, not 'yes'"):
        fit(net(), X, Y, loss=BCE, compile="yes")
    with pytest.raises(ArgumentError, match="not 1"):
        fit(net(), X, Y, loss=BCE, compile=1)
    with pytest.raises(ArgumentError, match="exclude each other"):
        fit(net(), X, Y, loss=BCE, compile=True, trainer=EagerTrainer)


def test_a_trainer_of_ones_own_is_not_replaced(always):
    class Own(EagerTrainer):
        pass

    assert fit(net(), X, Y, loss=BCE, epochs=1, trainer=Own).engine == "own"
    assert fit(net(), X, Y, loss=BCE, epochs=1, trainer=EagerTrainer).engine == "eager"


def test_no_epochs_compile_nothing():
    model = net()
    before = model.state_dict()
    assert fit(model, X, Y, loss=BCE, epochs=0, compile=True).stopped == "done"
    assert model.state_dict() == before


# ---- engines that change -------------------------------------------------------------------------------------------


class Tempered(Module):
    """Has a plain number in it."""

    def __init__(self):
        self.inside, self.temperature = net(), 1.0

    def forward(self, x):
        return self.inside(x) * self.temperature


def cool(state):
    if state.epoch == 2:
        state.model.temperature *= 0.5


@pytest.mark.parametrize("loss", [BCE, cubic])
def test_a_model_that_a_callback_changes_goes_on_eagerly(loss, always):
    models = []
    for compile in (False, "auto"):
        models.append(Tempered())
        history = fit(
            models[-1], X, SIGNS if loss is cubic else Y, loss=loss, epochs=4, callbacks=cool, compile=compile
        )
    close(models[1].state_dict(), models[0].state_dict())
    assert history.engine == "eager"
    assert "changed since it was compiled" in history.engine_note
    with pytest.raises(TraceError, match="changed since it was compiled"):
        fit(Tempered(), X, Y, loss=BCE, epochs=4, callbacks=cool, compile=True)


def test_a_run_goes_on_with_its_engine_unless_one_is_asked_for(tmp_path, always):
    def train(epochs, compile):
        checkpoint = Checkpoint(tmp_path / "c", resume=True)
        return fit(net(), X, Y, loss=BCE, epochs=epochs, checkpoint=checkpoint, compile=compile)

    assert train(1, False).engine == "eager"
    history = train(2, "auto")
    assert (history.engine, history.engine_note) == ("eager", "resumes an eager run; compile=True goes on compiled")
    assert train(3, True).engine == "compiled"
    assert train(3, False).engine == "compiled"  # nothing was left to do
    assert train(4, "auto").engine == "compiled"
    assert train(5, False).engine == "eager"


def test_a_checkpoint_of_before_there_were_engines():
    from chainrule.training import History

    old = History([{"loss": 1.0}]).to_dict()
    del old["engine"], old["engine_note"]
    assert History.from_dict(old).engine == "eager"


def test_ctrl_c_while_it_compiles(always, monkeypatch):
    from chainrule.training.compiled import CompiledTrainer

    def prepare(self, samples, batch_size):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(CompiledTrainer, "prepare", prepare)
    model = net()
    before = model.state_dict()
    history = fit(model, X, Y, loss=BCE)
    assert (history.stopped, len(history)) == ("interrupted", 0)
    assert model.state_dict() == before
