"""The same training twice: by the eager loop, and by native steps."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

pytest.importorskip("llvmlite")

from .both_ways import by_eager, parameters, train_twice


@pytest.fixture(scope="session")
def training():
    """What tests of steps need: `twice`, `eager`, and `parameters`."""
    return SimpleNamespace(twice=train_twice, eager=by_eager, parameters=parameters)


@pytest.fixture
def rows():
    """Draws lists of numbers."""
    draw = random.Random(1)
    return lambda n: [draw.uniform(-1, 1) for _ in range(n)]
