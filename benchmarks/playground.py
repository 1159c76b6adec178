"""The playground in Chromium beside `compile_step.run`, in one report: python benchmarks/playground.py

A step on all of 200 points of two moons, 2-8-8-1, is the unit. Both take turns; which begins alternates. Then the page
trains as fast as it goes, and the browser tells of every task of more than 50 ms. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contest.machine import machine, python

import chainrule
from chainrule.data import moons
from chainrule.nn import MLP
from chainrule.optim import SGD
from chainrule.see.bundle import joined
from chainrule.see.playground import playground
from chainrule.see.playground.page import library, texts

STEPS = 1_000
"""How many steps are timed at a time."""

MOST = 100.0
"""How often as long a step in the page may take."""

LONG = 50.0
"""Milliseconds after which the browser calls a task long."""

SETTINGS = {
    **{"data": "moons", "own": {"points": [], "labels": []}, "samples": 200, "noise": 0.1, "seed": 0, "heldOut": 0},
    **{"hidden": [8, 8], "activation": "tanh", "init": "xavier", "loss": "max_margin", "optimizer": "SGD"},
    **{"rate": 0.05, "batch": 0},
}

MAIN = 'import { createRun } from "./run.js";\nimport { operations } from "./operations.js";\n'

WATCH = """
globalThis.longTasks = [];
const seen = (list) => longTasks.push(...list.getEntries().map((x) => x.duration));
new PerformanceObserver(seen).observe({ type: "longtask" });
"""


def in_python() -> Callable[[], float]:
    """Gives a function that runs the steps in native code and returns the seconds of one."""
    X, labels = moons(n=200, noise=0.1, seed=0)
    y = [2.0 * label - 1.0 for label in labels]
    model = MLP(2, [8, 8, 1], activation="tanh", init="xavier", seed=0)
    optimizer = SGD(model.parameters(), lr=0.05)
    step = chainrule.compile_step(
        lambda X, y: chainrule.losses.max_margin([model(x) for x in X], y),
        optimizer,
    )
    batches = [(X, y)] * STEPS
    step.run(batches)

    def seconds() -> float:
        start = time.perf_counter()
        step.run(batches)
        return (time.perf_counter() - start) / STEPS

    return seconds


def in_chromium(browser: Any, steps: int) -> Callable[[], float]:
    """Gives a function that runs steps in a page and returns the seconds of one."""
    page = browser.new_page()
    script = joined({**texts(), "main.js": MAIN}, "main.js")
    page.evaluate(
        f"""([settings, library]) => {{ {script}
        const run = createRun(settings, library, operations);
        globalThis.timed = (steps) => {{
            const start = performance.now();
            for (let i = 0; i < steps; i += 1) run.step();
            return (performance.now() - start) / 1000 / steps;
        }}; timed(100); }}""",
        [SETTINGS, library()],
    )
    return lambda: page.evaluate("(steps) => timed(steps)", steps)


def long_tasks(browser: Any, seconds: float) -> tuple[list[float], int]:
    """Trains in the page itself for some seconds; returns the milliseconds of its long tasks, and the steps done."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "playground.html")
        file.write_text(playground(), encoding="utf-8")
        page = browser.new_page()
        page.goto(f"{file.as_uri()}#batch=0")
        page.get_by_label("pace").select_option("Infinity")
        page.wait_for_timeout(500)
        page.evaluate(WATCH)
        page.get_by_role("button", name="Train", exact=True).click()
        page.wait_for_timeout(1000 * seconds)
        found = page.evaluate("longTasks")
        count = page.locator(".count").inner_text()
        page.close()
    return found, int(count.split()[1].replace(",", ""))


def measured(browser: Any, rounds: int, steps: int) -> dict[str, list[float]]:
    """The seconds of a step in each round, after one round of warm-up."""
    contestants = {"compile_step.run": in_python(), "the page": in_chromium(browser, steps)}
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for i in range(rounds + 1):
        for name in list(contestants)[:: 1 if i % 2 else -1]:
            seconds = contestants[name]()
            if i:
                found[name].append(seconds)
    return found


def show(found: dict[str, list[float]], tasks: list[float], steps: int, seconds: float) -> bool:
    """Prints the report; returns whether all holds."""
    for name, column in found.items():
        low, middle, high = statistics.quantiles(column, n=4)
        print(f"{name:20} {1e6 * middle:9.1f} µs a step   [{1e6 * low:.1f} – {1e6 * high:.1f}]")
    ratios = [page / native for native, page in zip(*found.values(), strict=True)]
    low, ratio, high = statistics.quantiles(ratios, n=4)
    print(f"the page ÷ compile_step.run: {ratio:.1f}   [{low:.1f} – {high:.1f}], at most {MOST:g}")
    longest = f", the longest {max(tasks):.0f} ms" if tasks else ""
    print(f"{seconds:g} s of training in the page, {steps:,} steps: {len(tasks)} tasks over {LONG:g} ms{longest}")
    return ratio <= MOST and not tasks


def main() -> int:
    """Measures and prints; the exit code is 1 if a target is missed."""
    parser = argparse.ArgumentParser(description="Compares the playground's engine with compiled steps.")
    parser.add_argument("--rounds", type=int, default=21, help="after one of warm-up; 21 unless told")
    parser.add_argument("--steps", type=int, default=100, help="steps at a time in the page; 100 unless told")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long the page trains; 10 unless told")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures of every round")
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra

    with sync_playwright() as playwright:
        path = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        print(f"{machine()}\n{python()}, Chromium {browser.version}\n{arguments.rounds} rounds after one of warm-up\n")
        found = measured(browser, arguments.rounds, arguments.steps)
        tasks, steps = long_tasks(browser, arguments.seconds)
        browser.close()
    if arguments.json:
        arguments.json.write_text(json.dumps({**found, "long tasks": tasks}, indent=1) + "\n", encoding="utf-8")
    return 0 if show(found, tasks, steps, arguments.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
