"""Where the nodes of ordered layers stand, so that edges run straight and nothing overlaps.

After Brandes and Köpf, Fast and Simple Horizontal Coordinate Assignment (Graph Drawing 2001): nodes are aligned with
their median neighbours in four ways (forward or backward, first or last choice first), each alignment is packed as
tightly as it goes, and a node takes the mean of its two middle places. Packing works on the graph of aligned blocks by
longest paths, which avoids the flaw that the paper's erratum (2020) mends.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Protocol


class Net(Protocol):
    """What is needed of the layered graph."""

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


def place_across(net: Net) -> Places:
    """The centre of each vertex across the direction of the edges; the least border is at 0."""
    conflicts = _conflicts(net)
    candidates: list[Places] = []
    for neighbours, backward in ((net.before, False), (net.after, True)):
        for mirrored in (False, True):
            layers = [layer[::-1] if mirrored else layer for layer in net.layers]
            block = _align(layers[::-1] if backward else layers, neighbours, conflicts)
            places = _pack(layers, block, _separation(net))
            candidates.append([-place for place in places] if mirrored else places)
    return _balance(net, candidates)


def _separation(net: Net) -> Callable[[int, int], float]:
    def between(first: int, second: int) -> float:
        return (net.sizes[first].across + net.sizes[second].across) / 2 + net.gap(first, second)

    return between


def _conflicts(net: Net) -> set[tuple[int, int]]:
    """Edges that must not be aligned because they cross a stretch between two virtual vertices (type 1 conflicts).

    Long edges thus stay straight.
    """
    marked: set[tuple[int, int]] = set()
    for upper, lower in zip(net.layers, net.layers[1:], strict=False):
        place = {vertex: i for i, vertex in enumerate(upper)}
        start = left = 0
        for i, vertex in enumerate(lower):
            inner = _inner_neighbour(net, vertex)
            if inner is None and i < len(lower) - 1:
                continue
            right = len(upper) if inner is None else place[inner]
            for scanned in lower[start : i + 1]:
                for neighbour in net.before[scanned]:
                    both_virtual = net.is_virtual(neighbour) and net.is_virtual(scanned)
                    if not both_virtual and not left <= place[neighbour] <= right:
                        marked.add((neighbour, scanned))
            start, left = i + 1, right
    return marked


def _inner_neighbour(net: Net, vertex: int) -> int | None:
    if net.is_virtual(vertex):
        for neighbour in net.before[vertex]:
            if net.is_virtual(neighbour):
                return neighbour
    return None


def _align(
    layers: Sequence[Sequence[int]], neighbours: Sequence[Sequence[int]], conflicts: set[tuple[int, int]]
) -> list[int]:
    """The block of each vertex, named by one of its members: chains of vertices that will get one place.

    Each vertex joins a median neighbour of the layer gone through before, unless that would cross an earlier choice.
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
    """The tightest places with every block straight: first everything as low as it goes, then up to the next block."""
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
    for b in order:  # the list grows while it is gone through
        for other, _ in below[b]:
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    return order


def _balance(net: Net, candidates: list[Places]) -> Places:
    """Move the four placements over the narrowest one, and take the mean of each vertex's two middle places."""
    halves = [size.across / 2 for size in net.sizes]
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
