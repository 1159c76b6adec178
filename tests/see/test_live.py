"""`see(y, live=True)`: what is edited in the page is edited in Python, and the other way round."""

from __future__ import annotations

import asyncio
import math
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import chainrule
from chainrule import Value
from chainrule.errors import ArgumentError, MissingExtraError

pytest.importorskip("anywidget")

from chainrule.see import live

FAKE = """(html) => {
    const kept = { html, height: 700, document: {}, answers: 0 };
    const listeners = {};
    globalThis.sent = [];
    globalThis.told = (changes) => {
        Object.assign(kept, changes);
        for (const name of Object.keys(changes)) listeners[`change:${name}`]?.();
    };
    const model = {
        get: (name) => kept[name],
        on: (name, listener) => { listeners[name] = listener; },
        off: (name) => { delete listeners[name]; },
        send: (content) => sent.push(content),
    };
    globalThis.ended = render({ model, el: document.body });
}"""


@pytest.fixture
def graph():
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    y = (x * w + 1.0).tanh()
    return x, w, y


@pytest.fixture
def widget(graph):
    return chainrule.see(graph[2], live=True)


@pytest.fixture
def shown(opened, widget):
    """The widget in a page, with a model that a test can look into."""
    pytest.importorskip("playwright")
    page = opened("<!doctype html><title>a notebook</title><body></body>")
    source = (Path(live.__file__).parent / "widget" / "widget.js").read_text(encoding="utf-8")
    page.add_script_tag(content=source.replace("export default", "void"))
    page.evaluate(FAKE, widget.html)
    frame = page.frames[1]
    frame.wait_for_selector(".node")
    return page, frame


def test_an_edit_changes_the_value_and_its_graph(graph, widget):
    x, w, y = graph
    live._received(widget, {"edit": [0, "0.5"], "count": 7}, [])
    assert (x.data, y.data, widget.answers) == (0.5, math.tanh(0.5 * -3.0 + 1.0), 7)
    assert widget.document["nodes"][0][2] == 0.5
    assert (x.grad, w.grad) == (0.0, 0.0)


@pytest.mark.parametrize("number", ["-0.0", "inf", "nan", "5e-324"])
def test_every_number_goes_through(graph, widget, number):
    live._received(widget, {"edit": [0, number], "count": 1}, [])
    assert repr(graph[0].data) == repr(float(number))


@pytest.mark.parametrize("content", [None, 3, {}, {"edit": 1}, {"edit": [0]}, {"edit": ["0", "1"]}, {"edit": [0, 1.5]}])
def test_another_message_does_nothing(graph, widget, content):
    live._received(widget, content, [])
    assert graph[0].data == 2.0


@pytest.mark.parametrize("node", [-1, 2, 99])
def test_only_leaves_are_edited(widget, node):
    with pytest.raises(ArgumentError, match="no leaf"):
        widget.edit(node, 1.0)


def test_what_python_writes_is_shown(graph, widget):
    before = widget.document
    widget.update()
    assert widget.document == before, "nothing was written"
    graph[1].data = -0.0
    widget.update()
    assert graph[2].data == math.tanh(1.0)
    assert [row[2] for row in widget.document["nodes"]][:2] == [2.0, -0.0]


def test_in_an_event_loop_it_is_shown_by_itself(graph):
    async def cell():
        shown = chainrule.see(graph[2], live=True)
        graph[0].data = 0.25
        for _ in range(100):
            if shown.document:
                return shown.document["nodes"][0][2]
            await asyncio.sleep(0.02)
        return None

    with ThreadPoolExecutor(1) as thread:  # this one runs the browser's loop
        assert thread.submit(asyncio.run, cell()).result() == 0.25


def test_what_cannot_be_live_is_refused(graph, monkeypatch):
    with pytest.raises(ArgumentError, match="live=True takes the Value"):
        chainrule.see(chainrule.record(graph[2]), live=True)
    many = chainrule.sum([Value(1.0) for _ in range(6000)])
    with pytest.raises(ArgumentError, match=r"6,001 nodes, and a live page shows at most 5,000"):
        chainrule.see(many, live=True)


def test_without_the_library_the_error_names_the_extra(graph, monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "chainrule.see.live")
    with pytest.raises(MissingExtraError, match=r"pip install 'chainrule\[widget\]'"):
        chainrule.see(graph[2], live=True)


def test_an_edit_in_the_page_is_told_to_python(shown):
    page, frame = shown
    frame.get_by_role("tab", name="Number").click()
    frame.locator('.node[data-name^="x"]').first.click()
    field = frame.locator('input[type="number"]').first
    for number, count in (("0.5", 1), ("-0.0", 2)):
        field.fill(number)
        field.press("Enter")
        for _ in range(100):
            sent = page.evaluate("sent")
            if sent and sent[-1]["count"] >= count:
                break
            page.wait_for_timeout(25)
        assert sent[-1]["edit"][0] == 0
        assert float(sent[-1]["edit"][1]) == float(number)
        assert sent[-1]["count"] >= count


def test_what_python_sends_is_shown_and_old_answers_are_not(shown, graph, widget):
    page, frame = shown
    frame.get_by_role("button", name="to the end").click()
    widget.edit(0, 0.125)
    page.evaluate("(document) => told({ document, answers: 0 })", widget.document)
    frame.locator('.node[data-name^="x"]', has_text="0.125").wait_for()
    assert "backward() has ended" in frame.locator(".sentence").inner_text(), "the position is kept"
    frame.get_by_role("tab", name="Number").click()
    frame.locator('.node[data-name^="x"]').first.click()
    field = frame.locator('input[type="number"]').first
    field.fill("0.75")
    field.press("Enter")
    page.evaluate("(document) => told({ document, answers: 0 })", widget.document)
    page.wait_for_timeout(100)
    assert frame.locator('.node[data-name^="x"]', has_text="0.75").count() == 1, "the answer was to an earlier edit"


def test_a_damaged_message_is_said_and_strangers_are_not_heard(shown):
    page, frame = shown
    page.evaluate("told({ document: { nodes: [], format: 'else' }, answers: 9 })")
    frame.locator(".banner", has_text="no recording").wait_for()
    frame.evaluate("window.postMessage({ chainrule: 'show', document: { format: 'stranger' }, answers: 99 }, '*')")
    page.wait_for_timeout(50)
    assert frame.locator(".node").count() > 2


def test_it_ends_with_the_widget(shown):
    page, _ = shown
    page.evaluate("ended()")
    page.evaluate("told({ answers: 3 })")


@pytest.mark.parametrize(("ground", "wanted"), [("#111111", "rgb(20, 24, 30)"), ("white", "rgb(255, 255, 255)")])
def test_it_has_the_theme_of_the_notebook(opened, widget, ground, wanted):
    pytest.importorskip("playwright")
    page = opened(
        f"<!doctype html><title>a notebook</title><style>body {{ background: {ground} }}</style><body></body>"
    )
    source = (Path(live.__file__).parent / "widget" / "widget.js").read_text(encoding="utf-8")
    page.add_script_tag(content=source.replace("export default", "void"))
    page.evaluate(FAKE, widget.html)
    frame = page.frames[1]
    frame.wait_for_selector(".node")
    assert frame.evaluate("getComputedStyle(document.body).backgroundColor") == wanted
