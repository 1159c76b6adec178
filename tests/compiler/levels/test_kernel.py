"""Levelled graphs against the oracle."""

from __future__ import annotations

import itertools
import math
import pickle
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("llvmlite")

import numpy as np

import chainrule
from chainrule import ops
from chainrule.compiler.graph.differentiate import differentiate
from chainrule.compiler.graph.graph import BATCH_SUM, Graph, evaluate
from chainrule.compiler.levels.emit import build
from chainrule.compiler.levels.kernel import LevelKernel, compile_graph
from chainrule.compiler.levels.schedule import schedule
from chainrule.compiler.native.llvm import Machine
from chainrule.core.operation import forget
from chainrule.errors import ArgumentError, GraphError, SizeError

EPSILON = {64: float(np.finfo(np.float64).eps), 32: float(np.finfo(np.float32).eps)}

# ---- bit by bit ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_exact_results_are_the_oracles_bits(seed, draw, run, oracle, same_bits):
    graph, numbers = draw(seed, outputs=60)
    shared, each, held = run(compile_graph(graph, exact=True), graph, numbers)
    assert same_bits(shared, oracle(graph, numbers)[0])
    assert each.shape == (0, 0)
    assert held is True


@pytest.mark.parametrize("seed", range(4))
def test_exact_results_of_batches_are_the_oracles_bits(seed, draw, run, oracle, same_bits):
    graph, numbers = draw(seed, outputs=60, sums=5, samples=300)
    kernel = compile_graph(graph, exact=True)
    for samples in (0, 1, 7, 8, 9, 150, 300):
        some = [row[:samples] if isinstance(row, list) else row for row in numbers]
        shared, each, held = run(kernel, graph, some)
        wanted_shared, wanted_each = oracle(graph, some)
        assert same_bits(shared, wanted_shared)
        assert same_bits(each, wanted_each)
        assert held.tolist() == [True] * samples


def test_signs_of_zeros_survive_where_sums_are_merged(run, oracle, same_bits):
    graph = Graph.of_inputs(["a", "b", "c"])
    rows = [
        (ops.add, 0, 1),
        (ops.sub, 0, 1),
        (ops.mul, 0, 2),
        (ops.neg, 0),
        (ops.sum,),
        (ops.sum, 0, 0),
        (ops.sum, 0, 1, 2),
    ]
    rows += [(ops.weighted_sum, 0, 1, 2), (ops.weighted_sum, 0), (ops.identity, 0), (ops.stop_gradient, 1)]
    graph.outputs = [graph.add(*row) for row in rows]
    kernel = compile_graph(graph, exact=True)
    for numbers in itertools.product((0.0, -0.0), (0.0, -0.0), (0.0, -0.0, 2.0, math.inf)):
        assert same_bits(run(kernel, graph, numbers)[0], oracle(graph, numbers)[0])


@pytest.mark.parametrize("exact", [True, False])
def test_products_that_one_sum_uses_go_into_it(exact, run, oracle):
    graph = Graph.of_inputs(["a", "b", "c"])
    product = graph.add(ops.mul, 0, 1)
    total = graph.add(ops.sum, graph.add(ops.neg, 2), product, graph.add(ops.mul, 1, 2))
    graph.outputs = [graph.add(ops.add, graph.add(ops.identity, total), graph.add(ops.mul, 0, 2))]
    kernel = compile_graph(graph, exact=exact)
    actual, expected = run(kernel, graph, [0.1, 0.7, -1.3])[0], oracle(graph, [0.1, 0.7, -1.3])[0]
    assert actual == expected if exact else actual == pytest.approx(expected, rel=1e-15)
    assert kernel.operations_per_call == 2


# ---- fast ----------------------------------------------------------------------------------------------------------


