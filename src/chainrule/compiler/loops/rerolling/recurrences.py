"""Recurrences: loops whose iterations depend on earlier ones, such as time stepping.

What depends on an earlier iteration has a longer expression than that iteration, and so it is in a group of its own. In
the sequence of groups, such a loop is a stretch (its body) that comes again and again: each group has the operation and
the size of the group one period before, and each of its operands either is as many groups away as there, or is the same
group as there.
"""

from __future__ import annotations

import math

import numpy as np

from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.loops.rerolling.grouping import CONSTANT, Group, Grouping, Recurrence, by_shape, group

FEWEST_ITERATIONS = 4
"""A stretch must come so many times to be a loop."""
LONGEST_BODY = 64
"""A loop body has at most so many groups."""
MOST_RECURRENCES = 16
"""A program has at most so many recurrences; each search takes time in proportion to the graph."""


def group_with_recurrences(graph: Graph) -> Grouping:
    """Groups the nodes of a graph like `group`, and puts corresponding nodes of a loop's iterations into one group.

    >>> from chainrule.compiler.graph.text import from_text
    >>> lines = ["%0 = input x"] + [f"%{i + 1} = sin %{i}" for i in range(9)] + ["return %9"]
    >>> grouping = group_with_recurrences(from_text("\\n".join(lines)))
    >>> [(recurrence.groups, recurrence.length) for recurrence in grouping.recurrences]
    [([3], 9)]
    """
    known: dict[int, tuple] = {}
    traits = list(zip(graph.ops, graph.varying(), strict=True))  # a weighted_sum of one product is grouped as mul
    recurrences: list[list[list[list[int]]]] = []  # nodes by recurrence, iteration and group
    while True:
        grouping = group(graph, known)
        new = _disjoint_loops(
            grouping, {grouping.group_of[node] for node in known}, traits, len(recurrences), most_groups(graph)
        )
        for start, period, trip_count in new:
            iterations = [
                [grouping.groups[start + t * period + j].nodes for j in range(period)] for t in range(trip_count)
            ]
            recurrences.append(iterations)
            for iteration in iterations:
                for j, nodes in enumerate(iteration):
                    known.update(dict.fromkeys(nodes, ("recurrence", len(recurrences), j, len(nodes))))
        if not new:
            break
    for iterations in recurrences:
        numbers = [grouping.group_of[nodes[0]] for nodes in iterations[0]]
        grouping.recurrences.append(Recurrence(numbers, len(iterations)))
    return grouping


def _disjoint_loops(
    grouping: Grouping, taken: set[int], traits: list[tuple], existing: int, limit: float
) -> list[tuple[int, int, int]]:
    """Chooses loops that do not overlap: (start, period, trip count) of each.

    It returns the loop that covers most groups, and others that cover nearly as many. Shorter loops may show more
    clearly once the members of these are known.

    Args:
        grouping: the groups.
        taken: the groups that belong to loops already.
        traits: for each node what must be equal beside its group's signature.
        existing: how many loops there are already.
        limit: the most groups that a program may have.
    """
    candidates = sorted(_candidates(grouping, taken, traits), key=lambda loop: -_covered(loop))
    if not candidates or len(grouping.groups) - _covered(candidates[0]) * (MOST_RECURRENCES - existing) > limit:
        return []  # even so many loops of this size would leave too many groups
    loops: list[tuple[int, int, int]] = []
    for loop in candidates:
        if len(loops) == MOST_RECURRENCES - existing:
            break
        disjoint = all(loop[0] >= other[0] + _covered(other) or other[0] >= loop[0] + _covered(loop) for other in loops)
        if disjoint and _covered(loop) >= SHARE_OF_LONGEST * _covered(candidates[0]):
            loops.append(loop)
    return loops


SHARE_OF_LONGEST = 0.9
"""A loop counts as about as long as the longest if it covers this share of its groups."""


def _covered(loop: tuple[int, int, int]) -> int:
    """How many groups a loop covers."""
    return loop[1] * loop[2]


