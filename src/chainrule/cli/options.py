"""The options of a training run on the command line; each field becomes an option, its note the help."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chainrule.data.tables.files import Likely
from chainrule.errors import ArgumentError

SPELLED = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "space": " ", "bar": "|", "pipe": "|"}
"""Delimiters that are awkward to type, by the words for them."""


def character(word: str) -> str:
    """The delimiter that a word stands for."""
    return SPELLED.get(word.lower(), word)


@dataclass(frozen=True)
class Reading:
    """How to read a file of rows; None for what is found by itself.

    Attributes:
        delimiter: the character between the cells, or a word for it.
        encoding: the encoding.
        likely: what to try first where either is left out.
    """

    delimiter: str | None = None
    encoding: str | None = None
    likely: Likely = Likely()  # noqa: RUF009 - nothing in it changes

    @property
    def between(self) -> str | None:
        """The character between the cells.

        >>> Reading("tab").between, Reading(";").between
        ('\\t', ';')
        """
        return character(self.delimiter) if self.delimiter else self.delimiter


@dataclass(frozen=True)
class DataOptions:
    """Which rows to learn from."""

    target: str | None = None
    """The column to predict; the last one if left out."""

    task: Literal["classification", "regression"] | None = None
    """Whether the target is a class or a number; by default texts and whole numbers of few values are classes."""

    ignore: tuple[str, ...] = ()
    """A column to leave out; repeat the option for several."""

    keep: tuple[str, ...] = ()
    """A column to learn from although it seems to name or number the rows; repeat the option for several."""

    held_out: float = 0.2
    """The share of rows to hold out for measuring the trained network; 0 for none."""

    decimal: Literal[".", ","] | None = None
    """The decimal mark of all numbers; found by default."""

    delimiter: str | None = None
    """The character between the cells, or tab; found by default."""

    encoding: str | None = None
    """The encoding of the file, such as cp1252; found by default."""

    seed: int = 0
    """The seed of all random choices: held-out rows, weights, batches, the points of a toy set."""

    def check(self) -> None:
        """Refuses a share that leaves no rows to learn from, and a negative seed."""
        if not 0 <= self.held_out < 1:
            raise ArgumentError(
                f"--held-out is a share of the rows from 0 up to 1, such as 0.2, but not {self.held_out}"
            )
        if self.seed < 0:
            raise ArgumentError(f"--seed must be 0 or more, not {self.seed}")

    @property
    def reading(self) -> Reading:
        """How to read the file, as far as that was said."""
        return Reading(self.delimiter, self.encoding)


NARROWEST, WIDEST = 8, 64
"""The least and the most neurons of a hidden layer whose size was not said."""


@dataclass(frozen=True)
class NetOptions:
    """The network."""

    sizes: str | None = None
    """The number of neurons of each hidden layer, separated by commas; none for no hidden layer. By default 8,8, and
    more for tables of many columns."""

    activation: str = "tanh"
    """The activation of the hidden layers: tanh, relu, gelu, sigmoid, or another operation of one number."""

    def check(self) -> None:
        """Refuses invalid sizes; an activation is looked up when the network is built."""
        self.hidden(1)

    def hidden(self, columns: int) -> list[int]:
        """The sizes as numbers, for so many columns to learn from.

        Raises:
            ArgumentError: they are not positive whole numbers.

        >>> NetOptions("16, 4").hidden(9), NetOptions("none").hidden(9), NetOptions().hidden(9), NetOptions().hidden(64)
        ([16, 4], [], [8, 8], [32, 32])
        """
        if self.sizes is None:
            width = min(max(NARROWEST, columns // 2), WIDEST)
            return [width, width]
        if self.sizes.strip().lower() == "none":
            return []
        sizes = [size.strip() for size in self.sizes.split(",")]
        if not all(re.fullmatch(r"0*[1-9][0-9]{0,8}", size) for size in sizes):
            raise ArgumentError(f"--sizes are whole numbers above 0 with commas, such as 8,8, not {self.sizes!r}")
        return [int(size) for size in sizes]


@dataclass(frozen=True)
class TrainingOptions:
    """How to train it."""

    loss: str | None = None
    """By default cross_entropy or mean_squared_error; also mean_absolute_error, binary_cross_entropy, max_margin."""

    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    """The optimizer; adamw is adam with weights that shrink."""

    lr: float | None = None
    """The learning rate; 0.003 if left out, 0.01 for adam, 0.1 for sgd."""

    weight_decay: float | None = None
    """How fast weights shrink with adamw, as a multiple of the learning rate. If left out, it depends on the rows."""

    epochs: int | None = None
    """How many times to go through all rows, at most; 200 if left out, and more for few rows."""

    batch_size: int | None = None
    """How many rows each step takes; 16 if left out, and more for many rows."""

    patience: int | None = None
    """Stop after so many epochs without a better loss on the validation rows, and keep the best weights; 20 if left
    out, 10 for many rows."""

    validation: float = 0.2
    """The share of the rows to learn from that is set aside as validation rows; 0 for none: all epochs are done."""

    class_weights: Literal["balanced"] | None = None
    """Take rows of rarer classes more often, so that all classes count the same."""

    checkpoint: Path | None = None
    """A file to save the progress in after each epoch."""

    resume: bool = False
    """Continue from that checkpoint, if it exists."""

    compile: bool = False
    """Train by native code, which needs the extra "compiler". By default it is used where it is worthwhile."""

    no_compile: bool = False
    """Train without native code."""

    def check(self) -> None:
        """Refuses numbers with which nothing can be trained."""
        if self.lr is not None and not 0 < self.lr < math.inf:
            raise ArgumentError(f"--lr must be a number above 0, such as 0.01, not {self.lr}")
        if self.weight_decay is not None and not 0 <= self.weight_decay < math.inf:
            raise ArgumentError(f"--weight-decay must be 0 or more, such as 0.1, not {self.weight_decay}")
        if self.weight_decay is not None and self.optimizer != "adamw":
            raise ArgumentError(f"--weight-decay is for --optimizer adamw, not {self.optimizer}")
        counts = {"--epochs": self.epochs, "--batch-size": self.batch_size, "--patience": self.patience}
        for name, number in counts.items():
            if number is not None and number < 1:
                raise ArgumentError(f"{name} must be at least 1, not {number}")
        if not 0 <= self.validation < 1:
            raise ArgumentError(f"--validation is a share from 0 up to 1, such as 0.2, but not {self.validation}")
        if self.resume and self.checkpoint is None:
            raise ArgumentError("--resume needs the file to go on from: --checkpoint PATH")
        if self.compile and self.no_compile:
            raise ArgumentError("--compile and --no-compile exclude each other")

    @property
    def compiled(self) -> bool | Literal["auto"]:
        """The option `compile` of `fit`."""
        return True if self.compile else False if self.no_compile else "auto"

    @property
    def loss_name(self) -> str | None:
        """The name of the loss in the library; hyphens count as underscores."""
        return self.loss and self.loss.replace("-", "_")


@dataclass(frozen=True)
class OutputOptions:
    """What to write and to print."""

    model: Path | None = None
    """The file for the model; by default in the current folder, named after the data."""

    picture: Path | None = None
    """The file for the picture, .png, .svg or .pdf; by default a .png beside the model."""

    quiet: bool = False
    """Print only the result."""

    force: bool = False
    """Overwrite files that are not an earlier model or picture of chainrule's; never the data."""
