"""The bug lab: broken backward passes beside the right one, why they differ or not, and the smallest graphs."""

from __future__ import annotations

import random

import pytest

import chainrule
from chainrule import Value
from chainrule.see.pages import page

BUGS = ["assign", "order", "forgotten", "local", "rule"]
KNOWN = {
    "bugs.js": "BUGS, broken, firstDifference, smallestGraph, whyNot",
    "recording.js": "readRecording",
    "telling.js": "namesOf",
}
COMPARED = """(() => {
    const story = given.smallest ? smallestGraph(given.smallest).recording : readRecording(given.story);
    const names = namesOf(story);
    const root = story.nodes.length - 1;
    const right = story.events.filter(({ kind }) => kind === "deposit" || kind === "nothing");
    const ends = (events) => {
        const grads = story.nodes.map(() => 0);
        for (const { kind, node, after } of events) if (kind !== "nothing") grads[node] = after;
        return grads;
    };
    const mistake = { bug: given.bug, operation: given.operation };
    const wrong = broken(story, root, mistake, 1, names);
    const difference = firstDifference(wrong, right, given.bug, names);
    return { difference, wrong: ends(wrong), right: ends(right),
        why: difference ? "" : whyNot(mistake, right, story.nodes, root, names) };
})()"""
STEPS = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a.tanh(), lambda a, b: a - b, lambda a, b: a * 0.0]


def at_random(seed):
    rng = random.Random(seed)
    values = [Value(rng.choice([2.0, -3.0, 0.5])) for _ in range(3)]
    for _ in range(rng.randint(2, 12)):
        values.append(rng.choice(STEPS)(rng.choice(values), rng.choice(values)))
    return chainrule.record(values[-1])


@pytest.mark.parametrize("bug", BUGS)
def test_no_difference_is_told_only_where_all_gradients_are_right(in_page, bug):
    found = 0
    for seed in range(30):
        story = at_random(seed)
        names = [op.name for op in story.operations] or [""]
        seen = in_page(
            KNOWN, COMPARED, {"story": story.to_document(), "bug": bug, "operation": names[seed % len(names)]}
        )
        differs = [i for i, (a, b) in enumerate(zip(seen["wrong"], seen["right"], strict=True)) if abs(a - b) > 1e-9]
        if seen["difference"] is None:
            assert differs == []
            assert len(seen["why"]) > 20
        else:
            found += 1
            assert seen["difference"]["because"]
    assert found > 0


@pytest.mark.parametrize("bug", BUGS)
def test_it_makes_a_difference_in_its_smallest_graph(in_page, bug):
    operation = in_page({"bugs.js": "smallestGraph"}, "smallestGraph(given).operation", bug)
    seen = in_page(KNOWN, COMPARED, {"smallest": bug, "bug": bug, "operation": operation})
    assert seen["difference"]
    assert seen["wrong"] != seen["right"]


@pytest.mark.parametrize(
    ("bug", "made", "why"),
    [
        ("assign", lambda a: (a * 2.0).tanh(), "no number is used more than once here"),
        ("assign", lambda a: a + a * 0.0, "a is used several times, but here no second deposit"),
        ("order", lambda a: a.tanh() * 2.0, "no number is used more than once here"),
        ("order", lambda a: a + a, "in this order, too, each number hands on only when all has come"),
        ("local", lambda a: a + a, "every upstream gradient is 1 here"),
        ("local", lambda a: a * 0.0, "nothing is handed on here at all"),
        ("rule", lambda a: a + a, "mul hands on nothing here"),
    ],
)
def test_why_it_makes_no_difference(in_page, bug, made, why):
    story = chainrule.record(made(Value(3.0, label="a")))
    seen = in_page(KNOWN, COMPARED, {"story": story.to_document(), "bug": bug, "operation": "mul"})
    assert seen["difference"] is None
    assert seen["why"].startswith(why)


def in_lab(opened, make, bug):
    with chainrule.recording() as story:
        make().backward()
    shown = opened(page(story))
    shown.get_by_role("tab", name="Bug lab").click()
    shown.get_by_label("the mistake").select_option(bug)
    return shown


def rows(shown):
    return [row.inner_text().split("\t") for row in shown.locator(".panel tbody tr").all()]


def test_both_run_in_step(opened):
    def make():
        a = Value(3.0)
        b = a * 2
        return b + b * a

    shown = in_lab(opened, make, "assign")
    assert shown.locator(".wrong-text").first.inner_text() == "b has 3 here, and should have 4"
    assert "took the place of the 1 that had come before" in shown.locator(".panel").inner_text()
    assert rows(shown) == [["b", "3", "4"]]
    assert shown.locator(".sum").text_content() == "1 → 3"
    shown.keyboard.press("ArrowLeft")
    assert rows(shown) == []
    shown.get_by_role("button", name="go to the first number that differs").click()
    shown.keyboard.press("End")
    assert rows(shown) == [["a", "6", "14"], ["b", "3", "4"]]
    assert shown.locator(".node.wrong").count() == 2


def test_without_zero_grad_leaves_begin_with_what_is_still_there(opened):
    shown = in_lab(opened, lambda: Value(3.0, label="a") * 2, "forgotten")
    assert shown.locator(".wrong-text").first.inner_text() == "a has 4 here, and should have 2"
    shown.keyboard.press("ArrowLeft")
    assert shown.locator(".sentence").inner_text() == "a still has 2 from the backward() before"


def test_the_smallest_graph_opens_and_leads_back(opened):
    shown = in_lab(opened, lambda: Value(3.0, label="x").tanh(), "assign")
    assert "no number is used more than once here" in shown.locator(".panel").inner_text()
    shown.get_by_role("button", name="open the smallest graph where it does: b = a + a").click()
    assert shown.locator(".wrong-text").first.inner_text() == "a has 1 here, and should have 2"
    assert shown.locator(".node").count() == 2
    shown.get_by_role("button", name="back to your graph").click()
    assert shown.locator('.node[data-name^="x"]').count() == 1
    assert "choose a mistake" in shown.locator(".panel").inner_text()
