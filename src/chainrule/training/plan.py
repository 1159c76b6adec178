"""The plan of a training run: its settings, checked before anything changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chainrule.core.files import FilePath
from chainrule.core.modes import no_grad
from chainrule.engine import topological_order
from chainrule.errors import ArgumentError, SizeError, shown
from chainrule.nn import Module
from chainrule.optim import Adam, Optimizer
from chainrule.saving.models import config_of
from chainrule.training.callbacks import Callback, EarlyStopping
from chainrule.training.checkpoints import Checkpoint, describe_data, describe_function, describe_optimizer
from chainrule.training.objective import Objective, Penalty
from chainrule.training.samples import Samples
from chainrule.training.trainer import Trainer


@dataclass(frozen=True)
class Plan:
    """The settings of a run that do not change; `fit` documents them."""

    model: Module
    objective: Objective
    optimizer: Optimizer
    trainer: Trainer
    train: Samples
    held_out: Samples | None
    epochs: int
    batch_size: int
    seed: int
    penalty: Penalty
    callbacks: tuple[Callback, ...]
    checkpoint: Checkpoint | None
    own_trainer: bool = False

    @property
    def batches(self) -> int:
        """The number of batches in an epoch."""
        return -(-len(self.train) // self.batch_size)

    def check(self) -> int:
        """Refuses what cannot be trained, by a trial: runs the rows through the model once and measures them.

        Returns:
            The number of operands in the loss of one row: a measure of the eager engine's work.
        """
        self.objective.check_classes(self.train.y)
        probe(self.model, self.objective, self.train)
        operands = check_connected(self.model, self.objective, self.train, self.optimizer)
        self.trainer.measure(self.train.X, self.train.y)
        if self.held_out:
            probe(self.model, self.objective, self.held_out, "validation ")
            self.trainer.measure(self.held_out.X, self.held_out.y)
        return operands

    def settings(self) -> dict[str, Any]:
        """All that the numbers of the run depend on, except the number of epochs, which may grow."""
        return {
            "data": describe_data(self.train.X, self.train.y),
            "validation": describe_data(self.held_out.X, self.held_out.y) if self.held_out else None,
            "model": config_of(self.model) or type(self.model).__name__,
            "parameters": len(self.model.parameters()),
            "loss": self.objective.name,
            "penalty": describe_function(self.penalty),
            "metrics": list(self.objective.metrics),
            "optimizer": describe_optimizer(self.optimizer),
            "batch_size": self.batch_size,
            "seed": self.seed,
            "early stopping": [repr(callback) for callback in self.callbacks if isinstance(callback, EarlyStopping)],
        }


def read_model(model: Any) -> Module:
    """Checks the model.

    Raises:
        ArgumentError: it is not a Module, or has no parameters.
    """
    if not isinstance(model, Module):
        raise ArgumentError(f"the model must be a Module, such as MLP(2, [8, 1]), not {shown(model, 40)}")
    if not model.parameters():
        raise ArgumentError(f"{type(model).__name__} has no parameters: there is nothing to train")
    return model


def read_optimizer(model: Module, optimizer: Any) -> Optimizer:
    """Checks the optimiser; creates an Adam if there is none.

    Raises:
        ArgumentError: it is not an optimiser, or has other parameters than the model's.
    """
    if optimizer is None:
        return Adam(model.parameters(), lr=0.01)
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError(f"optimizer={shown(optimizer)}: give an object, such as Adam(model.parameters(), lr=0.01)")
    own = {id(parameter) for parameter in model.parameters()}
    foreign = sum(id(parameter) not in own for parameter in optimizer.parameters)
    if foreign:
        name = type(optimizer).__name__
        raise ArgumentError(
            f"{foreign} parameters of the optimizer are not the model's: make it anew, {name}(model.parameters(), ...)"
        )
    return optimizer


def read_callbacks(callbacks: Any) -> tuple[Callback, ...]:
    """Checks callbacks; one may be given without a list.

    Raises:
        ArgumentError: one of them cannot be called with a state.
    """
    given = (callbacks,) if callable(callbacks) or not isinstance(callbacks, Iterable) else tuple(callbacks)
    for callback in given:
        if isinstance(callback, Checkpoint):
            raise ArgumentError("a Checkpoint is no callback: give it as checkpoint=Checkpoint(...)")
        if isinstance(callback, type) or not callable(callback):
            raise ArgumentError(
                f"a callback is a function of the state, or an object like EarlyStopping(), not {shown(callback)}"
            )
    return given


def read_checkpoint(checkpoint: Checkpoint | FilePath | None) -> Checkpoint | None:
    """Reads a checkpoint; a path stands for a checkpoint there."""
    return checkpoint if checkpoint is None or isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint)


def read_count(x: Any, name: str, least: int) -> int:
    """Checks an integer.

    Raises:
        ArgumentError: it is not an integer, or too small.
    """
    if isinstance(x, bool) or not isinstance(x, int) or x < least:
        raise ArgumentError(f"{name} must be a whole number, {least} or more, not {shown(x)}")
    return x


def probe(model: Module, objective: Objective, samples: Samples, prefix: str = "") -> None:
    """Refuses rows and targets that the model and the loss cannot take.

    Raises:
        SizeError: the rows have the wrong length.
        DataError: the loss does not take a target.
    """
    row = samples.X[0]
    try:
        with no_grad():
            output = model(row)
    except SizeError as error:
        raise SizeError(f"{prefix}X has rows of {len(row)} numbers, which the model does not take: {error}") from None
    objective.check_targets(samples.y, len(output) if isinstance(output, list) else None, f"{prefix}y")


def check_connected(model: Module, objective: Objective, samples: Samples, optimizer: Optimizer) -> int:
    """Refuses a loss that does not depend on any parameter: all gradients would be 0 without a warning.

    Returns:
        The number of operands in the loss of one row.

    Raises:
        ArgumentError: it does not.
    """
    graph = topological_order(objective.value(_of_batch(model, samples.X[:1]), samples.y[:1]))
    reached = {id(node) for node in graph}
    if not any(id(parameter) in reached for parameter in optimizer.parameters):
        raise ArgumentError(
            f"{objective.name} does not depend on any parameter of the optimizer: does a forward() take .data?"
        )
    return sum([len(node.operands) for node in graph])


def _of_batch(model: Module, rows: list[Any]) -> Any:
    try:
        return model(rows)
    except Exception as error:
        if type(model).forward is not Module.forward:
            raise
        raise ArgumentError(
            f"{type(model).__name__} has a __call__ of its own, which takes no batch: give that method the name "
            "forward(self, x), and model(x) calls it for one sample, or for each of a batch"
        ) from error
