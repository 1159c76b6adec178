"""Small classes that hold what they are given, and stay so."""

from __future__ import annotations

import copy
import pickle

import pytest

from chainrule.core.records import Fields


class Point(Fields):
    x: float
    y: float = 0.0


class Named(Point):
    name: str = "p"


class Other(Fields):
    x: float
    y: float = 0.0


def test_fields_are_given_by_position_by_name_or_left_out():
    assert [vars(Point(1.0)), vars(Point(1.0, 2.0)), vars(Point(y=2.0, x=1.0))] == [
        {"x": 1.0, "y": 0.0}, {"x": 1.0, "y": 2.0}, {"x": 1.0, "y": 2.0},
    ]  # fmt: skip
    assert repr(Named(1.0, name="q")) == "Named(x=1.0, y=0.0, name='q')"


@pytest.mark.parametrize("make", [
    lambda: Point(), lambda: Point(1.0, 2.0, 3.0), lambda: Point(1.0, x=1.0), lambda: Point(1.0, z=1.0),
])  # fmt: skip
def test_what_does_not_fit_is_refused(make):
    with pytest.raises(TypeError, match="Point takes x, y, each once, not"):
        make()


def test_equal_are_those_of_one_class_with_equal_fields():
    assert Point(1.0) == Point(1.0, 0.0) != Point(2.0)
    assert Point(1.0) != Other(1.0)
    assert Point(1.0) != (1.0, 0.0)
    assert {Point(1.0), Point(1.0, 0.0)} == {Point(1.0)}
    assert [pickle.loads(pickle.dumps(Named(1.0))), copy.deepcopy(Named(1.0))] == [Named(1.0)] * 2


def test_they_stay_as_they_were_made():
    point = Point(1.0)
    with pytest.raises(AttributeError, match="Point stays as it was made: x cannot be written"):
        point.x = 2.0
    with pytest.raises(AttributeError):
        del point.x


def test_match_takes_them_apart():
    match Point(1.0, 2.0):
        case Point(x, y):
            assert (x, y) == (1.0, 2.0)
