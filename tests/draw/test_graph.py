import pytest

from chainrule import Value
from chainrule.draw.figures import Span
from chainrule.draw.graph import Edge, one_by_one, trace


def test_operands_come_first_and_shared_nodes_once():
    a, b = Value(2.0, "a"), Value(2.0, "b")  # equal numbers: only identity tells them apart
    y = a * b + a
    nodes = trace([y])
    assert [value.label or value.op.name for value in nodes.values] == ["a", "b", "mul", "add"]
    assert nodes.operands == [[], [], [0, 1], [2, 0]]
    assert nodes.roots == [3]


def test_several_roots_share_their_nodes():
    a = Value(2.0)
    s, c = a.sin(), a.cos()
    nodes = trace([s, c, s])
    assert len(nodes.values) == 3
    assert [nodes.values[root].op.name for root in nodes.roots] == ["sin", "cos"]


def test_a_root_inside_another_roots_graph():
    a = Value(2.0)
    s = a.sin()
    graph = one_by_one(trace([s, s.cos()]))
    assert [node.kind for node in graph.nodes] == ["leaf", "root", "root"]


def test_edges_carry_the_stored_local_derivatives(neuron):
    nodes = trace([neuron])
    graph = one_by_one(nodes)
    stored = [local for value in nodes.values for local in value.locals]
    assert [edge.local for edge in graph.edges] == [Span(local, local) for local in stored]
    assert len(stored) == 9


def test_kinds_and_gradients(fake):
    leaf, constant = fake(1.0, "x", gradient=3.0), fake(2.0, constant=True)
    middle = fake(3.0, op="+", operands=(leaf, constant), locals_=(1.0, None), gradient=3.0)
    root = fake(9.0, op="sq", operands=(middle,), locals_=(6.0,), gradient=1.0)
    graph = one_by_one(trace([root]))
    assert [node.kind for node in graph.nodes] == ["leaf", "constant", "operation", "root"]
    assert [node.grad for node in graph.nodes] == [Span(3.0, 3.0), None, Span(3.0, 3.0), Span(1.0, 1.0)]
    assert graph.edges[1] == Edge(1, 2, None)
    assert graph.total == 4


def test_drawing_is_not_reading_a_gradient():
    """The watch for a forgotten zero_grad must not take a picture for a use of the gradient."""
    x = Value(1.0)
    y = x * 3.0
    y.backward()
    before = x.__getstate__()
    one_by_one(trace([y]))
    assert x.__getstate__() == before


@pytest.mark.slow
def test_a_long_chain_does_not_recurse(fake):
    node = fake(0.0)
    for _ in range(300_000):
        node = fake(0.0, op="f", operands=(node,), locals_=(1.0,))
    assert len(trace([node]).values) == 300_001
    while node.operands:  # freed from the top, one by one: Python's own freeing of the chain is not what is tested
        (node,) = node.operands
