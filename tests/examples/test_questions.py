"""The page of questions: every answer has a demonstration, and all of them print what stands there."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "questions.md"


def test_every_demonstration_prints_what_the_page_says():
    """In a process of its own, for the page shows a warning that chainrule gives only once."""
    pytest.importorskip("numpy")
    command = [sys.executable, "-X", "utf8", "-W", "error", "-m", "doctest", "-o", "ELLIPSIS", str(PAGE)]
    result = subprocess.run(
        command, env=dict(os.environ), capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_every_question_has_a_demonstration_that_shows_a_result():
    _, *answers = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [answer.partition(".")[0] for answer in answers] == [str(n) for n in range(1, 9)]
    for answer in answers:
        examples = doctest.DocTestParser().get_examples(answer)
        assert sum(bool(example.want) for example in examples) >= 2, answer.splitlines()[0]


def test_all_code_of_the_page_is_run():
    """A block of Python without a prompt would be shown, but not run."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    assert all(block.startswith(">>> ") for block in blocks)
