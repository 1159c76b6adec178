"""Checkpoints: recomputes a long recurrence for the reverse sweep, segment by segment, to save memory.

The reverse sweep of time stepping goes through the steps from the last to the first, and needs what each of them made.
To keep all of that takes memory in proportion to the number of steps. Here only the state at the beginning of each
segment is kept, and from there the steps of the segment are recomputed when the reverse sweep reaches it (Griewank and
Walther, "Algorithm 799: revolve", 2000, describe this and better schedules). Arrays of the recurrence then hold a
window: the places of one segment. Windows overlap by a margin, since an iteration of the sweep may read neighbouring
steps.

The program's meaning does not change: a window only concerns where elements lie, see `Layout.extents`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from chainrule.compiler.loops.program import Array, Call, Expression, Index, Program, Read, Statement
from chainrule.ops import identity

MARGIN = 8
"""Windows overlap by at least so many places, so that reads near the ends of a recurrence stay within them."""

SHORTEST = 4 * MARGIN
"""The shortest segment."""


@dataclass
class Segments:
    """A recurrence that runs in segments, with the recurrence of the reverse sweep that reads its results.

    Attributes:
        forward, backward: the numbers of the two recurrences.
        length, reverse_length: their trip counts.
        top: iteration i of the reverse sweep reads place top - i, and up to `margin` places below it.
        size: the number of places of a segment.
        count: the number of segments.
        margin: how many places a segment's window begins before the segment.
        windows: the arrays that have windows or are carried in registers.
        saved: for each array that an iteration reads from the one before, the array that keeps its states.
    """

    forward: int
    backward: int
    length: int
    reverse_length: int
    top: int
    margin: int
    size: int = 0
    count: int = 1
    windows: set[int] = field(default_factory=set)
    saved: dict[int, int] = field(default_factory=dict)

    def begin(self, at: int) -> int:
        """The place at which a segment's window begins."""
        return max(0, at * self.size - self.margin)

    @property
    def rows(self) -> int:
        """The number of places of a window."""
        return max(self.size + self.margin, self.length - self.begin(self.count - 1)) + 1

    def spans(self, again: bool = False) -> list[tuple[int, int, int]]:
        """For each segment the beginning of its window, its first iteration, and the one behind its last.

        With `again` these are the iterations that are recomputed; the last segment then is left out, as its window is
        still there.
        """
        if again:
            ends = [(at + 1) * self.size for at in range(self.count - 1)]
        else:
            ends = [*[self.begin(at + 1) for at in range(self.count - 1)], self.length]
        return [(self.begin(at), self.begin(at), end) for at, end in enumerate(ends)]

    def reverse_spans(self) -> list[tuple[int, int, int]]:
        """For each segment the beginning of its window, and the iterations of the reverse sweep that read it."""
        spans = []
        for at in range(self.count):
            first = self.top + 1 - (at + 1) * self.size
            end = first + self.size if at else self.reverse_length
            spans.append((self.begin(at), first if at < self.count - 1 else 0, end))
        return spans

    def __str__(self) -> str:
        return (
            f"{self.length:,} iterations of a loop are done once more for the reverse sweep, in {self.count} segments"
        )


