"""What remains of a recording when its oldest events are dropped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chainrule.see.recording.events import AddedBack, Began, Deposit, Refreshed, SetGrad, Wrote


def go_on_from(gone: Iterable[tuple[Any, ...]]) -> None:
    """Gives entries the numbers and gradients that they had after events which are dropped: what remains begins with
    them."""
    for kind, *fields in gone:
        if kind is Wrote:
            fields[0].data = fields[2]
        elif kind is Refreshed:
            fields[0].data, fields[0].locals = fields[1], fields[2]
        elif kind is SetGrad:
            fields[0].grad = fields[2]
        elif kind is AddedBack:
            fields[0].grad = fields[3]
        elif kind is Deposit:
            fields[2].grad = fields[7]
        elif kind is Began:
            fields[1].grad = fields[2]


def first_kept(events: Iterable[tuple[Any, ...]]) -> set[Any]:
    """The entries that these events name, and all that these are made of."""
    kept: set[Any] = set()
    todo = [field for _, *fields in events for field in fields if hasattr(field, "operands")]
    while todo:
        entry = todo.pop()
        if entry not in kept:
            kept.add(entry)
            todo += entry.operands
    return kept
