"""The record of a loss: a row of integers that tells the driver which kernel to run and what to copy to and from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.compiler.loops.codegen.kernel import Bound
from chainrule.compiler.native.llvm import BoundsError
from chainrule.compiler.native.memory import for_native_code
from chainrule.compiler.steps.driver import LANES, Field
from chainrule.compiler.steps.levelised_loss import LevelisedBound
from chainrule.compiler.steps.loss_paths import Path

FEW = LANES
"""Runs of fewer numbers are copied one number at a time, not as a stretch."""


@dataclass
class Record:
    """A row that the driver reads, and the arrays that it points to.

    Attributes:
        numbers: the row.
        bound: the kernel with its memory.
        tables: the other arrays that the row points to.
        one_by_one: whether the driver cannot run these steps, so that they are done one by one.
    """

    numbers: np.ndarray
    bound: Bound | LevelisedBound
    tables: list[np.ndarray]
    one_by_one: bool


def stretches(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Groups copies from places in `source` to places in `target` into stretches, int32[n, 3]: the first place in each,
    and the count. Returns the stretches and the remaining pairs, int32[m, 2].

    >>> long, alone = stretches(np.array([*range(20, 30), 3, 4]), np.array([*range(10), 12, 11]))
    >>> long.tolist(), alone.tolist()
    ([[20, 0, 10]], [[3, 12], [4, 11]])
    """
    starts = _starts(source, target)
    lengths = np.diff(starts, append=len(source))
    long = lengths >= FEW
    alone = np.repeat(~long, lengths)
    firsts = starts[long]
    return (
        np.stack([source[firsts], target[firsts], lengths[long]], axis=1).astype(np.int32),
        np.stack([source[alone], target[alone]], axis=1).astype(np.int32),
    )


def _starts(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Returns the indices of pairs that do not continue the pair before."""
    return np.flatnonzero(np.append(True, (np.diff(source) != 1) | (np.diff(target) != 1))[: len(source)])


def places_in_rows(path: Path, count: int) -> np.ndarray:
    """Chooses a place in the rows for each of the optimiser's `count` parameters, so that there are fewest pieces to
    copy: in the given order, or in that of the parameters or of the gradients in the kernel's memory."""
    into, out_of = _places(path)
    into, out_of = into[:count], out_of[:count]
    orders = [np.arange(count), np.argsort(into), np.argsort(out_of)]
    ranks = [np.argsort(order) for order in orders]
    pieces = [
        len(_starts(np.arange(count), into[order])) + len(_starts(out_of[order], np.arange(count))) for order in orders
    ]
    return ranks[int(np.argmin(pieces))]


def _places(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places in the kernel's `shared` of each parameter and of each gradient."""
    return path.parameters, path.kernel.places[1 : 1 + len(path.parameters)]


def check_places(places: np.ndarray, size: int, what: str) -> None:
    """Checks that places lie within `size`, before native code reads or writes there.

    Args:
        places: the places.
        size: how many there are.
        what: what they are, for the error.

    Raises:
        BoundsError: a place does not.

    >>> check_places(np.array([0, 3]), 3, "numbers")
    Traceback (most recent call last):
    chainrule.compiler.native.llvm.BoundsError: the driver would go to place 3 of 3 numbers
    """
    wrong = places[(places < 0) | (places >= size)]
    if len(wrong):
        raise BoundsError(f"the driver would go to place {wrong[0]} of {size:,} {what}")


def _copies(parameters: np.ndarray, gradients: np.ndarray, positions: np.ndarray) -> dict[Field, np.ndarray]:
    """Returns the tables of copies between the rows of the update and the kernel, by the fields of the record."""
    by_row = np.argsort(positions)
    into = stretches(positions[by_row], parameters[by_row])
    out_of = stretches(gradients[by_row], positions[by_row])
    fields = Field.PARAMETERS, Field.LONE_PARAMETERS, Field.GRADIENTS, Field.LONE_GRADIENTS
    return dict(zip(fields, (*into, *out_of), strict=True))


def record_of(path: Path, bound: Bound | LevelisedBound, positions: np.ndarray) -> Record:
    """Makes the driver's record of a path.

    Args:
        path: the path.
        bound: its kernel with memory.
        positions: for each parameter its place in the rows of the update.

    Raises:
        BoundsError: a place lies outside the kernel's memory.
    """
    kernel = path.kernel
    parameters, gradients = _places(path)
    shared_guards = [[at, int(outcome)] for varies, at, outcome in kernel.guards if not varies]
    guards = np.array(shared_guards, dtype=np.int32).reshape(-1, 2)
    constants, constant_places = path.constants, path.constant_places
    if path.samples is not None:  # batches of all sizes share the kernel's memory
        constants, constant_places = np.append(constants, bound.samples), np.append(constant_places, path.samples)
    if isinstance(bound, Bound):
        used = [parameters, gradients, path.places, constant_places, guards[:, 0], kernel.places[:1]]
        check_places(np.concatenate(used), len(bound.shared), "shared numbers")
    tables: dict[Field, np.ndarray] = {Field.INPUTS: path.places.astype(np.int32), Field.GUARDS: guards}
    tables |= {Field.CONSTANT_PLACES: constant_places.astype(np.int32)}
    tables |= _copies(parameters, gradients, positions)
    tables = {field: for_native_code(table) for field, table in tables.items()}
    row = np.zeros(Field.SIZE, np.int64)
    row[Field.RUN] = kernel.address("run")
    own = bound.arguments()
    row[Field.ARGUMENTS : Field.ARGUMENTS + len(own)] = own
    for field, table in tables.items():
        row[field], row[field + 1] = table.ctypes.data, len(table)
    constants = for_native_code(constants.astype(kernel.dtype))
    row[Field.CONSTANTS] = constants.ctypes.data
    row[Field.LOSS] = kernel.places[0]
    row[Field.OTHERWISE] = -1
    one_by_one = kernel.parts(bound.samples) > 1 or any(varies for varies, _, _ in kernel.guards)
    return Record(row, bound, [constants, *tables.values()], one_by_one)
