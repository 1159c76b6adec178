"""Checkpoints: a long chain that is calculated once more for the reverse sweep, segment by segment, to save memory.

The reverse sweep of time stepping goes through the steps from the last to the first, and needs what each of them made.
To keep all of that takes memory in line with the number of steps. Here just the state at the beginning of each segment
is kept, and from there the segment's steps are made once more when the reverse sweep comes to it (Griewank and Walther,
"Algorithm 799: revolve", 2000, tell of this and of finer schedules). Arrays of the chain then hold a window: the places
of one segment. Segments overlap by a margin, since an iteration of the sweep may read neighbouring steps.

Nothing changes in what the program says: a window is a matter of where elements lie, see `Layout.extents`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from chainrule.compiler.loops.program import Array, Call, Expression, Index, Program, Read, Statement
from chainrule.ops import identity

MARGIN = 8
"""Segments overlap by as many places at least, so that what is read near the ends of a chain is in their windows."""

SHORTEST = 4 * MARGIN
"""Segments are no shorter."""


@dataclass
class Segments:
    """A chain that runs in segments, and the chain of the reverse sweep that reads what it makes.

    Attributes:
        forward, backward: the two chains.
        length, turned_length: how many iterations they have.
        top: iteration i of the reverse sweep reads place top - i, and up to `margin` places below that.
        size: how many places a segment has.
        count: how many segments there are.
        margin: by how many places a segment's window begins before the segment.
        windows: the arrays that have windows, or are carried in registers.
        saved: those that an iteration reads of the one before, with the arrays that keep their state.
    """

    forward: int
    backward: int
    length: int
    turned_length: int
    top: int
    margin: int
    size: int = 0
    count: int = 1
    windows: set[int] = field(default_factory=set)
    saved: dict[int, int] = field(default_factory=dict)

    def begin(self, at: int) -> int:
        """At which place a segment's window begins."""
        return max(0, at * self.size - self.margin)

    @property
    def rows(self) -> int:
        """How many places a window has."""
        return max(self.size + self.margin, self.length - self.begin(self.count - 1)) + 1

    def spans(self, again: bool = False) -> list[tuple[int, int, int]]:
        """For each segment where its window begins, and the first of its iterations and the one behind the last, when
        it is made for the first time; or `again`, which the last one is not."""
        if again:
            ends = [(at + 1) * self.size for at in range(self.count - 1)]
        else:
            ends = [*[self.begin(at + 1) for at in range(self.count - 1)], self.length]
        return [(self.begin(at), self.begin(at), end) for at, end in enumerate(ends)]

    def turns(self) -> list[tuple[int, int, int]]:
        """For each segment where its window begins, and the iterations of the reverse sweep that read it, likewise."""
        found = []
        for at in range(self.count):
            first = self.top + 1 - (at + 1) * self.size
            end = first + self.size if at else self.turned_length
            found.append((self.begin(at), first if at < self.count - 1 else 0, end))
        return found

    def __str__(self) -> str:
        return (
            f"{self.length:,} iterations of a loop are done once more for the reverse sweep, in {self.count} segments"
        )


