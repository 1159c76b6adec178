"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chainrule.operation import METHODS, TABLE


@pytest.fixture
def own_operations() -> Iterator[None]:
    """Lets a test define operations: afterwards the table is what it was."""
    table, methods = dict(TABLE), dict(METHODS)
    yield
    for record, before in ((TABLE, table), (METHODS, methods)):
        record.clear()
        record.update(before)
