"""Engines that are not ours are recorded unchanged: the lecture's class, micrograd, microgpt's style, dataclasses."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest

import chainrule
from chainrule.errors import ArgumentError
from chainrule.see.pages import page
from chainrule.see.recording.events import Deposit, SetGrad, Wrote
from chainrule.see.recording.files import of_document
from chainrule.see.recording.mistakes import first_mistake


def lecture(add="+=", tanh=lambda local, upstream: local * upstream, order=True):
    """The lecture's class, whose backward() may be broken."""

    class Value:
        def __init__(self, data, _children=(), _op="", label=""):
            self.data, self.grad, self.label = data, 0.0, label
            self._backward = lambda: None
            self._prev, self._op = set(_children), _op

        def __add__(self, other):
            other = other if isinstance(other, Value) else Value(other)
            out = Value(self.data + other.data, (self, other), "+")

            def _backward():
                if add == "+=":
                    self.grad += out.grad
                    other.grad += out.grad
                else:
                    self.grad = out.grad
                    other.grad = out.grad

            out._backward = _backward
            return out

        def __mul__(self, other):
            other = other if isinstance(other, Value) else Value(other)
            out = Value(self.data * other.data, (self, other), "*")

            def _backward():
                self.grad += other.data * out.grad
                other.grad += self.data * out.grad

            out._backward = _backward
            return out

        def tanh(self):
            t = math.tanh(self.data)
            out = Value(t, (self,), "tanh")

            def _backward():
                self.grad += tanh(1 - t * t, out.grad)

            out._backward = _backward
            return out

        def backward(self):
            topo, visited = [], set()

            def build(v):
                if v not in visited:
                    visited.add(v)
                    for child in sorted(v._prev, key=lambda x: x.label):
                        build(child)
                    topo.append(v)

            build(self)
            self.grad = 1.0
            for node in reversed(topo) if order else sorted(topo, key=lambda v: v is not self):
                node._backward()

    return Value


def microgpt():
    """A class with slots that keeps its local derivatives."""

    class Value:
        __slots__ = ("_children", "_local_grads", "data", "grad")

        def __init__(self, data, children=(), local_grads=()):
            self.data, self.grad = data, 0
            self._children, self._local_grads = children, local_grads

        def __add__(self, other):
            other = other if isinstance(other, Value) else Value(other)
            return Value(self.data + other.data, (self, other), (1, 1))

        def __mul__(self, other):
            other = other if isinstance(other, Value) else Value(other)
            return Value(self.data * other.data, (self, other), (other.data, self.data))

        def tanh(self):
            t = math.tanh(self.data)
            return Value(t, (self,), (1 - t * t,))

        def backward(self):
            topo, visited = [], set()

            def build(v):
                if v not in visited:
                    visited.add(v)
                    for child in v._children:
                        build(child)
                    topo.append(v)

            build(self)
            self.grad = 1
            for v in reversed(topo):
                for child, local_grad in zip(v._children, v._local_grads, strict=True):
                    child.grad += local_grad * v.grad

    return Value


def dataclass_with_slots():
    @dataclass(slots=True, eq=False)
    class Value:
        data: float
        grad: float = 0.0
        children: tuple = ()
        op: str = ""
        rules: tuple = field(default=(), repr=False)

        def __add__(self, other):
            return Value(self.data + other.data, children=(self, other), op="+", rules=(1.0, 1.0))

        def __mul__(self, other):
            return Value(self.data * other.data, children=(self, other), op="*", rules=(other.data, self.data))

        def tanh(self):
            t = math.tanh(self.data)
            return Value(t, children=(self,), op="tanh", rules=(1 - t * t,))

        def backward(self):
            order, seen = [], set()

            def visit(v):
                if id(v) not in seen:
                    seen.add(id(v))
                    for x in v.children:
                        visit(x)
                    order.append(v)

            visit(self)
            self.grad = 1.0
            for node in reversed(order):
                for x, local in zip(node.children, node.rules, strict=True):
                    x.grad += local * node.grad

    return Value


def micrograd():
    engine = pytest.importorskip("micrograd.engine")
    return engine.Value


ENGINES = {
    "lecture": lecture,
    "microgpt": microgpt,
    "dataclass with slots": dataclass_with_slots,
    "micrograd": micrograd,
}


def used(Value):
    """A graph with a diamond, a square and a number that is used again; its leaves and its root."""
    a, b = Value(2.0), Value(-3.0)
    c = a * b + a
    squash = c.tanh if hasattr(c, "tanh") else c.relu
    d = squash() * c + a * a
    d.backward()
    return a, b, d


