"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chainrule.operation import TABLE, forget


@pytest.fixture
def own_operations() -> Iterator[None]:
    """Lets a test define operations: afterwards the table is what it was."""
    before = set(TABLE)
    yield
    for name in set(TABLE) - before:
        forget(name)
