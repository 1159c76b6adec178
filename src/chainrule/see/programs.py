"""Runs a program as `python program.py` would, and records what its Values do."""

from __future__ import annotations

import contextlib
import runpy
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from chainrule.core.files import read_file
from chainrule.errors import ArgumentError
from chainrule.see.recording.document import Recording
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
        ArgumentError: the program made no Values of chainrule's.
    """
    read_file(path)  # one clear line, if there is none
    with _as_main(Path(path), arguments), recording(title=title or Path(path).name) as story:
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as end:
            if end.code not in (None, 0):
                raise
    if not story.nodes:
        raise ArgumentError(
            f"{path} made no Values of chainrule's: import Value from chainrule (with micrograd's programs, change the "
            "import alone)"
        )
    return story


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
