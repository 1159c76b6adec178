"""The page of a recording in Chromium: stepped through, edited, nudged, predicted, broken; data runs nothing."""

from __future__ import annotations

import linecache
import re

import pytest

import chainrule
from chainrule import Value, nn
from chainrule.errors import ArgumentError
from chainrule.expression import parse
from chainrule.see import telling
from chainrule.see.pages import page
from chainrule.see.recording.graphs import record_expression

from . import lecture


@pytest.fixture(scope="module")
def neuron():
    return lecture.neuron()


def text(page, selector):
    return page.locator(selector).first.inner_text()


def numbers(page):
    """What the boxes say, by name: number and gradient."""
    said = {}
    for label in page.locator(".node > title").all_text_contents():
        name, number, gradient = re.fullmatch(r"(.*?)(?:, made by .*)?: number (.*), gradient (.*)", label).groups()
        said[name] = number, gradient
    return said


def open_tab(page, name):
    page.get_by_role("tab", name=name).click()


def test_a_page_is_small_and_says_what_it_may_do(neuron):
    html = page(neuron)
    assert len(html.encode()) < 150_000
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "worker-src" not in policy
    assert not re.search(r"https?://(?!www\.w3\.org/)", html)


def test_it_is_stepped_through_all_events(neuron, opened):
    shown = opened(page(neuron))
    teller = telling.Teller(neuron)
    assert numbers(shown)["o"] == ("not made yet", "not reached yet")
    for i in range(len(neuron.events)):
        shown.keyboard.press("ArrowRight")
        assert text(shown, ".sentence") == teller.sentence(i)
    shown.wait_for_timeout(300)
    assert shown.evaluate("location.hash") == f"#event={len(neuron.events)}"
    said = numbers(shown)
    assert said["x1"] == ("2", "-1.5")
    assert said["w1"] == ("-3", "1")
    assert said["w2"] == ("1", "nothing came: zero local")
    assert said["o"] == ("0.7071", "1")
    shown.keyboard.press("Home")
    assert text(shown, ".count") == f"0 / {len(neuron.events)}"


def test_the_position_stands_in_the_address(neuron, opened):
    shown = opened(page(neuron))
    shown.evaluate("location.hash = '#event=12'")
    shown.locator(".count", has_text=re.compile(r"^\s*12 /")).wait_for()
    shown.reload()
    assert text(shown, ".count").startswith("12 /")


def test_a_deposit_is_lit_in_graph_and_source(neuron, opened):
    shown = opened(page(neuron), reduced_motion="reduce")
    at = [i for i, event in enumerate(neuron.events) if type(event).__name__ == "Deposit"][-1]
    shown.evaluate(f"location.hash = '#event={at + 1}'")
    shown.wait_for_selector(".edge.active")
    assert shown.locator(".note").text_content() == "2 × 0.5 = 1"
    assert text(shown, "mark") == "x1 * w1"
    assert shown.locator(".node.active").count() == 2


def test_the_line_of_the_event_is_scrolled_to(opened):
    text_before = "".join([f"# line {i}\n" for i in range(300)])
    program = text_before + "from chainrule import Value\nx = Value(2.0)\ny = x * x\ny.backward()\n"
    name = "long_program.py"
    linecache.cache[name] = (len(program), None, program.splitlines(keepends=True), name)
    with chainrule.recording() as story:
        exec(compile(program, name, "exec"), {})
    shown = opened(page(story))
    shown.keyboard.press("End")
    shown.keyboard.press("ArrowLeft")
    assert text(shown, "mark") == "x * x"
    inside = "(mark) => { const box = mark.closest('ol').getBoundingClientRect(), at = mark.getBoundingClientRect();"
    assert shown.locator("mark").evaluate(inside + " return box.top <= at.top && at.bottom <= box.bottom; }")


