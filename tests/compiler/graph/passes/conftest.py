"""Passes on text, and on random graphs."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule import ops
from chainrule.compiler.graph.graph import BATCH_SUM, Graph, evaluate
from chainrule.compiler.graph.text import from_text, to_text

SPECIAL = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0)


@pytest.fixture(scope="session")
def after():
    """What a pass makes of a graph's text: the lines behind those of the inputs."""

    def run(apply, *lines):
        graph = apply(from_text("\n".join(lines)))
        graph.verify()
        return to_text(graph).splitlines()[graph.inputs :]

    return run


def draw_graph(seed, samples=None, operations=None):
    """A graph of arithmetic and some other operations, with many special constants; and numbers for its inputs."""
    draw = random.Random(seed)
    graph = Graph.of_inputs([f"x{i}" for i in range(5)], [0, 2] if samples else [])
    kinds = operations or [ops.add, ops.add, ops.sub, ops.mul, ops.mul, ops.div, ops.neg, ops.pow, ops.identity]
    kinds += [] if samples else [ops.select]  # which may choose what samples share, and that is not added up
    kinds += [ops.sum, ops.weighted_sum, ops.tanh, ops.sin, ops.logsumexp, ops.largest, ops.gt]
    for _ in range(80):
        if draw.random() < 0.25:
            graph.constant(draw.choice([*SPECIAL, draw.uniform(-2, 2)]))
            continue
        op = draw.choice(kinds)
        count = len(op.operand_names) if op.operand_names is not None else draw.choice([1, 2, 3, 5])
        if op is ops.weighted_sum:
            count = 2 * draw.choice([1, 2, 3]) + 1
        first = max(0, len(graph) - 12) if draw.random() < 0.8 else 0
        graph.add(op, *[draw.randrange(first, len(graph)) for _ in range(count)])
    graph.outputs = draw.sample(range(len(graph)), 12)
    graph.guards = [(draw.randrange(len(graph)), draw.random() < 0.5) for _ in range(2)]
    if samples:
        varies = graph.varying()
        graph.outputs += [graph.add(BATCH_SUM, i) for i, own in enumerate(varies) if own][-8:]
    numbers = [
        [draw.uniform(-2, 2) for _ in range(samples)] if i in graph.batched else draw.uniform(-2, 2) for i in range(5)
    ]
    graph.verify()
    return graph, numbers


@pytest.fixture(scope="session")
def drawn():
    return draw_graph


@pytest.fixture(scope="session")
def results():
    """The numbers of outputs and guards, one after the other."""

    def of(graph, numbers):
        graph.verify()
        values = evaluate(graph, numbers)
        return [values[i] for i in [*graph.outputs, *[node for node, _ in graph.guards]]]

    return of


@pytest.fixture(scope="session")
def same():
    """Whether results are the same: to the bit, or up to the sign of a zero and rounding."""

    def compare(a, b, exact):
        for one, other in zip(a, b, strict=True):
            x, y = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
            bits = (x.view(np.int64) == y.view(np.int64)) | (np.isnan(x) & np.isnan(y))
            near = np.isclose(x, y, rtol=1e-9, atol=1e-9 * max(1.0, _size(x), _size(y)), equal_nan=True)
            if not (bits if exact else near).all():
                return False
        return True

    return compare


def _size(x):
    finite = np.abs(x[np.isfinite(x)])
    return float(finite.max(initial=0.0))
