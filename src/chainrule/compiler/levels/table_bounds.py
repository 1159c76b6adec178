"""Proves, before anything runs, that native code that walks tables stays in its memory.

The places that are read and written are data here, so each is checked once for a kernel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from chainrule.compiler.levels.schedule import BatchPlan, Plan
from chainrule.compiler.levels.sections import Field, Section
from chainrule.compiler.levels.segments import VARIADIC, Kind
from chainrule.compiler.native.llvm import BoundsError


def check_plan(plan: Plan) -> None:
    """Checks that no segment of a plan leaves the slots, the rows of a block, or the table.

    Raises:
        BoundsError: one does.
    """
    for name, section in (("before", plan.before), ("after", plan.after)):
        _within(section.table, plan.slots, f"a number in the table of the segments {name} the samples")
        _check_section(section, plan.kinds, plan.slots, True)
    _within(plan.shared, plan.slots, "the slot of an output")
    first = np.array([plan.inputs + len(plan.constants), plan.guards or 0])
    _within(first, plan.slots + 1, "the slot of a constant or of the guards")
    if plan.batch is not None:
        _check_batch(plan.batch, plan.slots)


def _check_batch(batch: BatchPlan, slots: int) -> None:
    _check_section(batch.section, batch.kinds, batch.rows, False)
    for pairs, sizes, what in (
        (batch.columns, (batch.batched, batch.rows), "the inputs of samples"),
        (batch.uniform, (slots, batch.rows), "what samples share"),
        (batch.sums, (batch.rows, slots), "the sums over samples"),
    ):
        for side, size in enumerate(sizes):
            _within(pairs[:, side], size, f"a place of {what}")
    _within(batch.each, batch.rows, "the row of a result of each sample")


def _check_section(section: Section, kinds: Sequence[Kind], size: int, shared: bool) -> None:
    """Checks the segments of a section, and the slots (or rows) in its table, of which there are `size`.

    Nodes that samples share are calculated in blocks: the last block of a segment reads and writes as if it were full.
    """
    table, field = section.table, {which: section.segments[:, which].astype(np.int64) for which in Field}
    _within(field[Field.KIND], len(kinds), "a segment's kind")
    if not len(section.segments):
        return
    block_size = np.array([max(kind.lanes, 1) if shared else 1 for kind in kinds])[field[Field.KIND]]
    rows = np.array([kind.arity for kind in kinds])[field[Field.KIND]]
    nodes, short_count = field[Field.NODES], field[Field.SHORT_COUNT]
    wrong = (nodes < 1) | (short_count < 0) | (short_count > nodes)
    _within(wrong.astype(np.int64), 1, "the number of a segment's nodes")
    for to, n in ((field[Field.SHORT_FIRST], short_count), (field[Field.LONG_FIRST], nodes - short_count)):
        _within(np.where(n > 0, to, 0), size, "the slot of a result")
        _within(np.where(n > 0, to + -(-n // block_size) * block_size, 0), size + 1, "the end of the slots of results")
    begin, entries = field[Field.TABLE], field[Field.ENTRIES]
    _within(begin, len(table), "the place of a segment in the table")
    _within(begin + entries + block_size - 1, len(table) + 1, "the end of a segment in the table")
    _within(
        field[Field.PREFETCH_AT] + field[Field.PREFETCH_COUNT], len(table) + 1, "the place of the lines to fetch ahead"
    )
    wrong = (rows != VARIADIC) & (rows * nodes != entries)
    _within(wrong.astype(np.int64), 1, "the number of a segment's operands")
    operands = table[: int((begin + entries).max())].copy()
    operands[section.counts] = 0
    _within(operands, size, "the slot of an operand")


def _within(numbers: npt.NDArray[np.integer], size: int, what: str) -> None:
    if numbers.size and (numbers.min() < 0 or numbers.max() >= size):
        raise BoundsError(f"native code would go outside of its memory: {what} is not from 0 to {size - 1:,}")
