"""One `fit` at a time on a model, whatever threads they are in."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator

from chainrule.engine import Value
from chainrule.errors import ArgumentError

_going_on: list[tuple[int, frozenset[int]]] = []
"""For each `fit` its thread and the ids of the parameters that it moves, in the order in which they began."""


@contextlib.contextmanager
def alone_with(parameters: Iterable[Value]) -> Iterator[None]:
    """Context manager in which no other thread may come in with one of these parameters.

    Raises:
        ArgumentError: another thread is in already.
    """
    kept = list(parameters)
    mine = threading.get_ident(), frozenset(map(id, kept))
    _going_on.append(mine)  # first, and then see who came before: of two threads at once just one is refused
    try:
        _refuse_second(mine)
        yield
    finally:
        _going_on.remove(mine)


def _refuse_second(mine: tuple[int, frozenset[int]]) -> None:
    thread, parameters = mine
    before = _going_on[: _going_on.index(mine)]
    others = {other for other, theirs in before if other != thread and not theirs.isdisjoint(parameters)}
    alive = {other.ident for other in threading.enumerate()}  # in a forked process, those of the parent are not
    if others & alive:
        raise ArgumentError(
            "another thread trains this model (or one that shares parameters with it), and each would undo the steps "
            "of the other: train a copy, fit(copy.deepcopy(model), X, y, ...), or wait until the other is done"
        )
