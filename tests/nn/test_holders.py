"""What a Module finds in its attributes, wherever its parameters stand; and what it refuses, since it would miss it."""

import dataclasses
import functools
import logging
import pickle
import random
import sys
import threading
import types
from collections import ChainMap, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple
from itertools import pairwise

import numpy as np
import pytest

from chainrule import Value
from chainrule.errors import ArgumentError
from chainrule.nn import MLP, Frozen, Linear, Module, holders
from chainrule.optim import SGD, Adam


class Holder(Module):
    """Whatever it is given is its attribute `part`."""

    def __init__(self, part):
        self.part = part

    def forward(self, x):
        return x


@dataclasses.dataclass
class Pair:
    w: object
    b: object


@dataclasses.dataclass(slots=True)
class Slotted:
    w: object


class Plain:
    def __init__(self, **parts):
        vars(self).update(parts)

    def method(self):
        return self


class PlainSlots:
    __slots__ = ("w",)


class OwnList(list):
    pass


Point = namedtuple("Point", "x y")


class Own(Plain):
    pass


class OwnValue(Value):
    pass


class BareValue(Value):
    __slots__ = ()


def linear(w):
    part = Linear(1, 1, bias=False)
    part.w = [w]
    return part


def closed_over(part):
    return lambda x: part(x)


def own_list(**more):
    made = OwnList([Value(1.0)])
    vars(made).update(more)
    return made


def slots(w):
    made = PlainSlots()
    made.w = w
    return made


HELD = {
    "object array": (lambda a, b: np.array([a, b]), ["part.0", "part.1"]),
    "object array of two axes": (lambda a, b: np.array([[a], [b]]), ["part.0.0", "part.1.0"]),
    "object array without axes": (lambda a, b: [np.array(a), b], ["part.0.0", "part.1"]),
    "masked array": (lambda a, b: np.ma.array([a, b], mask=[True, False]), ["part.0", "part.1"]),
    "record array": (lambda a, b: np.array([(a, b)], dtype=[("w", object), ("b", object)]), ["part.0.0", "part.0.1"]),
    "dataclass": (Pair, ["part.w", "part.b"]),
    "dataclass with slots": (lambda a, b: [Slotted(a), b], ["part.0.w", "part.1"]),
    "namespace": (lambda a, b: types.SimpleNamespace(w=a, b=b), ["part.w", "part.b"]),
    "named tuple": (Point, ["part.0", "part.1"]),
    "deque": (lambda a, b: deque([a, b]), ["part.0", "part.1"]),
    "UserList": (lambda a, b: UserList([a, b]), ["part.0", "part.1"]),
    "UserDict": (lambda a, b: UserDict(w=a, b=b), ["part.w", "part.b"]),
    "list of one's own": (lambda a, b: OwnList([a, b]), ["part.0", "part.1"]),
    "OrderedDict": (lambda a, b: OrderedDict(w=a, b=b), ["part.w", "part.b"]),
    "defaultdict": (lambda a, b: defaultdict(list, {3: [a], 4: [b]}), ["part.3.0", "part.4.0"]),
    "values of a dict": (lambda a, b: {"w": a, "b": b}.values(), ["part.0", "part.1"]),
    "items of a dict": (lambda a, b: {"w": a, "b": b}.items(), ["part.0.1", "part.1.1"]),
    "read-only dict": (lambda a, b: types.MappingProxyType({"w": a, "b": b}), ["part.w", "part.b"]),
    "ChainMap": (lambda a, b: ChainMap({"w": a}, {"b": b}), ["part.b", "part.w"]),
}


@pytest.mark.parametrize("name", HELD)
def test_parameters_are_found_and_named_in_whatever_holds_them_in_an_order(name):
    make, names = HELD[name]
    model = Holder(make(Value(1.0), Value(2.0)))
    assert [found for found, _ in model.named_parameters()] == names
    assert [id(p) for p in model.parameters()] == [id(p) for _, p in model.named_parameters()]
    assert sorted(model.state_dict().values()) == [1.0, 2.0]


def test_slots_of_a_module_are_attributes():
    class Slots(Module):
        __slots__ = ("unset", "w")

        def __init__(self):
            self.b, self.w = Value(1.0), [Value(2.0)]

    assert [name for name, _ in Slots().named_parameters()] == ["b", "w.0"]


