"""Walks through the house: which rooms does a call enter, in which order, and where does it go back?

    CHAINRULE_PURE=1 python tools/walk.py
    CHAINRULE_PURE=1 PYTHONPATH=another/tree/src python tools/walk.py   # the same, of another state

A room is a module or a folder of the package; within the compiler, one of the compiler's. Each walk is one thing that
users do, done once beforehand, so that imports and what is made only once do not count. Printed are the rooms in the
order in which they are first entered, and the *returns*: pairs of rooms of which the later one calls a function of the
earlier one. Those go down (⇒), to a room that the calling one imports, itself or by way of others, or up (⇑), where it
was handed a function or an object to call. A compiled engine's own calls are not seen, hence CHAINRULE_PURE=1.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import chainrule

PACKAGE = Path(chainrule.__file__).parent
IRIS = Path(__file__).parents[1] / "examples" / "data" / "iris.csv"
NESTED = ("compiler",)
"""The rooms that are themselves divided into rooms."""


class Walk:
    """The rooms that one call enters.

    Attributes:
        rooms: in the order in which they were first entered.
        returns: (from, to), where a room called a function of one that was entered before it, each with the functions
            of the first such call.
    """

    def __init__(self, work: Callable[[], Any]) -> None:
        self.rooms: list[str] = []
        self.returns: dict[tuple[str, str], tuple[str, str]] = {}
        self._room_of: dict[str, str | None] = {}
        before = sys.getprofile()
        sys.setprofile(self._event)
        try:
            work()
        finally:
            sys.setprofile(before)

    def _event(self, frame: FrameType, event: str, _: Any) -> None:
        room = self._room(frame) if event == "call" else None
        if room is None:
            return
        if room not in self.rooms:
            self.rooms.append(room)
        caller = frame.f_back
        while caller is not None and self._room(caller) is None:
            caller = caller.f_back
        if caller is not None and self.rooms.index(room) < self.rooms.index(self._room(caller) or room):
            functions = caller.f_code.co_qualname, frame.f_code.co_qualname
            self.returns.setdefault((str(self._room(caller)), room), functions)

    def _room(self, frame: FrameType) -> str | None:
        file = frame.f_code.co_filename
        if file not in self._room_of:
            self._room_of[file] = room_of(Path(file))
        return self._room_of[file]


def room_of(file: Path) -> str | None:
    """The room that a file is in; None for files of others.

    >>> room_of(PACKAGE / "nn" / "layers.py"), room_of(PACKAGE / "compiler" / "loops" / "program.py")
    ('nn', 'compiler/loops')
    """
    if not file.is_relative_to(PACKAGE):
        return None
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return "/".join(parts[: 2 if parts[0] in NESTED else 1])


def below(room: str) -> set[str]:
    """The rooms that a room imports, and those that they import, and so on."""
    found, left = {room}, [room]
    while left:
        inside = PACKAGE / left.pop()
        files = inside.rglob("*.py") if inside.is_dir() else [inside.with_suffix(".py")]
        paths = [PACKAGE.joinpath(*name.split(".")[1:]) for file in files for name in imported(file)]
        rooms = {room for room in map(room_of, paths) if room is not None} - found
        found |= rooms
        left += [room for room in rooms if (PACKAGE / room).is_dir() or (PACKAGE / room).with_suffix(".py").exists()]
    return found - {room}


def imported(file: Path) -> list[str]:
    """What a file imports from chainrule: `chainrule.nn.MLP` for `from chainrule.nn import MLP`."""
    text = file.read_text(encoding="utf-8")
    whole = re.findall(r"^\s*import (chainrule\.[\w.]+)", text, re.MULTILINE)
    parts = re.findall(r"^\s*from (chainrule[\w.]*) import (\(.*?\)|[^\n]*)", text, re.MULTILINE | re.DOTALL)
    return whole + [f"{module}.{name}" for module, names in parts for name in re.findall(r"(\w+)(?: as \w+)?", names)]


def train(folder: str) -> None:
    """Two epochs on the iris flowers by the command line; nothing is printed."""
    from chainrule.cli import main  # noqa: PLC0415 - needs an extra

    files = ["--model", f"{folder}/model.json", "--picture", f"{folder}/picture.png"]
    quiet = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with quiet[0], quiet[1], contextlib.suppress(SystemExit):
        main(["train", str(IRIS), "--epochs", "2", *files, "--quiet", "--force"])


def walks(folder: str) -> dict[str, Callable[[], Any]]:
    """What users do, by how they write it; files are written to the folder."""

    def f(x: Any) -> Any:
        return chainrule.tanh(x * x + 1.0)

    compiled, y = chainrule.compile(f), f(chainrule.Value(2.0, label="x"))
    return {
        "chainrule train iris.csv": lambda: train(folder),
        "compile(f).grad(x)": lambda: compiled.grad(2.0),
        "compile(f).grad(x), the first time": lambda: chainrule.compile(f).grad(2.0),
        "draw(y)": lambda: str(chainrule.draw(y)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Shows the rooms that calls of chainrule enter.")
    parser.add_argument("--calls", action="store_true", help="of each return, show the functions of the first call")
    calls = parser.parse_args().calls
    with tempfile.TemporaryDirectory() as folder:
        for name, work in walks(folder).items():
            work()
            walk = Walk(work)
            up = {pair for pair in walk.returns if pair[1] not in below(pair[0])}
            print(f"{name}: {len(walk.rooms)} rooms, {len(walk.returns)} returns, {len(up)} of them up")
            print("  rooms  ", " → ".join(walk.rooms))
            arrows = {pair: f" {'⇑' if pair in up else '⇒'} ".join(pair) for pair in walk.returns}
            print("  returns", ", ".join(arrows.values()) or "none")
            for pair, functions in walk.returns.items() if calls else ():
                print("    {2}: {0} calls {1}".format(*functions, arrows[pair]))


if __name__ == "__main__":
    main()
