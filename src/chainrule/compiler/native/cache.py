"""The cache: object code on disk, so that nothing is compiled twice, by this process or another.

A file is named after the module's text, the machine and LLVM's version, and begins with a checksum of its content. A
file that is truncated or not ours is ignored and replaced; files are always replaced atomically, and other files in the
folder are left alone. If the folder cannot be written, there is no cache. Its content is executed, so a folder or file
that others may have written is not used, and a `CacheWarning` says so. `CHAINRULE_CACHE` names another folder, or is
`off`.
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
"""Its number changes with the way in which object code is compiled from a text and stored in a file."""

MOST_BYTES = 200 * 2**20
"""When the folder has more, the least recently used files are removed."""

_SUFFIX, _PART = ".o", ".part"
_OWN = re.compile(r"[0-9a-f]{64}(\.o|_.*\.part)")
"""The names of the cache's own files."""

_DIGEST = hashlib.sha256().digest_size
_SWEEP_EVERY = 50
_written = 0


def folder() -> Path | None:
    """The folder of the files; None without a cache."""
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
    """The object code of a module, from the cache or newly compiled; see `native.compile_to_object`."""
    text = str(module)
    place = folder()
    path = None if place is None else place / (_key(text, machine, optimize) + _SUFFIX)
    object_code = None if path is None else _read(path)
    _record(object_code is not None)
    if object_code is None:
        object_code = compile_to_object(text, machine, optimize)
        if path is not None:
            _write(path, object_code)
    return object_code


_watching: contextvars.ContextVar[list[bool] | None] = contextvars.ContextVar("watching", default=None)


@contextlib.contextmanager
def watched() -> Iterator[list[bool]]:
    """Context manager that gives a list; for each module requested meanwhile, the list gets whether it came from the
    cache."""
    hits: list[bool] = []
    before = _watching.set(hits)
    try:
        yield hits
    finally:
        _watching.reset(before)


def _record(hit: bool) -> None:
    watching = _watching.get()
    if watching is not None:
        watching.append(hit)


def _key(text: str, machine: Machine, optimize: int) -> str:
    parts = [text, machine.name, VERSION, str(optimize)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _checksum(path: Path, content: bytes) -> bytes:
    """A checksum that includes the file's name: code under the name of other code is invalid."""
    return hashlib.sha256(path.name.encode() + content).digest()


def _read(path: Path) -> bytes | None:
    """The content of a file, if it is complete and nobody else can have written it."""
    try:
        with own_folder(path.parent) as folder:
            data = folder.read(path.name)
    except NotOursError as error:
        _warn(path.parent, error)
        return None
    except OSError:
        return None
    digest, content = data[len(MAGIC) : len(MAGIC) + _DIGEST], data[len(MAGIC) + _DIGEST :]
    return content if data.startswith(MAGIC) and _checksum(path, content) == digest else None


def _write(path: Path, content: bytes) -> None:
    """Stores a file, if possible."""
    global _written  # noqa: PLW0603 - a count for this process
    part = f"{path.stem}_{os.urandom(8).hex()}{_PART}"
    try:
        with own_folder(path.parent, make=True) as folder:
            folder.write(path.name, part, MAGIC + _checksum(path, content) + content)
        if _written % _SWEEP_EVERY == 0:
            sweep(path.parent)
    except NotOursError as error:
        _warn(path.parent, error)
        return
    except OSError:
        return
    _written += 1


_warned: dict[Path, object] = {}


def _warn(place: Path, error: NotOursError) -> None:
    """Warns, once for each folder, that it or something in it is not used."""
    token = object()
    if _warned.setdefault(place, token) is token:  # atomic: one of several threads warns
        frame = caller()
        warnings.warn_explicit(
            f"compiled code is not kept on disk, since others could put theirs in its place: {error}",
            CacheWarning, frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__"),
        )  # fmt: skip


def sweep(place: Path, most: int = MOST_BYTES) -> None:
    """Removes the least recently used files of the cache until the rest has at most so many bytes, and what killed
    processes have left behind.

    Raises:
        NotOursError, OSError: the folder is not ours.
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
