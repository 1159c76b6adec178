"""What is kept for each structure of arguments, for a limited number of structures; and a hint where ever new ones
come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chainrule.compiler.calling.arguments import shown
from chainrule.compiler.calling.layouts import Layout
from chainrule.compiler.calling.paths import Path, Paths
from chainrule.compiler.calling.plans import Plan, Plans, Use
from chainrule.compiler.calling.static_keys import static_key
from chainrule.compiler.reports.fallbacks import Fallbacks, Reason
from chainrule.compiler.trace.tracing import is_number_leaf
from chainrule.core.trees import leaves
from chainrule.engine import Value
from chainrule.nn.module import Module

MANY = 32
"""From this many structures on, a function is reported if most of its calls bring a new one."""

ALWAYS_NEW = Reason(
    "structure",
    "of arguments: there was a new one at most of the calls so far, for which all is traced and compiled",
    "(Numbers, and what arrays hold, may differ without a new trace; anything else may not.)",
    calls=1,
    work=0,
)


def let_go(most: int) -> Reason:
    """Why what was compiled for some structure is no longer there."""
    return Reason(
        "structure",
        f"let go, those that were not used for longest: what is compiled is kept for {most:,} structures of arguments",
        f"Where their arguments come again, they are compiled again; to keep more, say max_structures={4 * most}.",
        calls=MANY,
        work=0,
    )


@dataclass(slots=True, eq=False)
class Structure:
    """The paths for all arguments of one structure.

    Attributes:
        layout: says where the arguments' numbers are.
        paths: the function's control-flow paths for them.
        used: when they were used last.
        planned: the plan for each thing that was asked; None where there can be none.
        forgotten: whether it was let go.
    """

    layout: Layout
    paths: list[Path]
    used: Use
    planned: dict[tuple, Plan | None] = field(default_factory=dict)
    forgotten: bool = False


class Structures:
    """All known structures of a function's arguments.

    Args:
        paths: the function's control-flow paths.
        most: how many structures are kept.
        fallbacks: is notified where there are ever new structures.
        plans: the plans of the function, which also count its calls.

    Attributes:
        known: the structures by the key of the arguments.
    """

    def __init__(self, paths: Paths, most: int, fallbacks: Fallbacks, plans: Plans) -> None:
        self._paths, self._most, self._fallbacks, self._plans = paths, most, fallbacks, plans
        self.known: dict[Any, Structure] = {}
        self._new = self._counted = 0

    def find(self, key: tuple, layout: Callable[[], Layout]) -> Structure:
        """Returns the structure of a call, which is counted; adds it if it is new.

        Args:
            key: that of the arguments.
            layout: makes the layout of a new structure.
        """
        self._plans.calls = now = self._plans.calls + 1
        structure = self.known.get(key)
        if structure is None:
            structure = self.add(key, layout())
        structure.used.last = now
        return structure

    def add(self, key: tuple, layout: Layout) -> Structure:
        """Adds a structure. If there are too many, it replaces the one whose last use is longest ago."""
        new = Structure(layout, self._paths.of(layout.trace_key), Use(self._plans.calls))
        with self._paths.lock:
            structure = self.known.setdefault(key, new)
            self._new += 1
            dropped = (
                min(self.known, key=lambda one: self.known[one].used.last) if len(self.known) > self._most else None
            )
            if dropped is not None:
                self._forget(dropped)
        if self._new >= MANY and 2 * self._new > self._plans.calls:
            self._fallbacks.met(ALWAYS_NEW, self._new - self._counted, where=self._changing)
            self._counted = self._new
        if dropped is not None:
            self._fallbacks.met(let_go(self._most), where=self._changing)
        return structure

    def _forget(self, key: tuple) -> None:
        structure = self.known.pop(key)
        paths, structure.forgotten = structure.paths, True
        self._plans.forget(structure.used)
        if not any(other.paths is paths for other in self.known.values()):  # an array and a batch of arrays share them
            self._paths.forget(paths)

    def _changing(self) -> str:
        with self._paths.lock:
            keys = list(self.known)
            layouts = [self.known[key].layout for key in keys[-2:]]
        before, now = [layout.sample([0.0] * layout.count) for layout in (layouts[0], layouts[-1])]
        return changing([key[1:] for key in keys], before, now, layouts[-1].named)


def changing(keys: Sequence[tuple], before: Sequence[Any], now: Sequence[Any], named: tuple[str, ...] = ()) -> str:
    """Names the argument that is always new, and says what to do about it.

    Args:
        keys: those of the structures, with a part for each argument.
        before, now: arguments of the last two structures.
        named: the names of the last arguments.

    >>> changing([(1, 4), (1, 5)], ["a", [0.0]], ["a", [0.0, 0.0]])
    'It is argument 1, the list [0.0, 0.0], whose size or nesting changes: bring lists to a few lengths, by padding.'
    """
    width = min(len(now), *map(len, keys))
    at = max(range(width), key=lambda i: len({key[i] for key in keys[-MANY:]}), default=0)
    if not width or len(before) != len(now):
        return "It is the number of arguments that changes."
    names = dict(zip(range(len(now) - len(named), len(now)), named, strict=True))
    argument = f"argument {names[at]!r}" if at in names else f"argument {at}"
    parts, parts_before = leaves(now[at]), leaves(before[at])
    things, old = [[x for x in of if not _is_number(x)] for of in (parts, parts_before)]
    for i, thing in enumerate(things):
        if i >= len(old) or static_key(thing) != static_key(old[i]):
            return f"It is {argument}, {_hint(thing)}"
    if things and len(parts) == len(parts_before):  # the same ones, which have changed since
        return f"It is {argument}: attributes of {shown(things[0])} change from call to call. Give them as numbers."
    size = "whose size or nesting changes: bring lists to a few lengths, by padding."
    return f"It is {argument}, {shown(now[at])}, {size}"


def _is_number(x: Any) -> bool:
    return isinstance(x, Value) or (not isinstance(x, bool) and is_number_leaf(x))


def _hint(thing: Any) -> str:
    what = shown(thing)
    if isinstance(thing, Module):
        return f"another {type(thing).__name__} each time: make it once, and change the numbers of its parameters."
    if callable(thing):
        return f"another function each time ({what}): make it once, before the loop, and give what differs as numbers."
    if isinstance(thing, str | bytes | bool):
        return f"{what}, which is another one each time: give numbers; chainrule.take(xs, i) chooses by an int."
    return f"another object each time ({what}): make it once, before the loop, and give what differs as numbers."
