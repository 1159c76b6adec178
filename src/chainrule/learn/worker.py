"""Runs code that is not trusted, in processes of its own: `python -m chainrule.learn.worker`.

One request, a line of JSON on standard input: `{"texts": […], "probes": …, "names": […], "limit": seconds}`. The answer
is JSON on standard output: for each text, an outcome for each probe. Each text runs in a fork of this process. It may
print, end itself, hang, recurse or raise: its prints go nowhere, and after the limit it is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import tempfile
import time
from typing import Any

from chainrule.learn.outcomes import Outcome, outcomes

MEMORY = 4 * 2**30
"""Bytes that the code may take."""


def main() -> None:
    """Answers one request."""
    if not hasattr(os, "fork"):
        sys.exit("a check runs your code in a fork of its process, which this system has not: Linux and macOS have")
    request = json.loads(sys.stdin.readline())
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    found = [_in_fork(text, request) for text in request["texts"]]
    json.dump(found, answer)
    answer.close()


def _in_fork(text: str, request: dict[str, Any]) -> dict[str, Outcome]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _run(text, request, writing)
    os.close(writing)
    lines, late = _read(reading, request["limit"])
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading)
    found: dict[str, Outcome] = dict(lines)
    left = [name for name in request["names"] if name not in found]
    rest: Outcome = {"late": request["limit"]} if late else {"ended": "the program ended itself"}
    return found | dict.fromkeys(left, rest)


def _run(text: str, request: dict[str, Any], writing: int) -> None:
    """Runs in the fork, and never returns."""
    try:
        with contextlib.suppress(ImportError, ValueError, OSError):
            import resource  # noqa: PLC0415 - Windows has none

            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.closerange(3, writing)  # the answer's, too
        os.chdir(tempfile.gettempdir())
        os.setsid()
        for name, outcome in outcomes(text, request["probes"], request["names"]):
            os.write(writing, (json.dumps([name, outcome]) + "\n").encode())
    finally:
        os._exit(0)


def _read(reading: int, limit: float) -> tuple[list[Any], bool]:
    """What the fork wrote until it ended, and whether it had to be stopped."""
    end, received = time.monotonic() + limit, b""
    while (left := end - time.monotonic()) > 0:
        if not select.select([reading], [], [], left)[0]:
            break
        part = os.read(reading, 65536)
        if not part:
            return _lines(received), False
        received += part
    return _lines(received), True


def _lines(received: bytes) -> list[Any]:
    """The whole lines that are what they should be: the code under test may have written there, too."""
    found = []
    for line in received.split(b"\n")[:-1]:
        with contextlib.suppress(ValueError):
            pair = json.loads(line)
            if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], dict):
                found.append(pair)
    return found


if __name__ == "__main__":
    main()