def error(graph, actual):
    """How far operations are from the oracle's results on the same operands, at most, by the size of their numbers."""
    worst = 0.0
    for i, op in enumerate(graph.ops):
        if op is not None:
            operands = [actual[k] for k in graph.operands[i]]
            size = max([1.0, abs(actual[i]), *map(abs, operands)])
            if op in (ops.sum, ops.weighted_sum, ops.logsumexp):
                size *= 1.0 + sum(map(abs, operands))
            worst = max(worst, abs(op.value(*operands) - actual[i]) / size)
    return worst


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("seed", range(4))
def test_fast_results_are_a_few_ulp_off(seed, bits, draw, run):
    graph, numbers = draw(seed, bounded=True)
    graph.outputs = list(range(len(graph)))
    actual, _, _ = run(compile_graph(graph, bits=bits), graph, numbers)
    assert actual.dtype == np.float64
    assert error(graph, actual.tolist()) < 32 * EPSILON[bits]


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("seed", range(4))
def test_fast_results_of_batches_are_a_few_ulp_off(seed, bits, draw, run):
    graph, numbers = draw(seed, bounded=True, samples=37, size=150)
    graph.outputs = list(range(len(graph)))
    shared, each, _ = run(compile_graph(graph, bits=bits), graph, numbers)
    rows = iter(each)
    first = [next(rows)[0] if varies else x for x, varies in zip(shared, graph.varying(), strict=True)]
    assert error(graph, first) < 32 * EPSILON[bits]


@pytest.mark.parametrize("bits", [64, 32])
def test_sums_over_samples_and_what_is_made_of_them(bits, run, oracle):
    graph = Graph.of_inputs(["w", "x", "n"], batched=[1])
    loss = graph.add(ops.tanh, graph.add(ops.mul, 0, 1))
    graph.outputs = [graph.add(ops.div, graph.add(BATCH_SUM, loss), 2), graph.add(BATCH_SUM, 1), loss]
    numbers = [0.3, [0.01 * k - 3.0 for k in range(1000)], 1000.0]
    shared, each, _ = run(compile_graph(graph, bits=bits), graph, numbers)
    wanted_shared, wanted_each = oracle(graph, numbers)
    assert shared == pytest.approx(wanted_shared, rel=300 * EPSILON[bits], nan_ok=True)
    assert each == pytest.approx(wanted_each, rel=8 * EPSILON[bits], abs=8 * EPSILON[bits])


def test_what_samples_share_is_added_up_for_each_of_them(run):
    graph = Graph.of_inputs(["x", "w"], batched=[0])
    graph.outputs = [graph.add(BATCH_SUM, graph.add(ops.add, 1, 1)), 0]
    assert run(compile_graph(graph), graph, [[5.0] * 21, 1.5])[0][0] == 63.0


def test_without_a_batch_a_sum_over_samples_is_that_of_one(run):
    graph = Graph.of_inputs(["x"])
    graph.outputs = [graph.add(BATCH_SUM, 0), graph.add(ops.identity, 0)]
    assert run(compile_graph(graph), graph, [2.5])[0].tolist() == [2.5, 2.5]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("terms", [31, 32, 33, 40, 1000])
