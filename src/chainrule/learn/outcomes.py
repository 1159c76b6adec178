"""What a probe comes to, as data that can be compared: the same in every process, and in a browser.

This module runs the code that it is given. It imports the standard library alone.
"""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

Outcome = dict[str, Any]
"""`{"value": …}`, `{"raised": …, "words": …, "line": …}`, `{"syntax": …, "line": …}`, `{"late": seconds}` or
`{"ended": …}`."""

FILE = "<your code>"
"""What the learner's text is called while it runs."""

_DEEPEST = 20
_DIGITS = 9


def outcomes(text: str, probes: str, names: list[str]) -> Iterator[tuple[str, Outcome]]:
    """Runs a text, and then each probe on what it defined.

    Args:
        text: the learner's text.
        probes: the text of the probes.
        names: the functions of it to run, in this order.

    Yields:
        The name of a probe and what it came to. If the text itself fails, all come to that.
    """
    module = sys.modules["my"] = ModuleType("my")  # dataclasses look their module up there
    module.__file__ = FILE
    failure = _failure(lambda: exec(compile(text, FILE, "exec"), module.__dict__))
    if failure is not None:
        yield from ((name, failure) for name in names)
        return
    known: dict[str, Any] = {}
    exec(compile(probes, "<probes>", "exec"), known)
    for name in names:
        yield name, outcome(lambda name=name: known[name](module))  # type: ignore[misc]


def outcome(run: Callable[[], Any]) -> Outcome:
    """What a call comes to.

    >>> outcome(lambda: [1, 2.0])
    {'value': [1, 2.0]}
    >>> outcome(lambda: 1 / 0)["raised"]
    'ZeroDivisionError'
    """
    found: list[Any] = []
    failure = _failure(lambda: found.append(plain(run())))
    return failure if failure is not None else {"value": found[0]}


def _failure(run: Callable[[], Any]) -> Outcome | None:
    try:
        run()
    except SyntaxError as error:
        return {"syntax": str(error.msg), "line": error.lineno or 0}
    except SystemExit as error:
        return {"raised": "SystemExit", "words": f"the program ends itself, exit({error.code!r})", "line": _line(error)}
    except RecursionError as error:
        return {"raised": "RecursionError", "words": "calls go too deep", "line": _line(error)}
    except BaseException as error:
        return {"raised": type(error).__name__, "words": _words(error), "line": _line(error)}
    return None


def _words(error: BaseException) -> str:
    try:
        return str(error)[:300]
    except BaseException:  # a class of the learner's own
        return ""


def _line(error: BaseException) -> int:
    """The last line of the learner's own that the error came through; 0 if it is none of theirs."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE]
    return lines[-1] or 0 if lines else 0


def plain(x: Any, depth: int = 0) -> Any:
    """A result as plain data; an object of another kind is the name of its class.

    >>> plain((1.0, {"a": None}, object()))
    [1.0, {'a': None}, {'object': 'object'}]
    """
    if depth > _DEEPEST:
        return {"object": "something nested very deeply"}
    if x is None or isinstance(x, bool | str):
        return x
    if isinstance(x, int | float):
        return _number(x)
    if isinstance(x, list | tuple):
        return [plain(part, depth + 1) for part in x]
    if isinstance(x, dict):
        return {str(key): plain(part, depth + 1) for key, part in x.items()}
    return {"object": type(x).__name__}


def _number(x: float) -> Any:
    if isinstance(x, int) and abs(x) < 2**53:
        return int(x)
    x = float(x) if isinstance(x, float) or abs(x) < 10**308 else math.copysign(math.inf, x)
    return x if math.isfinite(x) else {"number": str(x)}


def same(a: Any, b: Any) -> bool:
    """Whether two outcomes are the same, numbers but for rounding. Of an error, its class counts.

    >>> same({"value": 0.1 + 0.2}, {"value": 0.3}), same({"value": 1}, {"value": True})
    (True, False)
    """
    if isinstance(a, dict) and isinstance(b, dict):
        if "raised" in a or "raised" in b:
            return a.get("raised") == b.get("raised")
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if _is_number(a) and _is_number(b):
        return abs(a - b) <= 10.0**-_DIGITS * max(1.0, abs(a), abs(b))
    return type(a) is type(b) and bool(a == b)


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)
