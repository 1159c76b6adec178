"""The page of the playground in a browser: it trains, shows, takes and gives."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.see.playground import playground

HOSTILE = "</script><img src=x onerror=\"document.title='run'\">"

GO = """(hash) => new Promise((done) => {
    addEventListener("hashchange", () => setTimeout(done), { once: true });
    location.hash = hash;
})"""


@pytest.fixture(scope="module")
def html():
    """The page."""
    return playground()


@pytest.fixture
def shown(opened, html):
    """Gives a function that opens the page at an address's hash."""

    def show(hash="", width=1440, **options):
        page = opened(html, width, **options)
        page.set_default_timeout(10_000)
        if hash:
            page.evaluate(GO, hash)
        return page

    return show


def step_of(page):
    return int(re.search(r"step ([\d,]+)", page.locator(".count").inner_text()).group(1).replace(",", ""))


def loss_of(page):
    return float(
        re.search(r"training loss ([\d.e-]+)", page.locator(".numbers").inner_text().replace("\n", " ")).group(1)
    )


def trained(page, steps=200):
    """Trains for at least so many steps, and pauses."""
    page.get_by_label("pace").select_option("1000")
    page.get_by_role("button", name="Train", exact=True).click()
    for _ in range(400):
        if step_of(page) >= steps:
            break
        page.wait_for_timeout(25)
    page.get_by_role("button", name="Pause", exact=True).click()


def leaves(page, name):
    """The file that a button offers, as bytes."""
    with page.expect_download() as found:
        page.get_by_role("button", name=name).click()
    return Path(found.value.path()).read_bytes()


def test_it_trains(shown):
    page = shown()
    before = loss_of(page)
    trained(page)
    assert step_of(page) >= 200
    assert loss_of(page) < before / 2
    assert page.locator(".border").get_attribute("d")


def test_one_step_at_a_time_by_button_and_by_key(shown):
    page = shown()
    page.get_by_role("button", name="one step", exact=True).click()
    assert step_of(page) == 1
    page.locator("h1").click()
    page.keyboard.press("s")
    assert step_of(page) == 2
    page.get_by_role("button", name="start again with the same seed").click()
    assert step_of(page) == 0


def test_settings_stand_in_the_address_and_come_back_from_it(shown):
    page = shown()
    page.get_by_label("data").select_option("circles")
    page.get_by_label("optimizer").select_option("Adam")
    page.get_by_role("button", name="one neuron fewer in layer 1").click()
    address = page.evaluate("location.hash")
    assert address == "#data=circles&hidden=7,8&optimizer=Adam"
    points = page.locator(".mark").count()
    page.reload()
    assert page.get_by_label("data").input_value() == "circles"
    assert page.locator(".column").nth(1).locator(".neuron").count() == 7
    assert page.locator(".mark").count() == points == 200


@pytest.mark.parametrize(
    "address",
    [
        f"#data={HOSTILE}",
        "#samples=1e12",
        "#hidden=9999,9999",
        "#own=1,2,3;x&data=own",
        "#__proto__=1",
        "#rate=Infinity",
        "#seed=-1&seed=2",
        f"#{HOSTILE}=1",
    ],
)
def test_an_address_that_cannot_be_is_refused_in_words(shown, address):
    page = shown(address)
    assert "cannot be" in page.locator(".banner").inner_text()
    assert page.get_by_label("data").input_value() == "moons"
    assert page.locator("img").count() == 0
    assert page.title() == "chainrule's playground"


def test_a_click_on_a_point_opens_its_graph(shown):
    page = shown("#hidden=3")
    trained(page, 20)
    address = page.evaluate("location.hash")
    page.locator(".mark").nth(5).dispatch_event("click")
    stepper = page.get_by_role("dialog", name="the graph of this point")
    assert "after " in stepper.locator("h1").inner_text()
    stepper.get_by_role("button", name="to the end").click()
    assert stepper.locator(".sentence").inner_text()
    assert stepper.locator(".node").count() > 4
    stepper.get_by_role("tab", name="Bug lab").click()
    assert page.evaluate("location.hash") == address
    stepper.get_by_role("button", name="back to the playground").click()
    assert page.get_by_role("dialog").count() == 0
    before = step_of(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="one step", exact=True).click()
    assert step_of(page) == before + 1


