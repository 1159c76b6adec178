"""Pictures: what they contain, exactly, and that they are in order whatever the graph."""

from __future__ import annotations

import random
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule
from chainrule import Value, draw, losses, select, weighted_sum
from chainrule.draw import FOLD_ABOVE
from chainrule.draw.cards import card
from chainrule.draw.graph import one_by_one, trace
from chainrule.draw.layout import Size, lay_out
from chainrule.errors import ArgumentError, OperandError, SavedFileError
from chainrule.nn import MLP, Neuron


def diamond():
    a = Value(3.0, label="a")
    y = a * a + a
    y.label = "y"
    y.backward()
    return y


def net_loss(samples, fold="auto"):
    rng = random.Random(0)
    model = MLP(2, [16, 16, 1], activation="tanh", seed=0)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(samples)]
    loss = losses.mean_squared_error(model(X), [1.0] * samples)
    loss.backward()
    return loss, draw(loss, fold=fold)


def test_text_of_a_small_graph():
    assert (
        str(draw(diamond()))
        == """\
                  data      grad    local
y = +          12.0000    1.0000
├─ *            9.0000    1.0000        1
│  ├─ #1 a      3.0000    7.0000        3
│  └─ ↑ #1 a                            3
└─ ↑ #1 a                               1"""
    )


def test_a_shared_result_is_written_out_once():
    a = Value(2.0, label="a")
    b = a * 3
    y = b + b * b
    text = str(draw(y))
    assert text.count("#1 *") == 3
    assert text.count("↑ #1 *") == 2
    assert len(text.splitlines()) == 8


def test_dot_of_a_small_graph():
    a = Value(3.0, label='a "quoted" \\ {name} | <x>')
    lines = draw(a.tanh()).dot.splitlines()
    assert lines[0] == "digraph chainrule {"
    assert 'n0 -> n1 [label="0.009866"];' in lines[-2]
    assert r"a \"quoted\" \\ \{name\} \| \<x\> | data 3.0000 | grad none yet" in lines[-4]
    assert lines[-1] == "}"


def parsed(drawing):
    return ElementTree.fromstring(drawing.svg)


def texts(drawing):
    return [element.text for element in parsed(drawing).iter() if element.tag.endswith("text")]


def test_svg_is_well_formed_and_shows_numbers_and_local_derivatives():
    shown = texts(draw(diamond()))
    assert shown.count("a") == 1
    assert {"y", "12.0000", "9.0000", "3.0000", "7.0000", "*", "+"} <= set(shown)
    assert shown.count("3") == 2  # the two edges from a into a * a


def test_labels_are_escaped():
    hostile = '<b>&"quoted"</b><script>'
    drawing = draw(Value(1.0, label=hostile) * 2)
    assert hostile in texts(drawing)
    assert "<script>" not in drawing.svg
    assert "<script>" not in drawing.html


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1e-300, 1e300, -0.0])
def test_extreme_numbers(number):
    drawing = draw(Value(number, label="x") * 2)
    assert parsed(drawing) is not None
    assert max(map(len, texts(drawing))) < 40


def test_edges_carry_the_stored_local_derivatives():
    x = Value(0.5, label="x")
    y = select(x > 0, x.exp() * x, x)
    graph = one_by_one(trace([y]))
    nodes = trace([y]).values
    for edge in graph.edges:
        locals_ = nodes[edge.target].locals
        operands = [id(operand) for operand in nodes[edge.target].operands]
        expected = [local for o, local in zip(operands, locals_, strict=True) if o == id(nodes[edge.source])]
        assert (None if edge.local is None else edge.local.low) in expected


def test_a_neuron_is_one_node_until_expanded():
    neuron = Neuron(2, activation="tanh")
    out = neuron([Value(2.0, label="x1"), Value(0.5, label="x2")])
    out.backward()
    assert "Σ + b" in texts(draw(out))
    opened = texts(draw(out, expand=True))
    assert "Σ + b" not in opened
    assert opened.count("*") == 2
    assert opened.count("+") == 2


def test_an_expanded_neuron_has_the_numbers_of_the_sum_by_hand():
    w, x, b = [Value(-3.0), Value(1.5)], [Value(2.0), Value(0.5)], Value(6.5)
    by_hand = sum((wi * xi for wi, xi in zip(w, x, strict=True)), b)
    by_hand.backward()
    expected = str(draw(by_hand))
    for v in (*w, *x, b):
        v.grad = 0
    one_node = weighted_sum(w, x, b)
    one_node.backward()
    assert str(draw(one_node, expand=True)) == expected


# ---- folding -------------------------------------------------------------------------------------------------------


def test_a_large_graph_is_folded_by_layer_and_counts_add_up():
    loss, drawing = net_loss(samples=50)
    assert len(drawing.graph.nodes) <= FOLD_ABOVE
    assert drawing.graph.total == len(chainrule.topological_order(loss))
    shown = " ".join(filter(None, texts(drawing)))
    for layer, weights in ((1, 32), (2, 256)):
        assert f"layer {layer} · each 50 times 16 × [Σ + b → tanh]" in shown
        assert f"{weights} weights" in shown


