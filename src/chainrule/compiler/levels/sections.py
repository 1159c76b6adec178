"""Sections: segments in the form that native code reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, auto

import numpy as np
import numpy.typing as npt

from chainrule.compiler.levels.allocation import Allocation
from chainrule.compiler.levels.nodes import Ints, Nodes
from chainrule.compiler.levels.prefetching import LARGE, prefetch_list
from chainrule.compiler.levels.segments import Kind
from chainrule.compiler.levels.table import table_of

Int32s = npt.NDArray[np.int32]


class Field(IntEnum):
    """The fields of a segment."""

    KIND = 0
    NODES = auto()
    """The number of nodes."""
    TABLE = auto()
    """Its place in the table."""
    ENTRIES = auto()
    """The number of its entries there."""
    SHORT_FIRST = auto()
    """The slot of its first short-lived result."""
    SHORT_COUNT = auto()
    """The number of short-lived results."""
    LONG_FIRST = auto()
    """The slot of its first long-lived result."""
    PREFETCH_AT = auto()
    """The place in the table of the slots whose cache lines to prefetch."""
    PREFETCH_COUNT = auto()
    """The number of these slots."""


@dataclass(frozen=True)
class Section:
    """Segments that are calculated one after the other.

    Attributes:
        segments: int32[segments, Field].
        table: int32[…], the slots of operands, followed by those to prefetch.
        counts: the places in the table that hold a number of operands instead of a slot.
    """

    segments: Int32s
    table: Int32s
    counts: Ints

    @property
    def operations(self) -> int:
        """The number of nodes that it calculates."""
        return int(self.segments[:, Field.NODES].sum())

    @property
    def fetches(self) -> bool:
        """Whether it prefetches anything."""
        return bool(self.segments[:, Field.PREFETCH_COUNT].any())


def sections_of(
    nodes: Nodes, parts: Sequence[tuple[Allocation, Ints]], slot: Ints, slots: int | None
) -> tuple[tuple[Kind, ...], list[Section]]:
    """Puts segments into the form in which they are stored.

    Args:
        nodes: the nodes of the graph.
        parts: for each section the slots of its results, and the number of lanes of each segment.
        slot: for each node its slot, or its row.
        slots: the number of slots; None for rows, where lanes are samples, and nodes are calculated one by one.

    Returns:
        The kinds that there are, and the sections.
    """
    tables, kinds = [], []
    for allocation, lanes in parts:
        block_size = np.ones_like(lanes) if slots is None else np.maximum(lanes, 1)
        tables.append(table_of(nodes, allocation.segments, slot, block_size))
        kinds.append(allocation.segments.kinds(nodes, lanes))
    every = sorted({kind for own, _ in kinds for kind in own}, key=str)
    number = {kind: i for i, kind in enumerate(every)}
    large = slots is not None and 8 * slots + sum(table.nbytes for table, _, _ in tables) >= LARGE
    sections = []
    for (allocation, lanes), (table, at, counts), (own, which) in zip(parts, tables, kinds, strict=True):
        kind = np.array([number[one] for one in own], np.int64)[which]
        section = _section(allocation, kind, table, at, large, int(lanes.max(initial=1)))
        sections.append(Section(*section, counts))
    return tuple(every), sections


def _section(
    allocation: Allocation, kind: Ints, table: Int32s, at: Ints, large: bool, most_lanes: int
) -> tuple[Int32s, Int32s]:
    """The segments and the table of a section."""
    fields = np.zeros((len(Field), len(at)), np.int64)
    length = allocation.segments.lengths
    fields[Field.KIND], fields[Field.NODES], fields[Field.TABLE] = kind, length, at
    fields[Field.ENTRIES] = np.diff(at, append=len(table))
    fields[Field.SHORT_FIRST], fields[Field.SHORT_COUNT], fields[Field.LONG_FIRST] = (
        allocation.short_first,
        allocation.short_count,
        allocation.long_first,
    )
    if large and len(at):
        runs = np.stack(
            [[allocation.short_first, allocation.short_count], [allocation.long_first, length - allocation.short_count]]
        ).transpose(2, 0, 1)
        first, fields[Field.PREFETCH_COUNT], lines = prefetch_list(table, at, runs)
        fields[Field.PREFETCH_AT] = len(table) + first
        table = np.append(table, lines)
    table = np.append(table, np.zeros(most_lanes, np.int32))  # room for the last vector's load
    return np.ascontiguousarray(fields.T, np.int32), table
