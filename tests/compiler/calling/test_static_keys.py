"""Arguments that are no numbers: where what they hold has changed, there is a new trace."""

from __future__ import annotations

import array
import collections
import copy
import dataclasses
import functools
import math
import random
import types

import pytest

import chainrule
from chainrule import Value
from chainrule.errors import OperandError
from chainrule.nn import Module

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")


class Scaled(Module):
    def __init__(self):
        self.w, self.scale = [Value(3.0)], 1.0

    def forward(self, x):
        return self.w[0] * x[0] * self.scale


class Terms:
    def __init__(self, rate, days):
        self.rate, self.days = rate, days


def test_the_attributes_of_a_module_are_part_of_the_structure():
    model, f = Scaled(), chainrule.compile(lambda model, x: model(x))
    assert f(model, [3.0]) == 9.0
    model.scale = 10.0
    assert f(model, [3.0]) == 90.0
    model.w[0] = Value(7.0)
    assert f(model, [3.0]) == 210.0
    model.w[0].data = 1.0
    assert f(model, [3.0]) == 30.0
    assert f.traces == 3


def test_the_attributes_of_any_object_are_part_of_the_structure():
    terms, f = Terms(2.0, [1, 2]), chainrule.compile(lambda x, terms: x * terms.rate * sum(terms.days))
    assert f(1.0, terms) == 6.0
    terms.rate = 3.0
    assert f(1.0, terms) == 9.0
    terms.days.append(3)
    assert f(1.0, terms) == 18.0
    assert f(2.0, terms) == 36.0
    assert f.traces == 3


def test_values_in_objects_are_read_at_each_call():
    terms, f = Terms(Value(2.0), []), chainrule.compile(lambda x, terms: x * terms.rate)
    assert f(1.0, terms) == 2.0
    terms.rate.data = 5.0
    assert (f(1.0, terms), f.traces) == (5.0, 1)


def test_strings_sets_and_functions():
    f = chainrule.compile(lambda x, kind, some, g: g(x) * len(some) * (1 if kind == "call" else -1))
    some = {1, 2}
    assert f(3.0, "call", some, abs) == 6.0
    some.add(3)
    assert f(-3.0, "put", some, abs) == -9.0
    assert f(-3.0, "put", some, chainrule.neg) == -9.0


@pytest.mark.parametrize("rng", [np.random.default_rng(0), random.Random(0), iter([1.0])])
def test_what_cannot_be_looked_into_is_refused(rng):
    with pytest.raises(OperandError, match=rf"an argument holds the {type(rng).__name__} .* call it before"):
        chainrule.compile(lambda x, rng: x)(1.0, rng)


def test_code_has_one_trace_however_often_it_is_asked_for():
    class Curve:
        def __init__(self):
            self.rate = 2.0

        def at(self, x):
            return self.rate * x

    curve, inner = Curve(), chainrule.compile(lambda x: x * 3.0)
    g = chainrule.compile(lambda x, g, part: g(x) * len([1, 2, 3][part]))
    for _ in range(3):
        assert g(2.0, curve.at, slice(1, 3)) == 8.0
        assert g(2.0, inner, slice(1, 3)) == 12.0
    assert g.traces == 2
    curve.rate = 5.0
    assert g(2.0, curve.at, slice(0, 3)) == 30.0


def test_generators_of_random_numbers_within_objects_are_looked_into():
    model = Scaled()
    model.rng = random.Random(0)
    f = chainrule.compile(lambda model, x: model(x))
    assert (f(model, [3.0]), f(model, [3.0]), f.traces) == (9.0, 9.0, 1)
    for rng in (random.Random(1), np.random.default_rng(1)):
        model.rng = rng
        drawn = chainrule.compile(lambda model, x: model.rng.random() * x)
        found = [drawn(model, 1.0) for _ in range(3)]
        model.rng = type(rng)(1) if isinstance(rng, random.Random) else np.random.default_rng(1)
        assert found == [model.rng.random() for _ in range(3)]


def test_iterators_within_objects_are_refused():
    terms = Terms(2.0, iter([1.0, 2.0]))
    with pytest.raises(OperandError, match="an argument holds the list_iterator"):
        chainrule.compile(lambda x, terms: x * next(terms.days))(1.0, terms)


@dataclasses.dataclass(frozen=True)
class Grid:
    points: list


def test_dataclasses_are_what_their_fields_are():
    f = chainrule.compile(lambda x, grid: x * sum(grid.points))
    for _ in range(3):
        assert [f(2.0, Grid([3.0])), f(2.0, Grid([3.0, 1.0]))] == [6.0, 8.0]
    assert f.traces == 2


def test_an_object_may_hold_itself():
    terms = Terms(2.0, [])
    terms.days.append(terms)
    assert chainrule.compile(lambda x, terms: x * terms.rate)(3.0, terms) == 6.0


@dataclasses.dataclass(slots=True)
class Inner:
    rate: float


@dataclasses.dataclass
class Outer:
    inner: Inner


class Slotted:
    __slots__ = ("__dict__", "rate")


class Named:
    """Equal to whatever has the same name."""

    def __init__(self):
        self.name, self.rate = "a", 0.0

    def __hash__(self):
        return hash(self.name)

    def __eq__(self, other):
        return self.name == other.name


def slotted(rate):
    thing = Slotted()
    thing.rate = rate
    return thing


def named(rate):
    thing = Named()
    thing.rate = rate
    return thing


