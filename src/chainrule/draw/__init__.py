"""Pictures of expression graphs: SVG with a layout of our own, a text tree, HTML and Graphviz DOT.

>>> from chainrule import Value
>>> from chainrule.draw import draw
>>> x, w = Value(2.0, label="x"), Value(-0.5, label="w")
>>> y = (x * w).tanh()
>>> y.backward()
>>> print(draw(y))
             data      grad    local
tanh      -0.7616    1.0000
└─ *      -1.0000    0.4200     0.42
   ├─ x    2.0000   -0.2100     -0.5
   └─ w   -0.5000    0.8399        2

The room knows nothing of the engine: it draws whatever has operands and an operation (`graph.Drawable`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from chainrule.draw.drawing import Drawing
from chainrule.draw.expand import expand as expand_neurons
from chainrule.draw.fold import fold as fold_trace
from chainrule.draw.graph import Drawable, one_by_one, trace
from chainrule.draw.svg import DIRECTIONS, Direction, Look
from chainrule.draw.theme import THEMES, Theme, shortened
from chainrule.errors import ArgumentError, OperandError, shown, suggest

__all__ = ["FOLD_ABOVE", "Drawing", "draw", "repr_html", "repr_svg"]

FOLD_ABOVE = 60
"""Graphs with more nodes than this are folded by default."""


def draw(
    value: Drawable | Iterable[Drawable],
    *,
    expand: bool = False,
    fold: Literal["auto"] | bool | int = "auto",
    theme: Theme = "auto",
    direction: Direction = "right",
    numbers: bool = True,
) -> Drawing:
    """Draws the graph of a Value: the operation and numbers of each node, and the local derivative on each edge.

    Args:
        value: a Value, or several whose graphs belong in one picture.
        expand: whether to draw a neuron's weighted sum as its products and sums. Folded boxes stay as they are.
        fold: whether to draw groups of similar nodes as one box each. "auto" does so for graphs of more than 60 nodes,
            a number for graphs of more nodes than that, True always, False never.
        theme: "light", "dark", or "auto" for the setting of the reader's system.
        direction: the direction of the edges, "right" or "down".
        numbers: whether to show data, gradients and local derivatives.

    Returns:
        The picture; it keeps the numbers of this moment. A notebook shows it, `print` gives a text tree.

    Raises:
        OperandError: `value` cannot be drawn.
        ArgumentError: an option has an invalid value.

    >>> from chainrule import Value
    >>> a = Value(3.0, label="a")
    >>> y = a * a
    >>> y.backward()
    >>> print(draw(y))
                   data      grad    local
    *            9.0000    1.0000
    ├─ #1 a      3.0000    6.0000        3
    └─ ↑ #1 a                            3
    >>> draw(y).svg[:4]
    '<svg'
    """
    _check("theme", theme, THEMES)
    _check("direction", direction, DIRECTIONS)
    if not isinstance(expand, bool):
        raise ArgumentError(f"expand is True or False, not {shown(expand)}")
    limit = _limit(fold)
    nodes = trace(_roots(value))
    look = Look(theme, direction, numbers)
    detailed = expand_neurons(nodes) if expand else nodes
    if limit is None or (fold is not True and len(detailed.values) <= limit):
        return Drawing(one_by_one(detailed), look)
    return Drawing(fold_trace(nodes, limit), look)


def repr_svg(value: Drawable) -> str:
    """The SVG of a Value in a notebook."""
    return draw(value).svg


def repr_html(value: Drawable) -> str:
    """The HTML of a Value in a notebook."""
    return draw(value)._repr_html_()


def _check(option: str, given: object, known: tuple[str, ...]) -> None:
    if given not in known:
        choices = " or ".join([", ".join(map(repr, known[:-1])), repr(known[-1])])
        raise ArgumentError(f"{option} is {choices}, not {shown(given)}.{suggest(given, known)}")


def _limit(fold: object) -> int | None:
    """The number of nodes above which to fold; None for never."""
    if fold is False:
        return None
    if fold is True or fold == "auto":
        return FOLD_ABOVE
    if isinstance(fold, int) and fold > 0:
        return fold
    hint = suggest(fold, ["auto"])
    raise ArgumentError(f"fold is 'auto', True, False or a number of nodes above 0, not {shown(fold)}.{hint}")


def _roots(value: Any) -> list[Drawable]:
    """The Values to draw, checked."""
    one = _can_be_drawn(value) or isinstance(value, str) or not isinstance(value, Iterable)
    roots: list[Any] = [value] if one else list(value)
    if not roots:
        raise ArgumentError("there is nothing to draw in an empty list: give at least one Value")
    for root in roots:
        if not _can_be_drawn(root):
            given = f"{type(root).__name__} {shortened(shown(root), 40)}"
            raise OperandError(f"draw takes Values, the results of a calculation, but got the {given}")
    return roots


def _can_be_drawn(value: object) -> bool:
    return not isinstance(value, type) and hasattr(value, "operands") and hasattr(value, "peek_grad")
