"""What the tests of pages may ask for: a browser that runs modules of JavaScript."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chainrule.see.bundle import PAGE, joined, modules

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]

NUMBERS = """
const fromHex = (x) => { const v = new DataView(new ArrayBuffer(8)); v.setBigUint64(0, BigInt("0x" + x));
  return v.getFloat64(0); };
const toHex = (x) => { const v = new DataView(new ArrayBuffer(8)); v.setFloat64(0, x);
  return v.getBigUint64(0).toString(16).padStart(16, "0"); };
"""
"""For numbers that pass as the 16 digits of their bits."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, one for all tests."""
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
    if not Path(chromium).exists():
        pytest.skip("there is no Chromium here")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def javascript(browser: Any) -> Callable[..., Any]:
    """Gives a function that runs the text of modules in a blank page and returns what a function makes of an argument.

    Its first argument is the text of one module, without imports; its second the body of a function of `given`, with
    `fromHex` and `toHex` at hand for floats; its third what is given, which passes as JSON.
    """
    page = browser.new_page()
    page.goto("about:blank")

    def run(module: str, body: str, given: Any = None) -> Any:
        source = f"{module}\n{NUMBERS}\nexport default (given) => {{ {body} }};"
        return json.loads(
            page.evaluate(
                """async ([source, given]) => {
                  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
                  const found = (await import(url)).default(JSON.parse(given));
                  URL.revokeObjectURL(url);
                  return JSON.stringify(found ?? null);
                }""",
                [source, json.dumps(given)],
            )
        )

    return run


@pytest.fixture(scope="session")
def ulps() -> Callable[[float, float], float]:
    """Gives how many floats one number is from another; nan is nan, and 0 is not -0."""

    def apart(a: float, b: float) -> float:
        if math.isnan(a) or math.isnan(b):
            return 0.0 if math.isnan(a) and math.isnan(b) else math.inf
        if a == b:
            return 0.0 if math.copysign(1.0, a) == math.copysign(1.0, b) else math.inf
        return math.inf if math.isinf(a) or math.isinf(b) else abs(a - b) / math.ulp(max(abs(a), abs(b)))

    return apart


@pytest.fixture(scope="session")
def in_page(browser):
    """`in_page(imports, expression, given)`: the value of an expression, in which the names of modules of the page
    are known, as well as `given`. Numbers that JSON lacks go through as text."""
    page = browser.new_page()

    def run(imports, expression, given=None, texts=None):
        known = {**modules(PAGE), **(texts or {})}
        main = "".join([f'import {{ {names} }} from "./{module}";\n' for module, names in imports.items()])
        script = joined({**known, "test.js": main}, "test.js")
        return page.evaluate(f"(given) => {{ {script}\n return ({expression}); }}", given)

    yield run
    page.close()


@pytest.fixture
def opened(browser, tmp_path):
    """`opened(html, width, height, **options)`: a page from a file, with the network off. At the end it must have
    logged no error and asked for nothing."""
    contexts = []

    def open_page(html, width=1440, height=900, **options):
        file = Path(tmp_path, f"page{len(contexts)}.html")
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **options)
        page = context.new_page()
        page.wrong = []
        page.on("console", lambda message: page.wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("request", lambda request: page.wrong.append(request.url) if request.url != file.as_uri() else None)
        contexts.append((context, page))
        page.goto(file.as_uri())
        return page

    yield open_page
    for context, page in contexts:
        context.close()
        assert page.wrong == []


AXE = """async () => {
    const rules = axe.getRules().map(({ ruleId }) => ruleId);
    const { violations } = await axe.run(document, { runOnly: { type: "rule", values: rules } });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => [id, html.slice(0, 160)]));
}"""


@pytest.fixture(scope="session")
def found_by_axe():
    """Gives a function that returns what axe finds in a page by all its rules, as pairs of a rule and an element."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    text = next(Path(axe.__file__).parent.rglob("axe.min.js")).read_text(encoding="utf-8")

    def found(page):
        if not page.evaluate("'axe' in window"):
            page.evaluate(text)
        return page.evaluate(AXE)

    return found
