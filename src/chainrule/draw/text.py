"""A graph as a tree of text, for a terminal: results above what they were made of."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.draw.graph import Edge, Graph, Node
from chainrule.draw.theme import shortened

MOST_LINES = 200
LABEL_COLUMNS = 40


def render_text(graph: Graph, *, most_lines: int = MOST_LINES) -> str:
    """The tree of a graph.

    One line a node: how far its result moves with it (the local derivative, behind ×), operation, label, data and grad.
    A node that is used several times is written out where it comes first, with a number by which later lines refer to
    it.
    """
    lines: list[str] = []
    shown: set[int] = set()
    for line, place in _lines(graph):
        if len(lines) == most_lines:
            lines.append(f"… and {len(graph.nodes) - len(shown):,} of {len(graph.nodes):,} nodes more")
            break
        lines.append(line)
        shown.add(place)
    return "\n".join(lines)


def _lines(graph: Graph) -> Iterator[tuple[str, int]]:
    """Each line with the node that it is about; depth first, with a stack of its own."""
    operands: list[list[Edge]] = [[] for _ in graph.nodes]
    uses = [0] * len(graph.nodes)
    for into in graph.edges:
        operands[into.target].append(into)
        uses[into.source] += 1
    number: dict[int, int] = {}
    for root in graph.roots:
        stack: list[tuple[int, Edge | None, str, str]] = [(root, None, "", "")]
        while stack:
            place, edge, before, below = stack.pop()
            known = place in number
            number.setdefault(place, 0)
            if not known and uses[place] > 1 and operands[place]:
                number[place] = 1 + max(number.values())
            yield before + _line(graph.nodes[place], edge, number[place], known=known), place
            if not known:
                for i, into in reversed(list(enumerate(operands[place]))):
                    last = i == len(operands[place]) - 1
                    branch, onward = ("└─ ", "   ") if last else ("├─ ", "│  ")
                    stack.append((into.source, into, below + branch, below + onward))


def _line(node: Node, edge: Edge | None, number: int, *, known: bool) -> str:
    local = "" if edge is None else "no derivative: " if edge.local is None else f"×{edge.local.brief()}: "
    words = [f"({number})"] if number else []
    words += [f"[{node.symbol}]"] if node.symbol else []
    words += [shortened(text, LABEL_COLUMNS) for text in (node.note, node.label) if text]
    if known and number:
        return f"{local}{' '.join(words)} (above)"
    numbers = f"data {node.data}" + ("" if node.grad is None else f", grad {node.grad}")
    return f"{local}{' '.join([*words, numbers])}"
