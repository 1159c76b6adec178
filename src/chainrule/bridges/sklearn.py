"""Neural networks as scikit-learn's estimators: in its pipelines, searches and cross-validations.

They train by `chainrule.fit`, in native code where that is worthwhile. As with scikit-learn's own networks, inputs
should be of similar size: put a `StandardScaler` before them. Needs the extra "sklearn".

>>> from sklearn.datasets import load_iris
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> X, y = load_iris(return_X_y=True)
>>> model = make_pipeline(StandardScaler(), ChainruleClassifier((8,), max_iter=60, random_state=1)).fit(X, y)
>>> model.score(X, y) > 0.9, model.predict_proba(X[:1]).shape
(True, (1, 3))

A loss of one's own is a function of one prediction and one target, in chainrule's operations:

>>> from chainrule import relu
>>> def quantile_90(prediction, target):
...     return 0.9 * relu(target - prediction) + 0.1 * relu(prediction - target)
>>> ChainruleRegressor(loss=quantile_90)
ChainruleRegressor(loss=<function quantile_90 at ...>)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chainrule import losses
from chainrule.core.extras import require
from chainrule.core.modes import no_grad
from chainrule.errors import AnomalyError, ArgumentError, DataError, shown, suggest
from chainrule.nn import MLP
from chainrule.optim import Adam
from chainrule.training import LOSSES, EarlyStopping, WeightedMean, fit
from chainrule.training.trainer import to_numbers

for _library in ("numpy", "llvmlite", "sklearn"):
    require(_library, extra="sklearn")

import numpy as np
from scipy import special
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from chainrule.compiler.compiled import compile

Loss = str | Callable[[Any, Any], Any]

RAMPS = ("relu", "leaky_relu", "gelu", "softplus")
"""Activations for which weights start as He et al. draw them."""

LARGEST_BATCH = 200
"""The size of a batch that is chosen for the user, as in scikit-learn's networks."""

NATIVE_WORK = 2_000_000
"""Predictions of so many products are compiled; fewer are done before that would begin."""


class Network:
    """A trained network that predicts many rows at a time. A pickle of it has no native code, which is made anew.

    Args:
        model: the network.
    """

    def __init__(self, model: MLP) -> None:
        self.model = model
        self._native: Any = None

    def __call__(self, X: Any) -> Any:
        """Returns the outputs for the rows of X: float64[rows] or float64[rows, outputs]."""
        if self._native is None and len(X) * len(self.model.parameters()) < NATIVE_WORK:
            with no_grad():
                return np.array(to_numbers([self.model(row) for row in X.tolist()]))
        self._native = self._native or compile(self.model.forward, in_axes=0)
        found = self._native(X)
        return np.stack(found, axis=1) if isinstance(found, list | tuple) else found

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.model, "_native": None}