@pytest.mark.parametrize("engine", ENGINES)
def test_a_right_engine_is_recorded_unchanged(engine):
    Value = ENGINES[engine]()
    expected = [x.grad for x in used(Value)]
    before = dict(vars(Value))
    with chainrule.recording(Value=Value) as story:
        a, b, d = used(Value)
        a.data = 5.0
    assert dict(vars(Value)) == before
    assert [x.grad for x in (a, b, d)] == expected
    assert (story.engine.name, story.engine.own) == ("Value", 0)
    assert first_mistake(story) is None
    assert [event.after for event in story.events if isinstance(event, Wrote)] == [5.0]
    ends = {event.into: event.after for event in story.events if isinstance(event, Deposit)}
    assert [ends[0], ends[1]] == pytest.approx(expected[:2])
    assert of_document(story.to_document()).to_document() == story.to_document()
    assert all(node.place is not None and node.place.source == 0 for node in story.nodes)
    assert "<!doctype html>" in page(story)


def test_operands_stand_as_often_as_they_occur():
    Value = lecture()
    with chainrule.recording(Value=Value) as story:
        a = Value(3.0, label="a")
        b = a + a
        b.backward()
    assert story.nodes[1].operands == (0, 0)
    assert [(x.position, x.before, x.after, x.product) for x in story.deposits()] == [
        (0, 0.0, 1.0, 1.0),
        (1, 1.0, 2.0, 1.0),
    ]


def test_the_lectures_class_with_a_plain_assignment():
    Value = lecture(add="=")
    with chainrule.recording(Value=Value) as story:
        a = Value(3.0, label="a")
        b = a + a
        b.backward()
    found = first_mistake(story)
    assert (found.kind, found.expected, found.found) == ("=", 2.0, 1.0)
    assert story.events[found.event].position == 1
    assert "as = does where += is meant" in found.words


BROKEN = {
    "local alone": lambda local, upstream: local,
    "upstream alone": lambda local, upstream: upstream,
    "sign": lambda local, upstream: -local * upstream,
    "rule": lambda local, upstream: local * local * upstream,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_rules_are_diagnosed(kind):
    Value = lecture(tanh=BROKEN[kind])
    with chainrule.recording(Value=Value) as story:
        (Value(0.5).tanh() * 3.0).backward()
    found = first_mistake(story)
    assert found.kind == kind
    assert story.operations[story.nodes[story.events[found.event].giver].op].name == "tanh"


def test_a_deposit_that_is_missing_is_found():
    class Value(lecture()):
        def tanh(self):
            return type(self)(math.tanh(self.data), (self,), "tanh")

    with chainrule.recording(Value=Value) as story:
        Value(0.5).tanh().backward()
    assert first_mistake(story).kind == "missing"


def test_a_wrong_order_is_found():
    Value = lecture(order=False)
    with chainrule.recording(Value=Value) as story:
        a = Value(2.0, label="a")
        b = a * 3.0
        c = b * a
        d = c + b
        d.backward()
    found = first_mistake(story)
    assert found.kind in ("order", "missing")


def test_gradients_of_results_that_were_not_set_to_zero_are_found():
    Value = lecture()
    with chainrule.recording(Value=Value) as story:
        a = Value(2.0)
        b = a * 3.0
        c = b + 1.0
        c.backward()
        a.grad = 0.0
        c.backward()
    assert any(isinstance(event, SetGrad) for event in story.events)
    assert first_mistake(story).kind == "zero_grad"


def test_a_wrong_number_is_found():
    class Value(lecture()):
        def __add__(self, other):
            return type(self)(self.data - other.data, (self, other), "+")

    with chainrule.recording(Value=Value) as story:
        Value(2.0) + Value(3.0)
    assert first_mistake(story).kind == "number"


def test_a_recursion_error_is_said_and_goes_on():
    Value = lecture()
    y = Value(0.0)
    for _ in range(3000):
        y = y + 1.0
    with pytest.raises(RecursionError), chainrule.recording(Value=Value, nodes=10_000) as story:
        y.backward()
    assert any("RecursionError" in words for words in story.engine.said)


def test_the_class_is_put_back_after_an_error():
    Value = micrograd()
    before = dict(vars(Value))
    with pytest.raises(ZeroDivisionError), chainrule.recording(Value=Value):
        Value(1.0) + 1 / 0
    assert dict(vars(Value)) == before


def test_what_cannot_be_watched_is_refused():
    with pytest.raises(ArgumentError, match=r"int has no method backward\(\)"), chainrule.recording(Value=int):
        pass
