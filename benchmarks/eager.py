"""The eager engine against plain floats and its peers, in one report: python benchmarks/eager.py

Each contestant lives in a process of its own and all are asked in turn, round by round. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from contest.contestants import (
    COLLECTOR_OFF,
    COMPILED,
    CONTESTANTS,
    FLOATS,
    LIBRARIES,
    MICROGRAD,
    OWN_VALUE,
    PURE,
    TORCH,  # fmt: skip
    XAD,
)

WORKLOADS = ("multiply-add", "demo", "gpt", "memory", "build")


SCRIPT = """a training script, such as a copy of microgpt: it must define a class Value, and train in a loop at its top
level, for step in …:, that calls loss.backward(). What stands before the loop is run once, and what follows it is left
out. Its step is measured with its own Value, with chainrule's, and on plain floats, beside what --only names. It runs
where this program is started, so its data must be found from there."""


def sizes_of(workload: str, quick: bool, script: Path | None = None) -> dict[str, dict[str, Any]]:
    """The contestants of a workload, with their parameters: slow contestants get fewer nodes."""
    seconds = 0.01 if quick else 0.05
    if workload == "microgpt":
        sizes = {"file": str(script), "seconds": 5 * seconds}
        return dict.fromkeys((FLOATS, COMPILED, PURE, OWN_VALUE), sizes)
    if workload == "multiply-add":
        return {name: {"count": 1000, "seconds": seconds} for name in LIBRARIES}
    if workload == "demo":
        return {name: {"seconds": 5 * seconds} for name in LIBRARIES}  # as long as the slow ones, nearly
    if workload == "gpt":
        return {name: {"names": 2 if quick else 10, "seconds": seconds} for name in (FLOATS, COMPILED, PURE)}
    if workload == "memory":
        many = {COMPILED: 5_000_000, PURE: 300_000, MICROGRAD: 300_000, TORCH: 300_000, XAD: 1_000_000}
    else:
        many = {FLOATS: 1_000_000, COMPILED: 1_000_000, PURE: 100_000, MICROGRAD: 100_000}
        many |= {COLLECTOR_OFF: 100_000, TORCH: 100_000, XAD: 100_000}
    return {name: {"count": count // 10 if quick else count} for name, count in many.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares chainrule's engine with plain floats and with its peers.")
    parser.add_argument("--rounds", type=int, help="after one of warm-up; 11 unless told, 3 with --quick")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=WORKLOADS, help=", ".join(WORKLOADS))
    parser.add_argument("--microgpt", type=Path, metavar="FILE", help=SCRIPT)
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds, to try it out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the medians and the figure of every round")
    parser.add_argument(
        "--against", metavar="PYTHON", help="compare with the chainrule that this Python has; 31 rounds"
    )
    parser.add_argument("--worker", choices=CONTESTANTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        from contest.worker import serve  # noqa: PLC0415 - the parent loads no contestant, a worker only its own

        serve(arguments.worker)
    elif arguments.against:
        from contest.eager_against import compare  # noqa: PLC0415

        sizes = {
            name: each for name, each in chosen(arguments).items() if name != "memory"
        }  # which is no matter of time
        sys.exit(compare(arguments.against, sizes, arguments.rounds or 31, arguments.json))
    else:
        report(arguments.rounds or (3 if arguments.quick else 11), chosen(arguments), arguments.json)


def chosen(arguments: argparse.Namespace) -> dict[str, dict[str, dict[str, Any]]]:
    """The workloads that were asked for, with their sizes."""
    script = [] if arguments.microgpt is None else ["microgpt"]
    names = [*(arguments.only or ([] if script else WORKLOADS)), *script]
    return {name: sizes_of(name, arguments.quick, arguments.microgpt) for name in names}


def report(rounds: int, workloads: dict[str, dict[str, dict[str, Any]]], file: Path | None) -> None:
    from contest import report as tables  # noqa: PLC0415
    from contest.rounds import Results, measure_memory, run_rounds  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    console = Console(highlight=False)
    workers = start(console, {name for sizes in workloads.values() for name in sizes})
    console.print(
        f"{rounds} rounds after one of warm-up. Medians; in brackets the interquartile range.",
        "÷ floats: how often as long. micrograd ÷, no gc ÷: how often faster.",
        "check: the largest difference from the right numbers; – is the reference itself.",
        sep="\n",
        end="\n\n",
        markup=False,
    )
    results: dict[str, Results] = {}
    with console.status("") as status:

        def notify(text: str) -> None:
            if console.is_terminal:
                status.update(text)
            else:
                print(text, file=sys.stderr)

        for workload, sizes in workloads.items():
            results[workload] = (
                measure_memory(sizes, workers, notify)
                if workload == "memory"
                else run_rounds(workload, sizes, workers, rounds, notify)
            )
            tables.SHOW[workload](console, results[workload])
    tables.targets(console, results)
    for worker in workers.values():
        worker.close()
    if file:
        file.write_text(json.dumps(_to_json(rounds, workers, results), indent=1) + "\n", encoding="utf-8")


def start(console: Any, needed: set[str]) -> dict[str, Any]:
    """Starts the contestants that workloads need; prints which take part and which are missing."""
    from contest.machine import machine, python  # noqa: PLC0415
    from contest.rounds import Worker, WorkerError  # noqa: PLC0415

    workers, missing = {}, []
    for name, contestant in [each for each in CONTESTANTS.items() if each[0] in needed]:
        try:
            workers[name] = Worker(name)
        except WorkerError as failure:
            missing.append(f"left out: {contestant.title}: {failure}")
    versions = {CONTESTANTS[name].library: worker.version for name, worker in workers.items()}
    libraries = ", ".join(f"{library} {version}" for library, version in versions.items() if library)
    for line in (machine(), f"{python()}, {libraries}", *missing):
        console.print(line, markup=False)
    return workers


def _to_json(rounds: int, workers: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
    """The results as data for JSON."""
    from contest.layout import holds  # noqa: PLC0415
    from contest.machine import machine, python  # noqa: PLC0415
    from contest.targets import TARGETS  # noqa: PLC0415

    workloads = {}
    for workload, measured in results.items():
        workloads[workload] = {name: _medians(measured, name, answers) for name, answers in measured.answers.items()}
    figures = [(target, target.figure(results)) for target in TARGETS]
    return {
        "machine": machine(),
        "python": python(),
        "versions": {CONTESTANTS[name].title: worker.version for name, worker in workers.items()},
        "rounds": rounds,
        "workloads": workloads,
        "targets": [
            {
                "target": t.title,
                "bound": t.limit,
                "at_least": t.at_least,
                "figure": f,
                "holds": f and holds(t.limit, t.at_least, f),
            }
            for t, f in figures
        ],
    }


def _medians(measured: Any, name: str, answers: list[dict[str, Any]]) -> dict[str, Any]:
    measures = {measure: measured.seconds(name, measure) for measure in answers[0]["seconds"]}
    medians = {measure: measured.time(name, measure)[0] for measure in measures}
    rest = {key: answers[0][key] for key in ("count", "object", "resident") if key in answers[0]}
    return {"median_seconds": medians, "seconds": measures} | rest


if __name__ == "__main__":
    main()
