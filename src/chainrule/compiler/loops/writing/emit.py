"""Nests in LLVM's assembly: the loops, and how many places along them are worked on at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llvmlite import ir

from chainrule.compiler.graph.graph import BATCH_SUM
from chainrule.compiler.loops.program import Index, Read, Statement
from chainrule.compiler.loops.writing.addresses import I64, Width
from chainrule.compiler.loops.writing.bounds import Range
from chainrule.compiler.loops.writing.checkpoints import Segments
from chainrule.compiler.loops.writing.nests import Nest
from chainrule.compiler.loops.writing.statement_code import UNROLLED, Place, StatementCode
from chainrule.ops import identity

ACCUMULATORS = 8
"""So many vectors of sums are kept in registers at once."""


@dataclass
class Near:
    """How far an iteration of a chain is from the place where a window begins: the range of their sum or difference."""

    begin: ir.Value
    sign: int
    range: Range


def _range(numbers: list[int]) -> Range:
    return Range(min(numbers), max(numbers))


class NestCode(StatementCode):
    """A function that runs nests.

    Attributes:
        segments: the chains that run in segments.
    """

    segments: Sequence[Segments] = ()

    def nest(self, nest: Nest) -> None:
        """The loops of a nest, and what is in them."""
        self.nest_axes = nest.axes
        self.rows = {statement.target: statement.row for statement in nest.statements}
        self._loops(nest, list(nest.axes), [])

    def chain(self, chain: list[Nest], first: ir.Value, end: ir.Value, near: Near | None = None) -> None:
        """The iterations from `first` up to `end` of nests that share their first axis, which runs in order. What is
        carried stays in registers. `near` is where, in a segment, the window is at each iteration."""
        carried = sorted({array for nest in chain for array in nest.carried})
        variables = {array: self.variables(self.load(Read(array, [Index(0, (1,))]), [first])) for array in carried}
        with self.loop(end, 1, first) as i:
            if near is not None:
                self.bounds.relate(i, near.begin, near.sign, *near.range)
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
                    self.store(statement, [self.minus(end, I64(1))], last)

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
                self._whole_chain(nest.chain, found)

    def _whole_chain(self, number: int, found: list[Nest]) -> None:
        """All iterations of a chain, in segments if it is one of those."""
        chains = {one: [nest for nest in found if nest.chain == one] for one in {nest.chain for nest in found}}
        own = chains[number]
        for segments in self.segments:
            if number == segments.forward:
                self._forward(segments, own)
                return
            if number == segments.backward:
                self._backward(segments, chains[segments.forward], own)
                return
        self.chain(own, I64(0), I64(own[0].axes[0]))

    # ---- chains in segments: see `checkpoints` ----
    def _forward(self, segments: Segments, chain: list[Nest]) -> None:
        """Runs a chain to its end; keeps the state at the beginning of each segment, and the last segment's window."""
        self._set_base(segments, I64(0))
        for array, saved in segments.saved.items():
            self._copy_state(array, I64(0), saved, I64(0))
        with self.loop(segments.count) as at:
            begin, after = self._begin(segments, at), self.plus(I64(1), at)
            last = self.builder.icmp_signed("==", after, I64(segments.count))
            end = self.builder.select(last, I64(segments.length), self._begin(segments, after))
            spans = segments.spans()
            self.bounds.variable(end, *_range([until for _, _, until in spans]))
            steps = _range([until - begin for begin, _, until in spans])
            self.bounds.relate(end, begin, -1, *steps)
            self._set_base(segments, begin)
            self._restore(segments, at, begin)
            self.chain(chain, begin, end, Near(begin, -1, Range(0, steps.high - 1)))
            for array, saved in segments.saved.items():
                self._copy_state(array, end, saved, after)
        self._set_base(segments, I64(segments.begin(segments.count - 1)))

    def _backward(self, segments: Segments, forward: list[Nest], backward: list[Nest]) -> None:
        """Runs a chain that reads what another has made, from the last segment to the first; of each but the last, it
        is made once more."""
        with self.loop(segments.count) as turn:
            at = self.minus(I64(segments.count - 1), turn)
            begin, end = self._begin(segments, at), self.times(self.plus(I64(1), at), segments.size)
            spans, turns = segments.spans(again=True), segments.turns()
            self._set_base(segments, begin)
            again = self.builder.icmp_signed("!=", turn, I64(0))
            with self.builder.if_then(again):
                self._restore(segments, at, begin)
                near = _range([x - begin for begin, first, until in spans for x in (first, until - 1)])
                self.chain(forward, begin, end, Near(begin, -1, near))
            turned = self.minus(I64(segments.top + 1), end)
            first = self.builder.select(again, turned, I64(0))
            last = self.builder.icmp_signed("==", at, I64(0))
            until = self.plus(turned, I64(segments.size))
            until = self.builder.select(last, I64(segments.turned_length), until)
            self.bounds.variable(first, *_range([first for _, first, _ in turns]))
            self.bounds.variable(until, *_range([until for _, _, until in turns]))
            near = _range([x + begin for begin, first, until in turns for x in (first, until - 1)])
            self.chain(backward, first, until, Near(begin, 1, near))
        self._set_base(segments, I64(0))

    def _begin(self, segments: Segments, at: ir.Value) -> ir.Value:
        """At which iteration the window of a segment begins."""
        begin = self.builder.sub(self.times(at, segments.size), I64(segments.margin))
        found = self.builder.select(self.builder.icmp_signed("<", begin, I64(0)), I64(0), begin)
        self.bounds.variable(found, 0, segments.begin(segments.count - 1))
        return found

    def _set_base(self, segments: Segments, begin: ir.Value) -> None:
        self.bases |= dict.fromkeys(segments.windows, begin)

    def _restore(self, segments: Segments, at: ir.Value, begin: ir.Value) -> None:
        for array, saved in segments.saved.items():
            self._copy_state(saved, at, array, begin)

    def _copy_state(self, source: int, source_at: ir.Value, target: int, target_at: ir.Value) -> None:
        """Copies one place of the first dimension of an array, with all within it, to another array."""
        inner = self.program.arrays[target].shape[1:]

        def copy(axes: list[ir.Value]) -> None:
            if len(axes) < len(inner):
                with self.loop(inner[len(axes)]) as k:
                    copy([*axes, k])
                return
            n = len(axes)
            units = [tuple([int(a == axis) for a in range(n + 1)]) for axis in range(n + 1)]
            values = self.load(Read(source, [Index(0, unit) for unit in units]), [source_at, *axes])
            self.store(Statement(target, (1, *inner), identity, []), [target_at, *axes], values)

        copy([])

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
