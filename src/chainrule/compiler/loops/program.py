"""Programs: statements in loops over arrays, the form of a graph between its nodes and native code.

A statement fills an array. It runs over axes, and each of its operands has an array and a place there, mostly `offset +
Σ stride · axis`. One axis is special: the lanes, along which samples (or other work that repeats) lie side by side in
memory, and along which the machine's vectors run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from chainrule.core.operation import Operation


@dataclass
class Index:
    """The place along one dimension of an array: offset + Σ stride · axis (+ lane · number of the lane), or an entry of
    a table.

    `table` has one dimension for each axis, of extent 1 where it does not depend on that axis.
    """

    offset: int
    strides: tuple[int, ...]
    table: np.ndarray | None = None
    lane: int = 0

    def __str__(self) -> str:
        if self.table is not None:
            return "table"
        parts = [
            f"{stride if stride != 1 else ''}{axis}"
            for stride, axis in zip(self.strides, NAMES, strict=False)
            if stride
        ]
        parts += [f"{self.lane if self.lane != 1 else ''}lane"] if self.lane else []
        return "+".join([*parts, *([str(self.offset)] if self.offset or not parts else [])])


NAMES = "ijklmnopqrstuvwxyz"


@dataclass
class Read:
    """An element of an array, as an operand.

    Attributes:
        array: the array.
        indices: the place along each dimension.
        lane: the lane to read from, if that is not the reader's own.
        merged: dimensions that are traversed as one; the index of the last one covers those before it.
    """

    array: int
    indices: list[Index]
    lane: Index | None = None
    merged: tuple[int, ...] = ()

    def __str__(self) -> str:
        at = [str(index) for index in self.indices] + ([f"lane {self.lane}"] if self.lane else [])
        return f"a{self.array}[{', '.join(at)}]" if at else f"a{self.array}"


@dataclass
class Number:
    """A constant that is the same at every place."""

    number: float

    def __str__(self) -> str:
        return repr(self.number)


@dataclass
class Call:
    """An operation within a statement's expression."""

    op: Operation
    arguments: list[Expression]

    def __str__(self) -> str:
        return f"{self.op.name}({', '.join([str(x) for x in self.arguments])})"


Expression = Read | Number | Call


@dataclass
class Sum:
    """Σ over k of one expression, or of the product of two; k is one more axis, behind those of the statement.

    `bounds` are given where members differ in their number of steps: k then runs from the first bound up to the second.
    """

    length: int
    parts: list[Expression]
    bounds: tuple[Index, Index] | None = None
    along_lanes: bool = False
    """Whether the steps run along the lanes, and thus end with the last lane there is."""

    def __str__(self) -> str:
        bounds = f", {self.bounds[0]} ≤ k < {self.bounds[1]}" if self.bounds else ""
        return f"Σ[{self.length}{bounds}] {' · '.join([str(x) for x in self.parts])}"


@dataclass
class Statement:
    """Fills an array: target[axes] = op(arguments, then the steps of the sums).

    Attributes:
        target: the array; its shape is that of the axes.
        axes: the extents of its loops; the last one runs fastest.
        op: the operation. A variadic one takes the arguments and then the steps of the sums.
        arguments: its operands.
        sums: the sums of a variadic operation.
        lanes: whether it runs in each lane.
        row: the place of its first element along the first dimension of the array.
        recurrence: the number of the recurrence that it belongs to. The first axis is then its iterations, which run in
            order, each with all statements of the recurrence.
        along_lanes: the axes that run along the lanes, and thus end with the last lane there is.
        ragged: whether some points of the box of its axes belong to no member; any number may be calculated there.
    """

    target: int
    axes: tuple[int, ...]
    op: Operation
    arguments: list[Expression]
    sums: list[Sum] = field(default_factory=list)
    lanes: bool = False
    row: int = 0
    recurrence: int | None = None
    along_lanes: frozenset[int] = frozenset()
    ragged: bool = False

    def reads(self) -> Iterator[Read]:
        """Yields every element that it reads, also within sums."""
        for expression in [*self.arguments, *[part for one in self.sums for part in one.parts]]:
            yield from reads(expression)

    def __str__(self) -> str:
        head = f"a{self.target}[{', '.join([f'{name}<{n}' for name, n in zip(NAMES, self.axes, strict=False)])}]"
        inside = ", ".join([str(x) for x in [*self.arguments, *self.sums]])
        recurrence = f" recurrence {self.recurrence}" if self.recurrence is not None else ""
        return f"{head}{' each lane' if self.lanes else ''}{recurrence} = {self.op.name}({inside})"


@dataclass
class Array:
    """An array of numbers.

    Attributes:
        shape: its extents, without the lanes.
        lanes: whether it has a number for each lane.
        data: its numbers if they are constants: float64[shape], or float64[shape, lanes].
        kind: "value" where a statement fills it, "shared" and "batched" for inputs, "data" for constants, "packed" for
            shared inputs packed along the lanes.
    """

    shape: tuple[int, ...]
    lanes: bool = False
    data: np.ndarray | None = None
    kind: str = "value"


def reads(expression: Expression) -> Iterator[Read]:
    """Yields every element that an expression reads."""
    if isinstance(expression, Read):
        yield expression
    elif isinstance(expression, Call):
        for argument in expression.arguments:
            yield from reads(argument)


def operations(expression: Expression) -> int:
    """How many operations an expression has."""
    return 1 + sum(map(operations, expression.arguments)) if isinstance(expression, Call) else 0


@dataclass
class Program:
    """A graph as statements in loops.

    Attributes:
        arrays: what the statements read and fill.
        statements: in an order in which they can run.
        order: the shared inputs in the order in which they lie in their array.
        outputs: for each output of the graph its array and flat place.
        guards: likewise for each guard, with the outcome.
        lanes: the number of lanes; None if it is known only at run time, as the number of samples is.
        crosses_lanes: whether a lane reads what another wrote, so that all lanes must be in one block.
        exports: for each array with lanes that holds results, the shared array [elements, lanes] that it is copied to.
        packs: for each array of kind "packed", the read of the shared array, over its own axes, that fills it.
    """

    arrays: list[Array]
    statements: list[Statement]
    order: np.ndarray
    outputs: list[tuple[int, int]]
    guards: list[tuple[int, int, bool]]
    lanes: int | None = None
    crosses_lanes: bool = False
    exports: dict[int, int] = field(default_factory=dict)
    packs: dict[int, Read] = field(default_factory=dict)

    def __str__(self) -> str:
        return "\n".join([str(statement) for statement in self.statements])