def is_regular(graph: Graph) -> bool:
    """Whether a graph has few groups, or its groups mostly repeat with some period: a quick test before the search for
    loops."""
    members, _, _ = by_shape(graph, {}, {})
    if len(members) <= most_groups(graph):
        return True
    codes = np.array([graph.ops[nodes[0]].code for nodes in members[3:]])  # type: ignore[union-attr]
    sizes = np.array([len(nodes) for nodes in members[3:]])
    signatures = codes * 65537 + sizes
    covered = max(
        [
            int((signatures[p:] == signatures[:-p]).sum())
            for p in range(1, min(LONGEST_BODY, len(signatures) // FEWEST_ITERATIONS) + 1)
        ],
        default=0,
    )
    return covered * 4 >= len(signatures) * 3


def most_groups(graph: Graph) -> float:
    """The most groups that a program of loops may have; a graph with more is levelised."""
    return 40 + 4 * math.sqrt(len(graph))


def _candidates(grouping: Grouping, taken: set[int], traits: list[tuple]) -> list[tuple[int, int, int]]:
    """Finds the loops that cover most groups: (start, period, trip count) of each."""
    groups = grouping.groups
    numbering: dict[tuple, int] = {}
    keys = [None if g.op is None or i in taken else (*_signature(g), *traits[g.nodes[0]]) for i, g in enumerate(groups)]
    signatures = np.array(
        [-1 - i if key is None else numbering.setdefault(key, len(numbering)) for i, key in enumerate(keys)]
    )
    loops: list[tuple[int, int, int]] = []
    best, covered = 0, 0
    for period in range(1, min(LONGEST_BODY, len(groups) // FEWEST_ITERATIONS) + 1):
        equal = signatures[period:] == signatures[:-period]
        if best and period % best == 0:
            continue  # the same loop, unrolled
        enough = int(SHARE_OF_LONGEST * covered)
        for start, end in _runs_of_trues(equal, max((FEWEST_ITERATIONS - 2) * period, enough - period)):
            for begin, last in _matching(groups, start, end, period):
                trip_count = (last - begin) // period
                if trip_count + 1 < FEWEST_ITERATIONS or (trip_count + 1) * period < enough:
                    continue
                first, trip_count = _with_first_iteration(groups, signatures, begin, period, trip_count)
                if (
                    trip_count >= FEWEST_ITERATIONS
                    and trip_count * period >= enough
                    and _is_loop_carried(groups, first, period)
                ):
                    loops.append((first, period, trip_count))
                    if trip_count * period > covered:
                        best, covered, enough = period, trip_count * period, int(SHARE_OF_LONGEST * trip_count * period)
    return loops


def _signature(g: Group) -> tuple:
    assert g.op is not None
    return (g.op.code, len(g), len(g.operands), *[(tuple(run.lengths.tolist()), len(run.parts)) for run in g.runs])


def _runs_of_trues(equal: np.ndarray, fewest: int) -> list[tuple[int, int]]:
    """The start and the end of each run of at least `fewest` trues."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], equal, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= max(fewest, 1)  # most are short
    return list(zip(starts[long].tolist(), ends[long].tolist(), strict=True))


def _matching(groups: list[Group], start: int, end: int, period: int) -> list[tuple[int, int]]:
    """Splits a run of groups with equal signatures into runs whose operands correspond as well."""
    runs, first = [], None
    for i in range(start, end):
        if _corresponds(groups, i, i + period):
            first = i if first is None else first
        else:
            if first is not None:
                runs.append((first, i + period))
            first = None
    if first is not None:
        runs.append((first, end + period))
    return runs


def _is_loop_carried(groups: list[Group], first: int, period: int) -> bool:
    """Whether the second iteration uses a result of the first."""
    for at in range(first + period, first + 2 * period):
        if any(first <= operand.group < first + period for operand in groups[at].all_operands()):
            return True
    return False


def _corresponds(groups: list[Group], i: int, j: int) -> bool:
    """Whether group j is made as group i is, one period later: of the same groups, or of groups as far back."""
    for a, b in zip(groups[i].all_operands(), groups[j].all_operands(), strict=True):
        if a.live_in or b.live_in:
            return False
        if a.group != b.group and (CONSTANT in (a.group, b.group) or i - a.group != j - b.group):
            return False
    return True


def _with_first_iteration(
    groups: list[Group], signatures: np.ndarray, first: int, period: int, trip_count: int
) -> tuple[int, int]:
    """Adds one iteration in front of a loop if that differs only in the values that enter from before the loop."""
    start = first - period
    if (
        start < 0
        or (signatures[start:first] < 0).any()
        or (signatures[start:first] != signatures[first : first + period]).any()
    ):
        return first, trip_count
    for at in range(start, first):
        for a, b in zip(groups[at].all_operands(), groups[at + period].all_operands(), strict=True):
            if b.group < start and a.group != b.group:  # neither loop-carried nor equal
                return first, trip_count
    return start, trip_count + 1
