"""The graph and the chain rule: backward, refresh, detach, and what happens to large graphs.

What a Value is as a number (operators, conversions, formatting) is in test_value.py.
"""

from __future__ import annotations

import gc
import linecache
import math
import random
import sys

import pytest

from chainrule import Value, ops, topological_order
from chainrule.engine import is_compiled
from chainrule.errors import OperandError, ReadOnlyError

# ---- what a node keeps ---------------------------------------------------------------------------------------------


def test_a_node_keeps_its_operation_operands_and_local_derivatives():
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    y = a * b
    assert (y.data, y.op, y.locals) == (-6.0, ops.mul, (-3.0, 2.0))
    assert y.operands[0] is a
    assert y.operands[1] is b
    assert (a.op, a.operands, a.locals) == (None, (), ())


def test_a_plain_number_becomes_a_constant_without_derivative():
    a = Value(2.0)
    y = 3 * a
    three = y.operands[0]
    assert (three.data, three.constant, y.locals) == (3.0, True, (None, 3.0))
    y.backward()
    assert (three.grad, a.grad) == (0.0, 3.0)
    assert not a.constant
    assert not y.constant


def test_a_constant_stays_constant_when_its_number_is_read_and_written():
    a = Value(2.0)
    y = 3 * a
    three = y.operands[0]
    assert three.grad == 0.0
    three.data = 4.0
    assert three.constant
    y.refresh().backward()
    assert (y.data, a.grad, three.grad) == (8.0, 4.0, 0.0)


@pytest.mark.parametrize(
    ("attribute", "new"),
    [("operands", ()), ("locals", (1.0,)), ("op", None), ("op", ops.add), ("_prev", set()), ("data", 5.0),
     ("_backward", lambda: None)],
)  # fmt: skip
def test_the_graph_cannot_be_written_from_outside(attribute, new):
    a = Value(2.0)
    y = a * a
    with pytest.raises(ReadOnlyError):
        setattr(y, attribute, new)
    y.backward()
    assert (y.data, a.grad, y.op) == (4.0, 4.0, ops.mul)


@pytest.mark.parametrize(("attribute", "new"), [("_op", "+"), ("constant", True), ("grads", 0.0)])
def test_nothing_else_can_be_written_either(attribute, new):
    with pytest.raises(AttributeError):
        setattr(Value(2.0), attribute, new)


def test_data_of_a_result_says_what_to_do_instead():
    with pytest.raises(ReadOnlyError, match=r"the data of a result \(mul\) is read-only: write a leaf's, then refresh"):
        (Value(2.0) * 3).data = 5.0


def test_an_operation_by_closure_is_refused_and_the_decorator_shown():
    out = Value(2.0) * 3

    def _backward():
        pass

    with pytest.raises(ReadOnlyError, match=r"(?s)_backward.*@chainrule\.operation\(local="):
        out._backward = _backward
    with pytest.raises(ReadOnlyError, match=r"(?s)operands.*@chainrule\.operation\(local="):
        Value(4.0, (Value(2.0),))


# ---- the chain rule ------------------------------------------------------------------------------------------------


def test_backward_through_the_lecture_s_neuron():
    x1, x2, w1, w2 = Value(2.0), Value(0.0), Value(-3.0), Value(1.0)
    b = Value(6.8813735870195432)
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.backward()
    assert o.data == pytest.approx(0.7071067811865476, abs=1e-12)
    found = [node.grad for node in (x1, w1, x2, w2, b, o)]
    assert found == pytest.approx([-1.5, 1.0, 0.5, 0.0, 0.5, 1.0], abs=1e-12)


def test_contributions_over_several_ways_add_up():
    a = Value(3.0)
    b = a + a
    b.backward()
    assert a.grad == 2.0
    a, b = Value(-2.0), Value(3.0)
    d, e = a * b, a + b
    (d * e).backward()
    assert (a.grad, b.grad, d.grad, e.grad) == (-3.0, -8.0, 1.0, -6.0)


@pytest.mark.parametrize(
    ("f", "at", "value", "slopes"),
    [
        (lambda a, b: a**b, (2.0, 3.0), 8.0, (12.0, 8.0 * math.log(2.0))),
        (lambda a: 2**a, (3.0,), 8.0, (8.0 * math.log(2.0),)),
        (lambda a: a**-0.5, (4.0,), 0.5, (-0.0625,)),
        (lambda a: 1 / a, (4.0,), 0.25, (-0.0625,)),
        (lambda a: a - a, (4.0,), 0.0, (0.0,)),
        (lambda a: a * a, (4.0,), 16.0, (8.0,)),
        (lambda a: a / a, (4.0,), 1.0, (0.0,)),
        (lambda a: ops.max(a, a), (4.0,), 4.0, (1.0,)),
        (lambda a: ops.min(a, a), (4.0,), 4.0, (1.0,)),
        (lambda a: ops.clip(a, a, a), (4.0,), 4.0, (1.0,)),
        (lambda a: max([a, a * 2, a - 1]), (4.0,), 8.0, (2.0,)),
        (lambda a, b: sum([a, b, a]), (4.0, 1.0), 9.0, (2.0, 1.0)),
        (lambda a: a.exp().log(), (4.0,), 4.0, (1.0,)),
    ],
)
def test_small_expressions(f, at, value, slopes):
    values = [Value(x) for x in at]
    y = f(*values)
    y.backward()
    assert y.data == value
    assert [v.grad for v in values] == pytest.approx(list(slopes), rel=1e-15)


