"""Training by native code: many steps in one call, and all rows measured at once. Needs the extra "compiler".

A loss that `fit` knows by name is a mean over samples: the loss of one sample is compiled, and batches of all sizes
share its kernel. A loss of the user's own may combine the predictions in any way: it is compiled as a function of the
whole batch, once for each size. What native code cannot do, the `EagerTrainer` does, with the same numbers.
"""

from __future__ import annotations

import contextlib
import math
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

from chainrule.compiler.compiled import compile
from chainrule.compiler.steps.learning_rates import is_arithmetic
from chainrule.compiler.steps.step import compile_step
from chainrule.core.modes import no_grad
from chainrule.engine import Value
from chainrule.errors import AnomalyError, TraceError
from chainrule.nn import Module
from chainrule.optim import Optimizer, constant
from chainrule.training.native_rows import LaidOut, as_values, by_row, laid_out
from chainrule.training.objective import Objective
from chainrule.training.samples import Samples
from chainrule.training.trainer import EagerTrainer, Numbers, Snapshot, as_reason, measured

SECONDS_PER_CALL = 0.05
"""The aimed-at duration of a native call, so that progress is shown and Ctrl-C is heard."""
MOST_STEPS_PER_CALL = 1024
"""The most steps of a native call, since the rows of all of them are laid out beforehand."""
TRIAL_ROWS = 16
"""Native code must agree with the eager engine on so many rows before it is used."""
TOLERANCE = 1e-7
"""How far a loss or gradient may differ, relative to the largest; sums are added up in another order."""
TRIAL_RATE = 0.01
"""The learning rate of trial steps."""
MAX_TRACES = 8
"""The most control-flow paths of a loss: each takes a good part of a second to compile."""


class _NotFiniteError(Exception):
    """The parameters are not finite any more: an earlier update caused it."""


