"""How `chainrule train` trains a network: with rows set aside that say when to stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from chainrule import optim
from chainrule.cli.measures import r2
from chainrule.cli.options import NetOptions, TrainingOptions
from chainrule.cli.problem import Problem
from chainrule.errors import AnomalyError, ArgumentError
from chainrule.nn import MLP
from chainrule.training import Checkpoint, EarlyStopping, History, fit

RATES = {"adam": 0.01, "adamw": 0.003, "sgd": 0.1}
"""The learning rate of each optimiser if none is given."""

MOST_DECAY, DECAY_ROWS = 0.3, 100.0
"""With adamw weights shrink as if by a prior that counts as much as so many rows: by 100 / rows, and at most by 0.3."""

RAMPS = ("relu", "leaky_relu", "gelu", "softplus")
"""Activations for which weights start as He et al. draw them."""

MOST_PARAMETERS = 1_000_000
"""Beyond this an epoch of single numbers would take hours."""


LEAST_EPOCHS, LEAST_STEPS = 200, 1000
"""How long is trained at most if the epochs were not said: as long as both ask for."""

LEAST_BATCH, MOST_STEPS = 16, 250
"""If the size of batches was not said, an epoch has at most so many steps, of at least so many rows."""

PATIENCE, PATIENCE_OF_MANY, MANY_ROWS = 20, 10, 4000
"""How many epochs without a better loss are waited for if that was not said: fewer if each has many steps."""


@dataclass(frozen=True)
class Recipe:
    """All that training depends on, beside the rows.

    Attributes:
        net, training: the options of the network and its training.
        seed: the seed of the weights and the batches.
        quiet: whether to show no progress.
    """

    net: NetOptions
    training: TrainingOptions
    seed: int
    quiet: bool

    def model(self, problem: Problem, hidden: Sequence[int]) -> MLP:
        """A network that has learned nothing yet.

        Raises:
            ArgumentError: it would be too large, or there is no such activation.
        """
        init = "he" if self.net.activation in RAMPS else "xavier"
        inputs, sizes = len(problem.encoder.features), [*hidden, problem.goal.outputs]
        parameters = sum((nin + 1) * nout for nin, nout in pairwise([inputs, *sizes]))
        if parameters > MOST_PARAMETERS:
            raise ArgumentError(f"a network with {parameters:,} parameters is too large to be trained number by number")
        return MLP(inputs, sizes, activation=self.net.activation, init=init, seed=self.seed)

    def optimizer(self, model: MLP, rows: int) -> optim.Optimizer:
        """The optimiser of a network that learns from so many rows."""
        training, parameters = self.training, model.parameters()
        lr = RATES[training.optimizer] if training.lr is None else training.lr
        if training.optimizer == "adamw":
            decay = min(MOST_DECAY, DECAY_ROWS / rows) if training.weight_decay is None else training.weight_decay
            return optim.AdamW(parameters, lr, weight_decay=decay)
        return (optim.Adam if training.optimizer == "adam" else optim.SGD)(parameters, lr)

    def fit(self, model: MLP, problem: Problem, checkpoint: Checkpoint | None = None, *, shown: bool = True) -> History:
        """Trains a network, until the loss on the validation rows no longer falls; progress is shown if wanted.

        Raises:
            AnomalyError: a number became infinite or nan.
        """
        training, rows = self.training, len(problem.train)
        batch = training.batch_size or max(LEAST_BATCH, rows // MOST_STEPS)
        patience = training.patience or (PATIENCE if rows < MANY_ROWS else PATIENCE_OF_MANY)
        watched = bool(problem.validation)
        try:
            return fit(
                model,
                *self._rows(problem, problem.train),
                loss=problem.goal.loss,
                optimizer=self.optimizer(model, rows),
                epochs=training.epochs or usual_epochs(rows, batch),
                batch_size=batch,
                validation=self._rows(problem, problem.validation) if watched else None,
                metrics=["accuracy"] if problem.goal.classes else [r2],
                seed=self.seed,
                callbacks=[EarlyStopping(patience)] if watched else [],
                checkpoint=checkpoint,
                progress=shown and not self.quiet,
                compile=training.compiled,
            )
        except AnomalyError as error:
            raise AnomalyError(f"the training diverged, and nothing was saved; try a smaller --lr. {error}") from None

    def _rows(self, problem: Problem, rows: Sequence[int]) -> tuple[list[list[float]], list[int] | list[float]]:
        """Inputs and targets for the loss."""
        X, encoded = problem.encoder.encode(problem.table, rows)
        targets = problem.goal.targets(encoded)
        if not self.training.class_weights:
            return X, targets
        places = balanced([int(place) for place in encoded])
        return [X[place] for place in places], [targets[place] for place in places]


def usual_epochs(rows: int, batch_size: int) -> int:
    """The most epochs if none were said: few rows make few steps an epoch, and a network needs some hundreds.

    >>> usual_epochs(120, 16), usual_epochs(24, 16)
    (200, 500)
    """
    return max(LEAST_EPOCHS, LEAST_STEPS // -(-rows // batch_size))


def balanced(classes: Sequence[int]) -> list[int]:
    """The places of rows in classes, those of rarer classes more often, so that all classes have as many.

    >>> balanced([0, 0, 0, 1, 2, 2])
    [0, 1, 2, 3, 3, 3, 4, 5, 4]
    """
    most = max(Counter(classes).values())
    places: dict[int, list[int]] = {}
    for place, name in enumerate(classes):
        places.setdefault(name, []).append(place)
    return [own[i % len(own)] for own in places.values() for i in range(most)]
