"""The schedule of a graph: in which order its nodes are calculated, and where their numbers lie.

A node's number lies in a slot. Each segment writes two runs of slots: one for short-lived numbers, one for long-lived
ones. In a batch, nodes that differ from sample to sample have rows of a block instead, with one place for each sample
of a part of the batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.levels.allocation import Allocation, allocate
from chainrule.compiler.levels.constants import in_order_of_use, with_own_constants
from chainrule.compiler.levels.expand import expanded, with_guards
from chainrule.compiler.levels.list_scheduling import heights, list_schedule
from chainrule.compiler.levels.nodes import (
    AFTER,
    BEFORE,
    LEAF,
    NEUTRAL,
    SUM_OF_BATCH,
    VARYING,
    ZERO,
    Floats,
    Ints,
    Nodes,
    Truths,
    nodes_of,
    ragged_ranges,
)
from chainrule.compiler.levels.sections import Int32s, Section, sections_of
from chainrule.compiler.levels.segments import (
    HORIZONTAL,
    LONG_SUM,
    LONG_WEIGHTED,
    OTHER,
    VARIADIC,
    Kind,
    Segments,
    segmented,
)

FEWEST_SUMS = 16
"""So many sums of one shape are worth a segment of their own; where lanes are samples, any number is."""

_OF_ITS_OWN = frozenset(["chain", "div", "select", "lt", "le", "gt", "ge", "eq", "ne", "relu", "max", "min"])
"""Operations that need no function of the C library in exact mode (only those that matter for speed)."""


@dataclass(frozen=True)
class Plan:
    """All that a kernel needs beside object code; it can be pickled.

    Attributes:
        lanes: how many numbers the machine's widest vector has.
        exact: whether results have the bits of the table's own arithmetic.
        inputs: the number of inputs, which have the first slots.
        constants: the numbers of the slots after the inputs.
        slots: the number of slots.
        kinds: the kinds of segments of nodes that samples share.
        before, after: the sections before the samples and after them.
        batch: the work for each sample; None for a graph that is not batched.
        shared: int32[outputs], the slot of each; for an output that differs from sample to sample, the slot of a nan.
        guards: the slot of the number of guards that do not hold; None if there are no guards.
    """

    lanes: int
    exact: bool
    inputs: int
    constants: Floats
    slots: int
    kinds: tuple[Kind, ...]
    before: Section
    after: Section
    batch: BatchPlan | None
    shared: Int32s
    guards: int | None

    @property
    def ahead(self) -> bool:
        """Whether numbers and tables are so large that they are prefetched."""
        return self.before.fetches or self.after.fetches

    @property
    def key(self) -> str:
        """A text that two plans have in common only if they can share object code, for a machine and a size of numbers.

        Operations are in it by name; what a user's own operation calculates is not.
        """
        samples = self.batch.kinds if self.batch else ()
        words = [f"lanes {self.lanes}", f"exact {self.exact}", f"ahead {self.ahead}", *map(str, self.kinds)]
        return "; ".join([*words, f"batch {self.batch is not None}", *map(str, samples)])


@dataclass(frozen=True)
class BatchPlan:
    """The work for each sample.

    Attributes:
        batched: the number of batched inputs.
        rows: the number of rows of the block.
        kinds: the kinds of segments.
        section: the segments, and for each operand its row.
        columns: int32[…, 2]: places in the sorted batched inputs, and the rows that they are copied to.
        uniform: int32[…, 2]: slots, and the rows that they are broadcast to.
        sums: int32[…, 2]: rows to add up over the samples, and the slots of the sums.
        each: int32[…]: the rows of the outputs that differ from sample to sample.
        guards: whether the next row counts the guards that do not hold.
    """

    batched: int
    rows: int
    kinds: tuple[Kind, ...]
    section: Section
    columns: Int32s
    uniform: Int32s
    sums: Int32s
    each: Int32s
    guards: bool


def schedule(graph: Graph, lanes: int = 8, exact: bool = False) -> Plan:
    """Plans the calculation of a graph.

    Args:
        graph: what to calculate.
        lanes: how many numbers the machine's widest vector has.
        exact: whether results must have the bits of the table's own arithmetic; otherwise sums may be reordered.

    Raises:
        GraphError: a node differs from sample to sample and depends on a sum over them.
    """
    graph, shared_guard, each_guard = with_guards(expanded(graph, exact))
    results = [*graph.outputs, *[node for node in (shared_guard, each_guard) if node is not None]]
    nodes = with_own_constants(nodes_of(graph, results, exact), graph.inputs)
    return _Scheduler(graph, nodes, results, lanes, exact).plan(shared_guard, each_guard)


class _Scheduler:
    def __init__(self, graph: Graph, nodes: Nodes, results: Sequence[int], lanes: int, exact: bool) -> None:
        self.graph, self.nodes, self.results, self.lanes, self.exact = graph, nodes, list(results), lanes, exact
        self.height = heights(nodes.start, nodes.operands, np.array(results, np.int64), nodes.code != LEAF)
        self.slot = np.full(len(nodes), -1)
        self.row = np.full(len(nodes), -1)
        self.slots = 0

    def plan(self, shared_guard: int | None, each_guard: int | None) -> Plan:
        """The whole plan."""
        graph, nodes = self.graph, self.nodes
        wanted = (self.height > 0) | (np.arange(len(nodes)) >= nodes.extra(0))
        constants = np.flatnonzero((nodes.code == LEAF) & wanted)
        constants = constants[constants >= graph.inputs]
        self._place(np.arange(graph.inputs))
        self.slots += len(constants)
        nan = self.slots
        self.slots += 1
        before = self._in_slots(BEFORE)
        sums = np.flatnonzero((nodes.code == SUM_OF_BATCH) & (self.height > 0))
        self._place(sums)
        after = self._in_slots(AFTER)
        users = np.concatenate([allocation.segments.nodes for allocation, _ in (before, after)])
        constants = in_order_of_use(nodes, constants, users)
        self.slot[constants] = graph.inputs + np.arange(len(constants))
        kinds, (first, last) = sections_of(nodes, [before, after], self.slot, self.slots)
        most = max(int(section.table.max()) for section in (first, last))  # vectors may read counts as slots
        outputs = np.array(graph.outputs, np.int64)
        varies = nodes.phase[outputs] == VARYING
        return Plan(
            lanes=self.lanes,
            exact=self.exact,
            inputs=graph.inputs,
            constants=np.append(nodes.numbers[constants], math.nan),
            slots=max(self.slots, most + 1),
            kinds=kinds,
            before=first,
            after=last,
            batch=self._batch(sums, outputs[varies], each_guard) if graph.batched else None,
            shared=np.where(varies, nan, self.slot[outputs]).astype(np.int32),
            guards=None if shared_guard is None else int(self.slot[shared_guard]),
        )

    def _place(self, members: Ints) -> None:
        self.slot[members] = self.slots + np.arange(len(members))
        self.slots += len(members)

    def _in_slots(self, phase: int) -> tuple[Allocation, Ints]:
        """The segments of a phase with their slots, and for each segment the number of lanes."""
        part = self._segments(phase)
        lanes = _lanes_of(self.nodes, part, self.lanes, self.exact)
        allocation = allocate(self.nodes, part, np.maximum(lanes, 1), self._live_out(part), self.slots)
        self.slot[allocation.segments.nodes], self.slots = allocation.of_nodes, allocation.used
        return allocation, lanes

    def _live_out(self, part: Segments) -> Truths:
        """For each node whether something outside of these segments needs it."""
        live_out = np.zeros(len(self.nodes), bool)
        live_out[self.results] = True
        others = self.height > 0
        others[part.nodes] = False
        users = np.flatnonzero(others)
        live_out[self.nodes.operands[ragged_ranges(self.nodes.start[users], self.nodes.arity[users])]] = True
        return live_out

    def _segments(self, phase: int) -> Segments:
        """The segments of a phase."""
        nodes = self.nodes
        inner = (nodes.code != LEAF) & (nodes.code != SUM_OF_BATCH)
        members = np.flatnonzero(inner & (self.height > 0) & (nodes.phase == phase))
        local = np.full(len(nodes), -1)
        local[members] = np.arange(len(members))
        arity = nodes.arity[members]
        producers = local[nodes.operands[ragged_ranges(nodes.start[members], arity)]]
        consumers = np.repeat(np.arange(len(members)), arity)
        within = producers >= 0
        order, ends = list_schedule(nodes.code[members], self.height[members], producers[within], consumers[within])
        varying = phase == VARYING
        return segmented(nodes, members[order], ends, 0 if varying else FEWEST_SUMS, not (self.exact or varying))

    def _batch(self, sums: Ints, outputs: Ints, guard: int | None) -> BatchPlan:
        """Plans the work for each sample; `sums`, `outputs` and `guard` are nodes."""
        nodes, row = self.nodes, self.row
        part = self._segments(VARYING)
        operands = np.append(
            nodes.operands[ragged_ranges(nodes.start[part.nodes], nodes.arity[part.nodes])], self._operand(sums)
        )
        operands = np.append(operands, [nodes.extra(NEUTRAL), nodes.extra(ZERO)])
        uniform = np.unique(operands[nodes.phase[operands] == BEFORE])
        batched = np.array(sorted(self.graph.batched))
        used = np.flatnonzero(self.height[batched] > 0)
        filled = np.concatenate([batched[used], uniform])
        row[filled] = np.arange(len(filled))
        allocation = allocate(nodes, part, np.ones_like(part.shape), self._live_out(part), len(filled))
        row[allocation.segments.nodes] = allocation.of_nodes
        lanes = np.full_like(part.shape, self.lanes)
        kinds, (section,) = sections_of(nodes, [(allocation, lanes)], row, slots=None)
        each = outputs if guard is None else np.append(outputs, guard)
        return BatchPlan(
            batched=len(batched),
            rows=allocation.used,
            kinds=kinds,
            section=section,
            columns=_pairs(used, row[batched[used]]),
            uniform=_pairs(self.slot[uniform], row[uniform]),
            sums=_pairs(row[self._operand(sums)], self.slot[sums]),
            each=row[each].astype(np.int32),
            guards=guard is not None,
        )

    def _operand(self, members: Ints) -> Ints:
        """The only operand of each."""
        return self.nodes.operands[self.nodes.start[members]]


def _lanes_of(nodes: Nodes, segments: Segments, lanes: int, exact: bool) -> Ints:
    """For each segment how many nodes are calculated together.

    There are three sizes for sums of terms and one for anything else: more would gain little, and each takes time to
    compile. In exact mode, functions of the C library calculate one number at a time.
    """
    shape, n = segments.shape, segments.lengths
    of_libm = [OTHER + i for i, op in enumerate(nodes.ops) if op.name not in _OF_ITS_OWN]
    single = (np.isin(shape, of_libm) & exact) | ((shape >= OTHER) & (segments.arity == VARIADIC))
    long = (shape == LONG_SUM) | (shape == LONG_WEIGHTED)
    cases = [long, single, shape >= OTHER, n <= lanes // 2, n < 4 * lanes]
    return np.select(cases, [HORIZONTAL, 1, lanes, lanes // 2, lanes], 2 * lanes)


def _pairs(a: Ints, b: Ints) -> Int32s:
    return np.stack([a, b], axis=1).astype(np.int32)
