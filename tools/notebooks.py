"""Tries `chainrule.see` in real notebooks: python tools/notebooks.py [nbconvert] [jupyterlab] [marimo]

Each runs a notebook in Chromium and says what held: the page steps in what nbconvert makes, with the network off; in
JupyterLab and marimo an edited leaf changes the Value, and what Python writes appears. It installs nothing: this needs
`pip install -e '.[all,browser]' jupyterlab nbconvert ipykernel marimo`, and Debian's chromium.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

STATIC = """import chainrule
from chainrule import Value
x = Value(2.0, label="x")
y = (x * 3.0).tanh()
chainrule.see(y)"""

LIVE = """import chainrule
from chainrule import Value
x = Value(2.0, label="x")
y = x * 3.0
page = chainrule.see(y, live=True)
page"""

SHOW = 'f"in Python: x is {x.data!r}, y is {y.data!r}"'
WRITE = "x.data = -1.5"

Check = tuple[str, bool]


def notebook(folder: Path, *cells: str) -> Path:
    """A notebook with these cells."""
    import nbformat  # noqa: PLC0415

    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=kernel)
    nbformat.write(made, folder / "try.ipynb")
    return folder / "try.ipynb"


@contextlib.contextmanager
def served(command: list[str], folder: Path) -> Iterator[str]:
    """Runs a server on a free port; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(
        [part.format(port=port) for part in command], cwd=folder, stdout=log, stderr=log, start_new_session=True
    )
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def page_within(shown: Any) -> Any:
    """The frame in which a page of chainrule's is, once its graph is there."""
    for _ in range(300):
        for frame in shown.frames:
            with contextlib.suppress(Exception):
                if frame.locator("chainrule-graph .node").count():
                    return frame
        shown.wait_for_timeout(200)
    raise TimeoutError("no page of chainrule's appeared")


def edit_x(frame: Any, number: str) -> None:
    """Gives the leaf x another number in the page."""
    frame.get_by_role("tab", name="Number").click()
    frame.locator('.node[data-name^="x"]').first.click()
    field = frame.locator('input[type="number"]').first
    field.fill(number)
    field.press("Enter")


def said_in(frame: Any) -> str:
    """What the panel of the page says."""
    return frame.locator("#panel").inner_text()


def eventually(holds: Callable[[], bool], shown: Any, seconds: float = 20.0) -> bool:
    """Whether something becomes true in time."""
    for _ in range(int(seconds * 5)):
        with contextlib.suppress(Exception):
            if holds():
                return True
        shown.wait_for_timeout(200)
    return False


def nbconvert(browser: Any, folder: Path) -> list[Check]:
    """What nbconvert makes of an executed notebook, offline."""
    file = notebook(folder, STATIC)
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", str(file)]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    shown = context.new_page()
    shown.goto((folder / "try.html").as_uri(), wait_until="domcontentloaded")
    frame = page_within(shown)
    frame.get_by_role("button", name="to the end").click()
    ended = "backward() has ended" in frame.locator(".sentence").inner_text()
    shown.screenshot(path=folder / "nbconvert.png")
    return [
        ("the page steps to the end", ended),
        ("the still picture is there", shown.locator("details svg").count() > 0),
    ]


def jupyterlab(browser: Any, folder: Path) -> list[Check]:
    """The widget in JupyterLab."""
    notebook(folder, LIVE, SHOW, WRITE, "")
    arguments = ["--no-browser", "--port={port}", "--ServerApp.token=", "--ServerApp.password=", "--allow-root"]
    quiet = ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with served([sys.executable, "-m", "jupyterlab", *arguments, *quiet], folder) as address:
        shown = browser.new_page(viewport={"width": 1400, "height": 1400})
        shown.goto(f"{address}/lab/tree/try.ipynb?reset")
        shown.locator(".jp-CodeCell").first.wait_for(timeout=60_000)
        shown.wait_for_timeout(3000)

        def run(cell: int) -> None:
            shown.locator(".jp-CodeCell .jp-InputArea-editor").nth(cell).click()
            shown.keyboard.press("Control+Enter")

        run(0)
        frame = page_within(shown)
        edit_x(frame, "0.25")
        shown.wait_for_timeout(1500)
        run(1)
        python = eventually(lambda: shown.get_by_text("in Python: x is 0.25, y is 0.75").count() > 0, shown)
        run(2)
        back = eventually(lambda: "-1.5" in said_in(page_within(shown)), shown)
        shown.screenshot(path=folder / "jupyterlab.png")
        shown.close()
    return [("an edit in the page changes the Value", python), ("what Python writes appears", back)]


def marimo(browser: Any, folder: Path) -> list[Check]:
    """The widget in marimo."""
    buttons = """go = mo.ui.button(label="show")
back = mo.ui.button(label="write", value=0, on_click=lambda n: n + 1)
mo.vstack([page, go, back])"""
    cells = (
        ("", f"import marimo as mo\n{LIVE.removesuffix('page')}{buttons}", "back, go, x, y"),
        ("go, x, y", f"go\n{SHOW}", ""),
        ("back, x", f"if back.value:\n    {WRITE}", ""),
    )
    texts = [
        f"@app.cell\ndef _({needs}):\n{textwrap.indent(code, '    ')}\n    return {gives}\n"
        for needs, code, gives in cells
    ]
    end = "if __name__ == '__main__':\n    app.run()\n"
    (folder / "try.py").write_text("\n\n".join(["import marimo\n\napp = marimo.App()", *texts, end]))
    command = [
        sys.executable,
        "-m",
        "marimo",
        "--quiet",
        "run",
        "try.py",
        "--headless",
        "--port",
        "{port}",
        "--no-token",
    ]
    with served(command, folder) as address:
        shown = browser.new_page(viewport={"width": 1400, "height": 1400})
        shown.goto(address)
        frame = page_within(shown)
        edit_x(frame, "0.25")
        shown.wait_for_timeout(1500)
        shown.get_by_role("button", name="show").click()
        python = eventually(lambda: shown.get_by_text("in Python: x is 0.25, y is 0.75").count() > 0, shown)
        shown.get_by_role("button", name="write").click()
        back = eventually(lambda: "-1.5" in said_in(page_within(shown)), shown)
        shown.screenshot(path=folder / "marimo.png")
        shown.close()
    return [("an edit in the page changes the Value", python), ("what Python writes appears", back)]


PLACES: dict[str, Callable[[Any, Path], list[Check]]] = {
    "nbconvert": nbconvert,
    "jupyterlab": jupyterlab,
    "marimo": marimo,
}


def main() -> int:
    """Tries the places that are named, or all; the exit code is 1 if something did not hold."""
    parser = argparse.ArgumentParser(description="Tries chainrule.see in real notebooks.")
    parser.add_argument("places", nargs="*", choices=[*PLACES, []], help="all unless told")
    parser.add_argument("--pictures", type=Path, help="a folder for screenshots")
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra

    failed = False
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name in arguments.places or PLACES:
            with tempfile.TemporaryDirectory() as folder:
                for what, holds in PLACES[name](browser, Path(folder)):
                    print(f"{name}: {what}: {'yes' if holds else 'NO'}", flush=True)
                    failed |= not holds
                for picture in Path(folder).glob("*.png") if arguments.pictures else ():
                    shutil.copy(picture, arguments.pictures)
        browser.close()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
