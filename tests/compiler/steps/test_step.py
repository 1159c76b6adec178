"""Compiled training steps, compared with the eager loop."""

from __future__ import annotations

import collections
import copy
import math
import random
from itertools import pairwise

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule import Value, ops
from chainrule.compiler.steps.step import compile_step
from chainrule.errors import ArgumentError, OperandError, SizeError, TraceError
from chainrule.optim import SGD, Adam, AdamW, Optimizer, cosine

OPTIMIZERS = {
    "sgd": lambda w: SGD(w, lr=0.05),
    "momentum": lambda w: SGD(w, lr=0.05, momentum=0.9),
    "nesterov": lambda w: SGD(w, lr=0.05, momentum=0.9, nesterov=True),
    "decay": lambda w: SGD(w, lr=0.05, weight_decay=0.1),
    "adam": lambda w: Adam(w, lr=0.05),
    "adamw": lambda w: AdamW(w, lr=cosine(0.05, 0.01, 10), weight_decay=0.1),
}


def neuron(w):
    return lambda xs, y: (sum([a * x for a, x in zip(w, xs, strict=True)]).tanh() - y) ** 2


def of_lists(w):
    def loss(xs):
        errors = [(w[0] * x + ops.sin(w[2] * x) * math.tanh(1.0) - w[3]) ** 2 for x in xs]
        return sum(errors) / len(xs) + 0.01 * sum([a * a for a in w])

    return loss


@pytest.fixture(params=OPTIMIZERS)
def optimizer(request):
    return OPTIMIZERS[request.param]


def test_single_samples(optimizer, training, rows):
    step = training.twice(neuron, optimizer, [(rows(7), rows(1)[0]) for _ in range(20)])
    assert (step.traces, step.kernels) == (1, 1)


def test_batches(optimizer, training, rows):
    batches = [([rows(7) for _ in range(9)], rows(9)) for _ in range(20)]
    assert training.twice(neuron, optimizer, batches, in_axes=0).kernels == 1


def test_lists_of_different_lengths(optimizer, training, rows):
    training.twice(of_lists, optimizer, [(rows(k % 4 + 1),) for k in range(20)])


def test_batches_of_every_size(training, rows):
    batches = [([rows(7) for _ in range(n)], rows(n)) for n in (1, 2, 7, 8, 9, 64, 65, 1, 100, 300)]
    assert training.twice(neuron, OPTIMIZERS["adam"], batches, in_axes=0).kernels == 1


def test_sums_of_samples_and_shared_arguments(training, rows):
    def scaled(w):
        inner = neuron(w)
        return lambda xs, y, scale: inner(xs, y) * scale

    batches = [([rows(7) for _ in range(5)], rows(5), 0.1 * k) for k in range(20)]
    training.twice(scaled, OPTIMIZERS["sgd"], batches, in_axes=(0, 0, None), reduce="sum")


