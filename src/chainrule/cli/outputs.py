"""Which files may be written: what the user has is never written over by accident, and all is found out beforehand."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from chainrule.errors import ArgumentError
from chainrule.files import check_target

HEAD = 4096
"""In how many bytes at its beginning a file says what wrote it."""


@dataclass(frozen=True)
class Kind:
    """A kind of file that chainrule writes.

    Attributes:
        name: what a message calls it.
        marks: the endings of file names that are allowed, each with what stands at the beginning of such a file if
            chainrule wrote it; None for files that do not say so. The ending "" stands for all others.
    """

    name: str
    marks: dict[str, bytes | None]

    def mark(self, path: Path) -> bytes | None:
        """What would show that chainrule wrote this file.

        Raises:
            ArgumentError: such an ending is not allowed.
        """
        ending = path.suffix.lower()
        if ending not in self.marks and "" not in self.marks:
            *some, last = self.marks
            raise ArgumentError(f"{path} cannot be {self.name}: its name must end in {', '.join(some)} or {last}")
        return self.marks.get(ending, self.marks.get(""))


MODEL = Kind("a model", {"": b'"format": "chainrule model"'})
CHECKPOINT = Kind("a checkpoint", {"": b'"format": "chainrule checkpoint"'})
PICTURE = Kind("a picture", {".png": b"chainrule", ".svg": b"chainrule", ".pdf": b"chainrule"})
DRAWING = Kind("a drawing", {".svg": b"chainrule", ".html": b"chainrule", ".dot": b"chainrule", ".txt": None})
TABLE = Kind("a table", {"": None})


def check(path: Path, kind: Kind, *, force: bool = False, inputs: Iterable[Path] = ()) -> None:
    """Refuse to write where something would be lost, or where nothing can be written. Nothing is touched.

    Args:
        path: the file to be written.
        kind: what it will be.
        force: allow it to take the place of any file but the inputs.
        inputs: the files that are read.

    Raises:
        ArgumentError: says why not.
    """
    mark = kind.mark(path)
    check_target(path, error=ArgumentError)
    if not path.exists():
        return
    for source in inputs:
        if source.exists() and path.samefile(source):
            raise ArgumentError(f"{path} is read by this command and would be written over: name another file")
    if path.is_file() and not force and not _is_ours(path, mark):
        known = f" and is not {kind.name} that chainrule wrote" if mark else ""
        raise ArgumentError(f"{path} exists{known}: name another file, or say --force to replace it")


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


def _is_ours(path: Path, mark: bytes | None) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return False
    return not head or (mark is not None and mark in head)
