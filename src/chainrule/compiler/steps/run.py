"""One call of `run`: many steps, in as few native calls as may be."""

from __future__ import annotations

import time
from array import array
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.compiler.calling.leaves import read_data, write_data
from chainrule.compiler.loops.writing.kernel import Bound
from chainrule.compiler.native.llvm import BoundsError
from chainrule.compiler.native.memory import aligned, for_native_code
from chainrule.compiler.reports.reasons import BY_HAND, one_by_one
from chainrule.compiler.steps.batch import Batch, batches_of
from chainrule.compiler.steps.driver import DONE, NOT_FINITE, REACHED, WHY, Field
from chainrule.compiler.steps.learning_rates import Rates
from chainrule.compiler.steps.levelised_loss import LevelledBound, LevelledKernel
from chainrule.compiler.steps.loss_paths import Path
from chainrule.compiler.steps.loss_record import Record, places_in_rows, record_of
from chainrule.compiler.steps.single_step import Alone
from chainrule.compiler.steps.update import NativeMemory, one_for_each
from chainrule.engine import Value
from chainrule.errors import AnomalyError, ArgumentError, GraphError

if TYPE_CHECKING:
    from chainrule.compiler.steps.step import CompiledStep

AT_ONCE = 0.05
"""A native call lasts about so many seconds at most, so that Ctrl-C is heard."""

MOST_BYTES = 2**26
"""So many bytes of batches a step keeps from one call to the next."""


@dataclass
class Ways:
    """The ways that batches of one structure, or one batch with columns, are known to go.

    Attributes:
        records: the numbers of their records, which the driver tries one after the other.
        alone: whether it cannot do one of them.
    """

    records: list[int] = field(default_factory=list)
    alone: bool = False


