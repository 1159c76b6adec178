"""`compile_step`: compiles the training step of a loss and an optimiser; one native call can do many steps."""

from __future__ import annotations

import ctypes
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from threading import get_ident
from typing import Any

import numpy as np

from chainrule.compiler.calling.options import check_function, options_of
from chainrule.compiler.calling.paths import name_of
from chainrule.compiler.native.llvm import Machine
from chainrule.compiler.native.memory import too_large_is_infinite
from chainrule.compiler.reports.fallbacks import Fallbacks
from chainrule.compiler.reports.reasons import OTHER_SETTINGS
from chainrule.compiler.reports.report import GraphView
from chainrule.compiler.steps.batch import batch_of
from chainrule.compiler.steps.batch_paths import StepCache
from chainrule.compiler.steps.driver import driver
from chainrule.compiler.steps.exclusive import turn_of
from chainrule.compiler.steps.loss_paths import Path, Paths, as_value
from chainrule.compiler.steps.loss_record import Record
from chainrule.compiler.steps.options import Options, check_optimizer, refuse_own_methods
from chainrule.compiler.steps.report import explained
from chainrule.compiler.steps.run import Run, Work
from chainrule.compiler.steps.signature import LossArguments
from chainrule.compiler.steps.update import Update
from chainrule.core.anomaly import detect_anomaly
from chainrule.core.hooks import unrecorded
from chainrule.core.modes import open_modes
from chainrule.core.texts import Report
from chainrule.engine import Value
from chainrule.errors import AnomalyError, ArgumentError, TraceError, shown
from chainrule.optim import Optimizer

_DRIVE = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, *[ctypes.c_void_p] * 8)


class CompiledStep:
    """A training step: the loss, its gradients, and the optimiser's update. Made by `compile_step`.

    Attributes:
        by_hand: does a step that native code cannot do, on the given arguments of the loss, and returns the loss before
            it; by default `eager_step`.
        update: the native update of all parameters.
        drive: the native loop over steps.
        cache: what is kept from one call to the next.
        last: the control-flow path of the last step's loss.
        turn: the lock of the optimiser's steps, which run one at a time.
    """

    def __init__(self, loss: Callable, optimizer: Optimizer, options: Options) -> None:
        self.loss, self.optimizer, self.options = loss, optimizer, options
        self.arguments = LossArguments(loss)
        self.machine, self.bits = Machine.default(), 32 if options.dtype == "float32" else 64
        asked = [*optimizer.parameters, *options.besides]
        self.parameters = list(dict.fromkeys(asked))  # each once: `besides` may repeat some
        place = {id(parameter): i for i, parameter in enumerate(self.parameters)}
        self._asked = np.array([place[id(parameter)] for parameter in asked], np.intp)
        self.fallbacks = Fallbacks(name_of(loss))
        self.paths = Paths(loss, self.parameters, options, self.fallbacks)
        self.cache = StepCache()
        self.by_hand: Callable[[tuple], float] = self.eager_step
        self.last: Path | None = None
        self.update = self._make_update()
        self.turn = turn_of(optimizer)
        self._driver = driver(self.machine, self.bits)  # keeps the code at the address alive
        self.drive_address = self._driver.address("drive")
        self.drive = _DRIVE(self.drive_address)

    def _make_update(self) -> Update:
        besides = len(self.parameters) - len(self.optimizer.parameters)
        return Update(self.optimizer, self.machine, self.bits, besides)

    @property
    def traces(self) -> int:
        """How often the loss was traced."""
        return self.paths.traces

    @property
    def kernels(self) -> int:
        """How many kernels were compiled for the loss."""
        return self.paths.kernels

    @property
    def set_up_seconds(self) -> float:
        """How long tracing and compiling the loss took in total."""
        return self.paths.set_up_seconds

    @property
    def records(self) -> dict[tuple, Record]:
        """The driver's records of the loss that are kept from one call to the next."""
        return self.cache.records

    @property
    def columns(self) -> dict[tuple, np.ndarray]:
        """The memory for the columns of batches that is kept from one call to the next."""
        return self.cache.columns

    @property
    def gradients(self) -> list[float]:
        """The gradients of the last step, first for the optimiser's parameters, then for `besides`; zeros before the
        first step."""
        with self.turn.lock:
            return self.update.rows[-1, self.update.positions[self._asked]].tolist()

    @property
    def finite(self) -> bool:
        """Whether all parameters and the optimiser's memory are finite after the last step."""
        with self.turn.lock:
            return bool(np.isfinite(self.update.rows[:-1]).all())

    def explain(self) -> Report:
        """Returns a report on how the last step's loss and the update were compiled, like `CompiledFunction.explain`.

        Raises:
            TraceError: there was no step yet.
        """
        path = self._path("something to explain")
        return Report(explained(self.loss, self.optimizer, self.paths, path, self.update))

    @property
    def graph(self) -> GraphView:
        """The graph of the last step's loss, and of its derivatives, after each pass.

        Raises:
            TraceError: there was no step yet.
        """
        return self._path("a graph").view

    def _path(self, what: str) -> Path:
        if self.last is None:
            raise TraceError(f"do one step, then there is {what}")
        return self.last

    def __call__(self, *args: Any, **named: Any) -> float:
        """Does one step on these arguments of the loss; returns the loss before the step."""
        return self._steps([self.arguments.bound(args, named)])[0]

    def run(self, batches: Iterable[Sequence[Any]]) -> list[float]:
        """Does one step for each batch, in native code.

        Args:
            batches: for each step the arguments of the loss.

        Returns:
            The loss of each step, before its update.

        Raises:
            AnomalyError: a loss or gradient is not finite; the parameters are as they were before that step.
            ArgumentError: the loss does not take such arguments.
        """
        if not isinstance(batches, Iterable):
            raise ArgumentError(f"{self.arguments.how_to_run}, not the {type(batches).__name__} {shown(batches)}")
        if isinstance(batches, list | tuple):
            return self._steps(self.arguments.of_each(batches), self.arguments.how_to_run)
        losses = []
        for at, batch in enumerate(batches):  # an iterator may reuse the batch's memory for the next one
            losses += self._steps([self.arguments.of_one(batch, at)], self.arguments.how_to_run)
        return losses

    def __reduce__(self) -> tuple:
        raise TypeError("a compiled step cannot be copied or pickled: make one with compile_step(loss, optimizer)")

    def _steps(self, batches: list[tuple], hint: str = "") -> list[float]:
        """Does one step for each batch, as soon as no other thread runs a step of the same optimiser. `hint` is a note
        for errors about the arguments."""
        turn = self.turn
        if open_modes:
            unrecorded(len(batches))
        with turn.lock:
            turn.check()
            try:
                turn.thread = get_ident()
                self._check_optimizer()
                with too_large_is_infinite(self.update.rows.dtype):
                    turn.run = run = Run(self._work(), batches, hint)
                    self.last = run.last or self.last
                    return run.losses()
            finally:
                turn.thread = turn.run = None

    def _work(self) -> Work:
        return Work(self.optimizer, self.paths, self.update, self.cache, self.turn, self.drive, self.by_hand)

    def _check_optimizer(self) -> None:
        """Refuses an optimiser whose parameters were replaced; compiles the update anew if its settings changed."""
        own = self.parameters[: self.update.count]
        if len(own) != len(self.optimizer.parameters) or not all(map(operator.is_, own, self.optimizer.parameters)):
            raise TraceError("the optimizer has other parameters than when its step was compiled: make the step anew, "
                             "by compile_step(loss, optimizer)")  # fmt: skip
        if not self.update.holds_for(self.optimizer):
            self.optimizer.memory = dict(self.optimizer.memory)
            update = self._make_update()
            if self.update.arranged:
                update.arrange(self.update.own_positions)  # the order that the kept records use
            self.update = update
            self.fallbacks.met(OTHER_SETTINGS)

    # ---- the eager engine, where numbers are not finite ----
    def eager_step(self, batch: tuple) -> float:
        """Does the same step by the eager engine.

        Raises:
            AnomalyError: the loss or a gradient is not finite; it names the operation that made the first such number.
        """
        total = self._eager_backward(batch)
        if not all(map(math.isfinite, [total.data, *[p.peek_grad() for p in self.optimizer.parameters]])):
            with detect_anomaly():
                self._eager_backward(batch)
            raise AnomalyError(f"the loss is {total.data}, or a gradient is not finite")
        self.optimizer.step()
        return total.data

    def _eager_backward(self, batch: tuple) -> Value:
        self.optimizer.zero_grad()
        total = self._eager_loss(batch)
        total.backward()
        return total

    def _eager_loss(self, batch: tuple) -> Value:
        found = batch_of(batch, self.options.in_axes, self.options.exact)
        if found.columns is None:
            return as_value(self.loss(*batch))
        samples = [self.loss(*found.sample_at(i)) for i in range(found.columns.shape[1])]
        total = sum(samples, Value(0.0))
        return total if self.options.reduce == "sum" else total * (1.0 / len(samples))


