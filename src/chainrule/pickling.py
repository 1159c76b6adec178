"""Pickling and deep copies of graphs: as a list of rows, without recursion however deep the graph."""

from __future__ import annotations

from typing import Any


def reduce_graph(order: list[Any]) -> tuple:
    """What `__reduce__` returns for the last node of a topological order.

    A leaf goes in as itself, so that it stays shared with whatever else is pickled along with it; every other node
    becomes a row (operation, positions of the operands, numbers). Results are thus copied once for each pickled Value
    that is made of them.
    """
    position = {id(node): i for i, node in enumerate(order)}
    rows = [
        (node.op, [position[id(operand)] for operand in node.operands], node._numbers()) if node.operands else node
        for node in order
    ]
    return rebuild_graph, (type(order[-1]), rows)


def rebuild_graph(cls: type, rows: list[Any]) -> Any:
    """The last node of the graph that `reduce_graph` took apart."""
    nodes: list[Any] = []
    for row in rows:
        if isinstance(row, tuple):
            op, positions, numbers = row
            nodes.append(cls._restore(op, tuple([nodes[i] for i in positions]), numbers))
        else:
            nodes.append(row)
    return nodes[-1]
