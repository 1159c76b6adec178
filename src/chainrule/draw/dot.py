"""A graph in DOT, the language of Graphviz, for those who want to lay it out with other tools."""

from __future__ import annotations

from chainrule.draw.graph import Graph, Node

SHAPES = {"leaf": "box", "constant": "plaintext", "operation": "ellipse", "root": "doublecircle"}


def render_dot(graph: Graph, *, direction: str = "right") -> str:
    """The DOT text of a graph; nothing is needed to write it."""
    lines = ["digraph {", f"  rankdir={'LR' if direction == 'right' else 'TB'}"]
    for place, node in enumerate(graph.nodes):
        lines.append(f"  n{place} [shape={SHAPES[node.kind]} label={_quoted(_label(node))}]")
    for edge in graph.edges:
        local = "style=dashed" if edge.local is None else f"label={_quoted(edge.local.brief())}"
        lines.append(f"  n{edge.source} -> n{edge.target} [{local}]")
    return "\n".join([*lines, "}", ""])


def _label(node: Node) -> str:
    numbers = f"data {node.data}" + ("" if node.grad is None else f"\ngrad {node.grad}")
    return f"{node.name}\n{numbers}" if node.symbol or node.label or node.note else numbers


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
