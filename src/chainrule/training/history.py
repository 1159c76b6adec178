"""The history of training: one row of numbers for each epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

GradientStatistics = dict[str, dict[str, float]]


@dataclass(repr=False)
class History:
    """The history of training. Each row was measured at the end of an epoch, on the model as it was then.

    `history.loss` and its like are lists with one number for each epoch; `history["r2"]` gives those of any other
    metric.

    Attributes:
        rows: for each epoch the numbers by name: "loss", "accuracy", "validation_loss", "validation_accuracy", "lr",
            and metrics; a metric that was not finite is nan.
        gradients: for each epoch the statistics by layer, if `record_gradients` was a callback.
        stopped: why training ended: "done", "early stopping", "interrupted" (Ctrl-C) or "callback"; "" while it runs.
        loss_name: the name of the loss.
        engine: what did the last steps: "compiled" code, the "eager" engine, or your "own" trainer.
        engine_note: how long compiling took, or why nothing was compiled.

    >>> history = History([{"loss": 0.9}, {"loss": 0.4}, {"loss": 0.5}])
    >>> history.loss, history.best_epoch, history.accuracy
    ([0.9, 0.4, 0.5], 2, [])
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    gradients: list[GradientStatistics] = field(default_factory=list)
    stopped: str = ""
    loss_name: str = "loss"
    engine: str = field(default="eager", compare=False)
    engine_note: str = field(default="", compare=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> list[float]:
        """The numbers of one name, one for each epoch.

        Raises:
            KeyError: there are none.
        """
        if name not in self.names:
            raise KeyError(f"no {name!r} in this history; there are {', '.join(self.names)}")
        return [row[name] for row in self.rows]

    @property
    def names(self) -> list[str]:
        """The names of what was measured."""
        return list(self.rows[0]) if self.rows else []

    @property
    def loss(self) -> list[float]:
        """The loss on the training rows, without the penalty."""
        return self._column("loss")

    @property
    def accuracy(self) -> list[float]:
        """The share of training rows that are right, 0 to 1; empty where the loss is not about classes."""
        return self._column("accuracy")

    @property
    def validation_loss(self) -> list[float]:
        """The loss on the validation rows; empty without any."""
        return self._column("validation_loss")

    @property
    def validation_accuracy(self) -> list[float]:
        """The accuracy on the validation rows; empty without any, or where the loss is not about classes."""
        return self._column("validation_accuracy")

    @property
    def lr(self) -> list[float]:
        """The learning rate at the beginning of each epoch."""
        return self._column("lr")

    @property
    def monitored(self) -> str:
        """The name of the number that decides which epoch is best: the validation loss, or the loss without validation
        rows."""
        return "validation_loss" if self.rows and "validation_loss" in self.rows[0] else "loss"

    @property
    def best_epoch(self) -> int:
        """The number of the epoch, from 1, with the lowest monitored loss (the first of equals); 0 before the first
        epoch."""
        numbers = self._column(self.monitored)
        return numbers.index(min(numbers)) + 1 if numbers else 0

    def _column(self, name: str) -> list[float]:
        return self[name] if name in self.names else []

    def to_dict(self) -> dict[str, Any]:
        """Returns the history as data for JSON; nan becomes None."""
        rows = [{name: None if math.isnan(x) else float(x) for name, x in row.items()} for row in self.rows]
        numbers = {"rows": rows, "gradients": self.gradients}
        words = {name: getattr(self, name) for name in ("stopped", "loss_name", "engine", "engine_note")}
        return numbers | words

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> History:
        """Restores the history that `to_dict` returned."""
        rows = [{name: math.nan if x is None else float(x) for name, x in row.items()} for row in content["rows"]]
        engine = content.get("engine", "eager"), content.get("engine_note", "")  # older files have neither
        return cls(rows, list(content["gradients"]), content["stopped"], content["loss_name"], *engine)

    def __repr__(self) -> str:
        numbers = [f"{name} {x:.4g}" for name, x in self.rows[-1].items() if name != "lr"] if self.rows else []
        return f"History({', '.join([f'{len(self)} epochs', *numbers, self.stopped or 'running'])})"
