"""Generates the native function that goes through the samples of a batch, block by block."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from llvmlite import ir

from chainrule.compiler.levels.code import DOUBLE, I32, I64, POINTER, Carried, Code
from chainrule.compiler.native.llvm import Machine

FRAME = (
    *("block", "width", "segments", "segments_count", "table", "python", "samples", "columns", "each", "values"),
    *("columns_pairs", "columns_count", "uniform_pairs", "uniform_count", "sums_pairs", "sums_count", "each_pairs"),
    *("each_count", "totals"),
)
"""The int64 that `levels_batch` gets the address of: addresses and sizes.

The block has rows of `width` places, a multiple of a vector's lanes. Pairs are int32: a column and its row, a slot of
`values` and its row, a row and the slot of its sum, a place in `each` and its row. `totals` has for each sum as many
doubles as a vector has lanes, all 0.0.
"""

_SIZES = ("width", "samples")


class Batch(Code):
    """The function `levels_batch`: it takes the address of a frame, and returns what `walk` returns.

    Args:
        module: the module that it goes to.
        walk: the function that calculates the segments of a block.
        style: (machine, bits, exact).
    """

    def __init__(self, module: ir.Module, walk: ir.Function, style: tuple[Machine, int, bool]) -> None:
        machine, bits, self.exact = style
        super().__init__(module, "levels_batch", [POINTER], bits)
        self.lanes = machine.lanes(bits)
        (frame,) = self.function.args
        words = {name: self.builder.load(self.at(frame, i, I64), typ=I64) for i, name in enumerate(FRAME)}
        is_size = {name: name in _SIZES or name.endswith("_count") for name in FRAME}
        self.frame = {n: word if is_size[n] else self.builder.inttoptr(word, POINTER) for n, word in words.items()}
        self._spread()
        with self.loop(self.frame["samples"], self.frame["width"]) as first:
            self._block(walk, first)
        self._finish()
        self.builder.ret(ir.Constant(I32, 0))

    @contextlib.contextmanager
    def _each(self, name: str) -> Iterator[tuple[ir.Value, ir.Value, ir.Value]]:
        """Generates a loop over pairs around the body of the `with`, which gets the number of the pair and its two
        entries."""
        pairs = self.frame[f"{name}_pairs"]
        with self.loop(self.frame[f"{name}_count"]) as i:
            yield i, self.index(pairs, self.times(i, 2)), self.index(pairs, self.plus(self.times(i, 2), 1))

    def _row(self, row: ir.Value) -> ir.Value:
        return self.at(self.frame["block"], self.times(row, self.frame["width"]))

    def _whole(self, n: ir.Value) -> ir.Value:
        """The largest multiple of a vector's lanes that is at most n."""
        return self.builder.and_(n, self.integer(-self.lanes))

    def _spread(self) -> None:
        """Broadcasts what all samples share to its row."""
        with self._each("uniform") as (_, slot, row):
            x, to = self.number(self.frame["values"], slot), self._row(row)
            with self.loop(self.frame["width"]) as s:
                self.put(x, to, s)

    def _block(self, walk: ir.Function, first: ir.Value) -> None:
        """Processes one block: columns in, segments, sums and results out."""
        frame, samples = self.frame, self.frame["samples"]
        here = self.smaller(frame["width"], self.minus(samples, first))
        live = self._whole(self.plus(here, self.lanes - 1))
        with self._each("columns") as (_, column, row):
            source = self.at(frame["columns"], self.plus(self.times(column, samples), first), DOUBLE)
            self._copy(source, DOUBLE, self._row(row), self.element, here)
            last = self.number(self._row(row), self.minus(here, 1))
            with self.loop(live, begin=here) as s:  # padding with subnormal or nan numbers would be slow
                self.put(last, self._row(row), s)
        names = ("block", "segments", "segments_count", "table", "width")
        status = self.builder.call(walk, [*[frame[name] for name in names], live, frame["python"]])
        failed, going_on = self.block("failed"), self.block()
        self.builder.cbranch(self.builder.icmp_signed("!=", status, ir.Constant(I32, 0)), failed, going_on)
        self.builder.position_at_end(failed)
        self.builder.ret(status)
        self.builder.position_at_end(going_on)
        with self._each("sums") as (i, row, _):
            self._add(self._row(row), self.at(frame["totals"], self.times(i, self.lanes), DOUBLE), here)
        with self._each("each") as (_, place, row):
            to = self.at(frame["each"], self.plus(self.times(place, samples), first), DOUBLE)
            self._copy(self._row(row), self.element, to, DOUBLE, here)

    def _copy(self, source: ir.Value, given: ir.Type, to: ir.Value, wanted: ir.Type, n: ir.Value) -> None:
        with self.loop(self._whole(n), self.lanes) as s:
            self.put(self.converted(self.number(source, s, self.lanes, given), wanted), to, s)
        with self.loop(n, begin=self._whole(n)) as s:
            self.put(self.converted(self.number(source, s, 1, given), wanted), to, s)

    def _add(self, row: ir.Value, totals: ir.Value, n: ir.Value) -> None:
        """Adds up a row: from left to right in exact mode, otherwise in as many partial sums as there are lanes."""
        whole = self.integer(0) if self.exact else self._whole(n)
        if not self.exact:
            part = Carried(self.number(totals, 0, self.lanes, DOUBLE))
            with self.loop(whole, self.lanes, carried=part) as s:
                x = self.converted(self.number(row, s, self.lanes), DOUBLE)
                part.value = self.builder.fadd(part.value, x)
            self.put(part.value, totals, 0)
        total = Carried(self.number(totals, 0, element=DOUBLE))
        with self.loop(n, begin=whole, carried=total) as s:
            total.value = self.builder.fadd(total.value, self.converted(self.number(row, s), DOUBLE))
        self.put(total.value, totals, 0)

    def _finish(self) -> None:
        """Adds up the partial sums and stores the totals in their slots."""
        with self._each("sums") as (i, _, slot):
            totals = self.at(self.frame["totals"], self.times(i, self.lanes), DOUBLE)
            total = self.number(totals, 0, element=DOUBLE)
            for lane in range(1, 1 if self.exact else self.lanes):
                total = self.builder.fadd(total, self.number(totals, lane, element=DOUBLE))
            self.put(self.converted(total, self.element), self.frame["values"], slot)
