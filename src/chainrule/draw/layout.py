"""A layered layout: the places of the boxes of a graph, and the routes of its edges.

The method is that of Sugiyama, Tagawa and Toda (Methods for Visual Understanding of Hierarchical System Structures,
IEEE Transactions on Systems, Man and Cybernetics 11, 1981), in four steps: assign nodes to layers so that edges run
forward; put a virtual node wherever an edge crosses a layer; order the layers so that few edges cross (`ordering`); and
place the nodes of each layer so that edges run straight (`coordinates`).

Every edge crosses a layer of labels just before its target, where its label is laid out like a node; so labels never
cover anything. All edges from one source share one path up to the fork.

This is pure geometry: it knows sizes and edges, and nothing of what is drawn. `along` is the direction of the edges,
`across` the other one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from chainrule.draw.coordinates import place_across
from chainrule.draw.ordering import order_layers

BOX_GAP = 18.0
"""The gap between two boxes of one layer."""
EDGE_GAP = 9.0
"""The gap between a box and a passing edge or label, and between two of these."""
LAYER_GAP = (14.0, 64.0)
"""The smallest gap between two layers, and the largest to which steep edges widen it."""
STEEPNESS = 6.0
"""Gaps are widened until edges climb less than this many times the gap."""
APPROACH = 7.0
"""Edges run straight for this length before their target, to make room for an arrowhead."""


class Size(NamedTuple):
    """The extent of a box or label."""

    along: float
    across: float


class Point(NamedTuple):
    """A place in the picture; boxes and labels are placed by their centres."""

    along: float
    across: float


@dataclass(frozen=True, slots=True)
class Layout:
    """The centres of the boxes, and for each edge its route (from box to box) and the centre of its label."""

    boxes: list[Point]
    routes: list[list[Point]]
    labels: list[Point]
    size: Size


@dataclass(slots=True)
class LayeredGraph:
    """A proper layered graph: with virtual vertices, all edges run between neighbouring layers.

    Vertices are numbered: first the boxes, then the virtual vertices on edges. `paths[e]` are the vertices on edge e,
    from its source to its target; the last but one is its label.
    """

    sizes: list[Size]
    boxes: int
    layer_of: list[int]
    layers: list[list[int]]
    before: list[list[int]]
    after: list[list[int]]
    paths: list[list[int]] = field(default_factory=list)

    def add(self, layer: int, size: Size, previous: int) -> int:
        """Adds a virtual vertex after `previous`."""
        vertex = len(self.sizes)
        self.sizes.append(size)
        self.layer_of.append(layer)
        self.before.append([])
        self.after.append([])
        self.layers[layer].append(vertex)
        self.connect(previous, vertex)
        return vertex

    def connect(self, source: int, target: int) -> None:
        """Adds an edge between neighbouring layers."""
        self.after[source].append(target)
        self.before[target].append(source)

    def is_virtual(self, vertex: int) -> bool:
        """Whether a vertex is a bend or a label of an edge."""
        return vertex >= self.boxes

    def gap(self, first: int, second: int) -> float:
        """The gap between two neighbours in a layer."""
        return EDGE_GAP if self.is_virtual(first) or self.is_virtual(second) else BOX_GAP


def lay_out(sizes: Sequence[Size], edges: Sequence[tuple[int, int]], labels: Sequence[Size]) -> Layout:
    """Lays boxes out so that edges run forward.

    Args:
        sizes: the sizes of the boxes.
        edges: pairs of box numbers (source, target), without cycles; parallel edges are fine. Sources must have
            smaller numbers than their targets.
        labels: the size of each edge's label; `Size(0, 0)` for none.

    Returns:
        The layout, with its upper left corner at (0, 0).

    >>> layout = lay_out([Size(40, 20), Size(60, 20)], [(0, 1)], [Size(10, 8)])
    >>> layout.boxes[0].along < layout.labels[0].along < layout.boxes[1].along
    True
    >>> layout.boxes[0].across == layout.boxes[1].across
    True
    """
    graph = _layered(sizes, edges, labels, assign_layers(len(sizes), edges))
    graph.layers = order_layers(graph.layers, graph.before, graph.after)
    across = place_across(graph)
    spans = _place_along(graph, across)
    centre = [Point(0.0, 0.0)] * len(graph.sizes)
    for layer, (start, end) in zip(graph.layers, spans, strict=True):
        for vertex in layer:
            centre[vertex] = Point((start + end) / 2, across[vertex])
    routes = [_route(graph, path, centre, spans) for path in graph.paths]
    extent = max((place + size.across / 2 for place, size in zip(across, graph.sizes, strict=True)), default=0.0)
    whole = Size(spans[-1][1], extent)
    return Layout(centre[: graph.boxes], routes, [centre[path[-2]] for path in graph.paths], whole)


def assign_layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Assigns each box a layer: as early as its operands allow, then later where that shortens the edges.

    Leaves, above all, end up just before the first result that uses them.

    >>> assign_layers(4, [(0, 1), (1, 2), (3, 2)])
    [0, 1, 2, 1]
    """
    layers = [0] * count
    sources: list[set[int]] = [set() for _ in range(count)]
    targets: list[set[int]] = [set() for _ in range(count)]
    for source, target in edges:
        sources[target].add(source)
        targets[source].add(target)
    for box in range(count):
        layers[box] = max((layers[source] + 1 for source in sources[box]), default=0)
    for box in reversed(range(count)):
        if len(sources[box]) < len(targets[box]):
            layers[box] = min(layers[target] for target in targets[box]) - 1
    return layers


