"""The benchmark of a script that the reader has: a step with its own Value, with chainrule's, and on plain floats."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LITTLE = Path(__file__).with_name("little_gpt.py")
sys.path.append(str(ROOT / "benchmarks"))

from contest.kits import Floats, Kit, MissingError  # noqa: E402 - from the folder of the benchmarks
from contest.script import CHECKED, OwnValue, Script  # noqa: E402

from chainrule import Value  # noqa: E402


class Ours(Kit):
    """chainrule's Value, in whichever build runs the tests."""

    def __init__(self):
        super().__init__(Value)


@pytest.fixture
def first_losses(monkeypatch):
    """The losses of the first steps of a script with one kit."""
    monkeypatch.setattr("contest.script.Chainrule", Ours)
    return lambda kit, file=LITTLE: Script(kit, {"file": str(file), "seconds": 0.0}).losses


def test_the_losses_are_those_of_the_script_itself(first_losses, capsys):
    own, ours, plain = [first_losses(kit) for kit in (OwnValue(), Ours(), Floats())]
    assert capsys.readouterr().out == ""
    assert len(own) == CHECKED
    assert own[0] > own[-1]
    assert ours == pytest.approx(own, rel=1e-9)
    assert plain == pytest.approx(own[:1], rel=1e-12)
    with pytest.raises(SystemExit, match="is not run"):
        exec(compile(LITTLE.read_text(encoding="utf-8"), LITTLE.name, "exec"), {"__name__": "script"})
    said = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert said[:CHECKED] == own


def test_steps_go_on_and_the_loop_begins_again_at_its_end():
    script = Script(OwnValue(), {"file": str(LITTLE), "seconds": 0.0})
    answers = [script.run(k) for k in range(5)]
    assert script.names["step"] == (CHECKED + 5 - 1) % 12
    assert all(answer["seconds"]["step"] > 0 for answer in answers)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("for step in range(3):\n    loss.backward()\n", "defines no class Value"),
        ("class Value: pass\nwhile True:\n    loss.backward()\n", "has no loop at its top level, for step in"),
        ("class Value: pass\nfor step in range(3):\n    step + 1\n", r"calls loss\.backward\(\)"),
    ],
)
def test_a_script_without_what_is_needed_is_refused_by_name(tmp_path, first_losses, text, why):
    file = tmp_path / "mine.py"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MissingError, match=f"mine.py .*{why}"):
        first_losses(OwnValue(), file)


def test_the_report_has_a_row_for_each_and_the_help_says_what_the_file_must_have(tmp_path):
    def run(*arguments):
        command = [sys.executable, str(ROOT / "benchmarks" / "eager.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    figures = tmp_path / "figures.json"
    said = run("--microgpt", str(LITTLE), "--quick", "--rounds", "1", "--json", str(figures))
    assert "WRONG" not in said
    assert {"floats", "pure", "own-value"} <= json.loads(figures.read_text())["workloads"]["microgpt"].keys()
    assert "the script's own" in said
    assert "multiply-add" not in said
    assert "must define a class Value" in " ".join(run("--help").split())
