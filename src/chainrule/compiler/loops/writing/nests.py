"""Nests: statements that run in the same loops, so that what one gives the other needs no memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from chainrule.compiler.loops.program import Read, Statement


@dataclass
class Nest:
    """Loops over some axes, and the statements within.

    Attributes:
        axes: the extents of the loops.
        statements: one after the other, for each place along the axes.
        kept: the arrays that something outside reads, and that must be written to memory.
        chain: the chain that it is part of, if it is: the first axis is then that of the iterations.
        along_lanes: the axes that end with the last lane there is.
        carried: arrays of a chain of which an iteration needs just what the one before has made, and the rest of the
            program, if anything, what the last one has: they need no memory but for that.
    """

    axes: tuple[int, ...]
    statements: list[Statement] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)
    chain: int | None = None
    along_lanes: frozenset[int] = frozenset()
    carried: set[int] = field(default_factory=set)


def nests(statements: list[Statement], wanted: set[int]) -> list[Nest]:
    """Puts statements of one phase together into nests.

    Args:
        statements: in an order in which they can run.
        wanted: the arrays that are needed afterwards.
    """
    found: list[Nest] = []
    home: dict[int, int] = {}
    rows = {statement.target: statement.row for statement in statements}
    for statement in statements:
        at = _best(statement, found, home, rows)
        if at is None:
            found.append(Nest(statement.axes, chain=statement.chain, along_lanes=statement.along_lanes))
            at = len(found) - 1
        found[at].statements.append(statement)
        home[statement.target] = at
    for at, nest in enumerate(found):
        for statement in nest.statements:
            for read in statement.reads():
                if read.array in home and not (
                    home[read.array] == at and own_place(read, len(nest.axes), rows[read.array])
                ):
                    found[home[read.array]].kept.add(read.array)
    for array in wanted & home.keys():
        found[home[array]].kept.add(array)
    for nest in found:
        if nest.chain is not None and len(nest.axes) == 1:
            nest.carried = _carried(nest, statements, wanted)
            nest.kept -= nest.carried
    for nest in found:  # what a chain begins with lies in the array of the chain
        nest.kept |= {statement.target for statement in nest.statements if home[statement.target] != found.index(nest)}
    return found


def _carried(nest: Nest, statements: list[Statement], wanted: set[int]) -> set[int]:
    """Those arrays of a nest of a chain whose elements are read just once more after they were made, or never."""
    own = {s.target: s for s in nest.statements if s.row == 1 and s.axes == nest.axes and s.target not in wanted}
    found = set(own)
    for statement in statements:
        for read in statement.reads():
            if read.array in own and not _is_near(read, statement, nest):
                found.discard(read.array)
    return found


def _is_near(read: Read, statement: Statement, nest: Nest) -> bool:
    """Whether a chain's element is read in its own iteration, the next one, or, if it is the last, afterwards."""
    (index,) = read.indices
    if index.table is not None or index.lane or read.lane is not None:
        return False
    if statement in nest.statements:
        return index.offset in (0, 1) and index.strides[0] == 1 and not any(index.strides[1:])
    return statement.chain is None and index.offset == nest.axes[0] and not any(index.strides)


def is_previous(read: Read) -> bool:
    """Whether a chain's element is read in the iteration after its own."""
    (index,) = read.indices
    return index.offset == 0


def _best(statement: Statement, found: list[Nest], home: dict[int, int], rows: dict[int, int]) -> int | None:
    """The nest that a statement can join: that of what it reads, if it reads at its own place; else the last one."""
    sources: dict[int, bool] = {}
    for read in statement.reads():
        if read.array in home:
            at = home[read.array]
            near = own_place(read, len(statement.axes), rows[read.array])
            earlier = found[at].chain is not None and found[at].chain == statement.chain  # of an iteration before
            sources[at] = sources.get(at, True) and (near or (earlier and is_earlier(read, rows[read.array])))
    last = max(sources, default=-1)
    if last >= 0 and sources[last] and _alike(found[last], statement):
        return last
    if found and len(found) - 1 > last and _alike(found[-1], statement):
        return len(found) - 1
    return None


def _alike(nest: Nest, statement: Statement) -> bool:
    same = nest.axes == statement.axes and nest.chain == statement.chain
    return same and nest.along_lanes == statement.along_lanes


def is_earlier(read: Read, row: int) -> bool:
    """Whether an element of a chain is read that an earlier iteration has written."""
    first = read.indices[0]
    along = list(first.strides)
    return first.table is None and along[0] == 1 and not any(along[1:]) and first.offset < row


def own_place(read: Read, axes: int, row: int = 0) -> bool:
    """Whether an element is read at just the place at which its statement stands."""
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
