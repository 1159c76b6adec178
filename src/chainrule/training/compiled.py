"""Training by native code: many steps in one call, and all rows measured at once. Needs the extra "compiler".

A loss that `fit` knows by name is a mean over samples: that of one sample is compiled, and batches of all sizes share
its kernel. A loss of the user's own may do with the predictions what it likes: it is compiled as a function of the
whole batch, once for each size. Whatever native code cannot do is done by the `EagerTrainer`, with the same numbers.
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

AT_ONCE = 0.05
"""One native call takes about so many seconds: the user sees progress, and Ctrl-C is heard."""
MOST_AT_ONCE = 1024
"""And so many steps at most, since the rows of all of them are laid out before."""
TRIED = 16
"""On so many rows native code has to find what the eager engine finds, before it is used."""
CLOSE = 1e-7
"""By how much a loss or gradient may differ in that, relative to the largest; sums are added in another order."""
STEADY_RATE = 0.01
"""The learning rate of steps that are only tried."""
MAX_TRACES = 8
"""How many ways a loss may go: each takes a good part of a second to compile."""


class _SpoiltError(Exception):
    """Parameters are not finite already: an update before this step did it."""


class CompiledTrainer:
    """A `Trainer` that runs native code.

    Args:
        model, objective, optimizer: as for every trainer.
        strict: raise an error where native code cannot go on; else the eager engine does from there on.
        watch: before each epoch, see whether native code still finds what the eager engine finds: something that is
            called between the epochs may change what was compiled as a constant.

    Attributes:
        gave_up: why the eager engine took over; "" as long as it has not.

    Raises:
        TraceError: something about them cannot be compiled.
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
        still = [parameter for parameter in model.parameters() if id(parameter) not in own]
        axes = 0 if self._by_sample else None
        self._step = compile_step(self._total, optimizer, in_axes=axes, max_traces=MAX_TRACES, besides=still)
        self._step.by_hand = self._by_hand
        self._moved = list(optimizer.parameters)
        measure = self._measured_sample if self._by_sample else self._predicted_sample
        self._measure = compile(measure, in_axes=0, max_traces=MAX_TRACES)
        self._step.fallbacks.name, self._measure.fallbacks.name = "fit", "measuring in fit"  # what a warning calls them
        self._tables: list[LaidOut] = []
        self._running: dict[int, int] = {}
        self._table_running: LaidOut | None = None
        self._rows_running: Sequence[list[int]] = []
        self._reached = 0  # how many steps of a run were done before one at fault
        self._size, self._measured_since = 1, False

    # ---- what is compiled ----
    def _total(self, x: Any, y: Any) -> Value:
        """Of one sample, or of a batch."""
        return self.objective.total(self.model(x), y)

    def _measured_sample(self, x: Any, y: Any) -> list[Any]:
        prediction = self.model(x)
        return [prediction, self.objective.value(prediction, y)]

    def _predicted_sample(self, x: Any) -> Any:
        return self.model(x)

    # ---- before training ----
    def prepare(self, samples: Samples, batch_size: int) -> None:
        """Compiles everything, and sees whether it finds what the eager engine finds; the model stays as it is,
        but its gradients are set to 0.

        Raises:
            TraceError: it does not, or something cannot be compiled.
        """
        state, before = random.getstate(), Snapshot(self._step.parameters, self.optimizer)
        try:
            for rate in _trial_rates(self.optimizer):
                with _steady_rate(self.optimizer, rate):
                    stayed_finite = self._try(samples, batch_size, before)
                before.restore()
                if stayed_finite:
                    break
        finally:
            before.restore()
            random.setstate(state)  # the batches of whoever draws from there are the same with and without compiling
            self.model.zero_grad()

    def _try(self, samples: Samples, batch_size: int, before: Snapshot) -> bool:
        """Compares native code with the eager engine; False where numbers left the finite, so that little was compared.

        Raises:
            TraceError: they differ.
        """
        table = self._table(samples.X, samples.y)
        rows = list(range(min(batch_size, len(samples))))
        sizes = [rows, rows[: len(samples) % batch_size]]
        if self._by_sample:
            sizes = [rows[:TRIED]]
        first = sizes[0]
        wanted = self._eager_gradients(table, first)
        found, moved, stayed_finite = wanted, True, False
        try:
            self._run(table, [some for some in sizes if some])
            before.restore()
            loss = self._run(table, [first])[0]
            found = [loss, *self._step.gradients]
            moved = self._moves_as_eager(table, first, before)
            stayed_finite = True
        except AnomalyError:
            pass  # at another rate all may be well; if not, the training itself will say so, in the right place
        before.restore()
        if not moved:
            raise TraceError("native code did not move the parameters as the optimizer does")
        self.optimizer.steps += 1000  # put back by whoever called this
        if self._eager_gradients(table, first) != wanted and all(map(math.isfinite, wanted)):
            raise TraceError("it gives other numbers each time: by chance, by a state of its own, or by the step")
        if not _close(found, wanted):
            raise TraceError("native code did not find the loss and the gradients that the eager engine found")
        few = table.given(first)
        if not _close([self._measured(self._table(*few))["loss"]], [self.eager.measure(*few)["loss"]]):
            raise TraceError("native code did not measure what the eager engine measured")
        return stayed_finite

    def _moves_as_eager(self, table: LaidOut, at: list[int], before: Snapshot) -> bool:
        """Whether two native updates are those that the optimiser makes of the same gradients.

        Raises:
            AnomalyError: a number is no longer finite.
        """
        gradients = []
        before.restore()
        for _ in range(2):
            self._run(table, [at])
            gradients.append(self._step.gradients)
        found = self._state()
        before.restore()
        for row in gradients:
            for parameter, gradient in zip(self._step.parameters, row, strict=True):
                parameter.grad = gradient
            self.optimizer.step()
        return _close(found, self._state())

    def _state(self) -> list[float]:
        """All that a step changes."""
        memory = [x for column in self.optimizer.memory.values() for x in column]
        return [*[parameter.data for parameter in self.optimizer.parameters], *memory]

    def _eager_gradients(self, table: LaidOut, at: list[int]) -> list[float]:
        """The loss and the gradients."""
        self.model.zero_grad()
        total = self._total(*table.given(at))
        total.backward()
        return [total.data, *[parameter.peek_grad() for parameter in self._step.parameters]]

    # ---- a trainer's steps ----
    def step(self, X: list[Any], y: list[Any]) -> None:
        self.some_steps(Samples(X, y), [list(range(len(X)))], 0)

    def some_steps(self, samples: Samples, batches: Sequence[list[int]], first: int) -> int:
        """As many steps as take `AT_ONCE`; see `chainrule.training.trainer.some_steps`."""
        table = self._table(samples.X, samples.y)
        if self.watch and self._measured_since:
            self._look(table, batches[first])
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
                self._size = max(1, min(2 * len(rows), int(len(rows) * AT_ONCE / took), MOST_AT_ONCE))
                return len(rows)
        self.eager.step(*table.given(batches[first]))
        return 1

    def _run(self, table: LaidOut, rows: Sequence[list[int]]) -> list[float]:
        """So many steps in native code, all of them, or, unless a number is not finite, none; gives the losses."""
        batches = [table.batch(at) for at in rows]
        self._table_running, self._rows_running = table, rows
        self._running = {id(X): i for i, (X, _) in enumerate(batches)}
        before = Snapshot(self._step.parameters, self.optimizer)
        try:
            try:
                losses = self._step.run(batches)
                if self._step.finite:
                    return losses
            except _SpoiltError:
                pass
            before.restore()
            return self._run_one_by_one(table, rows)
        except AnomalyError:
            raise
        except BaseException:
            before.restore()
            raise

    def _run_one_by_one(self, table: LaidOut, rows: Sequence[list[int]]) -> list[float]:
        """The same steps, to find the one whose update gives a number that is not finite: the eager engine does it."""
        if len(rows) == 1:
            self._reached = 0
            self.eager.step(*table.given(rows[0]))  # names the parameter
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
        """A step that native code could not do: the eager engine does it, or names the operation at fault."""
        assert self._table_running is not None
        if not self._step.finite:
            raise _SpoiltError
        self._reached = self._running[id(batch[0])]
        self.eager.step(*self._table_running.given(self._rows_running[self._reached]))
        return math.nan

    def _settle(self) -> None:
        """Leaves everything as eager steps do: gradients in the parameters, and what the optimiser keeps in lists."""
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
        found = self._measure(*table.arrays)
        if self._by_sample:
            predictions, losses = by_row(found[0]), found[1].tolist()
            loss = math.fsum(losses) / len(losses)
        else:
            predictions = by_row(found)
            with no_grad():
                loss = self.objective.value(as_values(predictions), table.targets).data
        return measured(self.objective, loss, predictions, table.targets)

    # ---- giving up ----
    def _give_up(self, error: Exception) -> None:
        if self.strict:
            raise error
        self.gave_up = as_reason(error)

    def _look(self, table: LaidOut, first: list[int]) -> None:
        """Sees whether what was compiled still holds, at the numbers that the parameters now have."""
        at = first[:TRIED] if self._by_sample else first
        try:
            if list(map(id, self.optimizer.parameters)) != list(map(id, self._moved)):
                raise TraceError("the optimizer has other parameters than when it was compiled")
            before = Snapshot(self._step.parameters, self.optimizer)
            try:
                with _steady_rate(self.optimizer, STEADY_RATE):
                    found = self._run(table, [at])
            except AnomalyError:
                return
            finally:
                before.restore()
            with no_grad():
                wanted = [self._total(*table.given(at)).data]
            if not _close(found, wanted):
                raise TraceError("the model, the loss or the penalty was changed since it was compiled")
        except Exception as error:
            self._give_up(error)

    # ---- rows ----
    def _table(self, X: list[Any], y: list[Any]) -> LaidOut:
        """These rows, laid out; training and validation rows are so once."""
        for table in self._tables:
            if table.rows is X and table.targets is y:
                return table
        table = laid_out(X, y, by_sample=self._by_sample)
        self._tables = [*self._tables[-1:], table]
        return table


def _refuse(model: Module) -> None:
    """Refuse what is the user's own where native code would not see it.

    Raises:
        TraceError: something is.
    """
    if type(model).__call__ is not Module.__call__:
        raise TraceError(f"{type(model).__name__} has a __call__ of its own, in which rows may depend on each other")


def _trial_rates(optimizer: Optimizer) -> list[float]:
    """The learning rates to try native code with, until numbers stay finite: one at which parameters move visibly, and
    the optimiser's own, unless asking for it may change something."""
    return [STEADY_RATE, *([optimizer.lr] if is_arithmetic(optimizer.schedule) else [])]


@contextlib.contextmanager
def _steady_rate(optimizer: Optimizer, rate: float) -> Iterator[None]:
    """An optimiser with another schedule: steps that are taken back are not to be counted by its own."""
    schedule, optimizer.schedule = optimizer.schedule, constant(rate)
    try:
        yield
    finally:
        optimizer.schedule = schedule


def _close(found: list[float], wanted: list[float]) -> bool:
    if not all(map(math.isfinite, [*found, *wanted])):
        return True  # the training itself will say so
    largest = max([1.0, *map(abs, wanted)])
    return all(abs(a - b) <= CLOSE * largest for a, b in zip(found, wanted, strict=True))
