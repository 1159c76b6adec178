"""From groups to statements: which loop runs what, and what is calculated where it is used."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.compiler.graph.graph import BATCH_SUM, Graph
from chainrule.compiler.loops.program import Array, Call, Expression, Index, Number, Program, Read, Statement, Sum
from chainrule.compiler.loops.rerolling.axes import axes_of, ragged_axes_of, squeezed
from chainrule.compiler.loops.rerolling.domains import (
    Domain,
    Element,
    Inlined,
    Steps,
    ascending_order,
    mostly_descends,
    permuted,
)
from chainrule.compiler.loops.rerolling.grouping import (
    BATCHED_INPUT,
    CONSTANT,
    N_ARY,
    SHARED_INPUT,
    Group,
    Grouping,
    Operand,
    Recurrence,
    Run,
)
from chainrule.errors import ChainruleError
from chainrule.ops import take


class NoLoopsError(ChainruleError):
    """The groups of a graph cannot run as loops."""


class ProgramBuilder:
    """Builds the statements of groups; for each array it knows where the members of its group lie."""

    def __init__(self, graph: Graph, grouping: Grouping) -> None:
        self.graph, self.groups, self.grouping = graph, grouping.groups, grouping
        self.numbers = np.array(graph.numbers)
        self.varies = self._varying_groups()
        self.order, self.rank = self._order_of_inputs()
        self.arrays: list[Array] = []
        self.array_of: dict[int, int] = {}  # group: its array
        # for groups whose members lie in another order: the place of each in the array
        self.place_in_array: dict[int, np.ndarray] = {SHARED_INPUT: self.rank}
        self.inlined = self._inlinable()
        self.recurrence_of = {at: i for i, recurrence in enumerate(grouping.recurrences) for at in recurrence.groups}
        # for groups of recurrences: members in an iteration, and rows in front of the first one
        self.rows: dict[int, tuple[int, int]] = {}

    def write(self) -> Program:
        self._add_array(Array((max(len(self.order), 1),), kind="shared"), SHARED_INPUT)
        self._add_array(Array((max(len(self.groups[BATCHED_INPUT]), 1),), True, kind="batched"), BATCHED_INPUT)
        statements = []
        for at in self._topological_order():
            if at in self.recurrence_of:
                statements += self.recurrence(self.grouping.recurrences[self.recurrence_of[at]])
            elif self.groups[at].op is not None and at not in self.inlined:
                statements.append(self._statement(at, self.groups[at]))
        outputs = [self._address(node) for node in self.graph.outputs]
        guards = [(*self._address(node), outcome) for node, outcome in self.graph.guards]
        return Program(self.arrays, statements, self.order, outputs, guards)

    def recurrence(self, recurrence: Recurrence) -> list[Statement]:
        """The statements of a recurrence; see `recurrence_builder`."""
        raise NotImplementedError

    def _topological_order(self) -> list[int]:
        """The groups after those that they need; the first group of a recurrence stands for all of its groups."""
        representative = {
            at: recurrence.groups[0] for recurrence in self.grouping.recurrences for at in recurrence.groups
        }
        needs: dict[int, set[int]] = {}
        for at, group in enumerate(self.groups):
            below = needs.setdefault(representative.get(at, at), set())
            for operand in group.all_operands():
                live_in = [self.grouping.group_of[node] for node in operand.live_in.values()]
                below.update([representative.get(source, source) for source in [operand.group, *live_in]])
        order, done = [], set()
        for at in needs:
            path = [at]
            while path:
                last = path[-1]
                missing = [k for k in sorted(needs[last]) if k not in done and k != last]
                if last in done or not missing:
                    path.pop()
                    if last not in done:
                        done.add(last)
                        order.append(last)
                elif any(k in path for k in missing):
                    raise NoLoopsError("a recurrence depends on its own results")
                else:
                    path.extend(missing)
        return order

    def _varying_groups(self) -> list[bool]:
        varies = self.graph.varying()
        return [bool(group.nodes) and varies[group.nodes[0]] for group in self.groups]

    def _order_of_inputs(self) -> tuple[np.ndarray, np.ndarray]:
        """The order of shared inputs: arguments as they come, then closed-over Values in the order in which groups use
        them, so that what is used together lies together."""
        nodes = np.array(self.groups[SHARED_INPUT].nodes, dtype=np.int64)
        used = [np.flatnonzero(nodes < self.graph.arguments)]
        for group in self.groups:
            for operand in group.all_operands():
                if operand.group == SHARED_INPUT:
                    used.append(operand.places)
        everything = np.concatenate([*used, np.arange(len(nodes))])
        order = np.array(list(dict.fromkeys(everything.tolist())), dtype=np.int64)  # where each comes first
        rank = np.empty(len(nodes), dtype=np.int64)
        rank[order] = np.arange(len(nodes))
        return nodes[order], rank

    def _add_array(self, array: Array, group: int | None = None) -> int:
        self.arrays.append(array)
        if group is not None:
            self.array_of[group] = len(self.arrays) - 1
        return len(self.arrays) - 1

    def _address(self, node: int) -> tuple[int, int]:
        group, place = self.grouping.group_of[node], self.grouping.place_of[node]
        if group in self.rows:
            members, before = self.rows[group]
            return self.array_of[group], place + before * members
        if group in self.place_in_array:
            return self.array_of[group], int(self.place_in_array[group][place])
        if group == CONSTANT:
            return self._add_array(Array((), data=np.array(self.numbers[node]), kind="data")), 0
        return self.array_of[group], place

    # ---- what is calculated on the spot ----
    def _inlinable(self) -> set[int]:
        """The groups that need no array: each member is used once, by one operand of one group."""
        uses: dict[int, list[np.ndarray]] = {}
        for group in self.groups:
            for operand in group.all_operands():
                uses.setdefault(operand.group, []).append(operand.places)
                for node in operand.live_in.values():
                    uses.setdefault(self.grouping.group_of[node], []).append(np.array([], dtype=np.int64))
        recurrent = {at for recurrence in self.grouping.recurrences for at in recurrence.groups}
        live_out = [*self.graph.outputs, *[node for node, _ in self.graph.guards]]
        kept = recurrent | {self.grouping.group_of[node] for node in live_out}
        inlinable = set()
        for at, group in enumerate(self.groups):
            if group.op is None or at in kept or group.op in N_ARY or group.op is BATCH_SUM:
                continue
            places = uses.get(at, [])
            if len(places) == 1 and len(places[0]) == len(group) and len(set(places[0].tolist())) == len(group):
                inlinable.add(at)
        return inlinable

    def _operand(self, operand: Operand, at: np.ndarray | None = None) -> Element | Inlined:
        """An operand for the members `at` of its group (all members if left out)."""
        places = operand.places if at is None else operand.places[at]
        if operand.group not in self.inlined:
            return Element(
                operand.group,
                self.place_in_array[operand.group][places] if operand.group in self.place_in_array else places,
            )
        group = self.groups[operand.group]
        assert group.op is not None
        return Inlined(group.op, [self._operand(x, places) for x in group.operands])

    # ---- statements ----
    def _statement(self, at: int, group: Group) -> Statement:
        assert group.op is not None
        operands = [self._operand(x) for x in group.operands]
        runs = [self._steps(run, group) for run in group.runs]
        columns = self._starts(operands, runs, lambda group: True)
        domain, order = self._domain(columns, self._starts(operands, runs, lambda group: group > BATCHED_INPUT))
        if order is not None:  # gradients are made from the last member to the first
            operands = [permuted(x, order) for x in operands]
            runs = [run.permuted(order) for run in runs]
        self.place_in_array[at] = domain.places(order)
        arguments = [self._expression(x, domain) for x in operands]
        sums = [self._sum(run, domain) for run in runs]
        target = self._add_array(Array(domain.box, self.varies[at]), at)
        lanes = self.varies[at] or group.op is BATCH_SUM
        return Statement(target, domain.box, group.op, arguments, sums, lanes, ragged=domain.at is not None)

    def _domain(self, columns: np.ndarray, calculated: np.ndarray) -> tuple[Domain, np.ndarray | None]:
        """The iteration domain of a group, and an order of its members in which operands are read forwards along each
        axis."""
        for some in (columns, calculated):
            axes = axes_of(some)
            if axes is not None:
                return Domain(axes), ascending_order(axes, columns)
        for some in (columns, calculated):
            for order in (None, np.arange(len(columns))[::-1]):
                ragged = ragged_axes_of(some if order is None else some[order])
                if ragged is not None and (order is not None or not mostly_descends(some)):
                    return Domain(ragged[0], ragged[1]), order
        return Domain((len(columns),)), None

    def _steps(self, run: Run, group: Group) -> Steps:
        return Steps(run.lengths, [self._operand(x) for x in run.parts], group.op is not take)

    def _starts(self, operands: list, runs: list[Steps], wanted: Callable[[int], bool]) -> np.ndarray:
        """For each member the places of its operands; for runs, the places at which they begin."""
        columns = [self._columns(x, wanted) for x in operands]
        columns += [self._columns(x, wanted)[run.starts] for run in runs for x in run.parts]
        return np.concatenate(columns, axis=1)

    def _columns(self, x: Element | Inlined, wanted: Callable[[int], bool]) -> np.ndarray:
        if isinstance(x, Inlined):
            return np.concatenate([self._columns(a, wanted) for a in x.arguments], axis=1)
        if x.group == CONSTANT or not wanted(x.group):
            return np.empty((len(x.places), 0), dtype=np.int64)
        return self._coordinates(x)

    def _coordinates(self, x: Element) -> np.ndarray:
        shape = self.arrays[self.array_of[x.group]].shape
        if x.group in self.rows:
            members, before = self.rows[x.group]
            x = Element(x.group, x.places + before * members)
        if not shape:
            return np.empty((len(x.places), 0), dtype=np.int64)
        return np.array(np.unravel_index(x.places, shape), dtype=np.int64).T.reshape(len(x.places), len(shape))

    def _expression(self, x: Element | Inlined, domain: Domain) -> Expression:
        if isinstance(x, Inlined):
            return Call(x.op, [self._expression(a, domain) for a in x.arguments])
        if x.group == CONSTANT:
            return self._data(domain.scattered(self.numbers[x.places]))
        return self._read(x, domain)

    def _read(self, x: Element, domain: Domain) -> Read:
        """The place of an operand: an index for each dimension.

        Two neighbouring dimensions may be traversed as if they were one, as a list is that was put together of parts.
        Then the second one's index covers both.
        """
        array, columns = self.array_of[x.group], list(self._coordinates(x).T)
        indices = [domain.index(column) for column in columns]
        shape = self.arrays[array].shape
        merged: tuple[int, ...] = ()
        for d in range(1, len(indices)):
            if indices[d].table is not None and indices[d - 1].table is not None:
                together = domain.index(columns[d - 1] * shape[d] + columns[d])
                if together.table is None:
                    indices[d - 1], indices[d] = Index(0, (0,) * len(domain.box)), together
                    merged += (d - 1, d)
        return Read(array, indices, None, merged)

    def _data(self, box: np.ndarray) -> Expression:
        box = squeezed(box)
        if box.size == 1:
            return Number(float(box.flat[0]))
        kept = [axis for axis in range(box.ndim) if box.shape[axis] > 1]
        shape = tuple([box.shape[axis] for axis in kept])
        array = self._add_array(Array(shape, data=np.ascontiguousarray(box.squeeze()), kind="data"))
        return Read(array, [Index(0, tuple([int(a == axis) for a in range(box.ndim)])) for axis in kept])

    # ---- sums ----
    def _sum(self, run: Steps, domain: Domain) -> Sum:
        steps = int(run.lengths.max())
        if (run.lengths == steps).all():
            inner = domain.with_steps(steps)
            return Sum(steps, [self._expression(x, inner) for x in self._in_memory_order(run, len(run.lengths), steps)])
        member = np.repeat(np.arange(len(run.lengths)), run.lengths)
        step = np.arange(len(member)) - np.repeat(run.starts, run.lengths)
        aligned = self._aligned(run, member)
        if aligned is not None:
            step = aligned
        points = np.concatenate([domain.points(len(run.lengths))[member], step[:, None]], axis=1)
        inner = Domain((*domain.box, int(step.max()) + 1), points)
        first = np.minimum.reduceat(step, run.starts)
        behind = np.maximum.reduceat(step, run.starts) + 1
        return Sum(
            inner.box[-1], [self._expression(x, inner) for x in run.parts], (domain.index(first), domain.index(behind))
        )

    def _aligned(self, run: Steps, member: np.ndarray) -> np.ndarray | None:
        """Steps of runs of different lengths, numbered by a place along which all of them advance one by one; None if
        there is none."""
        same = member[1:] == member[:-1]
        both = same[1:] & same[:-1]
        for x in run.parts:
            for column in self._columns(x, lambda group: group > BATCHED_INPUT).T:
                steps = np.diff(column)
                turns = (steps[1:] != steps[:-1]) & both
                if same.any() and (np.abs(steps[same]) == 1).all() and not turns.any():
                    return column
        return None

    def _in_memory_order(self, run: Steps, count: int, steps: int) -> list:
        """The steps of sums in the order in which they lie in memory: sorted for a single sum, otherwise perhaps
        reversed."""
        parts = run.parts
        if not run.any_order:
            return parts
        if not all(isinstance(x, Element) and x.group != CONSTANT for x in parts):
            first = [c for x in parts for c in self._columns(x, lambda group: True)[: min(steps, 2)].T if steps > 1]
            descending = sum([int(c[1] < c[0]) for c in first]) > sum([int(c[1] > c[0]) for c in first])
        elif count == 1:
            order = np.argsort(_places(parts[0]), kind="stable")
            return [permuted(x, order) for x in parts]
        else:
            descending = steps > 1 and sum([int(_places(x)[1] < _places(x)[0]) for x in parts]) * 2 > len(parts)
        if not descending:
            return parts
        order = np.arange(count * steps).reshape(count, steps)[:, ::-1].ravel()
        return [permuted(x, order) for x in parts]


def _places(x: Element | Inlined) -> np.ndarray:
    assert isinstance(x, Element)
    return x.places
