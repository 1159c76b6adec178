"""Where constants stand."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule import ops
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.levels.constants import MOST_USES
from chainrule.compiler.levels.kernel import compile_graph
from chainrule.compiler.levels.schedule import schedule


def _products(numbers: list[float]) -> Graph:
    """A chain: x · a, its sine · b, …, which is calculated in this order."""
    graph, node = Graph.of_inputs(["x"]), 0
    placed = {number: graph.constant(number) for number in sorted(numbers)}
    for number in numbers:
        node = graph.add(ops.mul, graph.add(ops.sin, node), placed[number])
    graph.outputs = [node]
    return graph


def test_constants_stand_in_the_order_of_their_use():
    numbers = [5.0, 3.0, 7.0, 2.0]
    assert schedule(_products(numbers)).constants[:4].tolist() == numbers


def test_a_constant_of_few_uses_has_a_place_for_each():
    numbers = [5.0, 3.0] * MOST_USES
    assert schedule(_products(numbers)).constants[: len(numbers)].tolist() == numbers


def test_a_constant_of_many_uses_has_one():
    constants = schedule(_products([5.0, 3.0] * (MOST_USES + 1))).constants
    assert constants[:2].tolist() == [5.0, 3.0]
    assert constants.tolist().count(5.0) == constants.tolist().count(3.0) == 1


def test_a_constant_can_be_a_result_as_well():
    graph = _products([5.0, 3.0])
    graph.outputs = [*graph.outputs, graph.numbers.index(5.0)]
    shared, _, _ = compile_graph(graph, exact=True).run(np.array([0.25]))
    assert shared.tolist() == [np.sin(np.sin(0.25) * 5.0) * 3.0, 5.0]
