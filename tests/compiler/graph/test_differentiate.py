"""Derivatives as graphs: the same numbers that the eager transforms give."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule import Value, hessian
from chainrule.compiler.graph.differentiate import differentiate
from chainrule.compiler.graph.graph import Graph, evaluate
from chainrule.compiler.graph.passes.rebuild import prune
from chainrule.compiler.graph.text import from_text, to_text
from chainrule.core.operation import TABLE
from chainrule.transforms import gradients

SMOOTH = [op for op in TABLE.values() if op.built_in]


def of_one(op, sample):
    graph = Graph.of_inputs([f"x{i}" for i in range(len(sample))])
    return graph, graph.add(op, *range(len(sample)))


def eager(op, sample):
    """Derivatives as the eager engine has them; 0 where nothing is recorded."""
    xs = [Value(x) for x in sample]
    return gradients(op.on(xs), xs)


def equal(a, b, relative=1e-12):
    return np.allclose(a, b, rtol=relative, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("op", SMOOTH, ids=lambda op: op.name)
def test_first_derivatives_of_every_operation(op, exact):
    for sample in op.samples:
        graph, node = of_one(op, sample)
        derivatives = differentiate(graph, node, range(len(sample)), exact)
        graph.verify()
        values = evaluate(graph, sample)
        own = [values[i] for i in derivatives]
        assert own == eager(op, sample) if exact else equal(own, eager(op, sample))
        local = [op.local(i, sample, values[node]) if op.flows(i) else 0.0 for i in range(len(sample))]
        assert equal(own, [0.0 if x is None else float(x) for x in local])


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("op", SMOOTH, ids=lambda op: op.name)
def test_second_derivatives_by_differentiating_twice(op, exact):
    for sample in op.samples[:2]:
        graph, node = of_one(op, sample)
        first = differentiate(graph, node, range(len(sample)), exact)
        second = [differentiate(graph, d, range(len(sample)), exact) for d in first]
        values = evaluate(graph, sample)
        assert equal([[values[k] for k in row] for row in second], hessian(op.on)(list(sample)), 1e-9)


def test_a_number_that_arrives_by_several_ways():
    text = "%0 = input x\n%1 = exp %0\n%2 = mul %0 %1\n%3 = add %2 %1\nreturn %3"
    graph = from_text(text)
    for exact in (False, True):
        (derivatives,) = differentiate(graph, 3, [0], exact)
        x = 0.7
        assert evaluate(graph, [x])[derivatives] == pytest.approx(np.exp(x) * (2 + x), rel=1e-14)


def test_products_of_several_ways_are_one_weighted_sum():
    graph = from_text("%0 = input x\n%1 = input y\n%2 = sin %0\n%3 = mul %2 %0\n%4 = mul %3 %1\nreturn %4")
    graph.outputs = differentiate(graph, 4, [0])
    assert to_text(prune(graph)).splitlines()[2:] == [
        "%2 = sin %0",
        "%3 = constant 0.0",
        "%4 = weighted_sum %3 %1 %0",
        "%5 = cos %0",
        "%6 = weighted_sum %3 %1 %2 %4 %5",
        "return %6",
    ]


def test_what_does_not_depend_on_an_input_has_derivative_zero():
    graph = from_text("%0 = input x\n%1 = input y\n%2 = exp %0\nreturn %2")
    assert [evaluate(graph, [1.0, 2.0])[i] if i < 3 else graph.numbers[i] for i in differentiate(graph, 2, [1])] == [
        0.0
    ]


def test_nothing_flows_where_nothing_flows():
    for op in ("stop_gradient %0", "gt %0 %1"):
        graph = from_text(f"%0 = input x\n%1 = input y\n%2 = {op}\n%3 = mul %2 %1\nreturn %3")
        derivatives = differentiate(graph, 3, [0, 1])
        values = evaluate(graph, [3.0, 2.0])
        assert [values[i] for i in derivatives] == [0.0, values[2]]


def test_by_a_node_that_is_no_input():
    graph = from_text("%0 = input x\n%1 = exp %0\n%2 = mul %1 %1\nreturn %2")
    inner, outer = differentiate(graph, 2, [1, 0])
    values = evaluate(graph, [0.5])
    assert values[inner] == pytest.approx(2 * np.exp(0.5))
    assert values[outer] == 0.0  # nothing goes on below what is differentiated by


def test_by_the_output_itself():
    graph = from_text("%0 = input x\nreturn %0")
    (derivatives,) = differentiate(graph, 0, [0])
    assert evaluate(graph, [3.0])[derivatives] == 1.0


def test_zero_times_infinity():
    text = "%0 = input x\n%1 = sqrt %0\n%2 = constant 0.0\n%3 = mul %1 %2\nreturn %3"
    graph = from_text(text)
    (exact,) = differentiate(graph, 3, [0], exact=True)
    assert evaluate(graph, [0.0])[exact] == 0.0
    (fast,) = differentiate(graph, 3, [0])
    assert np.isnan(evaluate(graph, [0.0])[fast])


def test_derivatives_of_samples_by_what_they_share_are_each_ones():
    graph = from_text("%0 = input x, batched\n%1 = input w\n%2 = mul %0 %1\n%3 = mul %2 %2\nreturn %3")
    (derivatives,) = differentiate(graph, 3, [1])
    assert evaluate(graph, [[1.0, 2.0], 3.0])[derivatives] == [6.0, 24.0]
