"""Examples are programs, not modules of a package: they are loaded by their path."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from chainrule.core.operation import TABLE, forget

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch, tmp_path):
    """A function that loads an example by the beginning of its name; what it writes goes into an empty folder."""
    monkeypatch.chdir(tmp_path)
    before = set(TABLE)

    def load(beginning):
        (path,) = EXAMPLES.glob(f"{beginning}*.py")
        spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in set(TABLE) - before:
        forget(name)
