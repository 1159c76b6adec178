"""Examples are programs, not modules of a package: they are loaded by their path."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch, tmp_path, own_operations, loaded):
    """A function that loads an example by the beginning of its name; what it writes goes into an empty folder."""
    monkeypatch.chdir(tmp_path)

    def load(beginning):
        (path,) = EXAMPLES.glob(f"{beginning}*.py")
        return loaded(path)

    return load
