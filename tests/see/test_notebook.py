"""`chainrule.see`: a page in a notebook."""

from __future__ import annotations

import pytest

import chainrule
from chainrule import Value
from chainrule.errors import ArgumentError


def test_the_room_can_be_called_and_is_still_a_module():
    from chainrule.see import pages

    y = Value(2.0, label="x") * 3
    assert chainrule.see(y).html == pages.page(chainrule.record(y))
    assert chainrule.see.page is pages.page


def test_a_notebook_gets_a_frame_and_a_still_picture(tmp_path):
    shown = chainrule.see(Value(2.0, label='"><b>') * 3, title='a "title"', height=300)
    html = shown._repr_html_()
    assert html.count("<iframe") == html.count("</iframe>") == 1
    assert 'sandbox="allow-scripts"' in html
    assert "height:300px" in html
    assert "<details>" in html
    assert "<b>" not in html
    assert shown.save(tmp_path / "page.html").read_text(encoding="utf-8") == shown.html


def test_a_recording_is_shown_as_well():
    with chainrule.recording() as story:
        (Value(2.0) * 3).backward()
    assert "<details>" not in chainrule.see(story)._repr_html_()


def test_it_lives_in_a_page_that_a_notebook_becomes(opened):
    notebook = f"<!doctype html><title>n</title><body>{chainrule.see(Value(2.0, label='x') * 3)._repr_html_()}</body>"
    shown = opened(notebook)
    frame = shown.frames[1]
    frame.wait_for_selector(".node")
    frame.get_by_role("button", name="to the end").click()
    assert "backward() has ended" in frame.locator(".sentence").inner_text()


def test_what_cannot_be_seen_is_refused():
    with pytest.raises(ArgumentError, match=r"see takes a Value or a recording, not the float 2.0: see\(y\)"):
        chainrule.see(2.0)


@pytest.mark.parametrize(("theme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 30)")])
def test_a_theme_holds_whatever_the_reader_has(opened, theme, ground):
    text = chainrule.see(Value(2.0) * 3, theme=theme).html
    other = {"light": "dark", "dark": "light"}[theme]
    colours = [
        opened(text, color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in (theme, other)
    ]
    assert colours[0] == colours[1] == ground


def test_another_theme_is_refused():
    with pytest.raises(ArgumentError, match=r"no theme .drak.; there are auto, light, dark"):
        chainrule.see(Value(2.0), theme="drak")
