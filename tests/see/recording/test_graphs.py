"""The recording of a graph that is there already."""

from __future__ import annotations

import pytest

import chainrule
from chainrule import Value
from chainrule.errors import ArgumentError
from chainrule.expression import parse
from chainrule.see.recording import replay
from chainrule.see.recording.events import Began, Deposit, Ended, Made
from chainrule.see.recording.graphs import record_expression


def test_it_has_the_gradients_that_backward_gives_and_touches_none():
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    y = chainrule.tanh(x * w) * w + 2
    x.grad = 0.5
    story = chainrule.record(y, seed=2.0)
    assert (x.grad, w.grad) == (0.5, 0.0)
    x.grad = 0.0
    y.backward(2.0)
    after = {event.into: event.after for event in story.deposits()}
    assert [after[i] for i, node in enumerate(story.nodes) if node.label in ("x", "w")] == [x.grad, w.grad]
    assert replay(story) == []


def test_the_kinds_of_events_in_order():
    a = Value(2.0)
    kinds = [type(event) for event in chainrule.record(a * a).events]
    assert kinds == [Made, Made, Began, Deposit, Deposit, Ended]


def test_a_leaf_alone_and_a_result_of_a_subclass():
    assert len(chainrule.record(Value(2.0)).nodes) == 1

    class Named(Value):
        pass

    story = chainrule.record(Named(2.0) * 3)
    assert replay(story) == []
    assert len(story.nodes) == 3


def test_what_is_no_value_is_refused():
    with pytest.raises(ArgumentError, match="record takes a Value, not the float"):
        chainrule.record(2.0)


def test_a_deep_graph():
    x = y = Value(1.0)
    for _ in range(20_000):
        y = y + x
    story = chainrule.record(y)
    assert len(story.nodes) == 20_001
    assert story.deposits()[-1].after == 20_001.0


def test_an_expression_is_its_own_source():
    expression = parse("tanh(x1*w1\n+ b) if β > 0 else  x1 * -2", {"x1": 2.0, "w1": 0.5, "b": 1.0, "β": 1.0})
    story = record_expression(expression)
    text = story.sources[0].text
    pieces = {text[node.place.column : node.place.end_column]: node for node in story.nodes if node.place}
    named = {piece: story.operations[node.op].name for piece, node in pieces.items() if node.op >= 0}
    assert named == {
        "x1*w1": "mul",
        "x1*w1 + b": "add",
        "tanh(x1*w1 + b)": "tanh",
        "β > 0": "gt",
        "x1 * -2": "mul",
        text: "select",
    }
    assert {piece for piece, node in pieces.items() if node.op < 0} == {"x1", "w1", "b", "β"}
    assert replay(story) == []
    assert story.title == text
