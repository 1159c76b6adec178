"""The page reads a recording's document, or says in plain words why not."""

from __future__ import annotations

import copy
import math

import pytest

import chainrule
from chainrule import Value


def document():
    with chainrule.recording(title="t") as story:
        x = Value(2.0, label="x")
        (x * math.inf + x).backward()
    return story.to_document()


def test_rows_become_objects_and_numbers_are_decoded(in_page):
    numbers, deposits = in_page(
        {"recording.js": "readRecording"},
        "(({ nodes, events }) => [nodes.map((x) => String(x.data)), events.filter((x) => x.kind === 'deposit')"
        ".map((x) => [x.node, x.giver, String(x.after)])])(readRecording(given))",
        document(),
    )
    assert numbers == ["2", "Infinity", "Infinity", "Infinity"]
    assert deposits == [[2, 3, "1"], [0, 3, "1"], [0, 2, "Infinity"]]


def changed(path, value):
    made = copy.deepcopy(document())
    part = made
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return made


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["version"], 1, "no recording of version 2"),
        (["format"], "else", "no recording of version 2"),
        (["nodes"], None, "it has no list of nodes"),
        (["nodes", 2], [0, [0]], "its node 2 is not whole"),
        (["nodes", 2, 0], 99, "its node 2 is not whole"),
        (["nodes", 2, 1], [0, 7], "its node 2 is not made of nodes before it"),
        (["events", 0], ["exploded", 1], "its event 0 is not whole"),
        (["events", 0, 1], 1000, "its event 0 is about no node of it"),
    ],
)
def test_what_is_damaged_is_refused(in_page, path, value, words):
    said = in_page(
        {"recording.js": "readRecording"},
        "(() => { try { readRecording(given); return ''; } catch (error) { return error.message; } })()",
        changed(path, value),
    )
    assert words in said
