from collections import namedtuple

from hypothesis import given
from hypothesis import strategies as st

from chainrule.core.trees import leaves, tree_map, unflatten

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
