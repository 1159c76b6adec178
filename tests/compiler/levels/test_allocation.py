"""Places used again."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule import ops
from chainrule.compiler.graph.differentiate import differentiate
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.levels.allocation import linear_scan
from chainrule.compiler.levels.kernel import compile_graph
from chainrule.compiler.levels.schedule import schedule
from chainrule.compiler.levels.sections import Field


@pytest.mark.parametrize("seed", range(5))
def test_a_run_is_not_taken_before_its_last_use(seed):
    draw = random.Random(seed)
    segments = 200
    sizes = np.array([draw.choice([0, 0, 3, 4, 8]) for _ in range(2 * segments)])
    last = np.array([min(run // 2 + draw.randrange(30), segments) for run in range(2 * segments)])
    places, used = linear_scan(sizes, last, used=5)
    holds = np.full(used, -1)
    for run, (place, size) in enumerate(zip(places, sizes, strict=True)):
        there = holds[place : place + size]
        assert size == 0 or place >= 5
        assert all(before == -1 or last[before] < run // 2 for before in there)
        there[:] = run
    assert used < sizes.sum() / 2  # of 400 runs some 60 are needed at a time


def test_a_long_chain_needs_few_places():
    graph = Graph.of_inputs(["x"])
    node = 0
    for _ in range(5000):
        node = graph.add(ops.cos, graph.add(ops.sin, node))
    graph.outputs = [node]
    assert schedule(graph).slots < 100


def _level_by_level(levels: int, width: int) -> Graph:
    """Products of neighbours and, in turn, their sines; the result is the sum of the last ones."""
    graph = Graph.of_inputs([f"x{i}" for i in range(width)])
    row = list(range(width))
    for level in range(levels):
        if level % 2:
            row = [graph.add(ops.sin, node) for node in row]
        else:
            row = [graph.add(ops.mul, row[i], row[(i * 7 + 3) % width]) for i in range(width)]
    graph.outputs = [graph.add(ops.sum, *row)]
    return graph


def test_what_derivatives_come_back_to_stands_apart():
    graph = _level_by_level(levels=100, width=64)
    graph.outputs += differentiate(graph, graph.outputs[0], range(64))
    plan = schedule(graph)
    segments = plan.before.segments
    assert (segments[:, Field.SHORT_COUNT] > 0).any()
    assert plan.slots < plan.before.operations * 0.65
    shared, _, _ = compile_graph(graph).run(np.linspace(0.5, 1.5, 64))
    exact, _, _ = compile_graph(graph, exact=True).run(np.linspace(0.5, 1.5, 64))
    assert np.allclose(shared, exact, rtol=1e-10, atol=1e-14)


def test_rows_of_batches_are_used_again(oracle):
    graph = Graph.of_inputs(["x"])
    graph.batched = {0}
    node = 0
    for _ in range(300):
        node = graph.add(ops.sin, graph.add(ops.mul, node, graph.constant(1.5)))
    graph.outputs = [node]
    kernel = compile_graph(graph, exact=True)
    assert kernel.plan.batch.rows < 20
    samples = np.linspace(-2.0, 2.0, 100)
    _, each, _ = kernel.run(np.zeros(1), samples[None])
    assert each.tolist() == oracle(graph, [samples.tolist()])[1].tolist()