def test_backward_twice_doubles_the_leaves_and_sets_the_rest_afresh():
    x = Value(3.0)
    y = x**3
    y.backward()
    assert x.grad == 27.0
    y.backward()
    assert x.grad == 54.0
    x = Value(2.0)
    hidden = x * x
    out = hidden * hidden
    for times in (1, 2, 3):
        out.backward()
        assert (x.grad, hidden.grad, out.grad) == (32.0 * times, 8.0, 1.0)


def test_backward_twice_is_exactly_double_also_where_several_ways_meet():
    x = Value(1.0)
    y = x * 0.2 + x * 0.8 + x * 0.9
    y.backward()
    once = x.grad
    y.backward()
    assert x.grad == 2 * once


def interrupted_at(line, run):
    """Whether an exception came at that line of the engine's, counted as they are run.

    None comes in its clean-up, nor at a `with` or `try:`, lines that Python tells of also where a block is being left:
    no real interrupt is let in there, and this one would keep the lock.
    """
    left, files = line, ("engine.py", "nodes.py")

    def trace(frame, event, _):
        nonlocal left
        code = frame.f_code
        if not code.co_filename.endswith(files) or code.co_name == "add_back":
            return None
        text = linecache.getline(code.co_filename, frame.f_lineno).strip()
        if event == "line" and "add_back" not in text and not text.startswith(("with ", "try:")):
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.skipif(is_compiled(), reason="nothing comes between the lines of C")
def test_an_interrupted_backward_loses_no_gradient_that_was_there_before(in_threads):
    lines = 0
    interrupted = True
    while interrupted:
        a, b = Value(2.0), Value(3.0)
        y = a * b
        y.backward()
        lines += 1
        interrupted = interrupted_at(lines, y.backward)
        assert a.grad in (3.0, 6.0)
        assert b.grad in (2.0, 4.0)
    assert lines > 50
    assert (a.grad, b.grad) == (6.0, 4.0)
    in_threads([y.backward])  # the lock is free


def test_two_graphs_that_share_a_leaf_and_a_node():
    x = Value(2.0)
    shared = x * x
    first, second = shared * 3, shared + 1
    first.backward()
    second.backward()
    assert (x.grad, shared.grad) == (12.0 + 4.0, 1.0)


def test_backward_on_a_leaf():
    x = Value(2.0)
    x.backward()
    x.backward(3.0)
    assert x.grad == 4.0


@pytest.mark.parametrize(("seed", "factor"), [(2.5, 2.5), (3, 3.0), (True, 1.0), (-1.0, -1.0), (0.0, 0.0)])
def test_seed(seed, factor):
    x = Value(3.0)
    y = x * x
    y.backward(seed)
    assert (y.grad, x.grad) == (factor, 6.0 * factor)
    y.backward(seed=seed)
    assert x.grad == 12.0 * factor


def test_a_refused_seed_changes_nothing():
    x = Value(3.0)
    y = x * x
    y.backward()
    for seed in ("1", None, [1.0], Value(1.0)):
        with pytest.raises(OperandError, match="seed"):
            y.backward(seed)
    assert (x.grad, y.grad) == (6.0, 1.0)


def test_zero_upstream_deposits_nothing():
    x = Value(0.0)
    y = ops.select(x > 0, ops.sqrt(x), 0)
    y.backward()
    assert (y.data, x.grad) == (0.0, 0.0)
    z = Value(0.0)
    (z.log() * 0.0).backward()
    assert z.grad == 0.0
    z.sqrt().backward(seed=0.0)
    assert z.grad == 0.0


def test_local_derivatives_belong_to_the_forward_pass_that_was_run():
    x = Value(3.0)
    y = x * x
    x.data = 100.0
    y.backward()
    assert (y.data, x.grad) == (9.0, 6.0)


def test_zero_grad_reaches_the_whole_graph():
    x, w = Value(2.0), Value(3.0)
    h = x * w
    y = h.tanh()
    y.backward()
    assert h.grad != 0
    y.zero_grad()
    assert [node.grad for node in (x, w, h, y)] == [0.0] * 4
    x.grad = 5
    assert x.grad == 5.0


# ---- refresh and detach --------------------------------------------------------------------------------------------


def test_refresh_recomputes_in_place():
    x = Value(3.0)
    inner = x * x
    y = inner + 1
    x.data = 5
    assert y.data == 10.0
    assert y.refresh() is y
    assert (inner.data, y.data) == (25.0, 26.0)
    y.backward()
    assert x.grad == 10.0
    assert x.refresh() is x


