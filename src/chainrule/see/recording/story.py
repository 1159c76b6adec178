"""From what a recorder kept to the recording itself: entries get indices, instructions places, nodes their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from chainrule.see.recording.document import Node, OperationInfo, Recording
from chainrule.see.recording.events import Place
from chainrule.see.recording.places import Instruction, Places
from chainrule.see.recording.recorder import Entry, Recorder


def tell(recorder: Recorder, recording: Recording, with_text: bool) -> None:
    """Fills a recording with what a recorder kept.

    Args:
        recorder: it has finished.
        recording: an empty one.
        with_text: whether the sources' texts are kept.
    """
    entries = list(recorder.entries.values())
    places = Places(_instructions(entries, recorder.events), with_text)
    numbers = {entry: i for i, entry in enumerate(entries)}
    operations = _Operations()
    names = _names(entries, places)
    for entry in entries:
        recording.nodes.append(
            Node(
                op=operations.index(entry.op),
                operands=tuple([numbers[x] for x in entry.operands]),
                data=entry.data,
                locals=entry.locals,
                label=names.get(entry, ""),
                constant=int(entry.constant),
                place=places.place(entry.made_at),
                grad=entry.grad or None,
            )
        )
    recording.operations = operations.rows
    recording.events = [_event(event, numbers, places) for event in recorder.events]
    recording.sources = places.sources()
    recording.dropped = recorder.dropped()
    recording.training = recorder.series.told(numbers)


def _instructions(entries: Iterable[Entry], events: Iterable[tuple[Any, ...]]) -> list[Instruction]:
    made = [entry.made_at for entry in entries if entry.made_at is not None]
    return list(dict.fromkeys([*made, *[field for event in events for field in event if type(field) is tuple
                                        and _is_instruction(field)]]))  # fmt: skip


def _is_instruction(field: tuple[Any, ...]) -> bool:
    return len(field) == 2 and hasattr(field[0], "co_code")


def _event(event: tuple[Any, ...], numbers: dict[Entry, int], places: Places) -> Any:
    kind, *fields = event
    return kind(*[_field(x, numbers, places) for x in fields])


def _field(x: Any, numbers: dict[Entry, int], places: Places) -> int | float | str | tuple | Place | None:
    if isinstance(x, Entry):
        return numbers[x]
    return places.place(x) if type(x) is tuple and _is_instruction(x) else x


class _Operations:
    """The operations of a recording, each once."""

    def __init__(self) -> None:
        self.rows: list[OperationInfo] = []
        self._places: dict[Any, int] = {None: -1}

    def index(self, op: Any) -> int:
        """The place of an operation in the list; -1 for None, of a leaf."""
        if op not in self._places:
            self._places[op] = len(self.rows)
            self.rows.append(OperationInfo(op.name, op.symbol, op.operand_names, int(op.built_in)))
        return self._places[op]


def _names(entries: list[Entry], places: Places) -> dict[Entry, str]:
    """The names of nodes: a label of the user's own, else the name of a model's parameter or input, else the name to
    which the source assigns it."""
    names = _assigned(entries, places)
    names |= {entry: entry.name for entry in entries if entry.name}
    labels = {entry: getattr(entry.node, "label", "") for entry in entries}  # another engine's nodes may have none
    return names | {entry: label for entry, label in labels.items() if label and isinstance(label, str)}


def _assigned(entries: list[Entry], places: Places) -> dict[Entry, str]:
    """The names that the source assigns. An expression may make many nodes, as a call of a model does: its value is the
    one that no other of them is made of. Where there are several, as in a loop, the name is none of theirs alone."""
    made: dict[Instruction, dict[Entry, None]] = defaultdict(dict)
    for entry in entries:
        if entry.made_at is not None and not entry.constant:
            made[entry.made_at][entry] = None
            for x in entry.operands:
                made[entry.made_at].pop(x, None)
    return {next(iter(last)): name for at, last in made.items() if len(last) == 1 and (name := places.name(at))}
