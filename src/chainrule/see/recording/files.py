"""Recordings in files: JSON that is written whole or not at all, and read only if it is what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.core.files import FilePath, read_file
from chainrule.errors import SavedFileError, shown
from chainrule.saving import schema
from chainrule.saving.schema import Integer, Kind, ListOf, Nullable, Record, SchemaError, Text, TupleOf
from chainrule.see.recording.document import (
    FORMAT,
    VERSION,
    Dropped,
    Engine,
    Node,
    OperationInfo,
    Recording,
    Source,
)
from chainrule.see.recording.events import KINDS, NO_FLOW, NO_LOCAL, NO_UPSTREAM, Deposit, Nothing, Place
from chainrule.see.recording.rows import GAVE, RUN, TooManyEventsError, to_events
from chainrule.see.recording.training import Training

MOST_NODES = 1_000_000
"""A document with more nodes is refused: no face can show it."""
_MOST_LETTERS = 10_000_000

_NOT_FINITE = {"inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}


class _Numeral(Kind):
    """A number; those that JSON lacks are text."""

    words = 'a number, "inf", "-inf" or "nan"'

    def check(self, x: Any, path: str) -> None:
        if type(x) not in (int, float) and (type(x) is not str or x not in _NOT_FINITE):
            raise self.refuse(x, path)


class _OneOf(Kind):
    """One of some words."""

    def __init__(self, *words: str) -> None:
        self.words = " or ".join(f'"{word}"' for word in words)
        self._all = words

    def check(self, x: Any, path: str) -> None:
        if type(x) is not str or x not in self._all:
            raise self.refuse(x, path)


NUMBER, LOCAL, FLAG, COUNT = _Numeral(), Nullable(_Numeral()), Integer(0, 1), Integer(0)
TEXT, LONG = Text(), Text(longest=_MOST_LETTERS)
_LINE, _COLUMN = Integer(1), Nullable(Integer(0))


def _schema(document: Any) -> Record:
    """The schema of this document: an index must be that of something the document has."""
    counted = ("nodes", "sources", "operations", "places")
    counts = {name: len(x) if isinstance(x := document.get(name), list) else 0 for name in counted}
    node = Integer(0, counts["nodes"] - 1)
    place = Nullable(Integer(0, counts["places"] - 1))
    nodes = TupleOf(
        (Integer(-1, counts["operations"] - 1), ListOf(node), NUMBER, ListOf(LOCAL), TEXT, FLAG, place, LOCAL)
    )
    names = ListOf(Text(longest=100), maximum=1000)
    return Record(
        {
            "format": _OneOf(FORMAT),
            "version": Integer(VERSION, VERSION),
            "title": TEXT,
            "engine": TupleOf((Text(longest=1000), FLAG, ListOf(TEXT))),
            "dropped": Record(dict.fromkeys(Dropped._fields, COUNT)),
            "columns": schema.MapOf(ListOf(Text(longest=100))),
            "operations": ListOf(TupleOf((Text(longest=1000), Text(longest=1000), Nullable(names), FLAG))),
            "sources": ListOf(TupleOf((TEXT, Nullable(LONG), _LINE, TEXT))),
            "places": ListOf(TupleOf((Integer(0, counts["sources"] - 1), _LINE, _COLUMN, _LINE, _COLUMN))),
            "nodes": ListOf(nodes, maximum=MOST_NODES),
            "training": TupleOf((ListOf(node), ListOf(COUNT), ListOf(NUMBER), ListOf(ListOf(NUMBER)))),
            "events": ListOf(_EventKind(node, place)),
        }
    )


class _EventKind(Kind):
    """An event: its kind, and then its fields."""

    words = f"an event, which is one of {', '.join(KINDS)}"

    def __init__(self, node: Kind, place: Kind) -> None:
        of_backward = (node, COUNT, node, NUMBER, LOCAL)
        self._fields = {
            "made": (node,),
            "refreshed": (node, NUMBER, ListOf(LOCAL)),
            "asked": (node, _OneOf("data", "truth"), NUMBER, place),
            "wrote": (node, NUMBER, NUMBER, place),
            "set_grad": (node, NUMBER, NUMBER, place),
            "began": (COUNT, node, NUMBER, place),
            "aside": (node, NUMBER),
            "deposit": (*of_backward, LOCAL, NUMBER, NUMBER, FLAG),
            "nothing": (*of_backward, _OneOf(NO_UPSTREAM, NO_LOCAL, NO_FLOW)),
            "added_back": (node, NUMBER, NUMBER, NUMBER),
            "ended": (COUNT, node, FLAG),
            RUN: (node, node),
            GAVE: (node,),
        }

    def check(self, x: Any, path: str) -> None:
        if type(x) is not list or not x or type(x[0]) is not str or x[0] not in self._fields:
            raise self.refuse(x, path)
        kinds = self._fields[x[0]]
        if len(x) != len(kinds) + 1:
            raise SchemaError(f"{path} must have {len(kinds)} fields after its kind, but has {len(x) - 1}")
        for i, kind in enumerate(kinds, 1):
            kind.check(x[i], f"{path}[{i}]")


def load_recording(path: FilePath) -> Recording:
    """Reads a recording that `Recording.save` wrote. Nothing of it is run.

    Raises:
        SavedFileError: the file cannot be read, or is no recording of this version; the message says what is wrong.

    >>> import chainrule, tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     chainrule.record(chainrule.Value(2.0) * 3).save(Path(folder, "y.json"))
    ...     load_recording(Path(folder, "y.json")).nodes[2].data
    6.0
    """
    content = read_file(path)
    try:
        return of_document(schema.parse(content.decode("utf-8")))
    except UnicodeDecodeError:
        raise SavedFileError(f"{path} is no recording: it is not text in UTF-8") from None
    except SchemaError as error:
        raise SavedFileError(f"{path} is no recording of chainrule's, or is damaged: {error}") from None


def of_document(document: Any) -> Recording:
    """Returns the recording that a document holds.

    Raises:
        SchemaError: it is not what `to_document` makes.
    """
    if type(document) is not dict:
        raise SchemaError(f"the document must be a table, not {shown(document)}")
    schema.check(_schema(document), document)
    places = [Place(*row) for row in document["places"]]
    nodes = [_node(row, places) for row in document["nodes"]]
    operations = [OperationInfo(*_tuple(row)) for row in document["operations"]]
    for i, node in enumerate(nodes):
        _check_node(i, node, operations)
    try:
        events = to_events(document["events"], nodes, lambda row: _event(row, places))
    except TooManyEventsError as error:
        raise SchemaError(str(error)) from None
    for i, event in enumerate(events):
        _check_event(i, event, nodes)
    return Recording(
        title=document["title"],
        nodes=nodes,
        events=events,
        operations=operations,
        sources=[Source(*row) for row in document["sources"]],
        dropped=Dropped(**document["dropped"]),
        engine=Engine(*_tuple(document["engine"])),
        training=_training(document["training"]),
    )


def _training(row: list[Any]) -> Training:
    parameters, steps, losses, numbers = row
    if not len(steps) == len(losses) == len(numbers) or any(len(each) != len(parameters) for each in numbers):
        raise SchemaError("training must have a loss for each step, and a number for each parameter in each step")
    rows = tuple([tuple(map(_float, each)) for each in numbers])
    return Training(tuple(parameters), tuple(steps), tuple(map(_float, losses)), rows)


def _check_node(i: int, node: Node, operations: list[OperationInfo]) -> None:
    at = f"nodes[{i}]"
    if any(x >= i for x in node.operands):
        raise SchemaError(f"{at} must be made of nodes before it, not of {[x for x in node.operands if x >= i]}")
    if len(node.locals) != len(node.operands):
        raise SchemaError(f"{at} must have a local derivative for each of its {len(node.operands)} operands")
    if (node.op < 0) != (not node.operands) and (node.op < 0 or operations[node.op].operands):
        raise SchemaError(f"{at} must have operands if it has an operation, and none if it is a leaf")


def _check_event(i: int, event: Any, nodes: list[Node]) -> None:
    if isinstance(event, Deposit | Nothing):
        operands = nodes[event.giver].operands
        if event.position >= len(operands) or operands[event.position] != event.into:
            raise SchemaError(f"events[{i}] must go from a node into one of its operands, at its position")


def _node(row: list[Any], places: list[Place]) -> Node:
    op, operands, data, locals, label, constant, place, grad = row
    where = None if place is None else places[place]
    return Node(op, tuple(operands), _float(data), _floats(locals), label, constant, where, _optional(grad))


def _event(row: list[Any], places: list[Place]) -> Any:
    """An event of its row: numbers become floats, and the index of a place becomes that."""
    kind = KINDS[row[0]]
    event = kind(*[_READERS.get(name, _same)(x) for name, x in zip(kind._fields, row[1:], strict=True)])  # type: ignore[attr-defined]
    return event if getattr(event, "place", None) is None else event._replace(place=places[event.place])


def _same(x: Any) -> Any:
    return x


def _float(x: Any) -> float:
    return _NOT_FINITE[x] if type(x) is str else float(x)


def _optional(x: Any) -> float | None:
    return None if x is None else _float(x)


def _floats(xs: Any) -> tuple[float | None, ...]:
    return tuple([_optional(x) for x in xs])


def _tuple(x: Any) -> Any:
    return tuple([_tuple(each) for each in x]) if isinstance(x, list) else x


_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("data", "answer", "seed", "upstream", "aside", "sum", "before", "after"), _float),
    **dict.fromkeys(("local", "product"), _optional),
    "locals": _floats,
}
"""How the fields of events are read, by their name; all others stay as they are."""
