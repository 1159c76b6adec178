"""A folder of the user's own for files that will be executed: anybody who can write there can control this process.

The checks apply to the opened file or folder, not to its path, which may lead elsewhere a moment later. Where the
operating system has no owners and modes of this kind (Windows), nothing is checked: there the folder lies in the user's
profile.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

OWNERS = hasattr(os, "geteuid") and os.open in os.supports_dir_fd
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_OLD = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class NotOursError(Exception):
    """Raised for a folder or file that others may have written; the message says why, and what to do."""


class Folder:
    """A folder that nobody else can write, opened by `own_folder`.

    Args:
        path: its path.
        handle: its file descriptor; None where files are accessed by their paths.
    """

    def __init__(self, path: Path, handle: int | None) -> None:
        self.path, self._handle = path, handle

    def read(self, name: str) -> bytes:
        """Reads a file and marks it as used now.

        Raises:
            NotOursError: the file is a symbolic link, or others may have written it.
            OSError: the file cannot be read.
        """
        if OWNERS and stat.S_ISLNK(self.status(name).st_mode):
            raise NotOursError(f"{self.path / name} is a symbolic link: remove it")
        with os.fdopen(self._open(name, _OLD), "rb") as file:
            _check(os.fstat(file.fileno()), self.path / name)
            content = file.read()
            with contextlib.suppress(OSError):
                os.utime(file.fileno() if os.utime in os.supports_fd else self.path / name)
        return content

    def write(self, name: str, part: str, content: bytes) -> None:
        """Writes a file atomically.

        Args:
            name: the name of the file.
            part: a temporary name, which no file has.
            content: the content.

        Raises:
            OSError: the file cannot be written; nothing is left behind.
        """
        handle = self._open(part, _NEW)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(self._name(part), self._name(name), src_dir_fd=self._handle, dst_dir_fd=self._handle)
        except BaseException:
            with contextlib.suppress(OSError):
                self.remove(part)
            raise

    def names(self) -> list[str]:
        """Returns the names of all files."""
        return os.listdir(self._name(".") if self._handle is None else self._handle)  # noqa: PTH208 - the open folder

    def status(self, name: str) -> os.stat_result:
        """Returns the status of a file, or of a symbolic link itself."""
        return os.stat(self._name(name), dir_fd=self._handle, follow_symlinks=False)

    def remove(self, name: str) -> None:
        """Removes a file."""
        os.unlink(self._name(name), dir_fd=self._handle)

    def _name(self, name: str) -> str | Path:
        return self.path / name if self._handle is None else name

    def _open(self, name: str, flags: int) -> int:
        return os.open(self._name(name), flags, 0o600, dir_fd=self._handle)


@contextlib.contextmanager
def own_folder(path: Path, *, make: bool = False) -> Iterator[Folder]:
    """Opens a folder for the body of a `with`, and checks that nobody else can write there.

    Args:
        path: the folder; links on the way to it are followed, since its owner is what counts.
        make: whether to create it, and its missing parents.

    Raises:
        NotOursError: others may have written there.
        OSError: the folder does not exist, or cannot be opened or created.
    """
    if make:
        _make(path)
    if not OWNERS:
        yield Folder(path, None)
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _check(os.fstat(handle), path)
        yield Folder(path, handle)
    finally:
        os.close(handle)


def _check(status: os.stat_result, path: Path) -> None:
    if not OWNERS:
        return
    if status.st_uid != os.geteuid():
        raise NotOursError(
            f"{path} belongs to the user with the number {status.st_uid}, and this process runs as {os.geteuid()}: "
            "set CHAINRULE_CACHE to a folder of your own, or to off (after sudo: sudo -H has root's own home)"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise NotOursError(
            f"{path} can be written by others: chmod go-w {shlex.quote(str(path))} (and empty it, if they may "
            "have done), or set CHAINRULE_CACHE to a folder of your own, or to off"
        )
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise NotOursError(f"{path} is no file: remove it")


def _make(path: Path) -> None:
    """Creates a folder that nobody else can look into; refuses to do so in another user's folder, even as root."""
    missing, above = [], path
    while not os.path.lexists(above):
        missing.append(above)
        above = above.parent
    owner = above.stat().st_uid
    if missing and OWNERS and owner not in (0, os.geteuid()):
        raise NotOursError(
            f"{path} would have to be made in {above}, which belongs to the user with the number {owner}: make it "
            f"yourself (mkdir -p -m 700 {shlex.quote(str(path))}), or set CHAINRULE_CACHE to a folder of your own, "
            "or to off"
        )
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another process was faster
            folder.mkdir(mode=0o700)
