"""Losses of lists of different lengths share one kernel if its lanes are the elements of the list."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from chainrule import ops
from chainrule.compiler.graph.text import from_text, to_text
from chainrule.compiler.steps.length_families import shortening, with_free_constants
from chainrule.optim import Adam


def attention(w):
    def loss(ids):
        letters, places = w[:7], w[7:]
        xs = [ops.take(letters, i) for i in ids]
        if places:
            xs = [x + place for x, place in zip(xs, places, strict=False)]
        queries, keys, values = [x * w[0] for x in xs], [ops.tanh(x * w[1]) for x in xs], [x * w[2] for x in xs]
        errors = []
        for i, query in enumerate(queries):
            scores = [ops.exp(query * key) for key in keys[: i + 1]]
            total = ops.sum(scores)
            seen = ops.sum([score / total * value for score, value in zip(scores, values, strict=False)])
            errors.append((seen - w[3]) ** 2)
        return ops.sum(errors) * (1.0 / len(ids))

    return loss


def test_one_kernel_serves_shorter_lists(training):
    lengths = [3, 8, 5, 2, 8, 4]
    batches = [([(i * i + 3 * k) % 7 for i in range(n)],) for k, n in enumerate(lengths)]
    assert training.twice(attention, lambda w: Adam(w, lr=0.01), batches).kernels == 1


def test_places_that_shorter_lists_do_not_have(training):
    """The gradients of their parameters are 0, also after a longer list that had them, for any number of vectors."""
    lengths = [16, 3, 15, 7, 2, 9, 16, 4]
    batches = [([(i * i + 3 * k) % 7 for i in range(n)],) for k, n in enumerate(lengths)]
    assert training.twice(attention, lambda w: Adam(w, lr=0.01), batches, parameters=7 + 16).kernels == 1


@pytest.mark.parametrize(("short", "long"), [
    ("%0 = input x\n%1 = sum %0\nreturn %1", "%0 = input x\n%1 = input y\n%2 = mul %0 %1\nreturn %2"),
    ("%0 = input x\n%1 = exp %0\nreturn %1", "%0 = input x\n%1 = sin %0\nreturn %1"),
    ("%0 = input x\n%1 = mul %0 %0\nreturn %1", "%0 = input x\n%1 = input y\n%2 = mul %0 %1\nreturn %2"),
])  # fmt: skip
def test_graphs_that_are_not_shorter_ones(short, long):
    a, b = from_text(short), from_text(long)
    a.arguments, b.arguments = a.inputs, b.inputs
    assert shortening(a, b) is None


def test_free_constants_are_inputs_behind_the_others():
    text = "%0 = input x\n%1 = constant 2.0\n%2 = constant 3.0\n%3 = sum %0 %1 %2\nguard %3\nreturn %3 %2"
    assert to_text(with_free_constants(from_text(text), [2])).splitlines() == [
        "%0 = input x",
        "%1 = input c0",
        "%2 = constant 2.0",
        "%3 = sum %0 %2 %1",
        "guard %3",
        "return %3 %1",
    ]
