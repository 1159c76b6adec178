"""A plain interpreter of programs: the reference between the graph and native code.

It runs one statement after the other, one place after the other, one lane after the other, and takes every operation
from the table: slow, but easy to see to be right. It knows nothing of vectors, blocks, phases or areas of memory.

What no statement has filled is nan, and so is what is read outside of an array: loops over a box with points that
belong to no member read there, and no result may depend on that.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import ops
from chainrule.compiler.graph.graph import BATCH_SUM
from chainrule.compiler.loops.program import Array, Call, Expression, Index, Number, Program, Read, Statement, Sum
from chainrule.errors import GraphError


def run_program(
    program: Program, numbers: Sequence[float], columns: Any = None, lanes: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Runs a program.

    Args:
        program: the program.
        numbers: one for each input of the graph; those of batched inputs are ignored.
        columns: float64[batched inputs in ascending order, samples]; None if there are none.
        lanes: the number of lanes, for a program that was made for a certain number of them; all if left out.

    Returns:
        shared: float64[outputs], nan for those that differ from sample to sample.
        each: float64[outputs that differ from sample to sample, samples].

    >>> from chainrule.compiler.loops.rerolling.grouping import group
    >>> from chainrule.compiler.loops.rerolling.recurrence_builder import to_program
    >>> from chainrule.compiler.graph.text import from_text
    >>> lines = ["%0 = input w", "%1 = input x, batched", "%2 = mul %0 %1", "%3 = batch_sum %2", "return %2 %3"]
    >>> graph = from_text("\\n".join(lines))
    >>> run_program(to_program(graph, group(graph)), [10.0, 0.0], [[1.0, 2.0, 3.0]])
    (array([nan, 60.]), array([[10., 20., 30.]]))
    """
    memory = fill(program, numbers, columns, lanes)
    shared, each = np.full(len(program.outputs), math.nan), []
    for i, (array, at) in enumerate(program.outputs):
        if program.arrays[array].lanes:
            each.append(memory.numbers[array][at])
        else:
            shared[i] = memory.numbers[array][at, 0]
    return shared, np.array(each, dtype=float).reshape(len(each), memory.lanes if each or columns is not None else 0)


def fill(program: Program, numbers: Sequence[float], columns: Any = None, lanes: int | None = None) -> Memory:
    """Runs a program and returns its arrays; the arguments are those of `run_program`."""
    memory = _initial_memory(program, np.asarray(numbers, dtype=float), columns, lanes)
    done: set[int] = set()
    for statement in program.statements:
        if statement.recurrence is None:
            for axes in _places(statement.axes):
                memory.fill(statement, axes)
        elif statement.recurrence not in done:
            done.add(statement.recurrence)
            _fill_recurrence(
                memory, [other for other in program.statements if other.recurrence == statement.recurrence]
            )
    for array, export in program.exports.items():
        wide = program.arrays[export].shape[1]
        for element, row in enumerate(memory.numbers[array]):
            memory.numbers[export][element * wide : element * wide + memory.lanes, 0] = row
    return memory


def _initial_memory(program: Program, numbers: np.ndarray, columns: Any, lanes: int | None) -> Memory:
    """The arrays before the first statement."""
    most = program.lanes if columns is None else len(columns[0])
    lanes = most or 0 if lanes is None else lanes
    contents = []
    for array in program.arrays:
        rows = np.full((math.prod(array.shape), lanes if array.lanes else 1), math.nan)
        if array.kind == "shared":
            rows[: len(program.order), 0] = numbers[program.order]
        elif array.kind == "batched" and columns is not None:
            rows[: len(columns)] = columns
        elif array.data is not None:
            rows[:] = array.data.reshape(len(rows), -1)[:, : rows.shape[1]]
        contents.append(rows)
    memory = Memory(program.arrays, contents, lanes)
    for packed, read in program.packs.items():
        for at, axes in enumerate(_places(program.arrays[packed].shape)):
            contents[packed][at] = [memory.element(read, axes, lane) for lane in range(lanes)]
    return memory


