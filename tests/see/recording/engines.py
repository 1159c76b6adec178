"""Engines as learners write them, right ones: each function makes a fresh class."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest


def lecture():
    """Closures, operands in a set, a label. Subclasses in the tests break single methods."""

    class Value:
        def __init__(self, data, _children=(), _op="", label=""):
            self.data, self.grad, self.label = data, 0.0, label
            self._backward = lambda: None
            self._prev, self._op = set(_children), _op

        def of(self, other):
            return other if isinstance(other, Value) else type(self)(other)

        def __add__(self, other):
            other = self.of(other)
            out = type(self)(self.data + other.data, (self, other), "+")

            def _backward():
                self.grad += out.grad
                other.grad += out.grad

            out._backward = _backward
            return out

        def __sub__(self, other):
            other = self.of(other)
            out = type(self)(self.data - other.data, (self, other), "-")

            def _backward():
                other.grad -= out.grad
                self.grad += out.grad

            out._backward = _backward
            return out

        def __rsub__(self, other):
            return self.of(other) - self

        def __mul__(self, other):
            other = self.of(other)
            out = type(self)(self.data * other.data, (self, other), "*")

            def _backward():
                self.grad += other.data * out.grad
                other.grad += self.data * out.grad

            out._backward = _backward
            return out

        def __pow__(self, k):
            out = type(self)(self.data**k, (self,), f"**{k}")

            def _backward():
                self.grad += k * self.data ** (k - 1) * out.grad

            out._backward = _backward
            return out

        def tanh(self):
            t = math.tanh(self.data)
            out = type(self)(t, (self,), "tanh")

            def _backward():
                self.grad += (1 - t**2) * out.grad

            out._backward = _backward
            return out

        def order(self):
            topo, visited = [], set()

            def build_topo(v):
                if v not in visited:
                    visited.add(v)
                    for child in v._prev:
                        build_topo(child)
                    topo.append(v)

            build_topo(self)
            return reversed(topo)

        def backward(self):
            self.grad = 1.0
            for node in self.order():
                node._backward()

        __radd__, __rmul__ = __add__, __mul__

    return Value


def microgpt():
    """Slots, and local derivatives that are kept; no names of operations."""

    class Value:
        __slots__ = ("_children", "_local_grads", "data", "grad")

        def __init__(self, data, children=(), local_grads=()):
            self.data = data
            self.grad = 0
            self._children = children
            self._local_grads = local_grads

        def __add__(self, other):
            other = other if isinstance(other, Value) else Value(other)
            return Value(self.data + other.data, (self, other), (1, 1))

        def __mul__(self, other):
            other = other if isinstance(other, Value) else Value(other)
            return Value(self.data * other.data, (self, other), (other.data, self.data))

        def __pow__(self, k):
            return Value(self.data**k, (self,), (k * self.data ** (k - 1),))

        def tanh(self):
            t = math.tanh(self.data)
            return Value(t, (self,), (1 - t * t,))

        def relu(self):
            return Value(max(0, self.data), (self,), (float(self.data > 0),))

        def __sub__(self, other):
            return self + (-other)

        def __neg__(self):
            return self * -1

        def __rsub__(self, other):
            return other + (-self)

        def backward(self):
            topo, visited = [], set()

            def build_topo(v):
                if v not in visited:
                    visited.add(v)
                    for child in v._children:
                        build_topo(child)
                    topo.append(v)

            build_topo(self)
            self.grad = 1
            for v in reversed(topo):
                for child, local_grad in zip(v._children, v._local_grads, strict=True):
                    child.grad += local_grad * v.grad

        __radd__, __rmul__ = __add__, __mul__

    return Value


def dataclass_with_slots():
    """A dataclass, whose rules stand in `backward()` by the name of the operation."""

    @dataclass(slots=True, eq=False)
    class Value:
        data: float
        grad: float = 0.0
        children: tuple = ()
        op: str = ""
        k: float = field(default=0.0, repr=False)

        def __add__(self, other):
            return Value(self.data + as_value(other).data, children=(self, as_value(other)), op="+")

        def __mul__(self, other):
            other = as_value(other)
            return Value(self.data * other.data, children=(self, other), op="*")

        def __sub__(self, other):
            other = as_value(other)
            return Value(self.data - other.data, children=(self, other), op="-")

        def __rsub__(self, other):
            return as_value(other) - self

        def __pow__(self, k):
            return Value(self.data**k, children=(self,), op="power", k=k)

        def tanh(self):
            return Value(math.tanh(self.data), children=(self,), op="tanh")

        def hand_on(self):
            x = [each.data for each in self.children]
            rules = {
                "": (),
                "+": (1.0, 1.0),
                "-": (1.0, -1.0),
                "*": x[::-1],
                "tanh": (1 - self.data**2,),
                "power": (self.k * x[0] ** (self.k - 1) if self.op == "power" else 0.0,),
            }
            for operand, local in zip(self.children, rules[self.op], strict=True):
                operand.grad += local * self.grad

        def backward(self):
            order, seen = [], set()

            def visit(v):
                if id(v) not in seen:
                    seen.add(id(v))
                    for x in v.children:
                        visit(x)
                    order.append(v)

            visit(self)
            for node in order[:-1]:
                node.grad = 0.0 if node.children else node.grad
            self.grad = 1.0
            for node in reversed(order):
                node.hand_on()

        __radd__, __rmul__ = __add__, __mul__

    def as_value(x):
        return x if isinstance(x, Value) else Value(x)

    return Value


def other_names():
    """Other names, operands as pairs, gradients of None, and results that are filled in after they are made."""

    class Number:
        def __init__(self, value):
            self.value, self.gradient, self.parents = value, None, []

        @staticmethod
        def lift(x):
            return x if isinstance(x, Number) else Number(x)

        def __add__(self, other):
            other, out = self.lift(other), Number(0.0)
            out.value = self.value + other.value
            out.parents = [(self, 1.0), (other, 1.0)]
            return out

        def __mul__(self, other):
            other, out = self.lift(other), Number(0.0)
            out.value = self.value * other.value
            out.parents = [(self, other.value), (other, self.value)]
            return out

        def __sub__(self, other):
            other, out = self.lift(other), Number(0.0)
            out.value = self.value - other.value
            out.parents = [(self, 1.0), (other, -1.0)]
            return out

        def __rsub__(self, other):
            return self.lift(other) - self

        def __pow__(self, k):
            out = Number(self.value**k)
            out.parents = [(self, k * self.value ** (k - 1))]
            return out

        def tanh(self):
            out = Number(math.tanh(self.value))
            out.parents = [(self, 1 - out.value**2)]
            return out

        def receive(self, gradient):
            self.gradient = gradient if self.gradient is None else self.gradient + gradient

        def backprop(self):
            order = []

            def visit(number):
                if number not in order:
                    for parent, _ in number.parents:
                        visit(parent)
                    order.append(number)

            visit(self)
            self.gradient = 1.0
            for number in reversed(order):
                for parent, slope in number.parents:
                    parent.receive(slope * number.gradient)

        __radd__, __rmul__ = __add__, __mul__

    return Number


def micrograd():
    return pytest.importorskip("micrograd.engine").Value


ENGINES = {
    "lecture": lecture,
    "microgpt": microgpt,
    "dataclass with slots": dataclass_with_slots,
    "other names": other_names,
    "micrograd": micrograd,
}
"""Each engine by its name. All of them know +, -, *, ** and a squashing method."""


def squash(x):
    """tanh, or the relu of an engine that lacks it."""
    return x.tanh() if hasattr(x, "tanh") else x.relu()


def backward(x):
    """Its backward(), under whichever name."""
    (x.backward if hasattr(x, "backward") else x.backprop)()


def _shared(a, b):
    c = a + b * 2.0
    return (c * c + c) * squash(c) - c


GRAPHS = {
    "a + a": lambda a, b: a + a,
    "a * a": lambda a, b: a * a,
    "a - a": lambda a, b: (a - a) * b,
    "constants on both sides": lambda a, b: 3.0 * a + (1.5 - b) * 2.0 + 1.0,
    "diamond": lambda a, b: squash(a * b) * (a * b) + squash(a * b),
    "shared": _shared,
    "powers": lambda a, b: (a**2 - b**3) * a**-1 + b**0.5 * b**1,
    "saturated": lambda a, b: squash(a * 30.0) * b + squash(b * -12.0),
    "zero": lambda a, b: squash(a * 0.0) * b + a,
}
"""Formulas of two numbers, for each engine."""
