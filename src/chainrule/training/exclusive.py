"""Exclusive training: only one thread at a time may run `fit` on a model."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator

from chainrule.engine import Value
from chainrule.errors import ArgumentError

_running: list[tuple[int, frozenset[int]]] = []
"""For each running `fit` its thread and the ids of its parameters, in the order in which they began."""


@contextlib.contextmanager
def exclusively(parameters: Iterable[Value]) -> Iterator[None]:
    """Context manager that reserves these parameters for the present thread.

    Raises:
        ArgumentError: another thread has reserved one of them.
    """
    kept = list(parameters)
    own = threading.get_ident(), frozenset(map(id, kept))
    _running.append(own)  # register before checking: of two threads just the second is refused
    try:
        _refuse_second(own)
        yield
    finally:
        _running.remove(own)


def _refuse_second(own: tuple[int, frozenset[int]]) -> None:
    thread, parameters = own
    before = _running[: _running.index(own)]
    others = {other for other, theirs in before if other != thread and not theirs.isdisjoint(parameters)}
    alive = {other.ident for other in threading.enumerate()}  # excludes the parent's threads in a fork
    if others & alive:
        raise ArgumentError(
            "another thread trains this model (or one that shares parameters with it), and each would undo the steps "
            "of the other: train a copy, fit(copy.deepcopy(model), X, y, ...), or wait until the other is done"
        )