def test_the_source_and_the_graph_find_each_other(neuron, opened):
    shown = opened(page(neuron))
    shown.locator(".node.root").hover()
    assert text(shown, "mark") == "n.tanh()"
    shown.evaluate("location.hash = '#event=1'")
    line = shown.locator("code", has_text="o = n.tanh()").first
    box = line.bounding_box()
    letters = len(line.inner_text())
    shown.mouse.move(box["x"] + box["width"] * (line.inner_text().index("tanh") + 0.5) / letters, box["y"] + 5)
    shown.wait_for_selector(".node.root.hovered")


def test_a_leaf_is_edited_and_nudged(neuron, opened):
    shown = opened(page(neuron))
    shown.get_by_role("button", name="w1: ").click()
    field = shown.get_by_label("the number of w1", exact=True)
    field.fill("0.5")
    field.press("Enter")
    w1, x1, rest = Value(0.5), Value(2.0), 6.8813735870195432
    o = (x1 * w1 + rest).tanh()
    o.backward()
    said = numbers(shown)
    assert float(said["o"][0]) == pytest.approx(o.data, rel=1e-3)
    assert float(said["w1"][1]) == pytest.approx(w1.grad, rel=1e-3)
    shown.get_by_role("button", name="nudge w1").click()
    slope, exact = re.search(r"= (\S+); by the chain rule (\S+)", text(shown, ".nudged")).groups()
    assert float(slope) == pytest.approx(float(exact), rel=1e-3)
    shown.get_by_role("button", name="take the numbers of the program again").click()
    assert numbers(shown)["w1"][0] == "-3"


def test_an_edit_that_would_turn_the_program_says_so(opened):
    with chainrule.recording() as story:
        x = Value(2.0)
        y = x * x if x > 1 else 3 * x
        y.backward()
    shown = opened(page(story))
    line = next(event.place.line for event in story.events if type(event).__name__ == "Asked")
    shown.keyboard.press("End")
    shown.get_by_role("button", name="x: ").click()
    field = shown.get_by_label("the number of x", exact=True)
    field.fill("0.5")
    field.press("Enter")
    banner = text(shown, ".banner")
    assert "No longer your program" in banner
    assert f"line {line}" in banner
    field = shown.get_by_label("the number of x", exact=True)
    field.fill("1.5")
    field.press("Enter")
    assert not shown.locator(".banner").is_visible()


def test_predictions_diagnose_a_wrong_answer_and_go_on(neuron, opened):
    shown = opened(page(neuron))
    open_tab(shown, "Predict")
    wrong_ones = 0
    for _ in range(30):
        if not shown.locator(".choices button").count():
            shown.get_by_role("button", name="go to the next question").click()
        if not shown.locator(".choices button").count():
            break
        for k in range(shown.locator(".choices button").count()):
            choice = shown.locator(".choices button").nth(k)
            choice.click()
            if shown.locator(".choices button.right").count():
                break
            wrong_ones += 1
            assert len(shown.locator(".choices li").nth(k).locator("p").inner_text()) > 20
        assert shown.locator(".choices button.right").count() == 1
        shown.get_by_role("button", name="go to the next question").click()
        if "0 of 0" not in text(shown, ".panel .hint") and not shown.locator(".choices button").count():
            break
    assert wrong_ones > 0
    assert re.search(r"\d+ of [1-9]", text(shown, ".panel .hint"))


def test_the_lab_stops_at_the_first_number_that_differs(opened):
    with chainrule.recording() as story:
        a = Value(3.0)
        b = a + a
        b.backward()
    shown = opened(page(story))
    open_tab(shown, "Bug lab")
    shown.get_by_label("the mistake").select_option("assign")
    assert text(shown, ".wrong-text") == "a has 1 here, and should have 2"
    assert "a: 1 is written over what was there; before 1, after 1" in text(shown, ".sentence")
    assert shown.locator(".node.wrong").count() == 1
    shown.get_by_label("the mistake").select_option("local")
    assert "It makes no difference here: every upstream gradient is 1 here" in text(shown, ".panel")
    shown.get_by_label("the mistake").select_option("forgotten")
    assert text(shown, ".wrong-text").startswith("a has 3 here, and should have 1")
    shown.get_by_label("the mistake").select_option("rule")
    assert text(shown, ".wrong-text") == "a has -1 here, and should have 1"
    shown.get_by_role("button", name="leave the lab").click()
    assert numbers(shown)["a"] == ("3", "2")


