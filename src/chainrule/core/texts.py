"""Texts of several lines that are results."""

from __future__ import annotations


class Report(str):
    """A text that a console and a notebook show as it is, with its lines, where it is the result of a line.

    >>> Report("two\\nlines")
    two
    lines
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
