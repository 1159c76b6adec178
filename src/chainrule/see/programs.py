"""Runs a program as `python program.py` would, and records what its Values do."""

from __future__ import annotations

import builtins
import contextlib
import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from chainrule.core.files import read_file
from chainrule.engine import Value
from chainrule.errors import ArgumentError
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
    be an engine's: it has `backward()` and makes objects itself."""
    build: Any = builtins.__build_class__

    def built(function: Any, name: str, *bases: Any, **named: Any) -> Any:
        cls = build(function, name, *bases, **named)
        module = str(vars(cls).get("__module__", "")).partition(".")[0] if isinstance(cls, type) else "chainrule"
        own = module == "chainrule" or issubclass(cls, Value)
        if not own and callable(vars(cls).get("backward")) and "__init__" in vars(cls):
            with contextlib.suppress(ArgumentError):  # another thing that has a backward(), such as a layer
                watch(cls)
        return cls

    builtins.__build_class__ = built  # type: ignore[assignment]
    try:
        yield
    finally:
        builtins.__build_class__ = build


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
