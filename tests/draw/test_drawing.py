from xml.etree import ElementTree

import pytest

from chainrule import Value
from chainrule.draw import FOLD_ABOVE, draw
from chainrule.draw.drawing import MOST_BOXES
from chainrule.errors import ArgumentError, OperandError, SavedFileError


def chain(length):
    node = Value(0.5)
    for _ in range(length - 1):
        node = node.tanh()
    return node


def test_folding_starts_above_the_limit():
    assert len(draw(chain(FOLD_ABOVE)).graph.nodes) == FOLD_ABOVE
    assert len(draw(chain(FOLD_ABOVE + 1)).graph.nodes) < FOLD_ABOVE
    assert len(draw(chain(20), fold=10).graph.nodes) < 20
    assert len(draw(chain(200), fold=False).graph.nodes) == 200


def test_a_drawing_keeps_the_numbers_of_its_moment():
    x = Value(2.0, "x")
    y = x.tanh()
    drawing = draw(y)
    y.backward()
    x.data = 7.0
    assert drawing.text.splitlines()[1:] == ["tanh    0.9640  none yet", "└─ x    2.0000  none yet  0.07065"]
    assert draw(y).text.splitlines()[1:] == [
        "tanh                   0.9640    1.0000",
        "└─ x, written since    7.0000    0.0707  0.07065",
    ]


def test_what_is_too_large_to_lay_out_is_refused_but_still_text():
    drawing = draw(chain(MOST_BOXES + 1), fold=False)
    with pytest.raises(ArgumentError, match=r"1,501 boxes .* fold=False"):
        _ = drawing.svg
    assert "nodes not shown" in drawing.text
    assert drawing.dot.count("->") == MOST_BOXES


def test_anything_with_the_right_attributes_can_be_drawn(fake):
    x = fake(1.0, "x", gradient=2.0)
    y = fake(4.0, op="square", operands=(x, x), locals_=(2.0, None), gradient=1.0)
    drawing = draw(y)
    assert "square" in drawing.svg
    assert drawing.graph.nodes[0].grad.low == 2.0


def test_an_iterator_of_values():
    assert len(draw(Value(float(i)).tanh() for i in range(3)).graph.roots) == 3


def test_a_page_stands_alone(neuron):
    drawing = draw(neuron, theme="dark")
    page = drawing.html
    assert page.startswith("<!doctype html>")
    assert '<meta name="color-scheme" content="dark">' in page
    assert drawing.svg in page
    assert not page[: page.index("<svg")].count("http")


def test_a_class_is_not_a_value():
    with pytest.raises(OperandError, match="the type <class"):
        draw(Value)


@pytest.mark.parametrize("fold", [0, -3, 2.5, "yes", None])
def test_what_fold_cannot_be(fold):
    with pytest.raises(ArgumentError, match="fold is 'auto', True, False or a number"):
        draw(Value(1.0), fold=fold)


@pytest.mark.parametrize("name", ["graph.gif", "graph", "graph.sgv"])
def test_an_unknown_suffix_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(ArgumentError, match=r"\.svg, \.png, \.pdf, \.html, \.dot and \.txt"):
        draw(Value(1.0)).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "graph.svg"
    path.write_text("old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SavedFileError, match="No space left"):
        draw(Value(1.0)).save(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_saved_svg_is_the_picture(tmp_path, neuron):
    path = draw(neuron).save(tmp_path / "GRAPH.SVG")
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert draw(neuron).save(tmp_path / "graph.txt").read_text("utf-8") == f"{draw(neuron)}\n"
