"""The recorder: the engine's hooks tell it what happens (`core/hooks.py`), and it keeps what a document will say.

It keeps each node, so that no other gets its identity, and an entry for it. Gradients it calculates itself, deposit by
deposit, in the engine's order: so it knows each one before and after, and may compare them with the engine's at the end
of a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.core import naming
from chainrule.see.recording.document import Dropped
from chainrule.see.recording.events import (
    NO_FLOW,
    NO_LOCAL,
    NO_UPSTREAM,
    AddedBack,
    Aside,
    Asked,
    Began,
    Deposit,
    Ended,
    Made,
    Nothing,
    Refreshed,
    SetGrad,
    Wrote,
)
from chainrule.see.recording.places import Instruction, asked_by_chainrule, here
from chainrule.see.recording.training import Series
from chainrule.see.recording.trimming import first_kept, go_on_from


class Entry:
    """What is kept of a node."""

    __slots__ = ("constant", "data", "grad", "locals", "made_at", "name", "node", "now", "op", "operands")

    def __init__(self, node: Any, operands: list[Entry], made_at: Instruction | None) -> None:
        self.node, self.operands, self.made_at = node, operands, made_at
        self.op, self.constant = node.op, node.constant
        self.data, self.locals, self.name = node.peek_data(), node.locals, ""
        self.grad = self.now = node.peek_grad()  # when it was first seen, and now


class Pass:
    """A `backward()` that is going on: the leaves whose earlier gradients were set aside, and whether it is kept."""

    def __init__(self, number: int, root: Any, kept: bool) -> None:
        self.number, self.root, self.kept = number, root, kept
        self.aside: list[tuple[Entry, float]] = []
        self.order: list[Entry] = []


class Recorder:
    """Keeps what happens in one thread.

    Args:
        passes: how many of the last passes of `backward()` are kept, each with what led to it.
        nodes: how many nodes are kept at most.
    """

    def __init__(self, passes: int, nodes: int) -> None:
        self.entries: dict[int, Entry] = {}
        self.events: list[tuple[Any, ...]] = []  # a kind, and its fields, with entries in place of indices
        self.dropped_passes = self.dropped_nodes = self.compiled_steps = 0
        self._most_passes, self._most_nodes = passes, nodes
        self._ends: list[int] = []  # where in the events the kept passes end
        self.series = Series()
        self._is_full = False
        self._passes = 0
        self._open: Pass | None = None
        self._stepping: Entry | None = None

    def dropped(self) -> Dropped:
        """What is not kept, counted."""
        return Dropped(self.dropped_passes, self.dropped_nodes, self.compiled_steps)

    # ---- nodes ----
    def made(self, node: Any) -> None:
        """Notes a new node, or a result that was calculated anew."""
        self._end_broken_pass()
        known = self.entries.get(id(node))
        if known is not None:
            data, locals = node.peek_data(), node.locals
            self.events.append((Refreshed, known, data, locals))
            return
        where = here()
        operands = [self._operand(x, where) for x in node.operands]
        if None in operands or not self._has_room(1):
            self.dropped_nodes += 1
            return
        self._enter(node, operands, where)

    def _operand(self, node: Any, where: Instruction) -> Entry | None:
        known = self.entries.get(id(node))
        if known is not None or not node.constant:
            return known or self._found(node)
        return self._enter(node, [], where) if self._has_room(2) else None

    def _enter(self, node: Any, operands: Sequence[Any], where: Instruction) -> Entry:
        entry = self.entries[id(node)] = Entry(node, list(operands), where)
        self.events.append((Made, entry))
        return entry

    def _found(self, root: Any) -> Entry | None:
        """The entry of a node that was made before the recording began, with all that it is made of. Once there was no
        room, nothing is looked for any more until there is: else each node of a large graph would be walked over."""
        if self._is_full:
            return None
        order = [node for node in root._order() if id(node) not in self.entries]
        if not self._has_room(len(order)):
            self.dropped_nodes += len(order)
            return None
        for node in order:
            operands = [self.entries[id(x)] for x in node.operands]
            self.entries[id(node)] = Entry(node, operands, None)
        return self.entries[id(root)]

    def _has_room(self, count: int) -> bool:
        self._is_full = len(self.entries) + count > self._most_nodes
        return not self._is_full

    def _known(self, node: Any) -> Entry | None:
        return self.entries.get(id(node)) or self._found(node)

    # ---- what is asked and written ----
    def asked(self, node: Any, what: str, answer: float) -> None:
        """Notes that Python asked for a number or its truth. What chainrule's own code reads decides nothing."""
        if what == "data" and asked_by_chainrule():
            return
        if entry := self._known(node):
            self.events.append((Asked, entry, what, float(answer), here()))

    def wrote(self, node: Any, data: float) -> None:
        """Notes that the data of a leaf is written."""
        if entry := self._known(node):
            self.events.append((Wrote, entry, node.peek_data(), data, here()))
            self.series.wrote(entry, node.peek_data(), data)

    def set_grad(self, node: Any, grad: float) -> None:
        """Notes that a gradient is written."""
        self._end_broken_pass()
        if entry := self._known(node):
            self.events.append((SetGrad, entry, node.peek_grad(), grad, here()))
            entry.now = grad

    def unrecorded(self, steps: int) -> None:
        """Counts training steps of which nothing is seen."""
        self.compiled_steps += steps

    # ---- backward() ----
    def began(self, root: Any, seed: float) -> None:
        """Notes that `backward()` begins."""
        self._end_broken_pass()
        order = root._order()
        self._passes += 1
        self.series.step(self._passes, root.peek_data())
        kept = self._known(root) is not None and all(id(node) in self.entries for node in order)
        self._open = Pass(self._passes, root, kept)
        if not kept:
            self.dropped_passes += 1
            return
        self._open.order = [self.entries[id(node)] for node in order]
        self._note_names(self._open.order)
        top = self.entries[id(root)]
        self.events.append((Began, self._passes, top, seed, here()))
        for entry in self._open.order:
            before = entry.node.peek_grad()
            if entry.op is None and before:
                self._open.aside.append((entry, before))
                self.events.append((Aside, entry, before))
            entry.now = 0.0
        top.now = seed

    def stepping(self, node: Any) -> None:
        """Notes that one node alone is about to hand on its gradient."""
        self._end_broken_pass()
        self._stepping = self._known(node)
        if self._stepping:
            for entry in (self._stepping, *self._stepping.operands):
                entry.now = entry.node.peek_grad()

    def deposited(self, node: Any, upstream: float) -> None:
        """Notes that a node has handed its gradient to its operands."""
        entry = self._stepping if self._stepping is not None else self.entries.get(id(node))
        if node._hidden and self._stepping is None:  # told of already, by the face before it
            return
        self._stepping = None
        if entry is None or (self._open is not None and not self._open.kept):
            return
        self._hand_on(entry, node.locals, upstream)

    def _hand_on(self, entry: Entry, locals: Sequence[float | None], upstream: float) -> None:
        for position, (into, local) in enumerate(zip(entry.operands, locals, strict=True)):
            if local is None or not local or not upstream:
                why = NO_FLOW if local is None else NO_UPSTREAM if not upstream else NO_LOCAL
                self.events.append((Nothing, entry, position, into, upstream, local, why))
                continue
            product, before = local * upstream, into.now
            into.now = before + product
            self.events.append((Deposit, entry, position, into, upstream, local, product, before, into.now))

    def ended(self, root: Any) -> None:
        """Notes that `backward()` has ended."""
        if self._open is not None:
            self._end(True)

    def of_graph(self, root: Any, order: Sequence[Any], seed: float) -> None:
        """Keeps a graph that is there, and what `backward()` does in it, beginning with gradients of 0."""
        for node in order:
            entry = Entry(node, [self.entries[id(x)] for x in node.operands], None)
            entry.grad = entry.now = 0.0
            self.entries[id(node)] = entry
            self.events.append((Made, entry))
        self._note_names(list(self.entries.values()))
        top = self.entries[id(root)]
        top.now = seed
        self.events.append((Began, 1, top, seed, None))
        for node in reversed(order):
            if node.op is not None:
                self._hand_on(self.entries[id(node)], node.locals, self.entries[id(node)].now)
        self.events.append((Ended, 1, top, 1))

    def _end_broken_pass(self) -> None:
        """Ends a pass that an error broke off: the engine has added earlier gradients back, and said no more."""
        if self._open is not None:
            self._end(False)

    def _end(self, whole: bool) -> None:
        ending, self._open = self._open, None
        assert ending is not None
        if not ending.kept:
            return
        for entry, aside in ending.aside:
            total = entry.now
            entry.now = total + aside
            self.events.append((AddedBack, entry, aside, total, entry.now))
        self.events.append((Ended, ending.number, self.entries[id(ending.root)], int(whole)))
        for entry in ending.order:
            grad = entry.node.peek_grad()
            if repr(grad) != repr(entry.now):
                self.events.append((SetGrad, entry, entry.now, grad, None))  # another thread's backward(), meanwhile
                entry.now = grad
        self._ends.append(len(self.events))
        if len(self._ends) > self._most_passes:
            self._trim()

    def _trim(self) -> None:
        """Drops the oldest pass with what led to it, and the nodes that nothing later is made of."""
        cut = self._ends.pop(0)
        gone, self.events = self.events[:cut], self.events[cut:]
        self._ends = [end - cut for end in self._ends]
        self.dropped_passes += 1
        go_on_from(gone)
        kept = first_kept(self.events)
        self.dropped_nodes += len(self.entries) - len(kept)
        self._is_full = False
        self.entries = {id(entry.node): entry for entry in self.entries.values() if entry in kept}

    def finish(self) -> None:
        """Ends the recording."""
        self._end_broken_pass()
        self._note_names(list(self.entries.values()))

    def _note_names(self, order: Sequence[Entry]) -> None:
        """Notes how models call their parameters and inputs, while the models live."""
        names = naming.names_in([entry.node for entry in order])
        for entry in order:
            entry.name = names.get(id(entry.node), entry.name)
