"""The steps of a training loop: parameters and loss of each, also of those whose graphs are dropped."""

from __future__ import annotations

import json

import pytest

import chainrule
from chainrule import Value, data, nn
from chainrule.see.recording import replay, training
from chainrule.see.recording.files import of_document
from chainrule.training import fit


def trained(steps, **limits):
    """A training by hand, with its losses and the numbers of its parameters before each step."""
    w, b = Value(0.5, label="w"), Value(0.0, label="b")
    seen = []
    with chainrule.recording(**limits) as story:
        for _ in range(steps):
            loss = (w * 2.0 + b - 1.5) ** 2
            w.grad = b.grad = 0.0
            seen.append((loss.peek_data(), (w.peek_data(), b.peek_data())))
            loss.backward()
            for p in (w, b):
                p.data -= 0.05 * p.grad
    return story, seen


def test_each_step_has_its_loss_and_its_parameters():
    story, seen = trained(20)
    assert [story.nodes[i].label for i in story.training.parameters] == ["w", "b"]
    assert list(zip(story.training.losses, story.training.numbers, strict=True)) == seen
    assert story.training.steps == tuple(range(1, 21))
    assert replay(story) == []


def test_without_a_write_there_is_no_training():
    with chainrule.recording() as story:
        (Value(2.0) * 3).backward()
    assert story.training == training.Training()


def test_a_long_training_is_thinned_out(monkeypatch):
    monkeypatch.setattr(training, "MOST_NUMBERS", 100)
    story, seen = trained(400)
    steps = story.training.steps
    gap = steps[1] - steps[0]
    assert gap > 1
    assert list(steps) == list(range(gap, 401, gap))
    assert [(story.training.losses[i], story.training.numbers[i]) for i in range(len(steps))] == [
        seen[step - 1] for step in steps
    ]


def test_it_is_kept_in_files_and_damage_is_refused():
    story, _ = trained(3)
    document = json.loads(json.dumps(story.to_document()))
    assert of_document(document).training == story.training
    document["training"][2].pop()
    with pytest.raises(ValueError, match="a loss for each step"):
        of_document(document)


def test_fit_is_seen_where_it_trains_by_the_eager_engine():
    X, y = data.xor()
    model = nn.MLP(2, [3, 1], seed=0)
    with chainrule.recording() as story:
        fit(model, X, y, loss="mean_squared_error", epochs=4, progress=False, compile=False)
    assert len(story.training.parameters) == len(model.parameters())
    assert len(story.training.steps) >= 4
    assert story.dropped.compiled_steps == 0
