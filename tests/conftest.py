"""What every test may ask for."""

from __future__ import annotations

import importlib.util
import inspect
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from chainrule import engine, ops
from chainrule.core.builds import COMPILED
from chainrule.core.operation import TABLE, forget
from chainrule.errors import StaleGradientWarning

sys.path.append(str(Path(__file__).parents[1]))  # where the build is imported from, as setup.py does
from building.native import native

if importlib.util.find_spec("hypothesis"):
    import hypothesis

    hypothesis.settings.register_profile("untimed", deadline=None)  # how long an example takes depends on the machine
    hypothesis.settings.load_profile("untimed")

STORAGE = ("storage/fields.pxd", "storage/memory.pxd", "storage/slabs.h", "storage/native.pxd")


def pytest_configure() -> None:
    """A build that is older than the sources beside it would be tested in their place."""
    package = Path(engine.__file__).parent
    if not engine.is_compiled() or not (package.parent.parent / "setup.py").exists():
        return
    types = ("engine.pxd", "storage/value_base.pxd", *STORAGE)
    sources = {"engine": [package / name for name in types]}
    old = [] if native(ops) == (package / "storage" / "native.pxd").read_text(encoding="utf-8") else ["ops/"]
    for module in COMPILED:
        file = package.joinpath(*module.split("."))
        made_of = file.with_suffix(".pyx") if file.with_suffix(".pyx").exists() else file.with_suffix(".py")
        (built,) = file.parent.glob(f"{file.name}.*.so")
        since = built.stat().st_mtime
        old += [source.name for source in [made_of, *sources.get(module, [])] if source.stat().st_mtime > since]
    if old:
        pytest.exit(f"{', '.join(old)} changed since the engine was compiled: pip install -e . again", 2)


@pytest.fixture(scope="session")
def loaded() -> Callable[[Path], ModuleType]:
    """Gives the module that a Python file is, wherever it lies."""
    return _loaded


def _loaded(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


def _marked_lines(loop: Callable[[], None]) -> list[int]:
    lines, first = inspect.getsourcelines(loop)
    return [first + i for i, line in enumerate(lines) if line.rstrip().endswith("# warned")]


@pytest.fixture
def marked_lines() -> Callable[[Callable[[], None]], list[int]]:
    """Gives the lines of a function that end in `# warned`: those that `warned_lines` should give."""
    return _marked_lines


@pytest.fixture
def loops_of(request: pytest.FixtureRequest) -> Callable[[Callable[[], object]], set[Callable[[], object]]]:
    """Gives the functions without arguments in the test's own file, but for tests and those that are named."""

    def find(*others: Callable[[], object]) -> set[Callable[[], object]]:
        functions = [thing for thing in vars(request.module).values() if inspect.isfunction(thing)]
        own = {f for f in functions if f.__module__ == request.module.__name__ and not inspect.signature(f).parameters}
        return {f for f in own if not f.__name__.startswith("test_")} - {*others}

    return find


@pytest.fixture
def in_child() -> Callable[[Callable[[], object]], int]:
    """Runs something in a forked process, and gives how that ended: 0 if it returned, minus the signal if it hung."""
    if not hasattr(os, "fork"):
        pytest.skip("this system does not fork")

    def run(work: Callable[[], object], seconds: int = 30) -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn where there are other threads
            pid = os.fork()
        if pid == 0:
            signal.alarm(seconds)
            code = 1
            try:
                work()
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return run


@pytest.fixture
def in_threads() -> Callable[[Sequence[Callable[[], object]]], list[object]]:
    """Runs several things, each in a thread of its own; gives what they return, or raises what one of them raised."""

    def run(works: Sequence[Callable[[], object]]) -> list[object]:
        found: list[object] = [None] * len(works)
        errors: list[BaseException] = []

        def one(i: int) -> None:
            try:
                found[i] = works[i]()
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=one, args=(i,)) for i in range(len(works))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(600)
        assert not any(thread.is_alive() for thread in threads)
        if errors:
            raise errors[0]
        return found

    return run


@pytest.fixture
def soon() -> Iterator[None]:
    """Lets threads interrupt each other as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)
