"""micrograd's users change one word: the same programs, run on both, give the same numbers."""

from __future__ import annotations

import random
import types

import pytest

import chainrule.engine
import chainrule.nn
from chainrule.data import moons

micrograd_engine = pytest.importorskip("micrograd.engine")
micrograd_nn = pytest.importorskip("micrograd.nn")

LIBRARIES = [
    types.SimpleNamespace(name="micrograd", Value=micrograd_engine.Value, nn=micrograd_nn),
    types.SimpleNamespace(name="chainrule", Value=chainrule.engine.Value, nn=chainrule.nn),
]


def demo_losses(library, steps):
    """The demo: two moons, MLP(2, [16, 16, 1]), max margin and L2, a falling learning rate."""
    random.seed(1337)
    X, y = moons(n=40, noise=0.1, seed=3)
    y = [2 * label - 1 for label in y]
    model = library.nn.MLP(2, [16, 16, 1])
    losses = []
    for k in range(steps):
        inputs = [list(map(library.Value, row)) for row in X]
        scores = list(map(model, inputs))
        margins = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
        total = sum(margins) * (1.0 / len(margins)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
        losses.append(total.data)
    return losses


def test_the_demo_trains_with_the_same_losses():
    theirs, ours = [demo_losses(library, steps=8) for library in LIBRARIES]
    assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12)
    assert ours[-1] < ours[0]


def test_nets_look_the_same_and_start_with_the_same_weights():
    nets = []
    for library in LIBRARIES:
        random.seed(7)
        nets.append(library.nn.MLP(3, [4, 4, 1]))
    assert [p.data for p in nets[0].parameters()] == [p.data for p in nets[1].parameters()]
    assert repr(nets[0]) == repr(nets[1])


def arithmetic(Value):  # noqa: N803
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = (c - d) ** 2
    f = e / 2.0
    f += 10.0 / e
    f.backward()
    return f.data, a.grad, b.grad


def test_every_operator_agrees():
    theirs, ours = [arithmetic(library.Value) for library in LIBRARIES]
    assert ours == pytest.approx(theirs, rel=1e-14)


def test_the_drawing_function_of_its_notebook_finds_the_graph():
    x = chainrule.engine.Value(1.0)
    y = (x * 2 + 1).relu()
    y.backward()
    nodes, edges = set(), set()

    def build(node):
        if node not in nodes:
            nodes.add(node)
            for child in node._prev:
                edges.add((child, node))
                build(child)

    build(y)
    labels = sorted(f"{n._op} data {n.data:.4f} | grad {n.grad:.4f}" for n in nodes)
    assert len(edges) == 5
    assert labels == [
        " data 1.0000 | grad 0.0000",
        " data 1.0000 | grad 2.0000",
        " data 2.0000 | grad 0.0000",
        "* data 2.0000 | grad 1.0000",
        "+ data 3.0000 | grad 1.0000",
        "ReLU data 3.0000 | grad 1.0000",
    ]


def test_operations_are_methods_of_the_class():
    y = chainrule.engine.Value.tanh(chainrule.engine.Value(0.123))
    assert y.op.name == "tanh"
