"""The order of calculation, and what becomes of the nodes before."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule import ops
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.levels.list_scheduling import heights, list_schedule
from chainrule.compiler.levels.nodes import LEAF, TERMS, nodes_of
from chainrule.compiler.levels.schedule import schedule
from chainrule.compiler.levels.sections import Field


def test_the_height_of_a_node_is_its_longest_way_to_a_result():
    # 0 and 1 are inputs; 2 = f(0, 1), 3 = f(2, 0), 4 = f(2, 2), 5 = f(3): nobody uses 4
    start, operands = np.array([0, 0, 0, 2, 4, 6, 7]), np.array([0, 1, 2, 0, 2, 2, 3])
    inner = np.array([False, False, True, True, True, True])
    assert heights(start, operands, np.array([5, 2]), inner).tolist() == [4, 4, 3, 2, 0, 1]


def test_batches_are_of_one_family_and_after_their_operands():
    draw = random.Random(0)
    family = np.array([draw.randrange(3) for _ in range(500)])
    consumers = np.array([draw.randrange(1, 500) for _ in range(900)])
    producers = np.array([draw.randrange(k) for k in consumers])
    height = np.array([draw.randrange(1, 50) for _ in family])
    order, ends = list_schedule(family, height, producers, consumers)
    assert sorted(order) == list(range(500))
    batch = np.zeros(500, int)
    for i, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
        batch[order[begin:end]] = i
        assert len(set(family[order[begin:end]])) == 1
    assert (batch[producers] < batch[consumers]).all()


def test_what_can_wait_waits_for_its_like():
    graph = Graph.of_inputs(["x"])
    chain, cosines = [0], []
    for _ in range(30):
        chain.append(graph.add(ops.sin, chain[-1]))
        cosines.append(graph.add(ops.cos, chain[-1]))
    graph.outputs = [graph.add(ops.sum, *cosines)]
    plan = schedule(graph)
    assert sorted(plan.before.segments[:, Field.NODES].tolist()) == [*[1] * 31, 30]


def test_arithmetic_becomes_sums_of_products():
    graph = Graph.of_inputs(["a", "b"])
    product, quotient = graph.add(ops.mul, 0, 1), graph.add(ops.div, 0, 1)
    total = graph.add(ops.sum, quotient, product, graph.constant(-1.0))
    graph.outputs = [graph.add(ops.sub, total, 0), graph.add(ops.weighted_sum, graph.constant(0.0), 0, 1)]
    nodes = nodes_of(graph, graph.outputs, exact=False)
    one, minus_one = len(nodes) - 4, len(nodes) - 3

    def operands(node):
        return nodes.operands[nodes.start[node] : nodes.start[node + 1]].tolist()

    assert nodes.code[[0, product, quotient, total]].tolist() == [LEAF, TERMS, 3 + nodes.ops.index(ops.div), TERMS]
    assert operands(total) == [quotient, one, 0, 1, minus_one, one]
    assert operands(graph.outputs[0]) == [total, one, 0, minus_one]
    assert operands(graph.outputs[1]) == [0, 1]


def test_dead_nodes_are_left_out():
    graph = Graph.of_inputs(["x"])
    graph.add(ops.exp, graph.add(ops.sin, 0))
    graph.outputs = [graph.add(ops.cos, 0)]
    assert schedule(graph).before.operations == 1


@pytest.mark.parametrize("width", [1, 5, 1000])
def test_the_number_of_kinds_does_not_grow_with_the_graph(width):
    graph = Graph.of_inputs([f"x{i}" for i in range(width)])
    row = list(range(width))
    for level in range(6):
        row = [graph.add(ops.tanh if level % 2 else ops.exp, row[(i * 7) % width]) for i in range(width)]
    graph.outputs = row
    plan = schedule(graph)
    assert sorted(kind.op.name for kind in plan.kinds) == ["exp", "tanh"]
    assert plan.before.segments[:, Field.NODES].tolist() == [width] * 6
