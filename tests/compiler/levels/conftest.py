"""Random graphs, and the oracle's results in the form of a kernel's."""

from __future__ import annotations

import math
import random
from collections import namedtuple

import pytest

from chainrule import ops
from chainrule.compiler.graph.graph import BATCH_SUM, Graph, evaluate
from chainrule.core.operation import TABLE

CONSTANTS = (0.0, -0.0, 1.0, -1.5, 3.0)
ARITHMETIC = (ops.add, ops.sub, ops.mul, ops.neg, ops.sum, ops.weighted_sum)
Drawn = namedtuple("Drawn", "graph numbers")


class Draw:
    """Draws a graph of operations of the table, and numbers for its inputs.

    Args:
        seed: of the draw; four that follow each other have the whole table, each a fourth of it and all arithmetic.
        size: how many operations.
        bounded: whether operations are left out that make large, infinite or nan numbers.
        samples: how many samples every other input has; None for no batch.
    """

    def __init__(self, seed, size=300, bounded=False, samples=None, inputs=8):
        self.random, self.bounded, self.inputs = random.Random(seed), bounded, inputs
        batched = range(0, inputs, 2) if samples is not None else ()
        self.graph = Graph.of_inputs([f"x{i}" for i in range(inputs)], batched)
        self.numbers = [self._rows(samples) if i in batched else self.random.uniform(-2, 2) for i in range(inputs)]
        self.point = [[*row, 0.5][0] if isinstance(row, list) else row for row in self.numbers]
        for x in CONSTANTS:
            self.graph.constant(x)
            self.point.append(x)
        table = [op for op in TABLE.values() if op.built_in]
        self.table = [*ARITHMETIC, *table[seed % 4 :: 4]]
        while len(self.graph) < inputs + len(CONSTANTS) + size:
            self._add()

    def _rows(self, samples):
        return [self.random.uniform(-2, 2) for _ in range(samples)]

    def _add(self):
        draw = self.random
        op, n = draw.choice(self.table), draw.choice((1, 2, 2, 3, 4, 5, 9, 40))
        count = 2 * n + 1 if op is ops.weighted_sum else n if op.operand_names is None else len(op.operand_names)
        first = max(0, len(self.graph) - 40) if draw.random() < 0.8 else 0
        operands = [draw.randrange(first, len(self.graph)) for _ in range(count)]
        if op is ops.take and draw.random() < 0.7:
            operands[0] = self.inputs + draw.randrange(len(CONSTANTS))
        y = op.value(*[self.point[k] for k in operands])
        if not self.bounded or abs(y) < 20:
            self.graph.add(op, *operands)
            self.point.append(y)

    def add_sums(self, count):
        """Adds sums over samples, and operations on them, all of them outputs."""
        varying = [i for i, varies in enumerate(self.graph.varying()) if varies]
        first = len(self.graph)
        sums = [self.graph.add(BATCH_SUM, self.random.choice(varying)) for _ in range(count)]
        for a, b in zip(sums[::2], sums[1::2], strict=False):
            self.graph.add(ops.mul, self.graph.add(ops.add, a, b), 1)
        self.graph.outputs += range(first, len(self.graph))


@pytest.fixture
def draw():
    """Draws a graph, and numbers for its inputs."""

    def drawn(seed, *, outputs=None, sums=0, **options):
        made = Draw(seed, **options)
        made.graph.outputs = made.random.choices(range(len(made.graph)), k=outputs or len(made.graph))
        if sums:
            made.add_sums(sums)
        made.graph.verify()
        return Drawn(made.graph, made.numbers)

    return drawn


@pytest.fixture
def run():
    """Runs a kernel on numbers as the oracle takes them; gives (shared, each, held)."""
    np = pytest.importorskip("numpy")

    def call(kernel, graph, numbers):
        own = np.array([0.0 if i in graph.batched else x for i, x in enumerate(numbers)])
        return kernel.run(own, np.array([numbers[i] for i in sorted(graph.batched)]) if graph.batched else None)

    return call


@pytest.fixture
def oracle():
    """(shared, each) as the oracle has them."""
    np = pytest.importorskip("numpy")

    def expected(graph, numbers):
        actual, varies = evaluate(graph, numbers), graph.varying()
        shared = [math.nan if varies[i] else actual[i] for i in graph.outputs]
        each = [actual[i] for i in graph.outputs if varies[i]]
        samples = len(numbers[min(graph.batched)]) if graph.batched else 0
        return np.array(shared, dtype=float), np.array(each, dtype=float).reshape(len(each), samples)

    return expected


@pytest.fixture
def same_bits():
    """Whether two arrays are the same, bit by bit, but for the bits of a nan."""
    np = pytest.importorskip("numpy")

    def same(a, b):
        equal = (a == b) & (np.signbit(a) == np.signbit(b)) | np.isnan(a) & np.isnan(b)
        return a.shape == b.shape and bool(equal.all())

    return same
