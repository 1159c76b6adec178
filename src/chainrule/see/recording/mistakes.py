"""The first mistake of another engine: its recording held against the rules, and what is wrong in words."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.core.operation import TABLE
from chainrule.explain.notation import short
from chainrule.see.names import names_of
from chainrule.see.predictions import alike
from chainrule.see.recording.document import Recording
from chainrule.see.recording.events import Began, Deposit, Ended, Made, SetGrad


@dataclass(frozen=True)
class Mistake:
    """Where another engine first differs from the rules.

    Attributes:
        event: the index of the event; the number of events, if something is missing at the end of a pass.
        node: the node whose number is wrong.
        kind: "=", "local alone", "upstream alone", "sign", "other operand", "order", "zero_grad", "number", "missing"
            or "rule".
        expected, found: the numbers.
        words: what is wrong, and why.
    """

    event: int
    node: int
    kind: str
    expected: float
    found: float
    words: str


def first_mistake(recording: Recording) -> Mistake | None:
    """Returns the first event at which a recorded engine differs from a right one; None if there is none.

    What the rules do not know, an operation of the engine's own without local derivatives, counts as right.

    >>> import chainrule
    >>> first_mistake(chainrule.record(chainrule.Value(2.0) * 3)) is None
    True
    """
    return _Judge(recording).first()


class _Judge:
    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.names = names_of(recording)
        self.grads = [node.grad or 0.0 for node in recording.nodes]
        self.passes = 0

    def first(self) -> Mistake | None:
        pending: dict[int, list[tuple[int, Deposit]]] = {}
        for i, event in enumerate(self.recording.events):
            match event:
                case Made(node):
                    if found := self._number(i, node):
                        return found
                case SetGrad(node, _, after):
                    self.grads[node] = after
                case Began(root=root):
                    found = self._left_over(i, root)
                    if found:
                        return found
                    self.grads[root] = 1.0
                    pending = {}
                case Deposit():
                    if found := self._deposit(i, event) or self._too_early(i, event, pending):
                        return found
                    pending.setdefault(event.giver, []).append((i, event))
                    self.grads[event.into] = event.after
                case Ended(root=root):
                    if found := self._missing(i, root, pending):
                        return found
        return None

    def _number(self, i: int, node: int) -> Mistake | None:
        """Whether a result is what its operation gives."""
        row = self.recording.nodes[node]
        op = TABLE.get(self.recording.operations[row.op].name) if row.op >= 0 else None
        if op is None or not self.recording.operations[row.op].table:
            return None
        right = float(op.value(*[self.recording.nodes[x].data for x in row.operands]))
        if alike(right, row.data):
            return None
        words = f"{self.names[node]} is made by {op.name}, which gives {short(right)}, not {short(row.data)}"
        return Mistake(i, node, "number", right, row.data, words)

    def _left_over(self, i: int, root: int) -> Mistake | None:
        """Whether gradients of an earlier pass are still there when the next one begins."""
        self.passes += 1
        if self.passes == 1:
            return None
        for node in _below(self.recording, root):
            if self.grads[node] and self.recording.nodes[node].op >= 0 and node != root:
                still = f"{self.names[node]} still has the gradient {short(self.grads[node])} of an earlier backward()"
                words = f"{still}: set the gradients of results to 0 before each"
                return Mistake(i, node, "zero_grad", 0.0, self.grads[node], words)
        return None

    def _deposit(self, i: int, event: Deposit) -> Mistake | None:
        if event.local is None or event.product is None:
            return None
        before, found = self.grads[event.into], event.after
        right = before + event.product
        if alike(right, found):
            return None
        into = self.names[event.into]
        kind, why = self._diagnosis(event, before)
        how = f"{short(before)} + local {short(event.local)} × upstream {short(event.upstream)} = {short(right)}"
        return Mistake(i, event.into, kind, right, found, f"{into} gets {short(found)}, and should get {how}: {why}")

    def _diagnosis(self, event: Deposit, before: float) -> tuple[str, str]:
        assert event.local is not None
        assert event.product is not None
        row = self.recording.nodes[event.giver]
        others = [x for k, x in enumerate(row.locals) if k != event.position and x is not None]
        name = self.recording.operations[row.op].name
        readings = [
            ("=", event.product, "the deposit replaced what was there, as = does where += is meant"),
            ("local alone", before + event.local, "the local derivative lacks the upstream gradient"),
            (
                "upstream alone",
                before + event.upstream,
                "the upstream gradient was not multiplied by the local derivative",
            ),
            ("sign", before - event.product, "the deposit has the wrong sign"),
            *[("other operand", before + x * event.upstream, "it is the deposit of the other operand") for x in others],
        ]
        for kind, number, why in readings:
            if alike(number, event.after):
                return kind, why
        return "rule", f"that is not the derivative of {name}"

    def _too_early(self, i: int, event: Deposit, gave: dict[int, list[tuple[int, Deposit]]]) -> Mistake | None:
        """Whether a number gets something after it has handed on what it had."""
        if event.into not in gave or not event.product:
            return None
        name = self.names[event.into]
        gave_up = f"{name} had handed on its gradient {short(event.before)} before {short(event.product)} came"
        words = f"{gave_up}, which never gets further: go through the results in reverse topological order"
        return Mistake(i, event.into, "order", event.after, event.before, words)

    def _missing(self, i: int, root: int, gave: dict[int, list[tuple[int, Deposit]]]) -> Mistake | None:
        """Whether a result with a gradient has handed nothing on to an operand."""
        for node in sorted(_below(self.recording, root), reverse=True):
            row = self.recording.nodes[node]
            given = {event.position for _, event in gave.get(node, [])}
            for position, (x, local) in enumerate(zip(row.operands, row.locals, strict=True)):
                if local and self.grads[node] and position not in given:
                    right = self.grads[x] + local * self.grads[node]
                    words = (
                        f"{self.names[node]} hands nothing on to {self.names[x]}, which should get {short(local)} × "
                    )
                    return Mistake(i, x, "missing", right, self.grads[x], f"{words}{short(self.grads[node])}")
        return None


def _below(recording: Recording, root: int) -> set[int]:
    seen, todo = {root}, [root]
    while todo:
        fresh = [x for x in recording.nodes[todo.pop()].operands if x not in seen]
        seen.update(fresh)
        todo += fresh
    return seen
