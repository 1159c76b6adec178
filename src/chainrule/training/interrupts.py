"""Ctrl-C during training: the first one asks to stop after the present step, the second one stops at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Interrupted(Exception):  # noqa: N818 (not an error: it ends the loop)
    """Raised at a safe point after Ctrl-C was pressed."""


class CtrlC:
    """Context manager that handles Ctrl-C, where Python's default handler is in place.

    In a thread other than the main one, or where the program has a handler of its own, nothing is replaced;
    KeyboardInterrupt may then be raised at any moment.
    """

    def __init__(self) -> None:
        self.pressed = 0
        self._installed = False
        self._held = False

    def __enter__(self) -> CtrlC:
        ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if ours and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._note)
            self._installed = True
        return self

    def __exit__(self, *exception: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def check(self) -> None:
        """Marks a safe point.

        Raises:
            Interrupted: Ctrl-C was pressed.
        """
        if self.pressed:
            raise Interrupted

    def hold(self) -> None:
        """Ignores Ctrl-C from here on: what remains takes no time and must be completed."""
        self._held = True

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self.pressed += 1
        if self.pressed == 2 and not self._held:  # a third one must not interrupt the cleanup
            raise KeyboardInterrupt
