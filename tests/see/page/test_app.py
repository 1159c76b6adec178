"""What a reader does with a page: deposits travel, sliders are dragged, leaves of a loop are edited, keys give help."""

from __future__ import annotations

import pytest

import chainrule
from chainrule import Value
from chainrule.core.operation import forget
from chainrule.see.pages import page
from chainrule.see.recording.events import Began, Deposit

from . import lecture


@pytest.fixture(scope="module")
def neuron():
    return page(lecture.neuron())


def text(page, selector):
    return page.locator(selector).first.inner_text()


def label(page, name):
    return page.locator(f'.node[data-name^="{name}"]').locator("title").text_content()


def to(page, event):
    page.evaluate(f"location.hash = '#event={event}'")
    page.locator(".count", has_text=f"{event} /").wait_for()


def where(page):
    return [float(page.locator(".token").get_attribute(name)) for name in ("cx", "cy")]


def test_a_deposit_travels_along_its_edge(neuron, opened):
    shown = opened(neuron)
    at = next(i for i, event in enumerate(lecture.neuron().events) if isinstance(event, Deposit))
    to(shown, at)
    shown.keyboard.press("ArrowRight")
    places = []
    for _ in range(30):
        places.append(where(shown))
        shown.wait_for_timeout(50)
    assert len({tuple(place) for place in places}) > 2  # frames are few on a busy machine
    assert places[-1] == places[-2]  # it has arrived


def test_with_reduced_motion_it_is_there_at_once(neuron, opened):
    shown = opened(neuron, reduced_motion="reduce")
    at = next(i for i, event in enumerate(lecture.neuron().events) if isinstance(event, Deposit))
    to(shown, at)
    shown.keyboard.press("ArrowRight")
    first = where(shown)
    shown.wait_for_timeout(200)
    assert where(shown) == first


def test_steps_leave_no_entries_behind_in_the_history(neuron, opened):
    shown = opened(neuron)
    entries = shown.evaluate("history.length")
    for _ in range(3):
        shown.keyboard.press("ArrowRight")
        shown.wait_for_timeout(200)
    assert shown.evaluate("[history.length, location.hash]") == [entries, "#event=3"]


def test_a_slider_is_dragged(neuron, opened):
    shown = opened(neuron)
    shown.get_by_role("button", name="w1: ").or_(shown.locator('.node[data-name^="w1"]')).first.click()
    shown.get_by_role("button", name="nudge w1").click()
    slider = shown.get_by_label("the number of w1, by a slider")
    box = slider.bounding_box()
    x, y = box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2  # -3 of -6 … 6
    shown.mouse.move(x, y)
    shown.mouse.down()
    seen = []
    for part in (0.4, 0.6, 0.8):
        shown.mouse.move(box["x"] + box["width"] * part, y, steps=4)
        seen.append((float(slider.input_value()), text(shown, ".nudged")))
    shown.mouse.up()
    numbers = [number for number, _ in seen]
    assert numbers == sorted(numbers)
    assert numbers[-1] > numbers[0] + 3
    assert float(shown.get_by_label("the number of w1", exact=True).input_value()) == numbers[-1]
    assert len({said for _, said in seen}) == 3  # the slope is that of the present number


def trained():
    with chainrule.recording(passes=9) as story:
        x, w = Value(2.0, label="x"), Value(1.0, label="w")
        for _ in range(3):
            loss = w * x
            if loss > 0.5:
                w.grad = 0.0
            loss.backward()
            w.data = w.data + 10.0
    return story


def test_an_edit_begins_with_the_numbers_of_its_own_pass(opened):
    shown = opened(page(trained()))
    shown.keyboard.press("End")
    shown.locator('.node[data-name^="x"]').click()
    field = shown.get_by_label("the number of x", exact=True)
    field.fill("3")
    field.press("Enter")
    assert shown.locator(".node").count() == 5  # the condition of this pass, and of no other
    products = shown.locator(".node title", has_text="made by *")
    assert "number 63," in products.text_content()  # 3 × 21, and not 3 × 1
    assert not shown.locator(".banner").is_visible()  # no decision of this pass or of another turns
    assert "gradient 21" in label(shown, "x")
    shown.get_by_label("the number of x", exact=True).fill("-1")
    shown.get_by_label("the number of x", exact=True).press("Enter")
    assert "would go the other way" in text(shown, ".banner")


def test_numbers_with_which_python_would_stop_are_refused_in_words(opened):
    @chainrule.operation(local=lambda x, y: -1 / (x * x))
    def inverse_of_mine(x):
        return 1 / x

    try:
        with chainrule.recording() as story:
            x = Value(2.0, label="x")
            y = inverse_of_mine(x)
            y.backward()
        shown = opened(page(story))
    finally:
        forget("inverse_of_mine")
    shown.locator('.node[data-name^="x"]').click()
    field = shown.get_by_label("the number of x", exact=True)
    field.fill("0")
    field.press("Enter")
    assert "Python would stop" in text(shown, ".banner")
    assert "division by zero" in text(shown, ".banner")
    field.fill("4")
    field.press("Enter")
    assert "number 0.25," in label(shown, "y")
    assert not shown.locator(".banner").is_visible()


