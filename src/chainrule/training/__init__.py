"""Training: `fit`, its callbacks, checkpoints and history.

>>> from chainrule.data import moons
>>> from chainrule.nn import MLP
>>> X, y = moons(n=40, noise=0.05, seed=1)
>>> model = MLP(2, [6, 1], activation="tanh", seed=1)
>>> history = fit(model, X, y, loss="binary_cross_entropy", epochs=5, validation=0.25)
>>> history.names
['loss', 'accuracy', 'validation_loss', 'validation_accuracy', 'lr']
>>> len(history), history.stopped
(5, 'done')
"""

from chainrule.training.callbacks import EarlyStopping, TrainingState, parameters_by_layer, record_gradients
from chainrule.training.checkpoints import Checkpoint
from chainrule.training.history import History
from chainrule.training.loop import evaluate, fit
from chainrule.training.objective import LOSSES, Objective, WeightedMean
from chainrule.training.trainer import EagerTrainer, Trainer

__all__ = [
    "LOSSES",
    "Checkpoint",
    "EagerTrainer",
    "EarlyStopping",
    "History",
    "Objective",
    "Trainer",
    "TrainingState",
    "WeightedMean",
    "evaluate",
    "fit",
    "parameters_by_layer",
    "record_gradients",
]
