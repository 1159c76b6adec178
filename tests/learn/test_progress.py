"""Progress lies in the learner's folder: nothing is lost, and nothing goes on by itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from chainrule.errors import SavedFileError
from chainrule.learn.exercise import course
from chainrule.learn.progress import FILE, Progress

FIRST, SECOND = course()[:2]


def test_what_is_saved_is_read_again(tmp_path):
    progress = Progress.load(tmp_path)
    assert progress.begin(FIRST)
    progress.note_solved(FIRST)
    progress.hints["x"] = 2
    progress.save()
    assert Progress.load(tmp_path) == progress


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    progress = Progress.load(tmp_path)
    progress.begin(FIRST)
    progress.file_of(FIRST).write_text("mine")
    assert not progress.begin(SECOND)
    assert progress.file_of(SECOND).read_text() == "mine"


def test_a_reset_keeps_what_was_there(tmp_path):
    progress = Progress.load(tmp_path)
    progress.begin(FIRST)
    for i in range(3):
        progress.file_of(FIRST).write_text(f"mine {i}")
        kept = progress.reset(FIRST)
        assert kept.read_text() == f"mine {i}"
        assert progress.file_of(FIRST).read_text() == FIRST.starter
    assert sorted(each.name for each in (tmp_path / "my").iterdir()) == [
        "nudging.py",
        *[f"nudging.py.{i}" for i in (1, 2, 3)],
    ]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": "else"}', '{"format": "chainrule progress", "version": 2}', None, "null"],
)
def test_a_damaged_file_is_refused_and_left(tmp_path, text):
    progress = Progress.load(tmp_path)
    progress.begin(FIRST)
    whole = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**whole, "solved": 3}) if text is None else text)
    before = (tmp_path / FILE).read_text()
    with pytest.raises(SavedFileError, match="is damaged"):
        Progress.load(tmp_path)
    assert (tmp_path / FILE).read_text() == before


WRITER = """
from pathlib import Path
from chainrule.learn.exercise import course
from chainrule.learn.progress import Progress
first = course()[0]
progress = Progress.load(Path("."))
progress.begin(first)
progress.note_solved(first)
print("begun", flush=True)
for i in range(10 ** 9):
    progress.hints[first.name] = i
    progress.save()
"""


@pytest.mark.slow
def test_kill_9_loses_nothing(tmp_path):
    for i in range(10):
        child = subprocess.Popen([sys.executable, "-c", WRITER], cwd=tmp_path, stdout=subprocess.PIPE)
        child.stdout.readline()
        time.sleep(0.01 * i)
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        progress = Progress.load(tmp_path)
        assert (progress.at, progress.solved) == (FIRST.name, [FIRST.name])
