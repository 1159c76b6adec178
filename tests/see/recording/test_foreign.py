"""Engines that are not ours are recorded unchanged: the lecture's class, micrograd, microgpt's style, dataclasses."""

from __future__ import annotations

import copy
import math

import pytest

import chainrule
from chainrule.see.pages import page
from chainrule.see.recording import replay
from chainrule.see.recording.events import Asked, Began, Deposit, Ended, Made, SetGrad, Wrote
from chainrule.see.recording.files import of_document

from .engines import ENGINES, GRAPHS, backward, lecture, microgpt, other_names


def gradients(Value, formula):
    a, b = Value(0.75), Value(1.25)
    y = formula(a, b)
    backward(y)
    return [getattr(x, "grad", None) if hasattr(x, "grad") else x.gradient for x in (a, b, y)]


def of_kind(story, kind):
    return [event for event in story.events if isinstance(event, kind)]


def names_of_operations(story):
    return [story.operations[node.op].name for node in story.nodes if node.op >= 0]


def spelled(story, node):
    """The text of the source at a node's place."""
    place = story.nodes[node].place
    lines = story.sources[place.source].text.splitlines()
    assert place.line == place.end_line
    return lines[place.line - story.sources[place.source].first][place.column : place.end_column]


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_is_recorded_unchanged(engine, graph):
    Value = ENGINES[engine]()
    expected = gradients(Value, GRAPHS[graph])
    before = dict(vars(Value))
    with chainrule.recording(Value=Value) as story:
        found = gradients(Value, GRAPHS[graph])
    assert repr(found) == repr(expected)
    after = dict(vars(Value))
    assert list(after) == list(before)
    assert all(after[name] is before[name] for name in before)
    assert (story.engine.name, story.engine.own) == (Value.__name__, 0)
    ends = {event.into: event.after for event in of_kind(story, Deposit)}
    assert [ends.get(0, 0.0), ends.get(1, 0.0)] == [x or 0.0 for x in found[:2]]
    assert all(operation.table for operation in story.operations)
    again = of_document(story.to_document())
    assert again.to_document() == story.to_document()
    assert (again.events, again.nodes) == (story.events, story.nodes)


@pytest.mark.parametrize("engine", ["lecture", "dataclass with slots", "micrograd"])
def test_local_derivatives_that_an_engine_does_not_keep_are_those_of_our_rule_and_marked(engine):
    Value = ENGINES[engine]()
    with chainrule.recording(Value=Value) as story:
        gradients(Value, lambda a, b: a * b)
    assert [(x.giver, x.into, x.local, x.product, x.rule) for x in sorted(story.deposits())] == [
        (2, 0, 1.25, 1.25, 1),
        (2, 1, 0.75, 0.75, 1),
    ]


@pytest.mark.parametrize("engine", [microgpt, other_names])
def test_local_derivatives_that_an_engine_keeps_are_its_own(engine):
    Value = engine()
    with chainrule.recording(Value=Value) as story:
        gradients(Value, lambda a, b: a * b)
    assert [(x.local, x.rule) for x in story.deposits()] == [(1.25, 0), (0.75, 0)]


@pytest.mark.parametrize("engine", ENGINES)
def test_right_engines_are_replayed(engine):
    Value = ENGINES[engine]()
    with chainrule.recording(Value=Value) as story:
        gradients(Value, lambda a, b: a * b + a * a - 2.0 * b)
    assert replay(story) == []


def test_operands_stand_as_often_as_they_occur_and_in_order():
    Value = lecture()
    with chainrule.recording(Value=Value) as story:
        a, b = Value(3.0), Value(5.0)
        twice, less, more, power = a * a, b - a, 2.0 - a, a**2
    rows = [
        (names_of_operations(story)[k], node.operands) for k, node in enumerate(n for n in story.nodes if n.op >= 0)
    ]
    assert rows == [("mul", (0, 0)), ("sub", (1, 0)), ("sub", (4, 0)), ("pow", (0, 6))]
    assert (twice.data, less.data, more.data, power.data) == (9.0, 2.0, -1.0, 9.0)
    assert (story.nodes[6].constant, story.nodes[6].data, story.nodes[7].locals) == (1, 2.0, (6.0, None))


