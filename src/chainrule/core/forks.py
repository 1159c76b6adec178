"""Forks: the child has a copy of every lock, but of the threads only the one that forked. A lock that another thread
held at that moment would never be free again.

There are two kinds of locks. Some guard what must be whole in the child, such as LLVM's own state; nothing of the
user's runs under them, so whoever forks takes them before, and both processes release them. Under others the user's
own functions run, which may wait for the thread that forks; the child makes those anew.

Of the first kind some are *innermost*: freeing an object takes them. As the cyclic collector may free one wherever
Python runs, thus also under any other lock, whoever forks takes these last, even if others were made later.
"""

from __future__ import annotations

import os
from threading import RLock, local
from typing import Any, Protocol, TypeVar
from weakref import WeakSet


class Lock(Protocol):
    """What a lock of the module `threading` can do."""

    def acquire(self) -> Any: ...
    def release(self) -> None: ...


AnyLock = TypeVar("AnyLock", bound=Lock)

_held: list[Lock] = []
_innermost: list[Lock] = []


class _Forks(local):
    """The forks that this thread is in, each with the locks it has taken: with one list for all threads, whoever forks
    next would have noted the first lock there while this thread still gives back what stands in it."""

    def __init__(self) -> None:
        self.taken: list[list[Lock]] = []


_forks = _Forks()
_renewed: WeakSet[Any] = WeakSet()


def lock_held_while_forking(*, innermost: bool = False) -> RLock:
    """A new lock, which whoever forks takes first. Who takes several does so in the order in which they were made, the
    innermost ones after all others."""
    return held_while_forking(RLock(), innermost=innermost)


def held_while_forking(lock: AnyLock, *, innermost: bool = False) -> AnyLock:
    """Likewise a lock that is there already, a re-entrant one; gives it back."""
    (_innermost if innermost else _held).append(lock)
    return lock


def renewed_in_child(owner: Any) -> None:
    """Has the child call `owner.after_fork()`, in the one thread that it has."""
    _renewed.add(owner)


def _before() -> None:
    taken: list[Lock] = []
    _forks.taken.append(taken)
    for lock in (*_held, *_innermost):
        lock.acquire()
        taken.append(lock)  # should Ctrl-C end this loop, Python forks all the same


def _after() -> None:
    taken = _forks.taken.pop()
    while taken:
        taken.pop().release()


def _after_in_child() -> None:
    _after()
    for owner in list(_renewed):
        owner.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after_in_child)
