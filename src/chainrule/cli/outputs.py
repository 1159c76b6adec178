"""Checks which files may be written, before any work: no file of the user's is overwritten by accident."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from chainrule.core.files import check_target
from chainrule.draw.drawing import FORMATS
from chainrule.errors import ArgumentError

HEAD = 100
"""A file shows its kind within so many bytes."""


@dataclass(frozen=True)
class Kind:
    """A kind of file that chainrule writes.

    Attributes:
        name: its name in messages.
        mark: a text near the beginning of every such file; None if there is none.
        endings: the allowed suffixes of file names; any if empty.
    """

    name: str
    mark: bytes | None = None
    endings: tuple[str, ...] = ()


MODEL = Kind("model", mark=b'"format": "chainrule model"')
CHECKPOINT = Kind("checkpoint", mark=b'"format": "chainrule checkpoint"')
PICTURE = Kind("picture", endings=(".png", ".svg", ".pdf"))
DRAWING = Kind("drawing", endings=tuple(FORMATS))
PAGE = Kind("page", mark=b"<!-- a page of chainrule -->", endings=(".html",))
TABLE = Kind("table")


def check(path: Path, kind: Kind, *, force: bool = False, inputs: Iterable[Path] = (), known: str = "") -> None:
    """Refuses to write where something would be lost, or where writing is impossible. It touches nothing.

    Args:
        path: the file to write.
        kind: its kind.
        force: whether any file but the inputs may be replaced.
        inputs: the files that the command reads.
        known: the digest of a file that chainrule wrote and may replace.

    Raises:
        ArgumentError: the file must not be written; the message says why.
    """
    if kind.endings and path.suffix.lower() not in kind.endings:
        raise ArgumentError(f"{path} cannot be a {kind.name}: its name must end in {' or '.join(kind.endings)}")
    check_target(path, error=ArgumentError)
    for source in inputs:
        if path.exists() and source.exists() and path.samefile(source):
            raise ArgumentError(f"{path} is read by this command and would be written over: name another file")
    if path.is_file() and not force and not _is_ours(path, kind, known):
        what = f"exists and is not a {kind.name} of chainrule's" if kind.mark or known else "exists"
        raise ArgumentError(f"{path} {what}: name another file, or say --force to replace it")


def digest(path: Path) -> str:
    """The digest by which a file is recognised."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_different(paths: Iterable[Path | None]) -> None:
    """Refuses to write two things to one file.

    Raises:
        ArgumentError: two of the paths are the same.
    """
    seen: set[Path] = set()
    for path in paths:
        if path is None:
            continue
        if path.resolve() in seen:
            raise ArgumentError(f"{path} is to hold two things at once: name two files")
        seen.add(path.resolve())


def quoted(*words: object) -> str:
    """A command quoted for the shell."""
    return " ".join([shlex.quote(str(word)) for word in words])


def _is_ours(path: Path, kind: Kind, known: str) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        return kind.mark in head if kind.mark else bool(known) and digest(path) == known
    except OSError:
        return False
