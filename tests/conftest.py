"""What every test may ask for."""

from __future__ import annotations

import importlib.util
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chainrule import engine, ops
from chainrule.core.builds import COMPILED
from chainrule.core.operation import TABLE, forget
from chainrule.errors import StaleGradientWarning

STORAGE = ("storage/memory.pxd", "storage/slabs.h", "storage/native.pxd")


def pytest_configure() -> None:
    """A build that is older than the sources beside it would be tested in their place."""
    package = Path(engine.__file__).parent
    if not engine.is_compiled() or not (package.parent.parent / "setup.py").exists():
        return
    sources = {"engine": [package / name for name in ("engine.pxd", *STORAGE)]}
    old = [] if _native_code() == (package / "storage" / "native.pxd").read_text(encoding="utf-8") else ["ops/"]
    for module in COMPILED:
        file = package.joinpath(*module.split("."))
        made_of = file.with_suffix(".pyx") if file.with_suffix(".pyx").exists() else file.with_suffix(".py")
        (built,) = file.parent.glob(f"{file.name}.*.so")
        since = built.stat().st_mtime
        old += [source.name for source in [made_of, *sources.get(module, [])] if source.stat().st_mtime > since]
    if old:
        pytest.exit(f"{', '.join(old)} changed since the engine was compiled: pip install -e . again", 2)


def _native_code() -> str:
    """What the table of operations is in C now."""
    file = Path(engine.__file__).parents[2] / "generate_native.py"
    spec = importlib.util.spec_from_file_location("generate_native", file)
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    return generator.native(ops)


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


@pytest.fixture
def in_child() -> Callable[[Callable[[], object]], int]:
    """Runs something in a forked process, and gives how that ended: 0 if it returned, minus the signal if it hung."""

    def run(work: Callable[[], object], seconds: int = 30) -> int:
        pid = os.fork()
        if pid == 0:
            signal.alarm(seconds)
            code = 1
            try:
                work()
                code = 0
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return run