def test_a_number_of_an_unknown_operation_stays_and_says_so(opened):
    @chainrule.operation(local=lambda x, y: 2.0)
    def hidden_of_mine(x):
        return 2 * x

    with chainrule.recording() as story:
        x = Value(2.0, label="x")
        y = hidden_of_mine(x) * x
        y.backward()
    forget("hidden_of_mine")
    shown = opened(page(story))  # where it is not in the table any more
    shown.locator('.node[data-name^="x"]').click()
    field = shown.get_by_label("the number of x", exact=True)
    field.fill("3")
    field.press("Enter")
    assert "what hidden_of_mine does is not known here" in text(shown, ".banner")
    assert "number 12," in label(shown, "y")  # 4, as recorded, × 3


def test_the_source_stays_beside_the_graph_where_there_is_room(neuron, opened):
    wide, narrow = opened(neuron), opened(neuron, width=390, height=844)
    assert wide.get_by_role("tab").all_inner_texts() == ["Number", "Predict", "Bug lab"]
    assert narrow.get_by_role("tab").all_inner_texts() == ["Source", "Number", "Predict", "Bug lab"]
    for shown in (wide, narrow):
        assert shown.locator("chainrule-source").is_visible()
    wide.set_viewport_size({"width": 800, "height": 900})
    wide.get_by_role("tab", name="Source").click()
    assert wide.locator("chainrule-source").is_visible()


def test_help_opens_and_closes_by_keys(neuron, opened):
    shown = opened(neuron)
    shown.keyboard.press("?")
    assert "to the next, the previous deposit" in text(shown, "dialog")
    shown.keyboard.press("ArrowRight")
    assert text(shown, ".count").startswith("0 /")  # keys of the page rest
    shown.keyboard.press("Escape")
    assert not shown.locator("dialog").is_visible()


def test_deposits_of_a_number_are_a_way_through_time(neuron, opened):
    shown = opened(neuron)
    shown.keyboard.press("End")
    shown.locator('.node[data-name^="x1"]').click()
    shown.locator(".got button").first.click()
    assert text(shown, ".sentence").startswith("x1 gets local -3 × upstream 0.5")
    shown.get_by_role("button", name="go to where x1 is made").click()
    assert text(shown, ".sentence") == "x1 is an input: 2"
    shown.get_by_role("button", name="show the number of the present event again").click()
    shown.keyboard.press("End")
    assert text(shown, ".panel h2") == "o"


def test_a_number_shows_nothing_before_it_is_made(neuron, opened):
    shown = opened(neuron)
    shown.locator('.node[data-name^="o"]').click()
    assert "o is not made yet." in text(shown, ".panel")
    assert "0.7071" not in text(shown, ".panel")


def test_a_sum_above_the_graph_is_seen_whole(neuron, opened):
    shown = opened(neuron, 1920, 1080)
    to(shown, 19)
    shown.reload()
    shown.wait_for_selector(".sum-back")
    shown.wait_for_timeout(200)
    assert shown.locator(".sum-back").bounding_box()["y"] >= shown.locator(".graph").bounding_box()["y"]


def test_it_plays(neuron, opened):
    shown = opened(neuron)
    shown.get_by_label("speed").select_option("4")
    shown.keyboard.press("Escape")
    shown.get_by_role("button", name="play").click()
    shown.wait_for_timeout(1500)
    shown.get_by_role("button", name="pause").click()
    count = text(shown, ".count")
    assert 3 <= int(count.split()[0]) <= 8
    shown.wait_for_timeout(400)
    assert text(shown, ".count") == count


def test_a_question_lights_the_edge_that_it_is_about(neuron, opened):
    shown = opened(neuron)
    shown.get_by_role("tab", name="Predict").click()
    shown.get_by_role("button", name="go to the next question").click()
    assert "hands on to" in text(shown, ".panel .big")
    assert shown.locator(".edge.active").count() == 1
    assert shown.locator(".note").count() == 0  # the answer does not stand there
    names = text(shown, ".panel .big").split(":")[0].split(" hands on to ")
    lit = [node.get_attribute("data-name") for node in shown.locator(".node.active").all()]
    assert sorted(lit) == sorted(names)


def test_a_printed_page_has_no_controls(neuron, opened):
    shown = opened(neuron)
    shown.keyboard.press("End")
    shown.emulate_media(media="print")
    assert not shown.locator(".controls").is_visible()
    assert shown.locator(".graph").is_visible()
    assert shown.locator(".sentence").is_visible()


def test_kept_states_of_a_large_graph_are_few(in_page):
    story = chainrule.record(Value(1.0) * 2.0)
    document = story.to_document()
    document["nodes"] = [document["nodes"][0]] * 40_000
    document["events"] = [["made", 0]] * 50_000
    read = {"state.js": "Timeline", "recording.js": "readRecording"}
    expression = "(() => { const t = new Timeline(readRecording(given)); t.at(t.length); return t.kept.length; })()"
    assert in_page(read, expression, document) == 13  # one for each 4,000 events, and the first
    assert any(isinstance(event, Began) for event in story.events)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (768, 1024)])
def test_the_lit_line_is_in_sight_on_small_screens(neuron, opened, width, height):
    shown = opened(neuron, width=width, height=height, reduced_motion="reduce")
    shown.keyboard.press("s")
    shown.keyboard.press("n")
    lit, footer = shown.locator("mark").first.bounding_box(), shown.locator("footer").bounding_box()
    assert lit["y"] > 0
    assert lit["y"] + lit["height"] <= footer["y"]
