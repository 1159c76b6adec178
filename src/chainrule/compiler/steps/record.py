"""The record of a loss: the row of numbers from which the driver knows what to run, on what, and what goes where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.compiler.loops.kernel import Bound
from chainrule.compiler.steps.driver import Field
from chainrule.compiler.steps.levelled import LevelledBound
from chainrule.compiler.steps.paths import Path
from chainrule.engine import Value


@dataclass
class Record:
    """A row that the driver reads, and the arrays that it points to; `one_by_one` if it cannot do such steps."""

    numbers: np.ndarray
    bound: Bound | LevelledBound
    keep: list[np.ndarray]
    live: list[tuple[Value, int]]
    one_by_one: bool


def stretches(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Pairs of places as stretches: int32[n, 3], with the first places and how many follow one another.

    >>> stretches(np.array([4, 5, 6, 0]), np.array([0, 1, 2, 3])).tolist()
    [[4, 0, 3], [0, 3, 1]]
    """
    breaks = np.flatnonzero((np.diff(source) != 1) | (np.diff(target) != 1)) + 1
    starts = np.concatenate([[0], breaks])
    lengths = np.diff([*starts, len(source)])
    return np.stack([source[starts], target[starts], lengths], axis=1).astype(np.int32)


def record_of(path: Path, bound: Bound | LevelledBound, positions: np.ndarray) -> Record:
    """What the driver has to know of a path.

    Args:
        path: the path.
        bound: its kernel with memory.
        positions: for each parameter its place in the rows of the update.
    """
    kernel = path.kernel
    inputs = np.array(path.places, dtype=np.int32)
    parameters = stretches(positions, np.array(path.parameters))
    gradients = stretches(kernel.places[1 : 1 + len(positions)], positions)
    shared_guards = [[at, int(outcome)] for varies, at, outcome in kernel.guards if not varies]
    guards = np.array(shared_guards, dtype=np.int32).reshape(-1, 2)
    row = np.zeros(Field.SIZE, np.int64)
    row[Field.RUN] = kernel.address("run")
    own = bound.arguments()
    row[Field.ARGUMENTS : Field.ARGUMENTS + len(own)] = own
    tables = {Field.INPUTS: inputs, Field.PARAMETERS: parameters, Field.GRADIENTS: gradients, Field.GUARDS: guards}
    for field, table in tables.items():
        row[field], row[field + 1] = table.ctypes.data, len(table)
    row[Field.LOSS] = kernel.places[0]
    one_by_one = kernel.parts(bound.samples) > 1 or any(varies for varies, _, _ in kernel.guards)
    return Record(row, bound, list(tables.values()), path.live, one_by_one)