MISSED = {
    "set": (lambda w: {w}, r"part: a set has no order.*make it a list"),
    "frozenset": (lambda w: frozenset([w]), "part: a frozenset has no order"),
    "set of Modules": (lambda w: {Holder(w)}, r"part\.part: .*"),
    "plain object": (
        lambda w: Plain(w=w),
        r"part\.w: a Module does not look into a Plain: derive Plain from nn.Module",
    ),
    "plain object with slots": (slots, r"part\.w: a Module does not look into a PlainSlots"),
    "plain object in a plain object": (lambda w: [Plain(a=Plain(w=[w]))], r"part\.0\.a\.w\[0\]"),
    "Module in a plain object": (lambda w: Plain(a=Holder(w)), r"part\.a\.part"),
    "attribute of a list": (lambda w: own_list(w=w), r"part\['w'\]"),
    "partial": (lambda w: functools.partial(max, w), "part"),
    "partial by name": (lambda w: functools.partial(max, key=w), "part"),
    "closure": (lambda w: lambda x: x * w, "part, which closes over w: a Module does not look into a function"),
    "default": (lambda w: lambda x, w=w: x * w, "part, as a default"),
    "bound method": (lambda w: Plain(w=w).method, r"part\.w"),
    "key of a dict": (lambda w: {w: 1.0}, "part"),
    "part of the library in a plain object": (lambda w: Plain(a=linear(w)), r"part\.a\.w\[0\]: .*derive Plain from nn"),
    "part of the library in a set": (lambda w: {linear(w)}, r"part\.w\[0\]: a set has no order"),
    "bound method of a part of the library": (lambda w: linear(w).forward, r"part\.w\[0\]: .*look into a method"),
    "partial of a part of the library": (lambda w: functools.partial(linear(w)), "part"),
    "closure over a part of the library": (lambda w: closed_over(linear(w)), "part, which closes over part"),
    "part of the library as a key": (lambda w: {linear(w): 1.0}, "part"),
    "object of a class with a vowel": (lambda w: Own(w=w), r"part\.w: a Module does not look into an Own: derive Own"),
    "array in a plain object": (lambda w: Plain(a=np.array([w])), r"part\.a\[0\]"),
}


@pytest.mark.parametrize("name", MISSED)
def test_a_parameter_that_would_be_missed_is_refused_by_name(name):
    make, words = MISSED[name]
    model = Holder(make(Value(1.0)))
    for ask in (model.parameters, model.named_parameters, model.state_dict, model.zero_grad):
        with pytest.raises(ArgumentError, match=f"Holder would miss the parameter in {words}"):
            ask()


@pytest.mark.parametrize("kind", [OwnValue, BareValue])
def test_a_value_of_a_class_of_ones_own_is_a_parameter(kind):
    model = Holder([kind(1.0), {"a": kind(2.0)}])
    model.w = kind(3.0)
    assert model.state_dict() == {"part.0": 1.0, "part.1.a": 2.0, "w": 3.0}
    (model.w * 2.0).backward()
    model.zero_grad()
    assert model.w.grad == 0.0
    with pytest.raises(ArgumentError, match="would miss the parameter in part: a set"):
        Holder({kind(1.0)}).parameters()


def test_a_part_of_the_library_in_a_class_is_refused():
    class Shared(Holder):
        net = MLP(2, [1], seed=0)

    with pytest.raises(ArgumentError, match=r"the class Shared\.net\.layers\[0\].*what a class holds is no parameter"):
        Shared(1.0).parameters()


def test_a_module_in_a_plain_object_is_no_reason_to_derive_the_module():
    with pytest.raises(ArgumentError, match=r"into a Plain: derive Plain from nn\.Module"):
        Holder(Plain(net=Holder(Value(1.0)))).parameters()
    with pytest.raises(ArgumentError, match="a set has no order"):
        Holder({Holder(Value(1.0))}).parameters()


def test_a_package_of_the_users_own_may_be_called_as_one_of_the_standard_library(monkeypatch, tmp_path):
    package = types.ModuleType("code")
    package.__file__ = str(tmp_path / "code" / "__init__.py")
    monkeypatch.setitem(sys.modules, "code", package)
    for module in ("code.helpers", None):
        kind = type("Helper", (Plain,), {"__module__": module})
        with pytest.raises(ArgumentError, match=r"part\.w: a Module does not look into a Helper"):
            Holder(kind(w=Value(1.0))).parameters()


def test_what_is_looked_through_may_change_meanwhile():
    thing = Plain(names={}, some=set())
    model, running = Holder(thing), [True]
    model.own = Own()

    def change():
        while running:
            for i in range(50):
                thing.names[i], thing.__dict__[f"a{i}"] = i, i
                thing.some.add(i)
            for i in range(50):
                del thing.names[i], thing.__dict__[f"a{i}"]
                thing.some.discard(i)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(300):
            assert model.parameters() == []
            assert model.named_parameters() == []
    finally:
        running.clear()
        thread.join()
        sys.setswitchinterval(before)


def test_so_many_things_are_looked_through_and_no_more(monkeypatch):
    searched = []
    monkeypatch.setattr(holders, "MOST_SEARCHED", 10)
    monkeypatch.setattr(holders, "attributes", lambda thing: searched.append(thing) or vars(thing))
    model = Holder({Plain(w=i) for i in range(1000)})
    assert model.parameters() == []
    assert len(searched) <= 10


def test_a_value_of_a_class_is_refused():
    class Shared(Holder):
        w = Value(1.0)

    with pytest.raises(ArgumentError, match=r"the class Shared\.w: what a class holds is no parameter"):
        Shared(1.0).parameters()
    with pytest.raises(ArgumentError, match=r"the class Shared\.w"):
        Holder([Shared(1.0)]).parameters()


