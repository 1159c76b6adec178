"""The document itself: nodes, events and sources, and how they are written as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from chainrule.core.files import FilePath, atomic_write
from chainrule.see.recording.events import KINDS, NAMES, Deposit, Event, Place
from chainrule.see.recording.rows import COLUMNS, to_rows
from chainrule.see.recording.training import Training

FORMAT, VERSION = "chainrule recording", 2


class Node(NamedTuple):
    """A number of the program.

    Attributes:
        op: the index of its operation, or -1 for a leaf.
        operands: the indices of its operands, as often as they occur.
        data: its number, when it was made or first seen.
        locals: the local derivative in each operand; None where no derivative flows.
        label: its name, "" if it has none.
        constant: 1 for a plain number in a formula, such as the 3 in 3 * x, which gets no gradient; else 0.
        place: where it was made, if that is known.
        grad: its gradient when it was first seen; None for a number that had been given none by then.
    """

    op: int
    operands: tuple[int, ...]
    data: float
    locals: tuple[float | None, ...]
    label: str
    constant: int
    place: Place | None
    grad: float | None


class OperationInfo(NamedTuple):
    """What a document says of an operation: `table` is 1 if it is one of chainrule's own table."""

    name: str
    symbol: str
    operands: tuple[str, ...] | None
    table: int


class Source(NamedTuple):
    """A text in which places lie: its name, relative to the working folder, the text, None where it is not there or was
    left out, the number of the text's first line, and why there is no text."""

    name: str
    text: str | None
    first: int
    why: str


class Dropped(NamedTuple):
    """What a recording does not hold, counted: passes of `backward()` and nodes beyond the limits, and training steps
    that ran in native code."""

    passes: int = 0
    nodes: int = 0
    compiled_steps: int = 0

    def __str__(self) -> str:
        counts = zip((self.passes, self.nodes, self.compiled_steps), _DROPPED, strict=True)
        return "; ".join(f"{count} {one if count == 1 else many}" for count, (one, many) in counts if count)


_DROPPED = (
    ("earlier backward pass is not kept", "earlier backward passes are not kept"),
    ("node is not kept", "nodes are not kept"),
    ("training step ran in native code, unrecorded", "training steps ran in native code, unrecorded"),
)


class Engine(NamedTuple):
    """Whose numbers these are: `own` is 1 for chainrule's, 0 for those of another class of this name. `said` is what
    could not be seen there."""

    name: str = "chainrule"
    own: int = 1
    said: tuple[str, ...] = ()


@dataclass
class Recording:
    """What a program's numbers did: nodes, and events in the order in which they happened.

    It is made by `chainrule.record(value)` or `chainrule.recording()`.

    >>> import chainrule
    >>> with chainrule.recording() as story:
    ...     a = chainrule.Value(2.0, label="a")
    ...     (a * a).backward()
    >>> [(event.before, event.after) for event in story.deposits()]
    [(0.0, 2.0), (2.0, 4.0)]
    """

    title: str = ""
    nodes: list[Node] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    operations: list[OperationInfo] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    dropped: Dropped = field(default_factory=Dropped)
    engine: Engine = field(default_factory=Engine)
    training: Training = field(default_factory=Training)

    def save(self, path: FilePath) -> None:
        """Writes the recording as JSON, in one step; `load_recording` reads it.

        Raises:
            SavedFileError: the file cannot be written.
        """
        atomic_write(path, json.dumps(self.to_document(), ensure_ascii=False, allow_nan=False))

    def deposits(self) -> list[Deposit]:
        """Every deposit that is recorded, in order."""
        return [event for event in self.events if isinstance(event, Deposit)]

    def below(self, root: int) -> list[int]:
        """The indices of a node and of all that it is made of, operands first."""
        seen, todo = {root}, [root]
        while todo:
            fresh = [x for x in self.nodes[todo.pop()].operands if x not in seen]
            seen.update(fresh)
            todo += fresh
        return sorted(seen)

    def name_of(self, node: int) -> str:
        """The words for a node: its label, or how it was made."""
        label, op = self.nodes[node].label, self.nodes[node].op
        return label or (self.operations[op].name if op >= 0 else f"{self.nodes[node].data!r}")

    def to_document(self) -> dict[str, Any]:
        """The recording as a document of plain lists and dicts, as JSON has them; see `docs/see.md` for its parts."""
        columns: dict[str, Any] = {
            "nodes": Node,
            "operations": OperationInfo,
            "sources": Source,
            "place": Place,
            **KINDS,
        }
        places: dict[Place, int] = {}
        written = _Writer(places)
        document = {
            "format": FORMAT,
            "version": VERSION,
            "title": self.title,
            "engine": written(self.engine),
            "dropped": self.dropped._asdict(),
            "columns": {**{name: list(kind._fields) for name, kind in columns.items()}, **COLUMNS},
            "operations": [written(op) for op in self.operations],
            "sources": [written(source) for source in self.sources],
            "nodes": [written(node) for node in self.nodes],
            "training": written(self.training),
            "events": list(to_rows(self.events, self.nodes, written)),
        }
        document["places"] = [list(place) for place in places]
        return document

    def __repr__(self) -> str:
        passes = sum(NAMES[type(event)] == "began" for event in self.events)
        left = f"; {self.dropped}" if any(self.dropped) else ""
        return f"<recording of {len(self.nodes)} nodes, {len(self.events)} events, {passes} backward passes{left}>"


class _Writer:
    """Makes lists of tuples, with those within them; numbers that JSON lacks are text, and of a place only its index
    stands there."""

    def __init__(self, places: dict[Place, int]) -> None:
        self._places = places

    def __call__(self, fields: Sequence[Any]) -> list[Any]:
        return [x if type(x) is int or type(x) is str else self._plain(x) for x in fields]

    def _plain(self, x: Any) -> Any:
        if type(x) is float:
            return x if math.isfinite(x) else str(x)
        if type(x) is Place:
            return self._places.setdefault(x, len(self._places))
        return self(x) if isinstance(x, tuple) else x
