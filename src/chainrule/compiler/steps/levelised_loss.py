"""Losses without loops: adapts levelised kernels to the interface of loop kernels that training steps use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.levels.kernel import LevelKernel, compile_graph
from chainrule.compiler.native.llvm import Machine


class LevelisedKernel:
    """A levelised graph as a kernel. Its `shared` numbers are the inputs, then the outputs."""

    def __init__(self, graph: Graph, machine: Machine, bits: int) -> None:
        self.graph, self.kernel = graph, compile_graph(graph, machine, bits)
        self.dtype = np.float64
        self.places = graph.inputs + np.arange(len(graph.outputs))
        self.guards: list[tuple[bool, int, bool]] = []  # for the driver, which does not run this

    def bind(self, columns: np.ndarray | None) -> LevelisedBound:
        """Binds the kernel to columns, with `shared` numbers of its own."""
        size = self.graph.inputs + len(self.graph.outputs)
        samples = 0 if columns is None else columns.shape[1]
        return LevelisedBound(self.kernel, np.zeros(size), columns, self.graph.inputs, samples)

    def parts(self, samples: int) -> int:
        """Returns more than 1, so that the driver does not run this kernel, and its steps are done one by one."""
        return 2

    def address(self, function: str) -> int:
        """Returns 0: there is no native function for the driver."""
        return 0


@dataclass
class LevelisedBound:
    """A levelised kernel with its memory."""

    kernel: LevelKernel
    shared: np.ndarray
    columns: np.ndarray | None
    inputs: int
    samples: int
    guards_held: Any = True

    def arguments(self) -> list[int]:
        """Returns nothing: there is no native function for the driver."""
        return []

    def held(self) -> np.ndarray:
        """Returns for each sample whether all guards held in the last run; without samples, one truth."""
        return np.array(np.broadcast_to(self.guards_held, max(self.samples, 1)))

    def run(self) -> None:
        """Calculates the outputs from the inputs in `shared`."""
        outputs, _, self.guards_held = self.kernel.run(self.shared[: self.inputs], self.columns)
        self.shared[self.inputs :] = outputs

    def of_samples(self, columns: np.ndarray) -> LevelisedBound:
        """Returns this kernel with the columns of other samples."""
        return replace(self, columns=columns, samples=columns.shape[1])