@pytest.mark.parametrize("name", MISSED)
def test_what_is_found_elsewhere_may_stand_anywhere(name):
    w = Value(1.0)
    model = Holder(MISSED[name][0](w))
    model.own = [w, Value(1.0)]
    if name == "attribute of a list":
        assert len(model.parameters()) == 3
    else:
        assert [id(p) for p in model.parameters()] == [id(p) for p in model.own]


def test_what_is_frozen_is_no_parameter():
    class Own(Frozen):
        pass

    w, target = Value(1.0), MLP(2, [3, 1], seed=1)
    closed = Frozen(target)
    model = Holder([w, Frozen(Value(2.0)), Frozen(target)])
    model.own, model.closure = Own([target]), lambda x: closed.part(x)
    assert model.named_parameters() == [("part.0", w)]
    assert model.state_dict() == {"part.0": 1.0}
    assert pickle.loads(pickle.dumps(Holder(Frozen(w)))).part.part.data == 1.0
    model.zero_grad()


def test_a_refusal_says_how_a_value_may_stay_where_it_is():
    with pytest.raises(ArgumentError, match=r"where it is to be none, keep it in nn\.Frozen\(\.\.\.\)"):
        Holder({Value(1.0)}).parameters()


def test_an_optimiser_of_a_module_adds_nothing():
    for kind in (SGD, Adam):
        model = MLP(2, [3, 1], seed=0)
        before = model.named_parameters()
        model.optimizer = kind(model.parameters(), lr=0.1)
        assert model.named_parameters() == before


def test_a_function_of_the_module_itself_adds_nothing():
    model = Holder([Value(1.0)])
    model.f, model.g, model.h = model.forward, lambda x: model.part[0] * x, functools.partial(Holder.forward, model)
    assert [name for name, _ in model.named_parameters()] == ["part.0"]


def test_what_holds_no_parameters_is_passed_over():
    result = Value(1.0) * 2.0
    parts = [logging.getLogger("x"), random.Random(1), np.ones(3), {1, 2}, Plain(a=1, b=[result]), {result}, print, len]
    assert Holder([*parts, object(), range(5), b"x", 1j, int, random, iter([])]).parameters() == []


def test_a_result_is_no_parameter_and_a_constant_array_none():
    assert Holder(np.array([Value(1.0) * 2.0, 3.0, "x"], dtype=object)).parameters() == []


def test_two_parameters_of_one_name_are_refused():
    with pytest.raises(ArgumentError, match=r"two parameters of Holder are called 'part.1'"):
        Holder({1: Value(1.0), "1": Value(2.0)}).state_dict()


# ---- parts that hold each other, and deep ones -----------------------------------------------------------------------


def test_a_module_that_holds_its_parent():
    child = Holder(Value(1.0))
    child.parent = Holder([child])
    assert [name for name, _ in child.parent.named_parameters()] == ["part.0.part"]
    assert [name for name, _ in child.named_parameters()] == ["part"]


@pytest.mark.parametrize("kind", [list, dict, deque, UserList, Plain, "array"])
def test_what_holds_itself(kind):
    w = Value(1.0)
    if kind is dict:
        part = {"w": w}
        part["self"] = part
    elif kind is Plain:
        part = Plain()
        part.self = part
    elif kind == "array":
        part = np.array([w, None])
        part[1] = part
    else:
        part = kind([w])
        part.append(part)
    assert len(Holder(part).named_parameters()) == (kind is not Plain)


@pytest.mark.slow
@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: (x,), lambda x: {"a": x}, Holder, lambda x: Pair(x, 0)])
def test_parts_may_be_nested_as_deeply_as_one_likes(wrap):
    part = w = Value(1.0)
    for _ in range(50_000):
        part = wrap(part)
    model = Holder(part)
    assert model.parameters() == [w]
    ((name, found),) = model.named_parameters()
    assert found is w
    assert name.count(".") == 50_000


def test_plain_objects_may_be_nested_deeply():
    part = Plain()
    for _ in range(50_000):
        part = Plain(a=part)
    assert Holder(part).parameters() == []


def test_parts_that_are_shared_are_entered_once():
    part = Holder(Value(1.0))
    for _ in range(60):  # 2⁶⁰ ways lead to the Value
        part = Holder([part, part])
    assert len(part.parameters()) == len(part.named_parameters()) == 1


def test_the_order_is_that_of_the_attributes_and_the_first_name_counts():
    w, v = Value(1.0), Value(2.0)
    model = Holder({"a": [w, (v,)], "b": v})
    model.last = w
    assert model.named_parameters() == [("part.a.0", w), ("part.a.1.0", v)]


def test_arrays_that_are_made_on_the_way_do_not_hide_one_another():
    model = Holder([np.array([[Value(float(i)), Value(0.5)]]) for i in range(50)])
    assert len(model.parameters()) == 100
    names = [name for name, _ in model.named_parameters()]
    assert names[:3] == ["part.0.0.0", "part.0.0.1", "part.1.0.0"]
    assert all(a != b for a, b in pairwise(names))
