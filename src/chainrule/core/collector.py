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
        self._threads: dict[object, int] = {}
        self._was_on = False
        self._lock = threading.RLock()
        renewed_in_child(self)

    def begin(self, pause: object) -> None:
        with self._lock:
            if not self._threads:
                self._was_on = gc.isenabled()
            self._threads[pause] = threading.get_ident()
            gc.disable()

    def end(self, pause: object) -> None:
        with self._lock:
            if self._threads.pop(pause, None) is not None:
                self._go_on()

    def after_fork(self) -> None:
        """In a forked process: pauses of threads that it does not have are over."""
        self._lock = threading.RLock()
        paused, own = bool(self._threads), threading.get_ident()
        self._threads = {pause: thread for pause, thread in self._threads.items() if thread == own}
        if paused:
            self._go_on()

    def _go_on(self) -> None:
        if self._was_on and not self._threads:
            gc.enable()


_pauses = _Pauses()


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Context manager for what makes very many objects: graphs have no cycles, so the search for those finds nothing,
    and on large ones it takes most of the time."""
    pause = object()
    try:
        _pauses.begin(pause)
        yield
    finally:
        _pauses.end(pause)
