"""Runs texts of Python against the probes of an exercise, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from chainrule.errors import ChainruleError
from chainrule.learn.exercise import Exercise
from chainrule.learn.outcomes import Outcome

Outcomes = dict[str, Outcome]


class RunError(ChainruleError):
    """The checker itself failed; that says nothing of the code that it checks."""


def run(exercise: Exercise, texts: Sequence[str]) -> list[Outcomes]:
    """Runs texts; returns what each probe comes to for each of them.

    Raises:
        RunError: the process that runs them failed.
    """
    names = [probe.name for probe in exercise.probes]
    request = {"texts": list(texts), "probes": exercise.probe_text, "names": names, "limit": exercise.limit}
    found = subprocess.run(
        [sys.executable, "-m", "chainrule.learn.worker"],
        input=json.dumps(request) + "\n",
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    try:
        answer = json.loads(found.stdout)
    except ValueError:
        raise RunError(f"the checker failed: {found.stderr[-500:] or 'it said nothing'}") from None
    return list(answer)
