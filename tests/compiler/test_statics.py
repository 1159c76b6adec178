"""Arguments that are no numbers: where what they hold has changed, there is a new trace."""

from __future__ import annotations

import dataclasses

import pytest

import chainrule
from chainrule import Value
from chainrule.errors import OperandError
from chainrule.nn import Module

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")


class Scaled(Module):
    def __init__(self):
        self.w, self.scale = [Value(3.0)], 1.0

    def forward(self, x):
        return self.w[0] * x[0] * self.scale


@dataclasses.dataclass
class Terms:
    rate: float
    days: list


def test_the_attributes_of_a_module_are_part_of_the_structure():
    model, f = Scaled(), chainrule.compile(lambda model, x: model(x))
    assert f(model, [3.0]) == 9.0
    model.scale = 10.0
    assert f(model, [3.0]) == 90.0
    model.w[0] = Value(7.0)
    assert f(model, [3.0]) == 210.0
    model.w[0].data = 1.0
    assert f(model, [3.0]) == 30.0
    assert f.traces == 3


def test_the_attributes_of_any_object_are_part_of_the_structure():
    terms, f = Terms(2.0, [1, 2]), chainrule.compile(lambda x, terms: x * terms.rate * sum(terms.days))
    assert f(1.0, terms) == 6.0
    terms.rate = 3.0
    assert f(1.0, terms) == 9.0
    terms.days.append(3)
    assert f(1.0, terms) == 18.0
    assert f(2.0, terms) == 36.0
    assert f.traces == 3


def test_values_in_objects_are_read_at_each_call():
    terms, f = Terms(Value(2.0), []), chainrule.compile(lambda x, terms: x * terms.rate)
    assert f(1.0, terms) == 2.0
    terms.rate.data = 5.0
    assert (f(1.0, terms), f.traces) == (5.0, 1)


def test_strings_sets_and_functions():
    f = chainrule.compile(lambda x, kind, some, g: g(x) * len(some) * (1 if kind == "call" else -1))
    some = {1, 2}
    assert f(3.0, "call", some, abs) == 6.0
    some.add(3)
    assert f(-3.0, "put", some, abs) == -9.0
    assert f(-3.0, "put", some, chainrule.neg) == -9.0


def test_what_cannot_be_looked_into_is_refused():
    with pytest.raises(OperandError, match=r"an argument holds the Generator .* call it before"):
        chainrule.compile(lambda x, rng: x * rng.normal())(1.0, np.random.default_rng(0))


def test_an_object_may_hold_itself():
    terms = Terms(2.0, [])
    terms.days.append(terms)
    assert chainrule.compile(lambda x, terms: x * terms.rate)(3.0, terms) == 6.0
