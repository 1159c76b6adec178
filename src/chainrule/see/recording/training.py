"""Of a training loop: the loss and the parameters of each step, also of those whose graphs are dropped.

A step is one `backward()`; a parameter is a leaf whose number was written between two of them. From these numbers and
the graph that is kept, every step's graph can be made again (with the samples of the last one).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

MOST_NUMBERS = 1_000_000
"""Of a longer training only every second step is kept, then every fourth, and so on."""


class Training(NamedTuple):
    """The steps of a training loop, in the document of a recording.

    Attributes:
        parameters: the nodes that are trained.
        steps: for each row of numbers, which `backward()` it was, counted from 1.
        losses: the number on which `backward()` was called, in each step.
        numbers: the numbers of all parameters, in each step.
    """

    parameters: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()
    numbers: tuple[tuple[float, ...], ...] = ()


class Series:
    """Notes what is written between steps."""

    def __init__(self) -> None:
        self._first: dict[Any, float] = {}  # the number of each parameter before it was written
        self._since: dict[Any, float] = {}  # what was written since the last step
        self._steps: list[tuple[int, float, dict[Any, float]]] = []
        self._count = 0
        self._every = 1

    def wrote(self, entry: Any, before: float, after: float) -> None:
        """Notes that a leaf is written."""
        self._first.setdefault(entry, before)
        self._since[entry] = after

    def step(self, number: int, loss: float) -> None:
        """Notes a step: its number, and its loss."""
        if number % self._every and self._every > 1:
            return
        self._steps.append((number, loss, self._since))
        self._count += len(self._since) + 1
        self._since = {}
        if self._count > MOST_NUMBERS:
            self._thin_out()

    def _thin_out(self) -> None:
        self._every *= 2
        kept: list[tuple[int, float, dict[Any, float]]] = []
        written: dict[Any, float] = {}
        for number, loss, changes in self._steps:
            written |= changes
            if number % self._every == 0:
                kept.append((number, loss, written))
                written = {}
        self._since = written | self._since
        self._steps, self._count = kept, sum(len(changes) + 1 for _, _, changes in kept)

    def told(self, index: Mapping[Any, int]) -> Training:
        """The steps, for those parameters that have an index.

        Args:
            index: the nodes that the recording keeps, and their places in it.
        """
        parameters = [entry for entry in self._first if entry in index]
        if not parameters:
            return Training()
        now = dict(self._first)
        rows = []
        for number, loss, changes in self._steps:
            now |= changes
            rows.append((number, loss, tuple([now[entry] for entry in parameters])))
        steps, losses, numbers = zip(*rows, strict=True) if rows else ((), (), ())
        return Training(tuple([index[entry] for entry in parameters]), steps, losses, numbers)
