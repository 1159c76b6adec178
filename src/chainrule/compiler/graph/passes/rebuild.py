"""Rewrites a graph node by node: the frame of most passes."""

from __future__ import annotations

from collections.abc import Callable

from chainrule.compiler.graph.graph import Graph, used
from chainrule.core.operation import Operation

Rule = Callable[[Graph, Operation, tuple[int, ...], int], int]
"""Gets the new graph, an operation, its operands there, and the old node; adds a node or picks one, and returns it."""


def rebuild(graph: Graph, rule: Rule) -> Graph:
    """Applies a rule to every operation that is needed; leaves out dead nodes."""
    new = graph.with_same_inputs()
    needed = used(graph)
    place = list(range(graph.inputs))
    for i in range(graph.inputs, len(graph)):
        op = graph.ops[i]
        if not needed[i]:
            place.append(-1)
        elif op is None:
            place.append(new.constant(graph.numbers[i]))
        else:
            place.append(rule(new, op, tuple([place[k] for k in graph.operands[i]]), i))
    new.outputs = [place[i] for i in graph.outputs]
    new.guards = [(place[i], outcome) for i, outcome in graph.guards]
    return new


def prune(graph: Graph) -> Graph:
    """Removes dead nodes: those that no output and no guard depends on. If there are none, it returns the graph itself.

    >>> from chainrule.compiler.graph.text import from_text, to_text
    >>> print(to_text(prune(from_text("%0 = input x\\n%1 = exp %0\\n%2 = sin %0\\nreturn %2"))))
    %0 = input x
    %1 = sin %0
    return %1
    """
    needed = used(graph)
    if all(needed):
        return graph
    kept = [i for i, one in enumerate(needed) if one]
    place = [-1] * len(graph)
    for at, i in enumerate(kept):
        place[i] = at
    new = graph.with_same_inputs()
    new.ops = [graph.ops[i] for i in kept]
    new.operands = [tuple([place[k] for k in graph.operands[i]]) for i in kept]
    new.numbers = [graph.numbers[i] for i in kept]
    new.outputs = [place[i] for i in graph.outputs]
    new.guards = [(place[i], outcome) for i, outcome in graph.guards]
    return new
