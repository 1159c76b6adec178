"""Which files may be written: what the user has is never written over by accident, and all is found out beforehand."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from chainrule.core.files import check_target
from chainrule.errors import ArgumentError

HEAD = 100
"""In how many bytes at its beginning a file says what it is."""


@dataclass(frozen=True)
class Kind:
    """A kind of file that chainrule writes.

    Attributes:
        name: what a message calls it.
        mark: what stands at the beginning of every such file; None if nothing does.
        endings: of the file names that are allowed; none for any.
    """

    name: str
    mark: bytes | None = None
    endings: tuple[str, ...] = ()


MODEL = Kind("model", mark=b'"format": "chainrule model"')
CHECKPOINT = Kind("checkpoint", mark=b'"format": "chainrule checkpoint"')
PICTURE = Kind("picture", endings=(".png", ".svg", ".pdf"))
DRAWING = Kind("drawing", endings=(".svg", ".html", ".dot", ".txt"))
TABLE = Kind("table")


def check(path: Path, kind: Kind, *, force: bool = False, inputs: Iterable[Path] = (), known: str = "") -> None:
    """Refuse to write where something would be lost, or where nothing can be written. Nothing is touched.

    Args:
        path: the file to be written.
        kind: what it will be.
        force: allow it to take the place of any file but the inputs.
        inputs: the files that are read.
        known: the digest of a file that chainrule wrote, which may be replaced.

    Raises:
        ArgumentError: says why not.
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
    """By which a file is known again."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_different(paths: Iterable[Path | None]) -> None:
    """Refuse to write two things to one file.

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
    """A command that can be typed."""
    return " ".join([shlex.quote(str(word)) for word in words])


def _is_ours(path: Path, kind: Kind, known: str) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        return kind.mark in head if kind.mark else bool(known) and digest(path) == known
    except OSError:
        return False
