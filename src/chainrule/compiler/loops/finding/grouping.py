"""Grouping: nodes whose whole expression has the same shape are one group, and will be one loop.

The shape of a node is its operation and the shapes of its operands; of an operation of any number of operands, such as
a sum, operands of equal shape in a row count as one run, however long. So no node of a group depends on another, and a
group's number is larger than those of its operands' groups.
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
"""The groups of all constants, of the inputs that samples share, and of those that differ from sample to sample."""

Table = np.ndarray


@dataclass
class Operand:
    """What stands in one place of the operation of all members of a group.

    Attributes:
        group: from which group it comes.
        places: int[members]: which member of that group; of the group of constants, the nodes themselves.
    """

    group: int
    places: Table
    foreign: dict[int, int] = field(default_factory=dict)
    """In a chain: for the first members, whose operand is of another group, that operand's node."""


@dataclass
class Run:
    """A stretch of equal operands of an operation of any number: Σ over k of a[k], or of a[k] · b[k].

    Attributes:
        lengths: int[members]: how many there are.
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
        operands: of an operation with a fixed number of operands; of a `weighted_sum` its bias, of `take` its index.
        runs: of one with any number of operands, what follows.
    """

    op: Operation | None
    nodes: list[int]
    operands: list[Operand] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.nodes)

    def all_operands(self) -> list[Operand]:
        """Its operands and those in its runs."""
        return [*self.operands, *[part for run in self.runs for part in run.parts]]


N_ARY = {ops.sum: (0, 1), ops.largest: (0, 1), ops.weighted_sum: (1, 2), ops.take: (1, 1)}
"""Operations with runs: how many operands stand before them, and how many make one step of a run."""
SUMS = {ops.sum, ops.weighted_sum}
"""Those of them whose operands may stand in any order."""


@dataclass
class Grouping:
    """A graph in groups.

    Attributes:
        groups: constants, shared inputs and batched inputs first; then, each after those that it is made of, the rest.
        group_of: for each node its group.
        place_of: for each node its place in the group.
        chains: groups that follow one another again and again, each time with what the last time gave.
    """

    groups: list[Group]
    group_of: list[int]
    place_of: list[int]
    chains: list[Chain] = field(default_factory=list)


@dataclass
class Chain:
    """A loop whose iterations depend on each other. The members of its groups lie iteration after iteration.

    Attributes:
        groups: its body, in order.
        length: how many iterations there are.
    """

    groups: list[int]
    length: int