def _layered(
    sizes: Sequence[Size], edges: Sequence[tuple[int, int]], labels: Sequence[Size], layers: Sequence[int]
) -> LayeredGraph:
    """Builds the layered graph: boxes on even layers, labels on odd ones, bends wherever else an edge crosses a
    layer."""
    count = len(sizes)
    graph = LayeredGraph(
        list(sizes),
        count,
        [2 * layer for layer in layers],
        [[] for _ in range(2 * max(layers, default=0) + 1)],
        [[] for _ in range(count)],
        [[] for _ in range(count)],
    )
    for box, layer in enumerate(layers):
        graph.layers[2 * layer].append(box)
    trunks: list[list[int]] = [[box] for box in range(count)]
    for (source, target), label in zip(edges, labels, strict=True):
        first, label_layer = 2 * layers[source], 2 * layers[target] - 1
        trunk = trunks[source]
        while first + len(trunk) < label_layer:
            trunk.append(graph.add(first + len(trunk), Size(0.0, 0.0), trunk[-1]))
        bends = trunk[: label_layer - first]
        vertex = graph.add(label_layer, label, bends[-1])
        graph.connect(vertex, target)
        graph.paths.append([*bends, vertex, target])
    return graph


def _place_along(graph: LayeredGraph, across: Sequence[float]) -> list[tuple[float, float]]:
    """The start and the end of each layer."""
    spans: list[tuple[float, float]] = []
    for layer in graph.layers:
        start = 0.0
        if spans:
            climb = max((abs(across[v] - across[u]) for v in layer for u in graph.before[v]), default=0.0)
            start = spans[-1][1] + min(max(LAYER_GAP[0], climb / STEEPNESS), LAYER_GAP[1])
        spans.append((start, start + max((graph.sizes[vertex].along for vertex in layer), default=0.0)))
    return spans


def _route(
    graph: LayeredGraph, path: Sequence[int], centre: Sequence[Point], spans: Sequence[tuple[float, float]]
) -> list[Point]:
    """The points of an edge. It crosses every layer straight, and changes its place only between layers."""
    source, target = path[0], path[-1]
    layer = graph.layer_of[source]
    points = [Point(centre[source].along + graph.sizes[source].along / 2, centre[source].across)]
    points.append(Point(spans[layer][1], centre[source].across))
    for vertex in path[1:-1]:
        layer += 1
        points += [Point(border, centre[vertex].across) for border in spans[layer]]
    points.append(Point(spans[layer + 1][0] - APPROACH, centre[target].across))
    points.append(Point(centre[target].along - graph.sizes[target].along / 2, centre[target].across))
    return points
