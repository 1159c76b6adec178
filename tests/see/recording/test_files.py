"""Recordings in files: what is written is read again, and what is no recording is refused."""

from __future__ import annotations

import copy
import json
import random

import pytest

import chainrule
from chainrule import Value
from chainrule.errors import SavedFileError
from chainrule.saving.schema import SchemaError
from chainrule.see.recording import load_recording, replay
from chainrule.see.recording.files import of_document


@pytest.fixture(scope="module")
def story():
    with chainrule.recording(title="a neuron") as story:
        x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(-0.0, label="b")
        for _ in range(2):
            y = (x * w + b).tanh() / (Value(0.0) * x)
            if y > 0:
                w.data = 1.0
            y.backward()
        y.refresh()
        w.grad = float("inf")
    return story


def test_what_is_written_is_read_again(story, tmp_path):
    story.save(tmp_path / "story.json")
    again = load_recording(tmp_path / "story.json")
    assert repr(again.to_document()) == repr(story.to_document())
    assert repr(again.nodes) == repr(story.nodes)
    assert repr(again.events) == repr(story.events)
    assert (again.title, again.dropped, again.engine) == (story.title, story.dropped, story.engine)
    assert replay(again) == replay(story) == []


def test_the_document_names_its_columns(story):
    columns = story.to_document()["columns"]
    assert columns["deposit"] == [
        "giver", "position", "into", "upstream", "local", "product", "before", "after", "rule",
    ]  # fmt: skip
    assert columns["nodes"][:3] == ["op", "operands", "data"]


DAMAGES = {
    "another format": lambda d: d.update(format="something else"),
    "a later version": lambda d: d.update(version=3),
    "an earlier version": lambda d: d.update(version=1),
    "a part that lacks": lambda d: d.pop("events"),
    "a part too many": lambda d: d.update(script="<script>"),
    "an operand that comes later": lambda d: d["nodes"][3].__setitem__(1, [4, 1]),
    "an operand of its own": lambda d: d["nodes"][3].__setitem__(1, [3, 1]),
    "an operand that is not there": lambda d: d["nodes"][3].__setitem__(1, [99, 1]),
    "an operation that is not there": lambda d: d["nodes"][3].__setitem__(0, 99),
    "a leaf with operands": lambda d: d["nodes"][3].__setitem__(0, -1),
    "a local derivative too few": lambda d: d["nodes"][3].__setitem__(3, [1.0]),
    "a number that is text": lambda d: d["nodes"][0].__setitem__(2, "<b>"),
    "a label that is no text": lambda d: d["nodes"][0].__setitem__(4, ["x"]),
    "a place in no source": lambda d: d["places"][0].__setitem__(0, 7),
    "a place that is not there": lambda d: d["nodes"][0].__setitem__(6, 99),
    "a run to no node": lambda d: d["events"].append(["run", 0, 1000]),
    "a giver that is not there": lambda d: d["events"].append(["gave", 1000]),
    "an event of no kind": lambda d: d["events"].append(["exploded", 1]),
    "an event with a field too many": lambda d: d["events"].append(["made", 1, 1]),
    "an event of no node": lambda d: d["events"].append(["made", -1]),
    "a deposit into no operand": lambda d: d["events"].append(["deposit", 3, 0, 2, 1, 1, 1, 0, 1, 0]),
    "a deposit at no position": lambda d: d["events"].append(["deposit", 3, 5, 0, 1, 1, 1, 0, 1, 0]),
    "an unknown reason": lambda d: d["events"].append(["nothing", 3, 0, 0, 1, 1, "because"]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_recording_is_refused_in_one_line(story, tmp_path, damage):
    document = copy.deepcopy(json.loads(json.dumps(story.to_document())))
    DAMAGES[damage](document)
    file = tmp_path / "story.json"
    file.write_text(json.dumps(document))
    with pytest.raises(SavedFileError, match="is no recording") as caught:
        load_recording(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"format": "chainrule recording"}', "[" * 100_000, "nan"])
def test_a_foreign_text_is_refused(tmp_path, text):
    file = tmp_path / "story.json"
    file.write_text(text)
    with pytest.raises(SavedFileError, match="is no recording"):
        load_recording(file)


def test_bytes_that_are_no_text_and_files_that_are_not_there(tmp_path):
    file = tmp_path / "story.json"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SavedFileError, match="UTF-8"):
        load_recording(file)
    with pytest.raises(SavedFileError, match="does not exist"):
        load_recording(tmp_path / "other.json")


def test_damage_at_random_is_refused_or_read_but_never_an_error_of_another_kind(story):
    rng = random.Random(0)
    text = json.dumps(story.to_document())
    outcomes = set()
    for _ in range(600):
        document = json.loads(text)
        at = [document]
        while isinstance(at[-1], dict | list) and at[-1] and (len(at) < 2 or rng.random() < 0.8):
            key = rng.choice(list(at[-1]) if isinstance(at[-1], dict) else range(len(at[-1])))
            whole = at[-1]
            at.append(whole[key])
        whole[key] = rng.choice([None, -1, 1e400, "x", [], {}, 10**30, True, 0.5, [[]], whole[key]])
        try:
            replay(of_document(document))
            outcomes.add("read")
        except SchemaError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
