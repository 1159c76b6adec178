"""The report of a training step."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("llvmlite")

import chainrule
from chainrule import Value
from chainrule.data import moons
from chainrule.errors import SlowWarning, TraceError
from chainrule.nn import MLP
from chainrule.optim import SGD, Adam


def test_before_the_first_step_there_is_nothing_to_explain():
    w = Value(1.0)
    step = chainrule.compile_step(lambda x: w * x, SGD([w], lr=0.1))
    with pytest.raises(TraceError, match="do one step"):
        step.explain()
    with pytest.raises(TraceError, match="do one step"):
        _ = step.graph


def test_the_report_tells_of_the_loss_and_of_the_update():
    X, y = moons(n=30, seed=0)
    model = MLP(2, [8, 1], activation="tanh", seed=1)

    def loss(x, target):
        return (model(x) - target) ** 2

    step = chainrule.compile_step(loss, Adam(model.parameters(), lr=0.1), in_axes=0)
    step.run([(X, y)] * 3)
    text = step.explain()
    assert "loss: a step of training, 33 parameters by Adam" in text
    assert "1 trace, 1 kernel; this one: " in text
    assert "on 3 numbers of arguments and 33 Values closed over, 0 guards" in " ".join(text.split())
    assert "vectors of " in text
    assert "2.0, in pow: line " in text
    assert "the update of one parameter:" in text
    assert "sqrt" in text.split("the update")[1]
    assert step.graph.stages[0] == "trace"
    assert "batch_sum" in step.graph["differentiate"]


def test_without_loops_the_report_says_why():
    weights = [Value(0.1 * i) for i in range(40)]

    def loss(x):
        numbers, choice = [*weights, x], random.Random(2)
        for _ in range(3000):
            a, b = choice.choices(numbers[-60:], k=2)
            numbers.append(choice.choice([a + b, a - b, a * b, chainrule.tanh(a)]) * 0.5)
        return numbers[-1]

    step = chainrule.compile_step(loss, SGD(weights, lr=0.1))
    step(0.3)
    text = step.explain()
    assert "no loops: " in text
    assert "segments, each of one kind" in text
    assert "the update of one parameter:" in text


def test_of_lists_of_different_lengths_the_longest_is_told():
    w = Value(0.5)
    step = chainrule.compile_step(lambda xs: sum([chainrule.tanh(w * x) for x in xs]), SGD([w], lr=0.1))
    step.run([([0.1 * i for i in range(n)],) for n in (3, 12, 7)])
    assert "of arguments and 1 Value closed over" in " ".join(step.explain().split())


class Decaying(SGD):
    decay = 0.1

    def updated(self, data, grads, lr):
        strength = self.decay.data if isinstance(self.decay, Value) else self.decay
        return super().updated(data, [g + strength * x for x, g in zip(data, grads, strict=True)], lr)


def test_an_update_that_is_compiled_anew_again_and_again_is_counted_and_told():
    w = Value(1.0)
    optimizer = Decaying([w], lr=0.1)
    step = chainrule.compile_step(lambda x: (w * x - 2.0) ** 2, optimizer)
    for i in range(9):
        optimizer.decay = 0.1 / (i + 2)
        step(1.0)
        step(1.0)
    assert "9 times the update was compiled anew, since a setting of the optimizer" in " ".join(step.explain().split())
    optimizer.decay = Value(0.3)
    with pytest.warns(SlowWarning, match="self.decay = chainrule.Value"):
        step(1.0)
    for i in range(20):
        optimizer.decay.data = 0.1 / (i + 1)
        step(1.0)
    assert "10 times the update was compiled anew" in " ".join(step.explain().split())
