"""The cache: object code on disk, so that what was compiled once is not compiled again, by this process or another.

A file is named after the module's text, the machine and LLVM's version. It begins with a checksum of what follows. One
that is cut off or foreign is taken for none and written anew, and always as a whole under its name; what else lies in
the folder is left alone. Where the folder cannot be written, there is no cache. `CHAINRULE_CACHE` names another folder,
or is `off`.
"""

from __future__ import annotations

import contextlib
import contextvars
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from llvmlite import ir

from chainrule.compiler.native import VERSION, Machine, compile_to_object

VARIABLE = "CHAINRULE_CACHE"
MAGIC = b"chainrule object code 1\n"
"""Its number counts the ways in which chainrule has had LLVM make object code of a text."""

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


def _read(path: Path) -> bytes | None:
    """The content of a file, if it is whole."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, content = data[len(MAGIC) : len(MAGIC) + _DIGEST], data[len(MAGIC) + _DIGEST :]
    if not data.startswith(MAGIC) or hashlib.sha256(content).digest() != digest:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # it was used now
    return content


def _write(path: Path, content: bytes) -> None:
    """Puts a file in its place, at once: nobody sees a part of it."""
    global _written  # noqa: PLW0603 - a count for this process
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem + "_", suffix=_PART)
    except OSError:
        return
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + hashlib.sha256(content).digest() + content)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        return
    if _written % _SWEEP_EVERY == 0:
        with contextlib.suppress(OSError):
            sweep(path.parent)
    _written += 1


def sweep(place: Path, most: int = MOST_BYTES) -> None:
    """Removes those of the cache's files that were not used for longest, until the rest has at most so many bytes; and
    what a process that was killed has left behind."""
    files = []
    for path in place.iterdir():
        if not _OWN.fullmatch(path.name):
            continue
        with contextlib.suppress(OSError):
            status = path.stat()
            if path.suffix == _PART and time.time() - status.st_mtime > 3600:
                path.unlink()
            elif path.suffix == _SUFFIX:
                files.append((status.st_mtime, status.st_size, path))
    total = sum([size for _, size, _ in files])
    for _, size, path in sorted(files):
        if total <= most:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size
