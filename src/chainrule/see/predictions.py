"""Questions about the next event, made from the graph at hand, and what a wrong answer shows, as in the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chainrule.explain.notation import short
from chainrule.see.recording.document import Recording
from chainrule.see.recording.events import Deposit, Event, Nothing
from chainrule.see.recording.readings import alike, wrong_readings

MOST_WRONG = 4

SAYS = {
    "local alone": "this is the local derivative alone: it is multiplied by the upstream gradient first",
    "upstream alone": "this is the upstream gradient alone: it is multiplied by the local derivative first",
    "=": "this is the last deposit alone: += adds it to what was there, = would replace it",
    "sign": "this has the sign of the deposit turned around",
    "other operand": "this takes the local derivative in the other operand",
    "missing": "this is what was there before the deposit",
}
"""What a wrong answer shows, by the reading that gives its number, in the order in which they are offered."""
ORDER = list(SAYS)


class Choice(NamedTuple):
    """An answer, whether it is right, and what it shows."""

    text: str
    is_right: bool
    says: str


class Question(NamedTuple):
    """A question with its answers, the right one among them."""

    asks: str
    choices: tuple[Choice, ...]


def question_about(
    recording: Recording, event: Event, names: Sequence[str], before: Sequence[Event]
) -> Question | None:
    """Returns the question about an event; None where there is none, or where wrong readings give the right number.

    Args:
        recording: the recording.
        event: the event that comes next.
        names: of the nodes.
        before: the events of this backward pass before it.
    """
    if not isinstance(event, Deposit) or event.local is None or event.product is None:
        return None
    steps = [x for x in before if isinstance(x, Deposit | Nothing)]
    is_first = bool(steps) and all(x.giver != event.giver for x in steps)
    if is_first and any(node != event.giver for node in _waiting(recording, steps)):
        return _who_is_next(recording, event, names, steps)
    return _what_is_after(recording, event, names)


def _waiting(recording: Recording, steps: Sequence[Deposit | Nothing]) -> list[int]:
    """The results that have got something and have not handed it on."""
    gave = {x.giver for x in steps}
    got = dict.fromkeys(x.into for x in steps if isinstance(x, Deposit))
    return [node for node in got if recording.nodes[node].op >= 0 and node not in gave]


def _who_is_next(
    recording: Recording, event: Deposit, names: Sequence[str], steps: Sequence[Deposit | Nothing]
) -> Question | None:
    """Which number hands on its gradient next. Only those are wrong that still wait for something."""
    gave = {x.giver for x in steps}
    above = recording.below(steps[0].giver)
    users = {x for i in above if i not in gave for x in recording.nodes[i].operands}
    wrong = [node for node in _waiting(recording, steps) if node != event.giver and node in users]
    if not wrong:
        return None
    right = names[event.giver]
    says = f"{right}: all that uses it has given it its part, so its gradient is whole"
    choices = [Choice(right, True, says)]
    for node in wrong[:3]:
        lost = "its gradient is not whole, and what comes later would be lost"
        choices.append(
            Choice(names[node], False, f"{names[node]} is used by a number that has not handed on yet: {lost}")
        )
    return Question("Which number hands on its gradient next?", _shuffled(choices, event.giver))


def _what_is_after(recording: Recording, event: Deposit, names: Sequence[str]) -> Question | None:
    """What the gradient of an operand is after a deposit."""
    assert event.local is not None
    assert event.product is not None
    before, product, upstream = event.before, event.product, event.upstream
    others = [x for i, x in enumerate(recording.nodes[event.giver].locals) if i != event.position and x is not None]
    readings = wrong_readings(before, event.local, upstream, others)
    if any(alike(number, event.after) or short(number) == short(event.after) for _, number in readings):
        return None  # a wrong reading gives the right number here
    wrong: dict[str, dict[str, None]] = {}
    for kind, number in [*sorted(readings, key=lambda reading: ORDER.index(reading[0])), ("missing", before)]:
        wrong.setdefault(short(number), {})[SAYS[kind]] = None
    into, right = names[event.into], short(event.after)
    how = f"local {short(event.local)} × upstream {short(upstream)} = {short(product)}"
    choices = [Choice(right, True, f"{how}, and {short(before)} + that is {right}")]
    choices += [Choice(text, False, "; or ".join(says)) for text, says in list(wrong.items())[:MOST_WRONG]]
    asks = (
        f"{names[event.giver]} hands on to {into}: the local derivative is {short(event.local)}, the upstream gradient "
        f"{short(upstream)}. {into} has {short(before)} so far. What is its gradient afterwards?"
    )
    return Question(asks, _shuffled(choices, event.giver * 31 + event.position))


def _shuffled(choices: Sequence[Choice], seed: int) -> tuple[Choice, ...]:
    """The same order each time for the same question."""
    state, keyed = (seed + 1) * 2654435761, []
    for i, choice in enumerate(choices):
        low = state & 0xFFFFFFFF
        state = ((low ^ (low >> 15)) * 2246822519 + 12345) & 0xFFFFFFFF
        keyed.append((state, i, choice))
    return tuple([choice for _, _, choice in sorted(keyed, key=lambda each: each[:2])])
