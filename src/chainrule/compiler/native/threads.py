"""A crew: threads among which one call is shared out.

A scheduler may wake a thread on the CPU of who woke it and leave both there for milliseconds, though another CPU is
idle; in virtual machines that is the rule, since a CPU that sleeps looks as if it were taken away. A call is over by
then. So each helper, where the operating system has it, goes to CPUs of its own among those that the caller may use.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


class Crew:
    """The calling thread, and as many helpers as it takes to be `threads`."""

    def __init__(self, threads: int) -> None:
        self._count = threads - 1
        self._hire()

    def _hire(self) -> None:
        self._helpers, self._process = [_Helper() for _ in range(self._count)], os.getpid()

    def describe(self) -> list[str]:
        """A sentence for `explain()`, if there are helpers."""
        return [f"large batches are shared out among {self._count + 1} threads"] if self._count else []

    def share(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Runs tasks side by side; gives what they return, when all of them have ended.

        Args:
            tasks: at least one, and at most as many as there are threads.

        >>> Crew(3).share([lambda: 1, lambda: 2, lambda: 3])
        [1, 2, 3]
        """
        if self._process != os.getpid():  # threads do not come along into a forked process
            self._hire()
        own, *others = tasks
        places = cpus_of_helpers(len(others))
        helpers = self._helpers[: len(others)]
        started: list[Future[T]] = []
        try:
            for helper, task, cpus in zip(helpers, others, places, strict=True):
                started.append(helper.start(task, cpus))
            found = own()
        finally:
            _all_ended(started)
        return [found, *[one.result() for one in started]]


def _all_ended(tasks: list[Future[T]]) -> None:
    """Waits for helpers, also where Ctrl-C comes meanwhile: they write into memory that whoever comes next will use."""
    try:
        wait(tasks)
    except BaseException:
        _all_ended(tasks)
        raise


class _Helper:
    """A thread, and the CPUs that it may use; none if nothing was said about that yet."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, initializer=self._take_note)
        self._thread: int | None = None
        self._cpus: set[int] = set()

    def _take_note(self) -> None:
        self._thread = threading.get_native_id()

    def start(self, task: Callable[[], T], cpus: set[int]) -> Future[T]:
        """Lets it do a task, on these CPUs if there are any."""
        if self._thread is None and cpus:
            self._executor.submit(int).result()  # it is there now
        if self._thread is not None and cpus and cpus != self._cpus:  # before it wakes
            with contextlib.suppress(OSError):  # one of them has just been taken away
                os.sched_setaffinity(self._thread, cpus)
                self._cpus = cpus
        return self._executor.submit(task)


def cpus_of_helpers(helpers: int) -> list[set[int]]:
    """For each helper the CPUs that it should use, so that none meets another or the calling thread.

    An empty set stands for any: where the operating system cannot say, or there are too few CPUs.
    """
    if not hasattr(os, "sched_setaffinity") or _current_cpu is None:
        return [set()] * helpers
    free = sorted(os.sched_getaffinity(0) - {_current_cpu()})
    if len(free) < helpers:
        return [set(os.sched_getaffinity(0))] * helpers
    return [set(free[i::helpers]) for i in range(helpers)]


def _find_current_cpu() -> Callable[[], int] | None:
    try:
        return ctypes.CDLL(None).sched_getcpu
    except (AttributeError, OSError, TypeError):  # not Linux
        return None


_current_cpu = _find_current_cpu()
