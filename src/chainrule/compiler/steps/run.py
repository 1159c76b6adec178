"""One call of `run`: many steps, in as few native calls as may be."""

from __future__ import annotations

import time
from array import array
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.compiler.loops.kernel import Bound
from chainrule.compiler.memory import aligned
from chainrule.compiler.steps.batch import Batch, batches_of
from chainrule.compiler.steps.driver import DONE, GUARD, NOT_FINITE, Field, UpdateField
from chainrule.compiler.steps.levelled import LevelledBound
from chainrule.compiler.steps.paths import Path
from chainrule.compiler.steps.record import Record, places_in_rows, record_of
from chainrule.compiler.steps.update import NativeMemory
from chainrule.errors import ArgumentError
from chainrule.leaves import read_data, write_data

if TYPE_CHECKING:
    from chainrule.compiler.steps.step import CompiledStep

AT_ONCE = 0.05
"""A native call lasts about so many seconds at most, so that Ctrl-C is heard."""


class Run:
    """One call of `run`: the records of its steps, and the state while it lasts.

    Args:
        step: what is run.
        batches: for each step the arguments of the loss.
        hint: stands below errors that say that an argument has not its axis.
    """

    def __init__(self, step: CompiledStep, batches: list[tuple], hint: str) -> None:
        self.step, self.arguments, self.hint = step, batches, hint
        self.optimizer, self.update = step.optimizer, step.update
        self.records: list[Record] = []
        self.tried: dict[int, list[int]] = {}  # of a step whose guards failed, the paths
        self.numbers = array("d")
        self.dtype = self.update.kernel.dtype
        self.found = np.zeros(len(batches), self.dtype)
        self.numbers_of_parameters = np.empty(len(step.parameters))
        self.in_rows = False  # whether parameters and memory are in the native rows at the moment
        self.number_of: dict[tuple[Path, int | None], int] = {}  # of a path, and of a batch with columns
        self.first_way: dict[Any, tuple[int, Path]] = {}
        self.batches, self.of_step = self._read(batches)
        step.paths.prepare(self.batches)
        chosen = [self._chosen(batch) for batch in self.batches]
        step.last = step.paths.known[self.batches[-1].key][0] if self.batches else step.last
        self.which, self.number_at = np.array(chosen, np.int64).reshape(-1, 2)[self.of_step].T.copy()

    def _read(self, all_arguments: list[tuple]) -> tuple[list[Batch], list[int]]:
        try:
            return batches_of(all_arguments, self.step.in_axes)
        except ArgumentError as error:
            if self.hint:
                error.add_note(self.hint)
            raise

    def losses(self) -> list[float]:
        try:
            self._load()
            at = 0
            while at < len(self.which):
                at = self._drive(at)
        finally:
            if self.in_rows:
                self._save()
        return self.found.tolist()

    # ---- records ----
    def _chosen(self, batch: Batch) -> tuple[int, int]:
        """For a batch the number of its record, and where its numbers begin among those of all."""
        key = batch.key if batch.columns is None else id(batch)
        found = self.first_way.get(key)
        if found is None:
            path = self.step.paths.known[batch.key][0]
            found = self.first_way[key] = self._number(path, batch), path
        number, path = found
        return number, self._begin(batch, path)

    def _number(self, path: Path, batch: Batch) -> int:
        """The number of the record for a batch that goes this way."""
        key = (path, None if batch.columns is None else id(batch))
        number = self.number_of.get(key)
        if number is None:
            number = self.number_of[key] = len(self.records)
            self.records.append(self._record(path, batch, number))
        return number

    def _begin(self, batch: Batch, path: Path) -> int:
        """Takes the numbers of a batch that goes this way; gives where they begin."""
        at = len(self.numbers)
        self.numbers.fromlist(batch.numbers)
        if path.own_numbers:
            self.numbers.fromlist(path.own_numbers)
        return at

    def _record(self, path: Path, batch: Batch, number: int) -> Record:
        """The record of a path; without columns, it serves for all batches, else the next call's may lie there."""
        columns = batch.columns
        key = (path, None) if columns is None else (path, (number, columns.shape))
        record = self.step.records.get(key)
        if record is None:
            if not self.update.arranged:
                self.update.arrange(places_in_rows(path, self.update.count))
            record = self.step.records[key] = record_of(path, self._bind(path, columns), self.update.positions)
        elif columns is not None:
            assert record.bound.columns is not None
            record.bound.columns[:, : columns.shape[1]] = columns
        return record

    def _bind(self, path: Path, columns: np.ndarray | None) -> Bound | LevelledBound:
        """The path's kernel with these columns; steps come one after the other, and share all other memory."""
        memories, key = self.step.memories, (path.kernel, None if columns is None else columns.shape)
        like = memories.get(key)
        if like is None or columns is None:
            bound = memories[key] = path.bind(columns, like)
            return bound
        assert like.columns is not None
        own = aligned(like.columns.shape, like.columns.dtype)
        own[:, : columns.shape[1]] = columns
        return replace(like, columns=own)

    # ---- parameters and memory ----
    def _load(self) -> None:
        """Parameters, and what the optimiser remembers, go into the native rows."""
        rows = self.update.rows
        read_data(self.step.parameters, self.numbers_of_parameters)
        rows[0, self.update.positions] = self.numbers_of_parameters
        memory = self.optimizer.memory
        if not isinstance(memory, NativeMemory) or memory.rows is not rows:
            for row, slot in enumerate(self.update.slots, 1):
                rows[row, self.update.own_positions] = memory[slot]
        for record in self.records:
            for value, place in record.live:
                record.bound.shared[place] = value.data
        self.in_rows = True

    def _save(self) -> None:
        """And back."""
        update = self.update
        self.numbers_of_parameters[:] = update.rows[0, update.positions]
        write_data(self.optimizer.parameters, self.numbers_of_parameters)
        self.optimizer.memory = NativeMemory(update.slots, update.rows, update.own_positions)  # type: ignore

    # ---- running ----
    def _drive(self, first: int) -> int:
        """Runs steps natively from `first` on; returns the step at which to go on."""
        last = len(self.which)
        if any(record.one_by_one for record in self.records):
            return self._step_with_threads(first)
        records = np.concatenate([record.numbers for record in self.records])
        with np.errstate(over="ignore"):  # too large for 32 bits is infinite
            numbers = np.array(self.numbers, self.dtype)
        steps, schedule = self.optimizer.steps, self.optimizer.schedule
        rates = np.zeros((last, 2), self.dtype)
        rates[first:, 0] = [schedule(i) for i in range(steps, steps + last - first)]
        rates[first:, 1] = np.arange(steps + 1, steps + 1 + last - first)
        update = self._update_record()
        why = np.zeros(1, np.int64)
        tables = (self.which, records, numbers, self.number_at, self.found, update, rates, why)
        pointers = [table.ctypes.data for table in tables]
        at, size = first, 1
        while at < last:
            start = time.perf_counter()
            upto = min(last, at + size)
            at = self.step.drive(at, upto, *pointers)
            self.optimizer.steps = steps + at - first
            if why[0] != DONE:
                return self._stopped(at, int(why[0]))
            took = time.perf_counter() - start
            size = size * 8 if took < AT_ONCE / 8 else size
        return at

    def _step_with_threads(self, at: int) -> int:
        """One step whose samples are shared out among threads; returns the step at which to go on."""
        record = self.records[self.which[at]]
        bound, update, start = record.bound, self.update, self.number_at[at]
        bound.shared[record.inputs] = self.numbers[start : start + len(record.inputs)]
        bound.shared[record.parameters] = update.rows[0, update.positions]
        bound.run()
        if any((bound.shared[place] != 0) != outcome for place, outcome in record.guards):
            return self._stopped(at, GUARD)
        if not bound.samples_held():
            return self._by_hand(at)
        self.found[at] = bound.shared[record.numbers[Field.LOSS]]
        update.rows[-1, update.positions] = bound.shared[record.gradients]
        if not (np.isfinite(self.found[at]) and np.isfinite(update.rows[-1]).all()):
            return self._stopped(at, NOT_FINITE)
        update.bound.shared[update.lr_at] = self.optimizer.lr
        self.optimizer.steps += 1
        update.bound.shared[update.step_at] = self.optimizer.steps
        update.bound.run()
        return at + 1

    def _update_record(self) -> np.ndarray:
        update = self.update
        kernel = update.kernel
        row = np.zeros(UpdateField.SIZE, np.int64)
        row[UpdateField.RUN] = kernel.address("run")
        own = update.bound.arguments()
        row[UpdateField.ARGUMENTS : UpdateField.ARGUMENTS + len(own)] = own
        row[UpdateField.ROWS] = update.rows.ctypes.data
        row[UpdateField.GRADIENT] = update.rows[-1].ctypes.data
        row[UpdateField.WIDTH] = update.rows.shape[1]
        row[UpdateField.LR], row[UpdateField.STEP] = update.lr_at, update.step_at
        return row

    def _stopped(self, at: int, why: int) -> int:
        """What happens at a step that native code could not do; returns the step at which to go on."""
        self._save()
        if why == NOT_FINITE:
            return self._by_hand(at, saved=True)
        assert why == GUARD
        batch = self.batches[self.of_step[at]]
        paths = self.step.paths.known[batch.key]
        tried = self.tried.setdefault(at, [])
        other = next((i for i, path in enumerate(paths) if id(path) not in tried), None)
        if other is None:
            self.step.paths.add(batch)
            other = 0
        tried.append(id(paths[other]))
        self.which[at], self.number_at[at] = self._number(paths[other], batch), self._begin(batch, paths[other])
        self._load()
        return at

    def _by_hand(self, at: int, saved: bool = False) -> int:
        """A step by the eager engine: its numbers are not finite, or its samples do not all go the same way."""
        if not saved:
            self._save()
        self.in_rows = False  # whoever does the step by hand answers for both, also if it cannot be done
        self.found[at] = self.step.by_hand(self.arguments[at])
        gradients = [parameter.peek_grad() for parameter in self.step.parameters]
        self._load()
        self.update.rows[-1, self.update.positions] = gradients
        return at + 1
