"""Numbers of leaves, copied to and from arrays."""

from __future__ import annotations

import math
from array import array

import pytest

from chainrule import Value
from chainrule.compiler.calling.leaves import read_data, write_data
from chainrule.engine import is_compiled


@pytest.fixture
def leaves():
    return [Value(2.0), Value(-3.0), Value(math.inf)]


def test_numbers_come_and_go_bit_by_bit(leaves):
    row = array("d", [0.0] * 4)
    read_data(leaves, row)
    assert row.tolist() == [2.0, -3.0, math.inf, 0.0]
    assert write_data(leaves, array("d", [-0.0, 5e-324, 7.0]), row) == -1
    assert [str(leaf.data) for leaf in leaves] == ["-0.0", "5e-324", "7.0"]


@pytest.mark.parametrize(("changed", "place"), [([], -1), ([0], 0), ([1], 1), ([0, 2], 2)])
def test_the_last_leaf_that_others_wrote_meanwhile_is_told(leaves, changed, place):
    before = array("d", [leaf.data for leaf in leaves])
    for i in changed:
        leaves[i].data = 0.5
    assert write_data(leaves, before, before) == place


def test_nan_is_no_change(leaves):
    leaves[1].data = math.nan
    before = array("d", [2.0, math.nan, math.inf])
    assert write_data(leaves, before, before) == -1


@pytest.mark.parametrize("short", [array("d"), array("d", [0.0, 0.0])])
def test_an_array_that_is_too_short_is_refused(leaves, short):
    enough = array("d", [0.0] * 3)
    for copy in (lambda: read_data(leaves, short), lambda: write_data(leaves, short, enough)):
        with pytest.raises((ValueError, IndexError)):
            copy()
    with pytest.raises((ValueError, IndexError)):
        write_data(leaves, enough, short)


@pytest.mark.skipif(not is_compiled(), reason="Python's own copy takes any row of numbers")
@pytest.mark.parametrize("other", [array("f", [0.0] * 3), array("q", [0] * 3), [0.0] * 3, b"0" * 24, None])
def test_other_memory_than_of_floats_is_refused(leaves, other):
    with pytest.raises((ValueError, TypeError, BufferError)):
        read_data(leaves, other)


@pytest.mark.skipif(not is_compiled(), reason="Python's own copy does not look at what it is given")
def test_other_things_than_values_are_refused():
    with pytest.raises(TypeError):
        read_data([Value(1.0), 2.0], array("d", [0.0, 0.0]))
