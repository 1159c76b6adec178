"""The SVG as a document: well-formed, complete, escaped, and nothing on top of anything else."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule import Value
from chainrule.draw import draw

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawing):
    return ElementTree.fromstring(drawing.svg)


def groups(drawing, kind):
    return [g for g in parsed(drawing).iter(f"{SVG}g") if kind in g.get("class", "").split()]


def texts(element):
    return [text.text for text in element.iter(f"{SVG}text")]


def test_a_node_shows_operation_label_data_and_gradient(neuron):
    boxes = groups(draw(neuron), "node")
    assert len(boxes) == 10
    assert texts(boxes[-1]) == ["tanh", "o", "data", "0.7071", "grad", "1.0000"]
    assert texts(groups(draw(neuron), "leaf")[0]) == ["x1", "data", "2.0000", "grad", "-1.5000"]


def test_every_digit_is_in_the_tooltip(neuron):
    tip = groups(draw(neuron), "root")[0].find(f"{SVG}title").text
    assert tip == f"o = tanh\ndata {neuron.data!r}\ngrad 1.0"


def test_the_number_on_an_edge_is_the_local_derivative(neuron):
    edges = groups(draw(neuron), "edge")
    assert [texts(edge) for edge in edges] == [[n] for n in ("-3", "2", "1", "0", "1", "1", "1", "1", "0.5")]
    tips = [edge.find(f"{SVG}title").text for edge in edges]
    assert tips[-1] == f"n = + → o = tanh\nlocal derivative {neuron.locals[0]!r}"


def test_both_edges_of_a_square_and_one_box_for_its_operand():
    a = Value(3.0, "a")
    drawing = draw(a * a)
    assert len(groups(drawing, "leaf")) == 2  # the box and its entry in the legend
    assert [texts(edge) for edge in groups(drawing, "edge")] == [["3"], ["3"]]


def test_an_edge_without_derivative_is_dashed_and_bare():
    (edge,) = groups(draw(Value(1.0) + 2.0), "blocked")
    assert texts(edge) == []
    assert "no derivative flows here" in edge.find(f"{SVG}title").text


def test_without_numbers(neuron):
    drawing = draw(neuron, numbers=False)
    assert texts(groups(drawing, "root")[0]) == ["tanh", "o"]
    assert not any(texts(edge) for edge in groups(drawing, "edge"))


def test_it_says_what_it_is_to_those_who_cannot_see_it(neuron):
    root = parsed(draw(neuron))
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.find(f"{SVG}title").text == "Expression graph of o: 10 nodes"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=50))
def test_any_label_is_a_text_and_nothing_else(label):
    drawing = draw([Value(1.0, label) * Value(2.0, '<b>&"x"</b>')])
    root = parsed(drawing)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "style", "rect", "g", "path", "text"
    }  # fmt: skip
    assert '<b>&"x"</b>' in texts(root)


def test_pictures_on_one_page_keep_to_themselves(neuron):
    drawings = [draw(neuron), draw(neuron, theme="dark"), draw(neuron * 2)]
    scopes = [parsed(drawing).get("class") for drawing in drawings]
    assert len(set(scopes)) == 3
    for scope, drawing in zip(scopes, drawings, strict=True):
        for rule in re.findall(r"(?:^|\{)(\.[^{\n]+)\{", parsed(drawing).find(f"{SVG}style").text, re.MULTILINE):
            assert rule.split()[0] == f".{scope}"
        assert " id=" not in drawing.svg


def test_the_same_graph_gives_the_same_text(neuron):
    assert draw(neuron).svg == draw(neuron).svg


@pytest.mark.parametrize("direction", ["right", "down"])
def test_boxes_lie_apart_and_inside(neuron, direction):
    drawing = draw(neuron, direction=direction)
    width, height = (float(parsed(drawing).get(name)) for name in ("width", "height"))
    boxes = []
    for group in groups(drawing, "node"):
        x, y = map(float, re.findall(r"[-\d.]+", group.get("transform")))
        rect = group.find(f"{SVG}rect")
        boxes.append((x, y, x + float(rect.get("width")), y + float(rect.get("height"))))
    for i, a in enumerate(boxes):
        assert 0 <= a[0] < a[2] <= width
        assert 0 <= a[1] < a[3] <= height
        for b in boxes[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    first, last = boxes[0], boxes[-1]
    assert last[0] > first[2] if direction == "right" else last[1] > first[3]


def places(drawing):
    """Where everything is, and how large: all but the texts and their backgrounds."""
    shapes = [element for element in parsed(drawing).iter() if "under" not in element.get("class", "")]
    return [
        (s.tag, s.get("transform"), s.get("width"), s.get("d"), s.get("x")) for s in shapes if s.tag != f"{SVG}text"
    ]


NUMBERS = [0.0, 1.0, -0.5, -12.3456, 99999.0, -98765.4321, 1.5e-7, -1.23e-308, 1e308, float("nan"), float("-inf")]


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("fold", [False, True])
def test_the_layout_stays_whatever_the_numbers_are(direction, fold):
    a, b, c = (Value(2.0, name) for name in "abc")
    y = a * b + c.exp() * 3.0
    seen = [places(draw(y, fold=fold, direction=direction))]
    for number in NUMBERS:
        a.data, b.data, c.data = number, -number, 2 * number
        y.refresh()
        y.backward()
        seen.append(places(draw(y, fold=fold, direction=direction)))
    assert all(other == seen[0] for other in seen)


def test_a_number_that_needs_more_room_is_set_smaller():
    (box,) = groups(draw(Value(-98765.4321)), "node")
    (number,) = [text for text in box.iter(f"{SVG}text") if text.text == "-98765.4321"]
    assert 6 < float(number.get("font-size")) < 12


def test_a_folded_box_is_a_stack():
    total = sum((Value(0.1).tanh() for _ in range(100)), Value(0.0))
    drawing = draw(total)
    stacks = [group for group in groups(drawing, "node") if len(group.findall(f"{SVG}rect")) > 1]
    assert any("100 × [tanh]" in texts(group) for group in stacks)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), 1e300, 5e-324, -0.0])
def test_no_number_breaks_the_document(number):
    x = Value(number, "x")
    y = x * x
    y.backward()
    for drawing in (draw(y), draw([y, y.exp()], fold=True)):
        assert parsed(drawing).tag == f"{SVG}svg"
        assert not re.search(r'="[^"]*(nan|inf)[^"]*"', drawing.svg.split("</style>")[1])
