"""Steps that the driver stops at: at other branches, at numbers that are not finite, and how they are done by hand."""

from __future__ import annotations

import math
import random

import pytest

pytest.importorskip("llvmlite")

from chainrule import Value, ops
from chainrule.compiler.steps.levelised_loss import LevelisedKernel
from chainrule.compiler.steps.run import Run
from chainrule.compiler.steps.step import CompiledStep, compile_step
from chainrule.errors import AnomalyError, TraceError
from chainrule.optim import SGD, Adam


def sgd(w):
    return SGD(w, lr=0.05, momentum=0.9)


# ---- guards --------------------------------------------------------------------------------------------------------


def by_sign(w):
    def loss(x, y):
        s = w[0] * x + w[1]
        return ((s * w[2] if x > 0 else s - w[3]) - y) ** 2

    return loss


def test_a_branch_on_a_number_of_the_step(training, rows):
    step = training.twice(by_sign, sgd, [(x, y) for x, y in zip(rows(20), rows(20), strict=True)])
    assert step.kernels == 2


def test_a_branch_on_a_parameter(training):
    def loss_of(w):
        def loss(x):
            return (w[0] * x) ** 2 + (w[1] * 1.5 if w[1] > 0 else -w[1] * 0.5)

        return loss

    assert training.twice(loss_of, lambda w: SGD(w, lr=0.3), [(0.1 * k,) for k in range(20)]).kernels == 2


def test_too_many_branches():
    w = [Value(0.5)]
    step = compile_step(lambda i: w[0] * [1.0, 2.0, 3.0][i], SGD(w), max_traces=2)
    with pytest.raises(TraceError, match="2 different ways"):
        step.run([(0,), (1,), (2,)])


def test_too_many_ways_of_samples_are_told_before_there_is_a_kernel_for_each():
    w, points = [Value(1.0)], [math.sin(3.0 * k) for k in range(10)]
    loss = lambda x: min([(w[0] * x - p) ** 2 for p in points])  # noqa: E731
    step = compile_step(loss, SGD(w), in_axes=0, max_traces=5)
    for _ in range(2):
        with pytest.raises(TraceError, match=r"5 different ways.* best = chainrule.min\(best, d\) in place of"):
            step.run([([0.01 * k - 1.0 for k in range(200)],)])
    assert step.kernels <= 2


def test_all_samples_of_a_batch_go_one_way(training, rows):
    batches = [([abs(x) for x in rows(9)], rows(9)) for _ in range(5)]
    assert training.twice(by_sign, sgd, batches, in_axes=0).kernels == 1


def test_all_samples_of_a_batch_go_the_other_way(training, rows):
    batches = [([-abs(x) for x in rows(9)], rows(9)) for _ in range(3)]
    training.twice(by_sign, sgd, batches, in_axes=0)


@pytest.fixture
def native(monkeypatch):
    """Makes a step by the eager engine fail."""

    def refused(*_):
        raise AssertionError("a step by the eager engine")

    monkeypatch.setattr(CompiledStep, "eager_step", refused)


@pytest.mark.parametrize("odd", [1, 7, 8])
def test_samples_of_a_batch_that_go_different_ways(odd, training, rows, native):
    xs = [abs(x) for x in rows(9)]
    xs[odd] = -xs[odd]
    training.twice(by_sign, sgd, [(xs, rows(9)) for _ in range(3)], in_axes=0)


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [({}, 1e-12), ({"reduce": "sum"}, 1e-12), ({"threads": 2}, 1e-12), ({"dtype": "float32"}, 1e-5)],
)
def test_batches_of_many_sizes_whose_samples_go_different_ways(options, tolerance, training, rows, native):
    def loss_of(w):
        def loss(x, y):
            error = (w[0] * x + w[1] if x > 0.3 else w[2] * ops.sin(x) if x > -0.3 else w[3]) - y
            return error * error if abs(error) < 0.5 else abs(error)

        return loss

    batches = [(rows(n), rows(n)) for n in (500, 1, 30, 501, 7, 500)]
    step = training.twice(loss_of, lambda w: SGD(w, lr=1e-3), batches, in_axes=0, tolerance=tolerance, **options)
    assert step.kernels == 6  # three ranges of x, and errors that are small or large


def test_ways_that_parameters_choose_in_a_batch(training, rows, native):
    def loss_of(w):
        return lambda x, y: (w[0] * (x if x > 0 else 2 * x) - y) ** 2 + (w[1] * 1.5 if w[1] > 0 else -w[1] * 0.5)

    batches = [(rows(9), rows(9)) for _ in range(40)]
    assert training.twice(loss_of, lambda w: SGD(w, lr=0.3), batches, in_axes=0).kernels == 4