def group(graph: Graph, known: dict[int, tuple] | None = None, split: bool = True) -> Grouping:
    """Puts the nodes of a graph into groups.

    Args:
        graph: without nodes that nothing needs.
        known: nodes whose shape shall be what is given here, instead of what their operands say: members of loops that
            were found already.
        split: whether nodes of the same shape that are put to different uses are different groups; as queries, keys
            and values are, which are all made in the same way.

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
    places = _Places(graph, group_of, place_of, known or {})
    groups = [Group(None, nodes) for nodes in members[:3]] + [places.group(nodes) for nodes in members[3:]]
    return Grouping(groups, group_of, place_of)


def by_shape(
    graph: Graph, known: dict[int, tuple], uses: dict[int, int]
) -> tuple[list[list[int]], list[int], list[int]]:
    """The members of each group, and for each node its group and its place there.

    Within each sum, terms of equal shape are brought together, in place: a parameter that a loop uses in two ways gets
    its derivative in turn from the one and from the other, and shall get two loops, not a term for each iteration.
    """
    number_of: dict[object, int] = {"constant": 0, "shared": 1, "batched": 2}
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
                shape = _shape(op, shapes)
                if op in SUMS and len(set(shape[-1])) < len(shape[-1]):
                    graph.operands[node] = _together(op, operands, shapes)
                    shape = (*shape[:-1], tuple(dict.fromkeys(shape[-1])))
                key = (shape, uses.get(node, 0))
            at = number_of.setdefault(key, len(members))
            if at == len(members):
                members.append([])
        group_of.append(at)
        place_of.append(len(members[at]))
        members[at].append(node)
    return members, group_of, place_of


def _uses(graph: Graph, members: list[list[int]], group_of: list[int]) -> dict[int, int]:
    """For nodes of groups that are put to several uses, the number of the use; each must be that of many members."""
    used_in: list[set[tuple[int, int]]] = [set() for _ in range(len(graph))]
    for node in range(graph.inputs, len(graph)):
        op = graph.ops[node]
        if op is not None:
            before, step = N_ARY.get(op, (len(graph.operands[node]), 1))
            for i, k in enumerate(graph.operands[node]):
                if graph.ops[k] is not None:
                    used_in[k].add((group_of[node], i if i < before else before + (i - before) % step))
    found: dict[int, int] = {}
    for nodes in members[3:]:
        by_use: dict[frozenset, list[int]] = {}
        for node in nodes:
            by_use.setdefault(frozenset(used_in[node]), []).append(node)
        if len(by_use) > 1 and min(map(len, by_use.values())) * SHARE >= len(nodes):
            for number, own in enumerate(by_use.values()):
                found.update(dict.fromkeys(own, number))
    return found


SHARE = 32
"""A use is one of its own if at least one in so many members is put to it."""


def _shape(op: Operation, shapes: Sequence[int]) -> tuple:
    if op not in N_ARY:
        return (op.code, *shapes)
    before, step = N_ARY[op]
    if step == 1:
        runs: list[object] = [shape for shape, _ in groupby(shapes[before:])]
        if op is ops.take:  # its index counts the operands
            runs = [(shape, len(list(own))) for shape, own in groupby(shapes[before:])]
    else:
        runs = [shape for shape, _ in groupby(zip(shapes[1::2], shapes[2::2], strict=True))]
    return (op.code, *shapes[:before], tuple(runs))


def _together(op: Operation, operands: tuple[int, ...], shapes: Sequence[int]) -> tuple[int, ...]:
    """The operands of a sum, with terms of equal shape side by side."""
    before, step = N_ARY[op]
    terms: dict[tuple[int, ...], list[int]] = {}
    for i in range(before, len(operands), step):
        terms.setdefault(tuple(shapes[i : i + step]), []).extend(operands[i : i + step])
    return (*operands[:before], *[k for own in terms.values() for k in own])


class _Places:
    """Where the operands of nodes stand, found for whole groups at a time."""

    def __init__(self, graph: Graph, group_of: list[int], place_of: list[int], known: dict[int, tuple]) -> None:
        self.graph, self.group_list, self.place_list, self.known = graph, group_of, place_of, known
        self.group_of, self.place_of = np.array(group_of), np.array(place_of)

    def group(self, nodes: list[int]) -> Group:
        op = self.graph.ops[nodes[0]]
        assert op is not None
        if len(nodes) == 1:
            return self._plainest(self._single(op, nodes[0]))
        rows = [self.graph.operands[node] for node in nodes]
        if op not in N_ARY:
            return Group(op, nodes, [self._operand(column) for column in np.array(rows, dtype=np.int64).T])
        before, step = N_ARY[op]
        operands = [self._operand(np.array([row[i] for row in rows])) for i in range(before)]
        counts = np.array([len(row) - before for row in rows]) // step
        flat = np.array([k for row in rows for k in row[before:]], dtype=np.int64).reshape(-1, step)
        return self._plainest(Group(op, nodes, operands, self._runs(nodes, flat, counts)))

    def _single(self, op: Operation, node: int) -> Group:
        """A group of one member: there are many of these until chains are found, and little to them."""
        row, group_of = self.graph.operands[node], self.group_list
        before, step = N_ARY.get(op, (len(row), 1))
        group = Group(op, [node], [self._one([k]) for k in row[:before]])
        steps = [row[i : i + step] for i in range(before, len(row), step)]
        for _, own in groupby(steps, key=lambda step: [group_of[k] for k in step]):
            columns = list(zip(*own, strict=True))
            group.runs.append(Run(np.array([len(columns[0])]), [self._one(column) for column in columns]))
        return group

    def _one(self, nodes: Sequence[int]) -> Operand:
        group = self.group_list[nodes[0]]
        return Operand(group, np.array(nodes if group == CONSTANT else [self.place_list[k] for k in nodes]))

    def _plainest(self, group: Group) -> Group:
        """A sum of just one product is that product, and a sum of one number that number."""
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
        """The runs of all members, which have equally many: one begins where the shape, or the member, changes."""
        if not len(flat):
            return []
        shapes = self.group_of[flat]
        if nodes[0] in self.known:  # the first iteration of a chain may be made of others
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
