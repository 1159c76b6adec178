"""Where a node was made: from the instruction that made it to the part of the source that one reads.

While a program runs, a frame's code and its instruction are kept, which costs next to nothing. Afterwards the code says
which part of the line an instruction stands for (`co_positions`, of Python 3.11 and later).
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, FrameType

from chainrule.core.modes import PACKAGE, caller
from chainrule.reading.assignments import assigned_names
from chainrule.reading.source import holds, lines_of
from chainrule.see.recording.document import Source
from chainrule.see.recording.events import Place

Instruction = tuple[CodeType, int]
"""The code of a function, and the offset of an instruction in it."""

_BETWEEN = tuple(PACKAGE + part for part in ("core" + os.sep, "storage" + os.sep, "see" + os.sep))
"""What stands between the code that asks for a number and the recorder. (Compiled, parts of it have no frames.)"""

_STARTED = time.time()
"""Of a file that was changed after this moment it must be checked that its text is what runs."""
WHOLE, AROUND = 400, 5
"""A text of up to so many lines is kept whole; of a longer one, so many lines around what is needed."""


def here() -> Instruction:
    """The instruction at which the user's own code is."""
    return at(caller())


def at(frame: FrameType) -> Instruction:
    return frame.f_code, frame.f_lasti


def asked_by_chainrule() -> bool:
    """Whether the code that asks the engine for something is chainrule's own."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_BETWEEN):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(PACKAGE)


class Places:
    """The places of some instructions, and the sources in which they lie.

    Args:
        instructions: the instructions whose places will be asked for.
        with_text: whether the texts are kept.
    """

    def __init__(self, instructions: Iterable[Instruction], with_text: bool) -> None:
        self._positions = {each: _position(*each) for each in instructions}
        self._files = list(dict.fromkeys(code.co_filename for code, _ in self._positions))
        codes = {code for code, _ in self._positions}
        self._lines = {file: _lines(file, [x for x in codes if x.co_filename == file]) for file in self._files}
        self._with_text = with_text

    def place(self, instruction: Instruction | None) -> Place | None:
        """Where an instruction is in its source; None if that is unknown."""
        span = self._positions.get(instruction) if instruction else None
        if instruction is None or span is None:
            return None
        file = instruction[0].co_filename
        line, column, end_line, end_column = span
        if column is None or end_column is None or not (lines := self._lines[file]) or end_line > len(lines):
            return Place(self._files.index(file), line, None, end_line, None)
        start = _letters(lines[line - 1], column)
        return Place(self._files.index(file), line, start, end_line, _letters(lines[end_line - 1], end_column))

    def name(self, instruction: Instruction | None) -> str:
        """The name to which the expression of an instruction is assigned in the source, "" if there is none."""
        span = self._positions.get(instruction) if instruction else None
        if instruction is None or span is None or None in span:
            return ""
        text = "".join(self._lines[instruction[0].co_filename])
        return assigned_names(text).get(span, "") if text else ""  # type: ignore[arg-type]

    def sources(self) -> list[Source]:
        """The sources, in the order in which places count them."""
        return [self._source(file) for file in self._files]

    def _source(self, file: str) -> Source:
        name, lines = _shown_name(file), self._lines[file]
        if not self._with_text:
            return Source(name, None, 1, "it was left out")
        if not lines:
            return Source(name, None, 1, _why_no_text(file))
        if len(lines) <= WHOLE:
            return Source(name, "".join(lines), 1, "")
        used = [line for (code, _), span in self._positions.items() if span and code.co_filename == file
                for line in (span[0], span[2])]  # fmt: skip
        first, last = max(1, min(used) - AROUND), min(len(lines), max(used) + AROUND)
        return Source(name, "".join(lines[first - 1 : last]), first, "")


def _position(code: CodeType, offset: int) -> tuple[int, int | None, int, int | None] | None:
    """The line, column, end line and end column, in bytes, that an instruction stands for."""
    line, end_line, column, end_column = next(
        itertools.islice(code.co_positions(), max(offset, 0) // 2, None), (None, None, None, None)
    )
    if line is None:
        return None
    return line, column, line if end_line is None else end_line, end_column


def _lines(file: str, codes: list[CodeType]) -> list[str]:
    """The lines of a file, or of what a notebook or a test has put in its place; none if they are not what runs."""
    lines = lines_of(file)
    return [] if _is_newer(file) and not all(holds("".join(lines), code) for code in codes) else lines


def _is_newer(file: str) -> bool:
    """Whether a file was changed after the program began. (Else its text need not be compiled.)"""
    try:
        return Path(file).stat().st_mtime > _STARTED
    except (OSError, ValueError):
        return False


def _why_no_text(file: str) -> str:
    return "the file was changed after the program began" if _is_newer(file) else "it is not at hand"


def _letters(line: str, column: int) -> int:
    """A column that is counted in bytes, in letters."""
    return column if line.isascii() else len(line.encode("utf-8")[:column].decode("utf-8", "ignore"))


def _shown_name(file: str) -> str:
    """The name of a file relative to the working folder; only its last part, if it lies elsewhere."""
    if file.startswith("<"):
        return file
    try:
        relative = os.path.relpath(file)
    except (OSError, ValueError):  # another drive
        relative = os.pardir
    return Path(file).name if relative.startswith(os.pardir) else Path(relative).as_posix()
