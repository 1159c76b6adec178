"""Loop nests: statements that share their loops pass numbers on in registers instead of in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from chainrule.compiler.loops.program import Read, Statement


@dataclass
class Nest:
    """Loops over some axes, and the statements in their body.

    Attributes:
        axes: the extents of the loops.
        statements: the statements, which run one after the other at each point.
        stored: the arrays that are read outside of the nest, and so must be written to memory.
        recurrence: the recurrence that it belongs to, if any: the first axis is then that of the iterations.
        along_lanes: the axes that end with the last lane there is.
        carried: arrays of a recurrence that are carried in registers: an iteration needs only the value of the one
            before, and the rest of the program at most the last value.
    """

    axes: tuple[int, ...]
    statements: list[Statement] = field(default_factory=list)
    stored: set[int] = field(default_factory=set)
    recurrence: int | None = None
    along_lanes: frozenset[int] = frozenset()
    carried: set[int] = field(default_factory=set)


def nests(statements: list[Statement], live_out: set[int]) -> list[Nest]:
    """Groups the statements of one phase into nests (loop fusion).

    Args:
        statements: in an order in which they can run.
        live_out: the arrays that are needed afterwards.
    """
    result: list[Nest] = []
    nest_of: dict[int, int] = {}
    rows = {statement.target: statement.row for statement in statements}
    for statement in statements:
        at = _joinable_nest(statement, result, nest_of, rows)
        if at is None:
            result.append(Nest(statement.axes, recurrence=statement.recurrence, along_lanes=statement.along_lanes))
            at = len(result) - 1
        result[at].statements.append(statement)
        nest_of[statement.target] = at
    for at, nest in enumerate(result):
        for statement in nest.statements:
            for read in statement.reads():
                if read.array in nest_of and not (
                    nest_of[read.array] == at and own_place(read, len(nest.axes), rows[read.array])
                ):
                    result[nest_of[read.array]].stored.add(read.array)
    for array in live_out & nest_of.keys():
        result[nest_of[array]].stored.add(array)
    for nest in result:
        if nest.recurrence is not None and len(nest.axes) == 1:
            nest.carried = _carried(nest, statements, live_out)
            nest.stored -= nest.carried
    for nest in result:  # initial values lie in the array of their recurrence
        nest.stored |= {
            statement.target for statement in nest.statements if nest_of[statement.target] != result.index(nest)
        }
    return result


def _carried(nest: Nest, statements: list[Statement], live_out: set[int]) -> set[int]:
    """The arrays of a recurrence's nest whose elements are read only in the next iteration, or, if last, afterwards."""
    own = {s.target: s for s in nest.statements if s.row == 1 and s.axes == nest.axes and s.target not in live_out}
    carried = set(own)
    for statement in statements:
        for read in statement.reads():
            if read.array in own and not _is_read_next(read, statement, nest):
                carried.discard(read.array)
    return carried


def _is_read_next(read: Read, statement: Statement, nest: Nest) -> bool:
    """Whether a read takes an element in the iteration that makes it, in the next one, or, if it is the last,
    afterwards."""
    (index,) = read.indices
    if index.table is not None or index.lane or read.lane is not None:
        return False
    if statement in nest.statements:
        return index.offset in (0, 1) and index.strides[0] == 1 and not any(index.strides[1:])
    return statement.recurrence is None and index.offset == nest.axes[0] and not any(index.strides)


def is_previous(read: Read) -> bool:
    """Whether a read takes the element of the iteration before."""
    (index,) = read.indices
    return index.offset == 0


def _joinable_nest(
    statement: Statement, existing: list[Nest], nest_of: dict[int, int], rows: dict[int, int]
) -> int | None:
    """The nest that a statement can join: that of its operands if it reads them at its own point, otherwise the last
    one."""
    sources: dict[int, bool] = {}
    for read in statement.reads():
        if read.array in nest_of:
            at = nest_of[read.array]
            near = own_place(read, len(statement.axes), rows[read.array])
            recurrent = statement.recurrence is not None and existing[at].recurrence == statement.recurrence
            sources[at] = sources.get(at, True) and (near or (recurrent and is_earlier(read, rows[read.array])))
    last = max(sources, default=-1)
    if last >= 0 and sources[last] and _is_compatible(existing[last], statement):
        return last
    if existing and len(existing) - 1 > last and _is_compatible(existing[-1], statement):
        return len(existing) - 1
    return None


def _is_compatible(nest: Nest, statement: Statement) -> bool:
    same = nest.axes == statement.axes and nest.recurrence == statement.recurrence
    return same and nest.along_lanes == statement.along_lanes


def is_earlier(read: Read, row: int) -> bool:
    """Whether a read takes an element that an earlier iteration has written."""
    first = read.indices[0]
    along = list(first.strides)
    return first.table is None and along[0] == 1 and not any(along[1:]) and first.offset < row


def own_place(read: Read, axes: int, row: int = 0) -> bool:
    """Whether a read takes the element at just the point at which its statement runs."""
    if read.lane is not None or len(read.indices) != axes:
        return False
    for axis, index in enumerate(read.indices):
        unit = [int(a == axis) for a in range(axes)]
        strides = list(index.strides)
        if (
            index.table is not None
            or index.lane
            or index.offset != (0 if axis else row)
            or strides[:axes] != unit
            or any(strides[axes:])
        ):
            return False
    return True
