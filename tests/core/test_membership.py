"""`in`, `index`, `remove` and `count` tell Values apart by identity; `==` compares numbers, wherever it stands."""

from __future__ import annotations

import operator
import unittest
from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from operator import contains, countOf, indexOf
from unittest.mock import ANY

import numpy as np
import pytest

import chainrule
from chainrule import Value, no_grad, topological_order
from chainrule.errors import TraceError

A, B = Value(1.0, "a"), Value(1.0, "b")
NODES = [A]
FIND, COUNT = NODES.index, NODES.count
YES = True


class Holder:
    found = B in NODES
    missing = B not in NODES

    def __init__(self):
        self.nodes = [A]

    def has(self, node):
        return node in self.nodes

    def times(self, node):
        return self.nodes.count(node)


def generated():
    yield B in NODES
    yield NODES.count(B)


def executed(text):
    names = {"a": A, "b": B, "nodes": NODES}
    exec(f"found = {text}", names)
    return names["found"]


def matched(node):
    match node:
        case x if x in NODES:
            return True
        case _:
            return False


MEMBERSHIP = {
    "in a list": lambda: B in NODES,
    "not in": lambda: B not in NODES,
    "in a tuple": lambda: B in (A, 2.0),
    "in a deque": lambda: B in deque(NODES),
    "in an iterator": lambda: B in iter(NODES),
    "in the values of a dict": lambda: B in {"a": A}.values(),
    "in the keys of a dict": lambda: B in {A: 1},
    "in a set": lambda: B in {A},
    "in an object array": lambda: B in np.array(NODES, dtype=object),
    "in a list of edges": lambda: (B, 1) in [(A, 1)],
    "in a condition": lambda: 1 if B in NODES else 0,
    "in a comprehension": lambda: [node in NODES for node in (B,)] == [True],
    "in a generator expression": lambda: any(node in NODES for node in (B,)),
    "in a generator": lambda: any(generated()),
    "in a method": lambda: Holder().has(B),
    "in a class body": lambda: Holder.found,
    "in text": lambda: executed("b in nodes"),
    "in a match": lambda: matched(B),
    "chained": lambda: B in NODES in [NODES],
    "count": lambda: NODES.count(B),
    "count of a tuple": lambda: (A, A).count(B),
    "count of a deque": lambda: deque(NODES).count(B),
    "count in a method": lambda: Holder().times(B),
    "count in text": lambda: executed("nodes.count(b)"),
    "count under another name": lambda: COUNT(B),
    "count of the class": lambda: list.count(NODES, B),
    "count of a conditional": lambda: NODES.count(B if YES else A),
    "count of an alternative": lambda: NODES.count(None or B),
    "count of a call": lambda: NODES.count(max([B, Value(0.0)])),
    "count of an item": lambda: NODES.count([A, B][NODES.index(A) + 1]),
    "count of a comprehension": lambda: NODES.count([node for node in (B, A) if node][0]),  # noqa: RUF015
    "count of a star": lambda: NODES.count(*[B]),
    "count of a call's result": lambda: list(NODES).copy().count(B),
    "over several lines": lambda: (
        list(
            NODES,
        )
        .copy()
        .count(
            B,
        )
    ),
    "contains": lambda: operator.contains(NODES, B),
    "contains, imported": lambda: contains(NODES, B),
    "countOf": lambda: operator.countOf(NODES, B) + countOf(NODES, B),
    "__contains__": lambda: NODES.__contains__(B) or list.__contains__(NODES, B),
    "without recording": lambda: no_grad()(lambda: B in NODES or NODES.count(B))(),
}
REFUSALS = {
    "index": lambda: NODES.index(B),
    "index from a place on": lambda: NODES.index(B, 0),
    "index of a tuple": lambda: (A,).index(B),
    "index of a deque": lambda: deque(NODES).index(B),
    "index under another name": lambda: FIND(B),
    "indexOf": lambda: operator.indexOf(NODES, B),
    "indexOf, imported": lambda: indexOf(NODES, B),
    "remove": lambda: [A].remove(B),
    "remove from a deque": lambda: deque(NODES).remove(B),
}


@pytest.mark.parametrize("what", MEMBERSHIP)
def test_another_value_of_the_same_number_is_no_member(what):
    found = MEMBERSHIP[what]()
    assert found is True if what == "not in" else not found


@pytest.mark.parametrize("what", REFUSALS)
def test_what_looks_for_a_value_does_not_find_another(what):
    with pytest.raises(ValueError, match=r"not in|not found"):
        REFUSALS[what]()


def test_a_value_is_found_where_it_is():
    nodes = [A, B]
    assert B in nodes
    assert (nodes.index(B), nodes.count(B), indexOf(nodes, B), deque(nodes).index(B)) == (1, 1, 1, 1)
    nodes.remove(B)
    assert nodes[0] is A
    assert len(nodes) == 1
    unittest.TestCase().assertIn(A, nodes)  # noqa: PT009
    unittest.TestCase().assertNotIn(B, nodes)  # noqa: PT009


