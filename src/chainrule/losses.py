"""Losses: one number that says how wrong predictions are, as a mean over the samples.

Predictions are what a model returns: one number a sample, or a list of numbers. Targets have the same form, except for
`cross_entropy`, where they are the indices of the right classes. Scores and logits are raw outputs of the model: losses
apply sigmoid and softmax themselves, in a form in which large numbers do not overflow.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from chainrule.core.trees import DEEPEST, too_deep
from chainrule.engine import Value
from chainrule.errors import ArgumentError, SizeError, shown
from chainrule.ops import abs, logsumexp, relu, softplus, sum, take, weighted_sum

__all__ = [
    "binary_cross_entropy",
    "cross_entropy",
    "l2_penalty",
    "max_margin",
    "mean_absolute_error",
    "mean_squared_error",
]


def __dir__() -> list[str]:
    return __all__


def mean_squared_error(predictions: Any, targets: Any) -> Any:
    """The mean of (prediction - target)².

    Args:
        predictions: a number, a list of numbers, or nested lists of numbers.
        targets: numbers in the same structure.

    Raises:
        SizeError: the sizes differ, or there are no samples.

    >>> mean_squared_error([1.0, 2.0, 6.0], [1.0, 0.0, 3.0])
    4.333333333333333
    """
    errors = [p - t for p, t in _pairs(predictions, targets)]
    return _mean([error * error for error in errors])


def mean_absolute_error(predictions: Any, targets: Any) -> Any:
    """The mean of |prediction - target|. It takes and raises what `mean_squared_error` does.

    >>> mean_absolute_error([1.0, 2.0, 6.0], [1.0, 0.0, 3.0])
    1.6666666666666665
    """
    return _mean([abs(p - t) for p, t in _pairs(predictions, targets)])


def max_margin(scores: Any, targets: Any) -> Any:
    """The hinge loss of support vector machines: the mean of max(0, 1 - target · score).

    Targets are -1 and 1. The structures and errors are those of `mean_squared_error`, and ArgumentError for another
    target.

    >>> max_margin([2.0, 0.5], [1, -1])
    0.75
    """
    return _mean([relu(1 - _one_of(t, (-1, 1), "max_margin") * s) for s, t in _pairs(scores, targets)])


def binary_cross_entropy(logits: Any, targets: Any) -> Any:
    """The mean of -log P(target), where P(1) = sigmoid(logit).

    For a logit s and a target t of 0 or 1 this is softplus(s) - t · s. The structures and errors are those of
    `mean_squared_error`, and ArgumentError for another target.

    >>> round(binary_cross_entropy([0.0, 1000.0], [1, 1]), 6)
    0.346574
    """
    return _mean([softplus(s) - _one_of(t, (0, 1), "binary_cross_entropy") * s for s, t in _pairs(logits, targets)])


def cross_entropy(logits: Any, targets: Any) -> Any:
    """The mean of -log P(target), where P = softmax(logits): logsumexp(logits) - logits[target].

    Args:
        logits: for each sample a list with one number for each class; or one such list alone.
        targets: for each sample the index of its class; or one index alone.

    Raises:
        SizeError: the numbers of samples and targets differ.
        ArgumentError: a target is not the index of a class.

    >>> round(cross_entropy([[0.0, 0.0], [5.0, 1000.0]], [0, 1]), 6)
    0.346574
    """
    if not _is_list(targets):
        logits, targets = [logits], [targets]
    if len(logits) != len(targets):
        raise SizeError(f"cross_entropy has {len(logits)} rows of logits but {len(targets)} targets")
    return _mean([logsumexp(row) - _right(row, t) for row, t in zip(logits, targets, strict=True)])


def l2_penalty(parameters: Sequence[Value], strength: float = 1e-4) -> Any:
    """strength · Σ p². Add it to a loss to keep parameters small.

    >>> l2_penalty([Value(3.0), Value(4.0)], 0.1).data
    2.5
    """
    return weighted_sum(parameters, parameters) * strength


def _mean(terms: list[Any]) -> Any:
    if not terms:
        raise SizeError("a loss of no samples: give at least one prediction")
    return sum(terms) * (1.0 / len(terms))


def _pairs(predictions: Any, targets: Any, depth: int = 0) -> list[tuple[Any, Any]]:
    """Pairs each number of the predictions with its target."""
    if depth > DEEPEST:
        raise too_deep(predictions)
    deep_p, deep_t = _is_list(predictions), _is_list(targets)
    if not deep_p and not deep_t:
        return [(predictions, targets)]
    if deep_p != deep_t:
        what, other = ("predictions", "targets") if deep_p else ("targets", "predictions")
        raise SizeError(f"{what} has a list where {other} has a single number: bring both to the same form")
    if len(predictions) != len(targets):
        raise SizeError(f"{len(predictions)} predictions but {len(targets)} targets: give one target a prediction")
    return [pair for p, t in zip(predictions, targets, strict=True) for pair in _pairs(p, t, depth + 1)]


def _is_list(x: Any) -> bool:
    return hasattr(x, "__len__") and not isinstance(x, str)


def _one_of(target: Any, allowed: tuple[int, int], loss: str) -> Any:
    """Checks that the target is one of two numbers. A Value is accepted as it is, since its number may change."""
    if not isinstance(target, Value) and target not in allowed:
        raise ArgumentError(f"{loss} takes the targets {allowed[0]} and {allowed[1]}, not {shown(target)}")
    return target


def _right(row: Sequence[Any], target: Any) -> Any:
    """The logit of the right class."""
    if isinstance(target, Value):  # an integer argument during tracing
        return take(row, target)
    try:
        index = operator.index(target)
    except TypeError:
        raise ArgumentError(
            f"cross_entropy takes the index of a class, 0 to {len(row) - 1}, not {shown(target)}"
        ) from None
    if not 0 <= index < len(row):
        raise ArgumentError(f"class {index} of {len(row)}: cross_entropy takes 0 to {len(row) - 1}")
    return row[index]
