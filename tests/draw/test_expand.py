import pytest

import chainrule
from chainrule import Value
from chainrule.draw.expand import expand
from chainrule.draw.graph import one_by_one, trace


def by_hand(weights, inputs, bias):
    total = bias
    for w, x in zip(weights, inputs, strict=True):
        total = total + w * x
    return total


def leaves(numbers, name):
    return [Value(number, f"{name}{i}") for i, number in enumerate(numbers)]


def test_the_parts_have_the_numbers_of_the_neuron_written_by_hand():
    graphs = []
    for weighted_sum in (chainrule.weighted_sum, by_hand):
        w, x, b = leaves([-3.0, 0.5, 0.1], "w"), leaves([2.0, 0.3, -0.7], "x"), Value(6.88, "b")
        out = weighted_sum(w, x, b).tanh()
        out.backward()
        graphs.append(one_by_one(expand(trace([out]))))
    numbers = [
        sorted((node.symbol, node.data.low, node.grad.low) for node in graph.nodes if node.grad) for graph in graphs
    ]
    assert numbers[0] == numbers[1]
    locals_ = [sorted(edge.local.low for edge in graph.edges if edge.local) for graph in graphs]
    assert locals_[0] == locals_[1]


def test_labels_and_symbols_of_the_parts():
    n = chainrule.weighted_sum([Value(2.0, "w")], [Value(3.0, "x")], Value(1.0, "b"))
    n.label = "n"
    graph = one_by_one(expand(trace([n])))
    assert [(node.label, node.symbol) for node in graph.nodes[3:]] == [("w·x", "*"), ("n", "+")]
    assert graph.nodes[graph.roots[0]].label == "n"


def test_without_a_bias_nothing_is_added_to_zero():
    n = chainrule.weighted_sum([Value(2.0), Value(4.0)], [Value(3.0), Value(5.0)])
    graph = one_by_one(expand(trace([n])))
    assert sorted(node.symbol for node in graph.nodes if node.symbol) == ["*", "*", "+"]
    assert graph.nodes[graph.roots[0]].data.low == 26.0


def test_a_single_product_without_bias_is_the_neuron_itself():
    n = chainrule.weighted_sum([Value(2.0)], [Value(3.0)])
    n.label = "n"
    graph = one_by_one(expand(trace([n])))
    assert [(node.label, node.symbol, node.data.low) for node in graph.nodes if node.symbol] == [("n", "*", 6.0)]


def test_a_weighted_sum_of_nothing_stays():
    n = chainrule.weighted_sum([], [], Value(3.0))
    graph = one_by_one(expand(trace([n])))
    assert [node.symbol for node in graph.nodes] == ["", "Σ + b"]


def test_the_parts_show_the_forward_pass_that_was_run():
    """Like the stored local derivatives: writing a leaf afterwards does not change what was calculated."""
    w, x = Value(2.0), Value(3.0)
    n = chainrule.weighted_sum([w], [x], Value(1.0))
    w.data = 100.0
    product = next(node for node in one_by_one(expand(trace([n]))).nodes if node.symbol == "*")
    assert product.data.low == 6.0


def test_constants_get_no_derivative():
    n = chainrule.weighted_sum([Value(2.0), Value(3.0)], [1.0, 4.0], Value(0.5))
    n.backward()
    expanded = expand(trace([n]))
    graph = one_by_one(expanded)
    blocked = [graph.nodes[edge.source].kind for edge in graph.edges if edge.local is None]
    assert blocked == ["constant", "constant"]
    assert graph.nodes[graph.roots[0]].data.low == pytest.approx(14.5)


def test_one_operand_as_weight_and_input():
    a = Value(3.0)
    graph = one_by_one(expand(trace([chainrule.weighted_sum([a, a], [a, a], a)])))
    assert graph.total == 5
    assert sum(edge.source == 0 for edge in graph.edges) == 5
