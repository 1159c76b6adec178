"""Recordings of engines that are not ours: the learner's own class, micrograd's, microgpt's.

`watching.py` tells what happens: that an object is made and by which methods, that its number or its gradient is
written and from which frame, that `backward()` runs. The recorder finds what it means: `anatomy.py` reads what an
object says of its making, `foreign_rules.py` which operation that is, `givers.py` who handed on a gradient. Local
derivatives are the engine's own, where it keeps them; elsewhere those of our rule, when the result was made.
"""

from __future__ import annotations

import contextlib
from types import FrameType
from typing import Any, NamedTuple

from chainrule.core.modes import caller
from chainrule.errors import shown
from chainrule.see.recording.anatomy import Attribute, Held, held_by, names_in
from chainrule.see.recording.events import Asked, Began, Deposit, Ended, Made, SetGrad, Wrote
from chainrule.see.recording.foreign_rules import Call, Operand, rule_of
from chainrule.see.recording.givers import Giver, Givers, UnclearError
from chainrule.see.recording.places import Instruction, at
from chainrule.see.recording.readings import alike
from chainrule.see.recording.recorder import Entry, Pass, Recorder

Calls = tuple[tuple[str, tuple[Any, ...]], ...]


class Plain:
    """A plain number of the program that stands beside objects, such as the 2 in x**2."""


class ForeignEntry(Entry):
    """What is kept of a foreign object: `are_ours` says that its local derivatives are those of our rule."""

    __slots__ = ("are_ours",)

    def __init__(self, node: Any, data: float, made_at: Instruction | None) -> None:
        self.node, self.data, self.made_at, self.name = node, data, made_at, ""
        self.constant, self.op, self.are_ours = isinstance(node, Plain), None, False
        self.operands: list[Entry] = []
        self.locals: tuple[float | None, ...] = ()
        self.grad = self.now = 0.0


class Making(NamedTuple):
    """An object that was made a moment ago; its maker may still write into it what it is made of."""

    node: Any
    calls: Calls
    place: Instruction


