"""Graphs: what is one and what is not, and the oracle that calculates them."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("llvmlite")

from chainrule import ops
from chainrule.compiler.graph.graph import BATCH_SUM, Graph, evaluate, used
from chainrule.compiler.graph.text import from_text, to_text
from chainrule.core.operation import TABLE
from chainrule.errors import GraphError


def square():
    return from_text("%0 = input x\n%1 = mul %0 %0\nreturn %1")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda g: g.operands.pop(), "2 nodes has 1 rows of operands"),
        (lambda g: g.numbers.pop(), "rows of operands"),
        (lambda g: g.operands.__setitem__(0, (0,)), "%0 is an input or a constant, but has operands"),
        (lambda g: g.ops.__setitem__(0, ops.exp), "%0 is an input, but made by exp"),
        (lambda g: g.operands.__setitem__(1, (0,)), "%1 has 1 operands, but mul"),
        (lambda g: g.operands.__setitem__(1, (0, 1)), "%1 is made of %1, which is no earlier node"),
        (lambda g: g.operands.__setitem__(1, (-1, 0)), "no earlier node"),
        (lambda g: g.outputs.append(2), "%2 is an output or guard, but there are 2 nodes"),
        (lambda g: g.outputs.append(-1), "%-1 is an output or guard"),
        (lambda g: g.guards.append((5, True)), "%5 is an output or guard"),
        (lambda g: setattr(g, "batched", frozenset([1])), "what is batched must be an input"),
    ],
)
def test_what_is_no_graph(spoil, message):
    graph = square()
    graph.verify()
    spoil(graph)
    with pytest.raises(GraphError, match=message):
        graph.verify()


def test_operations_of_any_number_of_operands_take_any():
    graph = square()
    graph.outputs = [graph.add(ops.sum, *[0] * 50), graph.add(ops.weighted_sum, 1, 0, 0)]
    graph.verify()


def test_constants_are_no_inputs():
    graph = square()
    five = graph.constant(5.0)
    assert [graph.is_constant(i) for i in range(len(graph))] == [False, False, True]
    assert (len(graph), graph.inputs, graph.numbers[five]) == (3, 1, 5.0)


def test_one_more_input_moves_everything_behind():
    text = "%0 = input x, batched\n%1 = constant 2.0\n%2 = mul %0 %1\nguard not %2\nreturn %2 %0"
    assert to_text(from_text(text).with_input("n")).splitlines() == [
        "%0 = input x, batched",
        "%1 = input n",
        "%2 = constant 2.0",
        "%3 = mul %0 %2",
        "guard not %3",
        "return %3 %0",
    ]


def test_the_same_inputs_and_nothing_else():
    graph = from_text("%0 = input x, batched\n%1 = input y\n%2 = mul %0 %1\nreturn %2")
    graph.arguments = 1
    new = graph.with_same_inputs()
    assert (new.names, new.batched, new.arguments, len(new), new.outputs) == (["x", "y"], frozenset([0]), 1, 2, [])


def test_what_differs_from_sample_to_sample():
    lines = ["%0 = input x, batched", "%1 = input w", "%2 = mul %0 %1", "%3 = batch_sum %2", "%4 = mul %3 %1"]
    graph = from_text("\n".join([*lines, "%5 = constant 1.0", "%6 = add %2 %5", "return %4 %6"]))
    assert graph.varying() == [True, False, True, False, False, False, True]


def test_what_is_used():
    text = "%0 = input x\n%1 = input y\n%2 = exp %0\n%3 = sin %0\n%4 = cos %3\n%5 = gt %0 %2\nguard %5\nreturn %3"
    assert used(from_text(text)) == [True, True, True, True, False, True]


# ---- the oracle ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", list(TABLE.values()), ids=lambda op: op.name)
def test_the_oracle_calculates_by_the_table(op):
    for sample in op.samples:
        graph = Graph.of_inputs([f"x{i}" for i in range(len(sample))])
        node = graph.add(op, *range(len(sample)))
        assert evaluate(graph, sample)[node] == pytest.approx(op.value(*sample), nan_ok=True, abs=0)


def test_the_oracle_on_samples():
    lines = ["%0 = input x, batched", "%1 = input w", "%2 = div %1 %0", "%3 = batch_sum %2", "%4 = sub %2 %3"]
    graph = from_text("\n".join([*lines[:4], "%4 = mul %3 %3", "return %4"]))
    assert evaluate(graph, [[1.0, 2.0, 0.0], 1.0])[2:] == [[1.0, 0.5, math.inf], math.inf, math.inf]
    assert evaluate(graph, [[1.0, 2.0], 1.0])[2:] == [[1.0, 0.5], 1.5, 2.25]


def test_the_oracle_adds_samples_from_left_to_right_as_native_code_does():
    """Python's own sum of floats is compensated from Python 3.12 on."""
    graph = Graph.of_inputs(["x"], batched=[0])
    graph.outputs = [graph.add(BATCH_SUM, 0)]
    assert evaluate(graph, [[1e16, 1.0, -1e16]]) == [[1e16, 1.0, -1e16], 0.0]


def test_the_oracle_wants_a_number_for_each_input():
    with pytest.raises(GraphError, match="the graph has 1 inputs, but 2 numbers were given"):
        evaluate(square(), [1.0, 2.0])


def test_a_batch_of_one_sample_is_that_sample():
    assert BATCH_SUM.value(3.5) == 3.5
    assert BATCH_SUM.local(0, (3.5,), 3.5) == 1.0
