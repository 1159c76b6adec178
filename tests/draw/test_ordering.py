from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from chainrule.draw.ordering import count_crossings, order_layers


@st.composite
def layered(draw):
    widths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))
    layers, count = [], 0
    for width in widths:
        layers.append(list(range(count, count + width)))
        count += width
    before, after = [[] for _ in range(count)], [[] for _ in range(count)]
    for upper, lower in pairwise(layers):
        for u in upper:
            for v in lower:
                if draw(st.booleans()):
                    after[u].append(v)
                    before[v].append(u)
    return layers, before, after


def crossings_one_by_one(layers, after):
    place = {vertex: i for layer in layers for i, vertex in enumerate(layer)}
    total = 0
    for layer in layers:
        edges = [(place[u], place[v]) for u in layer for v in after[u]]
        total += sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in combinations(edges, 2))
    return total


@given(layered())
def test_crossings_are_counted_right(net):
    layers, _, after = net
    assert count_crossings(layers, after) == crossings_one_by_one(layers, after)


@given(layered())
def test_every_vertex_keeps_its_layer(net):
    layers, before, after = net
    ordered = order_layers(layers, before, after)
    assert [sorted(layer) for layer in ordered] == layers


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30))
def test_trees_have_no_crossings(choices):
    parent, depth = [None], [0]
    for number, choice in enumerate(choices, start=1):
        parent.append(choice % number)
        depth.append(depth[parent[number]] + 1)
    deepest = max(depth)
    layers = [[v for v in range(len(parent)) if depth[v] == deepest - level] for level in range(deepest + 1)]
    after = [[] if p is None else [p] for p in parent]
    before = [[v for v, p in enumerate(parent) if p == u] for u in range(len(parent))]
    assert count_crossings(order_layers(layers, before, after), after) == 0


def test_a_knot_is_untied():
    layers = [[0, 1, 2], [3, 4, 5]]
    after = [[5], [4], [3], [], [], []]
    before = [[], [], [], [2], [1], [0]]
    assert count_crossings(layers, after) == 3
    assert count_crossings(order_layers(layers, before, after), after) == 0
