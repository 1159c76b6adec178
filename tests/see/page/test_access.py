"""Pages are for everybody: axe, with all its rules, finds nothing."""

from __future__ import annotations

import pytest

from chainrule.see.pages import page

from . import lecture


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(opened, found_by_axe, scheme, width):
    shown = opened(page(lecture.neuron()), width, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)

    def check(where):
        assert [where, *found_by_axe(shown)] == [where]

    def tab(name):
        shown.get_by_role("tab", name=name).click()

    check("at the start")
    shown.evaluate("location.hash = '#event=19'")
    shown.wait_for_selector(".edge.active")
    check("mid-backward")
    tab("Number")
    shown.locator('.node[data-name^="w1"]').click()
    shown.get_by_role("button", name="nudge w1").click()
    check("a leaf")
    tab("Predict")
    check("before a question")
    shown.get_by_role("button", name="go to the next question").click()
    check("in prediction")
    shown.locator(".choices button").first.click()
    check("an answer")
    tab("Bug lab")
    check("the lab")
    shown.get_by_label("the mistake").select_option("rule")
    check("a first difference")
    shown.get_by_label("the mistake").select_option("assign")
    shown.get_by_role("button", name="open the smallest graph").click()
    check("a small graph")
    shown.get_by_role("button", name="keys and help").click()
    check("help")
