"""Documents of strangers: a valid one, damaged in its structure at random, as somebody would who wants to do harm."""

from __future__ import annotations

import copy
import hashlib
import json
import struct
from collections.abc import Iterator
from random import Random
from typing import Any

NASTY = [
    None, True, False, 0, -1, -5, 1, 2, 3, 10**9, 10**12, 2**63, 10**400, 10**399, 0.0, -0.0, 0.5, -1.5, 5e-324, 1e308,
    float("inf"), float("-inf"), float("nan"), "", "a", "\ud800", "\x1b[2J", "a\nb", "1", "layers.0", "x" * 5000, "MLP",
    "chainrule model", "chainrule checkpoint", [], {}, [[]], [None], [1, -2], [10**9, -2, -2], [10**9], {"a": 1},
    {"": {}}, {"\udcff": 1}, [1.0] * 625, ["tanh"],
]  # fmt: skip
"""What takes the place of some part."""


def places(document: Any, path: tuple = ()) -> Iterator[tuple]:
    """The ways to all parts of a document."""
    yield path
    named = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, part in named:
        yield from places(part, (*path, key))


def damaged(document: Any, rng: Random) -> bytes:
    """A copy of the document as JSON in bytes, damaged in one to three places."""
    document = copy.deepcopy(document)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        path = rng.choice(list(places(document)))
        if path:
            holder = document
            for key in path[:-1]:
                holder = holder[key]
            _damage(holder, path[-1], rng)
        elif rng.random() < 0.1:
            return json.dumps(rng.choice(NASTY)).encode()
    text = json.dumps(document)
    return _in_bytes(text, rng)


def _damage(holder: Any, key: Any, rng: Random) -> None:
    what = rng.choice(["replace", "replace", "replace", "delete", "add", "deepen", "repeat", "other"])
    if what == "delete":
        del holder[key]
    elif what == "deepen":
        for _ in range(rng.choice([1, 2, 50, 100])):
            holder[key] = [holder[key]] if rng.random() < 0.5 else {"a": holder[key]}
    elif what == "repeat" and isinstance(holder, list):
        holder += holder[: rng.choice([1, 100])] * rng.choice([1, 50])
    elif what == "add" and isinstance(holder, dict):
        holder[rng.choice(["", "more", "type", "version", "\ud800", "x" * 3000, "\x1b]0;"])] = rng.choice(NASTY)
    elif what == "other" and isinstance(holder, dict):
        holder[key] = copy.deepcopy(rng.choice(list(holder.values())))
    else:
        holder[key] = copy.deepcopy(rng.choice(NASTY))


def _in_bytes(text: str, rng: Random) -> bytes:
    what = rng.random()
    if what < 0.05:  # numbers as no dump writes them
        digits = [i for i, letter in enumerate(text) if letter in "0123456789"]
        at = rng.choice(digits) if digits else 0
        text = text[:at] + rng.choice(["1e400", "-1e999", "9" * 5000, "00", "0x1", "1" * 300]) + text[at + 1 :]
    elif what < 0.08:  # a name that stands twice
        text = text.replace("{", '{"a": 1, "a": 2, ', 1) if rng.random() < 0.5 else text[:-1] + ', "state": {}}'
    elif what < 0.1:
        text = text.replace(": ", ": " + "[" * 100_000, 1)
    raw = text.encode()
    if 0.1 <= what < 0.15:
        return raw[: rng.randrange(len(raw))]
    if 0.15 <= what < 0.2:
        at = rng.randrange(len(raw))
        return raw[:at] + bytes([rng.randrange(256)]) + raw[at + rng.choice([0, 1]) :]
    return raw


def damaged_safetensors(content: bytes, rng: Random) -> bytes:
    """A safetensors file with its header damaged; in some, the checksum goes with what is in there."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    numbers = content[8 + length :]
    what = rng.random()
    if what < 0.4:
        del header["__metadata__"]  # as another program writes it
    elif what < 0.6:
        config = rng.choice(
            ["null", "[]", "{}", '{"type": 1}', "[" * 5000, '{"type": "MLP", "nin": NaN}', "x", "9" * 5000]
        )
        digest = hashlib.sha256(config.encode())
        for name in sorted(set(header) - {"__metadata__"}):
            start, end = header[name]["data_offsets"]
            digest.update(f"{name} {tuple(header[name]['shape'])} ".encode() + numbers[start:end])
        header["__metadata__"] |= {"config": config, "sha256": digest.hexdigest()}
    elif what < 0.7:
        version = rng.choice(["9" * 5000, "٣", "2", "-1", "", "1.0"])
        header["__metadata__"]["version"] = version
    made = json.dumps(header).encode() if 0.4 <= what < 0.7 else damaged(header, rng)
    made += b" " * (-len(made) % 8)
    return struct.pack("<Q", rng.choice([len(made)] * 6 + [2**63, 0, len(made) + 8])) + made + numbers