class _Estimator(BaseEstimator):
    """What both estimators share: most options, and how they train."""

    def __init__(  # noqa: PLR0913 (scikit-learn finds options by their names here)
        self,
        hidden_layer_sizes: int | Sequence[int] = (32,),
        *,
        activation: str = "tanh",
        loss: Loss = "mean_squared_error",
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.01,
        max_iter: int = 200,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    def _train(self, X: Any, y: Any, weights: Any, outputs: int, classes: Any = None) -> None:
        """Trains a network on checked arrays; rows without weight are left out.

        Args:
            X: float64[rows, inputs].
            y: the targets, as the loss takes them: [rows, numbers].
            weights: float64[rows].
            outputs: how many outputs the network has.
            classes: the class of each row, by which validation rows are chosen; None for numbers.
        """
        options = {name: _plain(x) for name, x in self.get_params(deep=False).items()}
        loss, random = self._loss(outputs), check_random_state(self.random_state)
        division, start, order = [int(seed) for seed in random.randint(2**31 - 1, size=3)]
        keep = np.flatnonzero(weights)
        weights = weights / weights[keep].mean()
        rows = [[*target, weight] for target, weight in zip(y.tolist(), weights.tolist(), strict=True)]
        train, held_out = self._divided(keep, division, classes)
        model = _network(X.shape[1], options["hidden_layer_sizes"], outputs, options["activation"], start)
        batch = min(LARGEST_BATCH, len(train)) if self.batch_size == "auto" else options["batch_size"]
        try:
            self.history_ = fit(
                model,
                X[train].tolist(),
                [rows[i] for i in train],
                loss=WeightedMean(loss),
                optimizer=Adam(model.parameters(), lr=options["learning_rate_init"]),
                epochs=options["max_iter"],
                batch_size=batch,
                validation=(X[held_out].tolist(), [rows[i] for i in held_out]) if self.early_stopping else None,
                penalty=options["alpha"],
                seed=order,
                callbacks=EarlyStopping(options["n_iter_no_change"], options["tol"]),
                progress=self.verbose,
            )
        except AnomalyError as error:
            advice = "scale the inputs (and targets), as StandardScaler does, or lower learning_rate_init"
            raise AnomalyError(f"the training diverged: {advice}. {error}") from None
        self.model_, self.n_iter_, self.loss_curve_ = model, len(self.history_), self.history_.loss
        self._network = Network(model)

    def _divided(self, rows: Any, seed: int, classes: Any) -> tuple[Any, Any]:
        """Divides row numbers into those to train on and those to validate on."""
        if not self.early_stopping:
            return rows, rows[:0]
        if not 0 < self.validation_fraction < 1:
            given = shown(self.validation_fraction)
            raise ArgumentError(f"validation_fraction is a share of the rows between 0 and 1, not {given}")
        stratify = None if classes is None else classes[rows]
        return tuple(train_test_split(rows, test_size=self.validation_fraction, random_state=seed, stratify=stratify))

    def _loss(self, outputs: int) -> Callable[[Any, Any], Any]:
        """The loss of one sample, where the network has so many outputs."""
        raise NotImplementedError

    def _outputs(self, X: Any) -> Any:
        """The outputs of the network: float64[rows], or float64[rows, outputs]."""
        check_is_fitted(self)
        return self._network(validate_data(self, X, reset=False, dtype=np.float64))


class ChainruleRegressor(RegressorMixin, _Estimator):
    """A neural network that predicts one number, or several.

    Args:
        hidden_layer_sizes: the number of neurons of each hidden layer.
        activation: of the hidden layers, the name of an operation: "tanh", "relu", "gelu", …
        loss: "mean_squared_error", "mean_absolute_error", or a function of one prediction and one target that returns
            one number, in chainrule's operations. Predictions and targets are numbers, or lists where y has several
            columns.
        alpha: the strength of the L2 penalty on all parameters.
        batch_size: how many rows a step of Adam takes; "auto" for 200, or all if there are fewer.
        learning_rate_init: the learning rate of Adam.
        max_iter: how many times to go through all rows, at most.
        early_stopping: whether to hold out a share of the rows, and to stop when their loss no longer improves;
            otherwise it stops when the loss of all rows does not.
        validation_fraction: that share.
        n_iter_no_change: after how many epochs without an improvement it stops. The best epoch's parameters are kept.
        tol: by how much the loss must improve to count.
        random_state: an integer for the same weights, batches and validation rows each time.
        verbose: whether to show progress.

    Attributes:
        model_: the `chainrule.nn.MLP`.
        history_: the `chainrule.training.History`.
        n_iter_: how many epochs were done.
        loss_curve_: the loss after each.
        n_features_in_, feature_names_in_: of X.

    A weight of 2 counts like the row twice, and one of 0 like no row: exactly where a batch has all rows.

    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> model = ChainruleRegressor((16,), max_iter=300, random_state=0).fit(X, X[:, 0] ** 2)
    >>> model.score(X, X[:, 0] ** 2) > 0.95
    True
    """

    LOSSES = ("mean_squared_error", "mean_absolute_error")

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ChainruleRegressor:
        """Trains a new network on rows X and targets y, a number or several for each; weights are not negative.

        Raises:
            ValueError, TypeError: as scikit-learn raises them for data, and chainrule for options.
            AnomalyError: a number became infinite or nan.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        y = np.asarray(y, dtype=np.float64).reshape(len(X), -1)
        self._train(X, y, _weights(sample_weight, X), outputs=y.shape[1])
        return self

    def predict(self, X: Any) -> Any:
        """Returns the predictions: float64[rows], or float64[rows, numbers]."""
        return self._outputs(X)

    def _loss(self, outputs: int) -> Callable[[Any, Any], Any]:
        if callable(self.loss):
            return self.loss
        return _named_loss(self.loss, self.LOSSES)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class ChainruleClassifier(ClassifierMixin, _Estimator):
    """A neural network that tells classes apart.

    Args:
        loss: "cross_entropy", or a function of one prediction and one target that returns one number, in chainrule's
            operations. For two classes the prediction is one score, above 0 for the second class, and the target is 0
            or 1. For more it is a list of scores, and the target is the index of the class:
            `chainrule.take(scores, target)`.
        class_weight: a dict of weights by class; "balanced" for weights against the classes' frequencies; None.
        others: as for `ChainruleRegressor`.

    Attributes:
        classes_: the classes, sorted.
        others: as those of `ChainruleRegressor`.

    Probabilities are the sigmoid of a score, or the softmax of scores: they are estimates where the loss is the
    cross entropy, or another that is least for the true probabilities.

    >>> import numpy as np
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), ["low", "low", "high", "high"]
    >>> ChainruleClassifier((4,), random_state=0).fit(X, y).predict([[0.2], [2.8]])
    array(['low', 'high'], dtype='<U4')
    """

    LOSSES = ("cross_entropy",)

    def __init__(  # noqa: PLR0913 (scikit-learn finds options by their names here)
        self,
        hidden_layer_sizes: int | Sequence[int] = (32,),
        *,
        activation: str = "tanh",
        loss: Loss = "cross_entropy",
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.01,
        max_iter: int = 200,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        class_weight: Any = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation=activation,
            loss=loss,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ChainruleClassifier:
        """Trains a new network on rows X and their classes y; weights are not negative.

        Raises:
            ValueError, TypeError: as scikit-learn raises them for data, and chainrule for options.
            AnomalyError: a number became infinite or nan.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        weights = _weights(sample_weight, X) * compute_sample_weight(self.class_weight, y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        count = len(self.classes_)
        there = np.unique(codes[weights > 0])
        if len(there) < 2:
            only = f"y has one class only, {self.classes_[there[0]]!r}"
            raise DataError(f"{only}{'' if count < 2 else ' with a weight'}: two classes at least are needed to learn")
        self._train(X, codes[:, None], weights, outputs=1 if count == 2 else count, classes=codes)
        return self

    def decision_function(self, X: Any) -> Any:
        """Returns the scores: float64[rows], above 0 for the second of two classes, or float64[rows, classes]."""
        return self._outputs(X)

    def predict_proba(self, X: Any) -> Any:
        """Returns the probability of each class: float64[rows, classes]."""
        scores = self._outputs(X)
        if scores.ndim == 1:
            second = special.expit(scores)
            return np.column_stack([1.0 - second, second])
        return special.softmax(scores, axis=1)

    def predict(self, X: Any) -> Any:
        """Returns the most probable class of each row."""
        scores = self._outputs(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]

    def _loss(self, outputs: int) -> Callable[[Any, Any], Any]:
        if callable(self.loss):
            return self.loss
        named = _named_loss(self.loss, self.LOSSES)
        return losses.binary_cross_entropy if outputs == 1 else named


def _network(inputs: int, hidden: Any, outputs: int, activation: Any, seed: int) -> MLP:
    sizes = [*np.atleast_1d(hidden).tolist(), outputs]
    return MLP(inputs, sizes, activation=activation, init="he" if activation in RAMPS else "xavier", seed=seed)


def _plain(x: Any) -> Any:
    """An option as Python's own number, where it is one of NumPy's, as those of a search are."""
    return x.item() if isinstance(x, np.generic) else x


def _named_loss(name: Any, known: Sequence[str]) -> Callable[[Any, Any], Any]:
    if not isinstance(name, str) or name not in known:
        choice = " or ".join(map(repr, known))
        hint = suggest(name, known)
        raise ArgumentError(f"loss={shown(name)}: give {choice}, or a function of one prediction and one target.{hint}")
    return LOSSES[name]


def _weights(given: Any, X: Any) -> Any:
    """The weight of each row: float64[rows].

    Raises:
        DataError: one is negative, or all are zero.
    """
    weights = _check_sample_weight(given, X, dtype=np.float64)
    if (weights < 0).any():
        raise DataError(f"a sample weight is {weights.min()}: give weights of 0 or more")
    if not weights.any():
        raise DataError("all sample weights are zero, so there is nothing to learn from")
    return weights
