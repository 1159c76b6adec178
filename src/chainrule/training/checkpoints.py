"""Checkpoints: all that the next step depends on, in one file that is valid at every moment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chainrule.core.files import FilePath, check_target, remove_leftovers
from chainrule.errors import ArgumentError, SavedFileError, shown
from chainrule.optim import Optimizer
from chainrule.saving.models import STATE, read_document, write_document
from chainrule.saving.schema import Anything, Flag, Integer, ListOf, MapOf, Nullable, Number, Record, Text, TupleOf

CHECKPOINT_FORMAT = "chainrule checkpoint"
CHECKPOINT_VERSION = 1

HISTORY = Record(
    {"rows": ListOf(MapOf(Nullable(Number()))), "gradients": ListOf(MapOf(MapOf(Number()))),
     "stopped": Text(), "loss_name": Text()},
    optional={"engine": Text(pattern="compiled|eager|own"), "engine_note": Text()},
)  # fmt: skip
CHECKPOINT = Record(
    {
        "settings": MapOf(Anything()),
        "epoch": Integer(0),
        "model": STATE,
        "optimizer": Record({"type": Text(1000), "steps": Integer(0)}, others=Anything()),
        "rng": TupleOf((Integer(3, 3), ListOf(Integer(0, 2**32 - 1), 625, 625), Nullable(Number()))),
        "best": Nullable(Record({"loss": Number(), "state": STATE})),
        "wants_best": Flag(),
        "history": HISTORY,
    }
)
"""The content of a checkpoint, beside its format, version and checksum."""


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often `fit` saves its progress.

    Args:
        path: the file. If it exists, it must be a checkpoint.
        every: the number of epochs between two saves; the last epoch is always saved.
        resume: whether to continue from an existing checkpoint. The run then gives exactly the numbers of an
            uninterrupted one. Data and settings must be the same, but `epochs` may be larger. It continues with the
            engine that it had, compiled or eager, unless `fit` is given `compile`.

    Raises:
        ArgumentError: `every` is not a positive integer.

    >>> Checkpoint("run.json", every=10)
    Checkpoint(path='run.json', every=10, resume=False)
    """

    path: FilePath
    every: int = 1
    resume: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.every, bool) or not isinstance(self.every, int) or self.every < 1:
            raise ArgumentError(f"every is a number of epochs, 1 or more, not {shown(self.every)}")

    def open(self, settings: dict[str, Any]) -> dict[str, Any] | None:
        """Checks the path before training begins; writes nothing.

        Args:
            settings: all that the numbers of the run depend on, from `describe`.

        Returns:
            The content of the checkpoint to continue from; None for a run from the beginning.

        Raises:
            SavedFileError: the path cannot be written, the file is of another kind, or, to resume, it is damaged or of
                another run.
        """
        target = check_target(self.path)
        if not target.exists():
            return None
        content = read_document(target, CHECKPOINT_FORMAT, CHECKPOINT_VERSION, CHECKPOINT)
        if not self.resume:
            return None
        settings = json.loads(json.dumps(settings))  # in the form that a file gives back
        theirs = content["settings"]
        for name in settings:
            if theirs.get(name) != settings[name]:
                was, now = (_shown(value) for value in (theirs.get(name), settings[name]))
                difference = f"there {name} is {was}, here {now}"
                raise SavedFileError(f"{self.path} is of another run: {difference} (resume=False starts anew)")
        remove_leftovers(target)
        return content

    def write(self, settings: dict[str, Any], content: dict[str, Any]) -> None:
        """Replaces the checkpoint, atomically."""
        document = {"settings": settings, **content}
        write_document(self.path, CHECKPOINT_FORMAT, CHECKPOINT_VERSION, document, CHECKPOINT)


def describe_data(*parts: Any) -> str:
    """A fingerprint of training data."""
    return "sha256 " + hashlib.sha256(repr(parts).encode()).hexdigest()


def describe_function(function: Any) -> Any:
    """The name of a function, or the type of a callable object; numbers, texts and None describe themselves."""
    if function is None or isinstance(function, int | float | str):
        return function
    return getattr(function, "__qualname__", type(function).__name__)


def describe_optimizer(optimizer: Optimizer) -> dict[str, Any]:
    """The type of an optimiser and its settings; a schedule is described by its rates at some steps."""
    changing = {"parameters", "memory", "steps", "schedule"}
    kinds = int | float | str | list | tuple | None
    settings = {name: x for name, x in vars(optimizer).items() if name not in changing and isinstance(x, kinds)}
    rates = [_rate(optimizer.schedule, step) for step in (0, 1, 10, 100, 1000, 10_000)]
    return {"type": type(optimizer).__name__, "lr": rates[0] if len(set(rates)) == 1 else rates, **settings}


def _rate(schedule: Callable[[int], float], step: int) -> float | str:
    try:
        return schedule(step)
    except Exception as error:  # a user's schedule may end earlier, as a list's __getitem__ does
        return type(error).__name__


def _shown(value: Any) -> str:
    text = str(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
