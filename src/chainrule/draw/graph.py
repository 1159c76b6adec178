"""The content of a picture: lists the nodes behind some results, and makes records of what is drawn.

There are two steps, so that a graph of a million nodes is never copied record by record: `trace` lists the nodes with
operands before results, and then either `one_by_one` makes a record of each, or `fold.fold` makes a few records of
groups. Nothing here is recursive, and nodes are distinguished by identity alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from chainrule.core.naming import names_in
from chainrule.draw.figures import Span
from chainrule.errors import GraphError, shown

Kind = Literal["leaf", "constant", "operation", "root"]

WRITTEN = "written since"
"""The remark on a leaf whose data was written after results had been calculated from it."""


class Symbol(Protocol):
    """The part of an operation that is drawn."""

    @property
    def name(self) -> str: ...
    @property
    def symbol(self) -> str: ...


class Drawable(Protocol):
    """A `chainrule.Value`, or any other object with these attributes."""

    @property
    def label(self) -> str: ...
    @property
    def op(self) -> Symbol | None: ...
    @property
    def operands(self) -> Sequence[Drawable]: ...
    @property
    def locals(self) -> Sequence[float | None]: ...
    @property
    def data(self) -> float: ...
    @property
    def constant(self) -> bool: ...
    def peek_grad(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Node:
    """One box of a picture: a node of the graph, or (if `size` is above 1) a group of nodes.

    `symbol` is the operation's ("" for leaves and groups), and `grad` is None for a constant, which gets no gradient.
    `place` is the place within a network ("layer 1", "bias"), `remark` any other information ("each 100 times"). One
    that `is_lit` stands out, in a picture of a step.
    """

    kind: Kind
    symbol: str
    label: str
    data: Span
    grad: Span | None
    size: int = 1
    place: str = ""
    remark: str = ""
    is_lit: bool = False

    @property
    def name(self) -> str:
        """The name of the box in a sentence.

        >>> Node("root", "+", "total", Span(3.0, 3.0), Span(1.0, 1.0)).name
        'total = +'
        """
        name = " = ".join(part for part in (self.label, self.symbol) if part)
        return ": ".join(part for part in (self.place, name) if part) or self.kind


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge from an operand to a result; `local` is d(result)/d(operand), None where no derivative flows.

    `size` is the number of edges of the graph that it stands for.
    """

    source: int
    target: int
    local: Span | None
    size: int = 1
    is_lit: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """The content of a picture. Nodes precede the nodes that use them; edges are in the order of the operands."""

    nodes: list[Node]
    edges: list[Edge]
    roots: list[int]

    @property
    def total(self) -> int:
        """The number of nodes that the picture stands for."""
        return sum(node.size for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Trace:
    """The nodes behind some roots, operands first; `operands[i]` are the places of node i's operands in `values`.

    Attributes:
        written: the ids of leaves whose data was written after results had been calculated from them.
        unreached: the ids of nodes that have no gradient yet, since no `backward()` has come by.
        names: by id, the names of leaves that are parameters or inputs of a model.
    """

    values: list[Drawable]
    operands: list[list[int]]
    roots: list[int]
    written: frozenset[int] = frozenset()
    unreached: frozenset[int] = frozenset()
    names: Mapping[int, str] = field(default_factory=dict)

    def label(self, value: Drawable) -> str:
        """The label of a node, or else its name."""
        return value.label or self.names.get(id(value), "")

    def grad(self, value: Drawable) -> float | None:
        """The gradient of a node; None if it has none yet."""
        return None if id(value) in self.unreached else value.peek_grad()


MOST_NODES = 5_000_000
"""The most nodes of a picture; an object that makes new operands each time it is asked might never end."""


def trace(roots: Sequence[Drawable]) -> Trace:
    """Lists every node that the roots depend on once, operands before results.

    Raises:
        GraphError: a node depends on itself or lacks a local derivative, or there are too many nodes.
    """
    place: dict[int, int] = {}
    values: list[Drawable] = []
    entered: set[int] = set()
    stack = list(reversed(roots))
    while stack:
        value = stack[-1]
        identity = id(value)
        if identity in entered:  # all operands are listed, or this is a second visit
            stack.pop()
            if identity not in place:
                place[identity] = len(values)
                values.append(value)
            continue
        entered.add(identity)
        if len(entered) > MOST_NODES:
            raise GraphError(f"there are more than {MOST_NODES:,} nodes: are operands made anew each time?")
        stack.extend(operand for operand in reversed(value.operands) if id(operand) not in entered)
    operands = [[place.get(id(operand), len(values)) for operand in value.operands] for value in values]
    for i, value in enumerate(values):
        if operands[i] and max(operands[i]) >= i:
            what = f"the {type(value).__name__} {shown(value, 40)}"
            raise GraphError(f"{what} is made of itself, or of new operands each time, so it cannot be drawn")
        if len(value.locals) != len(operands[i]):
            has = f"{len(operands[i])} operands but {len(value.locals)} local derivatives"
            raise GraphError(f"the {type(value).__name__} {shown(value, 40)} has {has}: give one for each")
    distinct = dict.fromkeys(place[id(root)] for root in roots)
    marked = frozenset(_written(values)), frozenset(_unreached(values, operands))
    return Trace(values, operands, list(distinct), *marked, names_in(values))


def _written(values: Sequence[Drawable]) -> Iterator[int]:
    for value in values:
        if value.op is not None:
            for i in getattr(value, "peek_written", list)():  # not every Drawable has it
                yield id(value.operands[i])


def _unreached(values: Sequence[Drawable], operands: Sequence[Sequence[int]]) -> Iterator[int]:
    """Yields the ids of nodes without a gradient: a leaf has one if a `backward()` passed a result that it is in."""
    reached = [_is_passed(value) for value in values]
    for i, sources in enumerate(operands):
        if reached[i]:
            for source in sources:
                reached[source] = True
    for value, is_reached in zip(values, reached, strict=True):
        if not is_reached and value.peek_grad() == 0:
            yield id(value)


def _is_passed(value: Drawable) -> bool:
    passed = getattr(value, "peek_passed", None)
    return passed is None or (value.op is not None and passed())  # another Drawable than a Value does not say


def one_by_one(trace: Trace) -> Graph:
    """A picture with one box for each node."""
    roots = set(trace.roots)
    nodes: list[Node] = []
    edges: list[Edge] = []
    for place, value in enumerate(trace.values):
        nodes.append(record(trace, value, is_root=place in roots))
        for source, local in zip(trace.operands[place], value.locals, strict=True):
            edges.append(Edge(source, place, None if local is None else Span(local, local)))
    return Graph(nodes, edges, trace.roots)


def record(trace: Trace, value: Drawable, *, is_root: bool = False) -> Node:
    """The box of a single node, with its present numbers."""
    kind = kind_of(value, is_root=is_root)
    grad = None if kind == "constant" else Span.of([trace.grad(value)])
    symbol = "" if value.op is None else value.op.symbol
    remark = WRITTEN if id(value) in trace.written else ""
    return Node(kind, symbol, trace.label(value), Span.of([value.data]), grad, remark=remark)


def kind_of(value: Drawable, *, is_root: bool) -> Kind:
    """The kind of a node's box."""
    if value.op is None:
        return "constant" if value.constant else "leaf"
    return "root" if is_root else "operation"
