"""The kernel: what the compiler's backends make of a graph, and all that the rest of the compiler knows of it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Held = bool | npt.NDArray[np.bool_]


class Kernel(Protocol):
    """A graph as native code, to be run on numbers; several threads may run it at the same time.

    Attributes:
        object_code: the native code, so that a cache can keep it.
    """

    object_code: bytes

    def run(self, numbers: Floats, columns: Floats | None = None) -> tuple[Floats, Floats, Held]:
        """Calculates the graph's outputs.

        Args:
            numbers: float64[inputs]; those of batched inputs do not matter.
            columns: float64[batched inputs in ascending order, samples]; None if there are none.

        Returns:
            shared: float64[outputs], nan for those that differ from sample to sample.
            each: float64[outputs that differ from sample to sample, samples].
            held: whether all guards had their outcome; of a graph with batched inputs bool[samples].

        Raises:
            SizeError: the arguments are not of these sizes.
        """

    @property
    def bytes_per_call(self) -> int:
        """How much memory a call goes through, its arguments and results aside; for a batch, with each block of it."""

    @property
    def operations_per_call(self) -> int:
        """How many operations a call does, those on single samples counted once."""

    def describe(self) -> list[str]:
        """Sentences on what was made of the graph, for `explain()`."""
