"""A browser for the tests of pages: Debian's Chromium, driven by Playwright. Without them these tests are skipped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from chainrule.see.bundle import PAGE, joined, modules

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser():
    """Chromium, without a network to speak of."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra browser")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium: apt install chromium")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=chromium, args=[*ARGUMENTS])
        yield started
        started.close()


@pytest.fixture(scope="session")
def javascript(browser):
    """`javascript(imports, expression, given)`: the value of an expression, in which the names of modules of the page
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


def plain(x):
    """What JSON holds, of tuples as well."""
    return json.loads(json.dumps(x))
