"""Programs: statements in loops over arrays, which is what a graph in groups becomes.

A statement fills an array. It runs over axes, and says of each operand from which array it comes and at which place of
that, mostly as `offset + Σ stride · axis`. One axis is special: the lanes, along which samples (or whatever there is
many of) lie side by side in memory, and which the machine's vectors run along.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from chainrule.core.operation import Operation


@dataclass
class Index:
    """The place along one dimension of an array: offset + Σ stride · axis (+ lane · number of the lane), or a table's.

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
    """An element of an array, as an operand. `lane` is where it is along the lanes, if that is not the own lane;
    `merged` are dimensions of which the last one's index goes on into the ones before."""

    array: int
    indices: list[Index]
    lane: Index | None = None
    merged: tuple[int, ...] = ()

    def __str__(self) -> str:
        at = [str(index) for index in self.indices] + ([f"lane {self.lane}"] if self.lane else [])
        return f"a{self.array}[{', '.join(at)}]" if at else f"a{self.array}"


@dataclass
class Number:
    """A constant that is the same everywhere."""

    number: float

    def __str__(self) -> str:
        return repr(self.number)


@dataclass
class Call:
    """An operation on operands, in the midst of a statement."""

    op: Operation
    arguments: list[Expression]

    def __str__(self) -> str:
        return f"{self.op.name}({', '.join([str(x) for x in self.arguments])})"


Expression = Read | Number | Call


@dataclass
class Sum:
    """Σ over k of one expression, or of the product of two; k is one more axis, behind those of the statement.

    `bounds` are there where not all members have equally many steps: k then runs from the first, up to the second.
    """

    length: int
    parts: list[Expression]
    bounds: tuple[Index, Index] | None = None
    along_lanes: bool = False
    """Whether the steps go from lane to lane, and thus end with the last lane there is."""

    def __str__(self) -> str:
        bounds = f", {self.bounds[0]} ≤ k < {self.bounds[1]}" if self.bounds else ""
        return f"Σ[{self.length}{bounds}] {' · '.join([str(x) for x in self.parts])}"


@dataclass
class Statement:
    """Fills an array: target[axes] = op(arguments, then the sums).

    Attributes:
        target: the array; its shape is that of the axes.
        axes: their extents; the last one runs fastest.
        op: the operation of the group. An n-ary one takes the arguments and then the steps of the sums.
        arguments: its operands.
        sums: for n-ary operations.
        lanes: whether it is done for each lane.
        row: where along the first dimension of the array its first element lies.
        chain: the number of the chain that it belongs to: the first axis then runs in order, one iteration after the
            other, each with all statements of the chain.
        along_lanes: the axes that go from lane to lane, and thus end with the last lane there is.
        ragged: whether some places of the box of its axes are no members, whatever is calculated there.
    """

    target: int
    axes: tuple[int, ...]
    op: Operation
    arguments: list[Expression]
    sums: list[Sum] = field(default_factory=list)
    lanes: bool = False
    row: int = 0
    chain: int | None = None
    along_lanes: frozenset[int] = frozenset()
    ragged: bool = False

    def reads(self) -> Iterator[Read]:
        """Every element that is read, those within sums as well."""
        for expression in [*self.arguments, *[part for one in self.sums for part in one.parts]]:
            yield from reads(expression)

    def __str__(self) -> str:
        head = f"a{self.target}[{', '.join([f'{name}<{n}' for name, n in zip(NAMES, self.axes, strict=False)])}]"
        inside = ", ".join([str(x) for x in [*self.arguments, *self.sums]])
        chain = f" chain {self.chain}" if self.chain is not None else ""
        return f"{head}{' each lane' if self.lanes else ''}{chain} = {self.op.name}({inside})"


@dataclass
class Array:
    """Where numbers lie.

    Attributes:
        shape: its extents, without the lanes.
        lanes: whether it has a number for each lane.
        data: its numbers, if they are constants: float64[shape], or float64[shape, lanes].
        kind: "value" for what a statement fills, "shared" and "batched" for inputs, "data" for constants, "packed" for
            shared inputs laid out anew along the lanes.
    """

    shape: tuple[int, ...]
    lanes: bool = False
    data: np.ndarray | None = None
    kind: str = "value"


def reads(expression: Expression) -> Iterator[Read]:
    """Every element that an expression reads."""
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
        order: of the shared inputs, as they lie in their array: the input at each place.
        outputs: for each output of the graph its array and flat place.
        guards: likewise, with the outcome.
        lanes: how many lanes there are; None if that is known when it runs, as it is for samples.
        crossing: whether a lane reads what another wrote, so that all lanes must be one block.
        exports: arrays with lanes that are results: for each the shared array [elements, lanes] that it is copied to.
        packs: arrays of kind "packed": for each the read of the shared array, over its own axes, that fills it.
    """

    arrays: list[Array]
    statements: list[Statement]
    order: np.ndarray
    outputs: list[tuple[int, int]]
    guards: list[tuple[int, int, bool]]
    lanes: int | None = None
    crossing: bool = False
    exports: dict[int, int] = field(default_factory=dict)
    packs: dict[int, Read] = field(default_factory=dict)

    def __str__(self) -> str:
        return "\n".join([str(statement) for statement in self.statements])
