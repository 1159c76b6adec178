"""The axis that becomes the lanes."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from chainrule import ops
from chainrule.compiler.graph.graph import Graph


def table(rows, columns):
    graph = Graph.of_inputs([f"x{i}" for i in range(rows * columns)])
    return graph, [[i * columns + j for j in range(columns)] for i in range(rows)]


def test_the_longest_axis_becomes_the_lanes(to_loops):
    graph, (xs, ys) = table(2, 16)
    made = [graph.add(ops.mul, graph.add(ops.exp, x), y) for x, y in zip(xs, ys, strict=True)]
    graph.outputs = [graph.add(ops.sum, *made), *made]
    program = to_loops(graph)
    assert program.lanes == 16
    assert str(program).splitlines() == [
        "a2[] each lane = mul(exp(a4), a5)",
        "a3[] each lane = batch_sum(a2)",
    ]


def test_a_sum_over_lanes_with_something_beside_it_is_a_statement_of_its_own(to_loops):
    graph, (xs, ys) = table(2, 16)
    made = [graph.add(ops.mul, graph.add(ops.exp, x), y) for x, y in zip(xs, ys, strict=True)]
    graph.outputs = [graph.add(ops.weighted_sum, graph.add(ops.exp, 0), *[k for x in made for k in (x, x)])]
    program = to_loops(graph)
    assert str(program).splitlines()[-2:] == [
        "a6[] each lane = batch_sum(mul(a2, a2))",
        "a3[] = weighted_sum(exp(a0[0]), Σ[1] a6)",
    ]


def test_short_axes_stay_loops(to_loops):
    graph, rows = table(1, 3)
    graph.outputs = [graph.add(ops.exp, k) for k in rows[0]]
    assert to_loops(graph).lanes is None


@pytest.mark.parametrize("count", [4, 5, 8, 9, 16, 17, 33, 65])
def test_sums_over_lanes_of_every_number(count, agree):
    graph, (xs, ys) = table(2, count)
    made = [graph.add(ops.exp, k) for k in xs]
    zero = graph.constant(0.0)
    graph.outputs = [
        graph.add(ops.sum, *made),
        graph.add(ops.weighted_sum, zero, *[k for pair in zip(made, ys, strict=True) for k in pair]),
        *[graph.add(ops.mul, k, y) for k, y in zip(made, ys, strict=True)],
    ]
    agree(graph, [i / 100 for i in range(2 * count)])


@pytest.mark.parametrize("count", [4, 8, 9, 16, 17, 31])
def test_lanes_that_read_from_one_another(count, agree):
    graph, (qs, ks) = table(2, count)
    keys = [graph.add(ops.tanh, k) for k in ks]
    for i, q in enumerate(qs):
        scores = [graph.add(ops.exp, graph.add(ops.mul, q, key)) for key in keys[: i + 1]]
        total = graph.add(ops.sum, *scores)
        shares = [graph.add(ops.div, score, total) for score in scores]
        graph.outputs.append(
            graph.add(ops.sum, *[graph.add(ops.mul, s, k) for s, k in zip(shares, keys, strict=False)])
        )
    agree(graph, [i / 50 for i in range(2 * count)])


@pytest.mark.parametrize("count", [10, 17, 40])
def test_bounds_of_the_second_block_of_lanes(count, agree):
    graph, (xs, ys) = table(2, count)
    a, b = [graph.add(ops.exp, k) for k in xs], [graph.add(ops.sin, k) for k in ys]
    zero = graph.constant(0.0)
    graph.outputs = [graph.add(ops.weighted_sum, zero, *[k for pair in zip(a, b, strict=True) for k in pair])]
    graph.outputs += [graph.add(ops.weighted_sum, zero, x, b[0]) for x in a]
    agree(graph, [i / 100 for i in range(2 * count)])
