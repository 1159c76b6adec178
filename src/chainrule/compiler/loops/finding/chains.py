"""Chains: loops whose iterations depend on each other, such as time stepping, found in the row of groups.

What depends on an earlier iteration has a longer expression than that iteration, and hence a group of its own. So such
a loop is a row of groups in which the same stretch comes again and again: each group has the operation and the size of
the one a stretch before, and its operands are either as far back as there, or of the same group as there.
"""

from __future__ import annotations

import math

import numpy as np

from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.loops.finding.grouping import CONSTANT, Chain, Group, Grouping, by_shape, group

FEWEST = 4
"""So many times a stretch must come to be a loop."""
LONGEST = 64
"""A stretch has at most so many groups."""
MOST = 16
"""A program has at most so many such loops; each look for some takes as long as the graph is large."""


def group_with_chains(graph: Graph) -> Grouping:
    """As `group`, with what are iterations of a loop in common groups.

    >>> from chainrule.compiler.graph.text import from_text
    >>> lines = ["%0 = input x"] + [f"%{i + 1} = sin %{i}" for i in range(9)] + ["return %9"]
    >>> found = group_with_chains(from_text("\\n".join(lines)))
    >>> [(chain.groups, chain.length) for chain in found.chains]
    [([3], 9)]
    """
    known: dict[int, tuple] = {}
    alike = list(zip(graph.ops, graph.varying(), strict=True))  # a product may be a weighted_sum of one
    chains: list[list[list[list[int]]]] = []  # for each chain, for each iteration, for each group its nodes
    while True:
        grouping = group(graph, known)
        new = _loops(grouping, {grouping.group_of[node] for node in known}, alike, len(chains), most_groups(graph))
        for start, period, times in new:
            rows = [[grouping.groups[start + t * period + j].nodes for j in range(period)] for t in range(times)]
            chains.append(rows)
            for row in rows:
                for j, nodes in enumerate(row):
                    known.update(dict.fromkeys(nodes, ("chain", len(chains), j, len(nodes))))
        if not new:
            break
    for rows in chains:
        numbers = [grouping.group_of[nodes[0]] for nodes in rows[0]]
        grouping.chains.append(Chain(numbers, len(rows)))
    return grouping


def _loops(
    grouping: Grouping, taken: set[int], alike: list[tuple], there: int, most: float
) -> list[tuple[int, int, int]]:
    """The loops that can be seen in a grouping: where each starts, how long its stretch is, and how often it comes.

    The longest, and others that are as long; what is shorter may be seen better when the members of these are known.

    Args:
        grouping: the groups.
        taken: those that are members of loops already.
        alike: for each node what else must be equal.
        there: how many loops were found already.
        most: with more groups than that, there are to be none.
    """
    candidates = sorted(_candidates(grouping, taken, alike), key=lambda one: -_covered(one))
    if not candidates or len(grouping.groups) - _covered(candidates[0]) * (MOST - there) > most:
        return []  # loops of this size would not cover enough
    found: list[tuple[int, int, int]] = []
    for one in candidates:
        if len(found) == MOST - there:
            break
        apart = all(one[0] >= other[0] + _covered(other) or other[0] >= one[0] + _covered(one) for other in found)
        if apart and _covered(one) >= AS_LONG * _covered(candidates[0]):
            found.append(one)
    return found


AS_LONG = 0.9
"""Another loop counts as long as the longest if it covers so much of what that does."""


def _covered(loop: tuple[int, int, int]) -> int:
    """How many groups a loop covers."""
    return loop[1] * loop[2]


