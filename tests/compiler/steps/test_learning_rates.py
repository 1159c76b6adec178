"""Schedules that read what steps change."""

import math

import pytest

pytest.importorskip("llvmlite")


from chainrule import Value
from chainrule.compiler.steps.learning_rates import is_arithmetic
from chainrule.compiler.steps.step import compile_step
from chainrule.errors import TraceError
from chainrule.optim import SGD

from .both_ways import batches, by_eager, by_run, by_some_runs, by_step, fitted, loss_of, parameters, same, trained
from .own_optimizers import OPTIMIZERS


class Plateau:
    """Halves the rate when the parameters stop shrinking, and counts its calls."""

    def __init__(self, w):
        self.w, self.rate, self.best, self.asked = w, 0.2, math.inf, 0

    def __call__(self, step):
        self.asked += 1
        size = sum(abs(x.data) for x in self.w)
        self.rate = 0.5 * self.rate if size > self.best - 1e-3 else self.rate
        self.best = min(size, self.best)
        return self.rate


def counting():
    asked = 0

    def schedule(step):
        nonlocal asked
        asked += 1
        return 0.1 / asked

    return schedule


def drawing():
    rates = iter([0.1 / (1 + i % 5) for i in range(100)])
    return lambda step: next(rates)


LOOKING = {
    "the optimiser's steps": lambda o: lambda step: 0.1 / (1 + o.steps),
    "a parameter": lambda o: lambda step: 0.1 / (1 + abs(o.parameters[0].data)),
    "a parameter later on": lambda o: lambda step: 0.1 if step < 9 else 0.1 / (1 + abs(o.parameters[0].data)),
    "the sign of a parameter": lambda o: lambda step: 0.1 if o.parameters[0] > 0 else 0.05,
    "the memory": lambda o: lambda step: 0.1 / (1 + abs(o.memory["velocity"][0])),
    "its own count": lambda o: counting(),
    "an iterator": lambda o: drawing(),
    "a plateau": lambda o: Plateau(o.parameters),
}


@pytest.mark.parametrize("way", [by_step, by_run, by_some_runs])
@pytest.mark.parametrize("name", LOOKING)
def test_a_schedule_that_looks_at_what_steps_change(name, way):
    def optimizer_of(w):
        optimizer = SGD(w, momentum=0.5)
        optimizer.schedule = LOOKING[name](optimizer)
        return optimizer

    same(trained(way, optimizer_of), trained(by_eager, optimizer_of))


@pytest.mark.parametrize("name", LOOKING)
def test_a_schedule_that_looks_at_what_steps_change_in_fit(name):
    def optimizer_of(w):
        optimizer = SGD(w, momentum=0.5)
        optimizer.schedule = LOOKING[name](optimizer)
        return optimizer

    (eager, wanted), (compiled, found) = [fitted(optimizer_of, way) for way in (False, "auto")]
    assert eager.engine == compiled.engine == "eager"  # there is too little work for compiling
    same(found, wanted)
    (compiled, found) = fitted(optimizer_of, True)
    assert compiled.engine == "compiled"
    same(found, wanted)


def by_gradient(w):
    optimizer = SGD(w, momentum=0.5)
    optimizer.schedule = lambda step: 0.1 / (1 + abs(w[1].grad))
    return optimizer


def test_a_schedule_that_reads_a_gradient_is_refused(monkeypatch):
    w = parameters()
    with pytest.raises(TraceError, match="the schedule reads a gradient"):
        compile_step(loss_of(w), by_gradient(w)).run(batches())
    assert [x.data for x in w] == [x.data for x in parameters()]
    monkeypatch.setattr("chainrule.training.engines.WORTH_IT", -math.inf)
    (_, wanted), (history, found) = [fitted(by_gradient, way) for way in (False, "auto")]
    assert history.engine == "eager"
    assert history.engine_note.startswith("no longer compiled: the schedule reads a gradient")
    same(found, wanted)


