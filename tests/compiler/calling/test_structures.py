"""What is kept for arguments of many structures, and what is said where there are ever new ones."""

from __future__ import annotations

import warnings

import pytest

import chainrule
from chainrule import errors

pytest.importorskip("llvmlite")

import numpy as np

from chainrule.compiler.calling import paths
from chainrule.compiler.calling.structures import MANY, changing


def total(xs):
    return chainrule.sum([x * x for x in xs])


class Plain:
    """An object without anything."""


@pytest.fixture
def kernels(noted):
    """Weak references to all kernels that are made."""
    return noted(paths, "build")


def test_no_more_kernels_are_kept_than_there_may_be_structures(kernels, alive):
    f = chainrule.compile(total, max_structures=4)
    for n in range(1, 12):
        assert f([1.0] * n) == float(n)  # told only where it is more often than that
    assert len(kernels) == 11
    assert alive(kernels) == 4
    assert f.traces == 11
    assert "7 structures let go" in f.explain()


def test_what_was_let_go_is_made_again(kernels, alive):
    f = chainrule.compile(total, max_structures=1)
    for _ in range(3):
        assert f([1.0]) == 1.0
        assert f.grad([1.0, 2.0]) == [2.0, 4.0]
    assert alive(kernels) == 1


def test_the_structure_that_was_not_used_for_longest_is_let_go(kernels):
    f = chainrule.compile(total, max_structures=3)
    for n in range(1, 10):
        f([1.0] * n)
        f([])
        f([0.5] * 20)
    assert f.traces == 11  # those two were kept


def test_arrays_and_batches_share_paths_of_which_one_may_go(kernels):
    f = chainrule.compile(lambda x: x * x, max_structures=2)
    for x in (2.0, np.float32(2.0), np.array(2.0), 2):
        assert f(x) == 4.0
    assert f(2.0) == 4.0


def test_a_fresh_function_at_each_call_is_told_by_the_arguments_place_and_kept_within_bounds(kernels, alive):
    f = chainrule.compile(lambda x, g: g(x) + 1, max_structures=8)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i in range(MANY + 8):
            assert f(2.0, lambda x, i=i: x * i) == 2.0 * i + 1
    messages = [str(warning.message) for warning in caught]
    assert [warning.category for warning in caught] == [errors.SlowWarning] * len(caught)
    [new] = [message for message in messages if "a new one at most of the calls" in message]
    assert "It is argument 1, another function each time (the function <function " in new
    assert "make it once, before the loop" in new
    assert caught[0].filename == __file__
    assert alive(kernels) == 8


def test_growing_lists_are_told_once():
    f = chainrule.compile(total)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in range(MANY + 4):
            f([1.0] * n)
    [warning] = caught
    assert "It is argument 0, the list [0.0, 0.0" in str(warning.message)
    assert "whose size or nesting changes: bring lists to a few lengths" in str(warning.message)
    assert "36 structures of arguments: there was a new one at most of the calls so far" in f.explain()


def test_many_structures_that_come_again_are_not_told():
    f = chainrule.compile(total)
    for n in range(1, MANY + 8):
        for _ in range(3):
            f([1.0] * n)
    assert "fallbacks" not in f.explain()


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ([1.0, "a"], [1.0, "b"], "argument 1, the str 'b', which is another one each time"),
        ([chainrule.nn.MLP(1, [1])], [chainrule.nn.MLP(1, [1])], "argument 0, another MLP each time: make it once"),
        ([[1.0]], [[1.0, 2.0]], "argument 0, the list [1.0, 2.0], whose size or nesting changes"),
        ([{"a": 1.0}], [{"a": 1.0, "b": 2.0}], "argument 0, the dict {'a': 1.0, 'b': 2.0}, whose size"),
        ([Plain()], [Plain()], "argument 0, another object each time"),
    ],
)
def test_what_is_said_of_an_argument(before, now, words):
    keys = [tuple(map(id, given)) if len(given) == 1 else (0, str(given[1])) for given in (before, now)]
    assert words in changing(keys, before, now)


def test_an_object_whose_attributes_change_is_told_as_such():
    class Counter:
        calls = 0

        @chainrule.compile
        def value(self, x):
            return x * self.calls

    counter = Counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i in range(MANY):
            counter.calls = i
            assert counter.value(2.0) == 2.0 * i
    assert "argument 0: attributes of the Counter <" in str(caught[0].message)
    assert "change from call to call. Give them as numbers." in str(caught[0].message)


def test_an_argument_by_name_is_called_by_it():
    assert changing([(1, 2), (1, 3)], [1.0, [1.0]], [1.0, [1.0, 2.0]], ("rates",)).startswith("It is argument 'rates'")


@pytest.mark.parametrize("most", [0, -1, 1.5, True, "many"])
def test_how_many_are_kept_is_a_whole_number(most):
    with pytest.raises(errors.ArgumentError, match="max_structures is a whole number"):
        chainrule.compile(total, max_structures=most)
