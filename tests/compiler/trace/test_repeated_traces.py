"""A second trace that does the same as the first is told without writing it down; all that differs is seen."""

from __future__ import annotations

import copy
import itertools
import math

import pytest

import chainrule
from chainrule import Value
from chainrule.compiler.trace.randomness import _is_same
from chainrule.compiler.trace.tracing import trace

W, V = Value(2.0), Value(2.0)
SUM = W + V  # made before


DIFFERENT = {
    "product": lambda x, y: x * y,
    "sum": lambda x, y: x + y,
    "other operands": lambda x, y: y * x,
    "same operand twice": lambda x, y: x * x,
    "more": lambda x, y: x * y + x,
    "not used": lambda x, y: [x * y, x + y][0],
    "two results": lambda x, y: [x * y, x],
    "a tuple": lambda x, y: (x * y, x),
    "results the other way round": lambda x, y: [x, x * y],
    "an argument": lambda x, y: x,
    "the other argument": lambda x, y: y,
    "a number": lambda x, y: 2.0,
    "another number": lambda x, y: 3.0,
    "zero": lambda x, y: x * 0.0,
    "negative zero": lambda x, y: x * -0.0,
    "nan": lambda x, y: x * math.nan,
    "negative nan": lambda x, y: x * -math.nan,
    "constant first": lambda x, y: 0.0 * x,
    "constant in place of an operand": lambda x, y: x * 3.0,
    "closed over": lambda x, y: x * W,
    "another that is equal": lambda x, y: x * V,
    "made before": lambda x, y: x * SUM,
    "both": lambda x, y: x * W + V,
    "the other way round": lambda x, y: x * V + W,
    "asks": lambda x, y: x * y if x * y > 0 else x,
    "asks for something else": lambda x, y: x * y if x + y > 0 else x,
    "gets another answer": lambda x, y: x if x * y < 0 else x * y,
    "asks twice": lambda x, y: x * y if x * y > 0 and x * y > 0 else x,
    "long sum": lambda x, y: chainrule.sum([x, y, x]),
    "short sum": lambda x, y: chainrule.sum([x, y]),
    "empty sum": lambda x, y: x * chainrule.sum([]),
    "cut": lambda x, y: x.data * y,
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_is_another_trace(name):
    first = trace(DIFFERENT[name], [2.0, 3.0])
    for other, function in DIFFERENT.items():
        written = trace(function, [2.0, 3.0])
        same = _is_same(first, written) and list(map(id, first.live)) == list(map(id, written.live))
        assert (trace(function, [2.0, 3.0], like=first) is first) == same
        assert same == ({name, other} in ({name}, {"zero", "empty sum"}))


@pytest.mark.parametrize("make", [
    lambda: Value(2.0), lambda: copy.deepcopy(W), lambda: copy.copy(W), lambda: next(COUNT), lambda: Value(next(COUNT)),
])  # fmt: skip
def test_what_is_made_anew_is_compared_as_it_was(make):
    def function(x):
        return x * make() + W

    first, second = trace(function, [3.0]), trace(function, [3.0])
    again = trace(function, [3.0], like=first)
    assert again is not first
    assert _is_same(first, second) == _is_same(first, again)


COUNT = itertools.count()


def test_given_values_and_integers_are_the_same_each_time():
    def function(table, i, x):
        return chainrule.take(table, i) * x * W

    first = trace(function, [[1.0, 2.0], 1, 3.0], live=[V, W])
    assert trace(function, [[1.0, 2.0], 1, 3.0], live=[V, W], like=first) is first
    assert trace(function, [[1.0, 2.0, 3.0], 1, 3.0], live=[V, W], like=first) is not first
