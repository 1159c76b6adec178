"""Orders the nodes of each layer of a picture so that few edges cross.

The method is barycentre sweeps (Sugiyama, Tagawa and Toda 1981): forwards and backwards, each layer is sorted by the
mean place of every node's neighbours in the previous layer, and neighbours are swapped where that removes crossings.
Crossings are counted as by Barth, Mutzel and Jünger, Simple and Efficient Bilayer Cross Counting (2002).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

SWEEPS = 24
WORK = 400_000
"""The most vertices that all sweeps visit, so that large graphs get fewer sweeps instead of more time."""
PATIENCE = 4
"""The search ends after so many sweeps without progress."""

Neighbours = Sequence[Sequence[int]]


def order_layers(layers: list[list[int]], before: Neighbours, after: Neighbours) -> list[list[int]]:
    """Orders layers so that few edges cross.

    Args:
        layers: the vertices of each layer.
        before: the neighbours of each vertex in the previous layer.
        after: the neighbours of each vertex in the next layer.

    >>> order_layers([[0, 1], [2, 3]], [[], [], [1], [0]], [[3], [2], [], []])
    [[1, 0], [2, 3]]
    """
    current = _depth_first(layers, before, after)
    best, fewest = current, count_crossings(current, after)
    vertices = sum(map(len, layers))
    stale = 0
    for sweep in range(max(2, min(SWEEPS, WORK // max(vertices, 1)))):
        if not fewest or stale >= PATIENCE:
            break
        current = [list(layer) for layer in current]
        forward = sweep % 2 == 0
        _sweep(current if forward else current[::-1], before if forward else after)
        _transpose(current, before, after)
        crossings = count_crossings(current, after)
        stale += 1
        if crossings < fewest:
            best, fewest, stale = current, crossings, 0
    return best


def count_crossings(layers: Sequence[Sequence[int]], after: Neighbours) -> int:
    """Counts the pairs of edges that cross.

    >>> count_crossings([[0, 1], [2, 3]], [[3], [2], [], []])
    1
    """
    total = 0
    for first, second in itertools.pairwise(layers):
        place = {vertex: i for i, vertex in enumerate(second)}
        ends = [end for vertex in first for end in sorted(place[target] for target in after[vertex])]
        total += _inversions(ends, len(second))
    return total


def _inversions(ends: Sequence[int], width: int) -> int:
    """Counts the pairs in the wrong order, with a Fenwick tree of the ends seen so far."""
    tree = [0] * (width + 1)
    total = 0
    for seen, end in enumerate(ends):
        i, not_above = end + 1, 0
        while i:
            not_above += tree[i]
            i &= i - 1
        total += seen - not_above
        i = end + 1
        while i <= width:
            tree[i] += 1
            i += i & -i
    return total


def _depth_first(layers: list[list[int]], before: Neighbours, after: Neighbours) -> list[list[int]]:
    """The order of a depth-first search from the results; trees get no crossings."""
    layer_of = {vertex: number for number, layer in enumerate(layers) for vertex in layer}
    ordered: list[list[int]] = [[] for _ in layers]
    stack = [vertex for layer in layers for vertex in reversed(layer) if not after[vertex]]
    met: set[int] = set()
    while stack:
        vertex = stack.pop()
        if vertex in met:
            continue
        met.add(vertex)
        ordered[layer_of[vertex]].append(vertex)
        stack.extend(reversed(before[vertex]))
    return ordered


def _sweep(layers: Sequence[list[int]], neighbours: Neighbours) -> None:
    """Sorts each layer by the mean place of its vertices' neighbours in the layer before."""
    place: dict[int, int] = {}
    for layer in layers:
        centre = {vertex: _mean([place[n] for n in neighbours[vertex]], i) for i, vertex in enumerate(layer)}
        layer.sort(key=centre.__getitem__)
        place = {vertex: i for i, vertex in enumerate(layer)}


def _mean(places: Sequence[int], otherwise: int) -> float:
    return sum(places) / len(places) if places else otherwise


def _transpose(layers: Sequence[list[int]], before: Neighbours, after: Neighbours) -> None:
    """Swaps neighbours where that leaves fewer crossings on their two sides together."""
    for number, layer in enumerate(layers):
        previous = {vertex: i for i, vertex in enumerate(layers[number - 1])} if number else {}
        following = {vertex: i for i, vertex in enumerate(layers[number + 1])} if number + 1 < len(layers) else {}
        sides = {v: (sorted(previous[n] for n in before[v]), sorted(following[n] for n in after[v])) for v in layer}
        for i in range(len(layer) - 1):
            left, right = sides[layer[i]], sides[layer[i + 1]]
            now = sum(_crossing_pairs(a, b) for a, b in zip(left, right, strict=True))
            swapped = sum(_crossing_pairs(b, a) for a, b in zip(left, right, strict=True))
            if swapped < now:
                layer[i], layer[i + 1] = layer[i + 1], layer[i]


def _crossing_pairs(first: Sequence[int], second: Sequence[int]) -> int:
    """Counts the pairs of edges that cross if the vertex with neighbours `first` precedes the one with `second`."""
    total = smaller = 0
    for place in first:
        while smaller < len(second) and second[smaller] < place:
            smaller += 1
        total += smaller
    return total
