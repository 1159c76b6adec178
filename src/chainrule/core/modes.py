"""Modes, which change how the engine records: `no_grad()`, `detect_anomaly()` and others. Each thread has its own.

`caller()` is also here; it finds the user's own line for a message.
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
    """The modes of each thread."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        """The entries of this thread in `open_modes`."""

    recording = True
    nesting = 0
    """How many transforms (`grad` and its like) the present call is within."""
    places: dict[int, tuple[Any, str]] | None = None
    """Under `detect_anomaly()`: each node by its id (held, so that no other gets it), and the line that made it."""
    zeros: frozenset | set = frozenset()
    """Under `detect_anomaly()`: the ids of nodes that received a gradient of 0 which comes from no branch."""
    warned_lines: frozenset | set = frozenset()
    """Under `detect_anomaly()`: the lines that were warned about."""
    swallowed: list[str] | None = None
    """A list to note swallowed infinities in; with it, nothing is warned about, and nothing raised."""
    warnings: tuple[str, ...] = ()
    """The warnings to give when the current `backward()` has ended and released its lock."""
    differentiated: tuple[Variables, ...] = ()
    """The variables of all transforms that are running."""
    trace: Any = None
    """While a function is traced: the trace, which is told of each result and of each number that Python asks for."""

    def after_fork(self) -> None:
        """Forgets the modes of threads that do not exist in the child."""
        open_modes[:] = self.opened
        open_traces[:] = [name for name in self.opened if name == "trace"]


class Variables:
    """The numbers that a transform differentiates by; their ids are collected only when a number is copied."""

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
"""The modes that are set in any thread; to test whether it is empty is quicker than to look at a thread's modes."""

open_traces: list[str] = []
"""An entry for each function that is being traced in any thread."""

CUT = (
    "a copy of a number that is being differentiated is a new leaf, and no derivative flows back from it: copy the "
    "lists alone, [list(row) for row in rows], or say x.detach() where the derivative is to stop"
)
"""The error message for a copied variable of a transform."""


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

    It is slow, and holds every node made within it: put it around the one step that goes wrong. A product of the chain
    rule in which one side is 0 deposits nothing, so an infinity on its other side is no anomaly; but unless the zero is
    that of a branch which was not taken, a SwallowedInfinityWarning says where this was.

    >>> from chainrule import Value, detect_anomaly
    >>> with detect_anomaly():
    ...     Value(-1.0).log()
    Traceback (most recent call last):
        ...
    chainrule.errors.AnomalyError: log(-1.0) gave nan, at line 2 of <doctest chainrule.core.modes.detect_anomaly[1]>
    """
    with _set("places", {}), _set("zeros", set()), _set("warned_lines", set()), _set("warnings", ()):
        yield


@contextlib.contextmanager
def swallowed_infinities() -> Iterator[list[str]]:
    """Yields a list that collects the warnings which `detect_anomaly()` would give."""
    noted: list[str] = []
    with detect_anomaly(), _set("swallowed", noted):
        yield noted


def nested_transform() -> contextlib.AbstractContextManager[None]:
    """Marks that a transform runs; it records even inside `no_grad()`, since it needs the graph."""
    nested = _Noted("nesting", modes.nesting + 1)
    return nested if modes.recording else _recording(nested)


@contextlib.contextmanager
def _recording(nested: _Noted) -> Iterator[None]:
    with nested, _set("recording", True):
        yield


def differentiating(variables: Sequence[Any]) -> contextlib.AbstractContextManager[None]:
    """Marks that a transform differentiates by these variables: a copy would cut the derivative, and is refused."""
    return _Noted("differentiated", (*modes.differentiated, Variables(variables)))


class _Noted(contextlib.AbstractContextManager):
    """Sets what the engine need not ask for at each result, and so is not among the `open_modes`."""

    __slots__ = ("_before", "_name", "_value")

    def __init__(self, name: str, value: Any) -> None:
        self._name, self._value = name, value

    def __enter__(self) -> None:
        self._before = getattr(modes, self._name)
        setattr(modes, self._name, self._value)

    def __exit__(self, *error: object) -> None:
        setattr(modes, self._name, self._before)


@contextlib.contextmanager
def _set(name: str, value: Any) -> Iterator[None]:
    opened = modes.opened  # this thread's; another thread may end the block
    open_modes.append(name)
    opened.append(name)
    try:
        with _Noted(name, value):
            yield
    finally:
        opened.remove(name)
        open_modes.remove(name)


@contextlib.contextmanager
def tracing(trace: Any) -> Iterator[None]:
    """Lets a trace record what runs within the `with`: see `chainrule.compiler.trace.tracing.Trace`."""
    open_traces.append("trace")
    try:
        with _set("trace", trace):
            yield
    finally:
        open_traces.pop()


def caller() -> FrameType:
    """Returns the innermost frame that is not chainrule's own: the user's line."""
    frame = here = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame or here


def place(frame: FrameType) -> str:
    """Returns the words by which a message names the current line of a frame."""
    return f"line {frame.f_lineno} of {frame.f_code.co_filename}"


def under_modes(node: Any) -> Any:
    """Applies this thread's modes to a new result: returns it, or a plain leaf in its place, or raises AnomalyError."""
    if modes.places is not None:
        check_value(node)
    if modes.trace is not None:
        return modes.trace.made(node, modes.recording)
    return node if modes.recording else node.detach()


