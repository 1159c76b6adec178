"""Every example runs as a program, from anywhere, without a warning; the page about them names each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("*.py"))
SLOW = ("asian_option.py", "gpt_compiled.py", "gpt.py", "exercise_5_xor.py")
QUICK = {"gpt.py": ["--steps", "2"], "gpt_compiled.py": ["--steps", "2"], "exercise_5_xor.py": ["--seeds", "1"]}
"""What makes the longer ones short."""
COMPILER = ["numpy", "llvmlite"]
NEEDED = {"exercise_5_xor.py": ["matplotlib"], "asian_option.py": COMPILER, "gpt_compiled.py": COMPILER}
"""What some need besides chainrule."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in PROGRAMS]
)
def test_an_example_runs_by_itself(name, tmp_path):
    for library in NEEDED.get(name, []):
        pytest.importorskip(library)
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *QUICK.get(name, [])]
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"}
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) >= 5


def test_the_page_names_each_example_once_and_says_how_long_it_takes():
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(.+?)\]\((.+?)\) \| .+ \| (.+?) \|$", page, re.MULTILINE)
    assert sorted(name for name, _, _ in rows) == PROGRAMS
    assert all(name == target for name, target, _ in rows)
    assert all(re.fullmatch(r"(< )?\d+(–\d+)? (s|min)", time) for _, _, time in rows)


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_example_begins_with_prose_and_can_be_imported_without_running(name):
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    prose = re.match(r'"""(.+?)"""\n', text, re.DOTALL)
    assert prose
    assert len(prose[1].split()) > 40
    assert 'if __name__ == "__main__":' in text
