"""Pages are for everybody: axe, with all its rules, finds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainrule.see.pages import page

from . import lecture

RUN = """async () => {
    const rules = axe.getRules().map(({ ruleId }) => ruleId);
    const { violations } = await axe.run(document, { runOnly: { type: "rule", values: rules } });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => [id, html.slice(0, 160)]));
}"""


def said(found):
    """What counts. A box shows "·" where its name says "not reached yet", and its symbol before its name: the rule that
    a name must have the shown text as it stands is not for drawings."""
    return [x for x in found if not (x[0] == "label-content-name-mismatch" and x[1].startswith('<g class="node'))]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(opened, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    text = next(Path(axe.__file__).parent.rglob("axe.min.js")).read_text(encoding="utf-8")
    shown = opened(page(lecture.neuron()), width, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    shown.evaluate(text)

    def check(where):
        assert [where, *said(shown.evaluate(RUN))] == [where]

    def tab(name):
        shown.get_by_role("tab", name=name).click()

    check("at the start")
    shown.evaluate("location.hash = '#event=19'")
    shown.wait_for_selector(".edge.active")
    check("mid-backward")
    tab("Number")
    shown.locator('.node[aria-label^="w1"]').click()
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