def with_segments(program: Program, kept: set[int], limit: int, lanes: int) -> tuple[Program, list[Segments]]:
    """The program in which chains run in segments, if what is kept for the reverse sweep would otherwise be too much.

    Args:
        program: the program.
        kept: the arrays that are kept in memory.
        limit: how many numbers may be kept, for a block of one vector.
        lanes: how many numbers a vector has.

    Returns:
        The program, in which some statements may stand elsewhere, and the segments; none if all is kept.
    """
    found: list[Segments] = []
    kept = kept & {statement.target for statement in program.statements if statement.chain is not None}
    if numbers_of(program, kept, lanes) <= limit:
        return program, found
    for forward, backward in _pairs(program):
        changed = _Windows(program, forward, backward)
        segments = changed.segments()
        if segments is not None:
            program = changed.program
            found.append(segments)
    spare = limit - numbers_of(program, kept - {array for one in found for array in one.windows}, lanes)
    for one in found:
        _choose_size(program, one, spare // len(found), lanes)
    return program, [one for one in found if one.count > 1]


def _numbers(array: Array, lanes: int) -> int:
    return math.prod(array.shape) * (lanes if array.lanes else 1)


def numbers_of(program: Program, arrays: set[int], lanes: int) -> int:
    """How many numbers some arrays have, for one vector of lanes."""
    return sum([_numbers(program.arrays[array], lanes) for array in arrays])


def _choose_size(program: Program, segments: Segments, limit: int, lanes: int) -> None:
    """The longest segments with which windows and states are no more than the limit; or those with the least."""
    inner = {a: _numbers(program.arrays[a], lanes) // program.arrays[a].shape[0] for a in segments.windows}
    window, state = sum(inner.values()), sum([inner[array] for array in segments.saved])
    least = math.sqrt(segments.length * state / window) if window else segments.length
    room = (limit - window * segments.margin) ** 2 - 4 * window * segments.length * state
    size = ((limit - window * segments.margin) + math.sqrt(room)) / (2 * window) if room > 0 and limit > 0 else least
    segments.size = max(SHORTEST, min(int(max(size, least)), segments.length))
    segments.count = -(-segments.length // segments.size)
    while segments.count > 1 and (segments.count - 1) * segments.size > segments.top:
        segments.count -= 1
    if segments.turned_length < segments.top + 1 - segments.size:  # the sweep ends before the first segment
        segments.count = 1
    for array, saved in segments.saved.items():
        program.arrays[saved] = replace(
            program.arrays[saved], shape=(segments.count + 1, *program.arrays[array].shape[1:])
        )


def _pairs(program: Program) -> Iterator[tuple[int, int]]:
    """Chains of which the second reads what the first has made, or what was made of that in between."""
    sources: dict[int, set[int]] = {}  # for each array the chains that it comes from, without another chain in between
    found: set[int] = set()
    for statement in program.statements:
        own = statement.chain
        before = {chain for read in statement.reads() for chain in sources.get(read.array, ()) if chain != own}
        sources.setdefault(statement.target, set()).update(before if own is None else {own})
        for chain in sorted(before):
            if own is not None and not found & {chain, own}:
                found |= {chain, own}
                yield chain, own


class _Windows:
    """Makes a program's arrays of one chain fit for windows: those of which all reads are near in time."""

    def __init__(self, program: Program, forward: int, backward: int) -> None:
        self.program = replace(program, arrays=list(program.arrays), outputs=list(program.outputs))
        self.program.guards = list(program.guards)
        self.forward, self.backward = forward, backward
        self._inline()
        statements = self.program.statements
        chain = [s for s in statements if s.chain == forward]
        self.length = chain[0].axes[0]
        self.own = {s.target: s for s in chain}
        self.turned = next(s.axes[0] for s in statements if s.chain == backward)
        self.fits = all(s.row in (0, 1) and s.lanes == chain[0].lanes for s in chain) and all(
            s.lanes == chain[0].lanes for s in statements if s.chain == backward
        )

    def segments(self) -> Segments | None:
        """The segments, not yet cut; None if there is nothing to save."""
        windows = {array for array in self.own if self._is_near(array)}
        if not self.fits or not windows or self.length < 2 * SHORTEST:
            return None
        places = [self._turned_place(read) for s, read in self._reads(windows) if s.chain == self.backward]
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
            self.forward, self.backward, self.length, self.turned, top, margin, windows=windows, saved=saved
        )

    def _reads(self, arrays: set[int]) -> Iterator[tuple[Statement, Read]]:
        for statement in self.program.statements:
            for read in statement.reads():
                if read.array in arrays:
                    yield statement, read

    def _turned_place(self, read: Read) -> int | None:
        """Which place iteration 0 of the reverse sweep reads, if each iteration reads the one before; else None."""
        index = read.indices[0]
        falls = index.table is None and not index.lane and index.strides[0] == -1 and not any(index.strides[1:])
        return index.offset if falls and read.lane is None and not _reach_first(read) else None

    def _is_near(self, array: int) -> bool:
        """Whether an array is read in its own chain, in step by the reverse sweep, and else near its ends alone."""
        if array in self.program.exports or any(packed.array == array for packed in self.program.packs.values()):
            return False
        for statement, read in self._reads({array}):
            index = read.indices[0]
            if index.table is not None or index.lane or read.lane is not None or _reach_first(read):
                return False
            if statement.chain == self.forward:
                near = index.strides[0] == 1 and not any(index.strides[1:]) and 0 <= index.offset <= self.own[array].row
            elif statement.chain == self.backward:
                near = self._turned_place(read) is not None
            else:
                near = not any(index.strides) and (self._at_end(index.offset) or self._at_begin(statement, index))
            if not near:
                return False
        inner = math.prod(self.program.arrays[array].shape[1:])
        flat = [at for of, at, *_ in [*self.program.outputs, *self.program.guards] if of == array]
        return all(self._at_end(at // inner) for at in flat)

    def _at_end(self, place: int) -> bool:
        return place > self.length - MARGIN

    def _at_begin(self, statement: Statement, index: Index) -> bool:
        """Whether a place of the first segment is read when that is there: after the reverse sweep."""
        statements = self.program.statements
        last = max(i for i, s in enumerate(statements) if s.chain == self.backward)
        return index.offset <= MARGIN and any(s is statement for s in statements[last + 1 :])

    def _copy_ends(self, array: int) -> None:
        """What is read near the end of a chain is copied as soon as that has run: later the window is elsewhere."""
        copies: dict[int, int] = {}
        inner = self.program.arrays[array].shape[1:]
        for i, statement in enumerate(self.program.statements):
            if statement.chain is None:
                self.program.statements[i] = _mapped(
                    statement, lambda read: self._copied(read, array, copies) if read.array == array else read
                )
        size, program = math.prod(inner), self.program
        for i, (of, at) in enumerate(program.outputs):
            if of == array:
                program.outputs[i] = self._copy(array, at // size, copies), at % size
        for i, (of, at, outcome) in enumerate(program.guards):
            if of == array:
                program.guards[i] = self._copy(array, at // size, copies), at % size, outcome
        after = max(i for i, s in enumerate(self.program.statements) if s.chain == self.forward) + 1
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

    # ---- statements between the chains ----
    def _inline(self) -> None:
        """What statements between the chains calculate of each iteration is calculated where it is read."""
        targets = {s.target for s in self.program.statements if s.chain == self.forward}
        results = {array for array, *_ in [*self.program.outputs, *self.program.guards]} | self.program.exports.keys()
        statements: list[Statement] = []
        inlined: dict[int, Statement] = {}
        linked = {s.target for s in self.program.statements if s.chain is not None}  # these begin with a statement
        for before in self.program.statements:
            statement = _mapped(
                before, lambda read: _composed(inlined[read.array], read) if read.array in inlined else read
            )
            between = statement.chain is None and statement.axes and any(r.array in targets for r in statement.reads())
            plain = not statement.sums and not statement.row and not statement.along_lanes
            alone = statement.target not in results | linked and not _has_tables(statement)
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


def _reach_first(read: Read) -> bool:
    """Whether other indices than the first go on into its dimension."""
    return bool(read.merged)


def _has_tables(statement: Statement) -> bool:
    return any(
        index.table is not None or index.lane or read.lane is not None or read.merged
        for read in statement.reads()
        for index in read.indices
    )


def _mapped(statement: Statement, change: Callable[[Read], Expression]) -> Statement:
    """A statement with other reads."""
    arguments = [_mapped_expression(x, change) for x in statement.arguments]
    sums = [replace(one, parts=[_mapped_expression(x, change) for x in one.parts]) for one in statement.sums]
    return replace(statement, arguments=arguments, sums=sums)


def _mapped_expression(x: Expression, change: Callable[[Read], Expression]) -> Expression:
    if isinstance(x, Read):
        return change(x)
    return Call(x.op, [_mapped_expression(a, change) for a in x.arguments]) if isinstance(x, Call) else x


def _composed(statement: Statement, read: Read) -> Expression:
    """What a statement calculates at the place at which it is read."""
    inside = statement.arguments[0] if statement.op is identity else Call(statement.op, statement.arguments)
    return _mapped_expression(
        inside, lambda own: replace(own, indices=[_at(index, read.indices) for index in own.indices])
    )


def _at(index: Index, places: list[Index]) -> Index:
    """An index along the axes of one statement as one along those of its reader."""
    offset, width = index.offset, max([len(place.strides) for place in places], default=0)
    strides = [0] * width
    for stride, place in zip(index.strides, places, strict=False):
        offset += stride * place.offset
        for axis, step in enumerate(place.strides):
            strides[axis] += stride * step
    return Index(offset, tuple(strides))
