"""The kernel: native code made by one of the compiler's backends. The rest of the compiler knows only this interface
of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Held = bool | npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Native:
    """A kernel's function of graphs without samples, for callers that are native code themselves.

    Attributes:
        function: its address.
        free: memory that no call uses at present; a call takes one, and puts it back.
        memory: allocates memory for one call at a time.
        arguments: returns for memory the arguments of the function, and the address of the row of float64 in it where
            numbers stand. Its attribute `prepared` is free to keep what a caller makes of them.
        inputs: for each place from the beginning of the row, which input of the graph stands there.
        outputs: the places of the outputs.
        guards: for each guard its place, and whether the number there must be other than 0.
    """

    function: int
    free: list[Any]
    memory: Callable[[], Any]
    arguments: Callable[[Any], tuple[tuple[int, ...], int]]
    inputs: list[int]
    outputs: list[int]
    guards: list[tuple[int, bool]]


@dataclass(frozen=True)
class NativeBatch:
    """A kernel's functions of graphs with batched inputs, for callers that are native code themselves.

    Attributes:
        functions: their addresses: before the samples, for blocks of them, and after them.
        free, memory, inputs: as in `Native`.
        arguments: returns for memory the arguments of the functions, with 0 for batched inputs, results of samples,
            their strides, and the samples from start to end; and the address of the row where numbers stand, as of
            partial sums, which are 0 before the blocks, and how many of these there are.
        rows: how many batched inputs there are.
        each: how many rows of results of samples there are.
        lanes, block: how many samples a vector and a block have; rows have room for whole vectors.
        outputs: for each output whether it differs from sample to sample, and its row or place.
        guards: the same for each guard, and whether the number there must be other than 0.
    """

    functions: tuple[int, int, int]
    free: list[Any]
    memory: Callable[[], Any]
    arguments: Callable[[Any], tuple[tuple[int, ...], int, int, int]]
    inputs: list[int]
    rows: int
    each: int
    lanes: int
    block: int
    outputs: list[tuple[bool, int]]
    guards: list[tuple[bool, int, bool]]


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

    def native(self) -> Native | None:
        """Returns the function of a kernel for a graph without batched inputs; None if only `run` calculates all: in 32
        bits, in several threads, where Python calculates a part, or where addresses are checked."""

    def native_batch(self) -> NativeBatch | None:
        """Returns the functions of a kernel for a graph with batched inputs; None as for `native`, and where its code
        is not in three parts."""

    @property
    def bytes_per_call(self) -> int:
        """The bytes of memory that a call uses beside its arguments and results; for a batch, those of each block."""

    @property
    def operations_per_call(self) -> int:
        """The number of operations of a call; for a batch, those for one sample."""

    def describe(self) -> list[str]:
        """Returns sentences for `explain()`."""
