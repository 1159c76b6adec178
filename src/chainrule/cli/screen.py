"""What the commands say: results on standard output, everything else on standard error."""

from __future__ import annotations

import io
import sys

from chainrule.errors import require

LONGEST = 500
"""As many letters of a complaint are shown; only what the user typed makes one longer."""


def take_any_letter() -> None:
    """Where the terminal's encoding lacks a letter, write its code rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def complain(problem: object) -> None:
    """One line on standard error, whatever stands in the problem."""
    line = one_line(problem)
    print(f"chainrule: {line if len(line) <= LONGEST else line[:LONGEST] + ' …'}", file=sys.stderr)


def remark(text: object) -> None:
    """A line beside the results."""
    print(one_line(text), file=sys.stderr)


def one_line(text: object) -> str:
    r"""The text without line ends, and with what a terminal would act on written out.

    >>> one_line("no file 'a\x1b[2J'\n here")
    "no file 'a\\x1b[2J' here"
    """
    words = " ".join(str(text).split())
    return "".join([letter if letter.isprintable() else ascii(letter)[1:-1] for letter in words])


def show(text: str) -> None:
    """Text with rich's marks for emphasis, on standard output; plain where that is no terminal or asks for none."""
    console = require("rich.console", extra="cli").Console(highlight=False, soft_wrap=True, emoji=False)
    console.print(text)


def plain(text: object) -> str:
    """Text in which rich sees no marks, to be put between some."""
    return require("rich.markup", extra="cli").escape(one_line(text))