def seen_data(node: Any, data: float) -> Any:
    """Returns what `node.data` gives while modes are set: the number, or within a trace a node without derivative."""
    return data if modes.trace is None else modes.trace.data_of(node)


def seen_truth(node: Any, truth: bool) -> bool:
    """Returns what `bool(node)` gives while modes are set; a trace records the outcome as a guard."""
    return truth if modes.trace is None else modes.trace.asked(node, truth)


def written_out(data: float) -> float:
    """Returns a number that is to be formatted; refuses it within a trace, where the text would never change again."""
    if modes.trace is not None:
        raise TraceError(
            "a compiled function cannot format a number, since its text would stay that of the first call: print the "
            "Value itself, print(v), or return the number and format it outside"
        )
    return data


def untraced(x: Any, deed: str, node: Any = None) -> Any:
    """Returns `x`, but within a trace refuses the `deed`, which belongs outside of a compiled function. To read the
    gradient of a `node` may belong inside, in the update of an optimiser: the trace decides this."""
    if modes.trace is None:
        return x
    error = TraceError(f"a compiled function cannot {deed}: compile the loss alone, and ask value_and_grad of it")
    if node is None:
        raise error
    return modes.trace.grad_of(node, error)


def peeked(x: Any, what: str) -> Any:
    """Returns `x`, which `peek_data()`, `peek_grad()` or `locals` is to give. Within a trace only chainrule's own code,
    for which these are made, may look at it: a compiled function would keep the number of the first call."""
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


def check_read(node: Any, name: str) -> None:
    """Refuses to read an attribute of the user's own within a trace, unless the Value was made there."""
    if modes.trace is not None and not modes.trace.has_made(node):
        raise TraceError(
            f"a compiled function cannot read {name!r}, an attribute of your own on a Value, which would stay that of "
            "the first call: keep it in an attribute of a Module, or give it as an argument"
        )


def check_write(node: Any) -> None:
    """Refuses to write the data of a result, and any data within a trace."""
    if modes.trace is not None:
        error = TraceError("a compiled function cannot write .data: return the new number, and write it outside")
        modes.trace.written(node, error)
    if not node.is_leaf():
        raise ReadOnlyError(f"the data of a result ({node.op.name}) is read-only: write a leaf's, then refresh()")


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


def call_of(node: Any) -> str:
    """Returns the words by which a message names the call that made a node, with the numbers of its operands."""
    operands = [f"{x.label}={x.peek_data()!r}" if x.label else repr(x.peek_data()) for x in node.operands]
    if len(operands) > 8:
        operands[4:-3] = ["…"]
    return f"{node.op.name}({', '.join(operands)})"
