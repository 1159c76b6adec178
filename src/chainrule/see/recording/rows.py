"""Events as rows of a document, and back. What follows from the nodes is not written: rows are few and short.

Two rows stand for many events each. `["run", first, last]` says that each node from `first` to `last` was made, in
this order. `["gave", giver]` says that a result handed its gradient to all its operands, as the rules have it: from the
local derivatives of the node and the gradients so far, the same deposits follow, bit for bit. An event of which that is
not true is written in full.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from chainrule.see.recording.events import (
    NAMES,
    NO_FLOW,
    NO_LOCAL,
    NO_UPSTREAM,
    AddedBack,
    Began,
    Deposit,
    Event,
    Made,
    Nothing,
    Refreshed,
    SetGrad,
)

RUN, GAVE = "run", "gave"
COLUMNS = {RUN: ["first", "last"], GAVE: ["giver"]}
"""The columns of the rows that stand for several events."""

MOST_EVENTS = 20_000_000
"""A document that stands for more is refused."""

_SHORTEST_RUN = 3  # a shorter one takes no less room

Locals = Sequence[float | None]


class TooManyEventsError(ValueError):
    """Rows that stand for more events than any face can show."""


class Gradients:
    """What the gradients are after each event, as far as deposits follow from that."""

    def __init__(self, nodes: Sequence[Any]) -> None:
        self._nodes = nodes
        self._grads: dict[int, float] = {}
        self._locals: dict[int, Locals] = {}

    def take(self, event: Event) -> None:
        """Goes on by an event."""
        if isinstance(event, Deposit):
            self._grads[event.into] = event.after
        elif isinstance(event, Began):
            self._grads = {event.root: event.seed}
        elif isinstance(event, SetGrad | AddedBack):
            self._grads[event.node] = event.after
        elif isinstance(event, Refreshed):
            self._locals[event.node] = event.locals

    def handed_on(self, giver: int) -> list[Deposit | Nothing]:
        """What a node hands on next, by the rules."""
        node, now = self._nodes[giver], dict[int, float]()
        upstream = self._grads.get(giver, 0.0)
        found: list[Deposit | Nothing] = []
        for position, (into, local) in enumerate(zip(node.operands, self._locals.get(giver, node.locals), strict=True)):
            if local is None or not local or not upstream:
                why = NO_FLOW if local is None else NO_UPSTREAM if not upstream else NO_LOCAL
                found.append(Nothing(giver, position, into, upstream, local, why))
                continue
            product, before = local * upstream, now.get(into, self._grads.get(into, 0.0))
            now[into] = before + product
            found.append(Deposit(giver, position, into, upstream, local, product, before, now[into]))
        return found


def to_rows(events: Sequence[Event], nodes: Sequence[Any], written: Callable[[Any], list[Any]]) -> Iterator[list[Any]]:
    """The rows of events.

    Args:
        events: the events.
        nodes: the nodes of the recording.
        written: makes a list of the fields of an event.
    """
    gradients, i = Gradients(nodes), 0
    while i < len(events):
        event, end = events[i], i + 1
        if isinstance(event, Made):
            while end < len(events) and events[end] == (event.node + end - i,) and type(events[end]) is Made:
                end += 1
        elif isinstance(event, Deposit | Nothing) and event.position == 0:
            end = i + len(nodes[event.giver].operands)
        if end - i >= _SHORTEST_RUN and isinstance(event, Made):
            yield [RUN, event.node, event.node + end - i - 1]
        elif isinstance(event, Deposit | Nothing) and _same(events[i:end], gradients.handed_on(event.giver)):
            yield [GAVE, event.giver]
        else:
            end = i + 1
            yield [NAMES[type(event)], *written(event)]
        for each in events[i:end]:
            gradients.take(each)
        i = end


def to_events(rows: Sequence[list[Any]], nodes: Sequence[Any], read: Callable[[list[Any]], Event]) -> list[Event]:
    """The events of rows.

    Args:
        rows: what `to_rows` gave.
        nodes: the nodes of the recording.
        read: makes an event of a row that stands for one.

    Raises:
        TooManyEventsError: they stand for more than `MOST_EVENTS`.
    """
    gradients, events = Gradients(nodes), list[Event]()
    for row in rows:
        if row[0] == RUN:
            found: list[Any] = [Made(node) for node in range(row[1], row[2] + 1)]
        else:
            found = gradients.handed_on(row[1]) if row[0] == GAVE else [read(row)]
        for event in found:
            gradients.take(event)
        events += found
        if len(events) > MOST_EVENTS:
            raise TooManyEventsError(f"its rows stand for more than {MOST_EVENTS:,} events")
    return events


def _same(events: Sequence[Event], others: Sequence[Event]) -> bool:
    """Whether events are the same to the bit: 0 is not -0, and nan is nan."""
    return len(events) == len(others) and all(
        type(x) is type(y) and x[:3] == y[:3] and _bits(x[3:]) == _bits(y[3:])
        for x, y in zip(events, others, strict=True)
    )


def _bits(fields: Sequence[Any]) -> list[Any]:
    return [struct.pack("d", x) if type(x) is float else x for x in fields]
