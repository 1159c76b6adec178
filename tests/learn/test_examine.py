"""A check survives whatever the learner's code does, and says what it did."""

from __future__ import annotations

import os
import time

import pytest

from chainrule.learn.examine import examine
from chainrule.learn.exercise import course, find

NUDGING = find("01", course())

HOSTILE = {
    "an endless loop": ("def derivative(f, x, h):\n    while True: pass\n", "no end after", 0),
    "an endless loop at the top": ("while True: pass\n", "no end after", 0),
    "exit": ("import sys\ndef derivative(f, x, h):\n    sys.exit(0)\n", "the program ends itself, exit(0)", 3),
    "exit at once": ("import os\nos._exit(0)\n", "the program ended itself", 0),
    "recursion": ("def derivative(f, x, h):\n    return derivative(f, x, h)\n", "calls go too deep", 2),
    "no syntax": ("def derivative(f, x, h)\n    return 1\n", "Python cannot read the file", 1),
    "indentation": ("def derivative(f, x, h):\nreturn 1\n", "Python cannot read the file", 2),
    "an exception": ("def derivative(f, x, h):\n    y = f(x)\n    return y.grad\n", "AttributeError", 3),
    "another name": ("def derivate(f, x, h):\n    return 1\n", "no attribute 'derivative'", 0),
    "nothing": ("", "no attribute 'derivative'", 0),
    "a plain number": ("derivative = 3\n", "not callable", 0),
    "a lie on standard output": (
        'print(\'["downhill", {"value": -2.0}]\')\ndef derivative(f, x, h): return 1\n',
        "1",
        0,
    ),
    "a huge number": ("def derivative(f, x, h):\n    return 10 ** 400\n", "OverflowError", 0),
    "an object": ("def derivative(f, x, h):\n    return object()\n", "an object of the class object", 0),
    "deep nesting": (
        "def derivative(f, x, h):\n    a = []\n    for _ in range(10 ** 5): a = [a]\n    return a\n",
        "nested",
        0,
    ),
    "a list in itself": ("def derivative(f, x, h):\n    a = []\n    a.append(a)\n    return a\n", "nested", 0),
    "a class that raises": (
        "class E(Exception):\n    def __str__(self): raise ValueError\ndef derivative(f, x, h): raise E()\n",
        "E",
        0,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_the_code_does_is_said(name):
    text, words, line = HOSTILE[name]
    result = examine(NUDGING, text)
    assert not result.right
    assert words in result.found
    assert result.line == line or not line


def test_a_mistake_is_named():
    result = examine(NUDGING, "def derivative(f, x, h):\n    return f(x + h) - f(x)\n")
    assert "divide by h" in result.diagnosis
    assert result.probe is not None
    assert (result.expected, result.found) == ("-2.0", "-1.0")


def test_of_two_mistakes_the_first_is_named_and_that_there_are_more():
    text = "def derivative(f, x, h):\n    return f(x) - f(x + h) if h == 0.5 else None\n"
    result = examine(NUDGING, text)
    assert not result.right
    text = "def derivative(f, x, h):\n    return f(x + h) - f(x) if h == 0.5 else None\n"
    assert "There may be more" in examine(NUDGING, text).diagnosis


def test_another_mistake_is_told_by_its_first_difference():
    result = examine(NUDGING, "def derivative(f, x, h):\n    return 42.0\n")
    assert (result.diagnosis, result.expected, result.found) == ("", "-2.0", "42.0")


def test_what_is_right_for_another_reason_is_right():
    text = "def derivative(f, x, h):\n    return (f(x + h) - f(x)) * (1 / h) + 1e-15\n"
    assert examine(NUDGING, text).right


def test_files_of_the_learner_are_where_they_were(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examine(NUDGING, "open('written', 'w').write('x')\ndef derivative(f, x, h): return 1\n")
    assert list(tmp_path.iterdir()) == []


def test_a_check_leaves_no_process_behind(tmp_path):
    pid = tmp_path / "pid"
    text = f"import os\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\nwhile True: pass\n"
    examine(NUDGING, text)
    time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
