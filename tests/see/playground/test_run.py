"""A run in the page has the numbers of `fit`: data, weights, batch losses."""

from __future__ import annotations

import math

import pytest

from chainrule.cli.goals import SIDES
from chainrule.data.toy import toy_set
from chainrule.nn import MLP
from chainrule.see.playground.page import ACTIVATIONS
from chainrule.see.playground.templates import OF_ONE_SCORE, OPTIMIZERS
from chainrule.training import evaluate, fit
from chainrule.training.trainer import EagerTrainer

from .usual import USUAL

STEPS = 100
"""How many batch losses are compared."""


class Losses(EagerTrainer):
    """Keeps the loss of each batch."""

    def step(self, X, y):
        self.seen = [*getattr(self, "seen", []), self.objective.total(self.model(X), y).data]
        super().step(X, y)


def by_fit(settings):
    """The model that `fit` begins with and the losses of its first batches."""
    size = {"repeat": settings["samples"] // 4} if settings["data"] == "xor" else {"n": settings["samples"]}
    if settings["data"] == "own":
        X, labels = settings["own"]["points"], settings["own"]["labels"]
    else:
        X, labels = toy_set(settings["data"], noise=settings["noise"], seed=settings["seed"], **size)
    y = [SIDES[settings["loss"]][label] for label in labels]
    model = MLP(
        2, [*settings["hidden"], 1], activation=settings["activation"], init=settings["init"], seed=settings["seed"]
    )
    start = [p.data for p in model.parameters()]
    kind, options = OPTIMIZERS[settings["optimizer"]]
    trainers = []

    def trainer(*arguments):
        trainers.append(Losses(*arguments))
        return trainers[0]

    rows = len(X) * (1 - settings["heldOut"])
    epochs = math.ceil(STEPS / max(1, rows // (settings["batch"] or rows))) + 1
    fit(
        *(model, X, y),
        **{"loss": settings["loss"], "optimizer": kind(model.parameters(), lr=settings["rate"], **options)},
        **{"batch_size": settings["batch"] or None, "validation": settings["heldOut"] or None},
        **{"seed": settings["seed"], "epochs": epochs, "trainer": trainer, "progress": False},
    )
    return start, trainers[0].seen[:STEPS]


def compared(in_playground, **changes):
    settings = {**USUAL, **changes}
    found = in_playground(
        """
        const run = createRun(given.settings, library, operations);
        const start = [...run.parameters];
        const losses = Array.from({ length: given.steps }, () => run.step().loss);
        return { start, losses, names: run.names };
        """,
        {"settings": settings, "steps": STEPS},
    )
    start, losses = by_fit(settings)
    assert found["start"] == pytest.approx(start, rel=1e-15)
    assert len(losses) == STEPS
    assert found["losses"] == pytest.approx(losses, rel=1e-9, abs=1e-15)
    return found


@pytest.mark.parametrize("data", ["xor", "moons", "circles", "spiral"])
def test_every_data_set(in_playground, data):
    compared(in_playground, data=data)


@pytest.mark.parametrize("loss", OF_ONE_SCORE)
def test_every_loss(in_playground, loss):
    compared(in_playground, loss=loss, rate=0.05)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch", [0, 7])
def test_every_optimizer(in_playground, optimizer, batch):
    compared(in_playground, optimizer=optimizer, batch=batch, rate=0.02)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(in_playground, activation):
    compared(in_playground, activation=activation, init="he", seed=3, rate=0.03)


@pytest.mark.parametrize("init", ["xavier", "he", "uniform"])
def test_every_start(in_playground, init):
    compared(in_playground, init=init, hidden=[8], heldOut=0.0, seed=11)


def test_points_of_ones_own_and_no_hidden_layer(in_playground):
    points = [[0.1 * i, (i * 7 % 5) / 3 - 0.5] for i in range(12)]
    found = compared(
        in_playground, data="own", own={"points": points, "labels": [i % 2 for i in range(12)]}, hidden=[], batch=4
    )
    assert found["names"] == [name for name, _ in MLP(2, [1]).named_parameters()]


@pytest.mark.parametrize("loss", ["max_margin", "mean_squared_error"])
def test_where_nothing_but_sums_and_products_is_done_the_bits_are_the_engines(in_playground, loss):
    points = [[0.1 * i, (i * 7 % 5) / 3 - 0.5] for i in range(40)]
    own = {"points": points, "labels": [i % 3 % 2 for i in range(40)]}
    settings = {"data": "own", "own": own, "activation": "relu", "init": "uniform", "loss": loss, "batch": 0}
    found = compared(in_playground, **settings, rate=0.01)
    assert found["losses"] == by_fit({**USUAL, **settings, "rate": 0.01})[1]


def test_a_gradient_that_cancels_is_not_blown_up_by_adam(in_playground):
    compared(
        in_playground, data="xor", samples=100, noise=0.05, heldOut=0.75, hidden=[5, 2], activation="silu", init="he",
        optimizer="Adam", rate=0.01, batch=0,
    )  # fmt: skip


def test_what_is_measured_is_what_evaluate_measures(in_playground):
    found = in_playground(
        """
        const run = createRun(given, library, operations);
        for (let i = 0; i < 20; i += 1) run.step();
        const { train, heldOut } = run.data;
        const scores = [...run.predict([0.5, 0.25, -1, 2])];
        return [run.evaluate("train"), run.evaluate("heldOut"), [...run.parameters], train, heldOut, scores];
        """,
        USUAL,
    )
    model = MLP(2, [4, 3, 1], activation="tanh")
    for parameter, x in zip(model.parameters(), found[2], strict=True):
        parameter.data = x
    for numbers, rows in ((found[0], found[3]), (found[1], found[4])):
        assert numbers == pytest.approx(evaluate(model, rows["points"], rows["targets"], loss="max_margin"))
    assert found[5] == pytest.approx([model([0.5, 0.25]).data, model([-1.0, 2.0]).data])


def test_a_step_that_is_done_in_parts_is_the_same_step(in_playground):
    found = in_playground(
        """
        const whole = createRun(given, library, operations);
        const parts = createRun(given, library, operations);
        for (let i = 0; i < 5; i += 1) whole.step();
        let calls = 0;
        while (parts.steps < 5) { parts.work(0); calls += 1; }
        return [[...whole.parameters], [...parts.parameters], calls];
        """,
        {**USUAL, "samples": 200, "batch": 0},
    )
    assert found[0] == found[1]
    assert found[2] > 5


def test_what_is_looked_at_between_the_parts_of_a_step_changes_nothing(in_playground):
    found = in_playground(
        """
        const [one, other] = [1, 2].map(() => createRun(given, library, operations));
        for (let i = 0; i < 40; i += 1) { one.work(0); other.work(0); other.evaluate("train"); other.predict([1, 2]); }
        return [[...one.parameters], [...other.parameters], one.steps];
        """,
        {**USUAL, "samples": 200, "batch": 0},
    )
    assert found[0] == found[1]
    assert found[2] > 0


def test_a_run_that_diverges_says_so_and_keeps_its_numbers(in_playground):
    found = in_playground(
        """
        const run = createRun(given, library, operations);
        for (let i = 0; i < 200 && !run.diverged; i += 1) run.step();
        return [run.diverged, [...run.parameters].every(Number.isFinite), run.steps];
        """,
        {**USUAL, "loss": "mean_squared_error", "activation": "linear", "rate": 10.0},
    )
    assert "step" in found[0].lower()
    assert found[1]


def test_what_an_optimizer_remembers_stays_finite(in_playground):
    found = in_playground(
        """
        const run = createRun(given, library, operations);
        const [weight] = run.graph.parameters;
        run.tape.data[weight] = 1e150;
        run.work(Infinity);
        return [run.diverged, run.tape.data[weight], run.steps];
        """,
        {
            **USUAL, "data": "own", "own": {"points": [[1e3, 0.0], [2e3, 1.0]], "labels": [0, 1]}, "hidden": [],
            "loss": "mean_squared_error", "optimizer": "Adam", "heldOut": 0, "batch": 0,
        },
    )  # fmt: skip
    assert "what the optimiser remembers" in found[0]
    assert found[1:] == [1e150, 0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rate": -1}, "rate is a number from"),
        ({"rate": "0.1"}, "rate is a number from"),
        ({"samples": 1e9}, "samples is a whole number"),
        ({"hidden": [100]}, "1 to 8 neurons"),
        ({"hidden": [2] * 9}, "at most 4 hidden layers"),
        ({"loss": "__proto__"}, "loss is one of"),
        ({"data": "constructor"}, "data is one of"),
        ({"data": "own"}, "both classes"),
        ({"data": "own", "own": {"points": [[0, 1], [1, 1]], "labels": [1, 1]}}, "both classes"),
        ({"seed": 1.5}, "seed is a whole number"),
    ],
)
def test_what_cannot_be_is_refused(in_playground, change, words):
    said = in_playground(
        "try { createRun(given, library, operations); } catch (error) { return error.message; }", {**USUAL, **change}
    )
    assert words in said
