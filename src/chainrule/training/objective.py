"""The objective of training: the loss, the penalty, and metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chainrule import losses, ops
from chainrule.core.operation import is_number
from chainrule.engine import Value
from chainrule.errors import ArgumentError, DataError, shown, suggest
from chainrule.nn import Module

Loss = Callable[[Any, Any], Any]
Metric = Callable[[Any, Any], float]
Penalty = float | Callable[[], Any] | None

LOSSES: dict[str, Loss] = {
    loss.__name__: loss
    for loss in (
        losses.mean_squared_error,
        losses.mean_absolute_error,
        losses.max_margin,
        losses.binary_cross_entropy,
        losses.cross_entropy,
    )
}
"""The losses that `fit` knows by name."""

LABELS = {"max_margin": (-1, 1), "binary_cross_entropy": (0, 1)}
"""The targets for the two classes of losses with one score a sample; a score above 0 means the second class."""


class WeightedMean:
    """The loss of weighted samples: the mean of weight · loss(prediction, target). A target of `fit` is then a row: the
    sample's own target, and its weight at the end.

    Args:
        loss: a function of one prediction and one target: a number, or a list of them if the rows are longer.

    >>> from chainrule import losses
    >>> WeightedMean(losses.mean_squared_error)([1.0, 2.0], [[0.0, 10.0], [5.0, 1.0]])
    9.5
    """

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.__name__ = f"weighted {getattr(loss, '__name__', type(loss).__name__)}"

    def __call__(self, predictions: Any, targets: Any) -> Any:
        if not hasattr(targets[0], "__len__"):  # one sample alone, as native code has them
            return self._of_one(predictions, targets)
        terms = [self._of_one(p, t) for p, t in zip(predictions, targets, strict=True)]
        return ops.sum(terms) * (1.0 / len(terms))

    def _of_one(self, prediction: Any, row: Any) -> Any:
        *target, weight = row
        found = self.loss(prediction, target[0] if len(target) == 1 else target)
        if not isinstance(found, Value) and not is_number(found):
            name = self.__name__.removeprefix("weighted ")
            raise ArgumentError(f"the loss {name} must return one number for a sample, not {shown(found)}")
        return weight * found


@dataclass(frozen=True)
class Objective:
    """A loss, a penalty on the parameters, and metrics.

    Attributes:
        name: the name of the loss.
        loss: a function of (predictions, targets).
        penalty: a function that returns what to add to the loss; None for nothing.
        metrics: functions of (predictions, targets) on plain numbers, by name.
    """

    name: str
    loss: Loss
    penalty: Callable[[], Any] | None
    metrics: Mapping[str, Metric]

    @property
    def classes(self) -> bool:
        """Whether targets are classes."""
        return self.name in LABELS or self.name == "cross_entropy"

    @property
    def by_sample(self) -> bool:
        """Whether the loss is known to be the mean of the losses of the samples."""
        return LOSSES.get(self.name) is self.loss or isinstance(self.loss, WeightedMean)

    def value(self, predictions: Any, targets: Any) -> Value:
        """The loss without the penalty.

        Raises:
            ArgumentError: the loss is a function of the user's own and does not return a single Value.
        """
        value = self.loss(predictions, targets)
        if not isinstance(value, Value):
            shown = type(value).__name__
            raise ArgumentError(f"the loss {self.name} must give one Value, made of the predictions, not a {shown}")
        return value

    def total(self, predictions: Any, targets: Any) -> Value:
        """The loss with the penalty: what training minimises."""
        value = self.value(predictions, targets)
        return value if self.penalty is None else value + self.penalty()

    def check_targets(self, targets: list[Any], outputs: int | None, name: str = "y") -> None:
        """Refuses targets that the loss cannot take.

        Args:
            targets: the targets of all rows.
            outputs: the number of outputs of the model; None if it returns a number instead of a list.
            name: the name of the targets in messages.

        Raises:
            DataError: a target is not a class that the loss and the model have.
            ArgumentError: the model does not return a list of scores, which cross_entropy needs.
        """
        if self.name == "cross_entropy":
            if outputs is None or outputs < 2:
                raise ArgumentError(
                    "cross_entropy needs a model with one output a class; for one, binary_cross_entropy"
                )
            for i, target in enumerate(targets):
                if isinstance(target, bool) or not isinstance(target, int) or not 0 <= target < outputs:
                    raise DataError(
                        f"{name}[{i}] is {shown(target)}: cross_entropy takes a class, the whole number "
                        f"0 to {outputs - 1}"
                    )
        elif self.name in LABELS:
            allowed = LABELS[self.name]
            for i, target in enumerate(targets):
                wrong = next((t for t in _flat(target) if t not in allowed), None)
                if wrong is not None:
                    raise DataError(f"{name}[{i}] is {wrong!r}: {self.name} takes {allowed[0]} and {allowed[1]}")

    def check_classes(self, targets: list[Any]) -> None:
        """Refuses rows that are all of one class.

        Raises:
            DataError: all targets are the same.
        """
        if self.classes and all(target == targets[0] for target in targets):
            raise DataError(f"every target is of the class {targets[0]}: two classes at least are needed to learn")


def read_objective(
    model: Module, loss: str | Loss, metrics: Iterable[str | Metric] = (), penalty: Penalty = None
) -> Objective:
    """Reads a loss and metrics, given by name or as functions.

    Raises:
        ArgumentError: there is no loss or metric of that name, or the penalty is neither a function nor a number.

    >>> read_objective(Module(), "cross_entropy").metrics.keys()
    dict_keys(['accuracy'])
    """
    name, function = _by_name(loss, LOSSES, "loss")
    accuracy = accuracy_of(name)
    known = {"accuracy": accuracy, **LOSSES}
    named = {"accuracy": accuracy} if name in LABELS or name == "cross_entropy" else {}
    for metric in [metrics] if isinstance(metrics, str) or callable(metrics) else metrics:
        metric_name, metric_function = _by_name(metric, known, "metric")
        if metric_name in ("loss", "lr") or metric_name.startswith("validation_"):
            raise ArgumentError(f"a metric cannot be called {metric_name!r}, which the history has already")
        named[metric_name] = metric_function
    return Objective(name, function, _read_penalty(model, penalty), named)


def _by_name(given: Any, known: Mapping[str, Any], what: str) -> tuple[str, Any]:
    if callable(given):
        name = getattr(given, "__name__", type(given).__name__)
        if known.get(name, given) is not given:
            raise ArgumentError(f"a {what} of your own cannot be called {name!r}, for there is one built in")
        return name, given
    if not isinstance(given, str) or given not in known:
        hint = suggest(shown(given), known)
        raise ArgumentError(f"{what}={shown(given)}: there are {', '.join(known)}, or a function of your own.{hint}")
    return given, known[given]


def _read_penalty(model: Module, penalty: Penalty) -> Callable[[], Any] | None:
    if penalty is None or callable(penalty):
        return penalty
    if isinstance(penalty, bool) or not isinstance(penalty, int | float) or not 0 <= penalty < float("inf"):
        raise ArgumentError(f"penalty is the strength of l2_penalty, 0 or more, or a function, not {shown(penalty)}")
    parameters, strength = model.parameters(), float(penalty)
    return (lambda: losses.l2_penalty(parameters, strength)) if strength else None


def accuracy_of(loss_name: str) -> Metric:
    """The metric "accuracy" for predictions of one loss: the share that is right, 0 to 1.

    A list of scores predicts the class with the highest score. A single score predicts one of two classes, depending on
    whether it is above 0, where the loss takes scores, or above the midpoint of the two targets otherwise.

    >>> accuracy_of("cross_entropy")([[0.1, 2.0], [3.0, -1.0]], [1, 1])
    0.5
    >>> accuracy_of("mean_squared_error")([0.4, 0.9], [0, 1])
    1.0
    """

    def accuracy(predictions: Any, targets: Any) -> float:
        if predictions and isinstance(predictions[0], list) and not isinstance(targets[0], list):
            right = [row.index(max(row)) == target for row, target in zip(predictions, targets, strict=True)]
        else:
            pairs = list(zip(_flat(predictions), _flat(targets), strict=True))
            border = 0.0 if loss_name in LABELS else middle([target for _, target in pairs])
            right = [(score > border) == (target > border) for score, target in pairs]
        return sum(right) / len(right)

    return accuracy


def middle(targets: list[float]) -> float:
    """The midpoint between the two numbers that stand for classes.

    Raises:
        ArgumentError: there are more than two.

    >>> middle([0, 1, 1]), middle([-1, 1])
    (0.5, 0.0)
    """
    values = sorted(set(targets))
    if len(values) > 2:
        raise ArgumentError(f"accuracy is for classes, but the targets have {len(values)} different values")
    if len(values) == 1:
        values = [0, 1] if values[0] in (0, 1) else [-1, 1]
    return sum(values) / 2


def _flat(x: Any) -> list[Any]:
    if not isinstance(x, list):
        return [x]
    if not any(isinstance(part, list) for part in x):
        return x
    return [number for part in x for number in _flat(part)]
