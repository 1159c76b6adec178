"""`chainrule.see(y)`: the page of a graph in a notebook, or saved as a file."""

from __future__ import annotations

from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from chainrule.core.extras import require
from chainrule.core.files import FilePath, atomic_write
from chainrule.draw import draw
from chainrule.engine import Value
from chainrule.errors import ArgumentError, shown
from chainrule.see.pages import page, style
from chainrule.see.recording.document import Recording
from chainrule.see.recording.graphs import record

HEIGHT = 720
"""How many pixels high the page is in a notebook, unless told."""


class Seen:
    """A recording that a notebook shows as its page; `.html` is the page, `save(path)` writes it.

    Attributes:
        recording: what is shown.
    """

    def __init__(self, recording: Recording, picture: str, title: str, height: int, theme: str) -> None:
        self.recording = recording
        self._picture, self._title, self._height, self._theme = picture, title, height, theme

    @cached_property
    def html(self) -> str:
        """The page: one file, which needs no network."""
        return page(self.recording, title=self._title, theme=self._theme)

    def save(self, path: FilePath) -> Path:
        """Writes the page, in one step; returns the path.

        Raises:
            SavedFileError: the file cannot be written.
        """
        atomic_write(path, self.html)
        return Path(path)

    def _repr_html_(self) -> str:
        """The page in a frame; where frames are dropped, the picture under it stays."""
        frame = (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" title="{escape(self._name)}" '
            f'style="width:100%;height:{self._height}px;border:1px solid #8884;border-radius:10px"></iframe>'
        )
        still = f"<details><summary>as a still picture</summary>{self._picture}</details>" if self._picture else ""
        return f"<div>{frame}{still}</div>"

    @property
    def _name(self) -> str:
        return self._title or self.recording.title or "a graph, step by step"

    def __repr__(self) -> str:
        return f"<page of {self.recording!r}: a notebook shows it, .save('page.html') writes it>"


def see(
    what: Value | Recording, *, title: str = "", height: int = HEIGHT, theme: str = "auto", live: bool = False
) -> Any:
    """Shows how a Value was made and what `backward()` does, step by step: as a page in a notebook, or as a file.

    Args:
        what: a Value, whose graph is recorded, or a recording, which has the lines of the source as well.
        title: a heading.
        height: how many pixels high it is in a notebook.
        theme: "light", "dark", or "auto" for that of the reader's system; with `live`, for that of the notebook.
        live: whether the page goes both ways: a leaf that is edited there is edited in Python, and the other way round.
            This needs a notebook and the extra "widget", and takes a Value.

    Returns:
        What a notebook shows: a `Seen`, which also saves its page; with `live` a `LivePage`.

    Raises:
        ArgumentError: `what` is neither, or has more nodes than a page can show, or there is no such theme.
        MissingExtraError: `live` needs anywidget.

    >>> import chainrule
    >>> chainrule.see(chainrule.Value(2.0) * 3)
    <page of <recording of 3 nodes, 7 events, 1 backward passes>: a notebook shows it, .save('page.html') writes it>
    """
    style(theme)  # refuses one that there is not
    if live:
        if not isinstance(what, Value):
            raise ArgumentError(
                f"live=True takes the Value whose numbers it reads and writes, not {shown(what)}: see(y, live=True)"
            )
        return require("chainrule.see.live", extra="widget").LivePage(what, title, height, theme)
    if isinstance(what, Value):
        return Seen(record(what, title=title), draw(what).svg, title, height, theme)
    if isinstance(what, Recording):
        return Seen(what, "", title, height, theme)
    raise ArgumentError(f"see takes a Value or a recording, not the {type(what).__name__} {shown(what)}: see(y)")
