"""`detect_anomaly()`: which operation made the first number that is not finite, and where infinities were swallowed."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator
from typing import Any

from chainrule.core.modes import call_of, caller, modes, place, setting
from chainrule.errors import AnomalyError, SwallowedInfinityWarning


@contextlib.contextmanager
def detect_anomaly() -> Iterator[None]:
    """Context manager that stops at the operation that makes the first non-finite number, forward or backward.

    Raises:
        AnomalyError: names the operation, its operands and the line that called it.

    It is slow, and holds every node made within it: put it around the one step that goes wrong. A product of the chain
    rule in which one side is 0 deposits nothing, so an infinity on its other side is no anomaly; but unless the zero is
    that of a branch which was not taken, a SwallowedInfinityWarning says where this was.

    >>> from chainrule import Value, detect_anomaly
    >>> with detect_anomaly():
    ...     Value(-1.0).log()
    Traceback (most recent call last):
        ...
    chainrule.errors.AnomalyError: log(-1.0) gave nan, at line 2 of <doctest chainrule.core.anomaly.detect_anomaly[1]>
    """
    with setting("places", {}), setting("zeros", set()), setting("warned_lines", set()), setting("warnings", ()):
        yield


@contextlib.contextmanager
def swallowed_infinities() -> Iterator[list[str]]:
    """Yields a list that collects the warnings which `detect_anomaly()` would give."""
    noted: list[str] = []
    with detect_anomaly(), setting("swallowed", noted):
        yield noted


def check_value(node: Any) -> None:
    """Notes, under `detect_anomaly()`, where `node` was made, and raises AnomalyError if its number is not finite."""
    where = place(caller())
    assert modes.places is not None
    modes.places[id(node)] = (node, where)
    if not math.isfinite(node.peek_data()) and modes.swallowed is None:
        raise AnomalyError(f"{call_of(node)} gave {node.peek_data()}, at {where}")


def check_deposits(node: Any, upstream: float, operand: Any = None, local: float | None = None) -> None:
    """Raises AnomalyError, under `detect_anomaly()`, if a step of the chain rule made a gradient that is not finite.

    The step goes to all operands of `node`, or to one `operand` with its `local` derivative. It warns if a
    zero swallows an infinity.
    """
    if modes.places is None or node._hidden:
        return
    for into, slope in zip(node.operands, node.locals, strict=True) if operand is None else [(operand, local)]:
        if slope and upstream and not math.isfinite(slope * upstream) and modes.swallowed is None:
            product = f"upstream {upstream!r} times local derivative {slope!r}"
            message = f"backward through {call_of(node)} gave the gradient {slope * upstream} ({product})"
            raise AnomalyError(f"{message}; the operation was called at {_made_at(node)}")
        if slope is not None and not (slope and upstream) and _is_of_number(node, upstream):
            modes.zeros.add(id(into))  # type: ignore[union-attr]
            if math.isinf(slope) or math.isinf(upstream):
                _swallowed(node)


_BRANCHES = {"lt", "le", "gt", "ge", "eq", "ne", "select", "relu", "leaky_relu", "max", "min", "clip", "largest",
    "take", "abs", "stop_gradient", "elu"}  # fmt: skip
"""The operations whose slope of 0 means that an operand has no part in the result."""


def _is_of_number(node: Any, upstream: float) -> bool:
    """Returns whether a zero in a step of the chain rule comes from a number that is 0, not from a branch not taken."""
    if not upstream:
        return id(node) in modes.zeros
    zeros = [x for x in node.operands if x.peek_data() == 0]
    return node.op.name not in _BRANCHES and not any(map(_of_branch, zeros))


def _of_branch(zero: Any) -> bool:
    """Returns whether a number is 0 because of a branch: it is a factor such as x > 0, or what the chain rule made of
    one, or a mask, that is a plain 0 in the formula."""
    seen, todo = set(), [zero]
    if zero.constant:
        return True
    while todo:
        node = todo.pop()
        if node.op is not None and id(node) not in seen and node.peek_data() == 0:
            if node.op.name in _BRANCHES:
                return True
            seen.add(id(node))
            todo += node.operands
    return False


def _swallowed(node: Any) -> None:
    """Warns of a swallowed infinity, or notes it, once for each line."""
    where = _made_at(node)
    if where in modes.warned_lines:
        return
    modes.warned_lines.add(where)  # type: ignore[union-attr]
    message = (
        f"an infinite slope met a zero in the chain rule through {call_of(node)}, called at {where}, and nothing was "
        "deposited. If the derivative there is a limit that is not 0, write the formula without the infinity, for "
        "example sum_of_squares([x, y]) in place of sqrt(x**2 + y**2)**2"
    )
    if modes.swallowed is None:
        modes.warnings = (*modes.warnings, message)
    else:
        modes.swallowed.append(message)


def warn_of_swallowed() -> None:
    """Warns of the infinities that a walk swallowed. Its lock must be free: the user's own code may run here."""
    messages, modes.warnings = modes.warnings, ()
    if not messages:
        return
    frame = caller()
    for message in messages:
        warnings.warn_explicit(message, SwallowedInfinityWarning, frame.f_code.co_filename, frame.f_lineno)


def _made_at(node: Any) -> str:
    return (modes.places or {}).get(id(node), (node, "a line that ran before detect_anomaly()"))[1]
