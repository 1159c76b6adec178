"""Folding: what is grouped, how it is called, and that every node is in exactly one box."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule
from chainrule import Value
from chainrule.draw.fold import fold
from chainrule.draw.graph import Graph, trace
from chainrule.draw.units import CHAIN, find_units

LIMIT = 60


def folded(*roots, limit=LIMIT) -> Graph:
    nodes = trace(roots)
    graph = fold(nodes, limit)
    check(nodes, graph)
    return graph


def check(nodes, graph):
    """What holds for every folded picture."""
    assert graph.total == len(nodes.values)
    assert all(edge.source < edge.target for edge in graph.edges)
    pairs = [(edge.source, edge.target) for edge in graph.edges]
    assert len(pairs) == len(set(pairs))
    assert sum(edge.size for edge in graph.edges) <= sum(map(len, nodes.operands))
    drawn = sum(node.size for node in graph.nodes if node.kind == "leaf")
    assert drawn == sum(value.op is None and not value.constant for value in nodes.values)


def captions(graph):
    return [
        ", ".join(part for part in (node.place, node.label, node.symbol, node.remark) if part) for node in graph.nodes
    ]


def loss_of_net(sizes, samples, *, by_hand=False):
    rng = random.Random(1)
    layers = [
        [([Value(rng.uniform(-1, 1)) for _ in range(nin)], Value(0.0)) for _ in range(nout)]
        for nin, nout in pairwise(sizes)
    ]

    def weighted_sum(w, x, b):
        return sum((wi * xi for wi, xi in zip(w, x, strict=True)), b) if by_hand else chainrule.weighted_sum(w, x, b)

    losses = []
    for _ in range(samples):
        x = [rng.uniform(-1, 1) for _ in range(sizes[0])]
        for layer in layers:
            sums = [weighted_sum(w, x, b) for w, b in layer]
            x = sums if layer is layers[-1] else [s.tanh() for s in sums]
        losses.append((x[0] - rng.choice([-1.0, 1.0])) ** 2)
    return chainrule.sum(losses) * (1 / samples)


def test_a_net_is_folded_by_neuron_and_layer():
    assert captions(folded(loss_of_net([2, 16, 16, 1], 100))) == [
        "bias",
        "16 weights",
        "16 biases",
        "256 weights",
        "16 biases",
        "32 weights",
        "3,200 inputs",
        "layer 1, 16 × [Σ + b → tanh], each 100 times",
        "layer 2, 16 × [Σ + b → tanh], each 100 times",
        "layer 3, [Σ + b], 100 times",
        "100 constants",
        "100 constants",
        "100 × [- → **]",
        "Σ",
        "",
        "*",
    ]


def test_neurons_written_by_hand_are_found_as_well():
    shown = captions(folded(loss_of_net([2, 16, 16, 1], 20, by_hand=True)))
    assert "layer 1, 16 × [2 of * → Σ → tanh], each 20 times" in shown
    assert "layer 2, 16 × [16 of * → Σ → tanh], each 20 times" in shown


def test_a_single_sample_gives_a_layer_its_neurons():
    assert "layer 1, 8 × [Σ + b → tanh]" in captions(folded(loss_of_net([3, 8, 1], 1)))


def test_edges_between_boxes_have_the_span_of_their_local_derivatives():
    graph = folded(loss_of_net([2, 4, 1], 10))
    bias, layer = next((edge.source, edge) for edge in graph.edges if graph.nodes[edge.source].label == "4 biases")
    assert graph.nodes[bias].size == 4
    assert layer.local.brief() == "1"
    assert layer.size == 40
    inputs = next(edge for edge in graph.edges if graph.nodes[edge.source].label == "80 inputs")
    assert inputs.local is None


def test_the_numbers_of_a_box_are_those_of_its_last_stage():
    out = [Value(x).sin().exp() for x in (0.0, 1.0, -1.0)]
    total = chainrule.sum(out)
    total.backward()
    box = next(node for node in folded(total).nodes if node.label == "3 × [sin → exp]")
    assert (box.data.low, box.data.high) == (out[2].data, out[1].data)
    assert (box.grad.low, box.grad.high) == (1.0, 1.0)


def test_leaves_are_listed_by_their_labels():
    total = chainrule.sum([Value(1.0, f"x{i}").tanh() for i in range(9)])
    assert captions(folded(total))[0] == "9 leaves, x0, x1, x2, x3, …"


def test_a_chain_of_additions_is_one_sum():
    y = Value(1.0)
    for _ in range(99):
        y = y + Value(2.0)
    assert captions(folded(y)) == ["100 leaves", "Σ, 99 × +"]


def test_a_sum_that_is_used_twice_stands_alone():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    inner = a + b
    units = find_units(trace([(inner + c) * inner]))
    assert units.names == ["add", "add", "mul"]
    assert find_units(trace([a + b + c])).names == [CHAIN]
    assert find_units(trace([a + b + c, inner])).names.count(CHAIN) == 1


def test_an_inner_sum_that_is_a_root_stands_alone():
    inner = Value(1.0) + Value(2.0)
    assert find_units(trace([inner + Value(3.0), inner])).names == ["add", "add"]


def test_equal_steps_of_a_recurrence_are_one_box():
    h = Value(0.1)
    w = Value(0.5)
    for _ in range(200):
        h = (h * w).tanh()
    graph = folded(h)
    assert len(graph.nodes) < 12
    assert graph.nodes[-1].kind == "root"
    assert "operations in series" in graph.nodes[-1].label
    assert not any(node.place.startswith("layer") for node in graph.nodes)


def test_doubling_is_a_series():
    x = Value(1.0, "x")
    for _ in range(500):
        x = x + x
    assert captions(folded(x))[-1].endswith("× +, in series")


def test_a_penalty_is_no_layer():
    w = [Value(0.1 * i) for i in range(50)]
    penalty = chainrule.weighted_sum(w, w, 0.0)
    assert not any("layer" in caption for caption in captions(folded(penalty * 0.5)))


def test_neurons_without_bias_show_none():
    x = [Value(0.1 * i) for i in range(5)]
    rows = [[Value(0.1 * i - 0.2 * k) for i in range(5)] for k in range(6)]
    out = [chainrule.weighted_sum(row, x) for row in rows] + [chainrule.weighted_sum(row, x[::-1]) for row in rows]
    assert captions(folded(*out)) == ["30 weights", "5 inputs", "layer 1, 6 × [Σ + b], each 2 times"]


def test_only_sums_weighted_with_leaves_are_layers():
    """Not the mean of squares in a normalisation, nor the scores of attention."""
    x = [[Value(0.1 * i + k).tanh() for i in range(4)] for k in range(5)]
    squares = [chainrule.weighted_sum(row, row) for row in x]
    assert not any("layer" in caption for caption in captions(folded(*squares)))


def test_a_root_that_is_a_leaf_is_in_the_picture():
    a, b = Value(1.0, "a"), Value(2.0, "b")
    graph = folded(a, b.tanh())
    assert sorted(captions(graph)) == ["a", "b", "tanh"]


def test_even_one_box_is_enough_for_very_different_operations():
    x = Value(0.5)
    roots = [x.sin(), x.cos().exp(), x * x, x.tanh() - 3.0, x.sqrt() / x]
    graph = folded(*roots, limit=2)
    assert len(graph.nodes) == 3
    assert graph.nodes[-1].size == 8


@st.composite
def expressions(draw):
    values = [Value(draw(st.floats(-2, 2)), f"x{i}" if i % 2 else "") for i in range(draw(st.integers(1, 4)))]
    for _ in range(draw(st.integers(0, 40))):
        a, b = draw(st.sampled_from(range(len(values)))), draw(st.sampled_from(range(len(values))))
        kind = draw(st.sampled_from(["add", "add", "mul", "tanh", "sum", "neuron", "scale"]))
        values.append(
            {
                "add": lambda a, b: a + b,
                "mul": lambda a, b: a * b,
                "tanh": lambda a, b: a.tanh(),
                "sum": lambda a, b: chainrule.sum([a, b, a]),
                "neuron": lambda a, b: chainrule.weighted_sum([a, b], [b, 2.0], 1.0),
                "scale": lambda a, b: 3 * a,
            }[kind](values[a], values[b])
        )
    return values[-draw(st.integers(1, 3)) :]


@settings(max_examples=200, deadline=None)
@given(expressions(), st.sampled_from([1, 3, 8, 60]))
def test_counts_add_up_whatever_the_graph(roots, limit):
    graph = folded(*roots, limit=limit)
    assert len(graph.nodes) <= max(limit, 3)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["chain", "wide", "both"])
def test_300_000_nodes_do_not_recurse(shape):
    x = Value(0.5, "x")
    if shape == "wide":
        root = chainrule.sum([(x * i).tanh() for i in range(100_000)])
    else:
        root = x
        for i in range(150_000):
            root = root * 0.99 if shape == "chain" else (root * x if i % 3 else root + x.sin())
    graph = folded(root)
    assert len(graph.nodes) <= LIMIT
    assert graph.total >= 200_000
