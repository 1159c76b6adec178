"""The result of `draw`: one picture, in several formats."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from chainrule.core.files import atomic_write
from chainrule.draw import raster
from chainrule.draw.dot import render_dot
from chainrule.draw.graph import Graph
from chainrule.draw.page import frame, page
from chainrule.draw.svg import Look, Picture, render_svg, title
from chainrule.draw.text import render_text
from chainrule.errors import ArgumentError, suggest

FORMATS = {".svg": "svg", ".png": "png", ".pdf": "pdf", ".html": "html", ".dot": "dot", ".txt": "text"}
"""The attribute to save for each file suffix."""

MOST_BOXES = 1500
"""The most boxes that are laid out; in a larger picture nobody would find anything."""


class Drawing:
    """A picture of a graph at the time of drawing, as `.svg`, `.png`, `.pdf`, `.html`, `.dot` or `.text`.

    A notebook displays it, `print` prints the text, and `save` writes a file. PNG and PDF need the extra "picture",
    and PDF the system's library cairo as well; in the theme "auto" they are light.

    >>> from chainrule import Value, draw
    >>> picture = draw(Value(2.0, label="x") * 3.0)
    >>> picture.svg[:4], picture.html[:9], picture.dot[:7]
    ('<svg', '<!doctype', 'digraph')
    """

    def __init__(self, graph: Graph, look: Look) -> None:
        self.graph = graph
        self.look = look

    @cached_property
    def svg(self) -> str:
        """The picture as SVG, without references to other files.

        Raises:
            ArgumentError: an unfolded picture has too many boxes to be laid out.
        """
        return self._picture.svg

    @cached_property
    def png(self) -> bytes:
        """The picture as PNG, with two pixels for each unit of the SVG.

        Raises:
            ArgumentError: as for `svg`.
            MissingExtraError: resvg is not installed, or the system has no font.
        """
        return raster.png(*self._picture)

    @cached_property
    def pdf(self) -> bytes:
        """The picture as PDF.

        Raises:
            ArgumentError: as for `svg`.
            MissingExtraError: CairoSVG, or the system's library cairo, is not installed.
        """
        return raster.pdf(self.svg)

    @cached_property
    def _picture(self) -> Picture:
        if len(self.graph.nodes) > MOST_BOXES:
            boxes = f"{len(self.graph.nodes):,} boxes"
            raise ArgumentError(f"a picture of {boxes} is too large: leave out fold=False, or take .text or .dot")
        return render_svg(self.graph, self.look)

    @cached_property
    def html(self) -> str:
        """An HTML page with the picture."""
        return page(self._picture, title(self.graph), self.look.theme)

    @cached_property
    def dot(self) -> str:
        """The graph in the language of Graphviz, which is not needed for the other formats."""
        return render_dot(self.graph, direction=self.look.direction, numbers=self.look.numbers)

    @cached_property
    def text(self) -> str:
        """The graph as a tree for a terminal of 80 columns."""
        return render_text(self.graph, numbers=self.look.numbers)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the picture to a file atomically, in the format of its suffix.

        Args:
            path: a file name that ends in .svg, .png, .pdf, .html, .dot or .txt.

        Returns:
            The path.

        Raises:
            ArgumentError: the suffix is another one, or the picture is too large for the format.
            MissingExtraError: what makes this format is not installed.
            SavedFileError: the file cannot be written.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix not in FORMATS:
            known = f"{', '.join(list(FORMATS)[:-1])} and {list(FORMATS)[-1]}"
            what = f"the suffix {suffix!r}" if suffix else "no suffix"
            raise ArgumentError(f"a drawing saves as {known}, but {str(path)!r} has {what}.{suggest(suffix, FORMATS)}")
        content = getattr(self, FORMATS[suffix])
        if isinstance(content, str) and not content.endswith("\n"):
            content += "\n"
        atomic_write(target, content)
        return target

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Drawing: {title(self.graph)}>"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return frame(self._picture, title(self.graph))
