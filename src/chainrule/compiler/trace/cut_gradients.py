"""Refuses derivatives that would silently be zero, because something cuts the flow of gradients."""

from __future__ import annotations

from collections.abc import Collection

from chainrule import ops
from chainrule.compiler.trace.tracing import Traced
from chainrule.core.modes import CUT
from chainrule.engine import Value, topological_order
from chainrule.errors import GraphError, TraceError


def refuse_cuts(traced: Traced, wrt: Collection[int], name: str) -> None:
    """Checks a trace whose derivative by some inputs is wanted.

    Raises:
        GraphError: the function calculates with a copy of one of these inputs.
        TraceError: it uses a Value that was calculated from one of them before the call.
    """
    if not traced.copied.isdisjoint(wrt):
        raise GraphError(f"{name}: {CUT}")
    first = traced.graph.arguments
    below = made_of(flowing(traced))
    for i in wrt:
        if i >= first and id(traced.live[i - first]) in below:
            raise TraceError(made_before(name, below[id(traced.live[i - first])], traced.live[i - first]))


def flowing(traced: Traced) -> list[Value]:
    """The Values from before the call through which gradients of the result flow: the result depends on them other than
    through a cut, such as `.data`."""
    if all(value.is_leaf() for value in traced.live):
        return []
    graph, flows = traced.graph, [False] * len(traced.graph)
    for i in graph.outputs:
        flows[i] = True
    for i in range(len(graph) - 1, graph.inputs - 1, -1):
        if flows[i] and graph.ops[i] is not ops.stop_gradient:
            for k in graph.operands[i]:
                flows[k] = True
    return [x for i, x in enumerate(traced.live, graph.arguments) if flows[i] and not x.is_leaf()]


def made_of(live: Collection[Value]) -> dict[int, Value]:
    """Maps each number (by its identity) from which one of these Values was calculated before the function ran to that
    Value, or one of them."""
    below = {id(value): value for value in live if not value.is_leaf()}
    for node in reversed(topological_order(*below.values())):
        for operand in node.operands:
            below.setdefault(id(operand), below[id(node)])
    return below


def made_before(name: str, value: Value, leaf: Value) -> str:
    """The text of the error about such a Value."""
    which = f" {value.label!r}" if value.label else f", by {value.op.name}," if value.op else ""
    what = repr(leaf.label) if leaf.label else "them"
    return (
        f"{name} uses a Value{which} that was calculated from parameters before: calculate it inside {name}, since its "
        f"number stays what it was, and no derivative reaches {what} through it; where that is meant, take h.detach() "
        "before"
    )
