"""Pictures of random graphs of Values: complete, in order, readable by an XML parser, and nothing covers anything."""

from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule
from chainrule import Value, draw

SVG = "{http://www.w3.org/2000/svg}"
STEPS = [
    lambda a, b: a * b,
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: chainrule.max(a, b),
    lambda a, b: a.tanh(),
    lambda a, b: a * 0.5,
    lambda a, b: chainrule.weighted_sum([a, b], [b, 2.0], a),
]


@st.composite
def results(draw_from, most=30):
    """The last node of a random graph that has been differentiated; nodes are shared freely."""
    numbers = st.floats(-3, 3)
    nodes = [Value(draw_from(numbers), label=f"x{i}") for i in range(draw_from(st.integers(1, 4)))]
    for _ in range(draw_from(st.integers(0, most))):
        step = draw_from(st.sampled_from(STEPS))
        a, b = (nodes[draw_from(st.integers(0, len(nodes) - 1))] for _ in range(2))
        nodes.append(step(a, b))
    nodes[-1].backward()
    return nodes[-1]


def boxes(svg):
    """(left, top, right, bottom) of every box, one for each node; a stack's cards count as one."""
    corners = []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if group.get("class", "").startswith("node "):
            x, y = map(float, re.findall(r"-?[\d.]+", group.get("transform")))
            cards = [rect for rect in group.iter(f"{SVG}rect") if rect.get("class") == "box"]
            right = max(float(rect.get("x", 0)) + float(rect.get("width")) for rect in cards)
            bottom = max(float(rect.get("y", 0)) + float(rect.get("height")) for rect in cards)
            corners.append((x, y, x + right, y + bottom))
    return corners


def apart(a, b):
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(results(), st.sampled_from(["right", "down"]), st.booleans())
def test_boxes_never_overlap(result, direction, fold):
    corners = boxes(draw(result, direction=direction, fold=fold).svg)
    assert corners
    assert all(apart(a, b) for i, a in enumerate(corners) for b in corners[:i])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(results(), st.booleans())
def test_every_node_is_in_one_box_and_every_edge_in_one_line(result, fold):
    listed = chainrule.topological_order(result)
    graph = draw(result, fold=fold).graph
    assert graph.total == len(listed)
    assert all(edge.source < edge.target for edge in graph.edges)
    edges = sum(len(node.operands) for node in listed)
    assert sum(edge.size for edge in graph.edges) <= edges  # those inside a box are not drawn
    if not fold:
        assert len(graph.nodes) == len(listed)
        assert len(graph.edges) == edges


@settings(max_examples=60, deadline=None, derandomize=True)
@given(results())
def test_nodes_and_edges_carry_the_engine_s_numbers(result):
    graph = draw(result, fold=False).graph
    drawn = Counter((node.symbol, node.data.low, node.grad and node.grad.low) for node in graph.nodes)
    listed = chainrule.topological_order(result)
    expected = Counter(
        (node.op.symbol if node.op else "", node.data, None if node.constant else node.peek_grad()) for node in listed
    )
    assert drawn == expected
    slopes = Counter(None if edge.local is None else edge.local.low for edge in graph.edges)
    assert slopes == Counter(local for node in listed for local in node.locals)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(results())
def test_expanded_numbers_obey_the_chain_rule(result):
    """In every picture, a node's gradient is the sum over its outgoing edges of local × upstream."""
    graph = draw(result, fold=False, expand=True).graph
    arrived = [0.0] * len(graph.nodes)
    for root in graph.roots:
        arrived[root] = 1.0
    for edge in graph.edges:
        if edge.local is not None and graph.nodes[edge.target].grad is not None:
            arrived[edge.source] += edge.local.low * graph.nodes[edge.target].grad.low
    for node, expected in zip(graph.nodes, arrived, strict=True):
        if node.grad is not None:
            assert node.grad.low == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(results(most=60))
def test_text_fits_a_terminal_and_names_each_leaf_once(result):
    text = draw(result, fold=False).text
    assert max(map(len, text.splitlines())) <= 80
    if "not shown" not in text:
        written = [line for line in text.splitlines() if "↑" not in line and "↓" not in line]
        for leaf in chainrule.topological_order(result):
            if leaf.op is None and not leaf.constant:
                assert len([line for line in written if re.search(rf"\b{leaf.label}\b", line)]) == 1
