"""Arguments that are no numbers, and differ in what their key must see: none gets the trace of another."""

from __future__ import annotations

import contextvars
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import itertools
import operator
import re
import sys
import types
import uuid
import weakref
import zoneinfo
from collections import deque

import pytest

import chainrule
from chainrule import Value
from chainrule.errors import OperandError
from chainrule.nn import Module
from chainrule.optim import SGD

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")


class Text(str):
    """A str with an attribute."""


class Rate(float):
    """A float with an attribute."""


class Holder:
    def __init__(self, inside):
        self.inside = inside


class Lying:
    """Equal to all of its kind."""

    def __init__(self, rate):
        self.rate = rate

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


@dataclasses.dataclass(frozen=True)
class Partly:
    name: str
    rate: str = dataclasses.field(compare=False)


class Day(datetime.date):
    """A date with an attribute."""


class Colour(enum.Flag):
    RED = 1
    BLUE = 2


def with_attribute(thing, x):
    thing.extra = x
    return thing


def raised_to(k):
    return lambda x: x**k


def with_default(k):
    return lambda x, k=k: x * k


def with_name_alone(k):
    return lambda x, *, k=k: x * k


def keeping(thing):
    return lambda: thing


def masked(mask):
    return np.ma.array([1.0, 2.0], mask=mask)


