"""Engines that are broken, each in one way, and what finds out how."""

from __future__ import annotations

import math

import chainrule
from chainrule.see.recording.mistakes import first_mistake

from .engines import lecture


def recorded(Value, program):
    with chainrule.recording(Value=Value) as story:
        program(Value)
    return story


def mistake_of(Value, program):
    """The first mistake, the event at which it is, and the name of the operation that hands on there."""
    story = recorded(Value, program)
    found = first_mistake(story)
    event = story.events[found.event] if found is not None else None
    giver = getattr(event, "giver", None)
    operation = "" if giver is None else story.operations[story.nodes[giver].op].name
    return found, event, operation


def broken(**methods):
    """The lecture's class with other methods."""
    return type("Value", (lecture(),), methods)


def operation(sign, forward, hand_on):
    """A method of two operands, whose `_backward` calls `hand_on(self, other, out)`."""

    def method(self, other):
        other = self.of(other)
        out = type(self)(forward(self.data, other.data), (self, other), sign)
        out._backward = lambda: hand_on(self, other, out)
        return out

    return method


def assigned(a, b, out):
    a.grad = out.grad
    b.grad = out.grad


def assigned_product(a, b, out):
    a.grad = b.data * out.grad
    b.grad = a.data * out.grad


def local_alone(a, b, out):
    a.grad += b.data
    b.grad += a.data


def upstream_alone(a, b, out):
    a.grad += out.grad
    b.grad += out.grad


def own_operand(a, b, out):
    a.grad += a.data * out.grad
    b.grad += b.data * out.grad


def half(a, b, out):
    a.grad += b.data * out.grad


def times(a, b):
    return a * b


def neuron(V):
    x, w, b = V(2.0, label="x"), V(-3.0, label="w"), V(6.5, label="b")
    y = (x * w + b).tanh() * x
    y.backward()


def squashing(local):
    def tanh(self):
        t = math.tanh(self.data)
        out = type(self)(t, (self,), "tanh")

        def _backward():
            self.grad += local(self.data, t) * out.grad

        out._backward = _backward
        return out

    return tanh


def wrong_power(self, k):
    out = type(self)(self.data**k, (self,), f"**{k}")

    def _backward():
        self.grad += k * self.data**k * out.grad

    out._backward = _backward
    return out


def product(hand_on, forward=times):
    return {"__mul__": operation("*", forward, hand_on)}


def difference(hand_on, forward=lambda a, b: a - b):
    return {"__sub__": operation("-", forward, hand_on)}


def doubled(V):
    (V(2.0).tanh() + V(3.0)).backward()
    c = V(2.0).tanh()
    (c + c).backward()


def square(V):
    a = V(3.0)
    (a * a).backward()


def three(V):
    (V(2.0) * V(5.0) * V(3.0)).backward()


def minus(V):
    (V(2.0) - V(5.0)).backward()


def power(V):
    (V(3.0) ** 2).backward()


FAMILY = {
    "= in add": ({"__add__": operation("+", lambda a, b: a + b, assigned)}, doubled, "=", "add"),
    "= in mul": (product(assigned_product), square, "=", "mul"),
    "local alone": (product(local_alone), three, "local alone", "mul"),
    "upstream alone": (product(upstream_alone), neuron, "upstream alone", "mul"),
    "sign": (difference(upstream_alone), minus, "sign", "sub"),
    "other operand": (product(own_operand), neuron, "other operand", "mul"),
    "missing": (product(half), neuron, "missing", ""),
    "tanh with t": ({"tanh": squashing(lambda x, t: 1 - t)}, neuron, "rule", "tanh"),
    "tanh of the slope of x": ({"tanh": squashing(lambda x, t: 1 - x * x)}, neuron, "rule", "tanh"),
    "sign in tanh": ({"tanh": squashing(lambda x, t: t * t - 1)}, neuron, "sign", "tanh"),
    "exponent": ({"__pow__": wrong_power}, power, "rule", "pow"),
    "wrong number": (product(own_operand, lambda a, b: a * b + 1), neuron, "number", ""),
    "turned around": (difference(own_operand, lambda a, b: b - a), minus, "number", ""),
}
"""Each broken class: its methods, a program, the kind of the mistake and the operation that makes it."""
