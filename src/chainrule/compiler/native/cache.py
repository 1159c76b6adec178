"""The cache: object code on disk, so that what was compiled once is not compiled again, by this process or another.

A file is named after the module's text, the machine and LLVM's version. It begins with a checksum of what follows. One
that is cut off or foreign is taken for none and written anew, and always as a whole under its name; what else lies in
the folder is left alone. Where the folder cannot be written, there is no cache. What is in it is run: so a folder or
file that others may have written is not used, and a `CacheWarning` says so. `CHAINRULE_CACHE` names another folder, or
is `off`.
"""

from __future__ import annotations

import contextlib
import contextvars
import hashlib
import os
import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from llvmlite import ir

from chainrule.compiler.native.folder import NotOursError, own_folder
from chainrule.compiler.native.llvm import VERSION, Machine, compile_to_object
from chainrule.core.modes import caller
from chainrule.errors import CacheWarning

VARIABLE = "CHAINRULE_CACHE"
MAGIC = b"chainrule object code 2\n"
"""Its number counts the ways in which chainrule has had LLVM make object code of a text, and has put it into a file."""

MOST_BYTES = 200 * 2**20
"""When the folder has more, what was not used for longest is removed."""

_SUFFIX, _PART = ".o", ".part"
_OWN = re.compile(r"[0-9a-f]{64}(\.o|_.*\.part)")
"""What the cache's own files are called."""

_DIGEST = hashlib.sha256().digest_size
_SWEEP_EVERY = 50
_written = 0


def folder() -> Path | None:
    """Where the files are; None if there is no cache."""
    wanted = os.environ.get(VARIABLE, "")
    if wanted == "off":
        return None
    if wanted:
        return Path(wanted)
    base = os.environ.get("XDG_CACHE_HOME", "")
    with contextlib.suppress(RuntimeError):  # a user without a home
        return (Path(base) if base else Path.home() / ".cache") / "chainrule"
    return None


def cached_object(module: ir.Module | str, machine: Machine, optimize: int = 2) -> bytes:
    """The object code of a module: from the cache, or compiled and put there; see `native.compile_to_object`."""
    text = str(module)
    place = folder()
    path = None if place is None else place / (_key(text, machine, optimize) + _SUFFIX)
    found = None if path is None else _read(path)
    _take_note(found is not None)
    if found is None:
        found = compile_to_object(text, machine, optimize)
        if path is not None:
            _write(path, found)
    return found


_watching: contextvars.ContextVar[list[bool] | None] = contextvars.ContextVar("watching", default=None)


@contextlib.contextmanager
def watched() -> Iterator[list[bool]]:
    """Gives a list that gets, for each module that is asked for inside, whether it came from the cache."""
    found: list[bool] = []
    before = _watching.set(found)
    try:
        yield found
    finally:
        _watching.reset(before)


def _take_note(hit: bool) -> None:
    watching = _watching.get()
    if watching is not None:
        watching.append(hit)


def _key(text: str, machine: Machine, optimize: int) -> str:
    parts = [text, machine.name, VERSION, str(optimize)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _checksum(path: Path, content: bytes) -> bytes:
    """Of a file's name as well: code under the name of other code is none."""
    return hashlib.sha256(path.name.encode() + content).digest()


def _read(path: Path) -> bytes | None:
    """The content of a file, if it is whole and nobody else can have written it."""
    try:
        with own_folder(path.parent) as folder:
            data = folder.read(path.name)
    except NotOursError as error:
        _tell(path.parent, error)
        return None
    except OSError:
        return None
    digest, content = data[len(MAGIC) : len(MAGIC) + _DIGEST], data[len(MAGIC) + _DIGEST :]
    return content if data.startswith(MAGIC) and _checksum(path, content) == digest else None


def _write(path: Path, content: bytes) -> None:
    """Puts a file in its place, if there is one for it."""
    global _written  # noqa: PLW0603 - a count for this process
    part = f"{path.stem}_{os.urandom(8).hex()}{_PART}"
    try:
        with own_folder(path.parent, make=True) as folder:
            folder.write(path.name, part, MAGIC + _checksum(path, content) + content)
        if _written % _SWEEP_EVERY == 0:
            sweep(path.parent)
    except NotOursError as error:
        _tell(path.parent, error)
        return
    except OSError:
        return
    _written += 1


_told: dict[Path, object] = {}


def _tell(place: Path, error: NotOursError) -> None:
    """Warns, once of each folder, that it or something in it is not used."""
    token = object()
    if _told.setdefault(place, token) is token:  # of threads that come at the same time, one has put it there
        frame = caller()
        warnings.warn_explicit(
            f"compiled code is not kept on disk, since others could put theirs in its place: {error}",
            CacheWarning, frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__"),
        )  # fmt: skip


def sweep(place: Path, most: int = MOST_BYTES) -> None:
    """Removes those of the cache's files that were not used for longest, until the rest has at most so many bytes; and
    what a process that was killed has left behind.

    Raises:
        NotOursError, OSError: it is no folder of ours.
    """
    files = []
    with own_folder(place) as folder:
        for name in filter(_OWN.fullmatch, folder.names()):
            with contextlib.suppress(OSError):
                status = folder.status(name)
                if not name.endswith(_PART):
                    files.append((status.st_mtime, status.st_size, name))
                elif time.time() - status.st_mtime > 3600:
                    folder.remove(name)
        total = sum([size for _, size, _ in files])
        for _, size, name in sorted(files):
            if total <= most:
                break
            with contextlib.suppress(OSError):
                folder.remove(name)
                total -= size
