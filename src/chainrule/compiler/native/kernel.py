"""The kernel: native code made by one of the compiler's backends. The rest of the compiler knows only this interface
of it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Held = bool | npt.NDArray[np.bool_]


class Kernel(Protocol):
    """A graph as native code. Several threads may run it at the same time.

    Attributes:
        object_code: the native code, for the cache.
    """

    object_code: bytes

    def run(self, numbers: Floats, columns: Floats | None = None) -> tuple[Floats, Floats, Held]:
        """Calculates the outputs of the graph.

        Args:
            numbers: float64[inputs]; the numbers of batched inputs are ignored.
            columns: float64[batched inputs in ascending order, samples]; None if there are none.

        Returns:
            shared: float64[outputs], nan for those that differ from sample to sample.
            each: float64[outputs that differ from sample to sample, samples].
            held: whether all guards had the outcomes of the trace; for a graph with batched inputs bool[samples].

        Raises:
            SizeError: the arguments are not of these sizes.
        """

    @property
    def bytes_per_call(self) -> int:
        """The bytes of memory that a call uses beside its arguments and results; for a batch, those of each block."""

    @property
    def operations_per_call(self) -> int:
        """The number of operations of a call; for a batch, those for one sample."""

    def describe(self) -> list[str]:
        """Returns sentences for `explain()`."""
