"""The frame of a picture in a notebook, and the page: they scale, scroll and zoom, and run nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from chainrule import Value
from chainrule.draw import draw, repr_html
from chainrule.draw.page import LARGE, SIZES


class Elements(HTMLParser):
    """All elements of a page, as (tag, attributes)."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def all(self, tag):
        return [attributes for found, attributes in self.found if found == tag]


def long_chain():
    node = Value(0.5, "x")
    for _ in range(8):
        node = node.tanh()
    return node


def test_a_phone_is_told_its_width(neuron):
    metas = {meta.get("name"): meta["content"] for meta in Elements(draw(neuron).html).all("meta") if "name" in meta}
    assert metas["viewport"] == "width=device-width, initial-scale=1"


@pytest.mark.parametrize(("theme", "scheme"), [("auto", "light dark"), ("light", "light"), ("dark", "dark")])
def test_the_page_around_the_picture_has_its_theme(neuron, theme, scheme):
    assert f'<meta name="color-scheme" content="{scheme}">' in draw(neuron, theme=theme).html


def test_a_large_picture_can_be_zoomed_and_scrolled_without_a_script(neuron):
    drawing = draw(long_chain())
    for text in (drawing.html, drawing._repr_html_()):
        page = Elements(text)
        assert [option["value"] for option in page.all("option")] == list(SIZES)
        for value in filter(None, SIZES):
            assert re.search(rf':has\(\[value="?{re.escape(value)}"?\]:checked\)', text)
        (box,) = [div for div in page.all("div") if "tabindex" in div]
        assert box["aria-label"] == "Expression graph of tanh: 9 nodes"
        width = int(re.search(r'<svg [^>]*width="(\d+)"', text)[1])
        assert width > LARGE
        assert f"--width:{width}px" in text
        assert "<script" not in text
        assert not [name for _, attributes in page.found for name in attributes if name.startswith("on")]


def test_a_small_picture_has_no_list_of_sizes():
    assert not Elements(repr_html(Value(1.0))).all("select")


def test_a_label_is_text_on_the_page_whatever_it_holds():
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    page = Elements(draw(Value(1.0, hostile).tanh()).html)
    allowed = {"html", "head", "meta", "title", "body", "main", "div", "style", "label", "select", "option"}
    assert {tag for tag, _ in page.found} <= allowed | {"svg", "rect", "g", "path", "text"}
