"""One training step on one batch, and one measurement of the model: what training consists of.

`Trainer` is the interface; the compiled trainer, for instance, implements it in place of the eager one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from chainrule.core.anomaly import detect_anomaly
from chainrule.core.collector import collector_paused
from chainrule.core.modes import no_grad
from chainrule.core.trees import DEEPEST, too_deep
from chainrule.engine import Value
from chainrule.errors import AnomalyError, TraceError
from chainrule.nn import Module
from chainrule.optim import Optimizer
from chainrule.training.objective import Objective
from chainrule.training.samples import Samples

Numbers = dict[str, float]

CHUNK = 64
"""How many rows are predicted at a time."""

LONGEST_REASON = 2000
"""The most characters of a reason."""


class Trainer(Protocol):
    """What `fit` needs of a trainer; it is created with the model, the objective and the optimiser. See also
    `some_steps`."""

    def step(self, X: list[Any], y: list[Any]) -> None:
        """Updates the parameters once, by the gradient on these rows.

        The step is done completely or, whatever is raised (Ctrl-C included), not at all: model and optimiser are then
        unchanged. After a step all their numbers are finite, and the parameters hold the gradients of this batch.

        Raises:
            AnomalyError: the loss, a gradient or a parameter would not be finite; it names the operation.
        """
        ...

    def measure(self, X: list[Any], y: list[Any]) -> Numbers:
        """Measures the loss (without penalty) and the metrics of the model on these rows.

        Raises:
            AnomalyError: the loss is not finite.
        """
        ...


def some_steps(trainer: Trainer, samples: Samples, batches: Sequence[list[int]], first: int) -> int:
    """Does at least one step, on the batches of row numbers from number `first` on; returns the number of steps done.

    A trainer that does many steps at a time has a method of this name, which takes the other arguments. It returns
    before the user gets impatient, and also before a step that fails: the next call begins with that step and raises
    the error.
    """
    many = getattr(trainer, "some_steps", None)
    if many is not None:
        return many(samples, batches, first)
    rows = batches[first]
    trainer.step([samples.X[row] for row in rows], [samples.y[row] for row in rows])
    return 1


class EagerTrainer:
    """A `Trainer` that runs the model on Values, node by node."""

    def __init__(self, model: Module, objective: Objective, optimizer: Optimizer) -> None:
        self.model, self.objective, self.optimizer = model, objective, optimizer
        self._named = model.named_parameters()

    def step(self, X: list[Any], y: list[Any]) -> None:
        before = Snapshot([parameter for _, parameter in self._named], self.optimizer)
        try:
            with collector_paused():
                if not self._backward(X, y):
                    self._find_anomaly(X, y)
                self.optimizer.step()
            self._check_update()
        except BaseException as error:
            before.restore()
            if isinstance(error, AnomalyError):
                self._zero_grad()  # gradients may be infinite or nan
            raise

    def measure(self, X: list[Any], y: list[Any]) -> Numbers:
        with no_grad(), collector_paused():
            predictions = self._predict(X)
            loss = self.objective.value(predictions, y).data
        if not math.isfinite(loss):
            with detect_anomaly():
                self.objective.value(self._predict(X), y)
            raise AnomalyError(
                f"the loss {self.objective.name} is {loss}, though no operation gave that when run again"
            )
        return measured(self.objective, loss, to_numbers(predictions), y)

    def _backward(self, X: list[Any], y: list[Any]) -> bool:
        """Leaves the gradients of a batch in the parameters; returns whether they and the loss are finite."""
        total = self.objective.total(self.model(X), y)
        self._zero_grad()
        total.backward()
        return math.isfinite(total.data) and _all_finite([p.peek_grad() for p in self.optimizer.parameters])

    def _find_anomaly(self, X: list[Any], y: list[Any]) -> None:
        """Repeats the batch in anomaly detection, which is slow but names the operation at fault."""
        with detect_anomaly():
            self._backward(X, y)
        raise AnomalyError("the loss or a gradient was not finite, but was when the same batch was run again")

    def _check_update(self) -> None:
        for name, parameter in self._named:
            if not math.isfinite(parameter.data):
                made = f"gradient {parameter.peek_grad()!r}, {type(self.optimizer).__name__}"
                raise AnomalyError(f"the update of {name} gave {parameter.data} ({made})")
        for name, memory in self.optimizer.memory.items():
            if not _all_finite(memory):
                raise AnomalyError(f"the {name} that {type(self.optimizer).__name__} keeps is no longer finite")

    def _predict(self, X: list[Any]) -> list[Any]:
        return [output for start in range(0, len(X), CHUNK) for output in self.model(X[start : start + CHUNK])]

    def _zero_grad(self) -> None:
        for _, parameter in self._named:  # also parameters that the optimiser does not update
            parameter.grad = 0.0


class Snapshot:
    """A copy of the numbers of parameters and their optimiser."""

    def __init__(self, parameters: Iterable[Value], optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._parameters = [(parameter, parameter.data) for parameter in parameters]
        self._memory = {name: list(column) for name, column in optimizer.memory.items()}
        self._steps = optimizer.steps

    def restore(self) -> None:
        """Restores the numbers; it may be called repeatedly."""
        for parameter, x in self._parameters:
            parameter.data = x
        self._optimizer.memory = {name: list(column) for name, column in self._memory.items()}
        self._optimizer.steps = self._steps


def measured(objective: Objective, loss: float, predictions: list[Any], y: list[Any]) -> Numbers:
    """The loss and the metrics of predictions, which are plain numbers."""
    metrics = {name: metric(predictions, y) for name, metric in objective.metrics.items()}
    return {"loss": loss} | {name: float(x) if math.isfinite(x) else math.nan for name, x in metrics.items()}


def to_numbers(predictions: Any, depth: int = 0) -> Any:
    """Turns predictions into plain numbers.

    >>> to_numbers([[Value(1.0), 2], Value(3.0)])
    [[1.0, 2.0], 3.0]
    """
    if depth > DEEPEST:
        raise too_deep(predictions)
    if isinstance(predictions, list | tuple):
        return [to_numbers(part, depth + 1) for part in predictions]
    return predictions.data if isinstance(predictions, Value) else float(predictions)


def as_reason(error: Exception) -> str:
    """Turns an error into the reason why something was not compiled, short enough for a checkpoint."""
    text = str(error) if isinstance(error, TraceError) else f"{type(error).__name__}: {error}"
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}..."


def _all_finite(numbers: list[float]) -> bool:
    return all(map(math.isfinite, numbers))
