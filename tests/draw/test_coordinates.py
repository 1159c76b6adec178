import itertools
from dataclasses import dataclass, field
from typing import NamedTuple

from chainrule.draw.coordinates import place_across


class Extent(NamedTuple):
    across: float


@dataclass
class Net:
    layers: list[list[int]]
    edges: list[tuple[int, int]]
    virtual: set[int] = field(default_factory=set)

    def __post_init__(self):
        count = sum(map(len, self.layers))
        self.sizes = [Extent(0.0 if v in self.virtual else 20.0) for v in range(count)]
        self.before = [[u for u, t in self.edges if t == v] for v in range(count)]
        self.after = [[t for u, t in self.edges if u == v] for v in range(count)]

    def is_virtual(self, vertex):
        return vertex in self.virtual

    def gap(self, first, second):
        return 10.0


def test_a_result_stands_between_its_operands():
    places = place_across(Net([[0, 1], [2]], [(0, 2), (1, 2)]))
    assert places == [10.0, 40.0, 25.0]


def test_a_long_edge_goes_straight_where_a_short_one_crosses_it():
    # 0 → 3 → 6 is a long edge through the virtual 3 and 4; the short edge 1 → 2 crosses it
    net = Net([[0, 1], [2, 3], [5, 4], [6]], [(0, 3), (1, 2), (3, 4), (2, 5), (4, 6), (5, 6)], virtual={3, 4})
    places = place_across(net)
    assert places[3] == places[4]


def test_neighbours_keep_their_distance():
    places = place_across(Net([[0, 1, 2], [3]], [(0, 3), (1, 3), (2, 3)]))
    assert [b - a for a, b in itertools.pairwise(places[:3])] == [30.0, 30.0]
    assert places[3] == places[1]
    assert min(places) == 10.0  # the upper border of the first is at 0
