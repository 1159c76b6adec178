"""Modes, which change how the engine records: `no_grad()`, `detect_anomaly()` and others. Each thread has its own.

What the engine does under them is in `hooks.py`. `caller()` is also here; it finds the user's own line for a message.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from chainrule.core.forks import renewed_in_child

PACKAGE = str(Path(__file__).parents[1]) + os.sep
"""The folder of chainrule's own files, with the separator at its end."""


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
    recorder: Any = None
    """Within `chainrule.recording()`: the recorder, which is told of all that happens (`see/recording/recorder.py`)."""

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
    with setting("recording", False):
        yield


def nested_transform() -> contextlib.AbstractContextManager[None]:
    """Marks that a transform runs; it records even inside `no_grad()`, since it needs the graph."""
    nested = _Noted("nesting", modes.nesting + 1)
    return nested if modes.recording else _recording(nested)


@contextlib.contextmanager
def _recording(nested: _Noted) -> Iterator[None]:
    with nested, setting("recording", True):
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
def setting(name: str, value: Any) -> Iterator[None]:
    """Sets a mode of this thread within the `with`, and tells the engine that one is set."""
    opened = modes.opened  # this thread's; another thread may end the block
    open_modes.append(name)
    opened.append(name)
    try:
        with _Noted(name, value):
            yield
    finally:
        opened.remove(name)
        open_modes.remove(name)


def recording_into(recorder: Any) -> contextlib.AbstractContextManager[None]:
    """Lets a recorder watch what runs within the `with`."""
    return setting("recorder", recorder)


def unwatched() -> contextlib.AbstractContextManager[None]:
    """Lets nobody record what runs within the `with`, as it is not the user's own doing."""
    return _Noted("recorder", None)


@contextlib.contextmanager
def tracing(trace: Any) -> Iterator[None]:
    """Lets a trace record what runs within the `with`: see `chainrule.compiler.trace.tracing.Trace`."""
    open_traces.append("trace")
    try:
        with setting("trace", trace):
            yield
    finally:
        open_traces.pop()


def caller() -> FrameType:
    """Returns the innermost frame that is not chainrule's own: the user's line."""
    frame = here = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame or here


def place(frame: FrameType) -> str:
    """Returns the words by which a message names the current line of a frame."""
    return f"line {frame.f_lineno} of {frame.f_code.co_filename}"


def call_of(node: Any) -> str:
    """Returns the words by which a message names the call that made a node, with the numbers of its operands."""
    operands = [f"{x.label}={x.peek_data()!r}" if x.label else repr(x.peek_data()) for x in node.operands]
    if len(operands) > 8:
        operands[4:-3] = ["…"]
    return f"{node.op.name}({', '.join(operands)})"
