"""What changes how the engine records: `no_grad()` and `detect_anomaly()`; each thread has its own.

Also here: `caller()`, which finds the user's own line for a message.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from chainrule.core.forks import renewed_in_child
from chainrule.errors import AnomalyError, ReadOnlyError, SwallowedInfinityWarning, TraceError

_PACKAGE = str(Path(__file__).parents[1]) + os.sep
_VALUE_BASE = str(Path(_PACKAGE, "storage", "value_base.py"))


class _Modes(threading.local):
    def __init__(self) -> None:
        self.opened: list[str] = []
        """What this thread has in `open_modes`."""

    recording = True
    nesting = 0
    """How many transforms (`grad` and its like) are running around the present call."""
    places: dict[int, tuple[Any, str]] | None = None
    """Under `detect_anomaly()`: each node made (kept, so that its id stays its own) and the line that made it."""
    zeros: frozenset | set = frozenset()
    """Likewise: nodes, by id, to which a zero came down that no branch has made."""
    told: frozenset | set = frozenset()
    """Likewise: lines that were warned about."""
    swallowed: list[str] | None = None
    """Where to note swallowed infinities: then nothing is warned about, and nothing raised."""
    warnings: tuple[str, ...] = ()
    """What is to be warned about once the `backward()` at hand has ended, and with it its lock."""
    differentiated: tuple[Variables, ...] = ()
    """What the transforms that are running differentiate by."""
    trace: Any = None
    """While the compiler looks on: what it is told of each result, and of each number that Python asks for."""

    def after_fork(self) -> None:
        """Forgets the modes of threads that do not exist here."""
        open_modes[:] = self.opened
        open_traces[:] = [name for name in self.opened if name == "trace"]


class Variables:
    """The numbers that a transform differentiates by; which they are is looked up only if one is copied."""

    __slots__ = ("_ids", "_variables")

    def __init__(self, variables: Sequence[Any]) -> None:
        self._variables = variables
        self._ids: set[int] | None = None

    def __contains__(self, node: Any) -> bool:
        if self._ids is None:
            self._ids = set(map(id, self._variables))
        return id(node) in self._ids


modes = _Modes()
renewed_in_child(modes)

open_modes: list[str] = []
"""Something is in here while any thread has a mode set: a quick look before the slower one into the thread's own."""

open_traces: list[str] = []
"""Likewise while any thread compiles a function."""

CUT = (
    "a copy of a number that is being differentiated is a new leaf, and no derivative flows back from it: copy the "
    "lists alone, [list(row) for row in rows], or say x.detach() where the derivative is to stop"
)
"""What is said of a copied variable of a transform."""


@contextlib.contextmanager
def no_grad() -> Iterator[None]:
    """Context manager (or decorator) in which operations give plain leaves: nothing is recorded.

    >>> from chainrule import Value, no_grad
    >>> v = Value(3.0)
    >>> with no_grad():
    ...     y = v * v
    >>> y.data, y.operands
    (9.0, ())
    """
    with _set("recording", False):
        yield


@contextlib.contextmanager
def detect_anomaly() -> Iterator[None]:
    """Context manager that stops at the operation that makes the first non-finite number, forward or backward.

    Raises:
        AnomalyError: names the operation, its operands and the line that called it.

    Slow, and it holds every node that is made until it ends: put it around the one step that goes wrong. A product of
    the chain rule in which one side is 0 deposits nothing, so an infinity on its other side is no anomaly; but unless
    the zero is that of a branch which was not taken, a SwallowedInfinityWarning says where this was.

    >>> from chainrule import Value, detect_anomaly
    >>> with detect_anomaly():
    ...     Value(-1.0).log()
    Traceback (most recent call last):
        ...
    chainrule.errors.AnomalyError: log(-1.0) gave nan, at line 2 of <doctest chainrule.core.modes.detect_anomaly[1]>
    """
    with _set("places", {}), _set("zeros", set()), _set("told", set()), _set("warnings", ()):
        yield


@contextlib.contextmanager
def swallowed_infinities() -> Iterator[list[str]]:
    """Context manager that gives a list, into which comes what `detect_anomaly()` would warn about."""
    noted: list[str] = []
    with detect_anomaly(), _set("swallowed", noted):
        yield noted


@contextlib.contextmanager
def nested_transform() -> Iterator[None]:
    """Marks that a transform runs; it records even inside `no_grad()`, for it needs the graph."""
    with _set("nesting", modes.nesting + 1), _set("recording", True):
        yield


def differentiating(variables: Sequence[Any]) -> contextlib.AbstractContextManager[None]:
    """Marks that a transform differentiates by these, so that a copy of one, which cuts the derivative, says so."""
    return _set("differentiated", (*modes.differentiated, Variables(variables)))


@contextlib.contextmanager
def _set(name: str, value: Any) -> Iterator[None]:
    before, opened = getattr(modes, name), modes.opened  # of this thread, though another one may end the block
    open_modes.append(name)
    opened.append(name)
    try:
        setattr(modes, name, value)
        yield
    finally:
        setattr(modes, name, before)
        opened.remove(name)
        open_modes.remove(name)


@contextlib.contextmanager
def tracing(trace: Any) -> Iterator[None]:
    """Has the compiler look on: see `chainrule.compiler.trace.tracing.Trace`."""
    open_traces.append("trace")
    try:
        with _set("trace", trace):
            yield
    finally:
        open_traces.pop()


