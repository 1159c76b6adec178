"""The boxes of a folded picture: each stands for a group of operations, or for leaves that are used alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from chainrule.draw.figures import Span
from chainrule.draw.graph import Edge, Graph, Kind, Node, Trace, record
from chainrule.draw.units import CONSTANT, Units

NEURON = "weighted_sum"

Box = tuple[int, object]
"""What names a box while it is made: a group's number and None; or `LEAF` or `CONSTANT`, and how these are used."""


@dataclass(slots=True)
class Group:
    """Units that were made alike; `stages` has those that come first first, such as [sums, activations]."""

    stages: list[list[int]]


def picture(trace: Trace, units: Units, groups: Sequence[Group], *, leaves_apart: bool = True) -> Graph:
    """The graph of the boxes, one for each group and one for each kind of leaf.

    Args:
        trace: the nodes.
        units: what they were grouped from.
        groups: every unit is in one of them, and they do not depend on each other in a circle.
        leaves_apart: leaves that are used in another way have a box of their own; else there is one for all.
    """
    box_of = _boxes(trace, units, groups, leaves_apart=leaves_apart)
    members: dict[Box, list[int]] = {}
    for place, box in enumerate(box_of):
        members.setdefault(box, []).append(place)
    ordered = _in_order(trace, box_of, members)
    number = {box: i for i, box in enumerate(ordered)}
    nodes = [_node(trace, units, groups, box, members[box]) for box in ordered]
    roots = list(dict.fromkeys(number[box_of[root]] for root in trace.roots))
    return Graph(nodes, _edges(trace, box_of, number), roots)


def _boxes(trace: Trace, units: Units, groups: Sequence[Group], *, leaves_apart: bool) -> list[Box]:
    """The box of each node of the trace."""
    group_of = [0] * len(units.members)
    for number, group in enumerate(groups):
        for stage in group.stages:
            for unit in stage:
                group_of[unit] = number
    uses: dict[int, set[tuple[int, str]]] = {}
    for place, operands in enumerate(trace.operands):
        for i, source in enumerate(operands):
            if leaves_apart and units.unit_of[source] < 0:
                uses.setdefault(source, set()).add((group_of[units.unit_of[place]], _role(trace, place, i)))
    return [
        (group_of[unit], None) if unit >= 0 else (unit, frozenset(uses.get(place, ())))
        for place, unit in enumerate(units.unit_of)
    ]


def _role(trace: Trace, place: int, i: int) -> str:
    """As what operand i of a node is used."""
    op = trace.values[place].op
    if op is None or op.name != NEURON:
        return f"operand {i}" if len(trace.operands[place]) < 4 else "operand"
    return "bias" if i == 0 else "weight" if i % 2 else "input"


def _in_order(trace: Trace, box_of: Sequence[Box], boxes: Iterable[Box]) -> list[Box]:
    """The boxes, each behind those that it depends on."""
    below: dict[Box, set[Box]] = {box: set() for box in boxes}
    for place, operands in enumerate(trace.operands):
        for source in operands:
            if box_of[source] != box_of[place]:
                below[box_of[place]].add(box_of[source])
    return list(TopologicalSorter(below).static_order())


def _node(trace: Trace, units: Units, groups: Sequence[Group], box: Box, members: Sequence[int]) -> Node:
    roots = set(trace.roots)
    if len(members) == 1:
        return record(trace.values[members[0]], is_root=members[0] in roots)
    number, uses = box
    kind: Kind
    shown: Sequence[int]
    if number < 0:
        shown = members
        kind = "constant" if number == CONSTANT else "leaf"
        label = _leaves_label(len(members), number, uses)
    else:
        stages = groups[number].stages
        shown = [units.members[unit][-1] for unit in stages[-1]]
        label = _group_label(trace, units, stages)
        kind = "root" if any(place in roots for place in shown) else "operation"
    data = Span.of([trace.values[place].data for place in shown])
    grad = None if kind == "constant" else Span.of([trace.values[place].peek_grad() for place in shown])
    note = f"{len(shown):,} ×" if number >= 0 and len(shown) > 1 else ""
    return Node(kind, "", label, data, grad, size=len(members), note=note)


def _leaves_label(count: int, number: int, uses: object) -> str:
    """Such as `272 weights`; leaves that are used in several ways are named by where they come in first."""
    role = min(uses)[1] if isinstance(uses, frozenset) and uses else ""
    names = {"weight": "weights", "bias": "biases", "input": "inputs"}
    return f"{count:,} {names.get(role, 'constants' if number == CONSTANT else 'leaves')}"


def _group_label(trace: Trace, units: Units, stages: Sequence[Sequence[int]]) -> str:
    """The operations of a group from first to last, such as `Σ + b → tanh`, and how many of each go into one result."""
    words = []
    for stage in stages:
        symbols = {_symbol(trace, units.members[unit]) for unit in stage}
        name = symbols.pop() if len(symbols) == 1 else "mixed operations"
        each = len(stage) // len(stages[-1])
        words.append(f"{each} × [{name}]" if each > 1 else name)
    return " → ".join(words)


def _symbol(trace: Trace, members: Sequence[int]) -> str:
    op = trace.values[members[-1]].op
    symbol = "" if op is None else op.symbol
    return symbol if len(members) == 1 else f"{len(members):,} × {symbol}"


def _edges(trace: Trace, box_of: Sequence[Box], number: dict[Box, int]) -> list[Edge]:
    locals_: dict[tuple[int, int], list[float | None]] = {}
    for place, operands in enumerate(trace.operands):
        target = number[box_of[place]]
        for source, local in zip(operands, trace.values[place].locals, strict=True):
            if number[box_of[source]] != target:
                locals_.setdefault((number[box_of[source]], target), []).append(local)
    edges = []
    for (source, target), found in locals_.items():
        flowing = [local for local in found if local is not None]
        edges.append(Edge(source, target, Span.of(flowing) if flowing else None, size=len(found)))
    return edges
