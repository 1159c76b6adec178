"""Work that no exception from outside may break off, done in a thread that nobody else knows of.

Python raises Ctrl-C in the main thread, and `PyThreadState_SetAsyncExc` any exception in a thread that is named,
between two steps of whatever runs there. Code that frees memory and then notes that it did cannot bear this: llvmlite
is such code, and would free the memory again, which ends the process. In a thread of its own it is left alone, and the
thread that waits for it hears of Ctrl-C when the work is done.
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
"""Bytes of stack that the work has, whichever thread asks for it; LLVM walks through long functions by recursion."""

_starting = lock_held_while_forking(innermost=True)  # taken before the other, as by whoever forks
_lock = lock_held_while_forking(innermost=True)  # freeing native code takes both


class _Work(Generic[T]):
    """What is done once, and the thread that waits for it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._interruption: BaseException | None = None
        self._is_done = _thread.allocate_lock()
        self._is_done.acquire()

    def result(self) -> T:
        """Does the work, and gives or raises what comes of it."""
        # Were cycles searched in the work's own thread, what is freed might want a lock that the waiting one holds.
        with collector_paused():
            running = self._run()
            next(running)
            try:
                _start_thread(next, (running, None))
            except RuntimeError:  # there are no more threads to be had, as when Python ends
                next(running, None)
            self._wait()
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # it holds this frame, which holds it, and so below
        return self._results[0]

    def _run(self) -> Iterator[None]:
        """Goes as far as the `yield` in the calling thread, so that the new one begins within the `try`. While that is
        made, Python takes it for the calling one, and may raise in it what was meant for that."""
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
            self._is_done.release()  # while no other thread can fork: the child would wait for ever

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
    """Has what the error's frames hold freed in this thread."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def _start_thread(function: Callable[..., Any], arguments: tuple) -> None:
    # A Thread of the module `threading` takes locks to start, and the collector may free native code within those.
    with _starting:
        before = _thread.stack_size()
        with contextlib.suppress(ValueError):  # of a system that has another opinion of sizes
            _thread.stack_size(STACK)
        try:
            _thread.start_new_thread(function, arguments)
        finally:
            _thread.stack_size(before)


@atexit.register
def _at_exit() -> None:
    """Waits for work that nobody waits for any more: Python would end underneath it."""
    with _lock:
        pass


def uninterrupted(may_run_here: Callable[[], bool] = lambda: False) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorator of a function that no exception from outside may break off; one at a time of all these is at work.

    Args:
        may_run_here: says whether the calling thread has a lock that the function needs, and must do the work itself.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def call(*arguments: P.args, **named: P.kwargs) -> T:
            if _is_owned(_lock) or may_run_here():  # such work itself, or a thread that forks
                return function(*arguments, **named)
            return _Work(functools.partial(function, *arguments, **named)).result()

        return call

    return decorate


def _is_owned(lock: Any) -> bool:
    return lock._is_owned()
