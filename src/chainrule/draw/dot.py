"""A picture in DOT, the language of Graphviz, for further work with that program."""

from __future__ import annotations

from chainrule.draw.graph import Edge, Graph, Node
from chainrule.draw.theme import printable

COLOURS = {
    "leaf": ("#eef4fd", "#7aa2dc"),
    "constant": ("#f5f6f8", "#b9c1cb"),
    "operation": ("#ffffff", "#8b97a6"),
    "root": ("#effaf3", "#55b07e"),
}
"""The fill and border of each kind of node."""


def render_dot(graph: Graph, *, direction: str = "right", numbers: bool = True) -> str:
    """The DOT text of a graph."""
    lines = [
        "digraph chainrule {",
        f"  rankdir={'LR' if direction == 'right' else 'TB'};",
        '  node [shape=record, style="rounded,filled", fontname="Helvetica", fontsize=11];',
        '  edge [fontname="Helvetica", fontsize=10, color="#8b97a6"];',
    ]
    for number, node in enumerate(graph.nodes):
        fill, border = COLOURS[node.kind]
        label = _record(node, numbers=numbers)
        lines.append(f'  n{number} [label="{label}", fillcolor="{fill}", color="{border}"];')
    lines += [_edge(edge, numbers=numbers) for edge in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _record(node: Node, *, numbers: bool) -> str:
    """The label of a record node: fields between bars."""
    fields = [part for part in (node.place, node.symbol, node.label, node.remark) if part]
    if numbers:
        fields.append(f"data {node.data}")
        if node.grad is not None:
            fields.append(f"grad {node.grad}")
    return " | ".join(_escaped(text) for text in fields or [node.kind])


def _edge(edge: Edge, *, numbers: bool) -> str:
    attributes = []
    if edge.local is None:
        attributes.append("style=dashed")
    elif numbers:
        attributes.append(f'label="{_escaped(edge.local.brief())}"')
    return f"  n{edge.source} -> n{edge.target}{f' [{attributes[0]}]' if attributes else ''};"


def _escaped(text: str) -> str:
    r"""Escapes text for a quoted record label: `\`, quotes and the characters that separate fields get a backslash.

    >>> print(_escaped('a|b "c" {d}'))
    a\|b \"c\" \{d\}
    """
    special = {sign: f"\\{sign}" for sign in '\\"{}|<>'}
    special |= {"\n": "\\n", "&": "&amp;"}
    return "".join(special.get(character, character) for character in printable(text))
