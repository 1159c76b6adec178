"""A pool of threads that share one call.

A scheduler may wake a thread on the CPU of the thread that woke it, and leave both there for milliseconds although
another CPU is idle. In virtual machines this is usual, since a sleeping CPU looks like one that was taken away. A call
is over by then. So each worker is pinned, where the operating system allows it, to CPUs of its own among those that the
caller may use.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class ThreadPool:
    """The calling thread and its worker threads, `threads` in all."""

    def __init__(self, threads: int) -> None:
        self._count = threads - 1
        self._start_anew()

    def _start_anew(self) -> None:
        self._workers, self._process = [_Worker() for _ in range(self._count)], os.getpid()

    def describe(self) -> list[str]:
        """Returns a sentence for `explain()`, if there are workers."""
        return [f"large batches are shared out among {self._count + 1} threads"] if self._count else []

    def share(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Runs tasks in parallel and returns their results when all of them have ended.

        Args:
            tasks: at least one, and at most as many as there are threads; the calling thread runs the first.

        >>> ThreadPool(3).share([lambda: 1, lambda: 2, lambda: 3])
        [1, 2, 3]
        """
        if self._process != os.getpid():  # a forked process has none of the workers
            self._start_anew()
        own, *others = tasks
        places = cpus_of_workers(len(others))
        workers = self._workers[: len(others)]
        try:
            started = [worker.start(task, cpus) for worker, task, cpus in zip(workers, others, places, strict=True)]
            return [own(), *[one.result() for one in started]]
        except BaseException:
            _wait_until_idle(workers)
            raise


def _wait_until_idle(workers: Sequence[_Worker]) -> None:
    """Waits for workers, even if Ctrl-C arrives meanwhile: they write into memory that later calls will use."""
    try:
        for worker in workers:
            worker.wait_until_idle()
    except BaseException:
        _wait_until_idle(workers)
        raise


class _Worker:
    """A thread, and the set of CPUs that it is pinned to, which is empty until then."""

    def __init__(self) -> None:
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._executor = ThreadPoolExecutor(1, initializer=self._note_thread)
        self._thread: int | None = None
        self._cpus: set[int] = set()
        self._was_asked = False

    def _note_thread(self) -> None:
        self._thread = threading.get_native_id()

    def start(self, task: Callable[[], T], cpus: set[int]) -> Future[T]:
        """Starts a task, on the given CPUs unless the set is empty."""
        if self._thread is None and cpus:
            self._submit(int).result()  # an empty task, which starts the thread
        if self._thread is not None and cpus and cpus != self._cpus:  # pinned before it wakes
            with contextlib.suppress(OSError):  # one of the CPUs has just been taken away
                os.sched_setaffinity(self._thread, cpus)
                self._cpus = cpus
        return self._submit(task)

    def wait_until_idle(self) -> None:
        """Waits until all submitted tasks are done, even those whose Future an interrupt has lost."""
        if self._was_asked:
            self._submit(int).result()

    def _submit(self, task: Callable[[], T]) -> Future[T]:
        self._was_asked = True
        try:
            return self._executor.submit(task)
        except RuntimeError:  # no thread can be started; a later one must not begin with this task
            self._begin_anew()
            raise


def cpus_of_workers(workers: int) -> list[set[int]]:
    """Returns the CPUs that each worker should use, so that none shares one with another worker or the calling thread.

    If there are too few CPUs, each worker may use all of them; if the system cannot pin threads, the sets are empty.
    """
    if not hasattr(os, "sched_setaffinity") or _current_cpu is None:
        return [set()] * workers
    free = sorted(os.sched_getaffinity(0) - {_current_cpu()})
    if len(free) < workers:
        return [set(os.sched_getaffinity(0))] * workers
    return [set(free[i::workers]) for i in range(workers)]


def _find_current_cpu() -> Callable[[], int] | None:
    try:
        return ctypes.CDLL(None).sched_getcpu
    except (AttributeError, OSError, TypeError):  # not Linux
        return None


_current_cpu = _find_current_cpu()
