"""Coordinates for ordered layers: places nodes so that edges run straight and nothing overlaps.

The method is that of Brandes and Köpf, Fast and Simple Horizontal Coordinate Assignment (Graph Drawing 2001). Nodes are
aligned with their median neighbours in four ways (forward or backward, first or last choice first); each alignment is
packed as tightly as possible; and each node gets the mean of its two middle places. Packing finds longest paths in the
graph of aligned blocks, which avoids the flaw that the paper's erratum (2020) corrects.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Protocol


class LayeredGraph(Protocol):
    """The part of a layered graph that is needed here."""

    @property
    def layers(self) -> list[list[int]]: ...
    @property
    def before(self) -> list[list[int]]: ...
    @property
    def after(self) -> list[list[int]]: ...
    @property
    def sizes(self) -> Sequence: ...
    def is_virtual(self, vertex: int) -> bool: ...
    def gap(self, first: int, second: int) -> float: ...


Places = list[float]


def place_across(graph: LayeredGraph) -> Places:
    """The centre of each vertex across the direction of the edges; the smallest border is at 0."""
    conflicts = _conflicts(graph)
    candidates: list[Places] = []
    for neighbours, backward in ((graph.before, False), (graph.after, True)):
        for mirrored in (False, True):
            layers = [layer[::-1] if mirrored else layer for layer in graph.layers]
            block = _align(layers[::-1] if backward else layers, neighbours, conflicts)
            places = _pack(layers, block, _separation(graph))
            candidates.append([-place for place in places] if mirrored else places)
    return _balance(graph, candidates)


def _separation(graph: LayeredGraph) -> Callable[[int, int], float]:
    def between(first: int, second: int) -> float:
        return (graph.sizes[first].across + graph.sizes[second].across) / 2 + graph.gap(first, second)

    return between


def _conflicts(graph: LayeredGraph) -> set[tuple[int, int]]:
    """Edges that must not be aligned because they cross an edge between two virtual vertices (type 1 conflicts).

    Long edges thus stay straight.
    """
    marked: set[tuple[int, int]] = set()
    for upper, lower in zip(graph.layers, graph.layers[1:], strict=False):
        place = {vertex: i for i, vertex in enumerate(upper)}
        start = left = 0
        for i, vertex in enumerate(lower):
            inner = _inner_neighbour(graph, vertex)
            if inner is None and i < len(lower) - 1:
                continue
            right = len(upper) if inner is None else place[inner]
            for scanned in lower[start : i + 1]:
                for neighbour in graph.before[scanned]:
                    both_virtual = graph.is_virtual(neighbour) and graph.is_virtual(scanned)
                    if not both_virtual and not left <= place[neighbour] <= right:
                        marked.add((neighbour, scanned))
            start, left = i + 1, right
    return marked


def _inner_neighbour(graph: LayeredGraph, vertex: int) -> int | None:
    if graph.is_virtual(vertex):
        for neighbour in graph.before[vertex]:
            if graph.is_virtual(neighbour):
                return neighbour
    return None


def _align(
    layers: Sequence[Sequence[int]], neighbours: Sequence[Sequence[int]], conflicts: set[tuple[int, int]]
) -> list[int]:
    """Aligns vertices in blocks that get one place; returns for each vertex one member of its block.

    Each vertex joins a median neighbour in the previous layer, unless that would cross an earlier choice.
    """
    block = list(range(len(neighbours)))
    taken = [False] * len(neighbours)
    place: dict[int, int] = {}
    for layer in layers:
        last = -1
        for vertex in layer:
            around = sorted(neighbours[vertex], key=place.__getitem__)
            middle = (len(around) - 1) / 2
            for i in sorted({int(middle), int(middle + 0.5)}) if around else ():
                other = around[i]
                free = not taken[other] and last < place[other]
                if free and (other, vertex) not in conflicts and (vertex, other) not in conflicts:
                    taken[other] = True
                    block[vertex] = block[other]
                    last = place[other]
                    break
        place = {vertex: i for i, vertex in enumerate(layer)}
    return block


def _pack(layers: Sequence[Sequence[int]], block: Sequence[int], separation: Callable[[int, int], float]) -> Places:
    """The tightest places with every block straight: first each block as low as possible, then up towards the next
    block."""
    count = len(block)
    above: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    below: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for layer in layers:
        for first, second in itertools.pairwise(layer):
            distance = separation(first, second)
            above[block[second]].append((block[first], distance))
            below[block[first]].append((block[second], distance))
    order = _topological(sorted(set(block)), above, below)
    place = [0.0] * count
    for b in order:
        place[b] = max((place[other] + distance for other, distance in above[b]), default=0.0)
    for b in reversed(order):
        if below[b]:
            place[b] = max(place[b], min(place[other] - distance for other, distance in below[b]))
    return [place[b] for b in block]


def _topological(blocks: Sequence[int], above: Sequence, below: Sequence) -> list[int]:
    waiting = {b: len(above[b]) for b in blocks}
    order = [b for b in blocks if not waiting[b]]
    for b in order:  # the list grows during the loop
        for other, _ in below[b]:
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    return order


def _balance(graph: LayeredGraph, candidates: list[Places]) -> Places:
    """Shifts the four placements to the narrowest one, and takes the mean of each vertex's two middle places."""
    halves = [size.across / 2 for size in graph.sizes]
    lows = [min((p - h for p, h in zip(c, halves, strict=True)), default=0.0) for c in candidates]
    highs = [max((p + h for p, h in zip(c, halves, strict=True)), default=0.0) for c in candidates]
    narrowest = min(range(4), key=lambda i: highs[i] - lows[i])
    shifted = []
    for i, candidate in enumerate(candidates):
        mirrored = i % 2 == 1
        shift = highs[narrowest] - highs[i] if mirrored else lows[narrowest] - lows[i]
        shifted.append([place + shift for place in candidate])
    middle = [(ordered[1] + ordered[2]) / 2 for ordered in map(sorted, zip(*shifted, strict=True))]
    least = min((place - half for place, half in zip(middle, halves, strict=True)), default=0.0)
    return [place - least for place in middle]
