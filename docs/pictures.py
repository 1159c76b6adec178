"""Draws the pictures of the README: python docs/pictures.py

That of the page needs the extra "browser", and Debian's chromium.
"""

from __future__ import annotations

import runpy
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import chainrule
from chainrule import draw, fit
from chainrule.data import moons
from chainrule.expression import parse
from chainrule.nn import MLP
from chainrule.plots import training_picture
from chainrule.see.playground import playground as page_of_playground
from chainrule.see.recording.events import Began

IMAGES = Path(__file__).parent / "images"
NEURON = Path(__file__).parents[1] / "examples" / "06_neuron.py"


def neuron() -> None:
    """The neuron of the lecture, with its gradients."""
    numbers = {"x1": 2.0, "w1": -3.0, "x2": 0.0, "w2": 1.0, "b": 6.8813735870195432}
    output = parse("tanh(x1*w1 + x2*w2 + b)", numbers).root
    output.label = "o"
    output.backward()
    draw(output).save(IMAGES / "neuron.svg")


def training() -> None:
    """Two moons, told apart."""
    X, y = moons(n=120, noise=0.15, seed=0)
    model = MLP(2, [8, 8, 2], activation="tanh", init="xavier", seed=0)
    history = fit(model, X, y, loss="cross_entropy", epochs=60, validation=0.2, progress=False)
    training_picture(history, model, X, y, path=IMAGES / "moons.png")


def page() -> None:
    """The page of the lecture's neuron, in the middle of its backward pass."""
    with chainrule.recording(title="A neuron, step by step") as story:
        runpy.run_path(str(NEURON))["as_an_expression"]()
    first = next(i for i, event in enumerate(story.events) if isinstance(event, Began))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = chainrule.see(story).save(Path(folder, "page.html"))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
        shown.goto(f"{file.resolve().as_uri()}#event={first + 5}")
        shown.wait_for_selector(".edge.active")
        shown.screenshot(path=IMAGES / "see.png")
        browser.close()


def playground() -> None:
    """The playground, which has learned the spiral."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "playground.html")
        file.write_text(page_of_playground(), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1440, "height": 880}, reduced_motion="reduce")
        shown.goto(f"{file.as_uri()}#data=spiral&optimizer=Adam&loss=binary_cross_entropy&rate=0.01")
        shown.get_by_label("pace").select_option("1000")
        shown.get_by_role("button", name="Train", exact=True).click()
        shown.wait_for_timeout(1500)
        shown.get_by_role("button", name="Pause", exact=True).click()
        shown.screenshot(path=IMAGES / "playground.png")
        browser.close()


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    neuron()
    training()
    page()
    playground()
