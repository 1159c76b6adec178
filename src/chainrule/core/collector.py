"""Python's search for cycles among objects, paused."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Context manager for what makes very many objects: graphs have no cycles, so the search for those finds nothing,
    and on large ones it takes most of the time."""
    running = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if running:
            gc.enable()
