"""Turns: of the steps of one optimiser one runs at a time, whatever threads call them, so that all of them count."""

from __future__ import annotations

import threading
from typing import Protocol
from weakref import WeakValueDictionary

from chainrule.core.forks import lock_held_while_forking, renewed_in_child
from chainrule.errors import TraceError
from chainrule.optim import Optimizer


class Running(Protocol):
    """What runs."""

    def break_off(self) -> None:
        """Called in a forked process, where the thread that ran it does not exist."""


class Turn:
    """Whose turn it is among the threads that call the steps of one optimiser.

    Attributes:
        lock: is taken by whoever runs, and by whoever looks at what a run leaves behind.
        thread: the one that runs; None if there is none.
        run: what it runs, once that is made ready.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.thread: int | None = None
        self.run: Running | None = None
        renewed_in_child(self)

    def check(self) -> None:
        """Refuses a step inside of a step, by whoever has the lock.

        Raises:
            TraceError: this thread runs one.
        """
        if self.thread is not None:
            raise TraceError(
                "a step was called while a step of the same optimizer runs, by its own loss, schedule or update: call "
                "it after that one, in the training loop"
            )

    def after_fork(self) -> None:
        """In a forked process: a run of another thread does not go on, and left the parameters as before it."""
        self.lock = threading.RLock()
        if self.thread not in (None, threading.get_ident()):
            if self.run is not None:
                self.run.break_off()
            self.thread = self.run = None


_turns: WeakValueDictionary[int, Turn] = WeakValueDictionary()
"""By the id of the optimiser, which each of its steps keeps alive together with the turn."""

_lock = lock_held_while_forking()


def turn_of(optimizer: Optimizer) -> Turn:
    """That of all steps of an optimiser."""
    with _lock:
        found = _turns.get(id(optimizer))
        if found is None:
            found = _turns[id(optimizer)] = Turn()
        return found