def repeats(graph: Graph) -> bool:
    """Whether a graph has few groups, or these follow one another in the same way again and again: a quick look."""
    members, _, _ = by_shape(graph, {}, {})
    if len(members) <= most_groups(graph):
        return True
    codes = np.array([graph.ops[nodes[0]].code for nodes in members[3:]])  # type: ignore[union-attr]
    sizes = np.array([len(nodes) for nodes in members[3:]])
    look = codes * 65537 + sizes
    covered = max(
        [int((look[p:] == look[:-p]).sum()) for p in range(1, min(LONGEST, len(look) // FEWEST) + 1)], default=0
    )
    return covered * 4 >= len(look) * 3


def most_groups(graph: Graph) -> float:
    """With more groups than that, a graph is no program of loops."""
    return 40 + 4 * math.sqrt(len(graph))


def _candidates(grouping: Grouping, taken: set[int], alike: list[tuple]) -> list[tuple[int, int, int]]:
    """Where the loops start that cover most groups, how long their stretches are, and how often they come."""
    groups = grouping.groups
    looks: dict[tuple, int] = {}
    keys = [None if g.op is None or i in taken else (*_look(g), *alike[g.nodes[0]]) for i, g in enumerate(groups)]
    look = np.array([-1 - i if key is None else looks.setdefault(key, len(looks)) for i, key in enumerate(keys)])
    found: list[tuple[int, int, int]] = []
    best, covered = 0, 0
    for period in range(1, min(LONGEST, len(groups) // FEWEST) + 1):
        equal = look[period:] == look[:-period]
        if best and period % best == 0:
            continue  # the same loop, so many iterations at a time
        enough = int(AS_LONG * covered)
        for start, end in _stretches(equal, max((FEWEST - 2) * period, enough - period)):
            for begin, last in _matching(groups, start, end, period):
                times = (last - begin) // period
                if times + 1 < FEWEST or (times + 1) * period < enough:
                    continue
                first, times = _earlier(groups, look, begin, period, times)
                if times >= FEWEST and times * period >= enough and _carried(groups, first, period):
                    found.append((first, period, times))
                    if times * period > covered:
                        best, covered, enough = period, times * period, int(AS_LONG * times * period)
    return found


def _look(g: Group) -> tuple:
    assert g.op is not None
    return (g.op.code, len(g), len(g.operands), *[(tuple(run.lengths.tolist()), len(run.parts)) for run in g.runs])


def _stretches(equal: np.ndarray, fewest: int) -> list[tuple[int, int]]:
    """The runs of at least so many trues: start and end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], equal, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= max(fewest, 1)  # most are not
    return list(zip(starts[long].tolist(), ends[long].tolist(), strict=True))


def _matching(groups: list[Group], start: int, end: int, period: int) -> list[tuple[int, int]]:
    """Within a run of groups that look alike: the runs in which operands correspond as well."""
    found, first = [], None
    for i in range(start, end):
        if _corresponds(groups, i, i + period):
            first = i if first is None else first
        else:
            if first is not None:
                found.append((first, i + period))
            first = None
    if first is not None:
        found.append((first, end + period))
    return found


def _carried(groups: list[Group], first: int, period: int) -> bool:
    """Whether the second iteration uses something of the first."""
    for at in range(first + period, first + 2 * period):
        if any(first <= operand.group < first + period for operand in groups[at].all_operands()):
            return True
    return False


def _corresponds(groups: list[Group], i: int, j: int) -> bool:
    """Whether group j is made as group i is, a stretch later: of the same groups, or of groups as far back."""
    for a, b in zip(groups[i].all_operands(), groups[j].all_operands(), strict=True):
        if a.foreign or b.foreign:
            return False
        if a.group != b.group and (CONSTANT in (a.group, b.group) or i - a.group != j - b.group):
            return False
    return True


def _earlier(groups: list[Group], look: np.ndarray, first: int, period: int, times: int) -> tuple[int, int]:
    """One iteration more at the beginning, if it differs only in what it gets from before the loop."""
    start = first - period
    if start < 0 or (look[start:first] < 0).any() or (look[start:first] != look[first : first + period]).any():
        return first, times
    for at in range(start, first):
        for a, b in zip(groups[at].all_operands(), groups[at + period].all_operands(), strict=True):
            if b.group < start and a.group != b.group:  # not what is carried
                return first, times
    return start, times + 1
