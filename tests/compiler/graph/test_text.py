"""Graphs as text: the printer, and the parser that reads what it wrote."""

from __future__ import annotations

import math
import random

import pytest

pytest.importorskip("llvmlite")

import chainrule
from chainrule import Value, ops
from chainrule.compiler.graph.graph import BATCH_SUM, Graph
from chainrule.compiler.graph.text import from_text, to_text
from chainrule.core.operation import TABLE
from chainrule.errors import GraphError

EXAMPLE = """%0 = input x
%1 = input y, batched
%2 = constant 3.0
%3 = weighted_sum %2 %0 %1 %1 %1
%4 = batch_sum %3
%5 = gt %0 %2
guard %5
guard not %4
return %4 %0"""


def test_what_the_printer_wrote_is_read_again():
    graph = from_text(EXAMPLE)
    assert to_text(graph) == EXAMPLE
    assert graph.batched == {1}
    assert graph.ops[4] is BATCH_SUM
    assert graph.guards == [(5, True), (4, False)]


@pytest.mark.parametrize("x", [0.0, -0.0, 0.1, 1e300, 5e-324, math.inf, -math.inf, 1 / 3])
def test_constants_keep_their_bits(x):
    graph = Graph.of_inputs([])
    graph.outputs = [graph.constant(x)]
    (actual,) = from_text(to_text(graph)).numbers
    assert (actual, math.copysign(1, actual)) == (x, math.copysign(1, x))


def test_nan_is_a_constant_as_well():
    assert math.isnan(from_text("%0 = constant nan\nreturn %0").numbers[0])


@pytest.mark.parametrize("seed", range(5))
def test_any_graph_is_read_as_it_was_written(seed):
    draw = random.Random(seed)
    graph = Graph.of_inputs(["a", "b", "c"], draw.sample(range(3), draw.randrange(3)))
    for _ in range(60):
        op = draw.choice([*TABLE.values(), None])
        if op is None:
            graph.constant(draw.gauss(0, 1))
        else:
            count = len(op.operand_names or op.samples[0])
            graph.add(op, *[draw.randrange(len(graph)) for _ in range(count)])
    graph.outputs = draw.choices(range(len(graph)), k=5)
    graph.guards = [(draw.randrange(len(graph)), draw.random() < 0.5) for _ in range(3)]
    again = from_text(to_text(graph))
    assert (again.ops, again.operands, again.numbers) == (graph.ops, graph.operands, graph.numbers)
    assert (again.names, again.batched) == (graph.names, graph.batched)
    assert (again.outputs, again.guards) == (graph.outputs, graph.guards)


def test_of_a_long_graph_the_first_and_last_nodes_are_shown():
    graph = Graph.of_inputs(["x"])
    for i in range(20):
        graph.add(ops.sin, i)
    graph.outputs = [20]
    assert to_text(graph, most=4).splitlines() == [
        "%0 = input x",
        "%1 = sin %0",
        "… 17 more …",
        "%19 = sin %18",
        "%20 = sin %19",
        "return %20",
    ]
    assert to_text(graph, most=21) == to_text(graph)


def test_empty_lines_and_remarks_are_skipped():
    text = "\n# a remark\n%0 = input x  # another\n\n   %1 = exp %0\nreturn %1\n"
    assert to_text(from_text(text)) == "%0 = input x\n%1 = exp %0\nreturn %1"


def test_a_graph_that_returns_nothing():
    assert to_text(from_text("return")) == "return"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%5 = exp %0", "expected %1 = …"),
        ("%1 exp %0", "expected %1"),
        ("%1 = blah %0", "no line of a graph.*blah"),
        ("%1 = exp 0", "'0' is no node"),
        ("%1 = exp %x", "no line of a graph"),
        ("%1 = constant three", "no line of a graph"),
        ("%1 = constant", "no line of a graph"),
        ("%1 =", "no line of a graph"),
        ("return 0", "'0' is no node"),
        ("guard", "no line of a graph|no node"),
        ("%1 = exp %1", "which is no earlier node"),
        ("%1 = mul %0", "has 1 operands"),
        ("return %7", "%7 is an output or guard"),
        ("%1 = constant 1.0\n%2 = input late", "inputs come first"),
    ],
)
def test_what_is_no_line_of_a_graph(line, message):
    with pytest.raises(GraphError, match=message):
        from_text(f"%0 = input x\n{line}")


NAMES = ["learning rate, batched", 'say "x"', "x # y", "number of samples", "w, closed over", "π", ""]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_kept_whatever_is_in_them(name):
    graph = Graph.of_inputs([name, "x", name], [0])
    graph.arguments = 2
    assert from_text(to_text(graph) + "  # a comment") == graph


def test_a_form_of_a_compiled_function_is_read_as_it_was_written():
    w = [Value(0.1 * k, label="weight, " + str(k)) for k in range(80)]

    def f(x, y):
        return (sum([a * x for a in w]) - y) ** 2 if x > 0 else y * w[0]

    compiled = chainrule.compile(f, in_axes=0, reduce="mean")
    compiled.value_and_grad([1.0, 2.0], [3.0, 4.0])
    assert compiled.graph.stages[:3] == ["trace", "gather sums", "relax"]
    assert "differentiate" in compiled.graph.stages
    for stage in compiled.graph.stages[:-1]:
        text = compiled.graph.whole(stage)
        graph = from_text(text)
        assert to_text(graph) == text
        assert graph.arguments == 2
    assert compiled.graph.whole("relax") != compiled.graph.whole("differentiate")
    assert "more …" in compiled.graph["differentiate"]
