"""Folds large graphs into a few boxes: nodes of equal structure are drawn once, with a count.

This needs no knowledge of neurons or layers: a hundred samples through sixteen neurons are 1,600 nodes that were
calculated in the same way, and the structure alone shows it. The steps:

1. a chain of additions in which every intermediate sum is used once counts as one sum (`units`);
2. nodes that were calculated alike form a group: first by the whole expression behind each node, which keeps layers
   apart; if that leaves too many groups, by less and less of it (`_partitions`). Groups that then depend on each other
   cyclically are merged: equal steps of a series, such as those of a recurrence;
3. a group that only feeds one other group, in equal portions, joins it: [Σ + b → tanh];
4. leaves are grouped by what uses them, and in which role: weights, biases, inputs.

Every node of the graph is in exactly one box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chainrule.draw.boxes import Group, picture
from chainrule.draw.graph import Graph, Trace
from chainrule.draw.units import CONSTANT, LEAF, SUMS, Units, find_units

DEPTHS = (2, 1, 0)
"""How many levels of a node's structure are compared where whole expressions give too many groups."""
GROUPS_PER_BOX = 50
"""A partition with more groups than so many times the limit is not examined further."""


def fold(trace: Trace, limit: int) -> Graph:
    """Draws a graph of any size in about `limit` boxes or fewer.

    Args:
        trace: the nodes.
        limit: the aim. Partitions get coarser until there are no more boxes than this; if even the coarsest one (one
            box for all operations, one for leaves, one for constants) has more, it is taken.
    """
    units = find_units(trace)
    for group_of in _partitions(units, GROUPS_PER_BOX * limit):
        groups = _groups(_condensed(units, group_of))
        boxes = picture(trace, units, _merged(trace, units, groups))
        if len(boxes.nodes) <= limit:
            return boxes
    return picture(trace, units, [Group([list(range(len(units.members)))])], leaves_apart=False)


def _partitions(units: Units, most: int) -> Iterator[list[int]]:
    """Yields for each unit the number of its group, finest partition first; skips partitions of more than `most`
    groups."""
    for counted in (True, False):
        groups = _by_expression(units, most, counted=counted)
        if groups is not None:
            yield groups
    levels: list[list[int]] = []
    for depth in range(max(DEPTHS) + 1):
        groups = _one_step_deeper(units, most, levels[-1] if depth else None)
        if groups is None:
            break
        levels.append(groups)
    for depth in DEPTHS:
        if depth < len(levels):
            yield levels[depth]


def _by_expression(units: Units, most: int, *, counted: bool) -> list[int] | None:
    """Groups units whose whole expressions have the same form; uncounted, sums of different lengths count as equal.

    Equal forms get equal numbers (hash-consing), so only the numbers of the operands need comparing. Returns None if
    there are more than `most` forms.
    """
    numbers: dict[object, int] = {}
    forms: list[int] = []
    for name, operands in zip(units.names, units.operands, strict=True):
        parts = [forms[place] if place >= 0 else place for place in operands]
        form = (name, _runs(parts) if counted else frozenset(parts))
        forms.append(numbers.setdefault(form, len(numbers)))
        if len(numbers) > most:
            return None
    return forms


def _one_step_deeper(units: Units, most: int, shallower: list[int] | None) -> list[int] | None:
    """Groups units by operation and by the groups of their operands in a shallower partition (by the operation alone if
    there is none).

    Returns None if there are more than `most` groups.
    """
    numbers: dict[object, int] = {}
    groups: list[int] = []
    for name, operands in zip(units.names, units.operands, strict=True):
        parts = frozenset(shallower[place] if place >= 0 else place for place in operands) if shallower else None
        groups.append(numbers.setdefault((name, parts), len(numbers)))
        if len(numbers) > most:
            return None
    return groups


