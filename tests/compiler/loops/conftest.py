"""A function of Values at each stage of the compiler: eager, as a graph, as a program, as native code."""

from __future__ import annotations

import os
import random

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule import Value, ops
from chainrule.compiler.graph.graph import evaluate
from chainrule.compiler.graph.passes.batches import SAMPLES
from chainrule.compiler.loops.codegen.build import plan
from chainrule.compiler.loops.interpret import run_program
from chainrule.compiler.loops.rerolling.fusion import fuse_reductions
from chainrule.compiler.loops.rerolling.grouping import group
from chainrule.compiler.loops.rerolling.lanes import choose_lanes
from chainrule.compiler.loops.rerolling.recurrence_builder import to_program
from chainrule.compiler.loops.rerolling.recurrences import group_with_recurrences
from chainrule.compiler.loops.rerolling.statements import NoLoopsError
from chainrule.compiler.native.llvm import Machine
from chainrule.compiler.pipeline import Stages, Target, Wanted, calculation, loop_kernel, loops_of
from chainrule.compiler.trace.tracing import trace
from chainrule.core.trees import leaves, unflatten
from chainrule.transforms import gradients


def program_of(graph):
    """A graph as a program, as the pipeline makes it, but however little of it repeats itself."""
    planned = loops_of(graph, Target(), Stages())
    if planned is not None:
        return planned.program
    try:
        program = to_program(graph, group_with_recurrences(graph))
    except NoLoopsError:
        program = to_program(graph, group(graph))
    return fuse_reductions(program if graph.batched else choose_lanes(program))


class Calculation:
    """A function with its derivatives, in the forms that the compiler gives it.

    Args:
        function: of the arguments; it may close over the parameters.
        arguments: nested lists of numbers.
        parameters: Values to differentiate by, beside the arguments.
        batched: the positions of the numbers that differ from sample to sample.
        samples: how many there are.
        order: 0 for the values alone, 1 with first derivatives.
        reduce: see `Wanted`.
    """

    def __init__(self, function, arguments, parameters=(), *, batched=(), samples=0, order=1, reduce=None, seed=0):
        self.function, self.arguments, self.parameters = function, arguments, list(parameters)
        self.batched, self.samples, self.order, self.reduce = sorted(batched), samples, order, reduce
        draw = np.random.default_rng(seed)
        self.point = leaves(arguments)
        self.columns = draw.uniform(-1, 1, (len(self.batched), samples)) if self.batched else None
        self.traced = trace(function, arguments, self.batched, self.parameters)
        graph = self.traced.graph
        count = len(self.point)
        self.numbers = [*self.point, *[p.data for p in self.traced.live]]
        self.wrt = tuple(range(count + len(self.parameters)))
        if self.batched:
            graph = graph.with_input(SAMPLES)
            self.numbers.append(float(samples))
        self.graph = calculation(graph, Wanted(order, self.wrt, reduce), Stages())
        self.graph.verify()

    # ---- what is right ----
    def eager(self):
        """What the eager engine finds, in the order of the graph's outputs: numbers, or rows of them."""
        if not self.batched:
            return self._at(self.point)
        rows = []
        for column in self.columns.T:
            point = list(self.point)
            for i, x in zip(self.batched, column, strict=True):
                point[i] = float(x)
            rows.append(self._at(point))
        actual = np.array(rows).T
        if self.reduce is None:
            return list(actual)
        outputs = len(leaves(self.traced.result)) if self.traced.result != 0 else 1
        by = [None] * outputs + ([*self.wrt] * outputs if self.order else [])
        scale = 1 / self.samples if self.reduce == "mean" else 1.0
        return [row * scale if i in self.batched else row.sum() * scale for row, i in zip(actual, by, strict=True)]

    def _at(self, point):
        variables = [Value(x) for x in point]
        out = leaves(self.function(*unflatten(self.arguments, variables)))
        actual = [float(x.data) if isinstance(x, Value) else float(x) for x in out]
        if self.order:
            for x in out:
                by = [*variables, *self.parameters]
                actual += gradients(x, by) if isinstance(x, Value) else [0.0] * len(by)
        return actual

    # ---- what the compiler makes of it ----
    def evaluated(self):
        """What the graph gives."""
        rows = dict(zip(self.batched, self.columns.tolist() if self.batched else [], strict=True))
        actual = evaluate(self.graph, [rows.get(i, x) for i, x in enumerate(self.numbers)])
        return [actual[i] for i in self.graph.outputs]

    def program(self):
        return program_of(self.graph)

    def interpreted(self, program=None, numbers=None):
        return self._rows(*run_program(program or self.program(), numbers or self.numbers, self.columns))

    def kernel(self, machine=None, bits=64, threads=1, program=None):
        """Native code, made by the pipeline, or of a program."""
        machine, stages = machine or Machine.default(), Stages()
        target = Target(bits, threads, machine=machine)
        planned = plan(program, machine, bits) if program else loops_of(self.graph, target, stages)
        planned = planned or plan(self.program(), machine, bits)
        return loop_kernel(planned, target, stages)

    def native(self, **options):
        kernel = self.kernel(**options)
        self.held = None
        for _ in range(2):  # the second time in memory that was used before
            shared, each, self.held = kernel.run(np.array(self.numbers), self.columns)
        return self._rows(shared, each)

    def _rows(self, shared, each):
        """Shared results and those of each sample, in the order of the outputs."""
        rows = iter(each)
        varies = self.graph.varying()
        return [next(rows) if varies[i] else x for i, x in zip(self.graph.outputs, shared, strict=True)]


