"""The drawn graph: it is moved, zoomed, searched, opened and followed, by mouse, fingers and keys."""

from __future__ import annotations

import re

import pytest

import chainrule
from chainrule import Value, nn
from chainrule.see.pages import page


@pytest.fixture(scope="module")
def neuron():
    with chainrule.recording(title="A neuron") as story:
        x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.5, label="b")
        o = (x * w + b).tanh()
        (o * o).backward()
    return page(story)


@pytest.fixture(scope="module")
def layers():
    model = nn.MLP(2, [6, 6, 1], activation="tanh", seed=0)
    with chainrule.recording() as story:
        loss = chainrule.sum([(model([0.1 * i, 1.0]) - 1.0) ** 2 for i in range(12)])
        loss.backward()
    return page(story)


def view(shown):
    """Where the drawing is: left and upper end, width and height of what is seen of it."""
    return [float(x) for x in shown.locator(".graph").get_attribute("viewBox").split()]


def go_to(shown, words):
    """Steps on to an event whose sentence has these words."""
    shown.keyboard.press("Home")
    for _ in range(200):
        if words in shown.locator(".sentence").inner_text():
            return
        shown.keyboard.press("ArrowRight")
    raise AssertionError(words)


def test_a_deposit_shows_product_and_sum(neuron, opened):
    shown = opened(neuron, reduced_motion="reduce")
    go_to(shown, "before 0.46")  # the second time that o gets something
    assert shown.locator(".note").all_text_contents() == ["0.4621 × 1", "= 0.4621"]
    assert shown.locator(".sum").all_text_contents() == ["0.4621 + 0.4621 = 0.9242"]
    shown.keyboard.press("Home")
    assert shown.locator(".note, .sum").count() == 0


def test_the_wheel_zooms_with_ctrl_around_the_pointer(neuron, opened):
    shown = opened(neuron)
    before = view(shown)
    box = shown.locator(".graph").bounding_box()
    shown.mouse.move(box["x"] + 100, box["y"] + 50)
    shown.mouse.wheel(0, -100)
    assert view(shown) == before  # the page may scroll
    shown.keyboard.down("Control")
    shown.mouse.wheel(0, -100)
    shown.wait_for_timeout(300)
    shown.keyboard.up("Control")
    after = view(shown)
    assert after[2] < before[2]
    of_one, of_other = before[2] / box["width"], after[2] / box["width"]
    for i, at in enumerate((100, 50)):
        assert after[i] + at * of_other == pytest.approx(before[i] + at * of_one, abs=0.5)


def test_dragging_moves_the_graph_and_picks_nothing(neuron, opened):
    shown = opened(neuron)
    before = view(shown)
    node = shown.locator(".node").first.bounding_box()
    shown.mouse.move(node["x"] + 5, node["y"] + 5)
    shown.mouse.down()
    shown.mouse.move(node["x"] + 65, node["y"] + 45, steps=5)
    shown.mouse.up()
    after = view(shown)
    scale = before[2] / shown.locator(".graph").bounding_box()["width"]
    assert [before[0] - after[0], before[1] - after[1]] == pytest.approx([60 * scale, 40 * scale], abs=13 * scale)
    assert shown.locator(".node.picked").count() == 0
    shown.locator(".node").first.click()
    assert shown.get_by_role("tab", name="Number").get_attribute("aria-selected") == "true"


def test_two_fingers_zoom(neuron, opened):
    shown = opened(neuron, width=390, has_touch=True)
    before = view(shown)[2]
    box = shown.locator(".graph").bounding_box()
    session = shown.context.new_cdp_session(shown)
    for kind, apart in (("touchStart", 20), ("touchMove", 30), ("touchMove", 60), ("touchEnd", 0)):
        x, y = box["x"] + box["width"] / 2, box["y"] + 100
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}] if apart else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    for _ in range(250):  # in the page itself, wait_for_function would need an eval, which its policy forbids
        if view(shown)[2] < before / 2:
            break
        shown.wait_for_timeout(20)
    assert view(shown)[2] == pytest.approx(before / 3, rel=0.05)


def test_keys_move_and_zoom_the_graph_and_do_not_step(neuron, opened):
    shown = opened(neuron)
    shown.locator(".graph").focus()
    before = view(shown)
    shown.keyboard.press("ArrowRight")
    assert view(shown)[0] > before[0]
    shown.keyboard.press("+")
    assert view(shown)[2] < before[2]
    shown.keyboard.press("0")
    assert view(shown) == pytest.approx(before, abs=0.5)
    assert "Nothing has happened yet" in shown.locator(".sentence").inner_text()


def test_keys_go_along_the_edges(neuron, opened):
    shown = opened(neuron)
    focused = "document.activeElement.querySelector('title').textContent"
    shown.locator(".node.root").focus()
    for _ in range(5):
        shown.keyboard.press("ArrowLeft")
    assert shown.evaluate(focused).startswith("x: number")
    shown.keyboard.press("ArrowRight")
    assert ", made by *: number" in shown.evaluate(focused)
    assert shown.locator(".node[tabindex='0']").count() == 1


def test_a_number_is_found_by_its_name(layers, opened):
    shown = opened(layers)
    shown.get_by_label("find a number by its name").fill("loss")
    shown.keyboard.press("Enter")
    node = shown.locator(".node:focus").bounding_box()
    graph = shown.locator(".graph").bounding_box()
    assert node["x"] + node["width"] / 2 == pytest.approx(graph["x"] + graph["width"] / 2, abs=2)
    assert node["y"] + node["height"] / 2 == pytest.approx(graph["y"] + graph["height"] / 2, abs=2)


@pytest.mark.parametrize("width", [390, 1440])
def test_what_happens_is_in_view(layers, opened, width):
    shown = opened(layers, width=width, reduced_motion="reduce")
    graph = shown.locator(".graph").bounding_box()
    for _ in range(8):
        shown.keyboard.press("End") if _ == 0 else shown.keyboard.press("p")
        node = shown.locator(".node.active").first.bounding_box()
        assert graph["x"] <= node["x"]
        assert node["x"] + node["width"] <= graph["x"] + graph["width"] + 1
        assert graph["y"] <= node["y"] <= graph["y"] + graph["height"]


def test_a_box_says_how_many_of_its_gradients_there_are(layers, opened):
    shown = opened(layers)
    shown.keyboard.press("s")
    for _ in range(40):
        shown.keyboard.press("n")
    said = shown.locator(".node > title").all_text_contents()
    assert any(re.search(r"gradient -?[\d.e-]+( … -?[\d.e-]+)?, which \d+ of \d+ have", text) for text in said)


def test_boxes_open_by_keys_and_fold_again(layers, opened):
    shown = opened(layers)
    before = shown.locator(".node").count()
    shown.locator(".node", has_text="6 × [Σ + b → tanh]").first.focus()
    shown.keyboard.press("Enter")
    assert shown.locator(".node", has_text="[Σ + b → tanh]").count() == 7
    assert shown.locator(".node").count() > before
    shown.get_by_role("button", name="fold what was opened").click()
    assert shown.locator(".node").count() == before