def test_folding_can_be_switched():
    loss, unfolded = net_loss(samples=2, fold=False)
    assert len(unfolded.graph.nodes) == len(chainrule.topological_order(loss))
    assert len(draw(diamond(), fold=True).graph.nodes) <= 3


def test_small_graphs_are_not_folded():
    assert len(draw(diamond()).graph.nodes) == 3


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["chain", "doubling", "wide"])
def test_very_large_graphs_end_in_a_small_picture(shape):
    x = node = Value(1.0, label="x")
    if shape == "wide":
        node = chainrule.sum([x * i for i in range(100_000)])
    for i in range({"chain": 100_000, "doubling": 100_000, "wide": 0}[shape]):
        node = node * 1.0 if shape == "chain" else (node + node if i % 2 else node * 0.5)
    drawing = draw(node)
    assert len(drawing.graph.nodes) <= FOLD_ABOVE
    assert drawing.graph.total >= 100_000
    assert parsed(drawing) is not None
    assert len(drawing.text.splitlines()) < 300


# ---- layout --------------------------------------------------------------------------------------------------------


@st.composite
def graphs(draw_from):
    count = draw_from(st.integers(1, 25))
    edges = []
    for target in range(1, count):
        for source in draw_from(st.lists(st.integers(0, target - 1), max_size=4)):
            edges.append((source, target))
    return count, edges


@settings(max_examples=150, deadline=None, derandomize=True)
@given(graphs())
def test_no_two_boxes_overlap_and_edges_go_forward(graph):
    count, edges = graph
    sizes = [Size(60.0 + 13 * (i % 5), 38.0) for i in range(count)]
    layout = lay_out(sizes, edges, [Size(20.0, 17.0)] * len(edges))
    boxes = [
        (c.along - s.along / 2, c.along + s.along / 2, c.across - s.across / 2, c.across + s.across / 2)
        for c, s in zip(layout.boxes, sizes, strict=True)
    ]
    for i, a in enumerate(boxes):
        assert a[0] >= -0.01
        assert a[2] >= -0.01
        for b in boxes[:i]:
            assert a[1] <= b[0] + 0.01 or b[1] <= a[0] + 0.01 or a[3] <= b[2] + 0.01 or b[3] <= a[2] + 0.01
    for source, target in edges:
        assert boxes[source][1] <= boxes[target][0] + 0.01


def test_a_box_is_wide_enough_for_its_text():
    y = diamond()
    y.label = "a name of some length"
    node = one_by_one(trace([y])).nodes[-1]
    assert card(node, numbers=True).size.along > 200


# ---- the Drawing ---------------------------------------------------------------------------------------------------


def test_themes():
    y = diamond()
    assert "prefers-color-scheme:dark" in draw(y).svg
    assert "prefers-color-scheme" not in draw(y, theme="light").svg
    assert draw(y, theme="dark").svg != draw(y, theme="light").svg


def test_two_drawings_on_one_page_do_not_share_a_style():
    scopes = [re.search(r"cr[0-9a-f]{10}", draw(v).svg)[0] for v in (diamond(), diamond().tanh())]
    assert scopes[0] != scopes[1]


def test_several_results_are_drawn_together():
    a = Value(2.0, label="a")
    drawing = draw([a * 2, a * 3])
    assert len(drawing.graph.roots) == 2
    assert texts(drawing).count("a") == 1


def test_values_show_themselves_in_notebooks():
    y = diamond()
    assert y._repr_svg_() == draw(y).svg
    assert y._repr_html_() == draw(y)._repr_html_()
    assert draw(y).svg in draw(y)._repr_html_()


def test_showing_a_gradient_is_not_reading_it():
    a = Value(3.0, label="a")
    (a * a).backward()
    draw(a * a)._repr_html_()
    a.data = 4.0
    (a * a).backward()
    a.data = 5.0  # no warning: the gradient was looked at, but not used


@pytest.mark.parametrize("ending", [".svg", ".html", ".txt", ".dot"])
def test_saving(tmp_path, ending):
    path = tmp_path / f"graph{ending}"
    drawing = draw(diamond())
    drawing.save(path)
    text = path.read_text(encoding="utf-8")
    assert {".svg": drawing.svg, ".html": drawing.svg, ".txt": drawing.text, ".dot": drawing.dot}[ending] in text
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: draw("x"), OperandError, "takes Values"),
        (lambda: draw(3.0), OperandError, "takes Values"),
        (lambda: draw([]), ArgumentError, "empty list"),
        (lambda: draw([Value(1.0), 2.0]), OperandError, "the float 2.0"),
        (lambda: draw(Value(1.0), theme="drak"), ArgumentError, "Did you mean 'dark'"),
        (lambda: draw(Value(1.0), direction="left"), ArgumentError, "not 'left'"),
        (lambda: draw(Value(1.0), fold="never"), ArgumentError, "not 'never'"),
        (lambda: draw(Value(1.0)).save("graph.gif"), ArgumentError, "the suffix '.gif'"),
        (lambda: draw(Value(1.0)).save("no/such/folder/graph.svg"), SavedFileError, "no folder"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
