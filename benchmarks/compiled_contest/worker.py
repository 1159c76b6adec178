"""The process of one contestant: it reads requests, one a line, from standard input, and answers each with a line.

{"open": workload} prepares a workload and answers with the time that took, and with numbers to compare. It may be sent
with options, and with a limit: the seconds after which the process ends if it is not ready. {"steps": n, "repeats": m}
runs n steps m times and answers with the seconds of a step. It may be sent with a core to run on, where one thread is
enough.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from contest.machine import version_of

from compiled_contest.contestants import CONTESTANTS
from compiled_contest.entry import AbsentError, Entry
from compiled_contest.workloads import GROWTH, WORKLOADS


def serve(name: str) -> None:
    """Answers requests until there are no more."""
    answers, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr  # nothing printed by a library is taken for an answer
    os.dup2(2, 1)
    entry = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "open" in request:
                signal.alarm(request.get("limit", 0))
                entry = None  # before the next, so that nothing of the last one is left
                entry = _entry(request["open"], name, request.get("options", {}))
                answer = _opened(entry, name)
                signal.alarm(0)
            else:
                assert entry is not None
                if not entry.threads and "core" in request:
                    _stay_on(request["core"])
                answer = {"seconds": entry.block(request["steps"], request["repeats"])}
        except AbsentError as error:
            answer = {"absent": str(error)}
        except ModuleNotFoundError as error:
            answer = {"absent": f"{error.name} is not installed"}
        except Exception as error:  # to be shown in the report, in place of the figures
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
    os._exit(0)  # without freeing what is left, node by node


def _entry(workload: str, name: str, options: dict[str, Any]) -> Entry:
    what, module = WORKLOADS.get(workload, GROWTH), CONTESTANTS[name].module
    paths = [f"compiled_contest.{package}.{module}" for package in what.packages or (workload,)]
    chosen = next(path for path in paths if importlib.util.find_spec(path))
    return importlib.import_module(chosen).ENTRIES[name](**what.options, **options)


def _stay_on(core: int) -> None:
    """Binds every thread of this process to a core."""
    if not hasattr(os, "sched_setaffinity"):
        return
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(int(thread.name), {core})


def _opened(entry: Entry, name: str) -> dict[str, Any]:
    setup, unit = entry.open()
    return {
        "setup": setup,
        "unit": unit,
        "numbers": [float(x) for x in entry.check()],
        "steps": entry.steps,
        "rounds": entry.rounds,
        "tolerance": entry.tolerance,
        "note": entry.note,
        "version": version_of(CONTESTANTS[name].library),
    }
