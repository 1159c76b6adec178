"""Locks across forks: the child process has a copy of every lock, but only the thread that forked. A lock that another
thread held at that moment would never be released.

There are two kinds of locks. Some guard state that must be consistent in the child, such as LLVM's own. No code of the
user runs under them, so the thread that forks takes them first (in an at-fork hook), and both processes release them.
Under the others the user's own functions run, which may wait for the thread that forks; the child makes those anew.

Some locks of the first kind are *innermost*: freeing an object takes them. As the cyclic collector may free one
wherever Python runs, thus also under any other lock, a fork takes these last, even if others were made later.
"""

from __future__ import annotations

import os
from threading import RLock, local
from typing import Any, Protocol, TypeVar
from weakref import WeakSet


class Lock(Protocol):
    """A lock of the module `threading`, or one like it."""

    def acquire(self) -> Any: ...
    def release(self) -> None: ...


AnyLock = TypeVar("AnyLock", bound=Lock)

_held: list[Lock] = []
_innermost: list[Lock] = []


class _Forks(local):
    """The forks that this thread is in, each with the locks that it has taken. They are not in one list of all threads:
    the next thread that forks would add its first lock while this one still releases the locks in the list."""

    def __init__(self) -> None:
        self.taken: list[list[Lock]] = []


_forks = _Forks()
_renewed: WeakSet[Any] = WeakSet()


def lock_held_while_forking(*, innermost: bool = False) -> RLock:
    """Returns a new re-entrant lock, which every fork takes first. Code that takes several takes them in the order in
    which they were made, the innermost ones after all others."""
    return held_while_forking(RLock(), innermost=innermost)


def held_while_forking(lock: AnyLock, *, innermost: bool = False) -> AnyLock:
    """Makes every fork take an existing re-entrant lock, too; returns the lock."""
    (_innermost if innermost else _held).append(lock)
    return lock


def renewed_in_child(owner: Any) -> None:
    """Makes the child of a fork call `owner.after_fork()`. Keeps only a weak reference to `owner`."""
    _renewed.add(owner)


def _before() -> None:
    taken: list[Lock] = []
    _forks.taken.append(taken)
    for lock in (*_held, *_innermost):
        lock.acquire()
        taken.append(lock)  # one by one: if Ctrl-C ends this loop, Python forks all the same


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
