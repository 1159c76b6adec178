"""Recordings of engines that are not ours: the learner's own class, micrograd's, microgpt's.

`Watch` puts properties and wrappers in the place of a class's attributes while the recording lasts, and puts all of
them back afterwards. It sees what any such class does: that an object is made, of which others, by which method; that
its `data` is written; that `backward()` writes `grad`, and from which frame. From the frame follows which node handed
on its gradient. Local derivatives are known where the class keeps them; elsewhere they are those of our rule for the
operation, taken at forward time, and stand beside what the class did.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from chainrule.errors import ArgumentError
from chainrule.see.recording.events import Began, Deposit, Ended, Made, SetGrad, Wrote
from chainrule.see.recording.foreign_rules import Rule, rule_of
from chainrule.see.recording.places import Instruction, at, caller
from chainrule.see.recording.recorder import Entry, Pass, Recorder

CHILDREN = ("_children", "_prev", "children", "prev", "parents", "operands", "inputs", "_operands", "_inputs")
LOCALS = ("_local_grads", "local_grads", "_locals", "locals")
NAMES = ("_op", "op")
GIVERS = ("out", "result", "res", "v", "node", "n", "value")
"""How programs call the node that hands on its gradient, where several could be meant."""


class ForeignEntry(Entry):
    """What is kept of a foreign object."""

    __slots__ = ("own_locals",)

    def __init__(self, node: Any, operands: list[Entry], rule: Rule, made_at: Instruction | None) -> None:
        self.node, self.operands, self.made_at = node, operands, made_at
        self.op, self.locals, self.own_locals = rule.op, rule.locals, rule.are_own
        self.data, self.constant, self.name = _number(node.data), False, ""
        self.grad = self.now = 0.0


class ForeignRecorder(Recorder):
    """Records objects of a class that is not ours; `Watch` tells it what happens."""

    def __init__(self, cls: type, passes: int, nodes: int) -> None:
        super().__init__(passes, nodes)
        self.cls = cls
        self.said: list[str] = []
        self._given: dict[tuple[int, int], int] = {}

    def note(self, words: str) -> None:
        """Notes once what could not be seen."""
        if words not in self.said:
            self.said.append(words)

    # ---- nodes ----
    def made_by(self, node: Any, method: str, arguments: Iterable[Any]) -> None:
        """Notes a new object, which a method made of its arguments."""
        children = self._children(node, list(arguments))
        operands = [x for x in map(self._foreign, children) if x is not None]
        if not self._has_room(1) or len(operands) < len(children):
            self.dropped_nodes += 1
            return
        rule = rule_of(node, [x.node for x in operands], method, LOCALS, NAMES)
        entry = self.entries[id(node)] = ForeignEntry(node, operands, rule, self._place())
        self.events.append((Made, entry))

    def _children(self, node: Any, arguments: list[Any]) -> list[Any]:
        """The objects that a node is made of, in the order of the call and as often as they occur, if that is known."""
        held = next((getattr(node, name) for name in CHILDREN if hasattr(node, name)), ())
        if isinstance(held, list | tuple):
            return [x for x in held if isinstance(x, self.cls)]
        inside = {id(x): x for x in held if isinstance(x, self.cls)}
        ordered = [x for x in arguments if id(x) in inside]
        left = [x for key, x in inside.items() if key not in {id(x) for x in ordered}]
        if len(left) > 1:
            self.note("a set has no order: the operands of some results stand in any order")
        return [*ordered, *left]

    def _foreign(self, node: Any) -> Entry | None:
        """The entry of an object, which is found if it was made before the recording."""
        if id(node) not in self.entries and self._has_room(1):
            todo = [node]
            while todo:
                each = todo[-1]
                fresh = [x for x in self._children(each, []) if id(x) not in self.entries]
                if fresh:
                    todo += fresh
                    continue
                todo.pop()
                operands = [self.entries[id(x)] for x in self._children(each, [])]
                rule = rule_of(each, [x.node for x in operands], "", LOCALS, NAMES)
                self.entries[id(each)] = ForeignEntry(each, operands, rule, None)
        return self.entries.get(id(node))

    def _place(self) -> Instruction:
        """The user's line: none of the methods of the class itself."""
        frame: FrameType = caller()
        while frame.f_back is not None and (self._is_of_class(frame) or frame.f_code.co_filename == __file__):
            frame = frame.f_back
        return at(frame)

    def _is_of_class(self, frame: FrameType) -> bool:
        return frame.f_code.co_qualname.startswith(f"{self.cls.__qualname__}.")

    # ---- numbers ----
    def data_written(self, node: Any, before: Any, after: Any) -> None:
        """Notes that `data` is written, after the object was made."""
        if (entry := self.entries.get(id(node))) is not None:
            self.events.append((Wrote, entry, _number(before), _number(after), self._place()))
            self.series.wrote(entry, _number(before), _number(after))

    def grad_written(self, node: Any, before: Any, after: Any, frame: FrameType) -> None:
        """Notes that `grad` is written: a deposit within `backward()`, if it is known who gave it."""
        entry = self.entries.get(id(node))
        if entry is None or (self._open is not None and not self._open.kept):
            return
        old, new = _number(before), _number(after)
        giver = self._giver(node, frame) if self._open is not None else None
        if giver is None and self._open is not None and node is self._open.root and new == 1.0:
            entry.now = new  # where backward() begins
            return
        if giver is None:
            place = self._place() if self._open is None else None
            self.events.append((SetGrad, entry, old, new, place))
        else:
            position = self._position(giver, node)
            local, upstream = giver.locals[position], _number(giver.node.grad)
            product = None if local is None else local * upstream
            self.events.append((Deposit, giver, position, entry, upstream, local, product, old, new))
        entry.now = new

    def _giver(self, node: Any, frame: FrameType) -> Entry | None:
        """The node of which the frame hands on the gradient: it is among the frame's names, and made of this one."""
        found = {
            name: self.entries[id(x)]
            for name, x in frame.f_locals.items()
            if isinstance(x, self.cls) and id(x) in self.entries and x is not node
        }
        made_of = {name: x for name, x in found.items() if any(each.node is node for each in x.operands)}
        for name in GIVERS:
            if name in made_of:
                return made_of[name]
        others = {id(x): x for name, x in made_of.items() if name not in ("self", "other")}
        if len(others) == 1:
            return next(iter(others.values()))
        if len(made_of) == 1:
            return next(iter(made_of.values()))
        if made_of:
            self.note("for some deposits it could not be seen which result handed them on")
        return None

    def _position(self, giver: Entry, node: Any) -> int:
        """Which operand of the giver is given to: of several that are the same, one after the other."""
        places = [i for i, x in enumerate(giver.operands) if x.node is node]
        nth = self._given.get((id(giver.node), id(node)), 0)
        self._given[id(giver.node), id(node)] = nth + 1
        return places[nth % len(places)]

    # ---- backward() ----
    def backward_began(self, root: Any) -> None:
        """Notes that their `backward()` begins."""
        self._end_broken_pass()
        self._passes += 1
        self._given.clear()
        top = self._foreign(root)
        self.series.step(self._passes, _number(root.data))
        self._open = Pass(self._passes, root, top is not None)
        if top is None:
            self.dropped_passes += 1
        else:
            self.events.append((Began, self._passes, top, 1.0, self._place()))

    def _end(self, whole: bool) -> None:
        ending, self._open = self._open, None
        if ending is None or not ending.kept:
            return
        self.events.append((Ended, ending.number, self.entries[id(ending.root)], int(whole)))
        self._ends.append(len(self.events))
        if len(self._ends) > self._most_passes:
            self._trim()

    def backward_ended(self, whole: bool) -> None:
        """Notes that it has ended."""
        if self._open is not None:
            self._end(whole)

    def _note_names(self, order: Any) -> None:
        """Our models do not know their parameters."""