def test_long_sums(terms, exact, run, oracle):
    graph = Graph.of_inputs([f"x{i}" for i in range(terms)])
    xs = range(terms)
    graph.outputs = [graph.add(ops.sum, *xs), graph.add(ops.sum, *xs, *reversed(xs))]
    graph.outputs += [graph.add(ops.weighted_sum, 3, *xs[: terms // 2 * 2]), graph.add(ops.largest, *xs)]
    graph.outputs += [graph.add(ops.weighted_sum, graph.constant(0.0), *[k for k in xs for _ in range(2)])]
    graph.outputs += [graph.add(ops.logsumexp, *xs), graph.add(ops.logsumexp, 0)]
    numbers = np.random.default_rng(terms).normal(size=terms).tolist()
    actual, expected = run(compile_graph(graph, exact=exact), graph, numbers)[0], oracle(graph, numbers)[0]
    assert (actual == expected).all() if exact else actual == pytest.approx(expected, abs=1e-13 * terms)


@pytest.mark.parametrize("exact", [True, False])
def test_more_terms_than_slots(exact, run):
    graph = Graph.of_inputs(["x"])
    graph.outputs = [graph.add(ops.sum, *[0] * 100_000), graph.add(ops.sum, *[0] * 20), graph.add(ops.sum, *[0] * 31)]
    assert run(compile_graph(graph, exact=exact), graph, [0.5])[0].tolist() == [50_000.0, 10.0, 15.5]


def test_logsumexp_of_infinite_numbers(run, oracle):
    graph = Graph.of_inputs(["x", "y"])
    graph.outputs = [graph.add(ops.logsumexp, 0, 1)]
    kernel = compile_graph(graph)
    for numbers in itertools.product((-math.inf, 1.0, 1000.0, math.inf, math.nan), repeat=2):
        actual, expected = run(kernel, graph, numbers)[0], oracle(graph, numbers)[0]
        assert actual == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("samples", [None, 5])
def test_places_of_a_list(samples, run, oracle, same_bits):
    places = [0.0, 1.0, 29.0, 30.0, -1.0, -0.0, 0.5, math.nan, math.inf, 1e300]
    graph = Graph.of_inputs(["x", *[f"p{i}" for i in range(len(places))]], batched=[0] if samples else [])
    row = [*[graph.constant(k * 1.5) for k in range(29)], 0]
    graph.outputs = [graph.add(ops.take, 1 + i, *row) for i in range(len(places))] + [graph.add(ops.take, 1)]
    numbers = [[7.0] * samples if samples else 7.0, *places]
    shared, each, _ = run(compile_graph(graph), graph, numbers)
    wanted_shared, wanted_each = oracle(graph, numbers)
    assert same_bits(shared, wanted_shared)
    assert same_bits(each, wanted_each)


@pytest.mark.parametrize("name", ["sse2", "avx2", "avx512"])
@pytest.mark.parametrize("bits", [64, 32])
def test_machines(name, bits, draw, run):
    machine = Machine.named(name)
    if not machine.runs_here:
        pytest.skip(f"this CPU does not run code for {name}")
    graph, numbers = draw(7, bounded=True, size=100)
    graph.outputs = list(range(len(graph)))
    actual, _, _ = run(compile_graph(graph, machine, bits), graph, numbers)
    assert error(graph, actual.tolist()) < 32 * EPSILON[bits]


def test_values_and_derivatives_of_a_deep_graph(run):
    graph = Graph.of_inputs(["x", "y"])
    recent = [0, 1]
    for i in range(2000):
        a, b = recent[-1], recent[-1 - i % 2]
        product = graph.add(ops.mul, a, graph.constant(0.9))
        recent += [graph.add(ops.sin, graph.add(ops.add, product, b)), graph.add(ops.sub, a, product)]
    graph.outputs = [graph.add(ops.sum, *recent[::7])]
    graph.outputs += differentiate(graph, graph.outputs[0], [0, 1])
    numbers = [0.4, -0.3]
    values = evaluate(graph, numbers)
    expected = [values[node] for node in graph.outputs]
    assert run(compile_graph(graph), graph, numbers)[0] == pytest.approx(expected, rel=1e-9)


# ---- guards --------------------------------------------------------------------------------------------------------


def test_guards_hold_or_not(run):
    graph = Graph.of_inputs(["x", "y"])
    graph.outputs = [graph.add(ops.add, 0, 1)]
    graph.guards = [(graph.add(ops.gt, 0, 1), True), (1, False)]
    kernel = compile_graph(graph)
    assert [run(kernel, graph, point)[2] for point in [(1.0, 0.0), (0.0, 0.0), (2.0, 1.0)]] == [True, False, False]
    graph.guards = [(0, True)]
    kernel = compile_graph(graph)
    assert [run(kernel, graph, [x, 0.0])[2] for x in (math.nan, 0.0, -0.0, 1e-320)] == [True, False, False, True]


def test_guards_of_each_sample_and_of_all(run):
    graph = Graph.of_inputs(["x", "w"], batched=[0])
    positive, sum_ = graph.add(ops.gt, 0, 1), graph.add(BATCH_SUM, 0)
    graph.outputs, graph.guards = [0], [(positive, True), (graph.add(ops.gt, sum_, 1), True), (1, False)]
    kernel = compile_graph(graph, exact=True)
    xs = [-1.0, 0.0, *[0.5] * 20]
    assert run(kernel, graph, [xs, 0.0])[2].tolist() == [False, False, *[True] * 20]
    assert run(kernel, graph, [xs, 0.1])[2].tolist() == [False] * 22
    graph.guards = graph.guards[1:]
    assert run(compile_graph(graph), graph, [xs, 0.0])[2].tolist() == [True] * 22


# ---- small and odd graphs ------------------------------------------------------------------------------------------


def test_outputs_that_are_inputs_and_constants(run):
    graph = Graph.of_inputs(["x", "y"])
    one = graph.constant(1.0)
    graph.outputs = [1, one, one, 0, 1, graph.constant(-0.0), graph.constant(math.nan)]
    actual = run(compile_graph(graph), graph, [3.0, 4.0])[0]
    assert actual.tolist()[:6] == [4.0, 1.0, 1.0, 3.0, 4.0, -0.0]
    assert math.isnan(actual[6])


def test_what_is_too_large_for_32_bits_is_infinite(run):
    graph = Graph.of_inputs(["x"])
    graph.outputs = [0, graph.constant(-1e300)]
    assert run(compile_graph(graph, bits=32), graph, [1e39])[0].tolist() == [math.inf, -math.inf]


def test_nothing_at_all(run):
    graph = Graph.of_inputs([])
    shared, each, held = run(compile_graph(graph), graph, [])
    assert (shared.shape, each.shape, held) == ((0,), (0, 0), True)


def test_a_batch_of_which_nothing_is_used(run):
    graph = Graph.of_inputs(["x"], batched=[0])
    shared, each, held = run(compile_graph(graph), graph, [[1.0, 2.0]])
    assert (shared.shape, each.shape, held.tolist()) == ((0,), (0, 2), [True, True])


def test_outputs_of_a_batch_in_their_order(run):
    graph = Graph.of_inputs(["x", "w", "y"], batched=[0, 2])
    product = graph.add(ops.mul, 0, 1)
    graph.outputs = [2, 1, product, 0, product, graph.constant(7.0)]
    shared, each, _ = run(compile_graph(graph), graph, [[1.0, 2.0, 3.0], 10.0, [4.0, 5.0, 6.0]])
    assert each.tolist() == [[4.0, 5.0, 6.0], [10.0, 20.0, 30.0], [1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]
    assert np.isnan(shared).tolist() == [True, False, True, True, True, False]
    assert shared[[1, 5]].tolist() == [10.0, 7.0]


# ---- operations of one's own ---------------------------------------------------------------------------------------


@pytest.fixture
def own():
    """An operation that C does not have, of any number of operands."""

    @chainrule.operation(local=lambda i, xs, y: 1.0)
    def gammas(*xs):
        total = 0.0
        for x in xs:
            total += math.gamma(x)
        return total

    yield gammas
    forget("gammas")


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("samples", [None, 21])
def test_python_calculates_what_has_no_native_code(own, samples, exact, run, oracle):
    graph = Graph.of_inputs(["x", "y"], batched=[0] if samples else [])
    node = graph.add(own, graph.add(ops.add, 0, 1), 1, graph.constant(4.0))
    many = graph.add(own, *[k for k in (0, 1) for _ in range(20)])
    graph.outputs = [graph.add(ops.mul, node, node), many, graph.add(own, 1, 1)]
    numbers = [[1.0 + k / 10 for k in range(samples)] if samples else 1.5, 2.5]
    kernel = compile_graph(graph, exact=exact)
    shared, each, _ = run(kernel, graph, numbers)
    wanted_shared, wanted_each = oracle(graph, numbers)
    assert shared == pytest.approx(wanted_shared, rel=1e-15, nan_ok=True)
    assert each == pytest.approx(wanted_each, rel=1e-15)
    assert any("Python calculates gammas" in line for line in kernel.describe())


@pytest.mark.parametrize("samples", [None, 3])
def test_an_exception_of_such_an_operation_is_raised(own, samples, run):
    graph = Graph.of_inputs(["x"], batched=[0] if samples else [])
    graph.outputs = [graph.add(own, 0)]
    kernel = compile_graph(graph)
    bad, good = ([[1.0, -1.0, 2.0]], [[1.0, 3.0, 2.0]]) if samples else ([-1.0], [3.0])
    for _ in range(2):
        with pytest.raises(ValueError, match=r"math domain error|expected a noninteger or positive integer"):
            run(kernel, graph, bad)
    shared, each, _ = run(kernel, graph, good)
    assert each.tolist() == [[1.0, 2.0, 1.0]] if samples else shared.tolist() == [2.0]


# ---- plans, object code, threads -----------------------------------------------------------------------------------


def test_plans_and_object_code_can_be_kept(draw, run, same_bits):
    graph, numbers = draw(3, outputs=40, size=100, samples=9)
    machine = Machine.default()
    plan = schedule(graph, machine.lanes(64))
    kernel = LevelKernel(plan, build(plan, machine))
    again = LevelKernel(pickle.loads(pickle.dumps(plan)), kernel.object_code)
    a, b = run(kernel, graph, numbers), run(again, graph, numbers)
    assert same_bits(a[0], b[0])
    assert same_bits(a[1], b[1])


def test_graphs_of_the_same_kinds_share_object_code(run):
    def square_of_sums(n):
        graph = Graph.of_inputs([f"x{i}" for i in range(n)])
        total = graph.add(ops.sum, *range(n))
        graph.outputs = [graph.add(ops.mul, total, total)]
        return graph

    small, large = square_of_sums(3), square_of_sums(30)
    machine = Machine.default()
    plans = [schedule(graph, machine.lanes(64)) for graph in (small, large)]
    assert plans[0].key == plans[1].key
    kernel = LevelKernel(plans[1], build(plans[0], machine))
    assert run(kernel, large, [1.0] * 30)[0].tolist() == [900.0]


def test_threads_share_a_kernel(draw, run, same_bits):
    graph, numbers = draw(5, bounded=True, samples=200, size=100)
    kernel = compile_graph(graph)
    arguments = [[row if isinstance(row, list) else row + k / 100 for row in numbers] for k in range(20)]
    alone = [run(kernel, graph, point) for point in arguments]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda point: run(kernel, graph, point), arguments))
    for (a, b, _), (c, d, _) in zip(alone, together, strict=True):
        assert same_bits(a, c)
        assert same_bits(b, d)


# ---- errors, and what is told --------------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [10, 1000, 5003])
def test_samples_shared_out_among_threads(samples, draw, run):
    graph, numbers = draw(3, outputs=30, sums=5, samples=samples)
    one, three = compile_graph(graph), compile_graph(graph, threads=3)
    expected, actual = run(one, graph, numbers), run(three, graph, numbers)
    np.testing.assert_allclose(actual[0], expected[0], rtol=1e-12)
    np.testing.assert_array_equal(actual[1], expected[1])
    np.testing.assert_array_equal(actual[2], expected[2])


def test_a_sample_cannot_depend_on_a_sum_over_all():
    graph = Graph.of_inputs(["x"], batched=[0])
    graph.outputs = [graph.add(ops.add, 0, graph.add(BATCH_SUM, 0))]
    with pytest.raises(GraphError, match="%2 is about single samples, but depends on a sum over all"):
        schedule(graph)


def test_arguments_of_the_wrong_size_are_refused():
    plain, batch = Graph.of_inputs(["x", "y"]), Graph.of_inputs(["x", "y"], batched=[1])
    plain.outputs = batch.outputs = [0]
    two, column = np.zeros(2), np.zeros((1, 3))
    with pytest.raises(SizeError, match="2 inputs, but numbers have the shape"):
        compile_graph(plain).run(np.zeros(3))
    with pytest.raises(SizeError, match="no input of the graph is batched"):
        compile_graph(plain).run(two, column)
    for columns in (None, np.zeros((2, 3)), np.zeros(3)):
        with pytest.raises(SizeError, match="1 batched inputs"):
            compile_graph(batch).run(two, columns)


def test_a_plan_is_for_one_size_of_vector():
    plan = schedule(Graph.of_inputs(["x"]), lanes=3)
    with pytest.raises(ArgumentError, match="the plan is for vectors of 3 numbers"):
        build(plan, Machine.default())


def test_exact_results_need_64_bits():
    graph = Graph.of_inputs(["x"])
    graph.outputs = [graph.add(ops.sin, 0)]
    with pytest.raises(ArgumentError):
        compile_graph(graph, bits=32, exact=True)


def test_a_kernel_describes_itself(draw):
    graph, _ = draw(1, samples=2, sums=2, size=60)
    kernel = compile_graph(graph, Machine.named("sse2"))
    text = "\n".join(kernel.describe())
    assert "operations that samples share in" in text
    assert "vectors of 2 samples, in blocks of" in text
    expected = set(graph.outputs)
    for node in reversed(range(len(graph))):
        if node in expected:
            expected.update(graph.operands[node])
    operations = [node for node in expected if graph.ops[node] not in (None, BATCH_SUM)]
    assert kernel.operations_per_call >= len(operations) > 40  # of a long sum there are several
    described = [int(number.replace(",", "")) for number in re.findall(r"^([\d,]+) operation", text, re.MULTILINE)]
    assert kernel.operations_per_call == sum(described)
    assert kernel.bytes_per_call > 8 * len(graph)