def compile_step(loss: Callable, optimizer: Optimizer, **options: Any) -> CompiledStep:
    """Compiles the training step of a loss and an optimiser to native code.

    Args:
        loss: a function that returns one number; it closes over the parameters of the optimiser. All Values that it
            closes over are read at each call (by `run`, once at its start). Plain numbers that it closes over, such as
            attributes of modules, are constants from the first call on.
        optimizer: SGD, Adam or AdamW, or an optimiser of your own whose `updated` is arithmetic on the numbers that it
            is given or reads: on each parameter by itself, or on all of them.
        in_axes: for each argument of the loss the axis along which it differs from sample to sample, or None; or one
            axis for all arguments. The loss is then the loss of one sample.
        reduce: "mean" or "sum": how the losses of the samples are combined.
        dtype: "float64" or "float32": the type of the numbers that the step calculates with.
        threads: how many threads share a large batch.
        max_traces: the most control-flow paths of the loss, for arguments of the same structure.
        max_structures: for how many structures of arguments, and sizes of batches, compiled code and memory are kept.
        besides: other parameters whose gradients are wanted as well, but which do not move. Those among them that the
            optimiser has do move.
        memory_limit: the most bytes that long loops may keep for their derivatives; see `chainrule.compile`.

    Returns:
        A function of the arguments of the loss that does one step and returns the loss before it. Its method `run`
        takes a list with one tuple of arguments for each step, and does all steps in native code. Between calls,
        parameters and optimiser are as after steps by hand. The `grad` of the parameters is not changed; `gradients`
        has the gradients of the last step.

    Raises:
        ArgumentError: an option has a value that it cannot have.
        TraceError: the loss or the update cannot be compiled.

    >>> from chainrule import Value
    >>> from chainrule.optim import SGD
    >>> w = Value(0.0)
    >>> step = compile_step(lambda x, y: (w * x - y) ** 2, SGD([w], lr=0.1), in_axes=0)
    >>> losses = step.run([([1.0, 2.0], [2.0, 4.0])] * 50)
    >>> round(losses[0], 3), round(w.data, 3)
    (10.0, 2.0)
    """
    check_function(loss, "compile_step", "lambda x, y: (w * x - y) ** 2")
    check_optimizer(optimizer)
    refuse_own_methods(optimizer)
    return CompiledStep(loss, optimizer, options_of(Options, options, "compile_step"))