def test_both_deposits_of_a_square_are_seen():
    Value = lecture()
    with chainrule.recording(Value=Value) as story:
        a = Value(3.0)
        (a - a).backward()
    found = [(x.position, x.local, x.before, x.after) for x in story.deposits()]
    assert found == [(1, -1.0, 0.0, -1.0), (0, 1.0, -1.0, 0.0)]  # the class writes into the second one first


def test_operands_of_what_was_made_before_are_found_by_their_numbers():
    Value = lecture()
    a, b = Value(3.0), Value(5.0)
    y = (b - a) * (a * a)
    with chainrule.recording(Value=Value) as story:
        y.backward()
    rows = {names_of_operations(story)[k]: n for k, n in enumerate(n for n in story.nodes if n.op >= 0)}
    minus = rows["sub"]
    assert [story.nodes[x].data for x in minus.operands] == [5.0, 3.0]
    assert of_kind(story, Made) == []
    assert all(node.place is None for node in story.nodes)
    assert sum(len(set(n.operands)) == 1 and len(n.operands) == 2 for n in story.nodes) == 1
    assert len(story.deposits()) == 6
    assert replay(story) == []


def test_a_gradient_from_before_is_there():
    Value = lecture()
    a = Value(3.0)
    (a * 2.0).backward()
    with chainrule.recording(Value=Value) as story:
        a.grad = 0.0
    assert story.nodes[0].grad == 2.0
    assert [(x.before, x.after) for x in of_kind(story, SetGrad)] == [(2.0, 0.0)]


def test_places_are_the_users_own():
    Value = ENGINES["micrograd"]()
    with chainrule.recording(Value=Value) as story:
        a = Value(2.0)
        b = (a - 1.0) / a
        b.backward()
    assert [source.name.rpartition("/")[2] for source in story.sources] == ["test_foreign.py"]
    spans = [spelled(story, node) for node in range(len(story.nodes))]
    assert spans[0] == "Value(2.0)"
    assert set(spans[1:]) == {"a - 1.0", "(a - 1.0) / a"}
    assert story.nodes[0].label == "a"
    assert story.nodes[-1].label == "b"


def test_what_is_written_is_an_event_with_its_line():
    Value = lecture()
    with chainrule.recording(Value=Value) as story:
        a = Value(2.0)
        (a * a).backward()
        a.data -= 0.5
        a.grad = 0.0
        (a * a).backward()
    (wrote,) = of_kind(story, Wrote)
    assert (wrote.node, wrote.before, wrote.after) == (0, 2.0, 1.5)
    (zeroed,) = of_kind(story, SetGrad)
    assert (zeroed.node, zeroed.before, zeroed.after) == (0, 4.0, 0.0)
    assert zeroed.place.line == wrote.place.line + 1
    assert [(event.number, event.seed) for event in of_kind(story, Began)] == [(1, 1.0), (2, 1.0)]
    assert story.training.losses == (4.0, 2.25)
    assert replay(story) == []


def test_what_the_program_asks_is_an_event_and_what_the_class_reads_is_none():
    class Value(lecture()):
        def __bool__(self):
            return self.data != 0

        def __gt__(self, other):
            return self.data > other

    with chainrule.recording(Value=Value) as story:
        a = Value(2.0)
        y = a * a if a > 1 else a
        z = y + 1.0 if y else y
        z.tanh()
        a.data  # noqa: B018
    assert [(x.node, x.what, x.answer) for x in of_kind(story, Asked)] == [
        (0, "data", 2.0),
        (1, "truth", 1.0),
        (0, "data", 2.0),
    ]
    assert not any("__bool__" in words for words in story.engine.said)


def test_a_truth_that_cannot_be_seen_is_said():
    with chainrule.recording(Value=lecture()) as story:
        pass
    assert story.engine.said == ("Value has no __bool__: `if x:` is true for each of them, and cannot be seen",)


def test_a_function_of_the_users_own_is_an_operation():
    Value = lecture()

    def exp(x):
        out = Value(math.exp(x.data), (x,), "exp")

        def _backward():
            x.grad += out.data * out.grad

        out._backward = _backward
        return out

    def wobble(x):
        out = Value(x.data * 7.0)
        out._prev, out._op = {x}, "wobble"

        def _backward():
            x.grad += 7.0 * out.grad

        out._backward = _backward
        return out

    with chainrule.recording(Value=Value) as story:
        a = Value(0.0)
        wobble(exp(a)).backward()
    assert [(x.name, x.table) for x in story.operations] == [("exp", 1), ("wobble", 0)]
    assert of_kind(story, Asked) == []
    assert [(x.giver, x.into, x.local, x.after, x.rule) for x in story.deposits()] == [
        (2, 1, None, 7.0, 0),
        (1, 0, 1.0, 7.0, 1),
    ]