def test_points_are_reached_by_keys(shown):
    page = shown()
    page.locator('.mark[tabindex="0"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog", name="the graph of this point").count() == 1
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0


def test_a_neuron_shows_its_map_in_the_field(shown):
    page = shown()
    page.get_by_role("button", name="h1.2: its map").hover()
    assert "h1.2" in page.locator(".shown").inner_text()
    page.locator("h1").hover()
    assert "score" in page.locator(".shown").inner_text()


def test_points_of_ones_own_by_clicks_and_by_numbers(shown):
    page = shown()
    page.get_by_label("data").select_option("own")
    assert "both classes" in page.locator(".remark").inner_text()
    box = page.locator(".points").bounding_box()
    for x, y in ((0.2, 0.2), (0.3, 0.7)):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.get_by_label("a click adds").select_option("1")
    page.get_by_label("x1", exact=True).fill("0.5")
    page.get_by_label("x2", exact=True).fill("0.25")
    page.get_by_role("button", name="add this point").click()
    page.get_by_role("slider", name="held out").fill("0")
    assert page.locator(".mark").count() == 3
    assert page.evaluate("location.hash").count(";") == 2
    page.get_by_role("button", name="take the last point away").click()
    assert page.locator(".mark").count() == 2


def test_pasted_points(shown):
    page = shown("#data=own")
    page.get_by_role("button", name="paste").click()
    dialog = page.get_by_role("dialog", name="Paste points")
    dialog.get_by_role("textbox").fill(f"x1,x2,class\n0,0,{HOSTILE.replace(',', '')}\n1,1,b,c\n")
    dialog.get_by_role("button", name="use these points").click()
    assert "Line 3" in dialog.get_by_role("alert").inner_text()
    dialog.get_by_role("textbox").fill(f"x1\tx2\tclass\n0\t0\t{HOSTILE}\n1\t1\tb\n0.5\t0.25\tb\n-1\t2\t{HOSTILE}\n")
    dialog.get_by_role("button", name="use these points").click()
    assert page.locator(".mark").count() == 4
    assert page.locator("img").count() == 0
    trained(page, 5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Two classes are wanted"),
        ("1,2\n", "Line 1"),
        ("1,2,a\n1,0x10,b\n", "Line 2"),
        ("x1,x2,class\noops,bad,a\n1,2,a\n3,4,b\n", "Line 2"),
        ("0,5;1,2;a\n0,7;1,3;b\n", "Line 1"),
        ("nan,inf,a\n1,2,a\n3,4,b\n", "Line 1"),
        ("1,2,a\n1,2,b\n1,2,c\n", "Two classes are wanted"),
        ("1,1e9,a\n", "must be numbers"),
        ("1,2,a\n" * 501, "at most 500"),
        ("x" * 100_001, "letters"),
    ],
)
def test_a_text_that_has_no_points_is_refused_with_its_line(in_playground, text, words):
    said = in_playground("try { parsePasted(given); } catch (error) { return error.message; }", text)
    assert words in said


@pytest.mark.parametrize("text", ["x1,x2,class\n1,2,a\n3,4,b", "\n\nx1,x2,class\n1,2,a\n3,4,b", "1,2,a\n3,4,b"])
def test_the_first_line_may_have_the_names_of_columns(in_playground, text):
    assert in_playground("return parsePasted(given).points;", text) == [[1, 2], [3, 4]]


def test_points_of_ones_own_come_back_from_the_address_to_the_last_digit(in_playground):
    own = {"points": [[0.1 + 0.2, -1 / 3], [3.00000001, 1e-300], [-1e6, 0.0]], "labels": [0, 1, 1]}
    assert (
        in_playground(
            """const known = knownOf(library);
            return fromHash(toHash({ ...fromHash("#", known), data: "own", own: given }), known).own;""",
            own,
        )
        == own
    )


def test_the_program_that_leaves_goes_on_in_python(shown, tmp_path):
    page = shown("#data=spiral&hidden=4&samples=60&optimizer=SGD+with+momentum&heldOut=0")
    trained(page, 30)
    program = leaves(page, "this net as a program in Python")
    (tmp_path / "program.py").write_bytes(program)
    out = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    before = re.search(r"before: \{'loss': ([\d.e-]+)", out)
    assert float(before.group(1)) == pytest.approx(loss_of(page), rel=1e-3)
    assert "after:" in out


@pytest.mark.parametrize("loss", ["max_margin", "binary_cross_entropy"])
def test_the_model_that_leaves_predicts(shown, tmp_path, loss):
    page = shown(f"#loss={loss}&hidden=5&samples=80")
    trained(page, 60)
    (tmp_path / "model.json").write_bytes(leaves(page, "for chainrule predict"))
    (tmp_path / "points.csv").write_bytes(leaves(page, "as CSV"))
    command = [sys.executable, "-m", "chainrule", "predict", "model.json", "points.csv"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    rows = list(csv.DictReader(io.StringIO(found.stdout)))
    right = sum(row["class"] == row["predicted_class"] for row in rows) / len(rows)
    shown_right = re.search(r"held out.*?([\d.]+) % right", page.locator(".numbers").inner_text().replace("\n", " "))
    assert len(rows) == 16
    assert right * 100 == pytest.approx(float(shown_right.group(1)), abs=0.06)
    assert json.loads((tmp_path / "model.json").read_text())["extra"]["loss"] == loss


def test_the_picture_that_leaves_is_a_png(shown):
    pil = pytest.importorskip("PIL.Image")
    page = shown()
    picture = pil.open(io.BytesIO(leaves(page, "the field as PNG")))
    assert picture.size == (900, 900)
    assert len(picture.convert("RGB").getcolors(10**6)) > 100


def test_divergence_is_said(shown):
    page = shown("#activation=linear&loss=mean_squared_error&rate=10")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("A smaller rate than 10 may help").wait_for()
    assert page.get_by_role("button", name="Train", exact=True).count() == 1


def test_it_fits_a_phone(shown):
    page = shown(width=390)
    page.locator(".mark").nth(0).dispatch_event("click")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.querySelector('.stepper #app').scrollWidth <= innerWidth")
    tools, tabs = page.locator(".stepper .tools").bounding_box(), page.locator(".stepper .tabs").bounding_box()
    assert tools["y"] + tools["height"] <= tabs["y"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(shown, found_by_axe, scheme, width):
    page = shown("#hidden=4", width=width, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)

    def check(where):
        assert [where, *found_by_axe(page)] == [where]

    check("at the start")
    page.get_by_label("pace").select_option("1")
    page.get_by_role("button", name="Train", exact=True).click()
    check("while it trains")
    page.locator(".mark").nth(2).dispatch_event("click")
    page.get_by_role("button", name="to the end").click()
    check("the graph of a point")
    page.get_by_role("button", name="back to the playground").click()
    page.get_by_label("data").select_option("own")
    check("points of one's own")
    page.get_by_role("button", name="paste").click()
    page.get_by_role("button", name="use these points").click()
    check("the field for points")
