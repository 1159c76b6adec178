"""Ctrl-C during training: the first asks to stop at the next good moment, the second stops at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Interrupted(Exception):  # noqa: N818 (not an error: a way out of the loop)
    """Ctrl-C was pressed, and this is a good moment to stop."""


class CtrlC:
    """Context manager that takes Ctrl-C over, where that is ours to take.

    In a thread that is not the main one, or where the program handles Ctrl-C in a way of its own, nothing is taken
    over; a KeyboardInterrupt may then come at any moment.
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
        """A good moment to stop.

        Raises:
            Interrupted: Ctrl-C was pressed.
        """
        if self.pressed:
            raise Interrupted

    def hold(self) -> None:
        """From here on nothing may be broken off: what remains takes no time."""
        self._held = True

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self.pressed += 1
        if self.pressed == 2 and not self._held:  # the third would break off the tidying up after the second
            raise KeyboardInterrupt