class CompiledTrainer:
    """A `Trainer` that runs native code.

    Args:
        model, objective, optimizer: as for every trainer.
        strict: whether to raise an error where native code cannot go on; otherwise the eager engine takes over.
        watch: whether to check, before each epoch, that native code still agrees with the eager engine: a callback may
            change what was compiled as a constant.

    Attributes:
        gave_up: why the eager engine took over; "" as long as it has not.

    Raises:
        TraceError: something cannot be compiled.
    """

    def __init__(
        self, model: Module, objective: Objective, optimizer: Optimizer, *, strict: bool = False, watch: bool = False
    ) -> None:
        self.model, self.objective, self.optimizer = model, objective, optimizer
        self.strict, self.watch, self.gave_up = strict, watch, ""
        self.eager = EagerTrainer(model, objective, optimizer)
        _refuse(model)
        self._by_sample = objective.by_sample
        own = {id(parameter) for parameter in optimizer.parameters}
        frozen = [parameter for parameter in model.parameters() if id(parameter) not in own]
        axes = 0 if self._by_sample else None
        self._step = compile_step(self._total, optimizer, in_axes=axes, max_traces=MAX_TRACES, besides=frozen)
        self._step.by_hand = self._by_hand
        self._moved = list(optimizer.parameters)
        measure = self._measured_sample if self._by_sample else self._predicted_sample
        self._measure = compile(measure, in_axes=0, max_traces=MAX_TRACES)
        self._step.fallbacks.name, self._measure.fallbacks.name = "fit", "measuring in fit"  # in warnings
        self._tables: list[LaidOut] = []
        self._running: dict[int, int] = {}
        self._table_running: LaidOut | None = None
        self._rows_running: Sequence[list[int]] = []
        self._reached = 0  # the steps of a run that were done before a failing one
        self._size, self._measured_since = 1, False

    # ---- what is compiled ----
    def _total(self, x: Any, y: Any) -> Value:
        """The loss with the penalty, of one sample or of a batch."""
        return self.objective.total(self.model(x), y)

    def _measured_sample(self, x: Any, y: Any) -> list[Any]:
        prediction = self.model(x)
        return [prediction, self.objective.value(prediction, y)]

    def _predicted_sample(self, x: Any) -> Any:
        return self.model(x)

    # ---- before training ----
    def prepare(self, samples: Samples, batch_size: int) -> None:
        """Compiles everything and compares it with the eager engine. The model does not change, but its gradients
        become 0.

        Raises:
            TraceError: they differ, or something cannot be compiled.
        """
        state, before = random.getstate(), Snapshot(self._step.parameters, self.optimizer)
        try:
            for rate in _trial_rates(self.optimizer):
                with _constant_rate(self.optimizer, rate):
                    stayed_finite = self._compare_with_eager(samples, batch_size, before)
                before.restore()
                if stayed_finite:
                    break
        finally:
            before.restore()
            random.setstate(state)  # so that a program draws the same numbers without compiling
            self.model.zero_grad()

    def _compare_with_eager(self, samples: Samples, batch_size: int, before: Snapshot) -> bool:
        """Compares native code with the eager engine.

        Returns:
            Whether all numbers stayed finite; otherwise little was compared.

        Raises:
            TraceError: they differ.
        """
        table = self._table(samples.X, samples.y)
        rows = list(range(min(batch_size, len(samples))))
        sizes = [rows, rows[: len(samples) % batch_size]]
        if self._by_sample:
            sizes = [rows[:TRIAL_ROWS]]
        first = sizes[0]
        eager = self._eager_gradients(table, first)
        native, same_updates, stayed_finite = eager, True, False
        try:
            self._run(table, [some for some in sizes if some])
            before.restore()
            loss = self._run(table, [first])[0]
            native = [loss, *self._step.gradients]
            same_updates = self._updates_like_eager(table, first, before)
            stayed_finite = True
        except AnomalyError:
            pass  # another rate may work; if not, training itself raises the error in the right place
        before.restore()
        if not same_updates:
            raise TraceError("native code did not move the parameters as the optimizer does")
        self.optimizer.steps += 1000  # the caller restores this
        if self._eager_gradients(table, first) != eager and all(map(math.isfinite, eager)):
            raise TraceError("it gives other numbers each time: by chance, by a state of its own, or by the step")
        if not _close(native, eager):
            raise TraceError("native code did not find the loss and the gradients that the eager engine found")
        given = table.given(first)
        if not _close([self._measured(self._table(*given))["loss"]], [self.eager.measure(*given)["loss"]]):
            raise TraceError("native code did not measure what the eager engine measured")
        return stayed_finite

    def _updates_like_eager(self, table: LaidOut, at: list[int], before: Snapshot) -> bool:
        """Whether two native updates equal those that the optimiser makes from the same gradients.

        Raises:
            AnomalyError: a number is not finite.
        """
        gradients = []
        before.restore()
        for _ in range(2):
            self._run(table, [at])
            gradients.append(self._step.gradients)
        native = self._state()
        before.restore()
        for row in gradients:
            for parameter, gradient in zip(self._step.parameters, row, strict=True):
                parameter.grad = gradient
            self.optimizer.step()
        return _close(native, self._state())

    def _state(self) -> list[float]:
        """All numbers that a step changes."""
        memory = [x for column in self.optimizer.memory.values() for x in column]
        return [*[parameter.data for parameter in self.optimizer.parameters], *memory]

    def _eager_gradients(self, table: LaidOut, at: list[int]) -> list[float]:
        """The loss and the gradients, by the eager engine."""
        self.model.zero_grad()
        total = self._total(*table.given(at))
        total.backward()
        return [total.data, *[parameter.peek_grad() for parameter in self._step.parameters]]

    # ---- a trainer's steps ----
    def step(self, X: list[Any], y: list[Any]) -> None:
        self.some_steps(Samples(X, y), [list(range(len(X)))], 0)

    def some_steps(self, samples: Samples, batches: Sequence[list[int]], first: int) -> int:
        """Does as many steps as take about `SECONDS_PER_CALL`; see `chainrule.training.trainer.some_steps`."""
        table = self._table(samples.X, samples.y)
        if self.watch and self._measured_since:
            self._recheck(table, batches[first])
        self._measured_since = False
        start, rows = time.perf_counter(), batches[first : first + self._size]
        if not self.gave_up:
            try:
                self._run(table, rows)
            except AnomalyError:
                if not self._reached:
                    raise
                return self._reached
            except Exception as error:
                self._give_up(error)
            else:
                self._settle()
                took = max(time.perf_counter() - start, 1e-9)
                self._size = max(1, min(2 * len(rows), int(len(rows) * SECONDS_PER_CALL / took), MOST_STEPS_PER_CALL))
                return len(rows)
        self.eager.step(*table.given(batches[first]))
        return 1

    def _run(self, table: LaidOut, rows: Sequence[list[int]]) -> list[float]:
        """Runs steps in native code and returns their losses: all steps, or, if a number is not finite, none."""
        batches = [table.batch(at) for at in rows]
        self._table_running, self._rows_running = table, rows
        self._running = {id(X): i for i, (X, _) in enumerate(batches)}
        before = Snapshot(self._step.parameters, self.optimizer)
        try:
            try:
                losses = self._step.run(batches)
                if self._step.finite:
                    return losses
            except _NotFiniteError:
                pass
            before.restore()
            return self._run_one_by_one(table, rows)
        except AnomalyError:
            raise
        except BaseException:
            before.restore()
            raise

    def _run_one_by_one(self, table: LaidOut, rows: Sequence[list[int]]) -> list[float]:
        """Repeats steps one by one, to find the one whose update is not finite: the eager engine does that one."""
        if len(rows) == 1:
            self._reached = 0
            self.eager.step(*table.given(rows[0]))  # its error names the parameter
            return [math.nan]
        losses = []
        for i, at in enumerate(rows):
            try:
                losses += self._run(table, [at])
            except AnomalyError:
                self._reached = i
                raise
        return losses

    def _by_hand(self, batch: tuple) -> float:
        """Has the eager engine do a step that native code could not do; it raises an error that names the operation at
        fault."""
        assert self._table_running is not None
        if not self._step.finite:
            raise _NotFiniteError
        self._reached = self._running[id(batch[0])]
        self.eager.step(*self._table_running.given(self._rows_running[self._reached]))
        return math.nan

    def _settle(self) -> None:
        """Leaves what eager steps leave: gradients in the parameters, and the optimiser's memory in lists."""
        self.optimizer.memory = {name: list(column) for name, column in self.optimizer.memory.items()}
        for parameter, gradient in zip(self._step.parameters, self._step.gradients, strict=True):
            parameter.grad = gradient

    # ---- measuring ----
    def measure(self, X: list[Any], y: list[Any]) -> Numbers:
        self._measured_since = True
        if not self.gave_up:
            table = self._table(X, y)
            try:
                numbers = self._measured(table)
                if math.isfinite(numbers["loss"]):
                    return numbers
            except AnomalyError:
                pass
            except Exception as error:
                self._give_up(error)
        return self.eager.measure(X, y)

    def _measured(self, table: LaidOut) -> Numbers:
        results = self._measure(*table.arrays)
        if self._by_sample:
            predictions, losses = by_row(results[0]), results[1].tolist()
            loss = math.fsum(losses) / len(losses)
        else:
            predictions = by_row(results)
            with no_grad():
                loss = self.objective.value(as_values(predictions), table.targets).data
        return measured(self.objective, loss, predictions, table.targets)

    # ---- giving up ----
    def _give_up(self, error: Exception) -> None:
        if self.strict:
            raise error
        self.gave_up = as_reason(error)

    def _recheck(self, table: LaidOut, first: list[int]) -> None:
        """Checks that what was compiled still holds, with the present parameters."""
        at = first[:TRIAL_ROWS] if self._by_sample else first
        try:
            if list(map(id, self.optimizer.parameters)) != list(map(id, self._moved)):
                raise TraceError("the optimizer has other parameters than when it was compiled")
            before = Snapshot(self._step.parameters, self.optimizer)
            try:
                with _constant_rate(self.optimizer, TRIAL_RATE):
                    native = self._run(table, [at])
            except AnomalyError:
                return
            finally:
                before.restore()
            with no_grad():
                eager = [self._total(*table.given(at)).data]
            if not _close(native, eager):
                raise TraceError("the model, the loss or the penalty was changed since it was compiled")
        except Exception as error:
            self._give_up(error)

    # ---- rows ----
    def _table(self, X: list[Any], y: list[Any]) -> LaidOut:
        """Rows in their layout; training and validation rows are laid out once."""
        for table in self._tables:
            if table.rows is X and table.targets is y:
                return table
        table = laid_out(X, y, by_sample=self._by_sample)
        self._tables = [*self._tables[-1:], table]
        return table


