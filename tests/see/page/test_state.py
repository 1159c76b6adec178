"""States, sentences and numbers in JavaScript beside those of Python."""

from __future__ import annotations

import math
import random

import pytest

import chainrule
from chainrule import Value
from chainrule.explain.notation import short
from chainrule.see.recording.events import Began
from chainrule.see.recording.names import names_of
from chainrule.see.states import Timeline
from chainrule.see.telling import Teller


def everything():
    """Each kind of event, and each state of a gradient."""
    with chainrule.recording(passes=9) as story:
        x, w = Value(2.0, label="x"), Value(-0.5, label="w")
        zero = Value(0.0, label="zero")
        for _ in range(2):
            y = (x * w + 3).tanh() + zero * x + (x > 1) * w + chainrule.sum([x, w, x, w, x, w, x, w])
            if y > 0:
                y.backward(0.5)
            w.data -= 0.125
        y.refresh()
        x.grad = 0
        w.grad = 1.5
        y.backward()
        (zero.sqrt() * 0.0).backward()
        w + y
    return story


STEPS = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a.relu(), lambda a, b: a**2, lambda a, b: -a]


def at_random(seed):
    rng = random.Random(seed)
    with chainrule.recording(passes=2) as story:
        leaves = [Value(rng.uniform(-2, 2), label=rng.choice(["", "a", "a", "n1"])) for _ in range(4)]
        for _ in range(3):
            values = list(leaves)
            for _ in range(rng.randint(2, 30)):
                a, b = rng.choice(values), rng.choice(values)
                values.append(rng.choice(STEPS)(a, b))
            values[-1].backward()
            leaves[0].grad = rng.choice([0.0, 1.0])
    return story


def of_another_engine():
    """A class that sets no gradient afresh when its backward() begins."""

    class Number:
        def __init__(self, data, _children=(), _op=""):
            self.data, self.grad, self._prev, self._op = data, 0.0, set(_children), _op

        def __mul__(self, other):
            return Number(self.data * other.data, (self, other), "*")

        def backward(self):
            self.grad = 1.0
            for node in self._prev:
                node.grad += 2.5 * self.grad

    with chainrule.recording(Value=Number) as story:
        y = Number(2.0) * Number(3.0)
        y.backward()
        y.backward()
    return story


STORIES = {
    "everything": everything,
    "of another engine": of_another_engine,
    **{f"random {seed}": lambda seed=seed: at_random(seed) for seed in range(12)},
}
SHOWN = """(() => {
    const timeline = new Timeline(readRecording(given));
    const text = (x) => (x === null ? null : Object.is(x, -0) ? "-0.0" : String(x));
    return Array.from({ length: timeline.length + 1 }, (_, i) => {
        const { data, gradients, aside } = timeline.at(i);
        return [data.map(text), gradients.map(({ state, number, why }) => [state, text(number), why]), aside.size];
    });
})()"""


def as_text(x):
    """A number as JavaScript's `String` writes it, as far as the two are compared."""
    return None if x is None else float(x)


def as_number(x):
    return None if x is None else float(x.replace("Infinity", "inf").replace("NaN", "nan"))


@pytest.mark.parametrize("name", STORIES)
def test_states_are_those_of_python(in_page, name):
    story = STORIES[name]()
    timeline = Timeline(story)
    found = in_page({"state.js": "Timeline", "recording.js": "readRecording"}, SHOWN, story.to_document())
    for i, (data, gradients, aside) in enumerate(found):
        state = timeline.at(i)
        assert [repr(as_number(x)) for x in data] == [repr(as_text(x)) for x in state.data]
        assert [(kind, repr(as_number(number)), why) for kind, number, why in gradients] == [
            (x.state, repr(float(x.number)), x.why) for x in state.gradients
        ]
        assert aside == len(state.aside)


@pytest.mark.parametrize("name", STORIES)
def test_sentences_and_names_are_those_of_python(in_page, name):
    story = STORIES[name]()
    teller = Teller(story)
    found = in_page(
        {"telling.js": "Teller", "recording.js": "readRecording"},
        "(() => { const story = readRecording(given); const teller = new Teller(story);"
        "return [teller.names, story.events.map((event) => teller.sentence(event))]; })()",
        story.to_document(),
    )
    assert found == [names_of(story), [teller.sentence(i) for i in range(len(story.events))]]


class Mine:
    """An engine whose deposits replace what was there."""

    def __init__(self, data, _children=(), _op="", label=""):
        self.data, self.grad, self.label = data, 0.0, label
        self._prev, self._op, self._backward = set(_children), _op, lambda: None

    def __add__(self, other):
        out = Mine(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad = out.grad
            other.grad = out.grad

        out._backward = _backward
        return out

    def backward(self):
        self.grad = 1.0
        self._backward()


def test_a_deposit_that_does_not_add_is_told_as_it_is(in_page):
    with chainrule.recording(Value=Mine) as story:
        a = Mine(3.0, label="a")
        b = a + a
        b.backward()
    teller = Teller(story)
    sentences = [teller.sentence(i) for i in range(len(story.events))]
    assert "a gets local 1 (by the rule for add) × upstream 1 = 1; before 1, after 1, and not 1 + 1 = 2" in sentences
    found = in_page(
        {"telling.js": "Teller", "recording.js": "readRecording"},
        "(() => { const story = readRecording(given); const teller = new Teller(story);"
        "return story.events.map((event) => teller.sentence(event)); })()",
        story.to_document(),
    )
    assert found == sentences


def test_another_engines_gradients_stay_when_its_backward_begins():
    story = of_another_engine()
    second = [i for i, event in enumerate(story.events) if isinstance(event, Began)][1]
    assert [x.number for x in Timeline(story).at(second + 1).gradients[:2]] == [2.5, 2.5]


def test_every_kind_of_event_is_told():
    assert {type(event).__name__ for event in everything().events} >= {
        "Made", "Refreshed", "Asked", "Wrote", "SetGrad", "Began", "Aside", "Deposit", "Nothing", "AddedBack", "Ended",
    }  # fmt: skip


def test_numbers_are_written_as_python_writes_them(in_page):
    rng = random.Random(0)
    numbers = [0.0, 1.0, -3.0, 0.1, 1 / 3, 1e-7, 1234567.0, 0.99999998, -1.4999999999999996, 1e300, 123456789012.0]
    numbers += [rng.choice([1, -1]) * rng.random() * 10 ** rng.randint(-12, 12) for _ in range(3000)]
    numbers += [round(x, rng.randint(0, 8)) for x in numbers]
    found = in_page({"numbers.js": "short"}, "given.map(short)", numbers)
    assert found == [short(x) for x in numbers]
    assert in_page({"numbers.js": "short"}, "[NaN, Infinity, -Infinity].map(short)") == [
        short(x) for x in (math.nan, math.inf, -math.inf)
    ]
