import pickle

import pytest

from chainrule import Value, draw
from chainrule.draw.figures import Span
from chainrule.draw.graph import Edge, one_by_one, trace
from chainrule.ops import weighted_sum


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


NONE = Span.of([None])


def gradients(root):
    return {node.label: node.grad for node in one_by_one(trace([root])).nodes if node.label}


def test_before_backward_no_node_has_a_gradient_and_afterwards_a_zero_is_one():
    x, w = Value(-2.0, "x"), Value(3.0, "w")
    y = (x * w).relu()
    y.label = "y"
    assert gradients(y) == {"x": NONE, "w": NONE, "y": NONE}
    assert "none yet" in draw(y).svg
    assert (x.grad, y.grad) == (0.0, 0.0)
    y.backward()
    assert gradients(y) == {"x": Span(0.0, 0.0), "w": Span(0.0, 0.0), "y": Span(1.0, 1.0)}
    for text in (draw(y).text, draw(y).dot, draw(y).svg):
        assert "none yet" not in text


def test_only_what_backward_reached_has_a_gradient():
    a, b, c = (Value(number, label) for number, label in ((1.0, "a"), (2.0, "b"), (3.0, "c")))
    part = a * b
    part.label = "part"
    whole = part * c
    whole.label = "whole"
    part.backward()
    assert gradients(whole) == {
        "a": Span(2.0, 2.0), "b": Span(1.0, 1.0), "part": Span(1.0, 1.0), "c": NONE, "whole": NONE
    }  # fmt: skip


def test_a_graph_that_is_made_anew_or_refreshed_waits_for_the_next_backward():
    w = Value(2.0, "w")
    (w * w).backward()
    w.grad = 0.0
    y = w * w
    y.label = "y"
    assert gradients(y) == {"w": NONE, "y": NONE}
    y.backward()
    y.grad = w.grad = 0.0
    assert gradients(y) == {"w": Span(0.0, 0.0), "y": Span(0.0, 0.0)}
    y.refresh()
    assert gradients(y) == {"w": NONE, "y": NONE}


def test_a_gradient_that_was_written_by_hand_is_one():
    x = Value(1.0, "x")
    assert gradients(x) == {"x": NONE}
    x.grad = 2.0
    assert gradients(x) == {"x": Span(2.0, 2.0)}


def test_the_parts_of_a_sum_have_a_gradient_when_the_sum_has_one():
    w, x, b = Value(1.0, "w"), Value(2.0, "x"), Value(3.0, "b")
    total = weighted_sum([w, w], [x, x], b)
    assert draw(total, expand=True).text.count("none yet") == draw(total, expand=True).dot.count("data")
    total.backward()
    assert "none yet" not in draw(total, expand=True).text


def test_a_copy_knows_as_much():
    x = Value(2.0, "x")
    y = x.relu() * 0.0
    y.backward()
    assert gradients(pickle.loads(pickle.dumps(y))) == {"x": Span(0.0, 0.0)}


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
