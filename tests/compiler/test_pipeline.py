"""The whole pipeline: what is wanted of a traced graph, and what becomes of it."""

from __future__ import annotations

from itertools import pairwise

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule import grad, hessian, ops
from chainrule.compiler.graph.graph import Graph, evaluate
from chainrule.compiler.graph.passes.batches import SAMPLES
from chainrule.compiler.graph.text import to_text
from chainrule.compiler.pipeline import (
    SIMPLIFY,
    SIMPLIFY_EXACTLY,
    TIDY,
    TIDY_EXACTLY,
    Stages,
    Target,
    Wanted,
    calculation,
    loop_kernel,
    loops_of,
    passes,
)
from chainrule.compiler.trace.tracing import trace


def rosenbrock(xs):
    return sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(xs)])


POINT = [0.3, -0.7, 1.2, 0.1]


def wanted_of(function, arguments, expected, batched=()):
    graph = trace(function, arguments, batched).graph
    return calculation(graph.with_input(SAMPLES) if batched else graph, expected, Stages())


@pytest.mark.parametrize("exact", [False, True])
def test_values_and_derivatives_to_the_second_order(exact):
    graph = wanted_of(rosenbrock, [POINT], Wanted(2, (0, 1, 2, 3), exact=exact))
    values = evaluate(graph, POINT)
    actual = [values[i] for i in graph.outputs]
    assert actual[0] == pytest.approx(rosenbrock(POINT), rel=1e-14)
    assert actual[1:5] == grad(rosenbrock)(POINT) if exact else actual[1:5] == pytest.approx(grad(rosenbrock)(POINT))
    assert np.reshape(actual[5:], (4, 4)) == pytest.approx(np.array(hessian(rosenbrock)(POINT)), rel=1e-12)


def test_several_results_in_turn():
    graph = wanted_of(lambda x, y: [x * y, x + y * y], [2.0, 3.0], Wanted(1, (0, 1)))
    values = evaluate(graph, [2.0, 3.0])
    assert [values[i] for i in graph.outputs] == [6.0, 11.0, 3.0, 2.0, 1.0, 6.0]


@pytest.mark.parametrize(("reduce", "scale"), [("sum", 1.0), ("mean", 1 / 3)])
def test_sums_and_means_over_samples(reduce, scale):
    graph = wanted_of(lambda x, w: x * x * w, [1.0, 2.0], Wanted(1, (0, 1), reduce), batched=[0])
    xs, w = np.array([1.0, 2.0, 3.0]), 5.0
    values = evaluate(graph, [xs.tolist(), w, 3.0])
    actual = [values[i] for i in graph.outputs]
    assert actual[0] == pytest.approx((xs * xs * w).sum() * scale)
    assert actual[1] == pytest.approx(2 * xs * w * scale)
    assert actual[2] == pytest.approx((xs * xs).sum() * scale)


def test_results_of_each_sample():
    graph = wanted_of(lambda x, w: x * x * w, [1.0, 2.0], Wanted(1, (0, 1)), batched=[0])
    values = evaluate(graph, [[1.0, 2.0, 3.0], 5.0, 3.0])
    assert [values[i] for i in graph.outputs] == [[5.0, 20.0, 45.0], [10.0, 20.0, 30.0], [1.0, 4.0, 9.0]]


def test_stages_are_kept_by_name():
    stages = Stages()
    calculation(trace(rosenbrock, [POINT]).graph, Wanted(1, (0,)), stages)
    assert list(stages.graphs) == ["trace", *[p.name for p in SIMPLIFY], "differentiate", *[p.name for p in TIDY]]
    assert all(seconds >= 0 for seconds in stages.seconds.values())
    stages = Stages()
    calculation(trace(rosenbrock, [POINT]).graph, Wanted(1, (0,), exact=True), stages)
    names = [p.name for p in SIMPLIFY_EXACTLY], [p.name for p in TIDY_EXACTLY]
    assert list(stages.graphs) == ["trace", *names[0], "differentiate", *names[1]]
    for graph in stages.graphs.values():
        graph.verify()


@pytest.mark.parametrize("exact", [False, True])
def test_the_passes_are_a_list_that_can_be_printed_and_run_by_hand(exact):
    traced, stages, expected = trace(rosenbrock, [POINT]).graph, Stages(), Wanted(1, (0,), exact=exact)
    result = calculation(traced, expected, stages)
    graph = traced
    for one in passes(expected, stages.regular):
        graph = one.apply(graph)
        assert to_text(graph) == to_text(stages.graphs[one.name])
        assert str(one).startswith(f"{one.name}: ")
    assert to_text(graph) == to_text(result)
    assert stages.sizes == {name: len(form) for name, form in stages.graphs.items() if name != "trace"}


def test_what_is_wanted_comes_out_of_the_kernel():
    graph = wanted_of(rosenbrock, [POINT], Wanted(1, (0, 1, 2, 3)))
    stages = Stages()
    kernel = loop_kernel(loops_of(graph, Target(), stages), Target(), stages)
    shared, each, held = kernel.run(np.array(POINT))
    assert shared.tolist() == pytest.approx([rosenbrock(POINT), *grad(rosenbrock)(POINT)], rel=1e-12)
    assert (each.shape[0], held) == (0, True)


def test_too_little_that_repeats_itself_is_no_loop():
    graph, draw = Graph.of_inputs(["x", "y"]), np.random.default_rng(0)
    kinds = [ops.sin, ops.exp, ops.tanh, ops.atan, ops.mul, ops.add, ops.sub, ops.atan2]
    for _ in range(400):
        op = kinds[draw.integers(len(kinds))]
        graph.add(op, *[int(k) for k in draw.integers(0, len(graph), len(op.operand_names))])
    graph.outputs = list(range(2, len(graph)))
    assert loops_of(graph, Target(), Stages()) is None
