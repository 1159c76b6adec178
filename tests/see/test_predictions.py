"""Questions about the next event: in Python as in the page; a wrong answer is told what it equals."""

from __future__ import annotations

import random

import pytest

import chainrule
from chainrule import Value
from chainrule.see.predictions import question_about
from chainrule.see.recording.events import Began
from chainrule.see.recording.names import names_of

STEPS = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a * 3 - b,
    lambda a, b: a.tanh(),
    lambda a, b: a * a,
    lambda a, b: chainrule.sum([a, b, a]),
]


def at_random(seed):
    rng = random.Random(seed)
    values = [Value(rng.choice([2.0, -3.0, 0.5, 1.0]), label=f"x{i}") for i in range(3)]
    for _ in range(rng.randint(2, 15)):
        values.append(rng.choice(STEPS)(rng.choice(values), rng.choice(values)))
    return chainrule.record(values[-1] + values[-2])


def questions(story):
    names, asked = names_of(story), []
    began = next(i for i, event in enumerate(story.events) if isinstance(event, Began))
    for i, event in enumerate(story.events):
        if i > began:
            asked.append(question_about(story, event, names, story.events[began + 1 : i]))
    return asked


@pytest.mark.parametrize("seed", range(25))
def test_the_page_asks_the_same(in_page, seed):
    story = at_random(seed)
    found = in_page(
        {"predictions.js": "questionAbout, Past", "recording.js": "readRecording", "telling.js": "namesOf"},
        """(() => {
            const story = readRecording(given);
            const names = namesOf(story);
            const began = story.events.findIndex(({ kind }) => kind === "began");
            const past = new Past(story, story.events[began].node);
            return story.events.slice(began + 1).map((event) => {
                const question = questionAbout(story, event, names, past);
                past.add(event);
                return question;
            });
        })()""",
        story.to_document(),
    )
    expected = [
        q and {"asks": q.asks, "choices": [{"text": c.text, "isRight": c.is_right, "says": c.says} for c in q.choices]}
        for q in questions(story)
    ]
    assert found == expected


@pytest.mark.parametrize("seed", range(25))
def test_one_answer_is_right_and_no_two_are_the_same(seed):
    asked = [q for q in questions(at_random(seed)) if q is not None]
    for question in asked:
        assert sum(choice.is_right for choice in question.choices) == 1
        assert len({choice.text for choice in question.choices}) == len(question.choices) > 1


def said(story):
    """What the wrong answers of all questions show."""
    return [choice.says for q in questions(story) if q for choice in q.choices if not choice.is_right]


def test_wrong_answers_are_told_what_they_equal():
    a, b = Value(3.0, label="a"), Value(5.0, label="b")
    words = said(chainrule.record(a * b * 7.0 + a * 2.5))
    for reading in ("local derivative alone", "upstream gradient alone", "sign", "other operand", "last deposit alone"):
        assert any(reading in each for each in words)


def test_nothing_is_asked_where_a_wrong_reading_gives_the_right_number():
    story = chainrule.record(Value(3.0) + Value(4.0))  # local 1 × upstream 1
    assert [q for q in questions(story) if q] == []
    for question in [q for seed in range(40) for q in questions(at_random(seed)) if q]:
        right = next(choice.text for choice in question.choices if choice.is_right)
        assert all(choice.text != right for choice in question.choices if not choice.is_right)


def test_two_readings_with_one_number_are_both_named():
    a = Value(3.0, label="a")
    assert any("; or " in words for words in said(chainrule.record(a * 2.0 * 2.0)))  # local 2, upstream 2


def test_the_order_is_asked_for_where_a_number_still_waits():
    a = Value(2.0, label="a")
    b = a * 3.0
    b.label = "b"
    asked = [q for q in questions(chainrule.record(b + b.tanh() * b.sin())) if q and "next" in q.asks]
    assert any(choice.text == "b" and not choice.is_right for q in asked for choice in q.choices)
