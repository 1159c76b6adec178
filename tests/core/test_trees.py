import warnings
from collections import namedtuple
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.core.trees import as_argument, formed, leaves, tree_map, unflatten, ways
from chainrule.errors import OperandError

Pair = namedtuple("Pair", "first second")

trees = st.recursive(
    st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@given(trees)
def test_apart_and_together_again(tree):
    assert unflatten(tree, leaves(tree)) == tree


def test_named_tuples_stay_what_they_are():
    assert tree_map(lambda x: x + 1, Pair(1, [2])) == Pair(2, [3])
    assert isinstance(tree_map(abs, Pair(1, 2)), Pair)


def test_dicts_keep_their_order():
    assert leaves({"z": 1, "a": [2, 3]}) == [1, 2, 3]


@dataclass
class Point:
    x: float
    y: list


@dataclass(frozen=True)
class Ring:
    inner: float
    outer: float
    width: float = field(init=False, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "width", self.outer - self.inner)


@dataclass(frozen=True, slots=True)
class Frozen:
    x: float

    def __post_init__(self):
        if self.x <= 0:
            raise ValueError("x must be positive")


@dataclass
class Scaled:
    x: float

    def __post_init__(self):
        self.x *= 2


def test_dataclasses_stay_what_they_are():
    assert leaves(Point(1.0, [2.0, 3.0])) == [1.0, 2.0, 3.0]
    assert tree_map(lambda x: -x, [Point(1.0, [2.0])]) == [Point(-1.0, [-2.0])]
    assert tree_map(lambda x: -x, Frozen(1.0)).x == -1.0  # as a derivative may be


def test_what_init_does_not_take_makes_a_dataclass_a_leaf():
    ring = Ring(1.0, 2.0)
    assert leaves([ring]) == [ring]


def test_an_argument_is_made_as_the_caller_s_was():
    assert unflatten(Frozen(1.0), [2.0], as_argument) == Frozen(2.0)
    with pytest.raises(ValueError, match="must be positive"):
        unflatten(Frozen(1.0), [-2.0], as_argument)
    with pytest.raises(OperandError, match="the __post_init__ of Scaled changes its fields"):
        unflatten(Scaled(1.0), [2.0], as_argument)


def test_ways_to_the_numbers():
    assert ways(Point(1.0, [2.0, {"a": 3.0}])) == [".x", ".y[0]", ".y[1]['a']"]
    assert ways(3.0) == [""]
    np = pytest.importorskip("numpy")
    assert ways({"w": np.ones((1, 2))}) == ["['w'][0, 0]", "['w'][0, 1]"]


def test_arrays_are_trees():
    np = pytest.importorskip("numpy")
    tree = {"w": np.array([[1, 2], [3, 4]]), "b": np.array(5.0), "c": np.float32(6.0)}
    assert leaves(tree) == [1, 2, 3, 4, 5.0, 6.0]
    doubled = tree_map(lambda x: 2.0 * x, tree)
    assert doubled["w"].tolist() == [[2.0, 4.0], [6.0, 8.0]]
    assert doubled["b"] == 10.0
    assert tree_map(str, np.ones(2)).tolist() == ["1.0", "1.0"]
    assert leaves(np.array([[1.0], [2.0, 3.0]], dtype=object)) == [1.0, 2.0, 3.0]


def test_an_array_of_trees_is_a_tree_of_arrays():
    np = pytest.importorskip("numpy")
    found = tree_map(lambda x: Point(x, [np.array([x, 0.0])]), np.array([[1.0, 2.0]]))
    assert found.x.tolist() == [[1.0, 2.0]]
    assert found.y[0].tolist() == [[[1.0, 0.0], [2.0, 0.0]]]


def test_arrays_that_mean_something_else_are_refused():
    np = pytest.importorskip("numpy")
    with pytest.raises(OperandError, match="masked numbers"):
        leaves(np.ma.array([1.0, 2.0], mask=[True, False]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = np.matrix([[1.0]])
    with pytest.raises(OperandError, match="another product"):
        leaves(matrix)
    assert leaves(np.array(["a"]))[0].shape == (1,)


def test_structures_of_arrays_and_dataclasses_can_be_compared():
    np = pytest.importorskip("numpy")

    def structure(tree):
        return tree_map(lambda _: None, tree, formed)

    assert structure([np.ones(2), Point(1.0, [])]) == structure([np.zeros(2), Point(2.0, [])])
    assert structure(np.ones((2, 1))) != structure(np.ones((1, 2)))
    assert structure(np.ones(2)) != structure([1.0, 1.0])
    assert structure(Frozen(1.0)) != structure(Point(1.0, []))
    assert unflatten(structure(np.ones(2)), [3.0, 4.0]).tolist() == [3.0, 4.0]
    assert unflatten(structure(Point(1.0, [2.0])), [3.0, 4.0]) == Point(3.0, [4.0])