def test_samples_along_another_axis(training, rows):
    batches = [(np.array([rows(7) for _ in range(5)]), np.array(rows(5))) for _ in range(3)]
    wanted, losses = training.parameters(), []
    for native in (False, True):
        w = wanted if not native else training.parameters()
        loss, optimizer = neuron(w), SGD(w, lr=0.1)
        if native:
            step = compile_step(loss, optimizer, in_axes=(1, 0))
            losses.append(step.run([(xs.T, ys) for xs, ys in batches]))
        else:
            losses.append(training.eager(loss, optimizer, batches, 0))
    assert losses[1] == pytest.approx(losses[0], rel=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_32_bits(name, training, rows):
    batches = [([rows(7) for _ in range(n)], rows(n)) for n in (9, 16, 3, 33)]
    training.twice(neuron, OPTIMIZERS[name], batches, in_axes=0, dtype="float32", tolerance=1e-4)


def test_a_number_too_large_for_32_bits_is_infinite():
    w = Value(0.5)
    step = compile_step(lambda x: w / x, SGD([w], lr=0.0), dtype="float32")
    assert step.run([(1.0,), (1e39,), (2.0,)]) == [0.5, 0.0, 0.25]


def test_threads(training, rows):
    batches = [([rows(7) for _ in range(n)], rows(n)) for n in (1000, 999, 1, 64)]
    training.twice(neuron, OPTIMIZERS["adam"], batches, in_axes=0, threads=2)


def test_one_step_at_a_time(training, rows):
    w, v = training.parameters(), training.parameters()
    step, optimizer = compile_step(of_lists(w), Adam(w)), Adam(v)
    for k in range(6):
        batch = (rows(k % 2 + 2),)
        assert step(*batch) == pytest.approx(training.eager(of_lists(v), optimizer, [batch])[0], rel=1e-12)
    assert [x.data for x in w] == pytest.approx([x.data for x in v], rel=1e-12)


def test_no_steps_and_losses_of_nothing():
    w = [Value(0.5)]
    assert compile_step(lambda x: w[0] * x, SGD(w)).run([]) == []
    assert compile_step(lambda x: x, SGD(w)).run([(1.0,), (2.0,)]) == [1.0, 2.0]
    assert w[0].data == 0.5


# ---- optimisers of one's own ---------------------------------------------------------------------------------------


class RootMeanSquare(Optimizer):
    slots = ("square",)

    def updated(self, data, grads, lr):
        square = [0.9 * s + 0.1 * g * g for s, g in zip(self.memory["square"], grads, strict=True)]
        self.memory["square"] = square
        return [x - lr * g / (ops.sqrt(s) + 1e-8) for x, g, s in zip(data, grads, square, strict=True)]


class Signs(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * (ops.gt(g, 0.0) - ops.lt(g, 0.0)) for x, g in zip(data, grads, strict=True)]


class Clipped(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * ops.clip(g, -0.1, 0.1) for x, g in zip(data, grads, strict=True)]


class Norm(Optimizer):
    def updated(self, data, grads, lr):
        size = ops.sqrt(ops.sum([g * g for g in grads])) + 1e-6
        return [x - lr * g / size for x, g in zip(data, grads, strict=True)]


class Branch(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * (g if g > 0 else 2 * g) for x, g in zip(data, grads, strict=True)]


class Roots(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * math.sqrt(g * g) for x, g in zip(data, grads, strict=True)]


class Layerwise(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * g * (1 + i) for i, (x, g) in enumerate(zip(data, grads, strict=True))]


class FirstAlone(Optimizer):
    def updated(self, data, grads, lr):
        return [data[0] - lr * grads[0], *data[1:]]


@pytest.mark.parametrize("kind", [RootMeanSquare, Signs, Clipped, Norm, Roots, Layerwise, FirstAlone])
def test_an_optimizer_of_ones_own(kind, training, rows):
    training.twice(neuron, lambda w: kind(w, 0.05), [(rows(7), rows(1)[0]) for _ in range(20)])


class Truncates(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * int(g) for x, g in zip(data, grads, strict=True)]


class Remembering(Optimizer):
    """Keeps its velocity outside `memory`."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.velocity = [0.0] * len(self.parameters)

    def updated(self, data, grads, lr):
        for i, g in enumerate(grads):
            self.velocity[i] = 0.9 * self.velocity[i] + g
        return [x - lr * v for x, v in zip(data, self.velocity, strict=True)]


class Fading(SGD):
    def updated(self, data, grads, lr):
        self.momentum *= 0.5
        return super().updated(data, grads, lr)


class Counting(Optimizer):
    """Counts its steps in an attribute of its own."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.count = 0

    def updated(self, data, grads, lr):
        self.count += 1
        return [x - lr * (0.1 if self.count > 5 else 1.0) * g for x, g in zip(data, grads, strict=True)]


class Rates(Optimizer):
    def updated(self, data, grads, lr):
        return [x - r * g for x, g, r in zip(data, grads, [0.1] * 40, strict=True)]


class Langevin(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * g + random.gauss(0, 0.1) for x, g in zip(data, grads, strict=True)]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Branch, r"chainrule\.select"),
        (Truncates, r"with chainrule's functions \(not int\)"),
        (Counting, "outside of `memory`"),
        (Rates, "tried with symbols in place of numbers, it failed"),
        (Remembering, "outside of `memory`"),
        (lambda w, lr: Fading(w, lr, momentum=0.9), "outside of `memory`"),
        (Langevin, "by chance"),
    ],
)
def test_an_optimizer_that_cannot_be_compiled(kind, why):
    w, state = [Value(1.0), Value(2.0)], random.getstate()
    optimizer = kind(w, 0.1)
    before = {name: repr(x) for name, x in vars(optimizer).items()}
    with pytest.raises(TraceError, match=f"the update of {type(optimizer).__name__} cannot be compiled: .*{why}"):
        compile_step(lambda x: w[0] * x, optimizer)
    assert {name: repr(x) for name, x in vars(optimizer).items()} == before
    assert random.getstate() == state


@pytest.mark.parametrize("frozen", [0, 7, 39])
def test_a_parameter_in_any_place_may_be_treated_otherwise(frozen):
    class Frozen(Optimizer):
        def updated(self, data, grads, lr):
            return [x if i == frozen else x - lr * g for i, (x, g) in enumerate(zip(data, grads, strict=True))]

    w = [Value(1.0) for _ in range(40)]
    compile_step(lambda x: ops.sum([v * x for v in w]), Frozen(w, 0.1))(1.0)
    assert [v.data for v in w] == [1.0 if i == frozen else 0.9 for i in range(40)]


