"""Renders a picture as text: a tree for a terminal, from the result down to the leaves, with numbers in columns.

A node that is used several times is printed once, with a number by which later uses refer to it. A tree that would get
too wide continues further down, under such a number as well.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from chainrule.draw.figures import COLUMNS, EDGE_COLUMNS
from chainrule.draw.graph import Edge, Graph, Node
from chainrule.draw.theme import columns, shortened

WIDTH = 80
DEPTH = 11
"""How many levels a tree has before a subtree continues further down."""
WIDE, NARROW = 3, 2
"""How many columns the branch of one level takes."""
LINES = 120
LEAST_NAME = 12
HEADINGS = ("data", "grad", "local")


@dataclass(frozen=True, slots=True)
class _Line:
    """One line: for each level of the tree whether its last branch is reached, the name, and the texts of the
    columns."""

    lasts: Sequence[bool]
    name: str
    cells: tuple[str, ...] = ()


@dataclass(slots=True)
class _Printed:
    """What has been printed so far."""

    number: dict[int, int] = field(default_factory=dict)
    shown: set[int] = field(default_factory=set)
    later: deque[int] = field(default_factory=deque)

    def mark(self, node: int) -> str:
        """The number by which later uses refer to a node."""
        return f"#{self.number.setdefault(node, len(self.number) + 1)}"


def render_text(graph: Graph, *, numbers: bool = True, lines: int = LINES) -> str:
    """Renders the text tree of a graph.

    Args:
        graph: the graph.
        numbers: whether to show data, gradients and local derivatives.
        lines: the most lines of nodes; a last line then says how many nodes are not shown.
    """
    printed = _Printed()
    tree = list(islice(_lines(graph, printed), lines))
    text = _in_columns([_Line((), "", HEADINGS), *tree] if numbers else [_Line(line.lasts, line.name) for line in tree])
    hidden = graph.total - sum(graph.nodes[node].size for node in printed.shown)
    if hidden:
        text.append(f"… {hidden:,} of {graph.total:,} nodes not shown")
    return "\n".join(text)


def _lines(graph: Graph, printed: _Printed) -> Iterator[_Line]:
    """Yields all lines: one root after the other, each followed by its postponed subtrees."""
    operands: list[list[Edge]] = [[] for _ in graph.nodes]
    for edge in graph.edges:
        operands[edge.target].append(edge)
    uses = Counter(edge.source for edge in graph.edges) + Counter(graph.roots)
    for root in graph.roots:
        printed.later.append(root)
        while printed.later:
            start = printed.later.popleft()
            if start not in printed.shown:
                yield from _tree(graph, start, operands, uses, printed)


def _tree(
    graph: Graph, start: int, operands: Sequence[Sequence[Edge]], uses: Counter[int], printed: _Printed
) -> Iterator[_Line]:
    """Yields the lines of one tree. The stack holds what is still to be printed: node, branches, edge."""
    stack: list[tuple[int, list[bool], Edge | None]] = [(start, [], None)]
    while stack:
        node, lasts, edge = stack.pop()
        record = graph.nodes[node]
        if node in printed.shown:
            yield _Line(lasts, f"↑ {printed.mark(node)} {record.name}", ("", "", _local(edge)))
            continue
        if operands[node] and len(lasts) >= DEPTH:
            yield _Line(lasts, f"↓ {printed.mark(node)} {record.name}", ("", "", _local(edge)))
            printed.later.append(node)
            continue
        printed.shown.add(node)
        marked = uses[node] > 1 or node in printed.number
        name = f"{printed.mark(node)} {_name(record)}" if marked else _name(record)
        grad = "" if record.grad is None else record.grad.narrow()
        yield _Line(lasts, name, (record.data.narrow(), grad, _local(edge)))
        below = operands[node]
        for i in reversed(range(len(below))):
            stack.append((below[i].source, [*lasts, i == len(below) - 1], below[i]))


def _name(node: Node) -> str:
    return f"{node.name}, {node.remark}" if node.remark else node.name


def _branches(lasts: Sequence[bool], width: int) -> str:
    if not lasts:
        return ""
    passing = "".join(f"{' ' if last else '│':<{width}}" for last in lasts[:-1])
    return f"{passing}{('└' if lasts[-1] else '├') + '─' * (width - 2)} "


def _local(edge: Edge | None) -> str:
    if edge is None:
        return ""
    if edge.local is None:
        return "–"
    return edge.local.brief() if edge.local.single else edge.local.narrow()


def _in_columns(lines: Sequence[_Line]) -> list[str]:
    """Names on the left, numbers flush right. Where a line would get too wide, branches and then names are
    shortened."""
    count = max(len(line.cells) for line in lines)
    least = (COLUMNS, COLUMNS, EDGE_COLUMNS)  # so columns rarely move when numbers change
    widths = [max([least[i], *[len(line.cells[i]) for line in lines if line.cells]]) for i in range(count)]
    room = max(WIDTH - sum(widths) - 2 * count, LEAST_NAME)
    branch = WIDE if all(WIDE * len(line.lasts) + columns(line.name) <= room for line in lines) else NARROW
    names = [
        _branches(line.lasts, branch) + shortened(line.name, max(room - branch * len(line.lasts), LEAST_NAME))
        for line in lines
    ]
    left = max(map(columns, names))
    text = []
    for name, line in zip(names, lines, strict=True):
        cells = [f"  {cell:>{width}}" for cell, width in zip(line.cells, widths, strict=False)]
        text.append((name + " " * (left - columns(name)) + "".join(cells)).rstrip())
    return text
