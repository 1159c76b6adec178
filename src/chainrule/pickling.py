"""Pickling and copying of graphs: as a list of rows, without recursion however deep the graph."""

from __future__ import annotations

from typing import Any

from chainrule.modes import modes


def reduce_graph(order: list[Any]) -> tuple | str:
    """What `__reduce__` returns for the last node of a topological order.

    A leaf goes in as itself, so that it stays shared with whatever else is pickled along with it; every other node
    becomes a row (operation, positions of the operands, its other numbers). Results are thus copied once for each
    pickled Value that is made of them.

    While the compiler looks on, a copy of a number is that number, as it is of a float.
    """
    root = order[-1]
    if modes.trace is not None:
        return "a number of a trace"  # of whatever reduces to a str, the copy is itself; it cannot be pickled
    if not root.operands:
        return _restore, (type(root), *_row(root, {}))
    position = {id(node): i for i, node in enumerate(order)}
    return _restore_graph, (type(root), [_row(node, position) if node.operands else node for node in order])


def _row(node: Any, position: dict[int, int]) -> tuple:
    op, operands, *numbers = node.__getstate__()
    return op, [position[id(operand)] for operand in operands], numbers


def _restore(cls: Any, op: Any, operands: list, numbers: list) -> Any:
    return cls._remade(cls, (op, operands, *numbers))


def _restore_graph(cls: type, rows: list[Any]) -> Any:
    nodes: list[Any] = []
    for row in rows:
        if isinstance(row, tuple):
            op, positions, numbers = row
            nodes.append(_restore(cls, op, [nodes[i] for i in positions], numbers))
        else:
            nodes.append(row)
    return nodes[-1]
