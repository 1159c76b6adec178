"""Pickling and copying of graphs as a list of rows, without recursion, however deep the graph.

A copied leaf is a new leaf, from which no derivative flows back. A compiled function copies the leaf at each call, with
the number that it then has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.core.modes import CUT, modes, nested_transform
from chainrule.errors import GraphError, TraceError


def reduce_graph(order: list[Any]) -> tuple:
    """Returns what `__reduce__` gives for the last node of a topological order.

    A leaf goes in as itself, so that it stays shared with everything else that is pickled along with it; every other
    node becomes a row (operation, positions of the operands, its other numbers). So a result is copied once for each
    pickled Value that is made of it.

    Raises:
        GraphError: the node is a number that a transform differentiates by.
    """
    root, last = order[-1], len(order) - 1
    if modes.trace is not None or modes.differentiated:
        own = {-1: root.own_attributes()}
        reduced = _reduced_in_function(order)
    else:
        own = {i: node.own_attributes() for i, node in enumerate(order) if i == last or node.operands}
        reduced = _reduced(order) if root.operands else (_restore, (type(root), *_row(root, {})))
    own = {i: attributes for i, attributes in own.items() if attributes}
    return (*reduced, own) if own else reduced  # apart, since attributes may lead back to the node


def restore_attributes(order: list[Any], own: dict[int, dict[str, Any]]) -> None:
    """Gives nodes their attributes back, by their places in the order of a graph that was made again."""
    for i, attributes in own.items():
        for name, x in attributes.items():
            order[i]._set_attribute(name, x)


def _reduced_in_function(order: list[Any]) -> tuple:
    """Does the same in a function that is traced or differentiated: the Values that it was given count as leaves."""
    root, trace = order[-1], modes.trace
    if _is_differentiated(root):
        raise GraphError(CUT)

    def is_leaf(node: Any) -> bool:
        given = trace is not None and not trace.has_made(node)
        return not node.operands or given or _is_differentiated(node)

    if not is_leaf(root):
        return _reduced(_above(order, is_leaf), is_leaf)
    if trace is None or root.constant:
        return _restore, (type(root), *_row(root, {}))
    return _copied_in_trace, trace.token_of(root)


def _is_differentiated(node: Any) -> bool:
    return any(node in variables for variables in modes.differentiated)


def _above(order: list[Any], is_leaf: Callable[[Any], bool]) -> list[Any]:
    """Returns the nodes of which the last one is made, without those below leaves."""
    needed = {id(order[-1])}
    for node in reversed(order):
        if id(node) in needed and not is_leaf(node):
            needed.update(map(id, node.operands))
    return [node for node in order if id(node) in needed]


def _reduced(order: list[Any], is_leaf: Callable[[Any], bool] = lambda node: not node.operands) -> tuple:
    position = {id(node): i for i, node in enumerate(order)}
    rows = [node if is_leaf(node) else _row(node, position) for node in order]
    return _restore_graph, (type(order[-1]), rows)


def _row(node: Any, position: dict[int, int]) -> tuple:
    op, operands, *numbers = node.__getstate__()
    return op, [position[id(operand)] for operand in operands], numbers


def _restore(cls: Any, op: Any, operands: list, numbers: list) -> Any:
    return cls._remade(cls, (op, operands, *numbers))


def _restore_graph(cls: type, rows: list[Any]) -> Any:
    restore = _restore if modes.trace is None else _record_again
    nodes: list[Any] = []
    for row in rows:
        if isinstance(row, tuple):
            op, positions, numbers = row
            nodes.append(restore(cls, op, [nodes[i] for i in positions], numbers))
        else:
            nodes.append(row)
    return nodes[-1]


def _record_again(cls: Any, op: Any, operands: list, numbers: list) -> Any:
    """Records a copied result in the present trace; also under `no_grad`, where a copy keeps its graph."""
    with nested_transform():
        node = cls._record(op, operands)
    node.label = numbers[-1]
    return node


def _copied_in_trace(trace: int, place: int) -> Any:
    if modes.trace is None or modes.trace.number != trace:
        raise TraceError(
            "a number was pickled in a function while it was compiled, and can be read in the same run alone: return "
            "the number, and pickle it outside"
        )
    return modes.trace.copied(place)
