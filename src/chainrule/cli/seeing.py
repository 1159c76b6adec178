"""`chainrule see`: a graph, a program or a recording as a page that steps through it."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from pathlib import Path

from chainrule.cli import outputs
from chainrule.cli.codes import FINE
from chainrule.cli.screen import remark
from chainrule.core.files import atomic_write
from chainrule.errors import ArgumentError
from chainrule.expression.reading import parse, parse_assignments
from chainrule.see.pages import page
from chainrule.see.programs import run
from chainrule.see.recording.document import Recording
from chainrule.see.recording.files import load_recording
from chainrule.see.recording.graphs import record_expression

PROGRAM, RECORDING = ".py", ".json"


def see(what: str, more: Sequence[str], out: Path | None, *, show: bool, force: bool, quiet: bool) -> int:
    """Writes the page of an expression, a program or a recording, and opens it if asked to."""
    target = out or Path(f"{Path(what).stem}.html" if _is_file(what) else "graph.html")
    outputs.check(target, outputs.PAGE, force=force, inputs=[Path(what)] if _is_file(what) else [])
    leave(target, page(recorded(what, more)), show=show, quiet=quiet)
    return FINE


def leave(target: Path, text: str, *, show: bool, quiet: bool) -> None:
    """Writes a page, says where it is, and opens it if asked to."""
    atomic_write(target, text)
    if not quiet:
        remark(f"the page is in {target}")
    if show and not webbrowser.open(target.resolve().as_uri()):
        raise ArgumentError(f"no browser could be started: open {target} yourself")


def _is_file(what: str) -> bool:
    return Path(what).suffix in (PROGRAM, RECORDING)


def recorded(what: str, more: Sequence[str]) -> Recording:
    """The recording of an expression with its numbers, of a program with its arguments, or of a file."""
    if not _is_file(what):
        return record_expression(parse(what, parse_assignments(more)))
    if Path(what).suffix == PROGRAM:
        return run(what, more)
    if more:
        raise ArgumentError(f"a recording takes no more: {' '.join(more)}")
    return load_recording(what)
