"""Mistakes in how another engine goes through a graph: the order, what is missing, what is left of an earlier pass."""

from __future__ import annotations

import math

import pytest

import chainrule
from chainrule.see.recording.events import Began, Deposit, Ended
from chainrule.see.recording.mistakes import first_mistake

from .broken import broken, mistake_of, neuron, operation, recorded, times
from .engines import lecture


def in_order_of(walk):
    return broken(order=walk)


def breadth_first(self):
    order, todo = [], [self]
    while todo:
        v = todo.pop(0)
        if v not in order:
            order.append(v)
            todo += sorted(v._prev, key=lambda x: x.label)
    return order


def without_visited(self):
    order, todo = [], [self]
    while todo:
        v = todo.pop(0)
        order.append(v)
        todo += list(v._prev)
    return order


def reused(V):
    """b is used at once and, a step further down, again: breadth first it hands on too early."""
    a = V(2.0, label="z")
    b = a * 3.0
    b.label = "b"
    c = b.tanh()
    c.label = "c"
    d = c * 2.0
    d.label = "d"
    (b + d).backward()


def test_a_number_that_hands_on_too_early_is_found():
    found, event, giver = mistake_of(in_order_of(breadth_first), reused)
    assert found.kind == "order"
    assert giver == "tanh"
    assert "b had handed on its gradient 1 before" in found.words
    assert isinstance(event, Deposit)


def test_an_order_that_begins_with_the_leaves_is_found():
    walk = lecture().order

    def from_the_leaves(self):
        return reversed(list(walk(self)))

    found, _, _ = mistake_of(in_order_of(from_the_leaves), reused)
    assert found.kind == "order"


def test_a_result_that_stands_twice_in_the_order_is_found():
    def program(V):
        c = V(2.0).tanh()
        (c * 3.0 + c * 5.0).backward()

    found, _, giver = mistake_of(in_order_of(without_visited), program)
    assert (found.kind, giver) == ("twice", "tanh")


def test_a_second_turn_of_one_result_is_found():
    walk = lecture().order

    def stutter(self):
        return [v for v in walk(self) for _ in range(2)]

    found, event, giver = mistake_of(in_order_of(stutter), lambda V: (V(2.0) * 3.0).backward())
    assert (found.kind, giver) == ("twice", "mul")
    assert "a second time in one backward()" in found.words
    assert event.before == found.expected


def test_a_backward_without_its_first_gradient_is_found():
    def backward(self):
        for node in self.order():
            node._backward()

    found, event, _ = mistake_of(broken(backward=backward), neuron)
    assert (found.kind, found.expected, found.found) == ("seed", 1.0, 0.0)
    assert isinstance(event, Began)


def test_a_gradient_that_the_user_gives_the_root_is_its_seed():
    def backward(self):
        for node in self.order():
            node._backward()

    def program(V):
        y = V(2.0) * V(3.0)
        y.grad = 1.0
        y.backward()

    assert first_mistake(recorded(broken(backward=backward), program)) is None


def test_gradients_of_results_from_an_earlier_pass_are_found():
    def program(V):
        a = V(2.0, label="a")
        b = a * 3.0
        b.label = "b"
        c = b + 1.0
        c.backward()
        a.grad = 0.0
        c.backward()

    found, event, giver = mistake_of(lecture(), program)
    assert (found.kind, found.expected, found.found, giver) == ("zero_grad", 1.0, 2.0, "add")
    assert "b still has the gradient 1 of an earlier backward()" in found.words
    assert event.before == 1.0


def test_a_graph_from_before_the_recording_still_has_its_gradients():
    Value = lecture()
    y = Value(2.0).tanh() * 3.0
    y.backward()
    assert first_mistake(recorded(Value, lambda V: y.backward())).kind == "zero_grad"


def test_a_training_loop_without_zero_grad_is_found():
    def program(V):
        w = V(0.5, label="w")
        for _ in range(2):
            loss = (w * 2.0 - 3.0) ** 2
            loss.backward()
            w.data -= 0.01 * w.grad

    found, event, _ = mistake_of(lecture(), program)
    assert found.kind == "zero_grad"
    assert found.words.startswith("w still has the gradient -8 of an earlier backward()")
    assert event.after - event.before == pytest.approx(found.expected)


def test_an_operation_that_hands_on_nothing_is_found():
    def tanh(self):
        return type(self)(math.tanh(self.data), (self,), "tanh")

    found, event, _ = mistake_of(broken(tanh=tanh), neuron)
    assert found.kind == "missing"
    assert isinstance(event, Ended)
    assert "hands nothing on to" in found.words


def test_a_pass_that_was_broken_off_misses_nothing():
    Value = lecture()
    y = Value(0.0)
    for _ in range(3000):
        y = y + 1.0
    with pytest.raises(RecursionError), chainrule.recording(Value=Value) as story:
        y.backward()
    assert first_mistake(story) is None


def test_one_deposit_for_both_operands_of_a_square_is_right():
    def square(a, b, out):
        if a is b:
            a.grad += 2 * a.data * out.grad
        else:
            a.grad += b.data * out.grad
            b.grad += a.data * out.grad

    Value = broken(__mul__=operation("*", times, square))
    assert first_mistake(recorded(Value, lambda V: ((a := V(3.0)) * a).backward())) is None