def test_steps_by_hand_are_deposits():
    Value = lecture()
    with chainrule.recording(Value=Value) as story:
        a, b = Value(2.0), Value(3.0)
        y = a * b
        y.grad = 1.0
        y._backward()
    assert [(x.giver, x.into, x.after) for x in story.deposits()] == [(2, 0, 3.0), (2, 1, 2.0)]
    assert [x.after for x in of_kind(story, SetGrad)] == [1.0]


def test_zeroing_within_backward_is_no_deposit():
    Value = ENGINES["dataclass with slots"]()
    with chainrule.recording(Value=Value) as story:
        a = Value(2.0)
        y = (a * a) * a
        y.backward()
        y.backward()
    zeroed = of_kind(story, SetGrad)
    assert [(x.node, x.before, x.after, x.place) for x in zeroed] == [(1, 2.0, 0.0, None)]
    assert len(story.deposits()) == 8


def test_copies_are_nodes_when_they_are_used():
    Value = microgpt()
    with chainrule.recording(Value=Value) as story:
        a = Value(2.0)
        y = copy.copy(a) * a
        y.backward()
    assert story.nodes[2].operands == (1, 0)
    assert [x.into for x in story.deposits()] == [1, 0]
    assert of_kind(story, Wrote) == []


def test_a_recursion_error_is_said_and_goes_on():
    Value = lecture()
    y = Value(0.0)
    for _ in range(3000):
        y = y + 1.0
    with pytest.raises(RecursionError), chainrule.recording(Value=Value, nodes=10_000) as story:
        y.backward()
    assert any("RecursionError" in words for words in story.engine.said)
    assert [event.whole for event in of_kind(story, Ended)] == [0]


def test_backward_that_calls_itself_is_said():
    class Value:
        def __init__(self, data, parents=()):
            self.data, self.grad, self.parents = data, 0.0, parents

        def __mul__(self, other):
            return Value(self.data * other.data, ((self, other.data), (other, self.data)))

        def backward(self, upstream=1.0):
            self.grad += upstream
            for parent, local in self.parents:
                parent.backward(upstream * local)

    with chainrule.recording(Value=Value) as story:
        a = Value(2.0)
        (a * a * a).backward()
    assert a.grad == 12.0
    assert story.deposits() == []
    assert any("calls itself" in words for words in story.engine.said)
    assert [event.after for event in of_kind(story, SetGrad)][-1] == 12.0


def test_what_is_no_number_is_said_and_breaks_nothing():
    Value = lecture()
    with chainrule.recording(Value=Value) as story:
        a = Value("text")
        a.grad = [1]
        b = Value(1.0) + Value(2.0)
    assert b.data == 3.0
    assert "'text' was written where a number is expected: it is not recorded" in story.engine.said
    assert (len(story.nodes), story.dropped.nodes) == (3, 1)


def test_gradients_written_past_the_attribute_are_said():
    class Value(lecture()):
        def backward(self):
            super().backward()
            for x in self._prev:
                vars(x)["grad"] = 5.0

    with chainrule.recording(Value=Value) as story:
        Value(2.0).tanh().backward()
    assert any("past the attribute" in words for words in story.engine.said)
    assert of_kind(story, SetGrad)[0].after == 5.0


def test_limits_count_what_is_dropped():
    Value = lecture()
    with chainrule.recording(Value=Value, nodes=10, passes=1) as story:
        a = Value(1.0)
        for _ in range(3):
            (a * a).backward()
        y = a
        for _ in range(20):
            y = y + a
        y.backward()
    assert story.dropped.passes == 3
    assert story.dropped.nodes > 10
    assert len(story.nodes) <= 10


def test_a_page_is_made_of_another_engine():
    Value = microgpt()
    with chainrule.recording(Value=Value) as story:
        gradients(Value, lambda a, b: a * b + a**2)
    assert "<!doctype html>" in page(story)