def with_segments(program: Program, kept: set[int], limit: int, lanes: int) -> tuple[Program, list[Segments]]:
    """Splits recurrences into segments if what the reverse sweep needs would take too much memory.

    Args:
        program: the program.
        kept: the arrays that are kept in memory.
        limit: how many numbers may be kept, for a block of one vector.
        lanes: how many numbers a vector has.

    Returns:
        The program, in which some statements may stand elsewhere, and the segments; none if all is kept.
    """
    segmented: list[Segments] = []
    kept = kept & {statement.target for statement in program.statements if statement.recurrence is not None}
    if numbers_of(program, kept, lanes) <= limit:
        return program, segmented
    for forward, backward in _pairs(program):
        windows = _Windows(program, forward, backward)
        segments = windows.segments()
        if segments is not None:
            program = windows.program
            segmented.append(segments)
    spare = limit - numbers_of(program, kept - {array for one in segmented for array in one.windows}, lanes)
    for one in segmented:
        _choose_size(program, one, spare // len(segmented), lanes)
    return program, [one for one in segmented if one.count > 1]


def _numbers(array: Array, lanes: int) -> int:
    return math.prod(array.shape) * (lanes if array.lanes else 1)


def numbers_of(program: Program, arrays: set[int], lanes: int) -> int:
    """How many numbers some arrays hold, for one vector of lanes."""
    return sum([_numbers(program.arrays[array], lanes) for array in arrays])


def _choose_size(program: Program, segments: Segments, limit: int, lanes: int) -> None:
    """Chooses the longest segments whose windows and states stay within the limit; if none do, those that take least
    memory."""
    inner = {a: _numbers(program.arrays[a], lanes) // program.arrays[a].shape[0] for a in segments.windows}
    window, state = sum(inner.values()), sum([inner[array] for array in segments.saved])
    least = math.sqrt(segments.length * state / window) if window else segments.length
    room = (limit - window * segments.margin) ** 2 - 4 * window * segments.length * state
    size = ((limit - window * segments.margin) + math.sqrt(room)) / (2 * window) if room > 0 and limit > 0 else least
    segments.size = max(SHORTEST, min(int(max(size, least)), segments.length))
    segments.count = -(-segments.length // segments.size)
    while segments.count > 1 and (segments.count - 1) * segments.size > segments.top:
        segments.count -= 1
    if segments.reverse_length < segments.top + 1 - segments.size:  # the sweep ends before the first segment
        segments.count = 1
    for array, saved in segments.saved.items():
        program.arrays[saved] = replace(
            program.arrays[saved], shape=(segments.count + 1, *program.arrays[array].shape[1:])
        )


def _pairs(program: Program) -> Iterator[tuple[int, int]]:
    """Yields pairs of recurrences of which the second reads what the first made, directly or through statements between
    them."""
    # for each array the recurrences that it comes from, without another one in between
    sources: dict[int, set[int]] = {}
    paired: set[int] = set()
    for statement in program.statements:
        own = statement.recurrence
        before = {
            recurrence for read in statement.reads() for recurrence in sources.get(read.array, ()) if recurrence != own
        }
        sources.setdefault(statement.target, set()).update(before if own is None else {own})
        for recurrence in sorted(before):
            if own is not None and not paired & {recurrence, own}:
                paired |= {recurrence, own}
                yield recurrence, own


class _Windows:
    """Prepares the arrays of one recurrence for windows: those whose reads are all near in time."""

    def __init__(self, program: Program, forward: int, backward: int) -> None:
        self.program = replace(program, arrays=list(program.arrays), outputs=list(program.outputs))
        self.program.guards = list(program.guards)
        self.forward, self.backward = forward, backward
        self._inline()
        statements = self.program.statements
        recurrence = [s for s in statements if s.recurrence == forward]
        self.length = recurrence[0].axes[0]
        self.own = {s.target: s for s in recurrence}
        self.reverse_length = next(s.axes[0] for s in statements if s.recurrence == backward)
        self.fits = all(s.row in (0, 1) and s.lanes == recurrence[0].lanes for s in recurrence) and all(
            s.lanes == recurrence[0].lanes for s in statements if s.recurrence == backward
        )

    def segments(self) -> Segments | None:
        """The segments, without their size; None if there is nothing to save."""
        windows = {array for array in self.own if self._is_near(array)}
        if not self.fits or not windows or self.length < 2 * SHORTEST:
            return None
        places = [self._reverse_offset(read) for s, read in self._reads(windows) if s.recurrence == self.backward]
        offsets = [place for place in places if place is not None]
        if not offsets:
            return None
        for array in windows:
            self._copy_ends(array)
        top = max(offsets)
        margin = max(MARGIN, top - min(offsets))
        saved = {}
        for array in sorted(windows):
            if self.own[array].row == 1:
                self.program.arrays.append(replace(self.program.arrays[array]))
                saved[array] = len(self.program.arrays) - 1
        return Segments(
            self.forward, self.backward, self.length, self.reverse_length, top, margin, windows=windows, saved=saved
        )

    def _reads(self, arrays: set[int]) -> Iterator[tuple[Statement, Read]]:
        for statement in self.program.statements:
            for read in statement.reads():
                if read.array in arrays:
                    yield statement, read

    def _reverse_offset(self, read: Read) -> int | None:
        """The place that iteration 0 of the reverse sweep reads if each iteration reads the place before; otherwise
        None."""
        index = read.indices[0]
        descends = index.table is None and not index.lane and index.strides[0] == -1 and not any(index.strides[1:])
        return index.offset if descends and read.lane is None and not _is_merged(read) else None

    def _is_near(self, array: int) -> bool:
        """Whether an array is read only in its own recurrence, in step by the reverse sweep, and elsewhere only near
        its ends."""
        if array in self.program.exports or any(packed.array == array for packed in self.program.packs.values()):
            return False
        for statement, read in self._reads({array}):
            index = read.indices[0]
            if index.table is not None or index.lane or read.lane is not None or _is_merged(read):
                return False
            if statement.recurrence == self.forward:
                in_step = (
                    index.strides[0] == 1 and not any(index.strides[1:]) and 0 <= index.offset <= self.own[array].row
                )
            elif statement.recurrence == self.backward:
                in_step = self._reverse_offset(read) is not None
            else:
                in_step = not any(index.strides) and (self._at_end(index.offset) or self._at_begin(statement, index))
            if not in_step:
                return False
        inner = math.prod(self.program.arrays[array].shape[1:])
        flat = [at for of, at, *_ in [*self.program.outputs, *self.program.guards] if of == array]
        return all(self._at_end(at // inner) for at in flat)

    def _at_end(self, place: int) -> bool:
        return place > self.length - MARGIN

    def _at_begin(self, statement: Statement, index: Index) -> bool:
        """Whether a place of the first segment is read after the reverse sweep, when that segment's window is there."""
        statements = self.program.statements
        last = max(i for i, s in enumerate(statements) if s.recurrence == self.backward)
        return index.offset <= MARGIN and any(s is statement for s in statements[last + 1 :])

    def _copy_ends(self, array: int) -> None:
        """Copies what is read near the end of a recurrence as soon as it has run, before the window moves."""
        copies: dict[int, int] = {}
        inner = self.program.arrays[array].shape[1:]
        for i, statement in enumerate(self.program.statements):
            if statement.recurrence is None:
                self.program.statements[i] = _with_reads(
                    statement, lambda read: self._copied(read, array, copies) if read.array == array else read
                )
        size, program = math.prod(inner), self.program
        for i, (of, at) in enumerate(program.outputs):
            if of == array:
                program.outputs[i] = self._copy(array, at // size, copies), at % size
        for i, (of, at, outcome) in enumerate(program.guards):
            if of == array:
                program.guards[i] = self._copy(array, at // size, copies), at % size, outcome
        after = max(i for i, s in enumerate(self.program.statements) if s.recurrence == self.forward) + 1
        for place, copied in copies.items():
            units = [tuple([int(a == axis) for a in range(len(inner))]) for axis in range(len(inner))]
            read = Read(array, [Index(place, (0,) * len(inner)), *[Index(0, unit) for unit in units]])
            made = Statement(copied, inner, identity, [read], lanes=self.own[array].lanes)
            self.program.statements.insert(after, made)

    def _copied(self, read: Read, array: int, copies: dict[int, int]) -> Expression:
        first, *rest = read.indices
        if not self._at_end(first.offset) or any(first.strides):
            return read
        return Read(self._copy(array, first.offset, copies), rest)

    def _copy(self, array: int, place: int, copies: dict[int, int]) -> int:
        if place not in copies:
            self.program.arrays.append(Array(self.program.arrays[array].shape[1:], self.program.arrays[array].lanes))
            copies[place] = len(self.program.arrays) - 1
        return copies[place]

    # ---- statements between the recurrences ----
    def _inline(self) -> None:
        """Inlines statements between the recurrences that calculate something for each iteration."""
        targets = {s.target for s in self.program.statements if s.recurrence == self.forward}
        results = {array for array, *_ in [*self.program.outputs, *self.program.guards]} | self.program.exports.keys()
        statements: list[Statement] = []
        inlined: dict[int, Statement] = {}
        # the initial values of these are statements outside of the recurrence
        recurrent = {s.target for s in self.program.statements if s.recurrence is not None}
        for before in self.program.statements:
            statement = _with_reads(
                before, lambda read: _inlined_at(inlined[read.array], read) if read.array in inlined else read
            )
            between = (
                statement.recurrence is None and statement.axes and any(r.array in targets for r in statement.reads())
            )
            plain = not statement.sums and not statement.row and not statement.along_lanes
            alone = statement.target not in results | recurrent and not _has_tables(statement)
            if between and plain and alone and self._readers_are_plain(statement.target):
                inlined[statement.target] = statement
            else:
                statements.append(statement)
        self.program.statements = statements

    def _readers_are_plain(self, array: int) -> bool:
        return all(
            read.lane is None and not read.merged and all(i.table is None and not i.lane for i in read.indices)
            for _, read in self._reads({array})
        )


def _is_merged(read: Read) -> bool:
    """Whether other indices than the first extend into its dimension."""
    return bool(read.merged)


def _has_tables(statement: Statement) -> bool:
    return any(
        index.table is not None or index.lane or read.lane is not None or read.merged
        for read in statement.reads()
        for index in read.indices
    )


def _with_reads(statement: Statement, change: Callable[[Read], Expression]) -> Statement:
    """A statement with its reads replaced."""
    arguments = [_expression_with_reads(x, change) for x in statement.arguments]
    sums = [replace(one, parts=[_expression_with_reads(x, change) for x in one.parts]) for one in statement.sums]
    return replace(statement, arguments=arguments, sums=sums)


def _expression_with_reads(x: Expression, change: Callable[[Read], Expression]) -> Expression:
    if isinstance(x, Read):
        return change(x)
    return Call(x.op, [_expression_with_reads(a, change) for a in x.arguments]) if isinstance(x, Call) else x


def _inlined_at(statement: Statement, read: Read) -> Expression:
    """The expression of a statement, at the place at which its result is read."""
    inside = statement.arguments[0] if statement.op is identity else Call(statement.op, statement.arguments)
    return _expression_with_reads(
        inside, lambda own: replace(own, indices=[_composed_index(index, read.indices) for index in own.indices])
    )


def _composed_index(index: Index, places: list[Index]) -> Index:
    """Composes an index of a statement with the indices at which its reader reads it."""
    offset, width = index.offset, max([len(place.strides) for place in places], default=0)
    strides = [0] * width
    for stride, place in zip(index.strides, places, strict=False):
        offset += stride * place.offset
        for axis, step in enumerate(place.strides):
            strides[axis] += stride * step
    return Index(offset, tuple(strides))
