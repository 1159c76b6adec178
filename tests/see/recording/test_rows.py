"""Events as rows: few of them, and the same events again, in Python and in the page."""

from __future__ import annotations

import json
import random

import pytest

import chainrule
from chainrule import Value
from chainrule.losses import max_margin
from chainrule.nn import MLP
from chainrule.saving.schema import SchemaError
from chainrule.see.recording import rows
from chainrule.see.recording.files import of_document

pytestmark = pytest.mark.filterwarnings("ignore::chainrule.errors.StaleGradientWarning")  # programs at random

READ = {"recording.js": "readRecording"}
EVENTS = """readRecording(given).events.map(({ kind, node, giver, position, why, ...numbers }) => {
    const { upstream, local, product, before, after } = numbers;
    const texts = [upstream, local, product, before, after].map((x) => String(x ?? ""));
    return [kind, node, giver ?? null, position ?? null, ...texts, why ?? ""];
})"""


def training():
    model = MLP(2, [4, 1], activation="tanh", seed=0)
    with chainrule.recording() as story:
        for step in range(3):
            loss = max_margin(model([[0.5, -1.0], [2.0, 0.25]]), [1, -1])
            loss.backward()
            if step != 1:
                model.zero_grad()
            for p in model.parameters():
                p.data -= 0.1 * p.grad
    return story


def irregular(seed):
    """A program at random, with zeros, infinities, repeated operands, refreshes and earlier gradients."""
    rng = random.Random(seed)
    with chainrule.recording() as story:
        values = [Value(rng.choice([0.0, -0.0, 1.5, -2.0, float("inf"), float("nan"), 1e300])) for _ in range(4)]
        for _ in range(3):
            for _ in range(6):
                a, b = rng.choice(values), rng.choice(values)
                values.append(rng.choice([a + b, a * b, a - b, a.tanh(), a.relu(), a * a, chainrule.sum([a, b, a])]))
            values[-1].backward()
            if rng.random() < 0.5:
                values[0].grad = rng.choice([0.0, -0.0, 3.0])
            if rng.random() < 0.5:
                values[1].data = rng.gauss(0, 1)
                values[-1].refresh()
    return story


STORIES = {"training": training, **{f"at random {i}": lambda i=i: irregular(i) for i in range(30)}}


@pytest.mark.parametrize("name", STORIES)
def test_rows_give_the_events_again(name):
    story = STORIES[name]()
    document = json.loads(json.dumps(story.to_document()))
    again = of_document(document)
    assert repr(again.events) == repr(story.events)
    assert again.to_document() == story.to_document()


@pytest.mark.parametrize("name", [name for name in STORIES if name[-1] in "g05"])
def test_the_page_has_the_same_events(in_page, name):
    story = STORIES[name]()
    written_out = story.to_document()
    written_out["events"] = [
        [rows.NAMES[type(event)], *_written(event, written_out["places"])] for event in story.events
    ]
    assert len(written_out["events"]) > len(story.to_document()["events"])
    assert in_page(READ, EVENTS, story.to_document()) == in_page(READ, EVENTS, written_out)


def _written(event, places):
    def plain(x):
        if isinstance(x, float):
            return x if abs(x) < float("inf") else str(x)
        if isinstance(x, tuple):
            return places.index(list(x)) if hasattr(x, "end_line") else [plain(each) for each in x]
        return x

    return [plain(x) for x in event]


def test_a_backward_pass_is_a_row_for_each_giver():
    model, rng = MLP(2, [16, 16, 1], activation="tanh", seed=0), random.Random(0)
    with chainrule.recording() as story:
        max_margin(model([[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(20)]), [1, -1] * 10).backward()
    document = story.to_document()
    assert len(story.events) > 12_000
    assert len(document["events"]) < 2_000
    assert len(json.dumps(document)) < 120 * len(story.events)


def test_a_deposit_that_the_rules_do_not_give_is_written_out():
    story = training()
    at = next(i for i, event in enumerate(story.events) if type(event) is rows.Deposit)
    story.events[at] = story.events[at]._replace(before=0.125)
    document = story.to_document()
    assert any(row[0] == "deposit" and row[7] == 0.125 for row in document["events"])
    assert repr(of_document(document).events) == repr(story.events)


def test_rows_that_stand_for_too_many_events_are_refused(monkeypatch):
    document = training().to_document()
    monkeypatch.setattr(rows, "MOST_EVENTS", 1000)
    document["events"] += [["run", 0, len(document["nodes"]) - 1]] * 100
    with pytest.raises(SchemaError, match="more than 1,000 events"):
        of_document(document)