def test_ways_by_turns_are_all_taken_in_native_code(training, rows, native, monkeypatch):
    alone = []
    monkeypatch.setattr(Run, "_step_alone", lambda run, at, before=Run._step_alone: alone.append(at) or before(run, at))
    step = training.twice(by_sign, sgd, [(x, y) for x, y in zip(rows(200), rows(200), strict=True)])
    assert len(alone) == step.traces - 1 == len(step.records) - 1 == 1  # the step that first took the second path


def test_ways_by_turns_without_loops(training, rows, native):
    def loss_of(w):
        def loss(x):
            draw, found = random.Random(0), [*w, x]
            for _ in range(300):
                a, b = draw.choices(found[-9:], k=2)
                found.append(draw.choice([ops.sin(a * b), a * b, a - b, ops.tanh(a) + b, ops.cos(b)]))
            return found[-1] ** 2 if x > 0.1 else found[-2] ** 2

        return loss

    step = training.twice(loss_of, sgd, [(x,) for x in rows(30)])
    assert isinstance(step.last.kernel, LevelisedKernel)
    assert step.kernels == 2


# ---- numbers that are not finite -----------------------------------------------------------------------------------


def logarithm(w):
    return lambda x: (w[0] * x).log() + w[1] * w[1]


@pytest.mark.parametrize("at", [0, 1, 5])
@pytest.mark.parametrize("kind", [SGD, Adam])
def test_the_operation_is_named_and_everything_is_as_before_the_step(at, kind, training):
    w, v = [Value(5.0), Value(2.0)], [Value(5.0), Value(2.0)]
    optimizer, other = kind(w, lr=0.01), kind(v, lr=0.01)
    good = [(1.0 + k,) for k in range(at)]
    with pytest.raises(AnomalyError, match=r"^log\(-.*\) gave nan"):
        compile_step(logarithm(w), optimizer).run([*good, (-1.0,), (1.0,)])
    training.eager(logarithm(v), other, good)
    assert [x.data for x in w] == pytest.approx([x.data for x in v], rel=1e-12)
    assert optimizer.steps == at
    for slot in optimizer.slots:
        assert optimizer.memory[slot] == pytest.approx(other.memory[slot], rel=1e-12)


def test_a_gradient_that_is_not_finite():
    w = [Value(0.0)]
    with pytest.raises(AnomalyError):
        compile_step(lambda x: ops.sqrt(w[0] * x), SGD(w))(1.0)
    assert w[0].data == 0.0


def test_zero_times_infinity_is_left_to_the_eager_engine(training):
    def loss_of(w):
        return lambda x: ops.select(x > 0, ops.log(ops.max(x * w[0] * w[0], 0.0)), w[0] * w[0]) + w[1]

    training.twice(loss_of, lambda w: SGD(w, lr=0.1), [(-1.0,), (-2.0,)])


# ---- going on by hand ----------------------------------------------------------------------------------------------


KINDS = {
    "sgd": lambda w: SGD(w, lr=0.05),
    "adam": lambda w: Adam(w, lr=0.05),
    "momentum": lambda w: SGD(w, lr=0.05, momentum=0.9),
}


@pytest.mark.parametrize("name", KINDS)
def test_native_steps_and_eager_ones_by_turns(name, training, rows):
    batches = [(x, y) for x, y in zip(rows(12), rows(12), strict=True)]

    def trained(native):
        w = training.parameters()
        loss, optimizer = by_sign(w), KINDS[name](w)
        step = compile_step(loss, optimizer).run if native else lambda some: training.eager(loss, optimizer, some)
        losses = [*step(batches[:4]), *training.eager(loss, optimizer, batches[4:8]), *step(batches[8:])]
        return [*losses, *[x.data for x in w], optimizer.steps]

    assert trained(native=True) == pytest.approx(trained(native=False), rel=1e-9)


def test_the_state_of_an_optimizer_can_be_taken_and_loaded(training, rows):
    batches = [(x, y) for x, y in zip(rows(12), rows(12), strict=True)]
    w = training.parameters()
    optimizer = Adam(w)
    step = compile_step(by_sign(w), optimizer)
    step.run(batches[:6])
    state, numbers = optimizer.state_dict(), [x.data for x in w]
    first = step.run(batches[6:])
    optimizer.load_state_dict(state)
    for x, number in zip(w, numbers, strict=True):
        x.data = number
    assert step.run(batches[6:]) == first
    fresh = training.parameters()
    other = Adam(fresh)
    other.load_state_dict(state)
    for x, number in zip(fresh, numbers, strict=True):
        x.data = number
    assert compile_step(by_sign(fresh), other).run(batches[6:]) == pytest.approx(first, rel=1e-12)


def test_settings_that_change_between_runs(training):
    def trained(native):
        w = [Value(0.5)]
        optimizer = SGD(w, lr=0.1, weight_decay=0.5)

        def loss(x):
            return (w[0] * x) ** 2

        step = compile_step(loss, optimizer).run if native else lambda some: training.eager(loss, optimizer, some)
        step([(1.0,)])
        optimizer.weight_decay = 0.0
        step([(1.0,)])
        return w[0].data

    assert trained(native=True) == pytest.approx(trained(native=False))