class Clip(SGD):
    def step(self):
        for p in self.parameters:
            p.grad = max(-1.0, min(1.0, p.grad))
        super().step()


class Halved(SGD):
    @property
    def lr(self):
        return super().lr / 2


@pytest.mark.parametrize(("kind", "method"), [(Clip, "step"), (Halved, "lr")])
def test_methods_that_native_code_would_not_call_are_refused(kind, method):
    w = [Value(0.0)]
    with pytest.raises(TraceError, match=rf"{kind.__name__} has '{method}' of its own"):
        compile_step(lambda x: w[0] * x, kind(w, 0.1))


def test_what_is_written_into_the_memory_counts(training):
    found = []
    for compiled in (False, True):
        w = training.parameters(2)
        optimizer, loss = Adam(w, lr=0.1), lambda x, w=w: (w[0] * x - w[1]) ** 2
        step = compile_step(loss, optimizer)
        for x in (1.0, 2.0, 3.0):
            if compiled:
                step(x)
            else:
                training.eager(loss, optimizer, [(x,)])
            optimizer.memory["mean"][0] = 0.0
            assert optimizer.memory["mean"][0] == 0.0
        optimizer.memory["square"] = [0.5, 0.25]
        assert list(optimizer.memory["square"]) == [0.5, 0.25]
        found.append([p.data for p in w] + optimizer.memory["mean"])
    assert found[1] == pytest.approx(found[0], rel=1e-12)


def test_32_bits_round_no_parameter_that_stays():
    w, v = Value(1 / 3), Value(1 / 7)
    step = compile_step(lambda x: (w * x) ** 2 + 0 * v, SGD([w, v], lr=0.1), dtype="float32")
    assert step.run([]) == []
    assert (w.data, v.data) == (1 / 3, 1 / 7)
    step(1.0)
    assert w.data == pytest.approx(1 / 3 * 0.8, rel=1e-6)
    assert v.data == 1 / 7


def test_a_schedule_that_gives_nothing():
    w = Value(1.0)
    with pytest.raises(OperandError, match="a learning rate needs real numbers but got the NoneType"):
        compile_step(lambda x: w * x, SGD([w], lr=lambda step: None))(1.0)


def test_a_step_cannot_be_copied():
    w = Value(1.0)
    with pytest.raises(TypeError, match="make one with compile_step"):
        copy.deepcopy(compile_step(lambda x: w * x, SGD([w], lr=0.1)))


def test_small_batches_and_large_ones_by_turns(training, rows):
    batches = [(rows(n), rows(n)) for n in (5, 900, 6, 7, 901, 902, 5)]
    step = training.twice(lambda w: lambda x, y: (w[0] * x - y) ** 2, SGD, batches, in_axes=0, threads=2)
    assert sorted(record.one_by_one for record in step.records.values()) == [False] * 4 + [True] * 3


def test_the_ways_of_a_batch_share_its_columns(training, rows):
    def loss_of(w):
        return lambda x, y: (w[0] * x - y) ** 2 if x > 0 else (w[1] * x - y) ** 2

    batches = [(rows(40), rows(40)) for _ in range(3)]
    step = training.twice(loss_of, lambda w: SGD(w, lr=0.01), batches, in_axes=0)
    assert len(step.records) == 6
    assert len(step.columns) == len({record.bound.columns.ctypes.data for record in step.records.values()}) == 3


def test_containers_of_other_classes_are_other_structures():
    w = Value(1.0)
    step = compile_step(lambda d: w * (2.0 if isinstance(d, collections.Counter) else 1.0) * d["a"], SGD([w], lr=0.0))
    assert [step({"a": 1.0}), step(collections.Counter(a=1.0)), step({"a": 1.0})] == [1.0, 2.0, 1.0]


def test_integers_that_are_no_floats_are_refused():
    w = Value(1.0)
    with pytest.raises(OperandError, match="beyond those that floats hold"):
        compile_step(lambda n: w * n, SGD([w]))(2**53 + 1)


def test_many_large_batches_are_let_go(training):
    w = training.parameters(2)
    step = compile_step(lambda x: (w[0] * x - w[1]) ** 2, SGD(w, lr=1e-3), in_axes=0)
    batch = (np.linspace(0, 1, 1000),)
    step.run([batch])
    assert len(step.records) == 1
    step.run([(np.linspace(0, 1, 500_000) + k,) for k in range(20)])
    assert not step.records
    assert step(*batch) == pytest.approx(np.mean((w[0].data * batch[0] - w[1].data) ** 2), rel=0.1)


