"""The process of one contestant: it reads requests, one a line, from standard input, and answers each with a line."""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import Any

from contest.chains import BuildAndFree, Memory
from contest.contestants import CONTESTANTS
from contest.demo import Demo
from contest.gpt import GPT
from contest.kits import MissingError
from contest.machine import version_of
from contest.multiply_add import MultiplyAdd
from contest.script import Script

WORKLOADS: dict[str, Any] = {
    "multiply-add": MultiplyAdd,
    "demo": Demo,
    "gpt": GPT,
    "memory": Memory,
    "build": BuildAndFree,
    "microgpt": Script,
}


def serve(name: str) -> None:
    """Answers requests until there are no more.

    {"open": workload, "sizes": {...}} prepares a workload, {"run": k} runs it once and answers with its measurements.
    """
    answers, sys.stdout = sys.stdout, sys.stderr  # so that nothing printed by a library is taken for an answer

    def answer(content: dict[str, Any]) -> None:
        print(json.dumps(content), file=answers, flush=True)

    contestant = CONTESTANTS[name]
    try:
        kit = contestant.kit()
    except (ImportError, MissingError) as error:
        return answer({"error": str(error)})
    if not contestant.collector:
        gc.disable()
    answer({"version": version_of(contestant.library)})
    workload = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "open" in request:
                workload = None  # before the next, so that no numbers of the last one are left
                workload = WORKLOADS[request["open"]](kit, request["sizes"])
                answer({})
            else:
                answer(workload.run(request["run"]))
        except Exception as error:  # to be shown in the report, in place of the figures
            answer({"error": f"{type(error).__name__}: {error}"})
        if not contestant.collector:
            gc.collect()  # or memory would run out; it costs the contestant nothing here, between measurements
    os._exit(0)  # without freeing what is left, node by node
