"""chainrule's compiler against C by hand and its peers, in one report: python benchmarks/compiled.py

Each contestant lives in a process of its own, and C runs before and after each. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from compiled_contest.contestants import CONTESTANTS
from compiled_contest.workloads import WORKLOADS

GROWTH = "growth"
NAMES = ["moons", "moons_lists", "asian", "gpt", "irregular", "small", GROWTH]


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares chainrule's compiler with C by hand and with its peers.")
    parser.add_argument("only", nargs="*", metavar="WORKLOAD", help=f"{', '.join(NAMES)}; all unless told")
    parser.add_argument("--rounds", type=int, help="after one of warm-up; 21 unless told, 31 with --against")
    parser.add_argument(
        "--setups", type=int, help="fresh processes in which chainrule sets up; 3 unless told, 11 with --against"
    )
    parser.add_argument("--against", metavar="PYTHON", help="compare with the chainrule that this Python has, alone")
    parser.add_argument("--with", nargs="+", dest="names", metavar="NAME", help=f"only these: {', '.join(CONTESTANTS)}")
    parser.add_argument("--largest", type=int, default=10**6, help="operations that growth goes up to")
    parser.add_argument("--out", type=Path, default=Path("compile_growth.png"), help="where growth draws its picture")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures of every round")
    parser.add_argument("--worker", choices=CONTESTANTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    for given, known in ((arguments.only, dict.fromkeys([*NAMES, *WORKLOADS])), (arguments.names or [], CONTESTANTS)):
        if unknown := set(given) - set(known):
            parser.error(f"{', '.join(unknown)}: there are {', '.join(known)}")
    if arguments.worker:
        from compiled_contest.worker import serve  # noqa: PLC0415 - a worker loads its own contestant, the parent none

        serve(arguments.worker)
    elif arguments.against:
        from compiled_contest.against import compare  # noqa: PLC0415

        arguments.rounds, arguments.setups = arguments.rounds or 31, arguments.setups or 11
        sys.exit(compare(arguments, _chosen(arguments.only)))
    else:
        arguments.rounds, arguments.setups = arguments.rounds or 21, arguments.setups or 3
        sys.exit(report(arguments))


def report(arguments: argparse.Namespace) -> int:
    """Runs the workloads and prints their tables; returns 1 if a contestant calculated something else than the
    others."""
    from compiled_contest import report as tables  # noqa: PLC0415
    from compiled_contest.rounds import run_rounds  # noqa: PLC0415
    from contest.machine import machine, python  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    console.print(f"{machine()}\n{python()}", markup=False)
    console.print(
        f"{arguments.rounds} rounds after one of warm-up. Medians; in brackets the interquartile range.",
        "÷ C: how often as long as C, which runs before and after each.",
        "check: the largest difference from the reference's numbers (–), relative to the largest of these.",
        sep="\n",
        end="\n\n",
        markup=False,
    )
    start, results = perf_counter(), {}
    with console.status("") as status:
        notify = _notifier(console, status)
        for workload in _chosen(arguments.only):
            names = [name for name in WORKLOADS[workload].names if not arguments.names or name in arguments.names]
            results[workload] = run_rounds(workload, names, arguments.rounds, arguments.setups, notify)
            tables.show(console, workload, results[workload])
        grown = _growth(console, arguments, notify) if not arguments.only or GROWTH in arguments.only else None
    return _conclude(console, arguments, results, grown, perf_counter() - start)


def _chosen(only: list[str]) -> list[str]:
    """The workloads to run; `irregular` and `small` stand for several of them."""
    return [name for name in WORKLOADS if not only or name in only or name.split("_")[0] in set(only) - {"moons"}]


def _growth(console: Any, arguments: argparse.Namespace, notify: Callable[[str], None]) -> Any:
    from compiled_contest.growth.measure import measure  # noqa: PLC0415
    from compiled_contest.growth.show import draw, show  # noqa: PLC0415

    grown = measure(arguments.largest, notify)
    show(console, grown)
    draw(grown, arguments.out)
    return grown


def _notifier(console: Any, status: Any) -> Callable[[str], None]:
    return status.update if console.is_terminal else lambda text: print(text, file=sys.stderr)


def _conclude(console: Any, arguments: argparse.Namespace, results: dict[str, Any], grown: Any, seconds: float) -> int:
    """Prints the versions, the targets, and which contestants were wrong; returns the exit status."""
    from compiled_contest.targets import rows  # noqa: PLC0415
    from contest import layout  # noqa: PLC0415

    versions = {
        CONTESTANTS[name].library: opened["version"]
        for measured in results.values()
        for name, opened in measured.opened.items()
        if CONTESTANTS[name].library
    }
    if versions:
        listed = ", ".join(f"{library} {version}" for library, version in versions.items())
        console.print("Versions:", listed, markup=False)
    console.print(f"{seconds / 60:.1f} minutes in all\n")
    layout.targets(console, "must show", rows(results, grown))
    wrong = [f"{workload}: {CONTESTANTS[name].title}" for workload in results for name in results[workload].wrong()]
    if wrong:
        console.print("These computed something else than the reference:", *wrong, sep="\n  ", markup=False)
    if arguments.json:
        arguments.json.write_text(json.dumps(_to_json(results, grown), indent=1) + "\n", encoding="utf-8")
    return 1 if wrong else 0


def _to_json(results: dict[str, Any], grown: Any) -> dict[str, Any]:
    """The results as data for JSON."""
    from contest.machine import machine, python  # noqa: PLC0415

    workloads = {
        workload: {
            "seconds": measured.seconds,
            "times_c": {name: measured.ratios(name) for name in measured.opened},
            "setups": measured.setups,
            "off": {name: measured.deviation(name) for name in measured.opened},
            "absent": measured.absent,
            "failed": measured.failed,
        }
        for workload, measured in results.items()
    }
    growth = grown and [vars(point) for point in grown.points]
    return {"machine": machine(), "python": python(), "workloads": workloads, "growth": growth}


if __name__ == "__main__":
    main()
