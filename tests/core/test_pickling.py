"""Pickling and copying: of leaves, of graphs, and of what is shared between them."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest

from chainrule import Value, operation, ops, topological_order
from chainrule.core.operation import forget
from chainrule.errors import ArgumentError

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
WAYS = [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))]
WAY_NAMES = ["deepcopy", "pickle"]


def described(root):
    """Everything about a graph that can be seen, in its own order."""
    order = topological_order(root)
    place = {id(node): i for i, node in enumerate(order)}
    return [
        (node.op, node.data, node.peek_grad(), node.label, node.constant, node.locals,
         [place[id(operand)] for operand in node.operands])
        for node in order
    ]  # fmt: skip


def example():
    x, w = Value(0.5, "x"), Value(-3.0, "w")
    inner = x * w + 1
    inner.label = "inner"
    y = ops.weighted_sum([inner, w], [inner.tanh(), 2.0], x) + ops.select(x > 0, x**2, 0)
    y.backward()
    return x, w, y


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_leaf_with_every_protocol(protocol):
    x = Value(0.1, "x")
    x.grad = -2.5
    back = pickle.loads(pickle.dumps(x, protocol))
    assert (back.data, back.peek_grad(), back.label, back.operands, back.op) == (0.1, -2.5, "x", (), None)
    back.data = 7.0
    assert x.data == 0.1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_graph_with_every_protocol(protocol):
    *_, y = example()
    assert described(pickle.loads(pickle.dumps(y, protocol))) == described(y)


@pytest.mark.parametrize("way", WAYS, ids=WAY_NAMES)
def test_a_copied_graph_is_the_same_and_lives_on_its_own(way):
    x, w, y = example()
    x2, w2, y2 = way((x, w, y))
    assert described(y2) == described(y)
    before = described(y)
    x2.data = 2.0
    x2.grad = w2.grad = 0
    y2.refresh().backward()
    assert described(y) == before
    anew_x, anew_w = Value(2.0), Value(-3.0)
    inner = anew_x * anew_w + 1
    square = ops.select(anew_x > 0, anew_x**2, 0)
    anew = ops.weighted_sum([inner, anew_w], [inner.tanh(), 2.0], anew_x) + square
    anew.backward()
    assert (y2.data, x2.grad, w2.grad) == (anew.data, anew_x.grad, anew_w.grad)


@pytest.mark.parametrize("way", WAYS, ids=WAY_NAMES)
def test_shared_leaves_stay_shared(way):
    x = Value(2.0)
    first, second, x2, same = way([x * x, x + 1, x, x])
    assert x2 is same is first.operands[0] is first.operands[1] is second.operands[0]
    first.backward()
    second.backward()
    assert (x2.grad, x.grad) == (5.0, 0.0)


@pytest.mark.parametrize("way", WAYS, ids=WAY_NAMES)
def test_shared_nodes_stay_shared_within_a_graph(way):
    x = Value(2.0)
    h = x * x
    y = way(h + h.tanh())
    assert y.operands[0] is y.operands[1].operands[0]
    assert len(topological_order(y)) == 4


@pytest.mark.parametrize("way", WAYS, ids=WAY_NAMES)
def test_nodes_of_equal_numbers_are_not_merged(way):
    y = way(Value(1.0) * Value(1.0))
    assert y.operands[0] is not y.operands[1]


@pytest.mark.parametrize("way", WAYS, ids=WAY_NAMES)
def test_constants_stay_constant(way):
    y = way(3 * Value(2.0))
    assert [operand.constant for operand in y.operands] == [True, False]
    y.backward()
    assert [operand.grad for operand in y.operands] == [0.0, 3.0]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=WAY_NAMES)
def test_a_graph_far_deeper_than_the_recursion_limit(way):
    x = Value(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    for _ in range(100_000):
        y = y + x
    x2, y2 = way((x, y))
    y2.backward()
    assert (y2.data, x2.grad, x.grad) == (200_001.0, 100_001.0, 0.0)
    assert len(topological_order(y2)) == len(topological_order(y))


def test_a_shallow_copy_shares_the_leaves():
    x = Value(2.0, "x")
    leaf = copy.copy(x)
    leaf.data = 5.0
    assert (leaf.label, x.data) == ("x", 2.0)
    y = x * x
    twin = copy.copy(y)
    assert twin is not y
    assert twin.operands[0] is x
    twin.backward()
    assert (x.grad, y.grad, twin.grad) == (4.0, 0.0, 1.0)


def test_special_numbers_survive_to_the_bit():
    numbers = [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 5e-324, 0.1 + 0.2]
    back = pickle.loads(pickle.dumps([Value(x) for x in numbers]))
    assert [v.data.hex() for v in back] == [x.hex() for x in numbers]


def test_another_process_can_read_it():
    x = Value(2.0, "x")
    code = "import pickle, sys; y = pickle.load(sys.stdin.buffer); y.backward(); print(y.operands[0].grad, y.op.name)"
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(x * x), capture_output=True, check=True)
    assert done.stdout.split() == [b"4.0", b"mul"]


def test_an_own_operation_must_be_defined_where_it_is_read(own_operations):
    def define():
        @operation(local=lambda x, y: 3 * x * x)
        def cube(x):
            return x * x * x

    define()
    x = Value(2.0)
    stored = pickle.dumps((x, x.cube()))
    forget("cube")
    with pytest.raises(ArgumentError, match="no operation 'cube'"):
        pickle.loads(stored)
    define()
    x2, y2 = pickle.loads(stored)
    y2.backward()
    assert x2.grad == 12.0
