"""The control-flow paths that the batches of a run are known to take, and the driver's records of these paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.compiler.loops.codegen.kernel import Bound
from chainrule.compiler.native.llvm import BoundsError
from chainrule.compiler.native.memory import aligned, for_native_code
from chainrule.compiler.steps.batch import Batch
from chainrule.compiler.steps.driver import Field
from chainrule.compiler.steps.levelised_loss import LevelisedBound
from chainrule.compiler.steps.loss_paths import Path, Paths
from chainrule.compiler.steps.loss_record import Record, places_in_rows, record_of
from chainrule.compiler.steps.update import Update

MOST_BYTES = 2**26
"""The most bytes of batches' columns that a step keeps from one call to the next."""


class StepCache:
    """Records and memory that a step keeps from one call to the next.

    Attributes:
        records: the driver's records, by path; for a batch with columns also by the batch's index and their shape.
        memories: for each kernel the memory that it is bound to, by the shape of the columns.
        parts: bound kernels that run on only some samples of a batch, by path and shape of the batch's columns.
        columns: the memory for the columns of batches.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Drops everything; the next call allocates what it needs."""
        self.records: dict[tuple, Record] = {}
        self.memories: dict[Any, dict[tuple | None, Bound | LevelisedBound]] = {}
        self.parts: dict[tuple, Bound | LevelisedBound] = {}
        self.columns: dict[tuple, np.ndarray] = {}

    def clear_if_large(self, max_structures: int) -> None:
        """Drops everything if the columns take more than `MOST_BYTES`, or if there are batches of more than
        `max_structures` sizes: the next call is unlikely to bring the same batches again."""
        kept = sum([columns.nbytes for columns in self.columns.values()])
        sizes = sum([len(bounds) for bounds in self.memories.values() if None not in bounds])
        if kept > MOST_BYTES or sizes > max_structures:
            self.clear()


@dataclass
class PathsOfBatch:
    """The paths that batches of one structure, or one batch with columns, are known to take.

    Attributes:
        records: the indices of their records, in the order in which the driver tries them.
        alone: whether the driver cannot run one of them, so that each step is done from Python.
    """

    records: list[int] = field(default_factory=list)
    alone: bool = False


class BatchPaths:
    """The paths of all batches of a run.

    Args:
        batches: the different batches.
        known: all paths of the loss.
        update: the native update, whose rows hold the parameters.
        cache: what the step kept from earlier calls.

    Attributes:
        records: the driver's records.
        paths: the path of each record.
    """

    def __init__(self, batches: Sequence[Batch], known: Paths, update: Update, cache: StepCache) -> None:
        self.batches, self.known, self.update, self.cache = batches, known, update, cache
        self.records: list[Record] = []
        self.paths: list[Path] = []
        self._of: dict[Any, PathsOfBatch] = {}
        self._number_of = {id(batch): i for i, batch in enumerate(batches)}
        self._columns_of: dict[tuple, np.ndarray] = {}
        self._tables: tuple[np.ndarray, np.ndarray] | None = None

    def of(self, batch: Batch) -> PathsOfBatch:
        """Returns all paths that a batch of this structure is known to take, and makes records for new ones."""
        own = _own(batch)
        found = self._of.get(own)
        if found is None:
            found = self._of[own] = PathsOfBatch()
            self.known.used(batch.key)
        known = self.known.known[batch.key]
        if len(found.records) < len(known):
            there = {self.paths[at] for at in found.records}
            for path in known:
                if path not in there:
                    self._add(found, path, batch)
        return found

    def first(self, batch: Batch) -> Path:
        """Returns the path that is tried first."""
        return self.paths[self.of(batch).records[0]]

    def _add(self, found: PathsOfBatch, path: Path, batch: Batch) -> None:
        record = self._record(path, batch)
        if len(batch.numbers) != len(path.places):
            raise BoundsError(f"a batch has {len(batch.numbers)} numbers, but its kernel takes {len(path.places)}")
        for value, place in path.live:
            record.bound.shared[place] = value.data
        found.records.append(len(self.records))
        found.alone |= record.one_by_one
        self.records.append(record)
        self.paths.append(path)
        self._tables = None

    def _record(self, path: Path, batch: Batch) -> Record:
        """Returns the record of a path. Without columns, all batches share one; with columns, each has its own. If that
        is from an earlier call, this batch's columns are copied into its memory."""
        key = (path, None if batch.columns is None else (self._number_of[id(batch)], batch.columns.shape))
        records = self.cache.records
        if key in records:
            if batch.columns is not None:
                self._columns(batch, records[key].bound)
        else:
            if not self.update.arranged:
                self.update.arrange(places_in_rows(path, self.update.count))
            records[key] = record_of(path, self.bind(path, batch), self.update.positions)
        return records[key]

    def bind(self, path: Path, batch: Batch) -> Bound | LevelisedBound:
        """Binds the path's kernel for a batch. Steps run one after the other, so they share all memory but columns."""
        columns = batch.columns
        bounds = self.cache.memories.setdefault(path.kernel, {})
        key = None if columns is None else columns.shape
        if columns is None or key not in bounds:
            bounds[key] = path.bind(columns, next(iter(bounds.values()), None))
        like = bounds[key]
        return like if columns is None else replace(like, columns=self._columns(batch, like))

    def part(self, path: Path, batch: Batch) -> Bound | LevelisedBound:
        """Binds the path's kernel for some samples of a batch, with columns of its own that have room for them all."""
        assert batch.columns is not None
        key = (path, batch.columns.shape)
        bound = self.cache.parts.get(key)
        if bound is None:
            bound = self.bind(path, batch)
            assert bound.columns is not None
            own = aligned(bound.columns.shape, bound.columns.dtype)
            bound = self.cache.parts[key] = replace(bound, columns=own)
        return bound

    def _columns(self, batch: Batch, like: Bound | LevelisedBound) -> np.ndarray:
        """Returns the columns of a batch in the layout of its kernels, in cached memory. All paths of the batch share
        them."""
        assert batch.columns is not None
        assert like.columns is not None
        key = (self._number_of[id(batch)], like.columns.shape, like.columns.dtype)
        if key not in self._columns_of:
            if key not in self.cache.columns:
                self.cache.columns[key] = aligned(like.columns.shape, like.columns.dtype)
            self._columns_of[key] = self.cache.columns[key]
            self._columns_of[key][:, : batch.columns.shape[1]] = batch.columns
        return self._columns_of[key]

    def tables(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns all records, each with the index of the record to try next, and for each batch whether the driver
        cannot run its steps."""
        if self._tables is None:
            records = for_native_code(np.stack([record.numbers for record in self.records]), self.update.checked)
            for found in self._of.values():
                records[found.records[:-1], Field.OTHERWISE] = found.records[1:]
            self._tables = records, np.array([self._of[_own(batch)].alone for batch in self.batches], bool)
        return self._tables

    def check_bounds(self) -> None:
        """Checks, after checked code has run, that all addresses of the kernels were valid.

        Raises:
            BoundsError: one was not.
        """
        for record in self.records:
            if isinstance(record.bound, Bound):
                record.bound.kernel.check()


def _own(batch: Batch) -> Any:
    """Returns what tells a batch from others: without columns, those of one structure take the same records."""
    return batch.key if batch.columns is None else id(batch)
