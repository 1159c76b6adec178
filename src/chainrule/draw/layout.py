"""A layered layout of our own: where the boxes of a graph go, and which way its edges take.

The method is that of Sugiyama, Tagawa and Toda (Methods for Visual Understanding of Hierarchical System Structures,
IEEE Transactions on Systems, Man and Cybernetics 11, 1981), in four steps: give each node a layer so that edges run
forward; put a virtual node wherever an edge passes a layer; order the layers so that few edges cross (`ordering`); and
place the nodes of each layer so that edges run straight (`coordinates`).

Every edge passes a layer of labels right before its target, and its label is laid out there like a node: labels thus
never cover anything. All edges of one source share one path up to where they fork.

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
"""Between two boxes of one layer."""
EDGE_GAP = 9.0
"""Between a box and a passing edge or label, and between two of these."""
LAYER_GAP = (20.0, 64.0)
"""Between two layers: the least, and the most that steep edges make of it."""
STEEPNESS = 6.0
"""Gaps are widened until edges climb less than this many times the gap."""
APPROACH = 7.0
"""Edges run straight for the last bit, where an arrowhead may sit."""


class Size(NamedTuple):
    """The extent of a box or label."""

    along: float
    across: float


class Point(NamedTuple):
    """A place in the picture; boxes and labels are placed by their centre."""

    along: float
    across: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Centres of the boxes, and for each edge its route (from box to box) and the centre of its label."""

    boxes: list[Point]
    routes: list[list[Point]]
    labels: list[Point]
    size: Size


@dataclass(slots=True)
class Net:
    """The graph with virtual nodes: all edges run between neighbouring layers.

    Vertices are numbered: first the boxes, then whatever is put on the edges. `chains[e]` are the vertices that edge e
    passes, from its source to its target; the last but one is its label.
    """

    sizes: list[Size]
    boxes: int
    layer_of: list[int]
    layers: list[list[int]]
    before: list[list[int]]
    after: list[list[int]]
    chains: list[list[int]] = field(default_factory=list)

    def add(self, layer: int, size: Size, previous: int) -> int:
        """A new virtual vertex behind `previous`."""
        vertex = len(self.sizes)
        self.sizes.append(size)
        self.layer_of.append(layer)
        self.before.append([])
        self.after.append([])
        self.layers[layer].append(vertex)
        self.connect(previous, vertex)
        return vertex

    def connect(self, source: int, target: int) -> None:
        """An edge between neighbouring layers."""
        self.after[source].append(target)
        self.before[target].append(source)

    def is_virtual(self, vertex: int) -> bool:
        """Whether the vertex is a bend or a label of an edge."""
        return vertex >= self.boxes

    def gap(self, first: int, second: int) -> float:
        """The room to be kept between two neighbours in a layer."""
        return EDGE_GAP if self.is_virtual(first) or self.is_virtual(second) else BOX_GAP


def lay_out(sizes: Sequence[Size], edges: Sequence[tuple[int, int]], labels: Sequence[Size]) -> Layout:
    """Place boxes so that edges run forward.

    Args:
        sizes: of the boxes.
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
    net = _build(sizes, edges, labels, assign_layers(len(sizes), edges))
    net.layers = order_layers(net.layers, net.before, net.after)
    across = place_across(net)
    spans = _place_along(net, across)
    centre = [Point(0.0, 0.0)] * len(net.sizes)
    for layer, (start, end) in zip(net.layers, spans, strict=True):
        for vertex in layer:
            centre[vertex] = Point((start + end) / 2, across[vertex])
    routes = [_route(net, chain, centre, spans) for chain in net.chains]
    extent = max((place + size.across / 2 for place, size in zip(across, net.sizes, strict=True)), default=0.0)
    whole = Size(spans[-1][1], extent)
    return Layout(centre[: net.boxes], routes, [centre[chain[-2]] for chain in net.chains], whole)


def assign_layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """A layer for each box: as early as its operands allow, then later where that shortens the edges.

    Leaves, above all, end up right before the first result that uses them.

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


def _build(
    sizes: Sequence[Size], edges: Sequence[tuple[int, int]], labels: Sequence[Size], layers: Sequence[int]
) -> Net:
    """The net: boxes on even layers, labels on odd ones, bends wherever else an edge passes."""
    count = len(sizes)
    net = Net(
        list(sizes),
        count,
        [2 * layer for layer in layers],
        [[] for _ in range(2 * max(layers, default=0) + 1)],
        [[] for _ in range(count)],
        [[] for _ in range(count)],
    )
    for box, layer in enumerate(layers):
        net.layers[2 * layer].append(box)
    trunks: list[list[int]] = [[box] for box in range(count)]
    for (source, target), label in zip(edges, labels, strict=True):
        first, label_layer = 2 * layers[source], 2 * layers[target] - 1
        trunk = trunks[source]
        while first + len(trunk) < label_layer:
            trunk.append(net.add(first + len(trunk), Size(0.0, 0.0), trunk[-1]))
        path = trunk[: label_layer - first]
        vertex = net.add(label_layer, label, path[-1])
        net.connect(vertex, target)
        net.chains.append([*path, vertex, target])
    return net


def _place_along(net: Net, across: Sequence[float]) -> list[tuple[float, float]]:
    """Where each layer starts and ends."""
    spans: list[tuple[float, float]] = []
    for layer in net.layers:
        start = 0.0
        if spans:
            climb = max((abs(across[v] - across[u]) for v in layer for u in net.before[v]), default=0.0)
            start = spans[-1][1] + min(max(LAYER_GAP[0], climb / STEEPNESS), LAYER_GAP[1])
        spans.append((start, start + max((net.sizes[vertex].along for vertex in layer), default=0.0)))
    return spans


def _route(
    net: Net, chain: Sequence[int], centre: Sequence[Point], spans: Sequence[tuple[float, float]]
) -> list[Point]:
    """The points that an edge passes. It crosses every layer straight, and changes sides between layers only."""
    source, target = chain[0], chain[-1]
    layer = net.layer_of[source]
    points = [Point(centre[source].along + net.sizes[source].along / 2, centre[source].across)]
    points.append(Point(spans[layer][1], centre[source].across))
    for vertex in chain[1:-1]:
        layer += 1
        points += [Point(border, centre[vertex].across) for border in spans[layer]]
    points.append(Point(spans[layer + 1][0] - APPROACH, centre[target].across))
    points.append(Point(centre[target].along - net.sizes[target].along / 2, centre[target].across))
    return points
