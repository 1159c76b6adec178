"""The goal of a network for a table's target: its loss, its outputs, its targets, and the probabilities of its
classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chainrule.data.tables import Encoder
from chainrule.errors import ArgumentError, suggest
from chainrule.nn import softmax
from chainrule.ops import sigmoid
from chainrule.training import LOSSES

SIDES = {
    "binary_cross_entropy": (0.0, 1.0),
    "max_margin": (-1.0, 1.0),
    "mean_squared_error": (-1.0, 1.0),
    "mean_absolute_error": (-1.0, 1.0),
}
"""For losses that take one score a row: the numbers of the two classes. A score above 0 means the second one."""

FOR_NUMBERS = ("mean_squared_error", "mean_absolute_error")

Output = float | list[float]


@dataclass(frozen=True)
class Goal:
    """The goal of a network.

    Attributes:
        loss: the name of the loss.
        classes: the names of the classes; None if the target is a number.
    """

    loss: str
    classes: tuple[str, ...] | None

    @classmethod
    def choose(cls, loss: str | None, encoder: Encoder) -> Goal:
        """Chooses the loss: the one that was asked for, or the usual one.

        Raises:
            ArgumentError: there is no such loss, or it does not fit the target.
        """
        classes, target = encoder.classes, encoder.target.name
        loss = loss or ("cross_entropy" if classes else "mean_squared_error")
        if loss not in LOSSES:
            raise ArgumentError(f"there is no loss {loss!r}; there are {', '.join(LOSSES)}.{suggest(loss, LOSSES)}")
        if classes is None and loss not in FOR_NUMBERS:
            raise ArgumentError(f"{loss} is for classes, but {target!r} holds numbers: take {' or '.join(FOR_NUMBERS)}")
        if classes and len(classes) > 2 and loss != "cross_entropy":
            raise ArgumentError(f"{loss} is not for the {len(classes)} classes of {target!r}: take cross_entropy")
        return cls(loss, classes)

    @property
    def outputs(self) -> int:
        """The number of outputs of the network."""
        return len(self.classes) if self.classes and self.loss == "cross_entropy" else 1

    def targets(self, encoded: Sequence[int] | Sequence[float]) -> list[int] | list[float]:
        """Turns the targets of the encoder into those of the loss."""
        if self.classes and self.loss in SIDES:
            return [SIDES[self.loss][int(place)] for place in encoded]
        return list(encoded)

    def probabilities(self, output: Output) -> list[float] | None:
        """The probability of each class; None where the scores are not logits.

        >>> [round(p, 4) for p in Goal("cross_entropy", ("a", "b")).probabilities([0.0, 3.0])]
        [0.0474, 0.9526]
        """
        if isinstance(output, list):
            return softmax(output)
        return [sigmoid(-output), sigmoid(output)] if self.loss == "binary_cross_entropy" else None
