"""Along which loops the members of a group run, and where along them operands lie."""

from __future__ import annotations

import itertools
import random

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule.compiler.loops.interpret import place
from chainrule.compiler.loops.rerolling.axes import (
    axes_of,
    index_at_points,
    index_of,
    ragged_axes_of,
    same_numbers,
    squeezed,
)


def boxes(count):
    draw = random.Random(0)
    for _ in range(count):
        yield tuple(draw.choice([2, 3, 5, 8]) for _ in range(draw.choice([1, 2, 3]))), draw


@pytest.mark.parametrize(("box", "draw"), list(boxes(20)))
def test_affine_places_are_found(box, draw):
    points = list(itertools.product(*map(range, box)))
    strides = [tuple(draw.randrange(-5, 6) for _ in box) for _ in range(3)]
    columns = np.array(
        [[100 + sum(s * p for s, p in zip(row, point, strict=True)) for row in strides] for point in points]
    )
    axes = axes_of(columns)
    assert axes is not None
    assert int(np.prod(axes)) == len(points)
    for column in columns.T:
        index = index_of(column, axes)
        assert index.table is None
        places = [place(index, point) for point in itertools.product(*map(range, axes))]
        assert places == column.tolist()


@pytest.mark.parametrize("seed", range(10))
def test_other_places_are_a_table(seed):
    draw = np.random.default_rng(seed)
    box = tuple(draw.integers(2, 5, 3).tolist())
    column = draw.integers(0, 100, int(np.prod(box)))
    index = index_of(column, box)
    assert [place(index, point) for point in itertools.product(*map(range, box))] == column.tolist()


def test_one_member_needs_no_loop():
    assert axes_of(np.array([[5, 7]])) == ()


def test_places_in_no_order_have_no_axes():
    assert axes_of(np.array([[0], [3], [1], [7], [2]])) is None


@pytest.mark.parametrize("n", [2, 3, 5, 9])
@pytest.mark.parametrize("kind", ["below", "with", "above"])
def test_triangles(n, kind):
    ranges = {"below": lambda i: range(i), "with": lambda i: range(i + 1), "above": lambda i: range(i, n)}
    members = [(i, j) for i in range(n) for j in ranges[kind](i)]
    axes = ragged_axes_of(np.array(members).reshape(-1, 2))
    if axes is None:
        assert len(members) < 4
        return
    box, points = axes
    assert len({tuple(p) for p in points.tolist()}) == len(members)
    assert (points < np.array(box)).all()
    for column in np.array(members).T:
        index = index_at_points(column, points, box)
        assert [place(index, tuple(p)) for p in points.tolist()] == column.tolist()


def test_a_box_that_is_mostly_empty_is_not_worth_it():
    columns = np.array([[i, 0] for i in range(40)] + [[50 + 2 * k, 1] for k in range(5)])
    axes = ragged_axes_of(columns)
    assert axes is None or int(np.prod(axes[0])) <= 3 * len(columns)


def test_what_does_not_change_along_an_axis_is_kept_once():
    assert squeezed(np.array([[1.0, 1.0], [2.0, 2.0]])).tolist() == [[1.0], [2.0]]
    assert squeezed(np.array([[0.0, -0.0]])).shape == (1, 2)


def test_numbers_are_equal_to_the_bit():
    assert same_numbers(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    assert not same_numbers(np.array([0.0]), np.array([-0.0]))
    assert same_numbers(np.array([np.nan]), np.array([np.nan]))
