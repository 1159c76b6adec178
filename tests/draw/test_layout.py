import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.draw.layout import Size, assign_layers, lay_out


@st.composite
def pictures(draw):
    count = draw(st.integers(1, 14))
    lengths = st.floats(1.0, 90.0)
    sizes = [Size(draw(lengths), draw(lengths)) for _ in range(count)]
    edges = []
    if count > 1:
        pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] != pair[1])
        edges = [(min(pair), max(pair)) for pair in draw(st.lists(pairs, max_size=30))]
    labels = [draw(st.sampled_from([Size(0.0, 0.0), Size(24.0, 16.0), Size(60.0, 16.0)])) for _ in edges]
    return sizes, edges, labels


def rectangle(centre, size):
    return (
        centre.along - size.along / 2,
        centre.across - size.across / 2,
        centre.along + size.along / 2,
        centre.across + size.across / 2,
    )


def overlap(a, b):
    slack = 1e-6
    return a[0] < b[2] - slack and b[0] < a[2] - slack and a[1] < b[3] - slack and b[1] < a[3] - slack


@settings(max_examples=200, deadline=None)
@given(pictures())
def test_nothing_overlaps_and_edges_run_forward(picture):
    sizes, edges, labels = picture
    layout = lay_out(sizes, edges, labels)
    boxes = [rectangle(centre, size) for centre, size in zip(layout.boxes, sizes, strict=True)]
    tags = [rectangle(centre, size) for centre, size in zip(layout.labels, labels, strict=True) if size.along]
    everything = boxes + tags
    for i, first in enumerate(everything):
        assert min(first[:2]) >= -1e-6
        assert first[2] <= layout.size.along + 1e-6
        assert first[3] <= layout.size.across + 1e-6
        assert not any(overlap(first, second) for second in everything[:i])
    for (source, target), route in zip(edges, layout.routes, strict=True):
        assert route[0] == (boxes[source][2], layout.boxes[source].across)
        assert route[-1] == (boxes[target][0], layout.boxes[target].across)
        assert all(a.along <= b.along + 1e-6 for a, b in itertools.pairwise(route))
        for a, b in itertools.pairwise(route):
            swept = (a.along, min(a.across, b.across), b.along, max(a.across, b.across))
            others = [box for number, box in enumerate(boxes) if number not in (source, target)]
            assert not any(overlap(swept, box) for box in others)


@given(pictures())
def test_layers_run_forward_and_leaves_stand_before_their_first_use(picture):
    sizes, edges, _ = picture
    layers = assign_layers(len(sizes), edges)
    assert min(layers) >= 0
    assert all(layers[source] < layers[target] for source, target in edges)
    for box in range(len(sizes)):
        users = [layers[target] for source, target in edges if source == box]
        if users and all(target != box for _, target in edges):
            assert layers[box] == min(users) - 1


def test_a_chain_is_a_straight_line():
    layout = lay_out([Size(30, 20)] * 4, [(0, 1), (1, 2), (2, 3)], [Size(10, 8)] * 3)
    assert len({point.across for point in [*layout.boxes, *layout.labels]}) == 1
    assert {point.across for route in layout.routes for point in route} == {layout.boxes[0].across}


def test_a_long_edge_is_straight_where_it_passes():
    edges = [(0, 1), (1, 2), (2, 3), (0, 3)]
    layout = lay_out([Size(30, 20)] * 4, edges, [Size(10, 8)] * 4)
    passing = layout.routes[3][2:-2]
    assert len({round(point.across, 6) for point in passing}) == 1


def test_both_edges_of_a_square_are_there():
    layout = lay_out([Size(30, 20)] * 2, [(0, 1), (0, 1)], [Size(10, 8)] * 2)
    assert layout.labels[0].across != layout.labels[1].across


def test_the_layout_of_nothing_connected():
    layout = lay_out([Size(30, 20), Size(10, 20)], [], [])
    assert layout.boxes[0].across != layout.boxes[1].across
    assert layout.size.along == 30