def test_a_schedule_that_ends_fails_at_its_step():
    found = []
    for way in (by_eager, by_run):
        w = parameters()
        optimizer = SGD(w, [0.1, 0.05, 0.01].__getitem__)
        with pytest.raises(IndexError):
            way(loss_of(w), optimizer, batches())
        found.append([*[x.data for x in w], optimizer.steps])
    same(found[1], found[0])


def test_arithmetic_that_fails_fails_at_its_step():
    found = []
    for way in (by_eager, by_run):
        for optimizer_of in (SGD, lambda w, schedule: OPTIMIZERS["NextRate"](w, schedule)):
            w = parameters()
            optimizer = optimizer_of(w, lambda k: 0.1 / (7 - k))
            with pytest.raises(ZeroDivisionError):
                way(loss_of(w), optimizer, batches())
            found.append([x.data for x in w])
            assert optimizer.steps in (6, 7)
    same(found[2], found[0])
    same(found[3], found[1])


# ---- schedules that write --------------------------------------------------------------------------------------------


class Decaying(SGD):
    """The strength of its weight decay is a Value, which its schedule writes."""

    def __init__(self, parameters, when):
        self.decay = Value(0.3)
        super().__init__(parameters, 0.1, momentum=0.5)
        decay = self.decay

        def schedule(step):
            if when(step):
                decay.data = 0.1 / (step + 1)
            return 0.1

        self.schedule = schedule

    def updated(self, data, grads, lr):
        return [x - lr * (g + self.decay.data * x) for x, g in zip(data, grads, strict=True)]


WHEN = {"each time": lambda k: True, "at first": lambda k: k == 0, "at the second": lambda k: k == 1,
        "later on": lambda k: k >= 11, "now and then": lambda k: k % 5 == 3}  # fmt: skip


@pytest.mark.parametrize("way", [by_step, by_run, by_some_runs])
@pytest.mark.parametrize("when", WHEN)
def test_a_schedule_writes_what_the_update_reads(when, way):
    same(trained(way, lambda w: Decaying(w, WHEN[when])), trained(by_eager, lambda w: Decaying(w, WHEN[when])))


@pytest.mark.parametrize("way", [by_step, by_run, by_some_runs])
@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("besides", [False, True])
def test_a_schedule_writes_what_the_loss_reads(when, way, besides):
    """The loss of a step is calculated before its schedule is called, also if the step takes a new path."""
    found = []
    for run in (by_eager, way):
        w, scale = parameters(), Value(1.0)
        inner = loss_of(w)

        def loss(xs, y, inner=inner, scale=scale):
            found = inner(xs, y) * scale * scale
            return found * 2.0 if xs[0] > 0 else found

        def schedule(step, scale=scale):
            if WHEN[when](step):
                scale.data = 1.0 + 1.0 / (step + 2)
            return 0.05

        optimizer = SGD(w, schedule, momentum=0.5)
        if besides and run is by_run:
            losses = compile_step(loss, optimizer, besides=[scale]).run(batches())
        else:
            losses = run(loss, optimizer, batches())
        found.append([*losses, *[x.data for x in w], *optimizer.memory["velocity"]])
    same(found[1], found[0])


RATE, COUNTS = 0.1, [0]


def test_schedules_that_are_arithmetic_need_no_watching():
    half = 0.5
    for schedule in (
        lambda k: 1.0 - 0.9 * k / 100,
        lambda k: RATE * half**k * math.cos(k),
        lambda k, rate=0.3: max(rate / (k + 1), 0.01),
    ):
        assert is_arithmetic(schedule)


def test_schedules_that_might_look_at_something_are_watched():
    weight, count = Value(1.0), 0

    def counting(k):
        nonlocal count
        count += 1
        return 0.1 / count

    def keeping(k):
        COUNTS[0] += 1
        return 0.1 / COUNTS[0]

    def nested(k):
        return sum(0.1 * i for i in range(k))

    for schedule in (
        counting,
        keeping,
        nested,
        lambda k: weight.data * k,
        lambda k: COUNTS[0] * 0.1,
        len,
        lambda k: id(k),
    ):
        assert not is_arithmetic(schedule), schedule
