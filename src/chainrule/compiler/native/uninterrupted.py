"""Work that no exception from outside can interrupt: it runs in a thread that no other code knows of.

Python raises KeyboardInterrupt in the main thread, and `PyThreadState_SetAsyncExc` raises any exception in any thread
that it is given, between two instructions of whatever runs there. Code that frees memory and only then notes that it
did cannot stand this. llvmlite is such code: it would free the memory again, which ends the process. In a thread of its
own nothing interrupts it, and the thread that waits for it raises the exception when the work is done.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import functools
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Generic, ParamSpec, TypeVar

from chainrule.core.collector import collector_paused
from chainrule.core.forks import lock_held_while_forking

P = ParamSpec("P")
T = TypeVar("T")

STACK = 16 * 2**20
"""Bytes of stack for the work, whichever thread asks for it: LLVM walks through long functions by recursion."""

_starting = lock_held_while_forking(innermost=True)  # taken before `_lock`, in the order of a fork
_lock = lock_held_while_forking(innermost=True)  # innermost: freeing native code takes both


class _Work(Generic[T]):
    """A function that runs once in a thread of its own, while the calling thread waits for it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._interruption: BaseException | None = None
        self._is_done = _thread.allocate_lock()
        self._is_done.acquire()

    def result(self) -> T:
        """Runs the function, and returns its result or raises its exception."""
        # If the cyclic collector ran in the new thread, freeing objects might need a lock that the waiting one holds.
        with collector_paused():
            running = self._run()
            next(running)
            try:
                _start_thread(next, (running, None))
            except RuntimeError:  # no thread can be started, for example while Python ends
                next(running, None)
            self._wait()
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # breaks the cycle of the error and this frame, as in _wait
        return self._results[0]

    def _run(self) -> Iterator[None]:
        """Runs up to the `yield` in the calling thread, so that the new one begins within the `try`. While a thread is
        being started, Python takes it for the one that starts it, and may raise in it what was meant for that."""
        try:
            yield
        except GeneratorExit:  # the calling thread was interrupted before the new one was made
            return
        except BaseException as error:
            self._interruption = error
        with _lock:
            try:
                self._results.append(self._work())
            except BaseException as error:
                _clear_frames(error)
                self._error = error
            self._is_done.release()  # while the lock keeps others from forking: a child would wait for ever

    def _wait(self) -> None:
        while self._is_done.locked():
            try:
                with self._is_done:
                    break
            except BaseException as error:
                self._interruption = error
        if self._interruption is not None:
            try:
                raise self._interruption
            finally:
                self._interruption = self._error = None


def _clear_frames(error: BaseException | None) -> None:
    """Frees in this thread what the frames of an error hold."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def _start_thread(function: Callable[..., Any], arguments: tuple) -> None:
    # To start a `threading.Thread` takes locks, and the cyclic collector may free native code while they are held.
    with _starting:
        before = _thread.stack_size()
        with contextlib.suppress(ValueError):  # the system does not allow this size
            _thread.stack_size(STACK)
        try:
            _thread.start_new_thread(function, arguments)
        finally:
            _thread.stack_size(before)


@atexit.register
def _at_exit() -> None:
    """Waits for work that no thread waits for any more: it must not run while Python ends."""
    with _lock:
        pass


def uninterrupted(may_run_here: Callable[[], bool] = lambda: False) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorates a function so that no exception from outside interrupts it; one such function runs at a time.

    Args:
        may_run_here: returns whether the calling thread holds a lock that the function needs, and must run it itself.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def call(*arguments: P.args, **named: P.kwargs) -> T:
            if _is_owned(_lock) or may_run_here():  # called by such work, or by a thread that forks
                return function(*arguments, **named)
            return _Work(functools.partial(function, *arguments, **named)).result()

        return call

    return decorate


def _is_owned(lock: Any) -> bool:
    return lock._is_owned()
