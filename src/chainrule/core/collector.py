"""Python's search for cycles among objects, paused."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator

from chainrule.core.forks import renewed_in_child


class _Pauses:
    """All pauses at the moment: the first one stops the search, and the last one lets it go on."""

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
        """May be called again, should it be broken off."""
        with self._lock:
            if self._was_on and self._threads.keys() == {pause}:
                gc.enable()
            self._threads.pop(pause, None)

    def after_fork(self) -> None:
        """In a forked process: pauses of threads that it does not have are over."""
        self._lock = threading.RLock()
        paused, own = bool(self._threads), threading.get_ident()
        self._threads = {pause: thread for pause, thread in self._threads.items() if thread == own}
        if paused and self._was_on and not self._threads:
            gc.enable()


_pauses = _Pauses()


class _Pause:
    """One pause. It ends at the latest when nobody has it any more: Ctrl-C may come just before it is told to end."""

    def __del__(self) -> None:
        _pauses.end(id(self))


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Context manager for what makes very many objects: graphs have no cycles, so the search for those finds nothing,
    and on large ones it takes most of the time."""
    pause = _Pause()
    try:
        _pauses.begin(id(pause))
        yield
    finally:
        _pauses.end(id(pause))
