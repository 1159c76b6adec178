"""Runs a program as `python program.py` would, and records what its Values do."""

from __future__ import annotations

import builtins
import contextlib
import dataclasses
import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from chainrule.core.files import read_file
from chainrule.engine import Value
from chainrule.errors import ArgumentError
from chainrule.see.recording.anatomy import BACKWARD
from chainrule.see.recording.document import Recording
from chainrule.see.recording.events import Began
from chainrule.see.recording.session import recording


def run(path: str | Path, arguments: Sequence[str] = (), *, title: str = "") -> Recording:
    """Runs a program with a recording of its last backward passes. What it prints is printed.

    An exception of the program goes on to the caller, as does a SystemExit with another code than 0; what happened
    until then is lost with it.

    Args:
        path: the file of the program.
        arguments: what `sys.argv` has after it.
        title: a heading for pages; the file's name, if left out.

    Raises:
        SavedFileError: there is no such file.
        ArgumentError: the program made no Values, of chainrule's or of another engine.
    """
    read_file(path)  # one clear line, if there is none
    name = title or Path(path).name
    with contextlib.ExitStack() as watching:
        watching.enter_context(_as_main(Path(path), arguments))
        stories = [watching.enter_context(recording(title=name))]
        watching.enter_context(
            _found(lambda cls: stories.append(watching.enter_context(recording(Value=cls, title=name))))
        )
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as end:
            if end.code not in (None, 0):
                raise
    told = max(stories, key=lambda story: sum(isinstance(event, Began) for event in story.events))
    if not told.nodes:
        raise ArgumentError(
            f"{path} made no Values: neither chainrule's, nor those of a class with a backward() of its own"
        )
    return told


@contextlib.contextmanager
def _found(watch: Callable[[type], object]) -> Iterator[None]:
    """Calls `watch` with each class that is defined meanwhile, in the program or in what it imports, and that seems to
    be an engine's: it has `backward()` and makes objects itself. A dataclass does so once it is decorated."""
    build: Any = builtins.__build_class__
    decorate: Any = dataclasses.dataclass

    def consider(cls: Any) -> Any:
        if _may_be_an_engine(cls):
            with contextlib.suppress(ArgumentError):  # another thing that has a backward(), such as a layer
                watch(cls)
        return cls

    def built(function: Any, name: str, *bases: Any, **named: Any) -> Any:
        return consider(build(function, name, *bases, **named))

    def dataclass(cls: Any = None, /, **options: Any) -> Any:
        if cls is None:  # @dataclass(slots=True): what decorates is made first
            return lambda each: dataclass(each, **options)
        return consider(decorate(cls, **options))

    builtins.__build_class__, dataclasses.dataclass = built, dataclass  # type: ignore[assignment]
    try:
        yield
    finally:
        builtins.__build_class__, dataclasses.dataclass = build, decorate


def _may_be_an_engine(cls: Any) -> bool:
    if not isinstance(cls, type) or cls.__module__.partition(".")[0] == "chainrule" or issubclass(cls, Value):
        return False
    return any(callable(vars(cls).get(name)) for name in BACKWARD) and cls.__init__ is not object.__init__


@contextlib.contextmanager
def _as_main(path: Path, arguments: Sequence[str]) -> Iterator[None]:
    """Arguments and search path as `python path arguments` has them."""
    before = list(sys.argv), list(sys.path)
    sys.argv[:] = [str(path), *arguments]
    sys.path[:] = [str(path.resolve().parent), *sys.path]
    try:
        yield
    finally:
        sys.argv[:], sys.path[:] = before