def caller() -> FrameType:
    """The innermost frame that is not chainrule's own: the user's line."""
    frame = here = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame or here


def place(frame: FrameType) -> str:
    """How a message names the line at which a frame stands."""
    return f"line {frame.f_lineno} of {frame.f_code.co_filename}"


def under_modes(node: Any) -> Any:
    """What becomes of a new result while some thread has a mode set: itself, a plain leaf, or an AnomalyError."""
    if modes.places is not None:
        check_value(node)
    if modes.trace is not None:
        return modes.trace.made(node, modes.recording)
    return node if modes.recording else node.detach()


def seen_data(node: Any, data: float) -> Any:
    """What `node.data` gives while some thread has a mode set: the number, or to the compiler a node without slope."""
    return data if modes.trace is None else modes.trace.data_of(node)


def seen_truth(node: Any, truth: bool) -> bool:
    """Likewise `bool(node)`: the compiler takes note of which way the calculation went."""
    return truth if modes.trace is None else modes.trace.asked(node, truth)


def written_out(data: float) -> float:
    """Likewise a number that is to be written out: a compiled function's text would stay that of the first call."""
    if modes.trace is not None:
        raise TraceError(
            "a compiled function cannot format a number, since its text would stay that of the first call: print the "
            "Value itself, print(v), or return the number and format it outside"
        )
    return data


def untraced(x: Any, deed: str, node: Any = None) -> Any:
    """Refuses, while the compiler looks on, what belongs outside a function that is compiled; else gives back `x`.
    A `node` whose gradient is read may belong inside, namely to the update of an optimiser: the compiler knows."""
    if modes.trace is None:
        return x
    error = TraceError(f"a compiled function cannot {deed}: compile the loss alone, and ask value_and_grad of it")
    if node is None:
        raise error
    return modes.trace.grad_of(node, error)


def peeked(x: Any, what: str) -> Any:
    """What `peek_data()`, `peek_grad()` and `locals` give: chainrule's own lines, for which these are, may look at a
    number while it is traced; a compiled function that did would keep it."""
    if modes.trace is None:
        return x
    frame = sys._getframe(1)
    if frame.f_code.co_filename == _VALUE_BASE and frame.f_back is not None:  # which has no frame where it is compiled
        frame = frame.f_back
    if frame.f_code.co_filename.startswith(_PACKAGE):
        return x
    raise TraceError(
        f"a compiled function cannot read {what}, which would stay that of the first call: say .data for the number, "
        "without its derivative, and chainrule.grad(f)(x) for a derivative within the function"
    )


def check_write(node: Any) -> None:
    """Refuses to write the data of a result, and any data while the compiler looks on."""
    if modes.trace is not None:
        error = TraceError("a compiled function cannot write .data: return the new number, and write it outside")
        modes.trace.written(node, error)
    if not node.is_leaf():
        raise ReadOnlyError(f"the data of a result ({node.op.name}) is read-only: write a leaf's, then refresh()")


def check_value(node: Any) -> None:
    """Under `detect_anomaly()`: note where `node` was made, and refuse it if its number is not finite."""
    where = place(caller())
    assert modes.places is not None
    modes.places[id(node)] = (node, where)
    if not math.isfinite(node.peek_data()) and modes.swallowed is None:
        raise AnomalyError(f"{call_of(node)} gave {node.peek_data()}, at {where}")


def check_deposits(node: Any, upstream: float, operand: Any = None, local: float | None = None) -> None:
    """Under `detect_anomaly()`: refuse a step of the chain rule that made a gradient that is not finite.

    It is about all operands, or about one with its local derivative.
    """
    if modes.places is None:
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
    "take", "abs", "stop_gradient"}  # fmt: skip
"""Operations whose slope of 0 says that an operand has no part in the result."""


def _is_of_number(node: Any, upstream: float) -> bool:
    """Whether a zero in a step of the chain rule comes from a number that is 0, not from a branch not taken."""
    if not upstream:
        return id(node) in modes.zeros
    zeros = [x for x in node.operands if x.peek_data() == 0]
    return node.op.name not in _BRANCHES and not any(map(_of_branch, zeros))


def _of_branch(zero: Any) -> bool:
    """Whether a number is 0 because of a branch: the factor x > 0, or what the chain rule made of such; or a mask, a
    plain 0 in the formula."""
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
    """Warns, or notes, once for each line."""
    where = _made_at(node)
    if where in modes.told:
        return
    modes.told.add(where)  # type: ignore[union-attr]
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
    """Warns of the infinities that a walk swallowed, once its lock is free: code of the user's own may run here."""
    messages, modes.warnings = modes.warnings, ()
    if not messages:
        return
    frame = caller()
    for message in messages:
        warnings.warn_explicit(message, SwallowedInfinityWarning, frame.f_code.co_filename, frame.f_lineno)


def _made_at(node: Any) -> str:
    return (modes.places or {}).get(id(node), (node, "a line that ran before detect_anomaly()"))[1]


def call_of(node: Any) -> str:
    """How a message names the call that made a node, by the numbers of its operands."""
    operands = [f"{x.label}={x.peek_data()!r}" if x.label else repr(x.peek_data()) for x in node.operands]
    if len(operands) > 8:
        operands[4:-3] = ["…"]
    return f"{node.op.name}({', '.join(operands)})"