def worst(actual, expected):
    """How far numbers are from what is wanted, relative to the largest in each."""
    assert len(actual) == len(expected)
    most = 0.0
    for a, b in zip(actual, expected, strict=True):
        x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        same = (x == y) | (np.isnan(x) & np.isnan(y))
        off = np.where(same, 0.0, np.abs(x - y) / np.maximum(1.0, np.abs(y).max(initial=0.0)))
        most = max(most, float(np.where(np.isnan(off), np.inf, off).max(initial=0.0)))
    return most


def same_everywhere(graph, numbers, columns=None, *, machine=None, bits=64, threads=1):
    """Asserts that the program of a graph, interpreted and as native code, gives what the graph does."""
    graph.verify()
    rows = dict(zip(sorted(graph.batched), columns or [], strict=True))
    values = evaluate(graph, [rows.get(i, x) for i, x in enumerate(numbers)])
    varies, machine, stages = graph.varying(), machine or Machine.default(), Stages()
    program = program_of(graph)
    kernel = loop_kernel(plan(program, machine, bits), Target(bits, threads, machine=machine), stages)
    native = kernel.run(np.array(numbers, dtype=float), None if columns is None else np.array(columns, dtype=float))
    for shared, each in (run_program(program, numbers, columns), native[:2]):
        own = iter(each)
        actual = [next(own) if varies[i] else x for i, x in zip(graph.outputs, shared, strict=True)]
        assert worst(actual, [values[i] for i in graph.outputs]) < (1e-12 if bits == 64 else 1e-5)
    outcomes = [np.asarray(values[node], dtype=float) != 0 for node, _ in graph.guards]
    held = [outcome == expected for outcome, (_, expected) in zip(outcomes, graph.guards, strict=True)]
    assert np.array_equal(native[2], np.all(np.broadcast_arrays(True, *held), axis=0) if held else native[2])
    return program


@pytest.fixture(scope="session")
def agree():
    return same_everywhere


@pytest.fixture(scope="session")
def calculate():
    """Makes a `Calculation`."""
    return Calculation


@pytest.fixture(scope="session")
def distance():
    return worst


@pytest.fixture(scope="session")
def to_loops():
    return program_of


# ---- programs that are drawn ---------------------------------------------------------------------------------------

SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100)
"""Around the widths of vectors."""

SEEDS = range(int(os.environ.get("CHAINRULE_TEST_SEEDS", "1")))
"""How often each program is drawn: more find more."""

MODES = ("each", "sum", "mean")
LARGEST = 10_000
"""The interpreter is left out where it would have more to do."""


def _hill(x):
    return ops.exp(-x * x)


class Draw:
    """Draws sizes and numbers, and keeps the parameters that a program closes over."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.parameters: list[Value] = []

    def size(self, most=100, least=1):
        return self.random.choice([n for n in SIZES if least <= n <= most])

    def row(self, n, low=-1.0, high=1.0):
        """Numbers as a list of data."""
        return [self.random.uniform(low, high) for _ in range(n)]

    def data(self, n):
        """Constants: some are special, some come again."""
        return [self.random.choice([0.0, 1.0, -1.0, 0.5, 2.0, self.random.uniform(-1, 1)]) for _ in range(n)]

    def weights(self, n, low=-1.0, high=1.0):
        """Parameters."""
        values = [Value(x) for x in self.row(n, low, high)]
        self.parameters += values
        return values

    def matrix(self, rows, columns, scale=1.0):
        return [self.weights(columns, -scale, scale) for _ in range(rows)]

    def start(self):
        """What a state may begin with: a number, a parameter, or an expression; to be called in the program."""
        x, w = self.random.uniform(0.1, 1.0), self.weights(1)[0]
        return self.random.choice([lambda: x, lambda: w, lambda: w * x + 0.25, lambda: 0.0])

    def bend(self):
        """A function of one number that is smooth, or bends."""
        return self.random.choice(
            [*[ops.tanh, ops.sin, ops.sigmoid, ops.relu, ops.softplus, ops.abs], _hill, lambda x: x / (1.0 + x * x)]
        )


def drawn(maker, seed, mode):
    """A program as a calculation: "plain", or, of a batch of samples, for each, or their sum or mean."""
    draw = Draw(f"{maker.__name__}{seed}")
    function, arguments = maker(draw)
    if mode == "plain":
        return Calculation(function, arguments, draw.parameters)
    count = len(leaves(arguments))
    batched = range(count) if draw.random.random() < 0.6 else draw.random.sample(range(count), (count + 1) // 2)
    samples, reduce = draw.size(), None if mode == "each" else mode
    return Calculation(function, arguments, draw.parameters, batched=batched, samples=samples, reduce=reduce, seed=seed)


@pytest.fixture(scope="session")
def same_at_every_stage():
    """Draws a program, and asserts that each of its forms gives what the eager engine gives."""

    def check(maker, seed, mode):
        calculation = drawn(maker, seed, mode)
        expected = calculation.eager()
        assert worst(calculation.evaluated(), expected) < 1e-9
        if len(calculation.graph) * max(1, calculation.samples) < LARGEST:
            assert worst(calculation.interpreted(), expected) < 1e-9
        assert worst(calculation.native(), expected) < 1e-9

    return check


def pytest_generate_tests(metafunc):
    """Each program of a module by itself, and in one of the modes of batches; those of its `SLOW` take seconds."""
    if "mode" in metafunc.fixturenames:
        cases = []
        for number, name in enumerate(metafunc.module.PROGRAMS):
            for seed in SEEDS:
                for mode in ("plain", MODES[(number + seed) % 3]):
                    reason = metafunc.module.WRONG.get((name, seed, mode))
                    marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
                    marks += [pytest.mark.slow] if name in getattr(metafunc.module, "SLOW", ()) else []
                    cases.append(pytest.param(name, seed, mode, marks=marks, id=f"{name}-{seed}-{mode}"))
        metafunc.parametrize(("name", "seed", "mode"), cases)
