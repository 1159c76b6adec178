"""Nests in LLVM's assembly: the loops, and how many places along them are worked on at once."""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir

from chainrule.compiler.graph import BATCH_SUM
from chainrule.compiler.loops.code import I64, Width
from chainrule.compiler.loops.nests import Nest
from chainrule.compiler.loops.program import Index, Read
from chainrule.compiler.loops.statement_code import UNROLLED, Place, StatementCode

ACCUMULATORS = 8
"""So many vectors of sums are kept in registers at once."""


class NestCode(StatementCode):
    """A function that runs nests."""

    def nest(self, nest: Nest) -> None:
        """The loops of a nest, and what is in them."""
        self.nest_axes = nest.axes
        self.rows = {statement.target: statement.row for statement in nest.statements}
        self._loops(nest, list(nest.axes), [])

    def chain(self, chain: list[Nest]) -> None:
        """Nests that share their first axis, which runs in order. What is carried stays in registers."""
        carried = sorted({array for nest in chain for array in nest.carried})
        variables = {array: self.variables(self.load(Read(array, [Index(0, ())]), [])) for array in carried}
        length = chain[0].axes[0]
        with self.loop(length) as i:
            self.previous = {array: self.contents(places) for array, places in variables.items()}
            for nest in chain:
                self.nest_axes = nest.axes
                self.rows = {statement.target: statement.row for statement in nest.statements}
                self.made = {}
                self._loops(nest, list(nest.axes[1:]), [i])
                for array in nest.carried:
                    for value, place in zip(self.made[array], variables[array], strict=True):
                        self.builder.store(value, place)
            self.previous = {}
        for nest in chain:
            for statement in nest.statements:
                if statement.target in nest.carried:
                    last = self.contents(variables[statement.target])
                    self.store(statement, [I64(length - 1)], last)

    def nests(self, found: list[Nest], before: Callable[[Nest], None] = lambda nest: None) -> None:
        """One nest after the other; those of a chain together."""
        done: set[int] = set()
        for nest in found:
            if nest.chain is None:
                before(nest)
                self.nest(nest)
            elif nest.chain not in done:
                done.add(nest.chain)
                self.along = None
                self.chain([other for other in found if other.chain == nest.chain])

    def _loops(self, nest: Nest, extents: list[int], axes: list[ir.Value]) -> None:
        if not extents:
            self._body(nest, [Place(axes)])
        elif extents[0] == 1 and len(axes) not in nest.along_lanes:
            self._loops(nest, extents[1:], [*axes, I64(0)])
        elif len(extents) == 1 and self.along is not None:
            self._along(nest, extents[0], axes)
        elif len(extents) == 1 and self.sums_of_many(nest, extents[0]):
            with self.loop(extents[0], self.width.lanes) as i:
                self.add_up_many(nest.statements[0], axes, i)
        elif len(extents) == 1 and (at_once := self._at_once(nest, extents[0])) > 1:
            with self.loop(extents[0], at_once) as i:
                self._body(nest, [Place([*axes, self.plus(I64(n), i)]) for n in range(at_once)])
        else:
            with self.loop(extents[0], along_lanes=len(axes) in nest.along_lanes) as i:
                self._loops(nest, extents[1:], [*axes, i])

    def _along(self, nest: Nest, extent: int, axes: list[ir.Value]) -> None:
        """The last loop, in vectors, and what is left over one by one."""
        lanes = self.machine.lanes(self.bits)
        whole = extent // lanes * lanes
        if whole:
            self.width = Width(lanes, 1)
            with self.loop(whole, lanes) as i:
                self._body(nest, [Place([*axes, i])])
        self.width = Width(1, 1)
        if whole < extent:
            with self.loop(extent, 1, whole) as i:
                self._body(nest, [Place([*axes, i])])

    def _body(self, nest: Nest, places: list[Place]) -> None:
        for statement in nest.statements:
            if statement.op is BATCH_SUM:
                for place in places:
                    self.add_up(statement, place.axes, place.near)
                continue
            self.statement(statement, places)
            self.made[statement.target] = places[0].near[statement.target]
            if statement.target in nest.kept:
                for place in places:
                    self.store(statement, place.axes, place.near[statement.target])

    def _at_once(self, nest: Nest, extent: int) -> int:
        """At how many neighbouring places along the last axis sums are made at once, to share what they read."""
        if not self.lanes or nest.chain is not None or len(nest.axes) - 1 in nest.along_lanes:
            return 1
        if not any(one.length > UNROLLED or one.along_lanes for s in nest.statements for one in s.sums):
            return 1
        most = max(1, ACCUMULATORS // self.width.vectors)
        return next(n for n in range(min(most, extent), 0, -1) if extent % n == 0)
