"""The boxes of an SVG picture: a pill with the operation, then the label, data and gradient side by side.

A box that stands for a group of nodes looks like a stack of cards.
"""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.draw.figures import COLUMNS, SPAN_COLUMNS, Span
from chainrule.draw.graph import Node
from chainrule.draw.layout import Size
from chainrule.draw.theme import SIZE, Theme, attributes, escaped, shortened, text_width

HEIGHT = 38.0
PAD = 8.0
PILL = 24.0
LABEL_COLUMNS = 32
SYMBOL_COLUMNS = 12
STACK = 4.0
"""How far the card behind a stack sticks out."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of a card: a small heading (or none) above a text."""

    heading: str
    text: str
    style: str
    width: float
    smaller: float = 1.0
    """The factor by which the text is set smaller, to fit."""


@dataclass(frozen=True, slots=True)
class Card:
    """A measured box, ready to be placed."""

    node: Node
    symbol: str
    pill: float
    cells: list[Cell]

    @property
    def width(self) -> float:
        """The width without the edge of the stack."""
        return max(self.pill + sum(cell.width for cell in self.cells), HEIGHT)

    @property
    def size(self) -> Size:
        """The width and height that the card takes in a picture."""
        stack = STACK if self.node.size > 1 else 0.0
        return Size(self.width + 2 * stack, HEIGHT + 2 * stack)


def card(node: Node, *, numbers: bool) -> Card:
    """Measures the box of a node; without `numbers` it shows only operation and label."""
    symbol = shortened(node.symbol, SYMBOL_COLUMNS)
    pill = max(PILL, text_width(symbol, 12.0) + 10.0) + 2 * (HEIGHT - PILL) / 2 if symbol else 0.0
    cells = []
    if node.label or node.place or node.remark or not (numbers or symbol):
        cells.append(_label(node))
    if numbers:
        room = text_width("0" * (COLUMNS if node.size == 1 else SPAN_COLUMNS), SIZE, mono=True)
        cells.append(_number("data", node.data, room))
        if node.grad is not None:
            cells.append(_number("grad", node.grad, room))
    return Card(node, symbol, pill, cells)


def _label(node: Node) -> Cell:
    text = node.label or ("" if node.symbol else node.place or node.kind)
    heading = " · ".join(part for part in (node.place, node.remark) if part and part != text)
    text, heading = shortened(text, LABEL_COLUMNS), shortened(heading, LABEL_COLUMNS + 8)
    width = max(text_width(text, 13.5), text_width(heading, 9.5))
    return Cell(heading, text, "label", width + 2 * PAD)


def _number(heading: str, span: Span, room: float) -> Cell:
    text = str(span)
    return Cell(heading, text, "number", room + 2 * PAD, min(1.0, room / text_width(text, SIZE, mono=True)))


def render(card: Card, left: float, top: float, theme: Theme) -> str:
    """The SVG of a card with its upper left corner at `left` and `top`."""
    node = card.node
    shift = STACK if node.size > 1 else 0.0
    parts = [f'<g class="node {node.kind}" transform="translate({left + shift:.1f} {top + shift:.1f})">']
    parts.append(f"<title>{escaped(tooltip(node))}</title>")
    box = f'<rect {attributes("box", theme, node.kind)} width="{card.width:.1f}" height="{HEIGHT:g}" rx="9"'
    if shift:
        parts.append(f'{box} x="{shift:g}" y="{shift:g}"/>')
    parts.append(f"{box}/>")
    if node.is_lit:
        parts.append(f'<rect {attributes("lit", theme)} width="{card.width:.1f}" height="{HEIGHT:g}" rx="9"/>')
    x = 0.0
    if card.symbol:
        margin = (HEIGHT - PILL) / 2
        middle, baseline = card.pill / 2, HEIGHT / 2 + 4.2
        parts.append(
            f'<rect {attributes("pill", theme, node.kind)} x="{margin:g}" y="{margin:g}" '
            f'width="{card.pill - 2 * margin:.1f}" height="{PILL:g}" rx="{PILL / 2:g}"/>'
            f'<text {attributes("symbol", theme)} x="{middle:.1f}" y="{baseline:.1f}">{escaped(card.symbol)}</text>'
        )
        x = card.pill
    for i, cell in enumerate(card.cells):
        if i:
            parts.append(f'<path {attributes("rule", theme)} d="M{x:.1f} 7V{HEIGHT - 7:g}"/>')
        parts.append(_render_cell(cell, x + (PAD if i or not card.symbol else PAD / 2), theme))
        x += cell.width
    return "".join([*parts, "</g>"])


def _render_cell(cell: Cell, x: float, theme: Theme) -> str:
    heading, text = attributes("small", theme), attributes(cell.style, theme)
    if cell.smaller < 1:
        text += f' font-size="{SIZE * cell.smaller:.1f}"'
    if not cell.heading:
        return f'<text {text} x="{x:.1f}" y="{HEIGHT / 2 + 4.5:g}">{escaped(cell.text)}</text>'
    if not cell.text:
        return f'<text {heading} x="{x:.1f}" y="{HEIGHT / 2 + 3.5:g}">{escaped(cell.heading)}</text>'
    return (
        f'<text {heading} x="{x:.1f}" y="14.5">{escaped(cell.heading)}</text>'
        f'<text {text} x="{x:.1f}" y="29">{escaped(cell.text)}</text>'
    )


def tooltip(node: Node) -> str:
    """The text shown on hovering: everything, with all digits."""
    lines = [f"{node.name}, {node.remark}" if node.remark else node.name]
    if node.size > 1:
        lines.append(f"{node.size:,} nodes")
    lines.append(f"data {node.data.exact()}")
    if node.grad is not None:
        lines.append(f"grad {node.grad.exact()}")
    return "\n".join(lines)
