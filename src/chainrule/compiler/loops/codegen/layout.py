"""Memory layout: the place of each array of a program, and the phase in which each statement runs.

There are four areas. `shared` holds what all lanes share: inputs, constants, results. `scratch` holds what differs from
lane to lane, for one block of lanes. `sums` holds partial sums over lanes, a vector for each. `fixed` holds constants
that differ from lane to lane. Batched inputs are read where the caller has them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from chainrule.compiler.graph.graph import BATCH_SUM
from chainrule.compiler.loops.program import Array, Program, Statement

ALIGNED = 8
"""Arrays begin at multiples of so many numbers."""


MARGIN = 64
"""Lanes behind the last one read beyond the end of an array; the last array of an area has room for so many numbers."""

FRONT = 16
"""Vectors whose first lanes are masked out begin before an array. An area has room for so many numbers in front of its
first array; that also keeps the arrays aligned to the CPU's cache lines."""


@dataclass
class Layout:
    """The place of everything in memory.

    Attributes:
        place: for each array of the program its area and its offset there, in numbers (in rows of one number for each
            lane for `scratch`, `sums` and `fixed`).
        sizes: of each area, in the same unit.
        shared: float64[sizes["shared"]], with the constants filled in.
        fixed: float64[sizes["fixed"], lanes].
        tables: int32, all tables of indices one after the other.
        table_at: the offset of each table, by the table's id.
        extents: for arrays that keep only a part of their first dimension, how many places that is: 1 for what a
            recurrence carries in registers, the length of a window for one that runs in segments.
    """

    place: list[tuple[str, int]]
    sizes: dict[str, int]
    shared: np.ndarray
    fixed: np.ndarray
    tables: np.ndarray
    table_at: dict[int, int]
    extents: dict[int, int] = field(default_factory=dict)
    copied: int | None = None
    """The row of `scratch` to which the batched inputs of a block are copied; None if they are read in place."""

    def array_range(self, program: Program, array: int) -> tuple[int, int]:
        """The first place of an array in its area, and the one behind its last."""
        begin, shape = self.place[array][1], program.arrays[array].shape
        kept = (self.extents[array], *shape[1:]) if array in self.extents else shape
        return begin, begin + math.prod(kept)


@dataclass(frozen=True)
class AreaRange:
    """The first place of an area of memory and the one behind its last, in numbers; in rows where the area has one
    number for each lane."""

    begin: int
    end: int


def area_ranges(program: Program, layout: Layout, lanes: int, vectors: int, each: int) -> dict[str, AreaRange]:
    """How large the areas are.

    Args:
        program, layout: the program and its layout.
        lanes: how many numbers a vector has.
        vectors: how many vectors of lanes a block has.
        each: how many results differ from lane to lane.
    """
    sizes = layout.sizes
    batched = sum([math.prod(array.shape) for array in program.arrays if array.kind == "batched"])
    return {
        "shared": AreaRange(-FRONT, sizes["shared"] + lanes),
        "tables": AreaRange(0, max(len(layout.tables), 1)),
        "sums": AreaRange(0, (sizes["sums"] + 1) * lanes),
        "batched": AreaRange(0, batched),
        "fixed": AreaRange(0, max(sizes["fixed"], 1)),
        "scratch": AreaRange(-FRONT, (sizes["scratch"] + 1) * lanes * vectors),
        "each": AreaRange(0, max(each, 1)),
    }


NOWHERE = "nowhere"
"""The area of arrays that stay in registers."""


def lay_out(program: Program, stored: set[int] | None = None, extents: dict[int, int] | None = None) -> Layout:
    """Assigns every array of a program its place.

    Args:
        program: the program.
        stored: the arrays that statements fill and that need memory; None for all.
        extents: see `Layout`.
    """
    extents = extents or {}
    sizes = {"shared": 0, "scratch": 0, "sums": 0, "fixed": 0, "batched": 0}
    place = []
    copied = _reads_often(program)
    for at, array in enumerate(program.arrays):
        area = "scratch" if copied and array.kind == "batched" else _area(array)
        if stored is not None and array.kind == "value" and at not in stored:
            place.append((NOWHERE, 0))
            continue
        place.append((area, sizes[area]))
        size = math.prod((extents[at], *array.shape[1:]) if at in extents else array.shape)
        sizes[area] += -(-size // ALIGNED) * ALIGNED if area == "shared" else size
    sizes["shared"] += MARGIN
    sizes["scratch"] += MARGIN
    shared = np.zeros(sizes["shared"])
    fixed = np.zeros((sizes["fixed"], program.lanes or 0))
    for array, (area, at) in zip(program.arrays, place, strict=True):
        if array.data is not None and area == "shared":
            shared[at : at + array.data.size] = array.data.ravel()
        elif array.data is not None:
            fixed[at : at + math.prod(array.shape)] = array.data.reshape(-1, fixed.shape[1])
    for statement in program.statements:
        if statement.op is BATCH_SUM:
            place.append(("sums", sizes["sums"]))
            sizes["sums"] += math.prod(statement.axes)
            statement.sum_at = len(place) - 1  # type: ignore[attr-defined]
    tables, table_at = _tables(program)
    batched = [place[array][1] for array, one in enumerate(program.arrays) if one.kind == "batched"]
    return Layout(place, sizes, shared, fixed, tables, table_at, extents, batched[0] if copied else None)


MANY = 16
"""Batched inputs are copied if they are so many and are read more than once."""


def _reads_often(program: Program) -> bool:
    """Whether batched inputs are worth a copy: there are many, and they are read more than once.

    Rows of the caller's that lie a multiple of 4096 bytes apart evict each other from the CPU's caches between two
    reads.
    """
    batched = [at for at, array in enumerate(program.arrays) if array.kind == "batched"]
    rows = sum([math.prod(program.arrays[at].shape) for at in batched])
    reads = [read for statement in program.statements for read in statement.reads() if read.array in batched]
    return rows >= MANY and len(reads) > 1


def _area(array: Array) -> str:
    if not array.lanes:
        return "shared"
    return {"value": "scratch", "data": "fixed", "packed": "fixed", "batched": "batched"}[array.kind]


def _tables(program: Program) -> tuple[np.ndarray, dict[int, int]]:
    """Concatenates all tables of indices, and gives the offset of each."""
    parts: list[np.ndarray] = []
    table_at: dict[int, int] = {}
    size = 0
    for statement in program.statements:
        bounds = [index for one in statement.sums for index in one.bounds or ()]
        for index in [*bounds, *[index for read in statement.reads() for index in read.indices]]:
            if index.table is not None and id(index.table) not in table_at:
                table_at[id(index.table)] = size
                parts.append(index.table.ravel().astype(np.int32))
                size += index.table.size
    return np.concatenate([np.zeros(0, dtype=np.int32), *parts]), table_at


@dataclass
class Phases:
    """The statements by phase: before the lanes, for each block of lanes, and after the lanes."""

    before: list[Statement]
    inside: list[Statement]
    after: list[Statement]


def phases(program: Program) -> Phases:
    """Assigns each statement its phase. A statement that runs in each lane never needs a reduction over lanes; see
    `rerolling/lanes`."""
    order = Phases([], [], [])
    late = {statement.target for statement in program.statements if statement.op is BATCH_SUM}
    for statement in program.statements:
        if statement.lanes:
            order.inside.append(statement)
        elif any(read.array in late for read in statement.reads()):
            late.add(statement.target)
            order.after.append(statement)
        else:
            order.before.append(statement)
    return order
