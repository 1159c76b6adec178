"""Attributes of the user's own on Values: kept as long as the Value lives, and through copies; slips are refused."""

from __future__ import annotations

import copy
import gc
import pickle
import sys

import pytest

import chainrule
from chainrule import Value, engine
from chainrule.core.attributes import one_edit_away
from chainrule.errors import MissingAttributeError
from chainrule.nn import MLP


def pickled(x):
    return pickle.loads(pickle.dumps(x))


WAYS = pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled], ids=["copy", "deepcopy", "pickle"])


class Own(Value):
    """Has a dict of its own in each build."""


def marked(x, **attributes):
    for name, attribute in attributes.items():
        setattr(x, name, attribute)
    return x


def test_an_own_adam_keeps_its_moments_on_the_parameters():
    model = MLP(2, [3, 1], seed=1)
    for p in model.parameters():
        p.m, p.v = 0.0, 0.0
    losses = []
    for step in range(1, 6):
        loss = (model([0.5, -1.0]) - 1.0) ** 2
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.m += 0.1 * (p.grad - p.m)
            p.v += 0.01 * (p.grad**2 - p.v)
            p.data -= 0.1 * (p.m / (1 - 0.9**step)) / ((p.v / (1 - 0.99**step)) ** 0.5 + 1e-8)
        losses.append(loss.data)
    assert losses[-1] < losses[0]
    assert any(p.m != 0 and p.v > 0 for p in model.parameters())


def test_they_are_those_of_one_value_and_found_through_the_graph():
    a, b = marked(Value(1.0), color="red"), Value(1.0)
    y = marked(a * b + 1.0, color="blue")
    y.backward()
    y.refresh()
    assert (y.operands[0].operands[0].color, y.color) == ("red", "blue")
    assert not hasattr(b, "color")
    assert getattr(b, "color", "none") == "none"
    with pytest.raises(AttributeError, match="no attribute 'color'"):
        b.color  # noqa: B018
    del a.color
    assert not hasattr(a, "color")
    with pytest.raises(AttributeError):
        del a.color


def test_they_are_listed_where_they_are():
    a, b = marked(Value(1.0), m=1.0, color="red"), Value(1.0)
    assert (vars(a), vars(b)) == ({"m": 1.0, "color": "red"}, {})
    assert {"m", "color", "data", "tanh"} <= set(dir(a))
    assert not {"m", "color", "gard"} & set(dir(b))


@WAYS
def test_copies_have_them(copied):
    p = copied(marked(Value(2.0, "p"), m=0.5, history=[1.0]))
    assert (p.data, p.label, p.m, p.history) == (2.0, "p", 0.5, [1.0])
    y = marked(Value(2.0) * 3.0, color="red")
    y.operands[0].part = "factor"
    z = copied(marked(y + 1.0, color="blue"))
    assert (z.color, z.operands[0].color, z.operands[0].operands[0].part) == ("blue", "red", "factor")


def test_a_deep_copy_has_its_own_and_a_shallow_one_shares():
    p = marked(Value(2.0), history=[1.0])
    assert copy.copy(p).history is p.history
    assert copy.deepcopy(p).history is not p.history
    q = copy.copy(p)
    q.m = 1.0
    assert not hasattr(p, "m")


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_they_may_lead_back_to_their_value(copied):
    p = Value(2.0)
    p.me, p.twin = p, marked(Value(3.0), twin=p)
    q = copied(p)
    assert q.me is q
    assert q.twin.twin is q
    y = p * 2.0
    y.root = y
    z = copied(y)
    assert z.root is z


def test_pickles_from_before_have_none():
    state = Value(1.0).__reduce__()
    assert len(state) == 2


def test_a_value_gives_up_what_it_has_when_it_goes():
    class Thing:
        pass

    thing = Thing()
    before = sys.getrefcount(thing)
    p = marked(Value(1.0), thing=thing)
    y = marked(p * 2.0, thing=thing)
    assert sys.getrefcount(thing) == before + 2
    del p, y
    gc.collect()
    assert sys.getrefcount(thing) == before


def test_a_long_chain_by_attributes_goes_without_recursion():
    last = Value(0.0)
    for i in range(100_000 if engine.is_compiled() else 20_000):
        last = marked(Value(float(i)), before=last)
    del last


def test_new_values_do_not_inherit_them_from_the_place_in_memory():
    for i in range(2000):
        marked(Value(float(i)), m=i)
        assert not hasattr(Value(1.0), "m")


