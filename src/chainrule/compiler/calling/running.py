"""Running: the kernels of a compiled function on the numbers of a call, each sample by the way that it goes."""

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
from chainrule.compiler.calling.paths import Made, Path, Paths, by_position
from chainrule.compiler.calling.results import Found, own_by_sample
from chainrule.compiler.pipeline import Wanted
from chainrule.compiler.reports.fallbacks import Fallbacks
from chainrule.compiler.reports.reasons import NOT_FINITE, rounded
from chainrule.compiler.trace.source_lines import witness
from chainrule.core.trees import leaves
from chainrule.errors import OperandError

MOST_NUMBERS = 2**16
"""So many numbers, of all samples together, are looked at in one go."""


@dataclass
class Call:
    """The arguments of a call, taken apart.

    Attributes:
        layout: that of their structure.
        paths: the ways that the function goes for this structure.
        numbers: float64[numbers].
        columns: float64[numbers that differ from sample to sample, samples]; None if there are no samples.
        given: the arguments themselves.
        decided, work: how many samples' guards were looked at exactly so far, and how many operations that took.
    """

    layout: Layout
    paths: list[Path]
    numbers: np.ndarray
    columns: np.ndarray | None
    given: tuple = ()
    decided: int = 0
    work: int = 0

    @property
    def samples(self) -> int:
        """How many there are."""
        assert self.columns is not None
        return self.columns.shape[1]

    def of(self, samples: Any) -> Call:
        """The same with some of the samples."""
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
        """The kernel of a path for what is wanted."""
        return self._paths.made(path, wanted)

    def run(self, call: Call, order: int, wrt: tuple[int, ...]) -> Found:
        """The results of a call, and their derivatives to this order by these inputs."""
        options = self._options
        run = self._run_one if call.columns is None else self._run_batch
        wanted = Wanted(order, wrt, options.reduce and "sum", options.strict)
        found = run(call, wanted)
        if self._paths.changes:
            refuse_shared(self._whole(call), self._name)
        if not options.strict and not found.finite:
            found = self._redone(call, replace(wanted, exact=True), found)
        return found.divided_by(call.samples) if options.reduce == "mean" else found

    def _whole(self, call: Call) -> list[Any]:
        """The arguments that are no batches, of which each sample has a copy of its own."""
        return [x for x, axis in zip(call.given, self._axes(call), strict=True) if axis is None]

    def _axes(self, call: Call) -> tuple[Any, ...]:
        """For each argument its axis of samples."""
        named = len(call.layout.named)
        return (*self._options.axes(len(call.given) - named, self._name), *[None] * named)

    def _another(self, call: Call, numbers: np.ndarray) -> Path:
        """One more way, traced at these numbers. All else is what this call was given: the structure has the objects of
        its first call, which may have changed since."""
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
            path = self._way_of_one(call, wanted, tried)
            self._count_decided(call, path)
            shared, _, _ = self.made(path, wanted).kernel.run(path.numbers(call.numbers))
        self.last = call.layout, path, wanted
        return Found(path.traced.result, shared)

    def _way_of_one(self, call: Call, wanted: Wanted, tried: list[Path]) -> Path:
        """The way of numbers for which, as kernels see the guards of those that were tried, none holds."""
        for path in tried:
            if path.doubted and self._held_exactly(call, path, wanted, None)[0]:
                return path
        path = self._another(call, call.numbers)
        if path in tried:
            self._doubt(call, path, wanted, None)
        return path

    # ---- many samples ----
    def _run_batch(self, call: Call, wanted: Wanted) -> Found:
        """All samples; those for which a path does not hold go on to the next."""
        assert call.columns is not None
        samples = call.samples
        if call.paths and not call.paths[0].mixed:  # by far the most batches go one way
            first = call.paths[0]
            shared, each, held = self.made(first, wanted).kernel.run(first.numbers(call.numbers, samples), call.columns)
            if np.all(held):
                self.last = call.layout, first, wanted
                return self._together(call, wanted, [(first, slice(None), shared, each)])
            first.mixed = True
        rest, tried, parts = np.arange(samples), [], []
        while len(rest):
            columns = call.columns if len(rest) == samples else np.ascontiguousarray(call.columns[:, rest])
            path = next((path for path in call.paths if path not in tried), None)
            if path is not None:
                tried.append(path)
                held, found = self._held(call, path, wanted, columns)
            else:
                path, held, found = *self._way_of_some(call, wanted, columns, tried), None
            if held.any():
                if found is None:
                    some = columns if held.all() else np.ascontiguousarray(columns[:, held])
                    found = self.made(path, wanted).kernel.run(path.numbers(call.numbers, some.shape[1]), some)[:2]
                parts.append((path, rest[held], *found))
                rest = rest[~held]
        self._count_decided(call, parts[0][0])
        self.last = call.layout, parts[0][0], wanted
        return self._together(call, wanted, parts)

    def _held(self, call: Call, path: Path, wanted: Wanted, columns: np.ndarray) -> tuple[np.ndarray, Any]:
        """For which samples a path holds; and what it found for them, if that is all of them and was found at once."""
        samples = columns.shape[1]
        numbers = path.numbers(call.numbers, samples)
        if not path.mixed:
            shared, each, held = self.made(path, wanted).kernel.run(numbers, columns)
            held = np.array(np.broadcast_to(held, samples))
            mixed = path.mixed = not held.all()  # another thread may come between with samples of its own
            return held, None if mixed else (shared, each)
        looked = Wanted(0, (), None, wanted.exact)
        _, _, held = self.made(path, looked).kernel.run(numbers, columns)
        held = np.array(np.broadcast_to(held, samples))
        path.mixed = not held.all()
        return held, None

    def _way_of_some(
        self, call: Call, wanted: Wanted, columns: np.ndarray, tried: list[Path]
    ) -> tuple[Path, np.ndarray]:
        """A way for samples for which, as kernels see the guards of those that were tried, none holds; and which of
        them go it: none yet, if it is a new one."""
        for path in tried:
            if path.doubted:
                held = self._held_exactly(call, path, wanted, columns)
                if held.any():
                    return path, held
        numbers = call.numbers.copy()
        numbers[list(call.layout.batched)] = columns[:, 0]
        path = self._another(call, numbers)
        if path not in tried:
            return path, np.zeros(columns.shape[1], bool)
        return path, self._doubt(call, path, wanted, columns)

    def _together(self, call: Call, wanted: Wanted, parts: list) -> Found:
        """The results of all parts of a batch as one."""
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
                found = full.copy()
                found[varies] = each
                rows[:, members] = found[own]
            total += np.where(own, 0.0, shared)
        return Found(result, total, rows, own)

    # ---- guards that native code sees otherwise than Python ----
    def _doubt(self, call: Call, path: Path, wanted: Wanted, columns: np.ndarray | None) -> np.ndarray:
        """For which samples a path holds that Python went for the first of them, though its kernel said no: from now on
        its guards are looked at exactly before anything is traced once more."""
        samples = 1 if columns is None else columns.shape[1]
        exactly = None if wanted.exact else lambda: self._held_exactly(call, path, wanted, columns)
        return self._doubts.held(path, samples, exactly)

    def _held_exactly(self, call: Call, path: Path, wanted: Wanted, columns: np.ndarray | None) -> np.ndarray:
        """For which samples a path holds, by Python's answers: of exact code, in 64 bits."""
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
        """A sentence on the line with most of the branches."""
        seen = witness(by_position(self._paths.function, call.layout.named), path.layout.sample(path.own))
        return f"(Most are asked for at {Counter(seen.asked_at).most_common(1)[0][0]})" if seen.asked_at else ""

    # ---- numbers that are infinite or nan ----
    def _redone(self, call: Call, exact: Wanted, found: Found) -> Found:
        """What was found, with exact numbers where they are not finite: there a zero in a product deposits nothing."""
        if call.columns is None:
            redone = self._run_one(call, exact)
            self._count_redone(exact, 1)
            return redone
        last = self.last
        redo = self._rows_redone if exact.reduce is None else self._sums_redone
        redone, samples = redo(call, exact, found)
        self._count_redone(exact, samples)
        if samples < call.samples:
            self.last = last  # of most samples
        return redone

    def _rows_redone(self, call: Call, exact: Wanted, found: Found) -> tuple[Found, int]:
        """What each sample has for itself, and how many of them were calculated again."""
        assert found.rows is not None
        bad = np.flatnonzero(~np.isfinite(found.rows).all(axis=0))
        if len(bad) == call.samples:
            return self._run_batch(call, exact), len(bad)
        found.rows[:, bad] = self._run_batch(call.of(bad), exact).rows
        return found, len(bad)

    def _sums_redone(self, call: Call, exact: Wanted, found: Found) -> tuple[Found, int]:
        """Sums, with what each sample has for itself beside them, and how many samples were calculated again."""
        fast = replace(exact, exact=False)
        good, bad = sorted_out(call.samples, lambda at: self._run_batch(call.of(at), fast), lambda one: one.finite)
        parts, redone, total = [part for _, part in good], 0, np.zeros(len(found.shared))
        for piece in bad:
            whole = call.of(piece)
            spoilt = self._spoilt(whole, fast, MOST_NUMBERS // len(total))
            if not spoilt.all():
                parts.append(self._run_batch(whole.of(~spoilt), fast))
            if spoilt.any():
                part = self._run_batch(whole.of(spoilt), exact)
                parts.append(part)
                if found.rows is not None and part.rows is not None:
                    found.rows[:, piece.start + np.flatnonzero(spoilt)] = part.rows
            redone += int(spoilt.sum())
        for part in parts:
            total += part.shared
        return Found(found.result, total, found.rows, found.own), redone

    def _spoilt(self, call: Call, wanted: Wanted, size: int) -> np.ndarray:
        """Which samples have numbers that are not finite, looked at `size` at a time: all, where that would not pay,
        or most of the first have."""
        spoilt = np.ones(call.samples, bool)
        if min(size, call.samples) <= FEWEST:
            return spoilt
        for start in range(0, call.samples, size):
            some = slice(start, start + size)
            rows = self._run_batch(call.of(some), replace(wanted, reduce=None)).rows
            assert rows is not None
            at = ~np.isfinite(rows).all(axis=0)
            if not start and 2 * at.sum() > len(at):
                break
            spoilt[some] = at
        return spoilt

    def _count_redone(self, exact: Wanted, samples: int) -> None:
        assert self.last is not None
        operations = self.made(self.last[1], exact).kernel.operations_per_call
        self._fallbacks.met(NOT_FINITE, samples, samples * operations)
