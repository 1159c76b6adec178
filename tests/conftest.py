"""What every test may ask for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chainrule import engine
from chainrule.builds import COMPILED
from chainrule.errors import StaleGradientWarning
from chainrule.operation import TABLE, forget


def pytest_configure() -> None:
    """A build that is older than the sources beside it would be tested in their place."""
    if engine.is_compiled():
        built = Path(engine.__file__)
        older = [
            file.name
            for file in [*built.parent.rglob("*.py"), *built.parent.rglob("*.pxd")]
            if file.with_suffix("").relative_to(built.parent).as_posix().replace("/", ".") in COMPILED
            and file.stat().st_mtime > max(made.stat().st_mtime for made in file.parent.glob(f"{file.stem}.*.so"))
        ]
        if older and (built.parents[2] / "setup.py").exists():
            pytest.exit(f"{', '.join(older)} changed since the engine was compiled: pip install -e . again", 2)


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
