"""Runs the kernels of a compiled function on the numbers of a call, each sample along its control-flow path."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.compiler.calling.arguments import refuse_shared
from chainrule.compiler.calling.doubts import Doubts
from chainrule.compiler.calling.layouts import Layout, layout_of
from chainrule.compiler.calling.nonfinite import FEWEST, sorted_out
from chainrule.compiler.calling.options import Options
from chainrule.compiler.calling.paths import AHEAD, Made, Path, Paths, by_position, spread
from chainrule.compiler.calling.results import Found, own_by_sample
from chainrule.compiler.calling.structures import Structure
from chainrule.compiler.pipeline import Wanted
from chainrule.compiler.reports.fallbacks import Fallbacks
from chainrule.compiler.reports.reasons import NOT_FINITE, rounded
from chainrule.compiler.trace.source_lines import trace_with_lines
from chainrule.core.trees import leaves
from chainrule.errors import OperandError, TraceError

MOST_NUMBERS = 2**16
"""At most this many numbers, of all samples together, are tested for infinities and nan at a time."""


@dataclass
class Call:
    """A call's arguments, separated into structure and numbers.

    Attributes:
        layout: of the arguments' structure.
        paths: the function's control-flow paths for this structure.
        numbers: the arguments' numbers, float64[numbers].
        columns: float64[numbers that differ from sample to sample, samples]; None if there are no samples.
        given: the arguments themselves.
        structure: what is kept for their structure.
        decided, work: for how many samples exact code has evaluated the guards so far, and how many operations that
            took.
    """

    layout: Layout
    paths: list[Path]
    numbers: np.ndarray
    columns: np.ndarray | None
    given: tuple = ()
    structure: Structure | None = None
    decided: int = 0
    work: int = 0

    @property
    def samples(self) -> int:
        """The number of samples."""
        assert self.columns is not None
        return self.columns.shape[1]

    def of(self, samples: Any) -> Call:
        """The same call for some of the samples."""
        assert self.columns is not None
        return replace(self, columns=np.ascontiguousarray(self.columns[:, samples]), decided=0, work=0)


class Runner:
    """Runs a compiled function.

    Args:
        options, paths, fallbacks: those of the function.

    Attributes:
        last: what the last call ran; None before the first.
    """

    def __init__(self, name: str, options: Options, paths: Paths, fallbacks: Fallbacks) -> None:
        self._name, self._options, self._paths, self._fallbacks = name, options, paths, fallbacks
        self._doubts = Doubts(name, fallbacks, options.max_traces)
        self.last: tuple[Layout, Path, Wanted] | None = None

    def made(self, path: Path, wanted: Wanted) -> Made:
        """The kernel of a path for the wanted results."""
        return self._paths.made(path, wanted)

    def run(self, call: Call, order: int, wrt: tuple[int, ...]) -> Found:
        """Runs a call.

        Args:
            order: up to which order derivatives are calculated.
            wrt: the inputs by which is differentiated.
        """
        options = self._options
        run = self._run_one if call.columns is None else self._run_batch
        wanted = Wanted(order, wrt, options.reduce and "sum", options.strict)
        results = run(call, wanted)
        if self._paths.changes:
            refuse_shared(self._whole(call), self._name)
        if not options.strict and not results.finite:
            results = self._recalculated(call, replace(wanted, exact=True), results)
        return results.divided_by(call.samples) if options.reduce == "mean" else results

    def _whole(self, call: Call) -> list[Any]:
        """The arguments without a sample axis; each sample gets its own copy of them."""
        return [x for x, axis in zip(call.given, self._axes(call), strict=True) if axis is None]

    def _axes(self, call: Call) -> tuple[Any, ...]:
        """For each argument, the axis of its samples."""
        named = len(call.layout.named)
        return (*self._options.axes(len(call.given) - named, self._name), *[None] * named)

    def _trace_new_path(self, call: Call, numbers: np.ndarray) -> Path:
        """Traces the function at these numbers and adds the path. Everything but the numbers comes from this call's
        arguments: the structure has the objects of its first call, which may have changed since."""
        layout = layout_of(call.given, self._axes(call), call.layout.named)
        return self._paths.add(call.paths, layout, numbers.tolist())

    # ---- one sample ----
    def _run_one(self, call: Call, wanted: Wanted) -> Found:
        tried = list(call.paths)
        for at, path in enumerate(tried):
            shared, _, held = self.made(path, wanted).kernel.run(path.numbers(call.numbers))
            if held:
                if at:
                    self._paths.put_first(call.paths, path)
                break
        else:
            path = self._path_of_one(call, wanted, tried)
            self._count_decided(call, path)
            shared, _, _ = self.made(path, wanted).kernel.run(path.numbers(call.numbers))
        self.last = call.layout, path, wanted
        return Found(path.traced.result, shared)

    def _path_of_one(self, call: Call, wanted: Wanted, tried: list[Path]) -> Path:
        """The path for a call without samples, where by the kernels the guards of no tried path hold."""
        for path in tried:
            if path.doubted and self._held_exactly(call, path, wanted, None)[0]:
                return path
        path = self._trace_new_path(call, call.numbers)
        if path in tried:
            self._doubt(call, path, wanted, None)
        return path

    # ---- many samples ----
    def _run_batch(self, call: Call, wanted: Wanted) -> Found:
        """Runs all samples. Those for which the guards of a path do not hold are run along the next path."""
        assert call.columns is not None
        samples = call.samples
        if call.paths and not call.paths[0].mixed:  # by far the most batches go one way
            first = call.paths[0]
            shared, each, held = self.made(first, wanted).kernel.run(first.numbers(call.numbers, samples), call.columns)
            if np.all(held):
                self.last = call.layout, first, wanted
                return self._merged(call, wanted, [(first, slice(None), shared, each)])
            first.mixed = True
        rest, tried, parts = np.arange(samples), [], []
        while len(rest):
            columns = call.columns if len(rest) == samples else np.ascontiguousarray(call.columns[:, rest])
            path = next((path for path in call.paths if path not in tried), None)
            if path is not None:
                tried.append(path)
                held, outputs = self._held(call, path, wanted, columns)
            else:
                path, held, outputs = *self._path_of_some(call, wanted, columns, tried), None
            if held.any():
                if outputs is None:
                    some = columns if held.all() else np.ascontiguousarray(columns[:, held])
                    outputs = self.made(path, wanted).kernel.run(path.numbers(call.numbers, some.shape[1]), some)[:2]
                parts.append((path, rest[held], *outputs))
                rest = rest[~held]
        self._count_decided(call, parts[0][0])
        self.last = call.layout, parts[0][0], wanted
        return self._merged(call, wanted, parts)

    def _held(self, call: Call, path: Path, wanted: Wanted, columns: np.ndarray) -> tuple[np.ndarray, Any]:
        """For which samples the guards of a path hold. With them come the kernel's outputs, if it calculated all at
        once and the guards hold for every sample; else None."""
        samples = columns.shape[1]
        numbers = path.numbers(call.numbers, samples)
        if not path.mixed:
            shared, each, held = self.made(path, wanted).kernel.run(numbers, columns)
            held = np.array(np.broadcast_to(held, samples))
            mixed = path.mixed = not held.all()  # another thread may come between with samples of its own
            return held, None if mixed else (shared, each)
        guards_only = Wanted(0, (), None, wanted.exact)
        _, _, held = self.made(path, guards_only).kernel.run(numbers, columns)
        held = np.array(np.broadcast_to(held, samples))
        path.mixed = not held.all()
        return held, None

    def _path_of_some(
        self, call: Call, wanted: Wanted, columns: np.ndarray, tried: list[Path]
    ) -> tuple[Path, np.ndarray]:
        """A path for samples for which, by the kernels, the guards of no tried path hold.

        Returns:
            The path, and for which samples it holds; none yet, if the path is new.
        """
        for path in tried:
            if path.doubted:
                held = self._held_exactly(call, path, wanted, columns)
                if held.any():
                    return path, held
        numbers = call.numbers.copy()
        numbers[list(call.layout.batched)] = columns[:, 0]
        path = self._trace_new_path(call, numbers)
        if path not in tried:
            if tried:
                self._trace_ahead(call, columns)
            return path, np.zeros(columns.shape[1], bool)
        return path, self._doubt(call, path, wanted, columns)

    def _trace_ahead(self, call: Call, columns: np.ndarray) -> None:
        """Traces some more of these samples, until no new paths come. A kernel takes far longer than a trace: if the
        paths are too many, that is said before there is a kernel for each."""
        numbers, samples, row = call.numbers.copy(), columns.shape[1], 0
        try:
            for sample in spread(samples, 8 * self._options.max_traces):
                known = set(call.paths)
                numbers[list(call.layout.batched)] = columns[:, sample]
                row = row + 1 if self._trace_new_path(call, numbers) in known else 0
                if row >= AHEAD * len(known):
                    return
        except TraceError:
            self._paths.forget_unmade(call.paths)  # the next call has to end as soon as this one
            raise

    def _merged(self, call: Call, wanted: Wanted, parts: list) -> Found:
        """The results of all parts of a batch, in the order of the samples."""
        samples, result = call.samples, parts[0][0].traced.result
        own = own_by_sample(wanted, len(leaves(result)), tuple(call.layout.batched))
        if len(parts) == 1:
            [(path, _, shared, each)] = parts
            if not own.any():
                return Found(result, shared, np.empty((0, samples)), own)
            if len(each) == len(own) and own.all():
                return Found(result, np.zeros(len(own)), each, own)
        total, rows = np.zeros(len(own)), np.empty((int(own.sum()), samples))
        for path, members, shared, each in parts:
            if path.traced.result != result:
                raise OperandError(f"{self._name} returned {result} for some samples, {path.traced.result} for others")
            varies = self.made(path, wanted).varies
            full = np.broadcast_to(shared[:, None], (len(own), each.shape[1]))
            if len(parts) == 1 and varies[own].all():
                rows = each if varies.all() else each[own[varies]]
            else:
                filled = full.copy()
                filled[varies] = each
                rows[:, members] = filled[own]
            total += np.where(own, 0.0, shared)
        return Found(result, total, rows, own)

    # ---- guards that native code sees otherwise than Python ----
    def _doubt(self, call: Call, path: Path, wanted: Wanted, columns: np.ndarray | None) -> np.ndarray:
        """Python took a path that its kernel had refused. From now on exact code evaluates the path's guards before
        anything is traced again.

        Returns:
            For which samples the path holds.
        """
        samples = 1 if columns is None else columns.shape[1]
        exactly = None if wanted.exact else lambda: self._held_exactly(call, path, wanted, columns)
        return self._doubts.held(path, samples, exactly)

    def _held_exactly(self, call: Call, path: Path, wanted: Wanted, columns: np.ndarray | None) -> np.ndarray:
        """For which samples the guards of a path hold as Python evaluates them: by exact code, in 64 bits."""
        samples = 1 if columns is None else columns.shape[1]
        if wanted.exact:
            return np.zeros(samples, bool)  # that was looked at
        kernel = self.made(path, Wanted(exact=True)).kernel
        _, _, held = kernel.run(path.numbers(call.numbers, 0 if columns is None else samples), columns)
        call.decided += int(np.sum(held))
        call.work += samples * kernel.operations_per_call
        return np.array(np.broadcast_to(held, samples))

    def _count_decided(self, call: Call, path: Path) -> None:
        if call.decided:
            reason = rounded(self._options.bits)
            self._fallbacks.met(reason, call.decided, call.work, lambda: self._asked_at(call, path))

    def _asked_at(self, call: Call, path: Path) -> str:
        """A sentence that names the line with most of the branches."""
        seen = trace_with_lines(by_position(self._paths.function, call.layout.named), path.layout.sample(path.own))
        return f"(Most are asked for at {Counter(seen.asked_at).most_common(1)[0][0]})" if seen.asked_at else ""

    # ---- numbers that are infinite or nan ----
    def _recalculated(self, call: Call, exact: Wanted, results: Found) -> Found:
        """The results, with exact ones in place of those that are not finite: exact code adds nothing for a product
        with zero."""
        if call.columns is None:
            recalculated = self._run_one(call, exact)
            self._count_recalculated(exact, 1)
            return recalculated
        last = self.last
        recalculate = self._recalculate_rows if exact.reduce is None else self._recalculate_sums
        recalculated, samples = recalculate(call, exact, results)
        self._count_recalculated(exact, samples)
        if samples < call.samples:
            self.last = last  # of most samples
        return recalculated

    def _recalculate_rows(self, call: Call, exact: Wanted, results: Found) -> tuple[Found, int]:
        """The results of each sample, with those that are not finite calculated again.

        Returns:
            The results, and how many samples were calculated again.
        """
        assert results.rows is not None
        bad = np.flatnonzero(~np.isfinite(results.rows).all(axis=0))
        if len(bad) == call.samples:
            return self._run_batch(call, exact), len(bad)
        results.rows[:, bad] = self._run_batch(call.of(bad), exact).rows
        return results, len(bad)

    def _recalculate_sums(self, call: Call, exact: Wanted, results: Found) -> tuple[Found, int]:
        """The sums over all samples, with the results of each sample beside them. Samples whose results are not finite
        are calculated again by exact code.

        Returns:
            The results, and how many samples were calculated again.
        """
        fast = replace(exact, exact=False)
        good, bad = sorted_out(call.samples, lambda at: self._run_batch(call.of(at), fast), lambda one: one.finite)
        parts, recalculated, total = [part for _, part in good], 0, np.zeros(len(results.shared))
        for piece in bad:
            whole = call.of(piece)
            not_finite = self._not_finite(whole, fast, MOST_NUMBERS // len(total))
            if not not_finite.all():
                parts.append(self._run_batch(whole.of(~not_finite), fast))
            if not_finite.any():
                part = self._run_batch(whole.of(not_finite), exact)
                parts.append(part)
                if results.rows is not None and part.rows is not None:
                    results.rows[:, piece.start + np.flatnonzero(not_finite)] = part.rows
            recalculated += int(not_finite.sum())
        for part in parts:
            total += part.shared
        return Found(results.result, total, results.rows, results.own), recalculated

    def _not_finite(self, call: Call, wanted: Wanted, size: int) -> np.ndarray:
        """Marks the samples with results that are not finite, `size` samples at a time. It marks all of them where
        testing would not pay, or where most of the first `size` samples are not finite."""
        not_finite = np.ones(call.samples, bool)
        if min(size, call.samples) <= FEWEST:
            return not_finite
        for start in range(0, call.samples, size):
            some = slice(start, start + size)
            rows = self._run_batch(call.of(some), replace(wanted, reduce=None)).rows
            assert rows is not None
            at = ~np.isfinite(rows).all(axis=0)
            if not start and 2 * at.sum() > len(at):
                break
            not_finite[some] = at
        return not_finite

    def _count_recalculated(self, exact: Wanted, samples: int) -> None:
        assert self.last is not None
        operations = self.made(self.last[1], exact).kernel.operations_per_call
        self._fallbacks.met(NOT_FINITE, samples, samples * operations)