def test_refresh_takes_the_other_branch_of_a_select():
    x = Value(3.0)
    y = ops.select(x > 0, x * x, -x) + ops.max(x, 1.0) + (x >= 3) * 100 + x.relu() + ops.clip(x, -1, 1)
    y.backward()
    assert (y.data, x.grad) == (9.0 + 3.0 + 100.0 + 3.0 + 1.0, 6.0 + 1.0 + 1.0)
    x.data = -2.0
    x.grad = 0
    y.refresh().backward()
    assert (y.data, x.grad) == (2.0 + 1.0 + 0.0 + 0.0 - 1.0, -1.0)


def test_refresh_keeps_gradients_and_labels():
    x = Value(3.0)
    y = x * x
    y.label = "y"
    y.backward()
    y.refresh()
    assert (x.grad, y.grad, y.label) == (6.0, 1.0, "y")


def test_refresh_equals_building_anew_to_the_bit():
    rng = random.Random(0)
    xs = [Value(rng.gauss(0, 1)) for _ in range(4)]

    def build(xs):
        return ops.logsumexp([ops.weighted_sum(xs, [x.sin() for x in xs], 0.1), *[x**2 / 3 for x in xs]])

    kept = build(xs)
    for _ in range(5):
        for x in xs:
            x.data = rng.gauss(0, 1)
        kept.refresh()
        fresh = [Value(x.data) for x in xs]
        anew = build(fresh)
        kept.zero_grad()
        kept.backward()
        anew.backward()
        assert kept.data == anew.data
        assert [x.grad for x in xs] == [x.grad for x in fresh]


def test_detach_gives_a_leaf_with_the_same_number():
    x = Value(3.0, label="x")
    y = x * x
    y.label = "y"
    stopped = y.detach()
    assert (stopped.data, stopped.label, stopped.grad, stopped.operands, stopped.op) == (9.0, "y", 0.0, (), None)
    (stopped * x).backward()
    assert (x.grad, stopped.grad) == (9.0, 3.0)
    stopped.data = 1.0
    assert y.data == 9.0


# ---- order, identity, size -----------------------------------------------------------------------------------------


def test_the_order_has_operands_before_results_and_each_node_once():
    rng = random.Random(1)
    nodes = [Value(rng.random()) for _ in range(5)]
    for _ in range(300):
        nodes.append(rng.choice([ops.add, ops.mul, ops.max])(rng.choice(nodes), rng.choice(nodes)))
    root = ops.sum(nodes)
    order = topological_order(root)
    place = {id(node): i for i, node in enumerate(order)}
    assert len(place) == len(order) == len(nodes) + 1
    assert order[-1] is root
    assert all(place[id(operand)] < place[id(node)] for node in order for operand in node.operands)


def test_nodes_of_equal_numbers_are_told_apart():
    ones = [Value(1.0) for _ in range(20)]
    y = Value(1.0)
    for one in ones:
        y = y * one * one
    y.backward()
    assert [one.grad for one in ones] == [2.0] * 20
    assert len(topological_order(y)) == 20 + 1 + 40
    a, b = Value(1.0), Value(1.0)
    assert len((a * b)._prev) == 2
    assert len((a * a)._prev) == 1
    assert len({a, b, a}) == 2
    assert {a: "a", b: "b"}[b] == "b"
    assert hash(a) != hash(b)


def test_a_chain_of_a_million_additions_is_exact_and_freed():
    x = Value(1.0)
    references = sys.getrefcount(x)
    total = Value(0.0)
    for _ in range(1_000_000):
        total = total + x
    total.backward()
    assert (total.data, x.grad) == (1e6, 1e6)
    assert sys.getrefcount(x) == references + 1_000_000
    del total
    assert sys.getrefcount(x) == references


def test_a_diamond_chain_is_exact():
    x = y = Value(1.0)
    for _ in range(500):
        y = y + y
    y.backward()
    assert (y.data, x.grad) == (2.0**500, 2.0**500)
    assert len(topological_order(y)) == 501


def test_a_node_with_very_many_operands():
    xs = [Value(1.0) for _ in range(100_000)]
    y = ops.sum(xs)
    y.backward()
    assert y.data == 100_000
    assert {x.grad for x in xs} == {1.0}


def test_graphs_hold_no_reference_cycle():
    x = Value(0.5)
    references = sys.getrefcount(x)
    gc.collect()
    gc.disable()
    try:
        y = ops.select(x > 0, x.tanh() * x + ops.weighted_sum([x, 2.0], [1.0, x], x), x**2)
        y.backward()
        step = y._backward
        step()
        y.refresh().zero_grad()
        assert sys.getrefcount(x) > references
        del y, step
        assert sys.getrefcount(x) == references
    finally:
        gc.enable()


def test_an_operand_that_raises_leaves_the_graph_as_it_was():
    x = Value(2.0)
    y = x * x
    with pytest.raises(OperandError):
        y + "1"
    y.backward()
    assert (y.data, x.grad) == (4.0, 4.0)