class ForeignRecorder(Recorder):
    """Records objects of a class that is not ours.

    Args:
        cls: the class.
        passes: how many of the last passes of `backward()` are kept.
        nodes: how many nodes are kept at most.

    Raises:
        ArgumentError: the class cannot be watched.
    """

    def __init__(self, cls: type, passes: int, nodes: int) -> None:
        super().__init__(passes, nodes)
        self.cls, self.names = cls, names_in(cls)
        self.data, self.grad = Attribute(cls, self.names.data), Attribute(cls, self.names.grad)
        self.said: list[str] = []
        self.givers = Givers(cls, self.names.backward, self._entry_of)
        self._making: dict[int, Making] = {}
        self._given: dict[Entry, set[int]] = {}
        self._began_at: int | None = None  # where in the events the seed of this pass may still be written
        self._has_deposits = False
        if not hasattr(cls, "__bool__") and not hasattr(cls, "__len__"):
            self.note(f"{cls.__name__} has no __bool__: `if x:` is true for each of them, and cannot be seen")

    def note(self, words: str) -> None:
        """Notes once what could not be seen."""
        if words not in self.said:
            self.said.append(words)

    def _number(self, x: Any) -> float | None:
        """A number as a float, and None, which some write before there is a gradient, as 0; None if it is no number."""
        if x is None or type(x) in (float, int):
            with contextlib.suppress(OverflowError):
                return float(x or 0.0)
        elif hasattr(x, "__float__") and not hasattr(x, "__len__") and not isinstance(x, self.cls):  # no array
            with contextlib.suppress(TypeError, ValueError, OverflowError):
                return float(x)
        self.note(f"{shown(x)} was written where a number is expected: it is not recorded")
        return None

    def _data(self, node: Any) -> float | None:
        """The number of an object; None if it has none, or none yet."""
        x = self.data.peek(node)
        return None if x is None else self._number(x)

    # ---- nodes ----
    def began_making(self, node: Any, calls: Calls) -> None:
        """Notes an object that has been initialised, in these methods of the class, the innermost last."""
        if not calls:
            self.settle()
        self._making[id(node)] = Making(node, calls, self._place())

    def settle(self) -> None:
        """Ends the making of all objects: what made them has returned."""
        for making in list(self._making.values()):
            self._known(making.node)

    def is_being_made(self, node: Any) -> bool:
        """Whether its maker may still write into it."""
        return id(node) in self._making

    def _entry_of(self, x: Any) -> Entry | None:
        return self.entries.get(id(x)) if isinstance(x, self.cls) else None

    def _known(self, node: Any) -> Entry | None:
        """The entry of an object; those from before the recording are found with all that they are made of."""
        seen: set[int] = set()
        todo = [node]
        while todo and not self._is_full:
            each = todo[-1]
            if id(each) in self.entries:
                todo.pop()
                continue
            held = held_by(each, self.cls)
            fresh = [x for x in held.operands if id(x) not in self.entries and id(x) not in seen]
            seen.update(map(id, (each, *fresh)))
            if fresh:
                todo += fresh
                continue
            todo.pop()
            self._enter_held(each, held)
        if id(node) not in self.entries and self._making.pop(id(node), None) is not None:
            self.dropped_nodes += 1
        return self.entries.get(id(node))

    def _enter_held(self, node: Any, held: Held) -> None:
        """Makes the entry of an object; none if it is no number, or made of what has no entry."""
        data = self._data(node)
        operands = [self.entries.get(id(x)) for x in held.operands]
        if data is None or None in operands or not self._has_room(1 + len(operands)):
            return
        making = self._making.pop(id(node), None)
        entry = ForeignEntry(node, data, making.place if making else None)
        entry.grad = entry.now = self._number(self.grad.peek(node)) or 0.0
        made = self._arrange(entry, held, making.calls if making else ())
        for each in (*made, entry):
            self.entries[id(each.node)] = each
        if making is not None:
            self._take_back(entry, making)
            self.events += [(Made, each) for each in (*made, entry)]

    def _arrange(self, entry: ForeignEntry, held: Held, calls: Calls) -> list[Entry]:
        """Finds operation, operands and local derivatives of an entry. Returns the plain numbers among the operands."""
        if not held.operands:
            return []
        numbers = [self._data(x) or 0.0 for x in held.operands]
        told = [Call(name, tuple(self._arguments(given, held, numbers))) for name, given in calls]
        rule = rule_of(numbers, held.in_order, entry.data, held.operation, told)
        if not held.in_order and not calls and len(numbers) > 1 and rule.op.name not in ("add", "mul"):
            self.note("a set has no order: the operands of some results may stand in another one")
        for number, place in rule.operands:
            if place is None:
                plain = ForeignEntry(Plain(), number, entry.made_at)
                entry.operands.append(plain)
            else:
                entry.operands.append(self.entries[id(held.operands[place])])
        entry.op, entry.locals, entry.are_ours = rule.op, rule.locals, held.locals is None
        if held.locals is not None:
            own = held.locals
            entry.locals = tuple([None if x.held is None else own[x.held] for x in rule.operands])
        return [x for x in entry.operands if x.constant]

    def _arguments(self, given: tuple[Any, ...], held: Held, numbers: list[float]) -> list[Operand]:
        """The arguments of a call that may be operands. (Of those that occur twice, each has the place of its own.)"""
        places = {id(x): i for i, x in reversed(list(enumerate(held.operands)))}
        found = []
        for x in given:
            if id(x) in places:
                found.append(Operand(numbers[places[id(x)]], places[id(x)]))
            elif isinstance(x, int | float):
                found.append(Operand(float(x), None))
        return found

    def _take_back(self, entry: Entry, making: Making) -> None:
        """An operation of the user's own, a function outside of the class, read the numbers of its operands: that asked
        for nothing."""
        while not making.calls and self.events and self.events[-1][0] is Asked:
            _, operand, _, _, place = self.events[-1]
            if operand not in entry.operands or place[0] is not making.place[0]:
                return
            self.events.pop()

    def _place(self) -> Instruction:
        """The user's line: in none of the methods of the class itself."""
        frame: FrameType = caller()
        while frame.f_back is not None and (self.givers.of_class(frame) or self.givers.is_ours(frame)):
            frame = frame.f_back
        return at(frame)

    # ---- what is asked and written ----
    def before_write(self, node: Any) -> None:
        """Finds an object with the numbers that it has before it is written."""
        self.settle()
        self._known(node)

    def read(self, node: Any, what: str, answer: Any, frame: FrameType) -> None:
        """Notes that the program asked for a number, or for its truth: not the class itself."""
        if self._open is not None or self.givers.of_class(frame) or self.givers.is_ours(frame):
            return
        self.settle()
        number = self._number(answer)
        if number is not None and (entry := self._known(node)) is not None:
            self.events.append((Asked, entry, what, number, at(frame)))

    def data_written(self, node: Any, before: Any, after: Any) -> None:
        """Notes that a number is written, after the object was made."""
        entry, old, new = self._entry_of(node), self._number(before), self._number(after)
        if entry is None or old is None or new is None:
            return
        self.events.append((Wrote, entry, old, new, self._place()))
        if entry.op is None:
            self.series.wrote(entry, old, new)

    def grad_written(self, node: Any, before: Any, after: Any, frame: FrameType) -> None:
        """Notes that a gradient is written: a deposit, if it is seen who gave it."""
        entry, old, new = self._entry_of(node), self._number(before), self._number(after)
        if entry is None or old is None or new is None or (self._open is not None and not self._open.kept):
            return
        giver = self._giver(entry, frame)
        if giver is None or not (giver.by_its_own or self._hands_on(giver.entry, new)):
            self._set(entry, old, new)
        else:
            self._deposit(giver.entry, entry, old, new)
        entry.now = new

    def _hands_on(self, giver: Entry, new: float) -> bool:
        """Whether a gradient is handed on: not if a user writes it, or `backward()` sets all to 0 at first."""
        if self._open is None or not (new or self._has_deposits):
            return False
        return giver.node is not self._open.root or self._began_at is None

    def _giver(self, entry: Entry, frame: FrameType) -> Giver | None:
        try:
            return self.givers.giver(entry, frame)
        except UnclearError:
            if self._open is not None:
                self.note("for some deposits it could not be seen which result handed them on")
            return None

    def _set(self, entry: Entry, old: float, new: float) -> None:
        if self._open is None:
            self.events.append((SetGrad, entry, old, new, self._place()))
        elif entry.node is self._open.root and self._began_at is not None:
            if new:  # a 0 before is overwritten by it
                self._seed(new)
        elif repr(new) != repr(old):
            self.events.append((SetGrad, entry, old, new, None))
            if new:
                self.note("backward() wrote some gradients for which no giver could be seen")

    def _seed(self, seed: float) -> None:
        if self._began_at is not None:
            kind, number, top, _, place = self.events[self._began_at]
            self.events[self._began_at] = (kind, number, top, seed, place)
        self._began_at = None

    def _deposit(self, giver: Entry, entry: Entry, old: float, new: float) -> None:
        if self._open is not None and self._began_at is not None:
            self._seed(self._number(self.grad.peek(self._open.root)) or 0.0)
        self._has_deposits = True
        upstream = self._number(self.grad.peek(giver.node)) or 0.0
        position = self._position(giver, entry, new - old, upstream)
        local = giver.locals[position]
        product = None if local is None else local * upstream
        rule = int(giver.are_ours and local is not None)  # type: ignore[attr-defined]
        self.events.append((Deposit, giver, position, entry, upstream, local, product, old, new, rule))

    def _position(self, giver: Entry, entry: Entry, given: float, upstream: float) -> int:
        """Which operand of the giver is given to: of several that are the same, that whose local derivative fits, else
        one after the other."""
        places = [i for i, x in enumerate(giver.operands) if x is entry]
        gave = self._given.setdefault(giver, set())
        free = [i for i in places if i not in gave] or places
        locals = giver.locals
        found = next((i for i in free if (x := locals[i]) is not None and alike(x * upstream, given)), free[0])
        gave.add(found)
        return found

    # ---- backward() ----
    def backward_began(self, root: Any) -> None:
        """Notes that their `backward()` begins."""
        self.settle()
        self._end_broken_pass()
        self._passes += 1
        self._given.clear()
        self._has_deposits, self._began_at = False, None
        self.series.step(self._passes, self._number(self.data.peek(root)) or 0.0)
        top = self._known(root)
        self._open = Pass(self._passes, root, top is not None)
        if top is None:
            self.dropped_passes += 1
        else:
            self._began_at = len(self.events)
            self.events.append((Began, self._passes, top, 0.0, self._place()))

    def backward_ended(self, whole: bool) -> None:
        """Notes that it has ended."""
        if self._open is not None:
            self._end(whole)

    def _end(self, whole: bool) -> None:
        ending, self._open = self._open, None
        if ending is None or not ending.kept:
            return
        top = self.entries[id(ending.root)]
        self._seed(self._number(self.grad.peek(ending.root)) or 0.0)
        self._find_unseen(top)
        self.events.append((Ended, ending.number, top, int(whole)))
        self._ends.append(len(self.events))
        if len(self._ends) > self._most_passes:
            self._trim()

    def _find_unseen(self, top: Entry) -> None:
        """Notes gradients that were written past the attribute, as by `vars(x)["grad"] = …`."""
        todo, seen = [top], {top}
        while todo:
            entry = todo.pop()
            fresh = [x for x in entry.operands if x not in seen]
            seen.update(fresh)
            todo += fresh
            grad = entry.now if entry.constant else self._number(self.grad.peek(entry.node)) or 0.0
            if repr(grad) != repr(entry.now):
                self.events.append((SetGrad, entry, entry.now, grad, None))
                entry.now = grad
                self.note("some gradients were written past the attribute, so it could not be seen when")

    def finish(self) -> None:
        """Ends the recording."""
        self.settle()
        super().finish()

    def _note_names(self, order: Any) -> None:
        """Our models do not know their parameters."""