def test_with_plain_numbers_membership_compares_numbers():
    assert 1.0 in NODES
    assert 1 in NODES
    assert A in [3, 1]
    assert [0.0, 1.0].index(A) == 1
    assert [1.0, A, B].count(1) == 3


@dataclass
class Pair:
    x: Value
    name: str


EQUAL = {
    "==": lambda: A == B,
    "in an assert": lambda: _asserted(),
    "in a condition": lambda: 1 if A == B else 0,
    "and": lambda: YES and A == B,
    "lists": lambda: [A] == [B],
    "tuples": lambda: (A, 2) == (B, 2),
    "dicts": lambda: {"x": A} == {"x": B},
    "deques": lambda: deque([A]) == deque([B]),
    "operator.eq": lambda: operator.eq(A, B),
    "__eq__": lambda: A.__eq__(B),
    "__eq__ of the class": lambda: Value.__eq__(A, B),
    "any": lambda: any(a == b for a, b in [(A, B)]),
    "all of a map": lambda: all(map(operator.eq, [A], [B])),
    "a filter": lambda: list(filter(lambda node: node == A, [B])),
    "dataclasses": lambda: Pair(A, "x") == Pair(B, "x"),
    "dataclasses in a list": lambda: Pair(A, "x") in [Pair(B, "x")],
    "object arrays": lambda: np.array([A], dtype=object) == np.array([B], dtype=object),
    "assertEqual": lambda: unittest.TestCase().assertEqual(A, B) is None,  # noqa: PT009
    "text": lambda: executed("a == b"),
    "a chain": lambda: A == B == 1.0,
    "beside a count": lambda: operator.eq(NODES[NODES.index(A)], B),
    "not unequal": lambda: not operator.ne(A, B),
    "a number": lambda: A == 1,
    "a call of the user's own": lambda: _count(A, B),
}


def _asserted():
    assert A == B
    return True


def _count(a, b):
    return a == b


@pytest.mark.parametrize("what", EQUAL)
def test_equality_compares_numbers(what):
    assert EQUAL[what]()


def test_a_topological_sort_with_a_list_finds_every_node():
    """As in many lessons: the nodes visited in a list, where a set would be faster."""

    def topo(root):
        order, visited = [], []

        def build(v):
            if v not in visited:
                visited.append(v)
                for child in v.operands:
                    build(child)
                order.append(v)

        build(root)
        return order

    a, b = Value(1.0), Value(1.0)
    root = (a * b + a) * 1.0 + Value(1.0) * b
    assert list(map(id, topo(root))) == list(map(id, topological_order(root)))


def test_a_loop_by_hand_with_a_list_gives_the_gradients_of_backward():
    def gradients(by_hand):
        a, b = Value(1.0), Value(1.0)
        root = a * b + a
        if by_hand:
            order, visited = [], []

            def build(v):
                if v not in visited:
                    visited.append(v)
                    for child in v._prev:
                        build(child)
                    order.append(v)

            build(root)
            root.grad = 1.0
            for node in reversed(order):
                node._backward()
        else:
            root.backward()
        return a.grad, b.grad

    assert gradients(by_hand=True) == gradients(by_hand=False) == (2.0, 1.0)


# ---- what decides by itself ----------------------------------------------------------------------------------------


class Close:
    """Is near to some numbers, and knows numbers alone."""

    def __init__(self, number):
        self.number = number

    def __eq__(self, x):
        return isinstance(x, float) and abs(x - self.number) < 0.1

    __hash__ = None


class ByLabel:
    """Knows Values, but no numbers."""

    def __init__(self, label):
        self.label = label

    def __eq__(self, x):
        return self.label == x.label

    __hash__ = None


class Never:
    def __eq__(self, x):
        return NotImplemented

    __hash__ = None


@pytest.mark.parametrize(
    ("x", "near"),
    [(Close(0.5), True), (Close(2.0), False), (pytest.approx(0.5, rel=1e-3), True), (pytest.approx(0.6), False),
     (Decimal("0.5"), True), (Decimal("0.6"), False), (ANY, True), (0.5 + 0j, True), (0.5 + 1j, False),
     (Never(), False), (ByLabel("v"), True), (ByLabel("w"), False)],
)  # fmt: skip
def test_an_object_that_compares_by_itself_is_asked_about_the_number(x, near):
    for v in (Value(0.5, "v"), Value(1.0) * Value(0.5)):
        v.label = "v"
        assert bool(v == x) is near
        assert bool(v != x) is not near


def test_approx_of_a_list_and_of_values_within_a_container():
    values = [Value(0.5), Value(0.25)]
    assert values == pytest.approx([0.5, 0.25])
    assert values != pytest.approx([0.5, 0.26])
    assert {"a": values[0]} == pytest.approx({"a": 0.5})


def test_a_comparison_of_this_kind_is_not_compiled():
    pytest.importorskip("llvmlite")
    with pytest.raises(TraceError, match="compare outside"):
        chainrule.compile(lambda x: x * 2.0 if x == Decimal("0.5") else x)(0.5)


def test_arrays_and_tables_still_compare_number_by_number():
    numpy = pytest.importorskip("numpy")
    assert list(map(bool, Value(2.0) == numpy.array([1.0, 2.0]))) == [False, True]
