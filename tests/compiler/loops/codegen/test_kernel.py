"""Kernels of loops: every width of vectors, both sizes of numbers, several threads, guards."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("llvmlite")

import numpy as np
from llvmlite import ir

import chainrule
from chainrule import Value, ops
from chainrule.compiler.graph.graph import BATCH_SUM, Graph
from chainrule.compiler.native.llvm import Machine

NAMES = ["sse2", "avx2", "avx512"]


@pytest.fixture(params=NAMES)
def machine(request):
    machine = Machine.named(request.param)
    if not machine.runs_here:
        pytest.skip(f"this CPU has no {request.param}")
    return machine


def network(samples_inside=None):
    """A loss of one sample, or of several inside, and its parameters."""
    weights = [[Value(((7 * i + 3 * j) % 11 - 5) / 9) for j in range(4)] for i in range(5)]
    out = [Value((i - 2) / 3) for i in range(5)]

    def one(x, y):
        hidden = [ops.tanh(sum([a * b for a, b in zip(row, x, strict=True)])) for row in weights]
        return (sum([a * h for a, h in zip(out, hidden, strict=True)]) - y) ** 2

    parameters = [w for row in [*weights, out] for w in row]
    if samples_inside is None:
        return one, parameters
    return lambda xs, ys: sum([one(x, y) for x, y in zip(xs, ys, strict=True)]), parameters


POINT = [[0.1, -0.2, 0.3, 0.4], 0.5]


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("samples", [1, 5, 16, 33])
def test_batches_on_every_machine(machine, bits, samples, calculate, distance):
    loss, parameters = network()
    for reduce in (None, "mean"):
        calculation = calculate(loss, POINT, parameters, batched=range(5), samples=samples, reduce=reduce)
        off = distance(calculation.native(machine=machine, bits=bits), calculation.eager())
        assert off < (1e-12 if bits == 64 else 1e-4)


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("samples", [3, 17])
def test_lists_on_every_machine(machine, bits, samples, calculate, distance):
    loss, parameters = network(samples)
    xs = [[((i * j) % 7 - 3) / 5 for j in range(1, 5)] for i in range(samples)]
    calculation = calculate(loss, [xs, [0.1 * i for i in range(samples)]], parameters)
    expected = calculation.eager()
    assert distance(calculation.interpreted(), expected) < 1e-12
    assert distance(calculation.native(machine=machine, bits=bits), expected) < (1e-12 if bits == 64 else 1e-4)


@pytest.mark.parametrize("samples", [1, 7, 8, 9, 100, 2000, 2001])
def test_threads_share_the_samples(samples, calculate, distance):
    loss, parameters = network()
    calculation = calculate(loss, POINT, parameters, batched=range(5), samples=samples, reduce="sum")
    alone, together = calculation.native(), calculation.native(threads=2)
    assert distance(together, alone) < 1e-12


def test_one_kernel_serves_batches_of_all_sizes(calculate):
    loss, parameters = network()
    calculation = calculate(loss, POINT, parameters, batched=range(5), samples=100, reduce="sum")
    kernel, numbers = calculation.kernel(), np.array(calculation.numbers)
    each = [kernel.run(numbers, calculation.columns[:, i : i + 1])[0] for i in range(100)]
    for samples in (1, 2, 15, 16, 17, 64, 99, 100):
        shared = kernel.run(numbers, calculation.columns[:, :samples])[0]
        expected = np.sum(each[:samples], axis=0)
        assert np.allclose(shared, expected, equal_nan=True, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("samples_inside", [None, 17])
@pytest.mark.parametrize("bits", [64, 32])
def test_results_are_the_callers_own(samples_inside, bits, calculate):
    loss, parameters = network(samples_inside)
    if samples_inside is None:
        calculation = calculate(loss, POINT, parameters, batched=range(5), samples=24)
    else:
        xs = [[0.1 * i, 0.2, -0.3, 0.4] for i in range(samples_inside)]
        calculation = calculate(loss, [xs, [0.1] * samples_inside], parameters)
    kernel = calculation.kernel(bits=bits)
    first = kernel.run(np.array(calculation.numbers), calculation.columns)[:2]
    before = [numbers.copy() for numbers in first]
    second = kernel.run(2.0 * np.array(calculation.numbers), calculation.columns)[:2]
    for kept, was, later in zip(first, before, second, strict=True):
        assert kept.dtype == np.float64
        assert np.array_equal(kept, was, equal_nan=True)
        assert not np.shares_memory(kept, later)


def test_a_kernel_is_called_from_several_threads(calculate):
    loss, parameters = network()
    calculation = calculate(loss, POINT, parameters, batched=range(5), samples=50, reduce="sum")
    kernel = calculation.kernel()
    arguments = [np.array(calculation.numbers) * (1 + k / 50) for k in range(20)]
    alone = [kernel.run(x, calculation.columns)[0] for x in arguments]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda x: kernel.run(x, calculation.columns)[0], arguments))
    assert np.array_equal(alone, together, equal_nan=True)


@pytest.mark.parametrize("samples", [1, 8, 9, 33])
def test_guards_of_samples_and_of_all(samples, agree):
    graph = Graph.of_inputs(["x", "w"], batched=[0])
    positive = graph.add(ops.gt, 0, 1)
    total = graph.add(BATCH_SUM, graph.add(ops.mul, 0, 1))
    graph.outputs, graph.guards = [positive, total], [(positive, True), (graph.add(ops.lt, total, 1), True)]
    for w in (0.0, 0.4, -1.0):
        agree(graph, [0.0, w], [[(i % 5) / 4 for i in range(samples)]])


def test_guards_on_places_of_a_list(agree):
    graph = Graph.of_inputs([f"x{i}" for i in range(17)])
    made = [graph.add(ops.exp, i) for i in range(17)]
    graph.outputs = [graph.add(ops.sum, *made)]
    graph.guards = [(graph.add(ops.gt, k, graph.constant(1.0)), True) for k in made]
    agree(graph, [0.1 + i for i in range(17)])
    agree(graph, [0.1 + i if i != 9 else -1.0 for i in range(17)])


def test_a_long_sum_uses_what_the_same_loops_have_just_calculated(machine, calculate, distance):
    def log_of_powers(xs):
        return sum([ops.clip(x, x, x) for x in xs]) + ops.logsumexp(xs)

    calculation = calculate(log_of_powers, [[((7 * i) % 11 - 5) / 9 for i in range(40)]])
    assert distance(calculation.native(machine=machine), calculation.eager()) < 1e-12


def test_what_was_written_for_llvm_does_not_stay_in_memory(monkeypatch):
    monkeypatch.setenv("CHAINRULE_CACHE", "off")

    def alive():
        gc.collect()
        return [x for x in gc.get_objects() if issubclass(type(x), ir.Module)]  # an isinstance would wake lazy objects

    before = alive()
    loss, _ = network()
    f = chainrule.compile(loss, in_axes=(0, 0), reduce="sum")
    f.value_and_grad(np.ones((20, 4)), np.ones(20))
    assert "vectors of" in f.explain()
    assert all(any(x is known for known in before) for x in alive())
