"""The first mistake of another engine: its recording held against the rules, and what is wrong in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.core.operation import TABLE, Operation
from chainrule.explain.notation import short
from chainrule.see.recording.document import Recording
from chainrule.see.recording.events import (
    AddedBack,
    Aside,
    Began,
    Deposit,
    Ended,
    Made,
    Refreshed,
    SetGrad,
    Wrote,
)
from chainrule.see.recording.foreign_rules import slopes, value_of
from chainrule.see.recording.names import names_of
from chainrule.see.recording.readings import alike, diagnosis

KINKED = {"relu", "abs", "max", "min", "clip", "leaky_relu", "elu", "selu"}
"""At a kink, the slope of either side is right."""
EXACT = {"add", "sub", "mul", "div", "neg", "pow"}
"""Of these, small results are right to all digits. Of others, as of log(1 + exp(x)), an engine may lose them."""
_STEP, _LOST = 1e-9, 1e-12


@dataclass(frozen=True)
class Mistake:
    """Where another engine first differs from the rules.

    Attributes:
        event: the index of the event; if something is missing, that of the end of the pass.
        node: the node whose number is wrong.
        kind: of a result, "number", or a local derivative of its own: "rule", "sign" or "other operand". Of a deposit
            "=", "local alone", "upstream alone", "sign", "other operand", "rule", "order", "twice" or "zero_grad". Of a
            pass "seed", "missing", or "gradient" where it could not be seen who gave what.
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

    What the rules do not know, an operation of the engine's own, counts as right if the engine does as its own local
    derivatives say, and is not judged if it keeps none.

    >>> import chainrule
    >>> first_mistake(chainrule.record(chainrule.Value(2.0) * 3)) is None
    True
    """
    return next(_Judge(recording).mistakes(), None)


class _Judge:
    """Follows the events: numbers and gradients as they are, and who has handed on what in this pass."""

    def __init__(self, recording: Recording) -> None:
        self.recording, self.nodes = recording, recording.nodes
        self.names = names_of(recording)
        self.data = [node.data for node in recording.nodes]
        self.when_made: dict[int, tuple[float | None, ...]] = {}
        self.grads = [node.grad or 0.0 for node in recording.nodes]
        self.moved: set[int] = set()  # leaves that were written since they got a gradient
        self._begin(None)

    def _begin(self, root: int | None) -> None:
        self.root = root
        self.gave: dict[int, set[int]] = {}  # by each node that handed on, the positions of operands
        self.left: dict[int, float] | None = None  # what is left of an earlier pass, known at the first deposit
        self.unseen: set[int] = set()  # what got something of which the giver could not be seen
        self.below = self.recording.below(root) if root is not None else []
        self.at_first = {x: self.grads[x] for x in self.below}

    def mistakes(self) -> Iterator[Mistake]:
        """Each difference from the rules, in the order of events. What follows the first may be its consequence."""
        for i, event in enumerate(self.recording.events):
            match event:
                case Made(node):
                    yield from self._made(i, node)
                case Refreshed(node, data):
                    self.data[node] = data
                    self.when_made.pop(node, None)
                case Wrote(node, _, after):
                    self.data[node] = after
                    self.moved.add(node)
                case SetGrad():
                    self._set(event)
                case Began(_, root, seed):
                    self._begin(root)
                    yield from self._began(i, root, seed)
                case Aside(node):
                    self.grads[node] = 0.0
                case AddedBack(node, _, _, after):
                    self.grads[node] = after
                case Deposit():
                    yield from self._deposit(i, event)
                case Ended(_, root, whole):
                    if whole:
                        yield from self._ended(i, root)
                    self._begin(None)

    # ---- forward ----
    def _made(self, i: int, node: int) -> Iterator[Mistake]:
        op, row = self._operation(node), self.nodes[node]
        right = value_of(op, [self.data[x] for x in row.operands]) if op is not None else None
        if op is None or right is None:
            return
        if not (alike if op.name in EXACT else _same)(right, row.data):
            words = f"{self.names[node]} is made by {op.name}, which gives {short(right)}, not {short(row.data)}"
            yield Mistake(i, node, "number", right, row.data, words)
            return
        rights = self.when_made[node] = self._slopes(op, node)
        for k, (found, local) in enumerate(zip(row.locals, rights, strict=True)):
            if found is None or local is None or any(_same(found, x) for x in self._allowed(node, k)):
                continue
            others = [x for j, x in enumerate(rights) if j != k and x is not None]
            kind = "sign" if alike(found, -local) else "other operand" if found in others else "rule"
            what = f"the local derivative of {op.name} in {self.names[row.operands[k]]}"
            why = {"sign": ": the sign is wrong", "other operand": ": that is the other operand's"}.get(kind, "")
            yield Mistake(i, node, kind, local, found, f"{what} is {short(local)}, not {short(found)}{why}")

    def _operation(self, node: int) -> Operation | None:
        """The operation of the table by which a node is made."""
        at = self.nodes[node].op
        info = self.recording.operations[at] if at >= 0 else None
        return TABLE.get(info.name) if info is not None and info.table else None

    def _slopes(self, op: Operation, node: int, nudge: float = 0.0) -> tuple[float | None, ...]:
        operands = self.nodes[node].operands
        numbers = [self.data[x] + nudge * (1 + abs(self.data[x])) for x in operands]
        return slopes(op, numbers, [bool(self.nodes[x].constant) for x in operands])

    def _allowed(self, node: int, position: int) -> list[float]:
        """The right local derivatives: of the present numbers, of those when the node was made, and at a kink of both
        sides. Where there is no rule, the engine's own."""
        op = self._operation(node)
        if op is None:
            return [x for x in self.nodes[node].locals[position : position + 1] if x is not None]
        found = [self._slopes(op, node)[position], *self.when_made.get(node, ())[position : position + 1]]
        if op.name in KINKED:
            found += [self._slopes(op, node, nudge)[position] for nudge in (_STEP, -_STEP)]
        return [x for x in found if x is not None]

    # ---- backward ----
    def _set(self, event: SetGrad) -> None:
        self.grads[event.node] = event.after
        if self.root is not None and event.after:
            self.unseen.add(event.node)

    def _began(self, i: int, root: int, seed: float) -> Iterator[Mistake]:
        if self.recording.engine.own:
            for node in self.below:
                self.grads[node] = self.grads[node] if self.nodes[node].op < 0 else 0.0
        self.grads[root] = seed
        if not seed and self.nodes[root].op >= 0:
            words = (
                f"backward() begins with the gradient 0 at {self.names[root]}, and so hands on nothing: it is to be 1"
            )
            yield Mistake(i, root, "seed", 1.0, seed, words)

    def _deposit(self, i: int, event: Deposit) -> Iterator[Mistake]:
        if self.left is None:
            self.left = self._left_over()
        gave, row = self.gave.setdefault(event.giver, set()), self.nodes[event.giver]
        positions = {k for k, x in enumerate(row.operands) if x == event.into}
        yield from self._remains(i, event)
        if self.root is not None and positions <= gave and event.after != event.before:
            words = f"{self.names[event.giver]} hands on its gradient to {self.names[event.into]} a second time"
            words += " in one backward(): each result is to do so once, so it must stand once in the order"
            yield Mistake(i, event.into, "twice", event.before, event.after, words)
        elif not gave & positions and self._is_whole(event, positions):
            gave |= positions  # x * x may give all at once
        else:
            yield from self._amount(i, event)
            yield from self._too_early(i, event)
        gave.add(event.position)
        self.grads[event.into] = event.after
        self.moved.discard(event.into)

    def _left_over(self) -> dict[int, float]:
        """The gradients of an earlier pass that are still there: of results; and of leaves that were moved by them."""
        if self.recording.engine.own or self.root is None:
            return {}
        return {x: self.grads[x] for x in self.below
                if self.grads[x] and x != self.root and (self.nodes[x].op >= 0 or x in self.moved)}  # fmt: skip

    def _remains(self, i: int, event: Deposit) -> Iterator[Mistake]:
        for node in (event.giver, event.into):
            if left := (self.left or {}).pop(node, 0.0):
                still = f"{self.names[node]} still has the gradient {short(left)} of an earlier backward()"
                right, found = event.after - left, event.after
                if node == event.giver:
                    right, found = 0.0, left
                words = f"{still}: set gradients to 0 before the next one, those of results as well"
                yield Mistake(i, node, "zero_grad", right, found, words)

    def _is_whole(self, event: Deposit, positions: set[int]) -> bool:
        locals = [self._allowed(event.giver, k) for k in positions]
        if (
            len(positions) < 2
            or not all(locals)
            or any(_fits(event, x) for x in self._allowed(event.giver, event.position))
        ):
            return False
        return _fits(event, sum(x[0] for x in locals))

    def _amount(self, i: int, event: Deposit) -> Iterator[Mistake]:
        allowed = self._allowed(event.giver, event.position)
        if not allowed or any(_fits(event, x) for x in allowed):
            return
        local, row, into = allowed[0], self.nodes[event.giver], self.names[event.into]
        op = self._operation(event.giver)
        all_locals = self._slopes(op, event.giver) if op is not None else row.locals
        others = [x for k, x in enumerate(all_locals) if k != event.position and x is not None]
        kind, why = diagnosis(event, local, others, self.recording.operations[row.op].name)
        right = event.before + local * event.upstream
        how = f"{short(event.before)} + local {short(local)} × upstream {short(event.upstream)} = {short(right)}"
        words = f"{into} gets {short(event.after)}, and should get {how}: {why}"
        yield Mistake(i, event.into, kind, right, event.after, words)

    def _too_early(self, i: int, event: Deposit) -> Iterator[Mistake]:
        """Whether a number gets something after it has handed on what it had."""
        if self.root is None or event.into not in self.gave or event.after == event.before:
            return
        name = self.names[event.into]
        had = f"{name} had handed on its gradient {short(event.before)} before {short(event.after - event.before)} came"
        words = f"{had}, which never gets further: go through the results in reverse topological order"
        yield Mistake(i, event.into, "order", event.after, event.before, words)

    def _ended(self, i: int, root: int) -> Iterator[Mistake]:
        """Whether a result with a gradient has handed nothing on to an operand."""
        for node in reversed(self.below):
            row = self.nodes[node]
            for position, x in enumerate(row.operands):
                local = next(iter(self._allowed(node, position)), 0.0)
                given = position in self.gave.get(node, ()) or x in self.unseen or node in self.unseen
                if given or not local or not self.grads[node] or self.nodes[x].constant:
                    continue
                right = self.grads[x] + local * self.grads[node]
                words = f"{self.names[node]} hands nothing on to {self.names[x]}, which should get "
                words += f"local {short(local)} × upstream {short(self.grads[node])}"
                yield Mistake(i, x, "missing", right, self.grads[x], words)
        if self.unseen:
            yield from self._totals(i, root)

    def _totals(self, i: int, root: int) -> Iterator[Mistake]:
        """Where it could not be seen who gave: whether the gradients are right in the end."""
        right = dict.fromkeys(self.below, 0.0)
        right[root] = 1.0
        for node in reversed(self.below):
            for position, x in enumerate(self.nodes[node].operands):
                local = next(iter(self._allowed(node, position)), None)
                if local is None and not self.nodes[x].constant:
                    return  # not all is known
                right[x] += (local or 0.0) * right[node]
        for node in reversed(self.below):
            earlier = self.at_first[node] if self.nodes[node].op < 0 else 0.0
            found = self.grads[node]
            if not self.nodes[node].constant and not any(alike(found, right[node] + x) for x in (0.0, earlier)):
                words = f"{self.names[node]} ends with the gradient {short(found)}, not with {short(right[node])}"
                yield Mistake(i, node, "gradient", right[node], found, words)


def _same(a: float, b: float) -> bool:
    """Whether two numbers are the same but for rounding, as of 1 - t * t where t is nearly 1."""
    return alike(a, b) or abs(a - b) <= _LOST


def _fits(event: Deposit, local: float) -> bool:
    """Whether a deposit is that of a local derivative, but for rounding."""
    product = local * event.upstream
    right = event.before + product
    size = max(abs(event.before), abs(product))
    return alike(right, event.after) or abs(right - event.after) <= _STEP * size + _LOST * abs(event.upstream)
