"""Folding sums into chains: a sum over what the iterations of a chain make grows with the chain, in the same loop."""

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


def fold_into_chains(program: Program) -> Program:
    """The program in which sums over all iterations of a chain are links of the chain: s[i+1] = s[i] + term[i].

    So the terms need not be kept. Only sums that stand outside of other loops are folded.
    """
    return _Folder(program).fold()


class _Folder:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.chain_of = {s.target: s.chain for s in program.statements if s.chain is not None}
        self.length = {s.chain: s.axes[0] for s in program.statements if s.chain is not None}
        self.row = {s.target: s.row for s in program.statements if s.chain is not None}
        self.links: dict[int, list[Statement]] = {}
        self.arrays = list(program.arrays)

    def fold(self) -> Program:
        """The new program: the links stand behind the other statements of their chain."""
        first = self._first_statements()
        rest = []
        for at, statement in enumerate(self.program.statements):
            sums = [self._folded(one, statement, first) or one for one in statement.sums]
            rest.append(replace(statement, sums=sums) if sums != statement.sums else statement)
            del at
        statements: list[Statement] = []
        for at, statement in enumerate(rest):
            own = statement.chain
            if own is not None and at == first[own]:
                statements += [s for s in self.links.get(own, []) if s.chain is None]
            statements.append(statement)
            last = own is not None and not any(s.chain == own for s in rest[at + 1 :])
            if own is not None and last:
                statements += [s for s in self.links.get(own, []) if s.chain is not None]
        return replace(self.program, arrays=self.arrays, statements=statements)

    def _first_statements(self) -> dict[int, int]:
        """For each chain where its first statement stands; and until where arrays are there before it."""
        first: dict[int, int] = {}
        self.made_at: dict[int, int] = {}
        for at, statement in enumerate(self.program.statements):
            self.made_at[statement.target] = at
            if statement.chain is not None:
                first.setdefault(statement.chain, at)
        return first

    def _folded(self, one: Sum, statement: Statement, first: dict[int, int]) -> Sum | None:
        """The read of a sum's total, with the sum made a link; None if it cannot be one."""
        if statement.chain is not None or statement.axes or statement.op not in (sum, weighted_sum) or one.bounds:
            return None
        found = [read for part in one.parts for read in reads(part)]
        chains = [chain for read in found if (chain := self.chain_of.get(read.array)) is not None]
        if not chains:
            return None
        chain = max(chains, key=first.__getitem__)  # the others are done before it begins
        if one.length != self.length[chain]:
            return None
        turns = {self._direction(read, chain) for read in found if self.chain_of.get(read.array) == chain}
        before = all(
            self.chain_of.get(read.array) == chain or self.made_at.get(read.array, -1) < first[chain] for read in found
        )
        if len(turns) != 1 or None in turns or not before or any(read.lane is not None for read in found):
            return None
        return self._link(one, chain, turns.pop() == -1, statement.lanes)

    def _direction(self, read: Read, chain: int) -> int | None:
        """1 if step k of a sum reads iteration k, -1 if it reads them from the last to the first."""
        if len(read.indices) != 1 or read.indices[0].table is not None or read.indices[0].lane:
            return None
        (index,) = read.indices
        row, length = self.row[read.array], self.length[chain]
        if (index.offset, *index.strides) == (row, 1):
            return 1
        return -1 if (index.offset, *index.strides) == (row + length - 1, -1) else None

    def _link(self, one: Sum, chain: int, turned: bool, lanes: bool) -> Sum:
        length = self.length[chain]
        self.arrays.append(Array((length + 1,), lanes))
        target = len(self.arrays) - 1
        parts = [_turned(part, length) if turned else part for part in one.parts]
        before = Read(target, [Index(0, (1,))])
        begin = Statement(target, (1,), identity, [Number(0.0)], [], lanes)
        if len(parts) == 1:
            link = Statement(target, (length,), add, [before, parts[0]], [], lanes, 1, chain)
        else:
            product = Sum(1, [_with_step(part) for part in parts])
            link = Statement(target, (length,), weighted_sum, [before], [product], lanes, 1, chain)
        self.links.setdefault(chain, []).extend([begin, link])
        return Sum(1, [Read(target, [Index(length, (0,))])])


def _turned(x: Expression, length: int) -> Expression:
    """An expression of step k at step length - 1 - k."""
    if isinstance(x, Call):
        return Call(x.op, [_turned(a, length) for a in x.arguments])
    if isinstance(x, Read):
        return replace(x, indices=[_turned_index(index, length) for index in x.indices])
    return x


def _turned_index(index: Index, length: int) -> Index:
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