def _refuse(model: Module) -> None:
    """Refuses a model with code of its own that native code would not run.

    Raises:
        TraceError: it has such code.
    """
    if type(model).__call__ is not Module.__call__:
        raise TraceError(f"{type(model).__name__} has a __call__ of its own, in which rows may depend on each other")


def _trial_rates(optimizer: Optimizer) -> list[float]:
    """The learning rates to try native code with, until numbers stay finite: one at which parameters move visibly, and
    then the optimiser's own, unless calling its schedule may have side effects."""
    return [TRIAL_RATE, *([optimizer.lr] if is_arithmetic(optimizer.schedule) else [])]


@contextlib.contextmanager
def _constant_rate(optimizer: Optimizer, rate: float) -> Iterator[None]:
    """Replaces the schedule of an optimiser meanwhile, so that trial steps are not counted by the user's own."""
    schedule, optimizer.schedule = optimizer.schedule, constant(rate)
    try:
        yield
    finally:
        optimizer.schedule = schedule


def _close(native: list[float], eager: list[float]) -> bool:
    if not all(map(math.isfinite, [*native, *eager])):
        return True  # training itself raises the error
    largest = max([1.0, *map(abs, eager)])
    return all(abs(a - b) <= TOLERANCE * largest for a, b in zip(native, eager, strict=True))
