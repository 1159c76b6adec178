"""Replay: the proof of a recording. From its leaves, its own events give its numbers again, or the first that differs.

Numbers are calculated by the table of operations, and gradients added in the order of the events, so a recording of
chainrule's own engine is met bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chainrule.core.operation import TABLE
from chainrule.see.recording.document import Recording
from chainrule.see.recording.events import AddedBack, Aside, Began, Deposit, Made, Nothing, Refreshed, SetGrad, Wrote


@dataclass(frozen=True)
class Difference:
    """Where a recording and its replay differ.

    Attributes:
        event: the index of the event.
        node: the node whose number it is.
        what: which of its numbers: "data", "local 0", "before", "product", "after", ….
        recorded: the number in the recording.
        right: the number that the rules give.
    """

    event: int
    node: int
    what: str
    recorded: float | None
    right: float | None

    def __str__(self) -> str:
        return f"event {self.event}: {self.what} of node {self.node} is {self.recorded}, and should be {self.right}"


def replay(recording: Recording) -> list[Difference]:
    """Runs the events of a recording again, and returns where its numbers are not what the rules give.

    Operations that are not in the table are taken as recorded.

    >>> import chainrule
    >>> a = chainrule.Value(2.0)
    >>> replay(chainrule.record(chainrule.tanh(a) * a))
    []
    """
    return _Replay(recording).run()


class _Replay:
    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.data = [node.data for node in recording.nodes]
        self.locals = [node.locals for node in recording.nodes]
        self.grads = [node.grad or 0.0 for node in recording.nodes]
        self.found: list[Difference] = []
        self.at = 0
        self.root, self.seed = -1, 0.0

    def run(self) -> list[Difference]:
        steps: dict[type, Any] = {
            Made: self._made,
            Refreshed: self._refreshed,
            Wrote: self._wrote,
            SetGrad: self._set_grad,
            Began: self._began,
            Aside: self._aside,
            Deposit: self._deposit,
            Nothing: self._nothing,
            AddedBack: self._added_back,
        }
        for at, event in enumerate(self.recording.events):
            self.at = at
            if step := steps.get(type(event)):
                step(event)
        return self.found

    def _same(self, node: int, what: str, recorded: float | None, right: float | None) -> None:
        if repr(recorded) != repr(right):  # as text, since nan does not equal nan, and 0.0 equals -0.0
            self.found.append(Difference(self.at, node, what, recorded, right))

    def _calculate(self, node: int, data: float, locals: tuple[float | None, ...]) -> None:
        """Compares a result with what its operation gives."""
        row = self.recording.nodes[node]
        op = TABLE.get(self.recording.operations[row.op].name) if row.op >= 0 else None
        if op is None:
            return
        numbers = [self.data[x] for x in row.operands]
        y = float(op.value(*numbers))
        self._same(node, "data", data, y)
        operands = op.row(numbers, y)
        for i, (local, x) in enumerate(zip(locals, row.operands, strict=True)):
            flows = op.flows(i) and not self.recording.nodes[x].constant
            self._same(node, f"local {i}", local, op.slope(i, operands, y) if flows else None)

    def _made(self, event: Made) -> None:
        node = self.recording.nodes[event.node]
        self._calculate(event.node, node.data, node.locals)

    def _refreshed(self, event: Refreshed) -> None:
        self._calculate(event.node, event.data, event.locals)
        self.data[event.node], self.locals[event.node] = event.data, event.locals

    def _wrote(self, event: Wrote) -> None:
        self._same(event.node, "data before", event.before, self.data[event.node])
        self.data[event.node] = event.after

    def _set_grad(self, event: SetGrad) -> None:
        if event.place is not None:
            self._same(event.node, "gradient before", event.before, self.grads[event.node])
        self.grads[event.node] = event.after

    def _began(self, event: Began) -> None:
        for node in self.recording.below(event.root):
            self.grads[node] = 0.0 if self.recording.nodes[node].op >= 0 else self.grads[node]
        self.root, self.seed = event.root, event.seed
        if self.recording.nodes[event.root].op >= 0 or not self.grads[event.root]:
            self.grads[event.root] = event.seed

    def _aside(self, event: Aside) -> None:
        self._same(event.node, "gradient set aside", event.before, self.grads[event.node])
        self.grads[event.node] = self.seed if event.node == self.root else 0.0  # the root may be a leaf

    def _handed(self, event: Deposit | Nothing) -> None:
        self._same(event.giver, "upstream", event.upstream, self.grads[event.giver])
        self._same(event.giver, f"local {event.position}", event.local, self.locals[event.giver][event.position])

    def _deposit(self, event: Deposit) -> None:
        self._handed(event)
        product = None if event.local is None else event.local * event.upstream
        self._same(event.into, "product", event.product, product)
        self._same(event.into, "before", event.before, self.grads[event.into])
        self._same(event.into, "after", event.after, event.before + (product or 0.0))
        self.grads[event.into] = event.after

    def _nothing(self, event: Nothing) -> None:
        self._handed(event)
        if event.local and event.upstream:
            self._same(event.into, "product", None, event.local * event.upstream)

    def _added_back(self, event: AddedBack) -> None:
        self._same(event.node, "sum", event.sum, self.grads[event.node])
        self._same(event.node, "after", event.after, event.sum + event.aside)
        self.grads[event.node] = event.after
