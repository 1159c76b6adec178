"""Pictures of expression graphs: SVG and HTML by a layout of our own, a tree of text for terminals, DOT for Graphviz.

>>> from chainrule import Value, draw
>>> a = Value(3.0, label="a")
>>> y = a * a + 1
>>> y.backward()
>>> print(draw(y))
[+] data 10.0000, grad 1.0000
├─ ×1: [*] data 9.0000, grad 1.0000
│  ├─ ×3: a data 3.0000, grad 6.0000
│  └─ ×3: a data 3.0000, grad 6.0000
└─ no derivative: data 1.0000
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, get_args

from chainrule.draw.dot import render_dot
from chainrule.draw.expand import expand as expanded
from chainrule.draw.fold import fold as folded
from chainrule.draw.graph import Graph, one_by_one, trace
from chainrule.draw.svg import DIRECTIONS, Direction, Look, render_svg, title
from chainrule.draw.text import render_text
from chainrule.draw.theme import Theme
from chainrule.errors import ArgumentError, OperandError, suggest
from chainrule.files import FilePath, atomic_write

__all__ = ["Drawing", "draw", "repr_html", "repr_svg"]

FOLD_ABOVE = 60
"""A graph of more nodes than this is folded, unless told otherwise."""


def draw(
    value: Any,
    *,
    expand: bool = False,
    fold: bool | str = "auto",
    theme: Theme = "auto",
    direction: Direction = "right",
) -> Drawing:
    """A picture of the graph behind a Value.

    Args:
        value: the Value, or a list of Values that are drawn together. The numbers are those of this moment.
        expand: draw a neuron's Σ + b as its products and sums.
        fold: True draws equal parts once, with a count; False never does; "auto" does for more than 60 nodes.
        theme: the colours: "light", "dark", or "auto" for those that the reader's browser prefers.
        direction: the way from the inputs to the result: "right" or "down".

    Returns:
        A Drawing: printed, it is a tree of text; in a notebook, a picture; `.save("graph.svg")` writes a file.

    Raises:
        OperandError: `value` is not a Value or a list of Values.
        ArgumentError: an option has a value that does not exist.
    """
    _check("theme", theme, get_args(Theme))
    _check("direction", direction, DIRECTIONS)
    _check("fold", fold, (True, False, "auto"))
    listed = trace(_roots(value))
    whole = expanded(listed) if expand else listed
    if fold is True or (fold == "auto" and len(whole.values) > FOLD_ABOVE):
        return Drawing(folded(whole, FOLD_ABOVE), Look(theme, direction))
    return Drawing(one_by_one(whole), Look(theme, direction))


class Drawing:
    """What `draw` gives: the same graph as `.svg`, `.html`, `.text` and `.dot`."""

    def __init__(self, graph: Graph, look: Look) -> None:
        self.graph = graph
        self.look = look

    @cached_property
    def svg(self) -> str:
        """The picture as an SVG document."""
        return render_svg(self.graph, self.look)

    @cached_property
    def html(self) -> str:
        """The picture inside a piece of HTML that scrolls where it is wider than the page."""
        return f'<div style="overflow-x:auto">{self.svg}</div>'

    @cached_property
    def text(self) -> str:
        """The graph as a tree of text."""
        return render_text(self.graph)

    @cached_property
    def dot(self) -> str:
        """The graph in the language of Graphviz."""
        return render_dot(self.graph, direction=self.look.direction)

    def save(self, path: FilePath) -> None:
        """Writes the picture into a file: .svg, .html, .txt or .dot by its ending; whole or not at all.

        Raises:
            ArgumentError: the ending is none of these.
            SavedFileError: the file cannot be written.
        """
        ending = Path(path).suffix.lower()
        if ending not in _WRITERS:
            raise ArgumentError(
                f"{path}: a drawing is written as {', '.join(_WRITERS)}, not as {ending or 'no ending'!r}"
            )
        atomic_write(path, _WRITERS[ending](self))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{title(self.graph)}>"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return self.html


def _page(drawing: Drawing) -> str:
    name = escape(title(drawing.graph))
    return f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>{name}</title>\n{drawing.html}\n</html>\n'


_WRITERS = {
    ".svg": lambda drawing: drawing.svg,
    ".html": _page,
    ".txt": lambda drawing: drawing.text + "\n",
    ".dot": lambda drawing: drawing.dot,
}


def repr_svg(value: Any) -> str:
    """The picture of a Value as SVG, for notebooks."""
    return draw(value).svg


def repr_html(value: Any) -> str:
    """The picture of a Value as HTML, for notebooks."""
    return draw(value).html


def _roots(value: Any) -> list[Any]:
    roots = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    for root in roots:
        if not hasattr(root, "operands") or not hasattr(root, "locals"):
            raise OperandError(f"draw takes a Value or a list of Values, not the {type(root).__name__} {root!r:.40}")
    if not roots:
        raise OperandError("draw of an empty list: give it at least one Value")
    return roots


def _check(option: str, given: Any, known: Sequence[Any]) -> None:
    if given not in known:
        names = ", ".join(map(repr, known))
        raise ArgumentError(f"{option}={given!r}: there are {names}.{suggest(str(given), [str(k) for k in known])}")
