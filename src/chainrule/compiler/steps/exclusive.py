"""Mutual exclusion: the steps of one optimiser run one at a time, whichever threads call them, so that none is lost."""

from __future__ import annotations

import threading
from typing import Protocol
from weakref import WeakValueDictionary

from chainrule.core.forks import lock_held_while_forking, renewed_in_child
from chainrule.errors import TraceError
from chainrule.optim import Optimizer


class Running(Protocol):
    """A run of steps in progress."""

    def break_off(self) -> None:
        """Abandons the run in a forked process, where its thread does not exist."""


class Turn:
    """The lock of one optimiser, which the threads that call its steps take in turn.

    Attributes:
        lock: is held while steps run, and while their results are read.
        thread: the id of the thread that runs steps; None if there is none.
        run: its run, once that is prepared.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.thread: int | None = None
        self.run: Running | None = None
        renewed_in_child(self)

    def check(self) -> None:
        """Refuses a step within a step. The caller holds the lock.

        Raises:
            TraceError: this thread runs a step already.
        """
        if self.thread is not None:
            raise TraceError(
                "a step was called while a step of the same optimizer runs, by its own loss, schedule or update: call "
                "it after that one, in the training loop"
            )

    def after_fork(self) -> None:
        """Is called in a forked process: makes a new lock, and abandons a run of another thread, since that thread does
        not exist here. The parameters keep the numbers that were saved last."""
        self.lock = threading.RLock()
        if self.thread not in (None, threading.get_ident()):
            if self.run is not None:
                self.run.break_off()
            self.thread = self.run = None


_turns: WeakValueDictionary[int, Turn] = WeakValueDictionary()
"""The turns by the id of their optimiser. They are weak references: each compiled step keeps its optimiser and the turn
alive."""

_lock = lock_held_while_forking()


def turn_of(optimizer: Optimizer) -> Turn:
    """Returns the turn that all steps of an optimiser share; makes it on first use."""
    with _lock:
        found = _turns.get(id(optimizer))
        if found is None:
            found = _turns[id(optimizer)] = Turn()
        return found
