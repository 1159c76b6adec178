"""Pauses of Python's cyclic garbage collector."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator

from chainrule.core.forks import renewed_in_child


class _Pauses:
    """The pauses that have not ended: the first one turns the collector off, the end of the last one turns it on."""

    def __init__(self) -> None:
        self._threads: dict[int, int] = {}
        self._was_on = False
        self._lock = threading.RLock()
        renewed_in_child(self)

    def begin(self, pause: int) -> None:
        with self._lock:
            if not self._threads:
                self._was_on = gc.isenabled()
            self._threads[pause] = threading.get_ident()
            gc.disable()

    def end(self, pause: int) -> None:
        """Ends a pause; may be called again if an exception interrupts it."""
        with self._lock:
            if self._was_on and self._threads.keys() == {pause}:
                gc.enable()
            self._threads.pop(pause, None)

    def after_fork(self) -> None:
        """Ends, in a forked process, the pauses of threads that do not exist there."""
        self._lock = threading.RLock()
        paused, own = bool(self._threads), threading.get_ident()
        self._threads = {pause: thread for pause, thread in self._threads.items() if thread == own}
        if paused and self._was_on and not self._threads:
            gc.enable()


_pauses = _Pauses()


class _Pause:
    """One pause. It ends at the latest when this object is freed: Ctrl-C may come just before the call of `end`."""

    def __del__(self) -> None:
        _pauses.end(id(self))


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Pauses the collector within a `with` that makes very many objects: graphs have no cycles, so it finds nothing,
    and with large graphs it takes most of the time."""
    pause = _Pause()
    try:
        _pauses.begin(id(pause))
        yield
    finally:
        _pauses.end(id(pause))
