"""Operations on many numbers that levels put into simpler ones."""

from __future__ import annotations

import math
import random

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule import ops
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.levels.kernel import compile_graph

SIZES = (0.0, -0.0, -3.0, 5e-324, 1e-300, 1e300, -3e307, math.inf, -math.inf, math.nan)


def of_all(count, *operations):
    """A graph of operations on all its inputs."""
    graph = Graph.of_inputs([f"x{i}" for i in range(count)])
    graph.outputs = [graph.add(op, *range(count)) for op in operations]
    return graph


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("count", [0, 1, 8, 9, 40, 1000])
def test_norms_and_sums_of_squares_of_any_length(count, exact, run, oracle):
    graph = of_all(count, ops.norm, ops.sum_of_squares)
    numbers = np.random.default_rng(count).normal(size=count).tolist()
    actual, expected = run(compile_graph(graph, exact=exact), graph, numbers)[0], oracle(graph, numbers)[0]
    assert (actual == expected).all() if exact else actual == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("count", [2, 9, 200])
def test_means_variances_and_products_of_any_length(count, exact, run, oracle):
    graph = of_all(count, ops.mean, ops.var, ops.prod)
    numbers = np.random.default_rng(count).uniform(0.5, 1.5, size=count).tolist()
    kernel = compile_graph(graph, exact=exact)
    actual, expected = run(kernel, graph, numbers)[0], oracle(graph, numbers)[0]
    assert kernel.in_python == []
    assert (actual == expected).all() if exact else actual == pytest.approx(expected, rel=1e-13)


def test_only_a_norm_is_left_to_python_where_every_bit_counts():
    graph = of_all(40, ops.norm, ops.sum_of_squares)
    assert compile_graph(graph).in_python == []
    assert [op.name for op in compile_graph(graph, exact=True).in_python] == ["norm"]


@pytest.mark.parametrize("count", [3, 20])
def test_norms_of_huge_tiny_and_infinite_numbers(count, run, oracle):
    graph = of_all(count, ops.norm)
    kernel, draw = compile_graph(graph), random.Random(count)
    for _ in range(200):
        numbers = draw.choices(draw.choices(SIZES, k=3), k=count)
        actual, expected = run(kernel, graph, numbers)[0], oracle(graph, numbers)[0]
        assert actual == pytest.approx(expected, rel=1e-15, abs=4 * 5e-324, nan_ok=True)