@pytest.mark.parametrize(
    ("thing", "rate_of"),
    [
        (lambda rate: Outer(Inner(rate)), lambda thing: thing.inner.rate),
        (slotted, lambda thing: thing.rate),
        (named, lambda thing: thing.rate),
        (lambda rate: {"days": collections.deque([rate])}, lambda thing: thing["days"][0]),
        (lambda rate: {"days": array.array("d", [rate])}, lambda thing: thing["days"][0]),
        (lambda rate: Terms(rate, np.array([None, rate], object)), lambda thing: thing.days[1]),
    ],
    ids=["slots within", "slots and dict", "own hash", "deque", "array", "array of objects"],
)
def test_whatever_holds_a_number_is_seen_to_change(thing, rate_of):
    f = chainrule.compile(lambda x, thing: x * rate_of(thing))
    assert [f(1.0, thing(rate)) for rate in (2.0, 3.0, 3.0)] == [2.0, 3.0, 3.0]


def test_a_thing_that_is_changed_in_place():
    for thing, change in (
        (Outer(Inner(2.0)), lambda thing: setattr(thing.inner, "rate", 3.0)),
        (slotted(2.0), lambda thing: setattr(thing, "rate", 3.0)),
        (named(2.0), lambda thing: setattr(thing, "rate", 3.0)),
    ):
        f = chainrule.compile(lambda x, thing: x * (thing.inner if isinstance(thing, Outer) else thing).rate)
        assert f(1.0, thing) == 2.0
        change(thing)
        assert f(1.0, thing) == 3.0


def test_the_sign_of_a_zero_and_nan_in_attributes():
    f = chainrule.compile(lambda x, terms: chainrule.atan2(terms.rate, x))
    assert f(-1.0, Terms(0.0, [])) == -f(-1.0, Terms(-0.0, [])) > 3
    days = []
    terms = Terms(math.nan, days)
    assert math.isnan(f(-1.0, terms))
    assert math.isnan(f(-1.0, terms))
    assert f.traces == 3


class Holder:
    def __init__(self, inside):
        self.inside = inside


CHANGES = {
    "bytearray": (lambda: bytearray(b"\2"), lambda x: x.__setitem__(0, 3), lambda x: float(x[0])),
    "array of structures": (
        lambda: np.array([(None, 2.0)], dtype=[("a", object), ("b", object)]),
        lambda x: x.__setitem__(0, (None, 3.0)),
        lambda x: x[0]["b"],
    ),
    "partial": (
        lambda: functools.partial(sum, [1.0, 1.0]),
        lambda x: x.args[0].append(1.0),
        lambda x: x(),
    ),
    "attributes of a list": (lambda: RowOf([2.0]), lambda x: setattr(x, "scale", 3.0), lambda x: x.scale),
    "keys with attributes": (
        lambda: {Holder(2.0): 0},
        lambda x: setattr(next(iter(x)), "inside", 3.0),
        lambda x: next(iter(x)).inside,
    ),
}


class RowOf(list):
    scale = 2.0


@pytest.mark.parametrize("name", CHANGES)
def test_things_of_python_s_own_are_looked_into(name):
    make, change, number_of = CHANGES[name]
    holder = Holder(make())
    f = chainrule.compile(lambda x, holder: x * number_of(holder.inside))
    assert (f(1.0, holder), f(1.0, holder), f.traces) == (2.0, 2.0, 1)
    change(holder.inside)
    assert f(1.0, holder) == 3.0


@pytest.mark.parametrize("view", [types.MappingProxyType, lambda d: d.values()], ids=["proxy", "values"])
def test_views_of_a_dict_are_what_it_holds(view):
    inside = {"a": 2.0}
    holder = Holder(view(inside))
    f = chainrule.compile(lambda x, holder: x * (holder.inside["a"] if "a" in inside and hasattr(holder.inside, "get")
                                                 else next(iter(holder.inside))))  # fmt: skip
    assert f(1.0, holder) == 2.0
    inside["a"] = 3.0
    assert f(1.0, holder) == 3.0


def test_objects_that_know_each_other_are_walked_once():
    side = 6
    grid = [[Holder(1.0) for _ in range(side)] for _ in range(side)]
    for i in range(side):
        for j in range(side):
            grid[i][j].near = [grid[(i + 1) % side][j], grid[i][(j + 1) % side]]
    f = chainrule.compile(lambda x, grid: x * grid.near[0].inside)
    assert f(2.0, grid[0][0]) == 2.0  # which would take for ever by all paths
    grid[1][0].inside = 3.0
    assert f(2.0, grid[0][0]) == 6.0


def test_the_same_part_twice_is_not_two_equal_parts():
    def f(x, terms):
        return x * (2.0 if terms.days[0] is terms.days[1] else 3.0)

    compiled, day = chainrule.compile(f), [1.0]
    assert compiled(1.0, Terms(1.0, [day, day])) == 2.0
    assert compiled(1.0, Terms(1.0, [[1.0], [1.0]])) == 3.0


def test_what_leads_on_too_deeply_is_refused():
    chain = Holder(1.0)
    for _ in range(2000):
        chain = Holder(chain)
    with pytest.raises(OperandError, match="more deeply than can be looked into"):
        chainrule.compile(lambda x, chain: x)(1.0, chain)


def test_lists_whose_attributes_lead_back_to_what_holds_them():
    table = Holder([RowOf([1.0]) for _ in range(12)])
    for row in table.inside:
        row.owner = table
    f = chainrule.compile(lambda x, table: x * table.inside[3].scale)
    assert f(1.0, table) == 2.0
    table.inside[3].scale = 5.0
    assert f(1.0, table) == 5.0


def test_a_copy_that_somebody_makes_is_no_change():
    class Setting:
        rate = 2.0

    setting, f = Setting(), chainrule.compile(lambda x, setting: x * setting.rate)
    assert f(1.0, setting) == 2.0
    copy.deepcopy(setting)
    assert (f(1.0, setting), f.traces) == (2.0, 1)
