"""From the bytes of a file to its text: unpacked and decoded, with a note on whatever had to be guessed."""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import zlib
from pathlib import Path

from chainrule.core.files import MOST_BYTES, PIECE_BYTES, read_file
from chainrule.errors import ArgumentError, DataError, shown

STANDARD_INPUT = "-"
NAMED_STANDARD_INPUT = "standard input"

FALLBACK = "cp1252"
"""The encoding of text that is not Unicode: what Windows writes in Western Europe and America."""

ASK = "name the file's encoding with --encoding=NAME, or save it as CSV in UTF-8"

GZIP = b"\x1f\x8b"
OTHERS = {
    b"PK\x03\x04": "is an Excel workbook or another zip file: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook of the old kind: save the sheet as CSV",
}
"""The first bytes of files that are often taken for CSV, and what to do about it."""

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; the longer ones of equal beginning come first."""

CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1a")) + b"\x7f"


def named(path: str | Path) -> str:
    """The name of a file in messages."""
    return NAMED_STANDARD_INPUT if str(path) == STANDARD_INPUT else str(path)


def read_bytes(path: str | Path) -> bytes:
    """Reads a file, or standard input for "-", and unpacks it if it was packed by gzip.

    Raises:
        DataError: it cannot be read or unpacked, or is larger than can be a table.
    """
    content = _read_standard_input() if str(path) == STANDARD_INPUT else read_file(Path(path), error=DataError)
    return _unpacked(named(path), content) if content.startswith(GZIP) else content


def decode(name: str, content: bytes, encoding: str | None = None, fallback: str = FALLBACK) -> tuple[str, list[str]]:
    """Decodes the text of a table.

    Args:
        name: the name of the file, for messages.
        content: its bytes.
        encoding: its encoding; if left out, it is found by a byte order mark, or is UTF-8, or else `fallback`.
        fallback: the encoding of bytes that are not UTF-8.

    Returns:
        The text without a byte order mark, and notes on what was guessed.

    Raises:
        DataError: it is no text, or not in this encoding.
        ArgumentError: there is no such encoding.
    """
    for start, what in OTHERS.items():
        if content.startswith(start):
            raise DataError(f"{name} {what}")
    if encoding is not None:
        return _decode(name, content, encoding, "is not text in").removeprefix("\ufeff"), []
    for mark, kind in MARKS:
        if content.startswith(mark):
            text = _decode(name, content[len(mark) :] if kind == "utf-8" else content, kind, "is damaged text in")
            return text, [f"{name} is read as {kind.upper()}"] if kind != "utf-8" else []
    if (pairs := _without_mark(content)) is not None:
        return _decode(name, content, pairs, "is damaged text in"), [f"{name} is read as {pairs.upper()}"]
    if b"\0" in content:
        raise DataError(f"{name} is not a text file: a CSV file is needed")
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError as error:
        if content.translate(None, CONTROL) != content:
            raise DataError(f"{name} is not a text file: a CSV file is needed") from None
        return _by_fallback(name, content, fallback, error.start)


def _by_fallback(name: str, content: bytes, fallback: str, start: int) -> tuple[str, list[str]]:
    """Decodes bytes that are not UTF-8.

    Raises:
        DataError: most of them are, so that a few are damaged; or they are not in `fallback`, either.
    """
    line = content.count(b"\n", 0, start) + 1
    tried = content.decode("utf-8", errors="replace")
    wrong = tried.count("\ufffd")
    if sum(ord(letter) > 127 for letter in tried) > 2 * wrong:
        raise DataError(f"{name} is text in UTF-8, but damaged in line {line}: mend it there, or {ASK}")
    text = _decode(name, content, fallback, f"is not text in UTF-8 (line {line}), nor in")
    first = content.decode("latin-1")[:start].rfind("\n") + 1
    sample = text[first:].splitlines()[0][:60] if len(text) == len(content) else ""
    shown_there = f" (line {line}: {sample!r})" if sample else ""
    return text, [f"{name} is not UTF-8, so it is read as {fallback}{shown_there}; --encoding=NAME names another"]


def _decode(name: str, content: bytes, encoding: str, fault: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = content.count(b"\n", 0, start) + 1
        raise DataError(f"{name} {fault} {encoding} (line {line}): {ASK}") from None
    except (LookupError, ValueError):  # there is none, or it cannot be a name
        known = "utf-8, cp1252, latin-1 and others"
        raise ArgumentError(f"there is no text encoding {shown(encoding)}; there are {known}") from None


def _without_mark(content: bytes) -> str | None:
    """UTF-16 without a byte order mark: in plain letters every second byte is 0."""
    head = content[:2000]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if len(content) % 2 or max(even, odd) < 0.7 * len(head) / 2:
        return None
    return "utf-16-le" if not even else "utf-16-be" if not odd else None


def _read_standard_input() -> bytes:
    if sys.stdin is None:
        raise DataError("there is no standard input to read")
    content = bytearray()
    while piece := sys.stdin.buffer.read(PIECE_BYTES):
        content += piece
        _check_size(NAMED_STANDARD_INPUT, len(content))
    return bytes(content)


def _unpacked(name: str, content: bytes) -> bytes:
    text = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            while piece := file.read(PIECE_BYTES):
                text += piece
                _check_size(name, len(text))
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name} cannot be unpacked by gzip: {error}") from None
    return bytes(text)


def _check_size(name: str, size: int) -> None:
    if size > MOST_BYTES:
        raise DataError(f"{name} is larger than {MOST_BYTES >> 20} MB, which is more than can be a table")
