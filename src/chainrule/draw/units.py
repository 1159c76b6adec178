"""The units of folding: operations, where each chain of additions counts as one sum."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.draw.graph import Trace

LEAF = -1
CONSTANT = -2
"""Mark leaves and constants among a unit's operands."""
CHAIN = "sum of a chain"
"""The name of a unit that is a chain of additions."""
SUMS = {CHAIN, "add", "sum"}


@dataclass(frozen=True, slots=True)
class Units:
    """The units of a graph, operands before results.

    `members[u]` are the places of unit u's nodes in the trace, the result last; `operands[u]` are units, `LEAF` or
    `CONSTANT`; `unit_of` has the unit of each node of the trace, or `LEAF` or `CONSTANT`.
    """

    names: list[str]
    members: list[list[int]]
    operands: list[list[int]]
    is_root: list[bool]
    unit_of: list[int]


def find_units(trace: Trace) -> Units:
    """Finds the units of a graph.

    An addition belongs to the addition that uses it, if nothing else uses it: `a + b + c + d` is one sum.
    """
    last = _last_additions(trace)
    members: dict[int, list[int]] = {}
    unit_of = [0] * len(trace.values)
    for place, value in enumerate(trace.values):
        if value.op is None:
            unit_of[place] = CONSTANT if value.constant else LEAF
        else:
            members.setdefault(last[place], []).append(place)
    ordered = sorted(members.items())
    for unit, (_, nodes) in enumerate(ordered):
        for node in nodes:
            unit_of[node] = unit
    roots = set(trace.roots)
    names, operands = [], []
    for unit, (result, nodes) in enumerate(ordered):
        operation = trace.values[result].op
        name = operation.name if operation is not None else ""
        names.append(name if len(nodes) == 1 else CHAIN)
        inputs = [unit_of[source] for node in nodes for source in trace.operands[node]]
        operands.append([place for place in inputs if place != unit])
    is_root = [result in roots for result, _ in ordered]
    return Units(names, [nodes for _, nodes in ordered], operands, is_root, unit_of)


def _last_additions(trace: Trace) -> list[int]:
    """For each node the last addition of its chain, or the node itself."""
    uses = [0] * len(trace.values)
    user = [0] * len(trace.values)
    for place, sources in enumerate(trace.operands):
        for source in sources:
            uses[source] += 1
            user[source] = place
    for root in trace.roots:
        uses[root] += 1  # the picture itself uses a root
    is_addition = [value.op is not None and value.op.name == "add" for value in trace.values]
    last = list(range(len(trace.values)))
    for place in reversed(last):
        if uses[place] == 1 and is_addition[place] and is_addition[user[place]]:
            last[place] = last[user[place]]
    return last