class Run:
    """One call of `run`: the records of its steps, and the state while it lasts.

    Args:
        step: what is run.
        batches: for each step the arguments of the loss.
        hint: stands below errors that say that an argument has not its axis.

    Attributes:
        ways: for batches of the same structure the ways that they go.
    """

    def __init__(self, step: CompiledStep, batches: list[tuple], hint: str) -> None:
        self.step, self.arguments, self.hint = step, batches, hint
        self.optimizer, self.update, self.checked = step.optimizer, step.update, step.update.checked
        self.records: list[Record] = []
        self.paths: list[Path] = []
        self.ways: dict[Any, Ways] = {}
        self.found = for_native_code(np.zeros(len(batches), self.update.rows.dtype), self.checked)
        self.numbers_of_parameters = np.empty(len(step.parameters))
        self.overwritten = -1  # the number of a parameter that was written by others while it was in the rows
        self.in_rows = False  # whether parameters and memory are in the native rows at the moment
        self.state = np.zeros(2, np.int64)  # of the driver
        self.steps_before: int | None = None  # the first of this call, as the optimiser counts, while the driver runs
        self.batches, of_step = self._read(batches)
        self.of_step = np.array(of_step, np.intp)
        self.number_of_batch = {id(batch): i for i, batch in enumerate(self.batches)}
        self.columns: dict[tuple, np.ndarray] = {}
        self.tables: tuple[np.ndarray, np.ndarray] | None = None
        self.rates = Rates(self.optimizer, len(batches), self.update)
        step.paths.steps += len(batches)
        if step.paths.prepare(self.batches):
            step.let_go()
        step.paths.refuse_shared(self.batches)
        first = [self.ways_of(batch).records[0] for batch in self.batches]
        step.last = self.paths[first[-1]] if self.batches else step.last
        self.which = for_native_code(np.array(first, np.int64)[self.of_step], self.checked)
        numbers = array("d")
        begins = np.array([self._begin(batch, numbers) for batch in self.batches], np.int64)
        self.number_at = for_native_code(begins[self.of_step], self.checked)
        self.numbers = for_native_code(np.array(numbers, self.update.rows.dtype), self.checked)

    def _read(self, all_arguments: list[tuple]) -> tuple[list[Batch], list[int]]:
        try:
            return batches_of(all_arguments, self.step.in_axes, self.step.exact)
        except ArgumentError as error:
            if self.hint:
                error.add_note(self.hint)
            raise

    def losses(self) -> list[float]:
        try:
            self._load()
            at = 0
            while at < len(self.which):
                alone = self.update.one_by_one or self.rates.in_turn
                alone = alone or self.ways_of(self.batches[self.of_step[at]]).alone
                at = self._step_alone(at) if alone else self._drive(at)
        finally:
            if self.in_rows:
                self._count()
                self.save()
            self._forget()
        if self.overwritten >= 0:
            raise GraphError(overwritten(self.step.parameters[self.overwritten], self.overwritten))
        return self.found.tolist()

    @staticmethod
    def _begin(batch: Batch, numbers: array) -> int:
        """Takes the numbers of a batch; gives where they begin."""
        at = len(numbers)
        numbers.fromlist(batch.numbers)
        return at

    # ---- records ----
    def ways_of(self, batch: Batch) -> Ways:
        """All ways that such a batch is known to go."""
        own = batch.key if batch.columns is None else id(batch)
        ways = self.ways.get(own)
        if ways is None:
            ways = self.ways[own] = Ways()
            self.step.paths.used(batch.key)
        known = self.step.paths.known[batch.key]
        if len(ways.records) < len(known):
            there = {self.paths[way] for way in ways.records}
            for path in known:
                if path not in there:
                    self._add_way(ways, path, batch)
        return ways

    def _add_way(self, ways: Ways, path: Path, batch: Batch) -> None:
        record = self._record(path, batch)
        if len(batch.numbers) != len(path.places):
            raise BoundsError(f"a batch has {len(batch.numbers)} numbers, but its kernel takes {len(path.places)}")
        for value, place in path.live:
            record.bound.shared[place] = value.data
        ways.records.append(len(self.records))
        ways.alone |= record.one_by_one
        self.records.append(record)
        self.paths.append(path)
        self.tables = None

    def _record(self, path: Path, batch: Batch) -> Record:
        """The record of a path; without columns, it serves for all batches, else the next call's may lie there."""
        key = (path, None if batch.columns is None else (self.number_of_batch[id(batch)], batch.columns.shape))
        if key in self.step.records:
            if batch.columns is not None:
                self._columns(batch, self.step.records[key].bound)
        else:
            if not self.update.arranged:
                self.update.arrange(places_in_rows(path, self.update.count))
            self.step.records[key] = record_of(path, self.bind(path, batch), self.update.positions)
        return self.step.records[key]

    def bind(self, path: Path, batch: Batch) -> Bound | LevelledBound:
        """The path's kernel for a batch; steps come one after the other, and share all memory but the columns."""
        columns = batch.columns
        bounds = self.step.memories.setdefault(path.kernel, {})
        key = None if columns is None else columns.shape
        if columns is None or key not in bounds:
            bounds[key] = path.bind(columns, next(iter(bounds.values()), None))
        like = bounds[key]
        return like if columns is None else replace(like, columns=self._columns(batch, like))

    def _columns(self, batch: Batch, like: Bound | LevelledBound) -> np.ndarray:
        """The columns of a batch as kernels want them, in memory that is kept; its ways share them."""
        assert batch.columns is not None
        assert like.columns is not None
        key = (self.number_of_batch[id(batch)], like.columns.shape, like.columns.dtype)
        if key not in self.columns:
            if key not in self.step.columns:
                self.step.columns[key] = aligned(like.columns.shape, like.columns.dtype)
            self.columns[key] = self.step.columns[key]
            self.columns[key][:, : batch.columns.shape[1]] = batch.columns
        return self.columns[key]

    # ---- parameters and memory ----
    def _load(self) -> None:
        """Parameters, and what the optimiser remembers, go into the native rows."""
        rows = self.update.rows
        self.update.read_live()
        read_data(self.step.parameters, self.numbers_of_parameters)
        rows[0, self.update.positions] = self.numbers_of_parameters
        memory = self.optimizer.memory
        if isinstance(memory, NativeMemory) and memory.rows is rows:
            memory.read_again()
        else:
            for row, slot in enumerate(self.update.slots, 1):
                rows[row, self.update.own_positions] = one_for_each(slot, memory[slot], self.update.count)
        self.steps_when_saved = self.optimizer.steps
        self.in_rows = True

    def _read_still(self) -> None:
        """Reads once more what no step moves, and the schedule may have written."""
        self.update.read_live()
        still = self.update.count
        if still < len(self.step.parameters):
            read_data(self.step.parameters[still:], self.numbers_of_parameters[still:])
            self.update.rows[0, self.update.positions[still:]] = self.numbers_of_parameters[still:]

    def save(self) -> None:
        """And back."""
        update, before = self.update, self.numbers_of_parameters
        now = update.rows[0, update.positions]
        if now.dtype != before.dtype:  # what has not moved is not to be rounded to 32 bits
            now = np.where(now != before.astype(now.dtype), now, before)
        self.numbers_of_parameters = now
        other = write_data(self.step.parameters[: update.count], self.numbers_of_parameters, before)
        if other >= 0:
            self.overwritten = other
        self.optimizer.memory = NativeMemory(update, self.step.turn)  # type: ignore
        self.steps_when_saved = self.optimizer.steps

    def break_off(self) -> None:
        """In a forked process, where the thread that ran this does not exist: what is in the rows is lost. Parameters
        and count of steps are those from before."""
        if self.in_rows:
            self.optimizer.steps, memory = self.steps_when_saved, self.optimizer.memory
            if isinstance(memory, NativeMemory) and memory.rows is self.update.rows:
                memory.lose()

    def _forget(self) -> None:
        """Lets go of copies of many large batches, or of batches of many sizes, which the next call would hardly have
        again."""
        step = self.step
        kept = sum([columns.nbytes for columns in step.columns.values()])
        sizes = sum([len(bounds) for bounds in step.memories.values() if None not in bounds])
        if kept > MOST_BYTES or sizes > step.options.max_structures:
            step.let_go()

    # ---- running ----
    def _drive(self, first: int) -> int:
        """Runs steps natively from `first` on; returns the step at which to go on."""
        records, alone = self._tables()
        last = self._asked_rates(first)
        last = first + int(np.argmax(alone[first:last])) if alone[first:last].any() else last
        update = self.update.record()
        tables = (self.which, records, self.numbers, self.number_at, self.found, update, self.rates.rows, self.state)
        pointers = [table.ctypes.data for table in tables]
        at, size = first, 1
        self.state[REACHED], self.steps_before = first, self.optimizer.steps - first
        while at < last:
            start = time.perf_counter()
            self.step.drive(at, min(last, at + size), *pointers)
            self._count()
            if self.checked:
                self._check_bounds()
            at = int(self.state[REACHED])
            if self.state[WHY] != DONE:
                break
            took = time.perf_counter() - start
            size = size * 8 if took < AT_ONCE / 8 else size
        self.steps_before = None
        if at < last:
            return self._not_finite(at) if self.state[WHY] == NOT_FINITE else self._step_alone(at)
        return at

    def _check_bounds(self) -> None:
        for record in self.records:
            if isinstance(record.bound, Bound):
                record.bound.kernel.check()
        if isinstance(self.update.bound, Bound):
            self.update.bound.kernel.check()

    def _count(self) -> None:
        """Tells the optimiser how many steps there were; whatever interrupts Python, the driver's row has it."""
        if self.steps_before is not None:
            self.optimizer.steps = self.steps_before + int(self.state[REACHED])

    def _tables(self) -> tuple[np.ndarray, np.ndarray]:
        """All records, each of which knows the one to try next; and for each step whether the driver cannot do it."""
        if self.tables is None:
            records = for_native_code(np.stack([record.numbers for record in self.records]), self.checked)
            for ways in self.ways.values():
                records[ways.records[:-1], Field.OTHERWISE] = ways.records[1:]
            alone = np.array([self.ways_of(batch).alone for batch in self.batches])
            self.tables = records, alone[self.of_step]
        return self.tables

    def _asked_rates(self, first: int) -> int:
        """Asks for the learning rates from step `first` on; returns the step before which to ask again."""
        if not self.rates.in_turn:
            return self.rates.ask(first)
        self.save()  # the schedule may look at all that there is
        known = self.rates.ask(first)
        self._read_still()
        return known

    def _step_alone(self, at: int) -> int:
        """One step that the driver cannot do, since its samples are shared out among threads, or may go different
        ways, or since it has no loops, or goes a way that is new; returns the step at which to go on."""
        batch = self.batches[self.of_step[at]]
        found = Alone(self).calculated(batch)
        if not np.isfinite(found).all():
            return self._not_finite(at)
        path = self.paths[self.ways_of(batch).records[0]]
        if isinstance(path.kernel, LevelledKernel):
            self.step.fallbacks.met(one_by_one(path.stages.no_loops))
        if self.update.one_by_one:
            self.step.fallbacks.met(one_by_one(self.update.no_loops, "update"))
        return self._updated(at, found)

    def _updated(self, at: int, found: np.ndarray) -> int:
        """Ends a step whose loss and gradients are known; returns the step at which to go on."""
        update = self.update
        self.found[at] = found[0]
        update.rows[-1, update.positions] = found[1:]
        self._asked_rates(at)
        update.fill(self.rates.of(at))
        run = update.run
        self.optimizer.steps += 1  # side by side, so that an interrupt hardly comes between
        run()
        return at + 1

    def _not_finite(self, at: int) -> int:
        """A step whose numbers are not finite: the eager engine names the operation. Where it found finite ones before,
        since there a zero in a product deposits nothing, exact native code does such steps."""
        batch = self.batches[self.of_step[at]]
        if self.step.fallbacks.times(BY_HAND) >= BY_HAND.calls:
            found = Alone(self).exactly(batch)
            if found is not None and np.isfinite(found).all():
                return self._updated(at, found)
        reached = self._by_hand(at)
        operations = self.paths[self.ways_of(batch).records[0]].operations
        samples = 1 if batch.columns is None else batch.columns.shape[1]
        self.step.fallbacks.met(BY_HAND, 1, samples * operations)
        return reached

    def _by_hand(self, at: int) -> int:
        """A step by the eager engine, since its numbers are not finite; returns the step at which to go on."""
        self.save()
        self.in_rows = False  # whoever does the step by hand answers for both, also if it cannot be done
        try:
            self.found[at] = self.step.by_hand(self.arguments[at])
        except AnomalyError as error:
            error.add_note(f"It was step {at} of these {len(self.arguments)}, counted from 0.")
            raise
        gradients = [parameter.peek_grad() for parameter in self.step.parameters]
        self._load()
        self.update.rows[-1, self.update.positions] = gradients
        return at + 1


def overwritten(parameter: Value, at: int) -> str:
    """What an error says of a parameter that others wrote during a step."""
    name = f"the parameter {parameter.label}" if parameter.label else f"parameter {at} of the optimizer"
    return (
        f"{name} was written while a step ran, by another thread or by the schedule: what was written is lost, since a "
        "step keeps the parameters until it ends. Write them between steps, and train them by one optimizer"
    )
