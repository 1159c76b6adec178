"""Generates loop nests in LLVM's assembly: the loops, and how far they are unrolled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llvmlite import ir

from chainrule.compiler.graph.graph import BATCH_SUM
from chainrule.compiler.loops.codegen.addresses import I64, Width
from chainrule.compiler.loops.codegen.bounds import Range
from chainrule.compiler.loops.codegen.checkpoints import Segments
from chainrule.compiler.loops.codegen.nests import Nest
from chainrule.compiler.loops.codegen.statement_code import UNROLLED, Point, StatementCode
from chainrule.compiler.loops.program import Index, Read, Statement
from chainrule.ops import identity

ACCUMULATORS = 8
"""How many vectors of partial sums are kept in registers at once (register blocking)."""


@dataclass
class WindowOffset:
    """The range of begin + sign · iteration, where a window begins and an iteration reads or writes it."""

    begin: ir.Value
    sign: int
    range: Range


def _range(numbers: list[int]) -> Range:
    return Range(min(numbers), max(numbers))


class NestCode(StatementCode):
    """Generates nests.

    Attributes:
        segments: the recurrences that run in segments.
    """

    segments: Sequence[Segments] = ()

    def nest(self, nest: Nest) -> None:
        """Generates the loops of a nest and their body."""
        self.nest_axes = nest.axes
        self.rows = {statement.target: statement.row for statement in nest.statements}
        self._loops(nest, list(nest.axes), [])

    def recurrence(
        self, recurrence: list[Nest], first: ir.Value, end: ir.Value, window: WindowOffset | None = None
    ) -> None:
        """Generates the iterations from `first` up to `end` of nests that share their first axis.

        Carried values stay in registers. In a segment, `window` bounds how far an iteration is from the beginning of
        the window.
        """
        carried = sorted({array for nest in recurrence for array in nest.carried})
        variables = {array: self.variables(self.load(Read(array, [Index(0, (1,))]), [first])) for array in carried}
        with self.loop(end, 1, first) as i:
            if window is not None:
                self.bounds.relate(i, window.begin, window.sign, *window.range)
            self.previous = {array: self.contents(points) for array, points in variables.items()}
            for nest in recurrence:
                self.nest_axes = nest.axes
                self.rows = {statement.target: statement.row for statement in nest.statements}
                self.made = {}
                self._loops(nest, list(nest.axes[1:]), [i])
                for array in nest.carried:
                    for value, point in zip(self.made[array], variables[array], strict=True):
                        self.builder.store(value, point)
            self.previous = {}
        for nest in recurrence:
            for statement in nest.statements:
                if statement.target in nest.carried:
                    last = self.contents(variables[statement.target])
                    self.store(statement, [self.minus(end, I64(1))], last)

    def nests(self, phase: list[Nest], before: Callable[[Nest], None] = lambda nest: None) -> None:
        """Generates nests one after the other, and those of one recurrence together."""
        done: set[int] = set()
        for nest in phase:
            if nest.recurrence is None:
                before(nest)
                self.nest(nest)
            elif nest.recurrence not in done:
                done.add(nest.recurrence)
                self.vector_axis = None
                self._whole_recurrence(nest.recurrence, phase)

    def _whole_recurrence(self, number: int, phase: list[Nest]) -> None:
        """Generates all iterations of a recurrence, in segments if it runs in segments."""
        recurrences = {
            one: [nest for nest in phase if nest.recurrence == one] for one in {nest.recurrence for nest in phase}
        }
        own = recurrences[number]
        for segments in self.segments:
            if number == segments.forward:
                self._forward(segments, own)
                return
            if number == segments.backward:
                self._backward(segments, recurrences[segments.forward], own)
                return
        self.recurrence(own, I64(0), I64(own[0].axes[0]))

    # ---- recurrences in segments: see `checkpoints` ----
    def _forward(self, segments: Segments, recurrence: list[Nest]) -> None:
        """Runs a recurrence to its end. It saves the state at the beginning of each segment and leaves the last
        segment's window."""
        self._set_base(segments, I64(0))
        for array, saved in segments.saved.items():
            self._copy_state(array, I64(0), saved, I64(0))
        with self.loop(segments.count) as at:
            begin, after = self._begin(segments, at), self.plus(I64(1), at)
            last = self.builder.icmp_signed("==", after, I64(segments.count))
            end = self.builder.select(last, I64(segments.length), self._begin(segments, after))
            spans = segments.spans()
            self.bounds.define_variable(end, *_range([until for _, _, until in spans]))
            steps = _range([until - begin for begin, _, until in spans])
            self.bounds.relate(end, begin, -1, *steps)
            self._set_base(segments, begin)
            self._restore(segments, at, begin)
            self.recurrence(recurrence, begin, end, WindowOffset(begin, -1, Range(0, steps.high - 1)))
            for array, saved in segments.saved.items():
                self._copy_state(array, end, saved, after)
        self._set_base(segments, I64(segments.begin(segments.count - 1)))

    def _backward(self, segments: Segments, forward: list[Nest], backward: list[Nest]) -> None:
        """Runs the reverse sweep from the last segment to the first, and recomputes each segment but the last before it
        is read."""
        with self.loop(segments.count) as trip:
            at = self.minus(I64(segments.count - 1), trip)
            begin, end = self._begin(segments, at), self.times(self.plus(I64(1), at), segments.size)
            spans, reverse_spans = segments.spans(again=True), segments.reverse_spans()
            self._set_base(segments, begin)
            again = self.builder.icmp_signed("!=", trip, I64(0))
            with self.builder.if_then(again):
                self._restore(segments, at, begin)
                window = _range([x - begin for begin, first, until in spans for x in (first, until - 1)])
                self.recurrence(forward, begin, end, WindowOffset(begin, -1, window))
            reverse_first = self.minus(I64(segments.top + 1), end)
            first = self.builder.select(again, reverse_first, I64(0))
            last = self.builder.icmp_signed("==", at, I64(0))
            until = self.plus(reverse_first, I64(segments.size))
            until = self.builder.select(last, I64(segments.reverse_length), until)
            self.bounds.define_variable(first, *_range([first for _, first, _ in reverse_spans]))
            self.bounds.define_variable(until, *_range([until for _, _, until in reverse_spans]))
            window = _range([x + begin for begin, first, until in reverse_spans for x in (first, until - 1)])
            self.recurrence(backward, first, until, WindowOffset(begin, 1, window))
        self._set_base(segments, I64(0))

    def _begin(self, segments: Segments, at: ir.Value) -> ir.Value:
        """The iteration at which the window of a segment begins."""
        begin = self.builder.sub(self.times(at, segments.size), I64(segments.margin))
        clamped = self.builder.select(self.builder.icmp_signed("<", begin, I64(0)), I64(0), begin)
        self.bounds.define_variable(clamped, 0, segments.begin(segments.count - 1))
        return clamped

    def _set_base(self, segments: Segments, begin: ir.Value) -> None:
        self.window_bases |= dict.fromkeys(segments.windows, begin)

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
            self._body(nest, [Point(axes)])
        elif extents[0] == 1 and len(axes) not in nest.along_lanes:
            self._loops(nest, extents[1:], [*axes, I64(0)])
        elif len(extents) == 1 and self.vector_axis is not None:
            self._vectorized_loop(nest, extents[0], axes)
        elif len(extents) == 1 and self.accumulates_many(nest, extents[0]):
            with self.loop(extents[0], self.width.lanes) as i:
                self.accumulate_many(nest.statements[0], axes, i)
        elif len(extents) == 1 and (factor := self._unroll_factor(nest, extents[0])) > 1:
            with self.loop(extents[0], factor) as i:
                self._body(nest, [Point([*axes, self.plus(I64(n), i)]) for n in range(factor)])
        else:
            with self.loop(extents[0], along_lanes=len(axes) in nest.along_lanes) as i:
                self._loops(nest, extents[1:], [*axes, i])

    def _vectorized_loop(self, nest: Nest, extent: int, axes: list[ir.Value]) -> None:
        """The innermost loop in vectors, with a scalar loop for the remainder."""
        lanes = self.machine.lanes(self.bits)
        whole = extent // lanes * lanes
        if whole:
            self.width = Width(lanes, 1)
            with self.loop(whole, lanes) as i:
                self._body(nest, [Point([*axes, i])])
        self.width = Width(1, 1)
        if whole < extent:
            with self.loop(extent, 1, whole) as i:
                self._body(nest, [Point([*axes, i])])

    def _body(self, nest: Nest, points: list[Point]) -> None:
        for statement in nest.statements:
            if statement.op is BATCH_SUM:
                for point in points:
                    self.accumulate(statement, point.axes, point.forwarded)
                continue
            self.statement(statement, points)
            self.made[statement.target] = points[0].forwarded[statement.target]
            if statement.target in nest.stored:
                for point in points:
                    self.store(statement, point.axes, point.forwarded[statement.target])

    def _unroll_factor(self, nest: Nest, extent: int) -> int:
        """How many neighbouring points of the last axis are calculated together (unroll and jam), so that their sums
        share loads."""
        if not self.has_lanes or nest.recurrence is not None or len(nest.axes) - 1 in nest.along_lanes:
            return 1
        if not any(one.length > UNROLLED or one.along_lanes for s in nest.statements for one in s.sums):
            return 1
        most = max(1, ACCUMULATORS // self.width.vectors)
        return next(n for n in range(min(most, extent), 0, -1) if extent % n == 0)
