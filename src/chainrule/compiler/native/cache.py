"""The cache: object code on disk, so that no module is compiled twice, by this process or another.

The name of a file is a hash of the module's text, the machine and LLVM's version; the file begins with a checksum. The
cache ignores and replaces a file that is damaged. It replaces files atomically, and leaves files of other names alone.
If the folder cannot be written, nothing is stored. As its content is executed, the cache uses no folder or file that
others may have written, and gives a `CacheWarning` instead. `CHAINRULE_CACHE` names another folder, or is `off`.
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
"""The first bytes of a file. The number changes whenever object code is compiled or stored in another way."""

MOST_BYTES = 200 * 2**20
"""The size of the folder above which the least recently used files are removed."""

_SUFFIX, _PART = ".o", ".part"
_OWN = re.compile(r"[0-9a-f]{64}(\.o|_.*\.part)")
"""The names of the cache's own files."""

_DIGEST = hashlib.sha256().digest_size
_SWEEP_EVERY = 50
_written = 0


def folder() -> Path | None:
    """Returns the folder of the files, or None if there is no cache."""
    wanted = os.environ.get(VARIABLE, "")
    if wanted == "off":
        return None
    if wanted:
        return Path(wanted)
    base = os.environ.get("XDG_CACHE_HOME", "")
    with contextlib.suppress(RuntimeError):  # a user without a home
        return (Path(base) if base else Path.home() / ".cache") / "chainrule"
    return None


def cached_object(module: ir.Module | str, machine: Machine, optimize: int = 2, unroll: bool = True) -> bytes:
    """Returns the object code of a module, from the cache or newly compiled; see `llvm.compile_to_object`."""
    text = str(module)
    place = folder()
    path = None if place is None else place / (_key(text, machine, optimize, unroll) + _SUFFIX)
    object_code = None if path is None else _read(path)
    _record(object_code is not None)
    if object_code is None:
        object_code = compile_to_object(text, machine, optimize, unroll)
        if path is not None:
            _write(path, object_code)
    return object_code


_watching: contextvars.ContextVar[list[bool] | None] = contextvars.ContextVar("watching", default=None)


@contextlib.contextmanager
def watched() -> Iterator[list[bool]]:
    """Yields a list that gets, for each module requested meanwhile, whether it came from the cache."""
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


def _key(text: str, machine: Machine, *options: int) -> str:
    parts = [text, machine.name, VERSION, *map(str, options)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _checksum(path: Path, content: bytes) -> bytes:
    """Returns a checksum of the content and the file's name: a renamed file is invalid."""
    return hashlib.sha256(path.name.encode() + content).digest()


def _read(path: Path) -> bytes | None:
    """Returns the content of a file, if it is complete and nobody else can have written it; otherwise None."""
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
    """Writes a file, if possible."""
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
    """Warns that a folder or something in it is not used, once for each folder."""
    token = object()
    if _warned.setdefault(place, token) is token:  # atomic: only one of several threads warns
        frame = caller()
        warnings.warn_explicit(
            f"compiled code is not kept on disk, since others could put theirs in its place: {error}",
            CacheWarning, frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__"),
        )  # fmt: skip


def sweep(place: Path, most: int = MOST_BYTES) -> None:
    """Removes the least recently used files until the rest has at most `most` bytes, and temporary files that killed
    processes left behind.

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