# ---- arguments -----------------------------------------------------------------------------------------------------


def test_integers_choose_rows(training, rows):
    def loss_of(w):
        return lambda ids: sum([(ops.take(w, i) * ops.take(w, j) - 0.3) ** 2 for i, j in pairwise(ids)])

    batches = [([(3 * k + i * i) % 7 for i in range(6)],) for k in range(20)]
    assert training.twice(loss_of, OPTIMIZERS["adam"], batches).kernels == 1


def test_integers_as_indices_of_lists_are_traced_anew(training):
    def loss_of(w):
        return lambda i, y: (w[i] * y - 1.0) ** 2

    assert training.twice(loss_of, OPTIMIZERS["adam"], [(k % 3, 0.1 * k) for k in range(20)]).kernels == 3


def test_values_that_are_no_parameters_are_read_anew_in_each_run(training):
    w, scale = [Value(0.5)], Value(2.0)
    step = compile_step(lambda x: (w[0] * scale - x) ** 2, SGD(w, lr=0.1))
    assert step(1.0) == 0.0
    scale.data = 5.0
    assert step(1.0) == pytest.approx(2.25)
    assert w[0].data == pytest.approx(0.5 - 0.1 * 2 * 1.5 * 5)
    assert step.traces == 1


def test_wrong_arguments():
    w = [Value(0.5)]
    step = compile_step(lambda x, y: w[0] * x - y, SGD(w), in_axes=0)
    with pytest.raises(SizeError, match="1, 2 samples"):
        step([1.0], [1.0, 2.0])
    with pytest.raises(SizeError, match="no samples"):
        step([], [])
    with pytest.raises(ArgumentError, match="in_axes has 1 entries"):
        compile_step(lambda x, y: w[0] * x - y, SGD(w), in_axes=(0,))([1.0], [2.0])
    with pytest.raises(OperandError, match="must return one number"):
        compile_step(lambda x: [w[0] * x], SGD(w))(1.0)


def test_a_buffer_that_is_filled_anew_for_each_step():
    w, buffer = [Value(0.5)], np.zeros(2)

    def batches():
        for k in range(3):
            buffer[:] = k
            yield (buffer,)

    losses = compile_step(lambda x: (w[0] * x - 1.0) ** 2, SGD(w, lr=0.0), in_axes=0).run(batches())
    assert losses == [1.0, 0.25, 0.0]


def test_values_that_were_calculated_from_parameters_before():
    w = [Value(0.5)]
    twice = w[0] * 2.0
    with pytest.raises(TraceError, match="calculated from parameters before: calculate it inside"):
        compile_step(lambda x: (w[0] * twice - x) ** 2, SGD(w, lr=0.1))(1.5)


# ---- gradients -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_axes", [None, 0])
def test_the_gradients_of_the_last_step(in_axes, training, rows):
    w, v = training.parameters(), training.parameters()
    batches = [([rows(7) for _ in range(5)], rows(5)) if in_axes == 0 else (rows(7), rows(1)[0]) for _ in range(4)]
    step = compile_step(neuron(w[:7]), Adam(w[:3]), in_axes=in_axes, besides=w[3:7])
    assert step.gradients == [0.0] * 7
    step.run(batches)
    optimizer = Adam(v[:3])
    training.eager(neuron(v[:7]), optimizer, batches[:-1], in_axes)
    for parameter in v:
        parameter.grad = 0.0
    training.eager(neuron(v[:7]), optimizer, batches[-1:], in_axes)
    assert step.gradients == pytest.approx([p.peek_grad() for p in v[:7]], rel=1e-9)
    assert [p.data for p in w] == pytest.approx([p.data for p in v], rel=1e-9)
    assert [p.data for p in w[3:]] == [p.data for p in training.parameters()[3:]]


def test_other_parameters_may_change_between_runs(training, rows):
    found, batches = [], [(rows(7), 0.5)] * 3
    for native in (False, True):
        w = training.parameters()
        optimizer = SGD(w[:3], lr=0.1)
        step = compile_step(neuron(w), optimizer, besides=w[3:])
        for _ in range(2):
            if native:
                step.run(batches)
            else:
                training.eager(neuron(w), optimizer, batches)
            w[5].data += 1.0
        found.append([x.data for x in w])
    assert found[1] == pytest.approx(found[0], rel=1e-9)


def test_batches_share_all_memory_but_their_columns(training, rows):
    w = training.parameters()
    step = compile_step(neuron(w), SGD(w, lr=0.1), in_axes=0)
    step.run([([rows(7) for _ in range(n)], rows(n)) for n in (5, 5, 5, 3)])
    memories = {id(record.bound.memory) for record in step.records.values()}
    assert (len(step.records), len(memories)) == (4, 1)