NOON = datetime.datetime(2020, 6, 1, 12, tzinfo=datetime.UTC)
PAIRS = {
    "zones": (NOON, NOON.astimezone(datetime.timezone(datetime.timedelta(hours=2))), lambda t: t.hour),
    "named zones": (
        NOON.astimezone(zoneinfo.ZoneInfo("UTC")),
        NOON.astimezone(datetime.timezone(datetime.timedelta(0), "GMT")),
        lambda t: len(t.tzname()) + (t.tzname() == "UTC"),
    ),
    "fold": (datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, fold=1), lambda t: t.fold),
    "ranges": (range(0, 3, 2), range(0, 4, 2), lambda r: r.stop),
    "decimals": (decimal.Decimal("1.0"), decimal.Decimal("1.00"), lambda d: len(str(d))),
    "fractions": (Holder(fractions.Fraction(1, 2)), Holder(fractions.Fraction(1, 3)), lambda h: h.inside.denominator),
    "complex zeros": (complex(1.0, 0.0), complex(1.0, -0.0), lambda z: float(str(z.imag) == "-0.0")),
    "keys": ({1: "a"}, {True: "a"}, lambda d: float(next(iter(d)) is True)),
    "keys of numbers": ({1: 2.0}, {True: 2.0}, lambda d: float(next(iter(d)) is True)),
    "keys of floats": ({1: 2.0}, {1.0: 2.0}, lambda d: float(isinstance(next(iter(d)), float))),
    "members": ({1}, {True}, lambda s: float(next(iter(s)) is True)),
    "order of members": ({0, 8}, {8, 0}, lambda s: next(iter(s))),
    "order of a dict": ({"a": "x", "b": "y"}, {"b": "y", "a": "x"}, lambda d: float(next(iter(d)) == "a")),
    "text": (with_attribute(Text("a"), 1.0), with_attribute(Text("a"), 2.0), lambda t: t.extra),
    "a class of str": ("a", Text("a"), lambda t: float(type(t) is str)),
    "floats within": (
        Holder(with_attribute(Rate(1.0), 1.0)),
        Holder(with_attribute(Rate(1.0), 2.0)),
        lambda h: h.inside.extra,
    ),
    "lying": (Lying(1.0), Lying(2.0), lambda x: x.rate),
    "fields left out": (Partly("a", "1"), Partly("a", "2"), lambda x: float(x.rate)),
    "dates": (with_attribute(Day(2020, 1, 1), 1.0), with_attribute(Day(2020, 1, 1), 2.0), lambda d: d.extra),
    "flags": (Colour.RED, Colour.RED | Colour.BLUE, lambda c: c.value),
    "masks within": (Holder(masked([0, 0])), Holder(masked([0, 1])), lambda h: float(h.inside.sum())),
    "byte order": (
        Holder(np.array([1], "<i4")),
        Holder(np.array([1 << 24], ">i4")),
        lambda h: float(h.inside[0]),
    ),
    "layout": (
        Holder(np.ones((2, 2))),
        Holder(np.ones((2, 2), order="F")),
        lambda h: float(h.inside.flags.f_contiguous),
    ),
    "names of fields": (
        Holder(np.zeros(1, [("a", float)])),
        Holder(np.zeros(1, [("b", float)])),
        lambda h: float("a" in h.inside.dtype.names),
    ),
    "dates of numpy": (np.datetime64("2020-01-01"), np.datetime64("2020-01-01T00"), lambda d: len(str(d))),
    "memory": (memoryview(b"\1"), memoryview(b"\2"), lambda m: m[0]),
    "patterns": (re.compile("a"), re.compile("a", re.IGNORECASE), lambda p: float(bool(p.match("A")))),
    "getters": (operator.itemgetter(0), operator.itemgetter(1), lambda g: g([1.0, 2.0])),
    "identifiers": (uuid.UUID(int=1), uuid.UUID(int=2), lambda u: u.int),
    "closures": (raised_to(2), raised_to(3), lambda f: f(2.0)),
    "defaults": (with_default(2.0), with_default(3.0), lambda f: f(1.0)),
    "defaults by name": (with_name_alone(2.0), with_name_alone(3.0), lambda f: f(1.0)),
    "built-in methods": ([1.0].count, [2.0].count, lambda f: f(1.0)),
    "partials": (
        with_attribute(functools.partial(max, 1.0), 1.0),
        with_attribute(functools.partial(max, 1.0), 2.0),
        lambda f: f.extra,
    ),
    "zeros": (Holder(0.0), Holder(-0.0), lambda h: float(str(h.inside) == "-0.0")),
    "lengths": (deque([1.0, 2.0]), deque([1.0, 2.0], maxlen=2), lambda d: len([*d, 3.0][-(d.maxlen or 3) :])),
    "views": (Holder({2.0: 1.0}.keys()), Holder((2.0,)), lambda h: float(isinstance(h.inside, tuple))),
    "keys and values": (Holder({2.0: 2.0}.keys()), Holder({2.0: 2.0}.values()), lambda h: float("k" in repr(h.inside))),
    "mappings": (Holder({2: "a"}), Holder(types.MappingProxyType({2: "a"})), lambda h: float(type(h.inside) is dict)),
    "memory to write": (memoryview(b"a"), memoryview(bytearray(b"a")), lambda m: float(m.readonly)),
    "types": (Holder(1), Holder(True), lambda h: float(h.inside is True)),
    "ordered": (
        types.SimpleNamespace(a=1.0, b=2.0),
        types.SimpleNamespace(b=2.0, a=1.0),
        lambda n: next(iter(vars(n).values())),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_arguments_that_differ_have_each_their_own_trace(name):
    a, b, number_of = PAIRS[name]
    assert number_of(a) != number_of(b)
    f = chainrule.compile(lambda x, thing: x * number_of(thing))
    assert [f(2.0, thing) for thing in (a, b, a, b)] == [2.0 * number_of(thing) for thing in (a, b, a, b)]
    assert f.traces == 2
    w = Value(1.0)
    step = chainrule.compile_step(lambda thing: w * number_of(thing), SGD([w], 0.0))
    assert step.run([(a,), (b,), (a,)]) == [number_of(a), number_of(b), number_of(a)]


# ---- one thing that is changed ---------------------------------------------------------------------------------------


class Model(Module):
    rate = 2.0
    table = [2.0]  # noqa: RUF012 - a list in a class, that is changed

    def __init__(self):
        self.w = Value(1.0)

    def forward(self, x):
        return self.w * x[0] * self.rate


class Other(Model):
    def forward(self, x):
        return self.w * x[0] * 3.0


def scaled(x):
    return x * getattr(scaled, "k", 2.0)


class Scale:
    """A decorator with an attribute."""

    def __init__(self, function, rate):
        functools.update_wrapper(self, function)
        self.rate = rate

    def __call__(self, x):
        return self.rate * self.__wrapped__(x)


def module(k, file="own.py"):
    made = types.ModuleType("own")
    made.__file__ = file
    made.K, made.table = k, [k]
    return made


VARIABLE = contextvars.ContextVar("rate", default=2.0)


def fresh(base):
    """A class and an object of it, which may be changed."""
    return type("Fresh", (base,), {"rate": 2.0, "table": [2.0]})


TABLE = lambda m: m.table.__setitem__(0, 3.0), lambda m: m.table[0]
CHANGES = {
    "class": (Model, lambda m: setattr(m, "__class__", Other), lambda m: m([1.0])),
    "class of an object": (
        lambda: fresh(Holder)(0),
        lambda h: setattr(h, "__class__", Other),
        lambda h: h.rate if type(h) is not Other else 3.0,
    ),
    "attribute of a class": (lambda: fresh(Model)(), lambda m: setattr(type(m), "rate", 3.0), lambda m: m([1.0])),
    "attribute of a base": (
        lambda: fresh(fresh(Holder))(0),
        lambda h: (delattr(type(h), "rate"), setattr(type(h).__base__, "rate", 3.0)),
        lambda h: h.rate,
    ),
    "list in a class": (lambda: fresh(Model)(), lambda m: m.table.__setitem__(0, 3.0), lambda m: m.table[0]),
    "class as the argument": (lambda: fresh(Holder), lambda c: setattr(c, "rate", 3.0), lambda c: c.rate),
    "method": (
        lambda: fresh(Model)(),
        lambda m: setattr(type(m), "forward", lambda self, x: 3.0 * x[0]),
        lambda m: m([1.0]) if "forward" in vars(type(m)) else 2.0,
    ),
    "class of a list": (
        lambda: type("Row", (list,), {"rate": 2.0})([1.0]),
        lambda r: setattr(type(r), "rate", 3.0),
        lambda r: r.rate,
    ),
    "attribute of a function": (
        lambda: with_attribute(lambda x: x, 2.0),
        lambda f: setattr(f, "extra", 3.0),
        lambda f: f.extra,
    ),
    "code of a function": (
        lambda: with_default(2.0),
        lambda f: setattr(f, "__code__", (lambda x, k=1.0: 3.0 * x).__code__),
        lambda f: f(1.0),
    ),
    "defaults of a function": (
        lambda: with_default(2.0),
        lambda f: setattr(f, "__defaults__", (3.0,)),
        lambda f: f(1.0),
    ),
    "cell of a function": (
        lambda: raised_to(1),
        lambda f: setattr(f.__closure__[0], "cell_contents", 0),
        lambda f: 2.0 + (f(5.0) == 1.0),
    ),
    "list in a closure": (
        lambda: keeping([2.0]),
        lambda f: f().__setitem__(0, 3.0),
        lambda f: f()[0],
    ),
    "wrapper": (lambda: Scale(abs, 2.0), lambda f: setattr(f, "rate", 3.0), lambda f: f(1.0)),
    "class of a wrapper": (
        lambda: type("Fresh", (Scale,), {"more": 0.0})(abs, 2.0),
        lambda f: setattr(type(f), "more", 1.0),
        lambda f: f(1.0) + f.more,
    ),
    "list in a wrapper": (
        lambda: with_attribute(functools.cache(raised_to(1)), [2.0]),
        lambda f: f.extra.__setitem__(0, 3.0),
        lambda f: f.extra[0],
    ),
    "module beside the environment": (lambda: module(2.0, sys.prefix + "_project/own.py"), *TABLE),
    "module within the environment": (lambda: module(2.0, sys.prefix + "/project/own.py"), *TABLE),
    "module without a file": (lambda: module(2.0, None), *TABLE),
    "module": (lambda: module(2.0), lambda m: setattr(m, "K", 3.0), lambda m: m.K),
    "list in a module": (lambda: module(2.0), *TABLE),
    "variable of a context": (lambda: (VARIABLE.set(2.0), VARIABLE)[1], lambda v: v.set(3.0), lambda v: v.get()),
    "inner function": (
        lambda: functools.wraps(abs)(raised_to(1)),
        lambda f: setattr(f, "k", 1),
        lambda f: 2.0 + hasattr(f, "k"),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_is_seen(name):
    make, change, number_of = CHANGES[name]
    thing = make()
    f = chainrule.compile(lambda x, thing: x * number_of(thing))
    assert [f(1.0, thing), f(1.0, thing), f.traces] == [2.0, 2.0, 1]
    change(thing)
    assert f(1.0, thing) == 3.0


def test_weak_references_are_what_they_refer_to():
    holder = Holder(2.0)
    for reference, inside in (
        (weakref.ref(holder), lambda r: r().inside if r() is not None else 9.0),
        (weakref.proxy(holder), lambda r: r.inside),
        (weakref.WeakSet([holder]), lambda r: next(iter(r)).inside),
        (weakref.WeakValueDictionary(a=holder), lambda r: r["a"].inside),
        (weakref.WeakKeyDictionary({holder: 1}), lambda r: next(iter(r)).inside),
    ):
        holder.inside = 2.0
        f = chainrule.compile(lambda x, held, inside=inside: x * inside(held.inside))
        held = Holder(reference)
        assert f(1.0, held) == 2.0
        holder.inside = 3.0
        assert f(1.0, held) == 3.0


def test_functions_that_are_made_anew_share_a_trace():
    f = chainrule.compile(lambda x, g: g(x))
    assert [f(2.0, raised_to(k)) for k in (2, 3, 2, 3)] == [4.0, 8.0, 4.0, 8.0]
    assert f.traces == 2


def test_what_cannot_be_seen_is_refused():
    f = chainrule.compile(lambda x, thing: x)
    for thing in (open(__file__), itertools.count(), np.random.RandomState(0), (i for i in "ab")):  # noqa: SIM115, PTH123
        with pytest.raises(OperandError, match="cannot see whether it has changed"):
            f(1.0, thing)
        if hasattr(thing, "close"):
            thing.close()
    with pytest.raises(OperandError, match="cannot see whether it has changed"):
        f(1.0, keeping(itertools.count()))


def test_masked_arrays_of_numbers_are_refused():
    f = chainrule.compile(lambda x: chainrule.sum(list(x)))
    assert f(masked([0, 0])) == 3.0
    for compiled in (f, chainrule.compile(lambda x: 2.0 * x, in_axes=0)):
        with pytest.raises(OperandError, match=r"masked numbers: give x\.filled"):
            compiled(masked([0, 1]))


# ---- one list in two places ------------------------------------------------------------------------------------------


def changing(rows):
    rows[0][0] = rows[0][0] * 2.0
    return rows[0][0] + rows[1][0]


def test_one_list_in_two_places_is_not_two_if_it_is_changed():
    row, f = [1.0], chainrule.compile(changing)
    for _ in range(2):
        with pytest.raises(
            OperandError, match=r"changing changes lists .* two places.*\[list\(row\) for row in rows\]"
        ):
            f([row, row])
        assert f([[1.0], [1.0]]) == 3.0
    assert f.grad([[1.0], [1.0]]) == [[2.0], [1.0]]
    reading = chainrule.compile(lambda rows: rows[0][0] + rows[1][0])
    assert reading([row, row]) == 2.0
    batched = chainrule.compile(lambda x, rows: x * changing(rows), in_axes=(0, None))
    with pytest.raises(OperandError, match="two places"):
        batched([1.0, 2.0], [row, row])
    samples = chainrule.compile(lambda own: changing([own, [1.0]]) + own[0], in_axes=0)
    assert samples([row, row]).tolist() == [5.0, 5.0]  # each sample has its own
    w = Value(1.0)
    for batches in ([([row, row],)], [([[1.0], [1.0]],), ([row, row],)]):
        step = chainrule.compile_step(lambda rows: changing(rows) * w, SGD([w], 0.0))
        with pytest.raises(OperandError, match="the loss changes lists of its arguments"):
            step.run(batches)
