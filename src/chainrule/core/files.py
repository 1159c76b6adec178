"""Files: written whole or not at all; if one cannot be read or written, the error is one clear line."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

from chainrule.errors import ChainruleError, SavedFileError, shown, suggest

FilePath = str | os.PathLike[str]


def atomic_write(path: FilePath, content: str | bytes, *, error: type[ChainruleError] = SavedFileError) -> None:
    """Writes a file in one step: whatever happens, `path` holds either what it held before or all of `content`.

    The content is written to a temporary file beside `path` and flushed to the disk, and then the file is renamed. A
    link is followed; a device or pipe, which cannot be replaced, is written to directly.

    Args:
        path: the file.
        content: bytes, or text that is written in UTF-8 as it is.
        error: the exception for a file that cannot be written.

    Raises:
        SavedFileError: (or what `error` says) the folder does not exist, `path` is a directory, or writing failed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     atomic_write(Path(folder, "note.txt"), "1 + 1 = 2")
    ...     Path(folder, "note.txt").read_text(), len(os.listdir(folder))
    ('1 + 1 = 2', 1)
    """
    target = Path(os.path.realpath(check_target(path, error=error)))
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
        else:
            _replace(target, data)
    except OSError as failure:
        raise error(f"{path} cannot be written: {failure.strerror}") from None


def _replace(target: Path, data: bytes) -> None:
    # The name has a random part, so that two programs that write the same file never share a temporary one.
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException:  # Ctrl-C as well: leave nothing behind
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Flushes the renaming itself to the disk, on systems where a folder can be opened for that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def check_target(path: FilePath, *, error: type[ChainruleError] = SavedFileError) -> Path:
    """Refuses a path at which no file can be written, before the work whose result goes there; touches nothing.

    Raises:
        SavedFileError: (or what `error` says) the folder does not exist or is read-only, or `path` is a directory.

    >>> check_target("no/such/folder/model.json")
    Traceback (most recent call last):
        ...
    chainrule.errors.SavedFileError: no/such/folder/model.json cannot be written: there is no folder no/such/folder
    """
    target = _path(path, error)
    if target.is_dir():
        raise error(f"{path} is a directory: name a file in it")
    if not target.parent.is_dir():
        raise error(f"{path} cannot be written: there is no folder {target.parent}")
    if not os.access(target.parent if not target.exists() else target, os.W_OK):
        raise error(f"{path} cannot be written: permission denied")
    return target


MOST_BYTES = 2**30
"""The largest file that is read: a table or a model of single numbers is far smaller, and some files have no end."""
PIECE_BYTES = 2**20


def read_file(path: FilePath, *, error: type[ChainruleError] = SavedFileError) -> bytes:
    """Returns all bytes of a file, or of what comes through a pipe.

    Raises:
        SavedFileError: (or what `error` says) the file does not exist, is a directory or an endless device, is larger
            than `MOST_BYTES`, or cannot be read.
    """
    source = _path(path, error)
    try:
        if source.is_dir():
            raise error(f"{path} is a directory: name a file in it")
        with source.open("rb") as file:
            if source.is_char_device() and not file.isatty():
                raise error(f"{path} is a device, not a file")
            content = bytearray()
            while piece := file.read(PIECE_BYTES):  # in pieces: `read` allocates all that it may read
                content += piece
                if len(content) > MOST_BYTES:
                    size = f"{MOST_BYTES >> 20} MB"
                    raise error(f"{path} is larger than {size}, which is more than can be a table or a model")
        return bytes(content)
    except FileNotFoundError:
        raise error(f"{path} does not exist.{_similar_file(source)}") from None
    except OSError as failure:
        raise error(f"{path} cannot be read: {failure.strerror}") from None


def remove_leftovers(path: FilePath) -> None:
    """Removes the temporary files of killed writers of `path`. Nobody else may be writing it meanwhile."""
    target = Path(os.path.realpath(path))
    with contextlib.suppress(OSError):
        for file in target.parent.iterdir():
            if file.name.startswith(f".{target.name}.") and file.name.endswith(".tmp"):
                file.unlink()


def _path(path: FilePath, error: type[ChainruleError]) -> Path:
    try:
        if "\0" not in os.fspath(path):
            return Path(path)
    except TypeError:
        pass
    raise error(f"{shown(path)} is not the name of a file")


def _similar_file(path: Path) -> str:
    """Returns a hint if the directory has a file with a similar name."""
    with contextlib.suppress(OSError):
        return suggest(path.name, [file.name for file in path.parent.iterdir()])
    return ""
