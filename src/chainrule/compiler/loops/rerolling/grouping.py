"""Grouping: nodes whose whole expressions have the same shape form a group, which becomes one loop.

The shape of a node is its operation and the shapes of its operands. For a variadic operation, such as a sum, a run of
consecutive operands of equal shape counts once, however long it is. So no node of a group depends on another, and a
group's number is larger than the numbers of its operands' groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from chainrule import ops
from chainrule.compiler.graph.graph import Graph
from chainrule.core.operation import Operation

CONSTANT, SHARED_INPUT, BATCHED_INPUT = 0, 1, 2
"""The groups of all constants, of the inputs that samples share, and of the inputs that differ from sample to
sample."""

Table = np.ndarray


@dataclass
class Operand:
    """One operand of a group's operation, for all members.

    Attributes:
        group: the group that it comes from.
        places: int[members]: which member of that group; for the group of constants, the nodes themselves.
    """

    group: int
    places: Table
    live_in: dict[int, int] = field(default_factory=dict)
    """In a recurrence: for its first members, whose operand comes from another group, the node of that operand."""


@dataclass
class Run:
    """Consecutive operands of equal shape in a variadic operation: Σ over k of a[k], or of a[k] · b[k].

    Attributes:
        lengths: int[members]: the number of steps.
        parts: one or two Operands, whose places are int[sum of lengths], member after member.
    """

    lengths: Table
    parts: list[Operand]


@dataclass
class Group:
    """Nodes of the same shape.

    Attributes:
        op: their operation; None for constants and inputs.
        nodes: the members, in the order of the graph.
        operands: the operands of an operation of fixed arity; the bias of a `weighted_sum`, the index of a `take`.
        runs: the other operands of a variadic operation.
    """

    op: Operation | None
    nodes: list[int]
    operands: list[Operand] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.nodes)

    def all_operands(self) -> list[Operand]:
        """All operands, including those in runs."""
        return [*self.operands, *[part for run in self.runs for part in run.parts]]


N_ARY = {ops.sum: (0, 1), ops.largest: (0, 1), ops.weighted_sum: (1, 2), ops.take: (1, 1)}
"""Variadic operations: how many operands stand before the runs, and how many operands make one step of a run."""
SUMS = {ops.sum, ops.weighted_sum}
"""The variadic operations that allow their operands in any order."""


@dataclass
class Grouping:
    """A graph in groups.

    Attributes:
        groups: constants, shared inputs and batched inputs first; then the others, each after the groups of its
            operands.
        group_of: for each node its group.
        place_of: for each node its place in the group.
        recurrences: loops with loop-carried dependences, as sequences of groups.
    """

    groups: list[Group]
    group_of: list[int]
    place_of: list[int]
    recurrences: list[Recurrence] = field(default_factory=list)


@dataclass
class Recurrence:
    """A loop whose iterations depend on earlier ones. The members of its groups lie iteration after iteration.

    Attributes:
        groups: the groups of its body, in order.
        length: its trip count.
    """

    groups: list[int]
    length: int


def group(graph: Graph, known: dict[int, tuple] | None = None, split: bool = True) -> Grouping:
    """Puts the nodes of a graph into groups.

    Args:
        graph: the graph, without dead nodes.
        known: nodes of loops that were recognised already, with the shape to use in place of the one that their
            operands give.
        split: whether nodes of the same shape but different uses form different groups, as queries, keys and values do,
            which are all made in the same way.

    >>> from chainrule.compiler.graph.text import from_text
    >>> graph = from_text('''%0 = input x
    ... %1 = input y
    ... %2 = exp %0
    ... %3 = exp %1
    ... %4 = sum %2 %3
    ... return %4''')
    >>> [(group.op.name, group.nodes) for group in group(graph).groups[3:]]
    [('exp', [2, 3]), ('sum', [4])]
    """
    members, group_of, place_of = by_shape(graph, known or {}, {})
    uses = _uses(graph, members, group_of) if split else {}
    if uses:
        members, group_of, place_of = by_shape(graph, known or {}, uses)
    builder = _GroupBuilder(graph, group_of, place_of, known or {})
    groups = [Group(None, nodes) for nodes in members[:3]] + [builder.group(nodes) for nodes in members[3:]]
    return Grouping(groups, group_of, place_of)


def by_shape(
    graph: Graph, known: dict[int, tuple], uses: dict[int, int]
) -> tuple[list[list[int]], list[int], list[int]]:
    """Computes the members of each group, and for each node its group and its place there.

    Within each sum, terms of equal shape are moved together, in place. A parameter that a loop uses in two ways gets
    its derivative from the one and the other in turn, and should give two loops instead of a term for each iteration.
    """
    number_of: dict[object, int] = {}
    members: list[list[int]] = [[], [], []]
    group_of: list[int] = []
    place_of: list[int] = []
    for node, (op, operands) in enumerate(zip(graph.ops, graph.operands, strict=True)):
        if op is None:
            at = CONSTANT if node >= graph.inputs else BATCHED_INPUT if node in graph.batched else SHARED_INPUT
        else:
            key = known.get(node)
            if key is None:
                shapes = [group_of[k] for k in operands]
                if op in N_ARY:
                    shape = _shape(op, shapes)
                    if op in SUMS and len(set(shape[-1])) < len(shape[-1]):
                        graph.operands[node] = _terms_by_shape(op, operands, shapes)
                        shape = (*shape[:-1], tuple(dict.fromkeys(shape[-1])))
                    key = (op.code, uses.get(node, 0), shape)
                else:
                    key = (op.code, uses.get(node, 0), *shapes)
            at = number_of.get(key, -1)
            if at < 0:
                at = number_of[key] = len(members)
                members.append([])
        own = members[at]
        group_of.append(at)
        place_of.append(len(own))
        own.append(node)
    return members, group_of, place_of


def _uses(graph: Graph, members: list[list[int]], group_of: list[int]) -> dict[int, int]:
    """Numbers the uses of nodes whose group has several; a use counts only if many members have it."""
    groups = [nodes for nodes in members[3:] if len(nodes) > 1]
    used_in: dict[int, set[tuple[int, int]]] = {node: set() for nodes in groups for node in nodes}
    if not used_in:
        return {}
    for node, (op, operands) in enumerate(zip(graph.ops, graph.operands, strict=True)):
        if op is None:
            continue
        before, step = N_ARY.get(op, (len(operands), 1))
        for i, k in enumerate(operands):
            if k in used_in:
                used_in[k].add((group_of[node], i if i < before else before + (i - before) % step))
    use_of: dict[int, int] = {}
    for nodes in groups:
        by_use: dict[frozenset, list[int]] = {}
        for node in nodes:
            by_use.setdefault(frozenset(used_in[node]), []).append(node)
        if len(by_use) > 1 and min(map(len, by_use.values())) * RAREST_USE >= len(nodes):
            for number, own in enumerate(by_use.values()):
                use_of.update(dict.fromkeys(own, number))
    return use_of


RAREST_USE = 32
"""A use counts if at least one in so many members has it."""


def _shape(op: Operation, shapes: Sequence[int]) -> tuple:
    """The shape of a variadic operation, by those of its operands."""
    before, step = N_ARY[op]
    if step == 1:
        runs: list[object] = [shape for shape, _ in groupby(shapes[before:])]
        if op is ops.take:  # the number of its operands matters to its index
            runs = [(shape, len(list(own))) for shape, own in groupby(shapes[before:])]
    else:
        runs = [shape for shape, _ in groupby(zip(shapes[1::2], shapes[2::2], strict=True))]
    return (*shapes[:before], tuple(runs))


def _terms_by_shape(op: Operation, operands: tuple[int, ...], shapes: Sequence[int]) -> tuple[int, ...]:
    """The operands of a sum, with terms of equal shape side by side."""
    before, step = N_ARY[op]
    terms: dict[tuple[int, ...], list[int]] = {}
    for i in range(before, len(operands), step):
        terms.setdefault(tuple(shapes[i : i + step]), []).extend(operands[i : i + step])
    return (*operands[:before], *[k for own in terms.values() for k in own])


class _GroupBuilder:
    """Finds the operands of whole groups at a time."""

    def __init__(self, graph: Graph, group_of: list[int], place_of: list[int], known: dict[int, tuple]) -> None:
        self.graph, self.group_list, self.known = graph, group_of, known
        self.group_of, self.place_of = np.array(group_of), np.array(place_of)
        self.place_or_node = np.where(self.group_of == CONSTANT, np.arange(len(group_of)), self.place_of)
        self.place_or_node.flags.writeable = False  # operands have slices of it

    def group(self, nodes: list[int]) -> Group:
        op = self.graph.ops[nodes[0]]
        assert op is not None
        if len(nodes) == 1:
            return self._single(op, nodes[0])
        rows = [self.graph.operands[node] for node in nodes]
        if op not in N_ARY:
            return Group(op, nodes, [self._operand(column) for column in np.array(rows, dtype=np.int64).T])
        before, step = N_ARY[op]
        operands = [self._operand(np.array([row[i] for row in rows])) for i in range(before)]
        counts = np.array([len(row) - before for row in rows]) // step
        flat = np.array([k for row in rows for k in row[before:]], dtype=np.int64).reshape(-1, step)
        return self._simplified(Group(op, nodes, operands, self._runs(nodes, flat, counts)))

    def _single(self, op: Operation, node: int) -> Group:
        """A group of one member. There are many before recurrences are recognised, so this path is short."""
        row, group_of = self.graph.operands[node], self.group_list
        if op not in N_ARY:
            return Group(op, [node], [Operand(group_of[k], self.place_or_node[k : k + 1]) for k in row])
        before, step = N_ARY[op]
        group = Group(op, [node], [self._single_operand(row[i : i + 1]) for i in range(before)])
        steps = [row[i : i + step] for i in range(before, len(row), step)]
        for _, own in groupby(steps, key=lambda step: [group_of[k] for k in step]):
            columns = list(zip(*own, strict=True))
            group.runs.append(Run(np.array([len(columns[0])]), [self._single_operand(column) for column in columns]))
        return self._simplified(group)

    def _single_operand(self, nodes: Sequence[int]) -> Operand:
        return Operand(self.group_list[nodes[0]], self.place_or_node[list(nodes)])

    def _simplified(self, group: Group) -> Group:
        """Turns a sum of just one product into that product, and a sum of one number into that number."""
        if len(group.runs) != 1 or (group.runs[0].lengths != 1).any():
            return group
        parts = group.runs[0].parts
        if group.op is ops.sum:
            return Group(ops.identity, group.nodes, parts)
        if group.op is ops.weighted_sum and group.operands[0].group == CONSTANT:
            biases = [self.graph.numbers[k] for k in group.operands[0].places]
            return group if any(biases) else Group(ops.mul, group.nodes, parts)
        return group

    def _operand(self, nodes: Table) -> Operand:
        groups = self.group_of[nodes]
        group = int(groups[-1])
        if group == CONSTANT:
            return Operand(group, nodes)
        others = np.flatnonzero(groups != group)
        return Operand(group, self.place_of[nodes], {int(i): int(nodes[i]) for i in others})

    def _runs(self, nodes: list[int], flat: Table, counts: Table) -> list[Run]:
        """The runs of all members, which have equally many. A run begins where the shape or the member changes."""
        if not len(flat):
            return []
        shapes = self.group_of[flat]
        if nodes[0] in self.known:  # the first iteration may have live-in operands
            last = int(counts[-self.known[nodes[0]][-1] :].sum())
            shapes = np.tile(shapes[-last:], (len(flat) // last, 1))
        member = np.repeat(np.arange(len(counts)), counts)
        begins = np.ones(len(flat), dtype=bool)
        begins[1:] = (shapes[1:] != shapes[:-1]).any(axis=1) | (member[1:] != member[:-1])
        starts = np.flatnonzero(begins)
        lengths = np.diff([*starts, len(flat)]).reshape(len(counts), -1)
        number = np.repeat(np.tile(np.arange(lengths.shape[1]), len(counts)), lengths.ravel())
        runs = []
        for r in range(lengths.shape[1]):
            own = flat[number == r]
            runs.append(Run(lengths[:, r], [self._operand(column) for column in own.T]))
        return runs
