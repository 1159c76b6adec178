"""What every test may ask for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import pytest

from chainrule.errors import StaleGradientWarning
from chainrule.operation import TABLE, forget


@pytest.fixture
def own_operations() -> Iterator[None]:
    """Lets a test define operations: afterwards the table is what it was."""
    before = set(TABLE)
    yield
    for name in set(TABLE) - before:
        forget(name)


@pytest.fixture
def warned_lines() -> Callable[[Callable[[], None]], list[int]]:
    """Runs a training loop, and gives the lines that were warned about, in order: all must be in the loop's file."""

    def run(loop: Callable[[], None]) -> list[int]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loop()
        assert [warning.category for warning in caught] == [StaleGradientWarning] * len(caught)
        assert {warning.filename for warning in caught} <= {loop.__code__.co_filename}
        return [warning.lineno for warning in caught]

    return run
