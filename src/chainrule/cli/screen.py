"""The output of commands: results to standard output, everything else to standard error."""

from __future__ import annotations

import io
import sys

from chainrule.core.extras import require

LONGEST = 500
"""A complaint is cut to so many characters; only the user's own input makes one longer."""


def tolerate_encoding() -> None:
    """Has characters that the terminal's encoding lacks written as escapes instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def complain(problem: object) -> None:
    """Prints a problem on one line of standard error."""
    line = one_line(problem)
    print(f"chainrule: {line if len(line) <= LONGEST else line[:LONGEST] + ' …'}", file=sys.stderr)


def remark(text: object) -> None:
    """Prints a remark on standard error."""
    print(one_line(text), file=sys.stderr)


def one_line(text: object) -> str:
    r"""The text without line ends, and with control characters escaped.

    >>> one_line("no file 'a\x1b[2J'\n here")
    "no file 'a\\x1b[2J' here"
    """
    words = " ".join(str(text).split())
    return "".join([letter if letter.isprintable() else ascii(letter)[1:-1] for letter in words])


def show(text: str) -> None:
    """Prints text with rich's markup to standard output; plain where that is not a terminal or colours are turned
    off."""
    console = require("rich.console", extra="cli").Console(highlight=False, soft_wrap=True, emoji=False)
    console.print(text)


def plain(text: object) -> str:
    """Escapes rich's markup in a text."""
    return require("rich.markup", extra="cli").escape(one_line(text))
