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


# ---- names and operators of its relatives ----------------------------------------------------------------------------


def test_microgpt_s_own_backward_finds_the_children_and_the_local_derivatives():
    a, b = chainrule.Value(2.0), chainrule.Value(-3.0)
    y = (a * b + 3.0 * a).relu() + a * (b > 0)
    order, seen = [], set()

    def build(v):
        if v not in seen:
            seen.add(v)
            for child in v._children:
                build(child)
            order.append(v)

    build(y)
    gradients = {id(v): 0.0 for v in order} | {id(y): 1.0}
    for v in reversed(order):
        for child, local in zip(v._children, v._local_grads, strict=True):
            gradients[id(child)] += local * gradients[id(v)]
    y.backward()
    assert (gradients[id(a)], gradients[id(b)]) == (a.grad, b.grad)


def test_remainders_and_whole_quotients():
    a, b = chainrule.Value(7.5), chainrule.Value(-2.0)
    found = [a % b, a // b, *divmod(a, b), a % 2, 7.5 % b, a // 2, 7.5 // b, *divmod(7.5, b)]
    assert [v.data for v in found] == [-0.5, -4.0, -4.0, -0.5, 1.5, -0.5, 3.0, -4.0, -4.0, -0.5]
    (a % b).backward()
    assert (a.grad, b.grad) == (1.0, 4.0)
    (a // b).backward()
    assert (a.grad, b.grad) == (1.0, 4.0)


def test_a_number_is_taken_out_by_item():
    v = chainrule.Value(2.5)
    assert v.item() == 2.5
    assert type(v.item()) is float
    with pytest.raises(chainrule.errors.OperandError, match=r"use \.data"):
        chainrule.Value(v)


def test_the_slope_of_leaky_relu_has_the_names_of_other_libraries():
    v = chainrule.Value(-2.0)
    for y in (v.leaky_relu(alpha=0.2), v.leaky_relu(negative_slope=0.2), v.leaky_relu(slope=0.2)):
        assert y.data == -0.4
    assert chainrule.leaky_relu(-2.0, alpha=0.2) == -0.4
    with pytest.raises(chainrule.errors.OperandError, match="beta="):
        v.leaky_relu(beta=0.2)
