"""Compiled functions and Values that have attributes of the user's own, or are of a subclass."""

from __future__ import annotations

import pytest

import chainrule
from chainrule import Value, engine
from chainrule.errors import TraceError
from chainrule.nn import Module

pytest.importorskip("llvmlite")


class Scaled(Value):
    """A parameter with a factor, which a method uses."""

    def __init__(self, data, factor):
        super().__init__(data)
        self.factor = factor

    def scaled(self):
        return self * self.factor


class Model(Module):
    def __init__(self, *parameters):
        self.parts = list(parameters)

    def forward(self, x):
        return chainrule.sum([p.scaled() if isinstance(p, Scaled) else p * p.factor for p in self.parts]) * x


def test_methods_of_a_subclass_run_in_compiled_functions_and_their_attributes_count():
    model = Model(Scaled(2.0, 3.0), Scaled(1.0, 1.0))
    f = chainrule.compile(lambda model, x: model(x))
    assert f(model, 2.0) == 14.0
    model.parts[0].factor = 5.0
    assert f(model, 2.0) == 22.0
    assert f(model, 2.0) == 22.0
    assert f.traces == 2


def test_results_are_of_the_subclass_within_a_trace():
    kinds = []

    def f(p, x):
        kinds.append(type(chainrule.sum([p.parts[0], x, x]) * x))
        return (x - p.parts[0]).scaled() if hasattr(x - p.parts[0], "factor") else (x - p.parts[0]) * 2.0

    assert chainrule.compile(f)(Model(Scaled(2.0, 3.0)), 5.0) == 6.0
    assert set(kinds) == {Scaled}


def test_an_attribute_on_a_plain_value_does_not_become_a_constant():
    p = Value(2.0)
    p.factor = 3.0
    model = Model(p)
    f = chainrule.compile(lambda model, x: model(x))
    if engine.is_compiled():
        with pytest.raises(TraceError, match="cannot read 'factor'"):
            f(model, 2.0)
    else:  # plain Python does not tell of the reading, so each number has a trace of its own
        assert f(model, 2.0) == 12.0
        p.factor = 4.0
        assert f(model, 2.0) == 16.0


def test_moments_on_parameters_do_not_disturb_a_compiled_loss():
    model = Module.__new__(Module)
    model.w = [Value(0.5), Value(-0.5)]
    loss = chainrule.compile(lambda model, x: (model.w[0] * x + model.w[1] - 1.0) ** 2)
    for step in range(3):
        for p in model.w:
            p.m = float(step)
        loss(model, 2.0)
    assert not engine.is_compiled() or loss.traces == 1


def test_what_a_function_sets_on_its_own_results_it_can_read():
    def f(x):
        y = x * 2.0
        y.kind = "double"
        return y + 1.0 if y.kind == "double" else y

    assert chainrule.compile(f)(3.0) == 7.0
