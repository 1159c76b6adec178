"""One call of `run`: many steps, in as few native calls as possible."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.compiler.calling.leaves import read_data, write_data
from chainrule.compiler.loops.codegen.kernel import Bound
from chainrule.compiler.native.memory import for_native_code
from chainrule.compiler.reports.reasons import BY_HAND, one_by_one
from chainrule.compiler.steps.batch import Batch, batches_of
from chainrule.compiler.steps.batch_paths import BatchPaths, StepCache
from chainrule.compiler.steps.driver import DONE, NOT_FINITE, REACHED, WHY
from chainrule.compiler.steps.exclusive import Turn
from chainrule.compiler.steps.learning_rates import Rates
from chainrule.compiler.steps.levelised_loss import LevelisedKernel
from chainrule.compiler.steps.loss_paths import Paths
from chainrule.compiler.steps.single_step import SingleStepLoss
from chainrule.compiler.steps.update import NativeMemory, Update, check_names, one_for_each
from chainrule.engine import Value
from chainrule.errors import AnomalyError, ArgumentError, GraphError
from chainrule.optim import Optimizer

AT_ONCE = 0.05
"""The longest time of a native call in seconds, roughly: Python reacts to Ctrl-C only between calls."""


@dataclass
class Work:
    """The parts of a compiled step that its runs use.

    Attributes:
        optimizer: the optimiser.
        paths: the control-flow paths of the loss.
        update: the native update.
        cache: what is kept from one run to the next.
        turn: the lock of the optimiser's steps.
        drive: the driver's native function.
        by_hand: does a step that native code cannot do, on the given arguments of the loss; returns the loss before it.
    """

    optimizer: Optimizer
    paths: Paths
    update: Update
    cache: StepCache
    turn: Turn
    drive: Callable
    by_hand: Callable[[tuple], float]


class Run:
    """One call of `run`: the tables for the driver, and the state of its steps.

    Args:
        work: the parts of the compiled step.
        batches: for each step the arguments of the loss.
        hint: a note for errors about the arguments, which says how to call `run`; empty for none.

    Attributes:
        batches: the different batches.
        of_step: for each step the index of its batch.
        step_losses: the loss of each step.
        of_batches: the control-flow paths that the batches take.
        last: the path that is tried first for the last batch; None if there are no batches.
        overwritten: the index of a parameter that others wrote while it was in the rows; -1 if there is none.
        in_rows: whether the native rows hold the present parameters and memory.
        state: the row that the driver writes before it returns.
        steps_before: while the driver runs, the optimiser's count of steps before the first step of this run.
    """

    def __init__(self, work: Work, batches: list[tuple], hint: str) -> None:
        self.work, self.arguments = work, batches
        self.optimizer, self.update, self.checked = work.optimizer, work.update, work.update.checked
        self.parameters, self.fallbacks = work.paths.parameters, work.paths.fallbacks
        self.step_losses = for_native_code(np.zeros(len(batches), self.update.rows.dtype), self.checked)
        self.numbers_of_parameters = np.empty(len(self.parameters))
        self.overwritten = -1
        self.in_rows = False
        self.state = np.zeros(2, np.int64)
        self.steps_before: int | None = None
        self.batches, of_step = self._read(batches, hint)
        self.of_step = np.array(of_step, np.intp)
        self.rates = Rates(self.optimizer, len(batches), self.update)
        self.of_batches = BatchPaths(self.batches, work.paths, self.update, work.cache)
        self._prepare()

    def _read(self, all_arguments: list[tuple], hint: str) -> tuple[list[Batch], list[int]]:
        options = self.work.paths.options
        try:
            return batches_of(all_arguments, options.in_axes, options.exact)
        except ArgumentError as error:
            if hint:
                error.add_note(hint)
            raise

    def _prepare(self) -> None:
        """Traces and compiles the loss for batches of new structures, and makes the driver's tables."""
        paths = self.work.paths
        paths.steps += len(self.arguments)
        if paths.prepare(self.batches):
            self.work.cache.clear()
        paths.refuse_shared(self.batches)
        first = [self.of_batches.of(batch).records[0] for batch in self.batches]
        self.last = self.of_batches.paths[first[-1]] if first else None
        self.which = for_native_code(np.array(first, np.int64)[self.of_step], self.checked)
        numbers, begins = array("d"), []
        for batch in self.batches:
            begins.append(len(numbers))
            numbers.fromlist(batch.numbers)
        self.number_at = for_native_code(np.array(begins, np.int64)[self.of_step], self.checked)
        self.numbers = for_native_code(np.array(numbers, self.update.rows.dtype), self.checked)

    def losses(self) -> list[float]:
        """Runs all steps; returns their losses."""
        try:
            self._load()
            at = 0
            while at < len(self.which):
                alone = self.update.one_by_one or self.rates.in_turn
                alone = alone or self.of_batches.of(self.batches[self.of_step[at]]).alone
                at = self._step_alone(at) if alone else self._drive(at)
        finally:
            if self.in_rows:
                self._count()
                self.save()
            self.work.cache.clear_if_large(self.work.paths.options.max_structures)
        if self.overwritten >= 0:
            raise GraphError(overwritten(self.parameters[self.overwritten], self.overwritten))
        return self.step_losses.tolist()

    # ---- parameters and memory ----
    def _load(self) -> None:
        """Copies the parameters and the optimiser's memory to the native rows."""
        rows = self.update.rows
        self.update.read_live()
        read_data(self.parameters, self.numbers_of_parameters)
        rows[0, self.update.positions] = self.numbers_of_parameters
        memory = self.optimizer.memory
        if isinstance(memory, NativeMemory) and memory.rows is rows:
            memory.read_again()
        else:
            check_names(memory, self.update.slots)
            for row, slot in enumerate(self.update.slots, 1):
                rows[row, self.update.own_positions] = one_for_each(slot, memory[slot], self.update.count)
        self.steps_when_saved = self.optimizer.steps
        self.in_rows = True

    def _read_still(self) -> None:
        """Reads again the Values that steps do not change but the schedule may have written."""
        self.update.read_live()
        still = self.update.count
        if still < len(self.parameters):
            read_data(self.parameters[still:], self.numbers_of_parameters[still:])
            self.update.rows[0, self.update.positions[still:]] = self.numbers_of_parameters[still:]

    def save(self) -> None:
        """Copies the parameters from the native rows to their Values, and has the optimiser's memory read the rows."""
        update, before = self.update, self.numbers_of_parameters
        now = update.rows[0, update.positions]
        if now.dtype != before.dtype:  # parameters that have not moved must not be rounded to 32 bits
            now = np.where(now != before.astype(now.dtype), now, before)
        self.numbers_of_parameters = now
        other = write_data(self.parameters[: update.count], self.numbers_of_parameters, before)
        if other >= 0:
            self.overwritten = other
        self.optimizer.memory = NativeMemory(update, self.work.turn)  # type: ignore
        self.steps_when_saved = self.optimizer.steps

    def break_off(self) -> None:
        """Abandons the run in a forked process, where its thread does not exist. What is in the rows is lost; the
        parameters and the count of steps are those that were saved last."""
        if self.in_rows:
            self.optimizer.steps, memory = self.steps_when_saved, self.optimizer.memory
            if isinstance(memory, NativeMemory) and memory.rows is self.update.rows:
                memory.lose()

    # ---- running ----
    def _drive(self, first: int) -> int:
        """Runs steps from `first` on by the driver; returns the step at which to go on."""
        records, alone_of = self.of_batches.tables()
        alone = alone_of[self.of_step]
        last = self._asked_rates(first)
        last = first + int(np.argmax(alone[first:last])) if alone[first:last].any() else last
        update = self.update.record()
        tables = (self.which, records, self.numbers, self.number_at, self.step_losses, update, self.rates.rows,
                  self.state)  # fmt: skip
        pointers = [table.ctypes.data for table in tables]
        at, size = first, 1
        self.state[REACHED], self.steps_before = first, self.optimizer.steps - first
        while at < last:
            start = time.perf_counter()
            self.work.drive(at, min(last, at + size), *pointers)
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
        self.of_batches.check_bounds()
        if isinstance(self.update.bound, Bound):
            self.update.bound.kernel.check()

    def _count(self) -> None:
        """Sets the optimiser's count of steps from the driver's row, which is right even after an interrupt."""
        if self.steps_before is not None:
            self.optimizer.steps = self.steps_before + int(self.state[REACHED])

    def _asked_rates(self, first: int) -> int:
        """Asks for the learning rates from step `first` on; returns the first step whose rate is not known yet."""
        if not self.rates.in_turn:
            return self.rates.ask(first)
        self.save()  # the schedule may read anything
        known = self.rates.ask(first)
        self._read_still()
        return known

    def _step_alone(self, at: int) -> int:
        """Does one step that the driver cannot do: its samples are shared among threads or may take different paths, or
        its kernel has no loops, or its path is new. Returns the step at which to go on."""
        batch = self.batches[self.of_step[at]]
        found = SingleStepLoss(self.of_batches, self.save).calculated(batch)
        if not np.isfinite(found).all():
            return self._not_finite(at)
        path = self.of_batches.first(batch)
        if isinstance(path.kernel, LevelisedKernel):
            self.fallbacks.met(one_by_one(path.stages.no_loops))
        if self.update.one_by_one:
            self.fallbacks.met(one_by_one(self.update.no_loops, "update"))
        return self._updated(at, found)

    def _updated(self, at: int, found: np.ndarray) -> int:
        """Runs the update of a step whose loss and gradients are known; returns the step at which to go on."""
        update = self.update
        self.step_losses[at] = found[0]
        update.rows[-1, update.positions] = found[1:]
        self._asked_rates(at)
        update.fill(self.rates.of(at))
        run = update.run
        self.optimizer.steps += 1  # next to the update, so that an interrupt hardly comes between
        run()
        return at + 1

    def _not_finite(self, at: int) -> int:
        """Does a step whose loss or gradients are not finite by the eager engine, which names the operation.

        The eager engine may find finite numbers, since there a zero factor deposits nothing; after a few such steps,
        exact native code does them instead. Returns the step at which to go on.
        """
        batch = self.batches[self.of_step[at]]
        if self.fallbacks.times(BY_HAND) >= BY_HAND.calls:
            found = SingleStepLoss(self.of_batches, self.save).exactly(batch)
            if found is not None and np.isfinite(found).all():
                return self._updated(at, found)
        reached = self._by_hand(at)
        operations = self.of_batches.first(batch).operations
        samples = 1 if batch.columns is None else batch.columns.shape[1]
        self.fallbacks.met(BY_HAND, 1, samples * operations)
        return reached

    def _by_hand(self, at: int) -> int:
        """Does a step by the eager engine; returns the step at which to go on."""
        self.save()
        self.in_rows = False  # `by_hand` works on the Values, which stay as it leaves them even if it fails
        try:
            self.step_losses[at] = self.work.by_hand(self.arguments[at])
        except AnomalyError as error:
            error.add_note(f"It was step {at} of these {len(self.arguments)}, counted from 0.")
            raise
        gradients = [parameter.peek_grad() for parameter in self.parameters]
        self._load()
        self.update.rows[-1, self.update.positions] = gradients
        return at + 1


def overwritten(parameter: Value, at: int) -> str:
    """Returns the error message for a parameter that others wrote during a step."""
    name = f"the parameter {parameter.label}" if parameter.label else f"parameter {at} of the optimizer"
    return (
        f"{name} was written while a step ran, by another thread or by the schedule: what was written is lost, since a "
        "step keeps the parameters until it ends. Write them between steps, and train them by one optimizer"
    )
