"""What a training run is to be: sorted out, and looked through, before anything is changed."""

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
    """Everything about a run that stays as it is; `fit` documents the parts."""

    model: Module
    objective: Objective
    optimizer: Optimizer
    trainer: Trainer
    train: Samples
    held: Samples | None
    epochs: int
    batch_size: int
    seed: int
    penalty: Penalty
    callbacks: tuple[Callback, ...]
    checkpoint: Checkpoint | None
    own_trainer: bool = False

    @property
    def batches(self) -> int:
        """How many batches an epoch has."""
        return -(-len(self.train) // self.batch_size)

    def check(self) -> int:
        """Refuse what cannot be trained, by trying it: the rows are run through the model once, and measured.

        Returns:
            How many operands there are in the loss of one row: the measure of the eager engine's work.
        """
        self.objective.check_classes(self.train.y)
        probe(self.model, self.objective, self.train)
        operands = check_connected(self.model, self.objective, self.train, self.optimizer)
        self.trainer.measure(self.train.X, self.train.y)
        if self.held:
            probe(self.model, self.objective, self.held, "validation ")
            self.trainer.measure(self.held.X, self.held.y)
        return operands

    def settings(self) -> dict[str, Any]:
        """All that the numbers of the run depend on, but for how many epochs there are: it may go on for longer."""
        return {
            "data": describe_data(self.train.X, self.train.y),
            "validation": describe_data(self.held.X, self.held.y) if self.held else None,
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
    """The model, if it is one.

    Raises:
        ArgumentError: it is not, or it has no parameters.
    """
    if not isinstance(model, Module):
        raise ArgumentError(f"the model must be a Module, such as MLP(2, [8, 1]), not {shown(model, 40)}")
    if not model.parameters():
        raise ArgumentError(f"{type(model).__name__} has no parameters: there is nothing to train")
    return model


def read_optimizer(model: Module, optimizer: Any) -> Optimizer:
    """The optimiser; Adam if there is none.

    Raises:
        ArgumentError: it is no optimiser, or one of other parameters than the model's.
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
    """One callback or several.

    Raises:
        ArgumentError: something among them cannot be called with a state.
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
    """A path stands for a checkpoint there."""
    return checkpoint if checkpoint is None or isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint)


def read_count(x: Any, name: str, least: int) -> int:
    """A whole number.

    Raises:
        ArgumentError: it is not, or is too small.
    """
    if isinstance(x, bool) or not isinstance(x, int) or x < least:
        raise ArgumentError(f"{name} must be a whole number, {least} or more, not {shown(x)}")
    return x


def probe(model: Module, objective: Objective, samples: Samples, prefix: str = "") -> None:
    """Refuse rows and targets that model and loss cannot take.

    Raises:
        SizeError: the rows have the wrong length.
        DataError: a target is none that the loss takes.
    """
    row = samples.X[0]
    try:
        with no_grad():
            output = model(row)
    except SizeError as error:
        raise SizeError(f"{prefix}X has rows of {len(row)} numbers, which the model does not take: {error}") from None
    objective.check_targets(samples.y, len(output) if isinstance(output, list) else None, f"{prefix}y")


def check_connected(model: Module, objective: Objective, samples: Samples, optimizer: Optimizer) -> int:
    """Refuse a loss in which no parameter has a part: its gradients would all be 0, and nobody would say so.

    Returns:
        How many operands there are in the loss of one row.

    Raises:
        ArgumentError: it is one.
    """
    graph = topological_order(objective.value(model(samples.X[:1]), samples.y[:1]))
    reached = {id(node) for node in graph}
    if not any(id(parameter) in reached for parameter in optimizer.parameters):
        raise ArgumentError(
            f"{objective.name} does not depend on any parameter of the optimizer: does a forward() take .data?"
        )
    return sum([len(node.operands) for node in graph])
