"""What is known after each event: which numbers there are, and in which of four states each gradient is.

A gradient is *not reached yet*; or it is *a number*; or *nothing came*, with the reason; or it is that of *a constant*,
which never gets one. This follows from the events alone: a `.grad` of 0 would not tell the first from the third.
"""

from __future__ import annotations

from typing import NamedTuple

from chainrule.see.recording.document import Recording
from chainrule.see.recording.events import (
    NO_FLOW,
    AddedBack,
    Aside,
    Began,
    Deposit,
    Made,
    Nothing,
    Refreshed,
    SetGrad,
    Wrote,
)

NOT_REACHED, NUMBER, NOTHING_CAME, CONSTANT = "not reached yet", "a number", "nothing came", "a constant"

BETWEEN = 1000
"""At least so many events lie between two states that are kept, from which all others are reached; in large graphs as
many as a tenth of the nodes, since a state has a number for each node."""


class Gradient(NamedTuple):
    """The state of a gradient: one of the four, its number (0.0 unless it is one), and why nothing came."""

    state: str
    number: float = 0.0
    why: str = ""


class State:
    """What is known at a moment.

    Attributes:
        data: the number of each node; None if it is not made yet.
        gradients: the gradient of each node.
        aside: the gradients that were set aside, by node.
    """

    def __init__(self, data: list[float | None], gradients: list[Gradient], aside: dict[int, float]) -> None:
        self.data, self.gradients, self.aside = data, gradients, aside

    def copy(self) -> State:
        return State(list(self.data), list(self.gradients), dict(self.aside))


class Timeline:
    """The states of a recording. `at(i)` is what is known once the first i events have happened.

    >>> import chainrule
    >>> a = chainrule.Value(3.0, label="a")
    >>> timeline = Timeline(chainrule.record(a * a))
    >>> [timeline.at(i).gradients[0].state for i in range(len(timeline) + 1)]
    ['not reached yet', 'not reached yet', 'not reached yet', 'not reached yet', 'a number', 'a number', 'a number']
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._between = max(BETWEEN, len(recording.nodes) // 10)
        self._kept = [self._beginning()]
        self._below: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return len(self.recording.events)

    def at(self, i: int) -> State:
        """What is known after the first `i` events; 0 for none of them.

        Raises:
            IndexError: there are not so many.
        """
        if not 0 <= i <= len(self):
            raise IndexError(f"there are {len(self)} events, and so no state {i}")
        nearest = i // self._between
        while len(self._kept) <= nearest:
            start = (len(self._kept) - 1) * self._between
            self._kept.append(self._moved(self._kept[-1], start, start + self._between))
        return self._moved(self._kept[nearest], nearest * self._between, i)

    def _beginning(self) -> State:
        made = {event.node for event in self.recording.events if isinstance(event, Made)}
        nodes = self.recording.nodes
        data = [None if i in made else node.data for i, node in enumerate(nodes)]
        gradients = [
            Gradient(CONSTANT) if node.constant else Gradient(NOT_REACHED) if node.grad is None else
            Gradient(NUMBER, node.grad) for node in nodes
        ]  # fmt: skip
        return State(data, gradients, {})

    def _moved(self, state: State, start: int, end: int) -> State:
        state = state.copy()
        for event in self.recording.events[start:end]:
            self._apply(event, state)
        return state

    def _apply(self, event: object, state: State) -> None:
        nodes, gradients = self.recording.nodes, state.gradients
        match event:
            case Made(node):
                state.data[node] = nodes[node].data
            case Refreshed(node, data) | Wrote(node, _, data):
                state.data[node] = data
            case SetGrad(node, _, after):
                if gradients[node].state != CONSTANT:
                    gradients[node] = Gradient(NUMBER, after) if after else Gradient(NOT_REACHED)
            case Began(_, root, seed):
                for node in self._under(root):
                    if not nodes[node].constant:
                        gradients[node] = Gradient(NOT_REACHED)
                gradients[root] = Gradient(NUMBER, seed)
                state.aside = {}
            case Aside(node, before):
                state.aside[node] = before
            case Deposit(into=into, after=after):
                gradients[into] = Gradient(NUMBER, after)
            case Nothing(into=into, why=why):
                gradients[into] = _nothing_came(gradients[into], why)
            case AddedBack(node, after=after):
                gradients[node] = Gradient(NUMBER, after)
                state.aside.pop(node, None)

    def _under(self, root: int) -> list[int]:
        """What `backward()` sets afresh: of our own engine the whole graph, of another only what it writes itself."""
        if root not in self._below:
            self._below[root] = self.recording.below(root) if self.recording.engine.own else []
        return self._below[root]


def _nothing_came(before: Gradient, why: str) -> Gradient:
    """The state after an operation handed on nothing. Of several reasons the first counts, but that one operation is
    constant in a number says least."""
    if before.state == NOT_REACHED or (before.state == NOTHING_CAME and before.why == NO_FLOW):
        return Gradient(NOTHING_CAME, 0.0, why)
    return before