def _runs(items: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Run-length encodes items.

    >>> _runs([5, 5, 5, 7])
    ((5, 3), (7, 1))
    """
    runs: list[tuple[int, int]] = []
    for item in items:
        if runs and runs[-1][0] == item:
            runs[-1] = (item, runs[-1][1] + 1)
        else:
            runs.append((item, 1))
    return tuple(runs)


def _groups(group_of: Sequence[int]) -> list[Group]:
    members: dict[int, list[int]] = {}
    for unit, group in enumerate(group_of):
        members.setdefault(group, []).append(unit)
    return [Group([stage]) for stage in members.values()]


def _condensed(units: Units, group_of: Sequence[int]) -> list[int]:
    """Merges groups that depend on each other cyclically: the condensation of strongly connected components (Tarjan
    1972).

    Depth-First Search and Linear Graph Algorithms, with an explicit stack instead of recursion.
    """
    below: dict[int, dict[int, None]] = {group: {} for group in group_of}
    for unit, operands in enumerate(units.operands):
        below[group_of[unit]].update((group_of[place], None) for place in operands if place >= 0)
    search = _Components(below)
    for group in below:
        search.run(group)
    return [search.component[group] for group in group_of]


class _Components:
    """Tarjan's algorithm; `component` maps each vertex to one vertex of its component."""

    def __init__(self, below: dict[int, dict[int, None]]) -> None:
        self.below = below
        self.component: dict[int, int] = {}
        self._index: dict[int, int] = {}
        self._low: dict[int, int] = {}
        self._open: list[int] = []

    def run(self, start: int) -> None:
        """Finds the components of all vertices below `start`."""
        if start in self._index:
            return
        path = [(start, self._enter(start))]
        while path:
            vertex, rest = path[-1]
            for other in rest:
                if other not in self._index:
                    path.append((other, self._enter(other)))
                    break
                if other not in self.component:
                    self._low[vertex] = min(self._low[vertex], self._index[other])
            else:
                path.pop()
                self._leave(vertex)
                if path:
                    above = path[-1][0]
                    self._low[above] = min(self._low[above], self._low[vertex])

    def _enter(self, vertex: int) -> Iterator[int]:
        self._index[vertex] = self._low[vertex] = len(self._index)
        self._open.append(vertex)
        return iter(self.below[vertex])

    def _leave(self, vertex: int) -> None:
        if self._low[vertex] == self._index[vertex]:
            while vertex not in self.component:
                self.component[self._open.pop()] = vertex


@dataclass(slots=True)
class _Uses:
    """Dependences between groups: how often each unit is used, by which groups, and which groups each group uses."""

    uses: list[int]
    users: list[set[int]]
    sources: list[set[int]]


def _merged(trace: Trace, units: Units, groups: list[Group]) -> list[Group]:
    """Merges groups that feed only one other group, each unit once and in equal portions, with that group."""
    links = _uses(units, groups)
    gone: set[int] = set()
    for number, group in enumerate(groups):  # operands first, so a merged group can merge again
        target = next(iter(links.users[number]), number)
        if _can_join(units, groups, links, number, target) and _is_pointwise(trace, units, groups[target].stages[0]):
            groups[target].stages[:0] = group.stages
            gone.add(number)
    return [group for number, group in enumerate(groups) if number not in gone]


def _can_join(units: Units, groups: list[Group], links: _Uses, number: int, target: int) -> bool:
    own, into = groups[number].stages[-1], groups[target].stages[0]
    alone = links.users[number] == {target} and links.sources[target] == {number}
    if not alone or target == number or len(into) < 2 or len(own) % len(into):
        return False
    if any(links.uses[unit] != 1 or units.is_root[unit] for unit in own):
        return False
    portion = len(own) // len(into)
    return all(sum(place >= 0 for place in units.operands[unit]) == portion for unit in into)


def _is_pointwise(trace: Trace, units: Units, into: Sequence[int]) -> bool:
    """Whether these units only add up, or apply one function such as tanh or `** 2` to, what they are given.

    A product with a weight begins something new, and so does the difference from a target.
    """
    if units.names[into[0]] in SUMS:
        return True
    numbers: set[float] = set()
    for unit in into:
        if LEAF in units.operands[unit]:
            return False
        if CONSTANT in units.operands[unit]:
            sources = (trace.values[place] for node in units.members[unit] for place in trace.operands[node])
            numbers.update(value.data for value in sources if value.constant)
    return len(numbers) <= 1


def _uses(units: Units, groups: Sequence[Group]) -> _Uses:
    group_of = {unit: number for number, group in enumerate(groups) for unit in group.stages[0]}
    uses = [0] * len(units.members)
    users: list[set[int]] = [set() for _ in groups]
    sources: list[set[int]] = [set() for _ in groups]
    for unit, operands in enumerate(units.operands):
        for place in operands:
            if place >= 0:
                uses[place] += 1
                users[group_of[place]].add(group_of[unit])
                sources[group_of[unit]].add(group_of[place])
    return _Uses(uses, users, sources)