# ---- slips ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "right"),
    [("gard", "grad"), ("grd", "grad"), ("rad", "grad"), ("grap", "grad"), ("graad", "grad"), ("grads", "grad"),
     ("dta", "data"), ("adta", "data"), ("dsta", "data"), ("lable", "label"), ("labl", "label"), ("labek", "label")],
)  # fmt: skip
def test_a_slip_of_an_attribute_is_not_written(name, right):
    with pytest.raises(MissingAttributeError, match=rf"no attribute '{name}'\. Did you mean '{right}'\?"):
        setattr(Value(1.0), name, 0.0)


@pytest.mark.parametrize(("name", "right"), [("gard", "grad"), ("dta", "data"), ("lable", "label"), ("gra", "grad")])
def test_a_slip_is_not_read(name, right):
    with pytest.raises(AttributeError, match=f"Did you mean {right!r}"):
        getattr(Value(1.0), name)
    assert not hasattr(Value(1.0), name)


@pytest.mark.skipif(not engine.is_compiled(), reason="plain Python has no place to look at the name that costs nothing")
@pytest.mark.parametrize(("name", "right"), [("bakward", "backward"), ("tahn", "tanh"), ("detatch", "detach")])
def test_a_slip_of_a_method_is_not_written(name, right):
    with pytest.raises(MissingAttributeError, match=f"Did you mean {right!r}"):
        setattr(Value(1.0), name, 0.0)


SHORT = ["m", "v", "lr", "tau", "id", "date_", "grad2", "name", "size", "step", "momentum", "value", "children"]
WORDS = [
    "labels",
    "logs",
    "items",
    "date",
    "dgrad",
    "wgrad",
    "xlabel",
    "xdata",
    "grid",
    "gray",
    "grade",
    "cost",
]
NEAR_METHODS = ["cell", "mesh", "tank", "sort", "sink", "bound", "found", "form", "flip", "lip", "print", "operand",
    "local", "constants", "signs", "exit", "rounds", "stem", "chip"]  # fmt: skip


@pytest.mark.parametrize("kind", [Value, Own])
@pytest.mark.parametrize("name", [*SHORT, *WORDS, *NEAR_METHODS])
def test_names_of_one_s_own_are_no_slips(name, kind):
    assert getattr(marked(kind(1.0), **{name: 5}), name) == 5
    assert not hasattr(kind(1.0), name)


def test_names_one_edit_away():
    assert one_edit_away("ab", "c") == {"a", "b", "ba", "cb", "ac", "cab", "acb", "abc"}


METHODS = ["backward", "zero_grad", "is_leaf", "item", "tanh", "exp", "linear", "arcsin"]


@pytest.mark.parametrize("kind", [Value, Own])
@pytest.mark.parametrize("name", ["op", "operands", "_backward", "_prev", "constant", "softmax", *METHODS])
def test_what_a_value_has_is_not_replaced(name, kind):
    v = kind(1.0) * 2.0
    with pytest.raises(AttributeError):
        setattr(v, name, 5)
    assert v.tanh().op is chainrule.ops.tanh
    v.backward()
    assert v.operands[0].grad == 2.0


ENGINES_OWN = ["_mark", "_count", "_grad", "_data", "_state", "_edges", "_operands", "_locals", "_code", "_grad_before"]


@pytest.mark.parametrize("kind", [Value, Own])
@pytest.mark.parametrize("x", [5, 10**9, -1.0, "grey", []])
@pytest.mark.parametrize("name", ENGINES_OWN)
def test_what_the_engine_keeps_of_a_node_is_kept_apart(name, x, kind):
    a, b = kind(2.0), kind(3.0)
    w = a * b + 1.0
    for node in (a, w):
        assert not hasattr(node, name)
        setattr(node, name, x)
    y = w * a
    y.backward()
    assert (y.data, w.grad, a.grad, b.grad) == (14.0, 2.0, 13.0, 4.0)
    y.zero_grad()
    assert [getattr(node, name) for node in (a, w, pickled(a))] == [x, x, x]


def test_a_subclass_may_have_an_attribute_in_place_of_a_method():
    class Logged(Value):
        log = None

    v = marked(Logged(1.0), log=["made"])
    assert v.log == ["made"]
    assert chainrule.log(v).data == 0.0


def test_a_method_can_be_added_to_the_class_afterwards():
    Value.shifted = lambda self: self + 1.0
    try:
        v = Value(2.0)
        assert (v.shifted().data, Own(2.0).shifted().data, type(Own(2.0).shifted())) == (3.0, 3.0, Own)
    finally:
        del Value.shifted
    assert not hasattr(v, "shifted")
