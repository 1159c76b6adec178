"""What a wheel must hold."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "contents.py"
SUFFIX = EXTENSION_SUFFIXES[0]
MODULES = {"__init__.py", "engine.py", "nn/linear.py"}
COMPILED = {"engine", "nn.linear"}


@pytest.fixture
def contents(loaded):
    return loaded(TOOL)


def wheel(contents, *compiled):
    files = [f"chainrule/{name}" for name in [*MODULES, "py.typed"]]
    return [
        *files,
        *[f"chainrule/{name}{SUFFIX}" for name in compiled],
        *[f"c.dist-info/{x}" for x in contents.METADATA],
    ]


def test_a_compiled_wheel_has_all_compiled_modules_and_no_others(contents):
    assert contents.of_wheel(wheel(contents, "engine", "nn/linear"), MODULES, COMPILED) == []
    [wrong] = contents.of_wheel(wheel(contents, "engine"), MODULES, COMPILED)
    assert wrong == "nn.linear is missing in the compiled wheel's modules"
    [wrong] = contents.of_wheel(wheel(contents, "engine", "nn/linear", "ops"), MODULES, COMPILED)
    assert wrong == "ops is no part of the compiled wheel's modules"


def test_a_pure_wheel_has_none(contents):
    assert contents.of_wheel(wheel(contents), MODULES, set()) == []
    assert contents.of_wheel(wheel(contents, "engine"), MODULES, set()) == ["engine is no part of the pure wheel"]


def test_a_module_that_lacks_and_one_too_many_are_named(contents):
    files = [*wheel(contents), "chainrule/old.py"]
    files.remove("chainrule/nn/linear.py")
    wrong = contents.of_wheel(files, MODULES, set())
    assert wrong == ["chainrule/old.py is no part of the wheel", "chainrule/nn/linear.py is missing in the wheel"]


def test_without_git_it_is_said_what_is_needed(contents, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="install git"):
        contents.tracked("src/chainrule", {".py"})


def test_what_git_says_against_it_is_told(contents, monkeypatch, tmp_path):
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\necho 'detected dubious ownership' >&2; exit 128\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="detected dubious ownership"):
        contents.tracked("src/chainrule", {".py"})