def test_the_lab_shows_the_wrong_order(opened):
    with chainrule.recording() as story:
        a = Value(2.0)
        b = a * 3
        c = b + b * a
        c.backward()
    shown = opened(page(story))
    open_tab(shown, "Bug lab")
    shown.get_by_label("the mistake").select_option("order")
    assert text(shown, ".wrong-text") == "b hands on 1 here, and should hand on 3"
    assert "what n1 hands on has not come yet" in text(shown, ".panel")
    assert shown.locator(".node.wrong").count() == 1
    shown.keyboard.press("End")
    assert text(shown, ".panel tbody tr:has-text('a')").split() == ["a", "9", "15"]


def test_training_is_scrubbed(opened):
    with chainrule.recording() as story:
        w = Value(0.5)
        for _ in range(10):
            loss = (w * 2.0 - 3.0) ** 2
            w.grad = 0.0
            loss.backward()
            w.data -= 0.05 * w.grad
    shown = opened(page(story))
    open_tab(shown, "Training")
    slider = shown.get_by_label("the step of the training")
    slider.fill("0")
    assert "step 1 of 10: loss 4" in text(shown, ".panel")
    assert numbers(shown)["w"][0] == "0.5"
    assert "7 earlier backward passes are not kept" in text(shown, ".said-of")


def test_a_large_graph_is_folded_and_opens(opened):
    model = nn.MLP(2, [6, 6, 1], seed=0)
    with chainrule.recording() as story:
        loss = chainrule.sum([(model([0.1 * i, 1.0]) - 1.0) ** 2 for i in range(12)])
        loss.backward()
    shown = opened(page(story))
    boxes = shown.locator(".node").count()
    assert boxes < 40
    shown.keyboard.press("End")
    shown.locator(".node", has_text="6 × [Σ + b → ReLU]").first.click()
    assert shown.locator(".node").count() > boxes


@pytest.mark.slow
def test_a_hundred_thousand_nodes_open(opened):
    with chainrule.recording() as story:
        values = [Value(float(i % 7)) for i in range(1000)]
        total = Value(0.0)
        for i in range(24_500):
            total = total + (values[i % 1000] * values[(i * 7) % 1000]).tanh()
        total.backward()
    assert 70_000 < len(story.nodes) <= 100_000
    html = page(story)
    shown = opened(html)
    assert shown.locator(".node").count() <= 60


HOSTILE = '</script><img src=x onerror="document.title=1">\u2028<!--'


def test_a_hostile_label_runs_nothing(opened):
    with chainrule.recording(title=HOSTILE) as story:
        x = Value(2.0, label=HOSTILE)
        y = x * x
        y.backward()
    story.sources[0] = story.sources[0]._replace(name=HOSTILE, text=HOSTILE * 3)
    shown = opened(page(story))
    shown.keyboard.press("End")
    shown.locator(".node").first.click()
    assert HOSTILE.split(maxsplit=1)[0] in text(shown, ".panel h2")
    assert shown.locator("img").count() == 0
    assert shown.title() == HOSTILE.replace("\u2028", " ") or HOSTILE[:9] in shown.title()


def test_an_expression_is_its_own_source(opened):
    shown = opened(page(record_expression(parse("tanh(x*w + b)", {"x": 2.0, "w": -3.0, "b": 6.5}))))
    shown.keyboard.press("End")
    assert text(shown, "h1") == "tanh(x*w + b)"
    assert "tanh(x*w + b)" in text(shown, ".source")


def test_what_is_no_recording_is_refused():
    with pytest.raises(ArgumentError, match=r"page\(chainrule.record\(y\)\)"):
        page(Value(2.0))
    with chainrule.recording() as story:
        pass
    with pytest.raises(ArgumentError, match="no nodes"):
        page(story)
