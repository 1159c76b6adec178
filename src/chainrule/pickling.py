"""Pickling and copying of graphs: as a list of rows, without recursion however deep the graph."""

from __future__ import annotations

from typing import Any

_NUMBERS = ("_data", "_grad", "_locals", "_state", "label")


def reduce_graph(order: list[Any]) -> tuple:
    """What `__reduce__` returns for the last node of a topological order.

    A leaf goes in as itself, so that it stays shared with whatever else is pickled along with it; every other node
    becomes a row (operation, positions of the operands, numbers). Results are thus copied once for each pickled Value
    that is made of them.
    """
    root = order[-1]
    if not root.operands:
        return _restore, (type(root), None, (), _numbers(root))
    position = {id(node): i for i, node in enumerate(order)}
    rows = [
        (node.op, [position[id(operand)] for operand in node.operands], _numbers(node)) if node.operands else node
        for node in order
    ]
    return _restore_graph, (type(root), rows)


def _numbers(node: Any) -> tuple:
    return tuple([getattr(node, name) for name in _NUMBERS])


def _restore(cls: type, op: Any, operands: tuple, numbers: tuple) -> Any:
    value = cls(0.0)
    value._operation, value._operands = op, operands
    for name, x in zip(_NUMBERS, numbers, strict=True):
        setattr(value, name, x)
    return value


def _restore_graph(cls: type, rows: list[Any]) -> Any:
    nodes: list[Any] = []
    for row in rows:
        if isinstance(row, tuple):
            op, positions, numbers = row
            nodes.append(_restore(cls, op, tuple([nodes[i] for i in positions]), numbers))
        else:
            nodes.append(row)
    return nodes[-1]
