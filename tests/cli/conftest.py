"""Running the command inside the test process, in a folder of its own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from chainrule.cli import main

IRIS = Path(__file__).parents[2] / "examples" / "data" / "iris.csv"


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, and the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return tmp_path


@pytest.fixture
def run(folder, capsys):
    """A function that runs a command: `run("train", "xor")`."""

    def call(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Ended(code, *capsys.readouterr())

    return call


@pytest.fixture
def no_pictures(monkeypatch):
    """As if matplotlib were not installed, which makes training faster."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)


@pytest.fixture
def iris(folder):
    """Fisher's iris as iris.csv."""
    return Path(shutil.copy(IRIS, folder / "iris.csv"))


@pytest.fixture
def fruit(folder):
    """Twelve rows in two classes, with a missing cell and a column of text, as fruit.csv."""
    rows = [f"{150 + 7 * i},{'green' if i % 3 else 'red'},apple" for i in range(6)]
    rows += [f"{'' if i == 2 else 6 + i},{'black' if i % 2 else 'red'},cherry" for i in range(6)]
    file = folder / "fruit.csv"
    file.write_text("\n".join(["weight,colour,fruit", *rows]) + "\n")
    return file
