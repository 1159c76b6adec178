"""Pictures of each step for slides: one layout, SVG and PNG, a GIF and a PDF."""

from __future__ import annotations

import io
import re

import pytest

import chainrule
from chainrule import Value
from chainrule.errors import ArgumentError
from chainrule.see.frames import frames, pictures

image = pytest.importorskip("PIL.Image")
pytest.importorskip("fpdf")


def neuron():
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.5, label="b")
    return (x * w + b).tanh()


def opened(path):
    return image.open(io.BytesIO(path.read_bytes()))


def test_one_picture_for_each_step_and_two_files_of_all(tmp_path):
    story = chainrule.record(neuron())
    written = frames(story, tmp_path / "slides")
    count = len(story.events) + 1
    assert [path.name for path in written[:2]] == ["000.svg", "000.png"]
    assert len(written) == 2 * count + 2
    assert len({opened(path).size for path in written if path.suffix == ".png"}) == 1
    assert opened(tmp_path / "slides" / "all.gif").n_frames == count
    pdf = (tmp_path / "slides" / "all.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == count


def test_the_layout_is_the_same_in_every_frame():
    drawn = [each.svg for each in pictures(chainrule.record(neuron()))]
    places = {tuple(re.findall(r'<g class="node[^"]*" transform="([^"]*)"', svg)) for svg in drawn}
    assert len(places) == 1


def test_numbers_appear_as_they_are_made_and_deposits_are_lit():
    story = chainrule.record(neuron())
    svgs = [each.svg for each in pictures(story)]
    assert svgs[0].count("none yet") > svgs[len(story.nodes)].count("none yet") > svgs[-1].count("none yet")
    first = next(i for i, event in enumerate(story.events) if type(event).__name__ == "Deposit")
    assert svgs[first + 1].count('class="lit"') == 3  # giver, operand and the edge between them
    assert "upstream 1" in svgs[first + 1]


def test_a_hostile_label_is_text():
    svg = list(pictures(chainrule.record(Value(1.0, label="</text><script>x</script>") * 2)))[-1].svg
    assert "<script" not in svg


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_png_is_drawn_of_the_nested_picture(theme, tmp_path):
    frames(neuron(), tmp_path, theme=theme)
    picture = opened(tmp_path / "009.png").convert("RGB")
    assert len(picture.resize((80, 40)).getcolors(4000)) > 20


def test_what_is_too_large_or_no_graph_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="too many for slides"):
        frames(sum([Value(float(i)) for i in range(100)], Value(0.0)), tmp_path)
    with pytest.raises(ArgumentError, match=r"frames\(y, 'folder'\)"):
        frames(3.0, tmp_path)