def _fill_recurrence(memory: Memory, statements: list[Statement]) -> None:
    """Runs statements that share their first axis, the iterations: all of them in each iteration."""
    for i in range(statements[0].axes[0]):
        for statement in statements:
            for axes in _places(statement.axes[1:]):
                memory.fill(statement, (i, *axes))


def _places(extents: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    return itertools.product(*map(range, extents))


@dataclass
class Memory:
    """The arrays of a program while it runs.

    Attributes:
        arrays: the arrays.
        numbers: the numbers of each, float64[flat place, lane]; float64[flat place, 1] for one without lanes.
        lanes: the number of lanes.
    """

    arrays: list[Array]
    numbers: list[np.ndarray]
    lanes: int

    def fill(self, statement: Statement, axes: tuple[int, ...]) -> None:
        """Runs a statement at one place, in all lanes."""
        if any(axes[axis] >= self.lanes for axis in statement.along_lanes):
            return
        at = (axes[0] + statement.row, *axes[1:]) if axes else ()
        row = self.numbers[statement.target][_flat(self.arrays[statement.target].shape, at)]
        if statement.op is BATCH_SUM:
            row[0] = ops.sum.value(*[self.value(statement.arguments[0], axes, lane) for lane in range(self.lanes)])
            return
        for lane in range(self.lanes) if statement.lanes else [None]:
            operands = [self.value(x, axes, lane) for x in statement.arguments]
            for one in statement.sums:
                operands += self.steps(one, axes, lane, statement.op is ops.weighted_sum)
            row[lane or 0] = statement.op.value(*operands)

    def steps(self, one: Sum, axes: tuple[int, ...], lane: int | None, pairs: bool) -> list[float]:
        """The summands of a sum, step by step: numbers, or pairs of them (a number by itself is paired with 1)."""
        first, end = (place(bound, axes, lane) for bound in one.bounds) if one.bounds else (0, one.length)
        if one.along_lanes:
            end = min(end, self.lanes)
        parts = [*one.parts, Number(1.0)] if pairs and len(one.parts) == 1 else one.parts
        return [self.value(part, (*axes, k), lane) for k in range(first, end) for part in parts]

    def value(self, x: Expression, axes: tuple[int, ...], lane: int | None) -> float:
        """Evaluates an expression."""
        if isinstance(x, Number):
            return x.number
        if isinstance(x, Call):
            return x.op.value(*[self.value(a, axes, lane) for a in x.arguments])
        return self.element(x, axes, lane)

    def element(self, read: Read, axes: tuple[int, ...], lane: int | None) -> float:
        """The number of an element; nan if there is no such place."""
        array, rows = self.arrays[read.array], self.numbers[read.array]
        at = _flat(array.shape, tuple([place(index, axes, lane) for index in read.indices]))
        column = 0
        if array.lanes:
            if lane is None:
                raise GraphError(f"{read} differs from lane to lane, but is read where there are no lanes")
            column = lane if read.lane is None else place(read.lane, axes, lane)
        if not (0 <= at < rows.shape[0] and 0 <= column < rows.shape[1]):
            return math.nan
        return float(rows[at, column])


def place(index: Index, axes: tuple[int, ...], lane: int | None = None) -> int:
    """Evaluates an index.

    >>> place(Index(3, (10, 1)), (2, 5))
    28
    """
    at = index.offset + sum([stride * axis for stride, axis in zip(index.strides, axes, strict=False)])
    if index.table is not None:
        at += int(index.table[tuple([min(axis, n - 1) for axis, n in zip(axes, index.table.shape, strict=True)])])
    return at + index.lane * (lane or 0)


def _flat(shape: tuple[int, ...], at: tuple[int, ...]) -> int:
    """The flat place of an element; an index may run beyond its dimension, into the one before."""
    return sum([i * math.prod(shape[d + 1 :]) for d, i in enumerate(at)])
