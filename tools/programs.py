"""Runs many random programs of objects, ragged loops and changed lists, and reports the outcomes.

    python tools/programs.py --seeds 0-9999 --processes 16 --results programs.jsonl

It needs chainrule (installed, or its `src` on PYTHONPATH), NumPy, llvmlite, and this repository's tests beside it. Each
program runs in a process that it may crash: then its seed is reported, and the other programs go on. With `--results`
each outcome is appended to a file as a line of JSON, and outcomes in the file are not repeated. `--show 17` prints a
program, `--seeds 17-17` compares it. The exit status is 0 if nothing was wrong and few programs were set aside.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "compiler"))

from object_programs.comparison import examine
from object_programs.generator import program_of

CHUNK = 20
"""How many programs a process gets at once."""
WORKER = [__file__, "--worker"]
"""The arguments with which Python runs a worker process."""
ENDED = "the process ended with"
PATIENCE = 300.0
"""A process is killed after so many seconds with one program."""


def main() -> int:
    options = _options()
    if options.show is not None:
        print(program_of(options.show))
        return 0
    if options.worker:
        return worker(*_range(options.seeds))
    started, outcomes = time.perf_counter(), _results_of(options.results)
    first, last = _range(options.seeds)
    wanted = [seed for seed in range(first, last + 1) if seed not in outcomes]
    Runs(wanted, options.processes, options.results, outcomes).run()
    return summarise([outcomes[seed] for seed in range(first, last + 1)], time.perf_counter() - started)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", default="0-99", help="the first and the last, such as 0-9999")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--results", type=Path, help="a file that outcomes are added to, and read from")
    parser.add_argument("--show", type=int, help="print the program of this seed, and do nothing else")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def _results_of(path: Path | None) -> dict[int, dict[str, Any]]:
    """The outcomes in a file, by seed.

    Truncated lines are skipped, and so are crashes: somebody may have killed the process, and a program that crashes
    will crash again.
    """
    outcomes = {}
    if path is not None and path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                outcome = json.loads(line)
            except ValueError:
                continue
            if not any(text.startswith(ENDED) for text in outcome["wrong"]):
                outcomes[outcome["seed"]] = outcome
    return outcomes


# ---- the processes ---------------------------------------------------------------------------------------------------


def worker(first: int, last: int) -> int:
    """Compares some programs; prints for each a line with its seed, and one with its outcome."""
    for seed in range(first, last + 1):
        print(f"start {seed}", flush=True)
        outcome = examine(program_of(seed))
        print(json.dumps(vars(outcome)), flush=True)
    return 0


class Runs:
    """Distributes programs among processes and collects their outcomes."""

    def __init__(
        self, seeds: list[int], processes: int, path: Path | None, outcomes: dict[int, dict[str, Any]]
    ) -> None:
        self.processes, self.path, self.outcomes = processes, path, outcomes
        self.waiting: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        self.lock = threading.Lock()
        self.whole, self.done = len(seeds), 0
        start = 0
        for at in range(1, len(seeds) + 1):
            if at == len(seeds) or seeds[at] != seeds[at - 1] + 1 or at - start == CHUNK:
                self.waiting.put((seeds[start], seeds[at - 1]))
                start = at

    def run(self) -> None:
        threads = [threading.Thread(target=self._serve) for _ in range(self.processes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _serve(self) -> None:
        while True:
            try:
                first, last = self.waiting.get_nowait()
            except queue.Empty:
                return
            while first <= last:
                first = self._process(first, last) + 1

    def _process(self, first: int, last: int) -> int:
        """Runs one process; returns the last seed that it has finished."""
        command = [sys.executable, "-X", "faulthandler", *WORKER, "--seeds", f"{first}-{last}"]
        environment = {"CHAINRULE_CACHE": "off", **os.environ}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
        ) as process:
            errors: list[str] = []
            reader = threading.Thread(target=lambda: errors.append(process.stderr.read() if process.stderr else ""))
            reader.start()
            seed, timer = first - 1, threading.Timer(PATIENCE, process.kill)
            for line in process.stdout or ():
                timer.cancel()
                timer = threading.Timer(PATIENCE, process.kill)
                timer.start()
                if line.startswith("start "):
                    seed = int(line[6:])
                elif line.startswith("{"):
                    self._take(json.loads(line))
            timer.cancel()
            code = process.wait()
            reader.join()
        if code or seed < last:
            seed = max(seed, first)
            if seed not in self.outcomes:
                reason = f"{ENDED} {code}: {errors[0][-1500:]}"
                self._take({"seed": seed, "counts": {}, "wrong": [reason], "refused": "", "worst": 0.0, "seconds": 0.0})
        return seed

    def _take(self, outcome: dict[str, Any]) -> None:
        with self.lock:
            self.outcomes[outcome["seed"]] = outcome
            self.done += 1
            if outcome["wrong"]:
                print(f"seed {outcome['seed']} is WRONG: {outcome['wrong'][0]}", flush=True)
            if self.done % 200 == 0:
                print(f"{self.done} of {self.whole}", flush=True)
            if self.path is not None:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(outcome) + "\n")


# ---- what is said in the end -----------------------------------------------------------------------------------------


def summarise(outcomes: list[dict[str, Any]], seconds: float) -> int:
    """Prints the totals; returns the exit status."""
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        counts.update(outcome["counts"])
    wrong = sorted([outcome["seed"] for outcome in outcomes if outcome["wrong"]])
    refused = Counter([outcome["refused"] for outcome in outcomes if outcome["refused"]])
    samples = counts["samples"] or 1
    aside = counts["near a branch"] + counts["not finite"]
    print(f"programs                  {len(outcomes):>10,}")
    print(f"samples compared          {samples - aside:>10,}")
    print(f"numbers compared          {counts['numbers']:>10,}")
    print(f"of them with little room  {counts['sharp numbers'] / (counts['numbers'] or 1):>10.2%}")
    print(f"largest error, in rooms   {max([outcome['worst'] for outcome in outcomes], default=0.0):>10.2f}")
    print(f"samples near a branch     {counts['near a branch'] / samples:>10.2%}")
    print(f"samples not finite        {counts['not finite'] / samples:>10.2%}")
    print(f"programs refused          {sum(refused.values()) / (len(outcomes) or 1):>10.2%}")
    for reason, count in refused.most_common():
        print(f"    {count:>6,}  {reason}")
    print(f"minutes                   {seconds / 60:>10.1f}")
    print(f"programs wrong            {len(wrong):>10,}  {wrong[:50] if wrong else ''}")
    few = aside <= 0.01 * samples and sum(refused.values()) <= 0.05 * len(outcomes)
    return int(bool(wrong) or not few)


if __name__ == "__main__":
    raise SystemExit(main())
