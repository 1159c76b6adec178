"""A replay finds the first number of a recording that its own rules do not give."""

from __future__ import annotations

import dataclasses

import pytest

import chainrule
from chainrule import Value
from chainrule.core.operation import TABLE, forget
from chainrule.see.recording import replay
from chainrule.see.recording.events import KINDS


@pytest.fixture
def story():
    with chainrule.recording() as story:
        a = Value(3.0, label="a")
        b = a + a
        (b * a).backward()
        a.data = 4.0
        a.grad = 0.0
    return story


FALSIFIED = {
    "data": ("made", 1, None),
    "upstream": ("deposit", 0, {"upstream": 5.0}),
    "product": ("deposit", 1, {"product": 5.0}),
    "before": ("deposit", 2, {"before": 5.0}),
    "after": ("deposit", 3, {"after": 1.0}),
    "data before": ("wrote", 0, {"before": 7.0}),
    "gradient before": ("set_grad", 0, {"before": 7.0}),
}


@pytest.mark.parametrize("what", FALSIFIED)
def test_a_number_that_was_falsified_is_found(story, what):
    kind, number, change = FALSIFIED[what]
    at = [i for i, event in enumerate(story.events) if type(event) is KINDS[kind]][number]
    if change is None:
        node = story.events[at].node
        story.nodes[node] = story.nodes[node]._replace(data=7.0)
    else:
        story.events[at] = story.events[at]._replace(**change)
    first = replay(story)[0]
    assert (first.event, first.what) == (at, what)
    assert str(first.right) in str(first)


def test_every_operation_of_the_table_is_replayed_bit_for_bit():
    with chainrule.recording(passes=10_000) as story:
        for op in TABLE.values():
            for sample in op.samples:
                op.on([Value(float(x)) for x in sample]).backward()
    assert len(story.deposits()) > 250
    assert replay(story) == []


def test_an_operation_that_is_forgotten_is_taken_as_recorded():
    @chainrule.operation(local=lambda x, y: 3 * x * x)
    def cube(x):
        return x * x * x

    story = chainrule.record(cube(Value(2.0)))
    forget("cube")
    assert replay(story) == []
    assert [dataclasses.astuple(story)[3][0][3]] == [0]
