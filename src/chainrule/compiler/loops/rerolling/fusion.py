"""Loop fusion: a sum over all iterations of a recurrence is accumulated in the recurrence's own loop."""

from __future__ import annotations

from dataclasses import replace

from chainrule.compiler.loops.program import (
    Array,
    Call,
    Expression,
    Index,
    Number,
    Program,
    Read,
    Statement,
    Sum,
    reads,
)
from chainrule.ops import add, identity, sum, weighted_sum


def fuse_reductions(program: Program) -> Program:
    """Accumulates sums over the iterations of a recurrence within its loop: s[i+1] = s[i] + term[i].

    The terms then need no memory. Only sums that stand outside of other loops are fused.
    """
    return _ReductionFuser(program).fuse()


class _ReductionFuser:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.recurrence_of = {s.target: s.recurrence for s in program.statements if s.recurrence is not None}
        self.length = {s.recurrence: s.axes[0] for s in program.statements if s.recurrence is not None}
        self.row = {s.target: s.row for s in program.statements if s.recurrence is not None}
        self.accumulations: dict[int, list[Statement]] = {}
        self.arrays = list(program.arrays)

    def fuse(self) -> Program:
        """The new program: accumulations stand behind the other statements of their recurrence."""
        first = self._first_statements()
        rest = []
        for statement in self.program.statements:
            sums = [self._fused(one, statement, first) or one for one in statement.sums]
            rest.append(replace(statement, sums=sums) if sums != statement.sums else statement)
        statements: list[Statement] = []
        for at, statement in enumerate(rest):
            own = statement.recurrence
            if own is not None and at == first[own]:
                statements += [s for s in self.accumulations.get(own, []) if s.recurrence is None]
            statements.append(statement)
            last = own is not None and not any(s.recurrence == own for s in rest[at + 1 :])
            if own is not None and last:
                statements += [s for s in self.accumulations.get(own, []) if s.recurrence is not None]
        return replace(self.program, arrays=self.arrays, statements=statements)

    def _first_statements(self) -> dict[int, int]:
        """For each recurrence the position of its first statement; notes also where each array is filled."""
        first: dict[int, int] = {}
        self.made_at: dict[int, int] = {}
        for at, statement in enumerate(self.program.statements):
            self.made_at[statement.target] = at
            if statement.recurrence is not None:
                first.setdefault(statement.recurrence, at)
        return first

    def _fused(self, one: Sum, statement: Statement, first: dict[int, int]) -> Sum | None:
        """Replaces a sum by the total that its recurrence accumulates; None if that is impossible."""
        if statement.recurrence is not None or statement.axes or statement.op not in (sum, weighted_sum) or one.bounds:
            return None
        operands = [read for part in one.parts for read in reads(part)]
        recurrences = [
            recurrence for read in operands if (recurrence := self.recurrence_of.get(read.array)) is not None
        ]
        if not recurrences:
            return None
        recurrence = max(recurrences, key=first.__getitem__)  # the last to begin: the others are done by then
        if one.length != self.length[recurrence]:
            return None
        directions = {
            self._direction(read, recurrence) for read in operands if self.recurrence_of.get(read.array) == recurrence
        }
        before = all(
            self.recurrence_of.get(read.array) == recurrence or self.made_at.get(read.array, -1) < first[recurrence]
            for read in operands
        )
        if len(directions) != 1 or None in directions or not before or any(read.lane is not None for read in operands):
            return None
        return self._accumulation(one, recurrence, directions.pop() == -1, statement.lanes)

    def _direction(self, read: Read, recurrence: int) -> int | None:
        """1 if step k of a sum reads iteration k, -1 if it reads them from the last to the first."""
        if len(read.indices) != 1 or read.indices[0].table is not None or read.indices[0].lane:
            return None
        (index,) = read.indices
        row, length = self.row[read.array], self.length[recurrence]
        if (index.offset, *index.strides) == (row, 1):
            return 1
        return -1 if (index.offset, *index.strides) == (row + length - 1, -1) else None

    def _accumulation(self, one: Sum, recurrence: int, reverse: bool, lanes: bool) -> Sum:
        length = self.length[recurrence]
        self.arrays.append(Array((length + 1,), lanes))
        target = len(self.arrays) - 1
        parts = [_reversed(part, length) if reverse else part for part in one.parts]
        before = Read(target, [Index(0, (1,))])
        begin = Statement(target, (1,), identity, [Number(0.0)], [], lanes)
        if len(parts) == 1:
            update = Statement(target, (length,), add, [before, parts[0]], [], lanes, 1, recurrence)
        else:
            product = Sum(1, [_with_step(part) for part in parts])
            update = Statement(target, (length,), weighted_sum, [before], [product], lanes, 1, recurrence)
        self.accumulations.setdefault(recurrence, []).extend([begin, update])
        return Sum(1, [Read(target, [Index(length, (0,))])])


def _reversed(x: Expression, length: int) -> Expression:
    """An expression of step k, taken at step length - 1 - k."""
    if isinstance(x, Call):
        return Call(x.op, [_reversed(a, length) for a in x.arguments])
    if isinstance(x, Read):
        return replace(x, indices=[_reversed_index(index, length) for index in x.indices])
    return x


def _reversed_index(index: Index, length: int) -> Index:
    (stride,) = index.strides
    table = None if index.table is None else index.table[::-1].copy()
    return Index(index.offset + stride * (length - 1), (-stride,), table, index.lane)


def _with_step(x: Expression) -> Expression:
    """An expression within a sum of one step."""
    if isinstance(x, Call):
        return Call(x.op, [_with_step(a) for a in x.arguments])
    if isinstance(x, Read):
        return replace(x, indices=[_with_step_index(index) for index in x.indices])
    return x


def _with_step_index(index: Index) -> Index:
    table = None if index.table is None else index.table[..., None]
    return Index(index.offset, (*index.strides, 0), table, index.lane)