def _number(x: Any) -> float:
    try:
        return float(x)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"a watched class holds plain numbers, but its data or grad is {type(x).__name__}"
        ) from None


class Watch:
    """Watches a class within a `with`, and puts everything back.

    Args:
        cls: the class; its objects have `data` and `grad`.
        recorder: is told what happens.
    """

    def __init__(self, cls: type, recorder: ForeignRecorder) -> None:
        self.cls, self.recorder = cls, recorder
        self._before: dict[str, Any] = {}
        self._calls: list[tuple[str, tuple[Any, ...]]] = []
        self._depth = 0

    def __enter__(self) -> None:
        cls = self.cls
        if not isinstance(getattr(cls, "backward", None), Callable):  # type: ignore[arg-type]
            raise ArgumentError(f"{cls.__name__} has no method backward(), so there is nothing to watch")
        self._replace("data", self._watched("data", self.recorder.data_written))
        self._replace("grad", self._watched("grad", self._grad_written))
        self._replace("__init__", self._init(cls.__init__))  # type: ignore[misc]
        self._replace("backward", self._backward(cls.backward))  # type: ignore[attr-defined]
        for name, method in list(vars(cls).items()):
            if (
                callable(method)
                and not isinstance(method, type)
                and name not in _LEFT_ALONE
                and name not in self._before
            ):
                self._replace(name, self._operator(name, method))

    def __exit__(self, *error: object) -> None:
        for name, thing in self._before.items():
            if thing is _NOTHING:
                delattr(self.cls, name)
            else:
                setattr(self.cls, name, thing)

    def _replace(self, name: str, thing: Any) -> None:
        self._before[name] = vars(self.cls).get(name, _NOTHING)
        setattr(self.cls, name, thing)

    def _watched(self, name: str, wrote: Callable[[Any, Any, Any], None]) -> property:
        """A property in the place of an attribute: what lies beneath is the slot of that name, or the object's dict."""
        slot = getattr(self.cls, name, None) if hasattr(getattr(self.cls, name, None), "__set__") else None
        default = getattr(self.cls, name, 0.0) if slot is None else 0.0  # of a dataclass

        def get(node: Any) -> Any:
            return slot.__get__(node) if slot is not None else node.__dict__.get(name, default)

        def put(node: Any, x: Any) -> None:
            known = id(node) in self.recorder.entries
            before = get(node) if known else 0.0
            if slot is not None:
                slot.__set__(node, x)
            else:
                node.__dict__[name] = x
            if known:
                wrote(node, before, x)

        return property(get, put)

    def _grad_written(self, node: Any, before: Any, after: Any) -> None:
        self.recorder.grad_written(node, before, after, sys._getframe(2))

    def _init(self, original: Callable[..., None]) -> Callable[..., None]:
        def init(node: Any, *arguments: Any, **named: Any) -> None:
            original(node, *arguments, **named)
            method, given = self._calls[-1] if self._calls else ("", ())
            self.recorder.made_by(node, method, given)

        return init

    def _operator(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self._calls.append((name, arguments))
            try:
                return original(*arguments, **named)
            finally:
                self._calls.pop()

        return call

    def _backward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def backward(root: Any, *arguments: Any, **named: Any) -> Any:
            whole = False
            self._depth += 1
            if self._depth == 1:
                self.recorder.backward_began(root)
            try:
                found = original(root, *arguments, **named)
                whole = True
                return found
            except RecursionError:
                self.recorder.note("backward() ended in a RecursionError: the graph is deeper than Python's stack")
                raise
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.recorder.backward_ended(whole)

        return backward


_NOTHING = object()
_LEFT_ALONE = {
    *("__new__", "__repr__", "__str__", "__hash__", "__eq__", "__getattribute__", "__setattr__", "__getattr__"),
    *("__class__", "__init_subclass__", "__subclasshook__", "__dir__", "__sizeof__", "__reduce__", "__reduce_ex__"),
    *("__getstate__", "__setstate__", "__format__", "__del__", "zero_grad"),
}
"""Methods that make no result."""
