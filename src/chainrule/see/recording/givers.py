"""Who hands on a gradient in another engine: from the frame that writes `grad` to the result whose gradient it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple

from chainrule.core.modes import PACKAGE
from chainrule.see.recording.anatomy import codes_of, things_of, within
from chainrule.see.recording.recorder import Entry

LIKELY = ("out", "result", "res", "v", "node", "n", "value", "parent")
"""How programs call the number that hands on its gradient, where several could be meant."""

MOST_FRAMES = 8


class UnclearError(Exception):
    """Several results could have written a gradient."""


class Giver(NamedTuple):
    """Who hands on, and whether that is sure also outside of a pass: a function or a method of its own wrote it, as
    `_backward` in the lecture's class."""

    entry: Entry
    by_its_own: bool


class Givers:
    """Finds the result to which a frame that writes a gradient belongs.

    Args:
        cls: the class.
        backward: the name of its method that goes backward.
        entry_of: returns the entry of an object that is recorded, else None.
    """

    def __init__(self, cls: type, backward: str, entry_of: Callable[[Any], Entry | None]) -> None:
        self._entry_of = entry_of
        self._codes = codes_of(cls)
        code = getattr(inspect.unwrap(getattr(cls, backward)), "__code__", None)
        self._backward = {code, *within(code)} if code is not None else set()
        self._root = code.co_varnames[0] if code is not None and code.co_argcount else None

    def of_class(self, frame: FrameType) -> bool:
        """Whether a frame runs a part of the class."""
        return frame.f_code in self._codes

    def is_ours(self, frame: FrameType) -> bool:
        """Whether a frame runs chainrule's own code."""
        return frame.f_code.co_filename.startswith(PACKAGE)

    def giver(self, into: Entry, frame: FrameType | None) -> Giver | None:
        """Returns who gives to an entry in this frame, or in one of those that called it; None if nobody is found.

        Raises:
            UnclearError: it may be one of several.
        """
        for _ in range(MOST_FRAMES):
            if frame is None:
                return None
            if not self.is_ours(frame):
                found = {name: self._entry_of(x) for name, x in frame.f_locals.items()}
                made_of = {name: x for name, x in found.items() if x and x is not into and into in x.operands}
                if made_of:
                    return self._of(made_of, frame)
                if frame.f_code in self._backward:
                    return None
            frame = frame.f_back
        return None

    def _of(self, made_of: dict[str, Entry], frame: FrameType) -> Giver:
        code, names = frame.f_code, frame.f_locals
        own = {x for x in made_of.values() if _has_function(x.node, code, names)}
        if len(own) == 1:
            return Giver(own.pop(), True)
        if code in self._backward:
            made_of = {name: x for name, x in made_of.items() if name != self._root} or made_of
        elif code in self._codes and code.co_argcount and code.co_varnames[0] in made_of:
            return Giver(made_of[code.co_varnames[0]], True)
        for name in LIKELY:
            if name in made_of:
                return Giver(made_of[name], False)
        rest = {x for name, x in made_of.items() if name not in ("self", "other")} or set(made_of.values())
        if len(rest) > 1:
            raise UnclearError
        return Giver(rest.pop(), False)


def _has_function(node: Any, code: CodeType, names: Mapping[str, Any]) -> bool:
    """Whether a node keeps the very function that is running: its code, with the same numbers in its closure."""
    for _, x in things_of(node):
        if isinstance(x, FunctionType) and x.__code__ is code:
            cells = zip(code.co_freevars, x.__closure__ or (), strict=True)
            if all(name in names and names[name] is _content(cell) for name, cell in cells):
                return True
    return False


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty yet
        return cell