# ---- steps by hand that somebody else does -------------------------------------------------------------------------


def test_what_native_code_cannot_do_is_left_to_another():
    w = [Value(5.0), Value(2.0)]
    seen = []

    def by_hand(batch):
        seen.append((batch, w[0].data, optimizer.steps))
        w[1].data = 3.0
        optimizer.memory = {"velocity": [0.0, 1.0]}
        return 7.0

    optimizer = SGD(w, lr=0.0, momentum=0.5)
    step = compile_step(logarithm(w), optimizer)
    step.by_hand = by_hand
    losses = step.run([(1.0,), (-1.0,), (1.0,)])
    assert seen == [((-1.0,), 5.0, 1)]
    assert losses[1:] == pytest.approx([7.0, math.log(5.0) + 9.0])
    assert optimizer.memory["velocity"] == pytest.approx([0.2, 6.5])


def test_one_who_refuses_a_step_leaves_everything_as_he_says():
    w = [Value(5.0), Value(2.0)]

    def by_hand(batch):
        w[1].data = 3.0
        optimizer.memory = {"velocity": [0.5, 0.5]}
        raise ZeroDivisionError

    optimizer = SGD(w, lr=0.1, momentum=0.5)
    step = compile_step(logarithm(w), optimizer)
    step.by_hand = by_hand
    with pytest.raises(ZeroDivisionError):
        step.run([(1.0,), (-1.0,), (1.0,)])
    assert w[1].data == 3.0
    assert optimizer.memory == {"velocity": [0.5, 0.5]}
    assert step.finite


def test_a_branch_in_a_loss_over_a_list(training, rows, native):
    def loss_of(w):
        def loss(xs):
            total = ops.sum([(w[0] * x - w[1]) ** 2 for x in xs])
            return total if xs[0] > 0 else total * 0.5 + w[2]

        return loss

    batches = [(rows(300),) for _ in range(8)]
    assert training.twice(loss_of, lambda w: SGD(w, lr=1e-4), batches).kernels == 2


# ---- what interrupts, and what changes between runs ----------------------------------------------------------------


@pytest.mark.parametrize("calls", [1, 3])
def test_an_interrupt_leaves_whole_steps_and_their_count(calls, training, rows):
    xs = [(abs(x),) for x in rows(1000)]

    def made():
        w = training.parameters()
        return w, Adam(w, lr=0.01), lambda x: (w[0] * x - w[1]) ** 2

    weights, optimizer, loss = made()
    step = compile_step(loss, optimizer)
    left, drive = [calls], step.drive

    def interrupted(*arguments):
        drive(*arguments)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt  # as Python does after a Ctrl-C during the native call

    step.drive = interrupted
    with pytest.raises(KeyboardInterrupt):
        step.run(xs)
    done = optimizer.steps
    assert done == {1: 1, 3: 73}[calls]
    step.drive = drive
    step.run(xs[done:])
    others, another, loss = made()
    compile_step(loss, another).run(xs)
    assert another.steps == optimizer.steps
    assert [w.data for w in others] == [w.data for w in weights]


def test_other_parameters_need_another_step():
    w = [Value(1.0), Value(2.0)]
    optimizer = SGD(w, lr=0.1)
    step = compile_step(lambda x: w[0] * x + w[1] * x, optimizer)
    step(1.0)
    optimizer.parameters.pop(0)
    before = [p.data for p in w]
    with pytest.raises(TraceError, match="make the step anew"):
        step(1.0)
    assert [p.data for p in w] == before


def test_settings_that_are_changed_in_place():
    class Scaled(SGD):
        def updated(self, data, grads, lr):
            return [x - lr * self.config["scale"] * g for x, g in zip(data, grads, strict=True)]

    w = Value(1.0)
    optimizer = Scaled([w], lr=0.1)
    optimizer.config = {"scale": 1.0}
    step = compile_step(lambda x: w * x, optimizer)
    step(1.0)
    optimizer.config["scale"] = 10.0
    step(1.0)
    assert w.data == pytest.approx(1.0 - 0.1 - 1.0)


def test_a_guard_that_native_code_sees_otherwise_adds_no_path(training):
    def loss_of(w):
        return lambda x: (w[0] * (x * 2 if ops.exp(x) * ops.exp(-x) >= 1.0 else x + x) - 1) ** 2

    batches = [(0.01 * k,) for k in range(200)]
    assert training.twice(loss_of, lambda w: SGD(w, lr=0.01), batches, max_traces=2).kernels == 2


def test_the_step_that_is_not_finite_is_told():
    w = [Value(5.0), Value(2.0)]
    with pytest.raises(AnomalyError) as caught:
        compile_step(logarithm(w), SGD(w, lr=1e-3)).run([(1.0,), (2.0,), (-1.0,), (1.0,)])
    assert caught.value.__notes__ == ["It was step 2 of these 4, counted from 0."]
