"""Pages of large graphs in Chromium, in one report: python benchmarks/large_pages.py

For each size: the bytes of the page, the seconds to make it, to open it until the first box of its graph is there, to
go one event on, and to go to the end of backward(). See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from contest.machine import machine, python

import chainrule
from chainrule.data import moons
from chainrule.losses import max_margin
from chainrule.nn import MLP
from chainrule.see.pages import page
from chainrule.see.recording.document import Recording

SIZES = (1_000, 10_000, 99_000)
"""Roughly how many nodes."""

PER_SAMPLE = 102
"""Nodes of one sample of 2-16-16-1 and of its loss."""

MOST = 3.0
"""Seconds in which the largest page opens."""

KINDS = ("open", "one event on", "to the end")


def story_of(nodes: int) -> Recording:
    """A loss of a net of 2-16-16-1, forward and backward, of some nodes."""
    model = MLP(2, [16, 16, 1], activation="tanh", seed=0)
    X, y = moons(n=max(2, nodes // PER_SAMPLE))
    with chainrule.recording() as story:
        max_margin(model(X), [2 * label - 1 for label in y]).backward()
    return story


def opened(browser: Any, file: Path) -> dict[str, float]:
    """The seconds that a fresh page takes for each kind of thing."""
    shown = browser.new_page(viewport={"width": 1440, "height": 900})
    found, start = {}, time.perf_counter()
    shown.goto(file.as_uri())
    shown.locator(".node").first.wait_for()
    found["open"] = time.perf_counter() - start
    for kind in KINDS[1:]:
        start = time.perf_counter()
        shown.get_by_role("button", name=kind, exact=True).click()
        shown.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found[kind] = time.perf_counter() - start
    shown.close()
    return found


def measured(browser: Any, nodes: int, rounds: int) -> dict[str, Any]:
    """All figures of one size, each round in a fresh page after one of warm-up."""
    story = story_of(nodes)
    start = time.perf_counter()
    text = page(story)
    made = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "page.html")
        file.write_text(text, encoding="utf-8")
        found = [opened(browser, file) for _ in range(rounds + 1)][1:]
    columns = {kind: [x[kind] for x in found] for kind in KINDS}
    return {
        "nodes": len(story.nodes),
        "events": len(story.events),
        "bytes": len(text.encode()),
        "make": made,
        **columns,
    }


def show(row: dict[str, Any]) -> None:
    """Prints one size."""
    print(f"{row['nodes']:,} nodes, {row['events']:,} events: {row['bytes'] / 1e6:.2f} MB, made in {row['make']:.2f} s")
    for kind in KINDS:
        low, middle, high = statistics.quantiles(row[kind], n=4)
        print(f"    {kind:14} {middle:6.2f} s   [{low:.2f} – {high:.2f}]")


def main() -> int:
    """Measures and prints; the exit code is 1 if the largest page takes too long."""
    parser = argparse.ArgumentParser(description="Measures pages of large graphs in Chromium.")
    parser.add_argument("--rounds", type=int, default=7, help="after one of warm-up; 7 unless told")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures of every round")
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra

    with sync_playwright() as playwright:
        path = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        print(f"{machine()}\n{python()}, Chromium {browser.version}\n{arguments.rounds} rounds after one of warm-up\n")
        rows = []
        for nodes in SIZES:
            rows.append(measured(browser, nodes, arguments.rounds))
            show(rows[-1])
        browser.close()
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    middle = statistics.median(rows[-1]["open"])
    print(f"\nthe largest opens in {middle:.2f} s, at most {MOST:g}")
    return 0 if middle <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
