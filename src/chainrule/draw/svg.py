"""Renders a picture as one self-contained SVG, in light or dark."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from chainrule.draw.cards import card, render
from chainrule.draw.figures import EDGE_COLUMNS, SPAN_COLUMNS
from chainrule.draw.graph import WRITTEN, Edge, Graph
from chainrule.draw.layout import Layout, Point, Size, lay_out
from chainrule.draw.theme import Theme, attributes, escaped, root_attributes, style, text_width

Direction = Literal["right", "down"]
DIRECTIONS: tuple[Direction, ...] = ("right", "down")

MARGIN = 18.0
LEGEND = 26.0
LABEL_HEIGHT = 17.0
EDGE_SIZE = 11.0
EDGE_PAD = 4.0
"""The size of the numbers on edges, and the background left and right of them."""
TIP = 6.0
"""The length of an arrowhead."""

MEANING = {"leaf": "leaf", "constant": "constant", "operation": "operation", "root": "result"}


@dataclass(frozen=True, slots=True)
class Look:
    """The look of a picture: its colours, the direction of its edges, and whether it shows numbers."""

    theme: Theme = "auto"
    direction: Direction = "right"
    numbers: bool = True


class Picture(NamedTuple):
    """An SVG, and its size in its own units."""

    svg: str
    width: int
    height: int


def render_svg(graph: Graph, look: Look) -> Picture:
    """The SVG of a graph: a complete document that can also be embedded in an HTML page."""
    cards = [card(node, numbers=look.numbers) for node in graph.nodes]
    labels = [_label_size(edge, look) for edge in graph.edges]
    layout = _laid_out([c.size for c in cards], graph.edges, labels, look.direction)
    legend, legend_width = _legend(graph, look)
    width = math.ceil(max(layout.size.along, legend_width) + 2 * MARGIN)
    height = math.ceil(layout.size.across + 2 * MARGIN + LEGEND)
    left = (width - layout.size.along) / 2
    back = attributes("back", look.theme)
    body = [f'<rect {back} width="{width}" height="{height}" rx="10"/>']
    body.append(f'<g transform="translate({left:.1f} {MARGIN:g})">')
    for edge, route, label, size in zip(graph.edges, layout.routes, layout.labels, labels, strict=True):
        body.append(_edge(graph, edge, route, (label, size), look))
    for c, centre in zip(cards, layout.boxes, strict=True):
        body.append(render(c, centre.along - c.size.along / 2, centre.across - c.size.across / 2, look.theme))
    body.append("</g>")
    body.append(f'<g class="legend" transform="translate({MARGIN:g} {height - LEGEND + 4:.1f})">{legend}</g>')
    return Picture(_document(graph, "\n".join(body), (width, height), look), width, height)


def _document(graph: Graph, body: str, size: tuple[int, int], look: Look) -> str:
    """The document around the body. The class that scopes the style is a hash of the content, so equal pictures are
    equal."""
    scope = "cr" + hashlib.sha256(f"{look.theme}\n{body}".encode()).hexdigest()[:10]
    name = escaped(title(graph))
    width, height = size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{scope}" role="img" aria-label="{name}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f"{root_attributes(look.theme)}>\n<title>{name}</title>\n"
        f"<style>\n{style(scope, look.theme)}\n</style>\n{body}\n</svg>\n"
    )


def title(graph: Graph) -> str:
    """A short description of a picture, for screen readers and page titles."""
    names = [graph.nodes[root].label or graph.nodes[root].symbol or "a leaf" for root in graph.roots[:3]]
    more = ", …" if len(graph.roots) > len(names) else ""
    count = f"{graph.total:,} node{'' if graph.total == 1 else 's'}"
    return f"Expression graph of {', '.join(names)}{more}: {count}"


def _laid_out(sizes: Sequence[Size], edges: Sequence[Edge], labels: Sequence[Size], direction: Direction) -> Layout:
    """The layout with `along` as x and `across` as y, for either direction of the edges."""
    pairs = [(edge.source, edge.target) for edge in edges]
    if direction == "right":
        return lay_out(sizes, pairs, labels)
    transposed = lay_out([_transposed(size) for size in sizes], pairs, [_transposed(size) for size in labels])
    return Layout(
        [_transposed_point(point) for point in transposed.boxes],
        [[_transposed_point(point) for point in route] for route in transposed.routes],
        [_transposed_point(point) for point in transposed.labels],
        _transposed(transposed.size),
    )


def _transposed(size: Size) -> Size:
    return Size(size.across, size.along)


def _transposed_point(point: Point) -> Point:
    return Point(point.across, point.along)


def _label_size(edge: Edge, look: Look) -> Size:
    if edge.local is None or not look.numbers:
        return Size(0.0, 0.0)
    most = "0" * (EDGE_COLUMNS if edge.size == 1 else SPAN_COLUMNS)
    return Size(text_width(most, EDGE_SIZE, mono=True) + 2 * EDGE_PAD, LABEL_HEIGHT)


def _edge(graph: Graph, edge: Edge, route: Sequence[Point], label: tuple[Point, Size], look: Look) -> str:
    """An edge with its arrowhead, its label on a piece of background, and a tooltip."""
    blocked = " blocked" if edge.local is None else ""
    source, target = graph.nodes[edge.source].name, graph.nodes[edge.target].name
    local = "no derivative flows here" if edge.local is None else f"local derivative {edge.local.exact()}"
    many = f"\n{edge.size:,} edges" if edge.size > 1 else ""
    parts = [f'<g class="edge{blocked}"><title>{escaped(f"{source} → {target}{chr(10)}{local}{many}")}</title>']
    line = attributes("line", look.theme) + (' stroke-dasharray="3 3"' if blocked else "")
    parts.append(f'<path {line} d="{_curve(route, look.direction)}"/>{_arrowhead(route[-1], look)}')
    if edge.is_lit:
        parts.append(f'<path {attributes("lit", look.theme)} d="{_curve(route, look.direction)}"/>')
    (x, y), (room, height) = label
    if room and edge.local is not None:
        text = edge.local.brief()
        needed = text_width(text, EDGE_SIZE, mono=True)
        smaller = min(1.0, (room - 2 * EDGE_PAD) / needed)
        width = smaller * needed + 2 * EDGE_PAD
        size = f' font-size="{smaller * EDGE_SIZE:.1f}"'
        parts.append(
            f'<rect {attributes("under", look.theme)} x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" '
            f'width="{width:.1f}" height="{height:g}" rx="5"/>'
            f'<text {attributes("local", look.theme)}{size} x="{x:.1f}" y="{y + 4:.1f}">{escaped(text)}</text>'
        )
    return "".join([*parts, "</g>"])


def _curve(route: Sequence[Point], direction: Direction) -> str:
    """A smooth path through the route that leaves and enters every point in the direction of the edges."""
    (x, y), *rest = route
    path = [f"M{x:.1f} {y:.1f}"]
    for next_x, next_y in rest:
        if direction == "right" and abs(next_y - y) > 0.05:
            middle = (x + next_x) / 2
            path.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {next_y:.1f} {next_x:.1f} {next_y:.1f}")
        elif direction == "down" and abs(next_x - x) > 0.05:
            middle = (y + next_y) / 2
            path.append(f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {next_y:.1f}")
        elif (next_x, next_y) != (x, y):
            path.append(f"L{next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    return "".join(path)


def _arrowhead(end: Point, look: Look) -> str:
    x, y = end
    half = TIP * 0.55
    way = f"l{-TIP:g} {-half:g}v{2 * half:g}z" if look.direction == "right" else f"l{-half:g} {-TIP:g}h{2 * half:g}z"
    return f'<path {attributes("tip", look.theme)} d="M{x:.1f} {y:.1f}{way}"/>'


def _any_written(graph: Graph) -> bool:
    return any(node.remark.startswith(WRITTEN) for node in graph.nodes)


def _legend(graph: Graph, look: Look) -> tuple[str, float]:
    """The line under the picture that explains its colours and numbers, and its width."""
    parts: list[str] = []
    x, small = 0.0, attributes("small", look.theme)
    present = {node.kind for node in graph.nodes}
    for kind, meaning in MEANING.items():
        if kind in present:
            box = attributes("box", look.theme, kind)
            parts.append(f'<g class="{kind}"><rect {box} x="{x:.1f}" y="0" width="15" height="10" rx="3"/></g>')
            parts.append(f'<text {small} x="{x + 20:.1f}" y="8.5">{meaning}</text>')
            x += 20 + text_width(meaning, 9.5) + 12
    words = [f"{WRITTEN}: the results are of an earlier number"] if _any_written(graph) else []
    if look.numbers and any(edge.local is not None for edge in graph.edges):
        words.insert(0, "on an edge: local derivative")
    for phrase in words:
        parts.append(f'<text {small} x="{x:.1f}" y="8.5">{phrase}</text>')
        x += text_width(phrase, 9.5) + (12 if phrase != words[-1] else 0)
    return "".join(parts), x
