"""Losses without loops: the kernel of levels, dressed as the training step wants a kernel to be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.levels.kernel import LevelKernel, compile_graph
from chainrule.compiler.native.llvm import Machine


class LevelisedKernel:
    """A graph that is levelised and gathered. Its `shared` numbers are the inputs, then the outputs."""

    def __init__(self, graph: Graph, machine: Machine, bits: int) -> None:
        self.graph, self.kernel = graph, compile_graph(graph, machine, bits)
        self.dtype = np.float64
        self.places = graph.inputs + np.arange(len(graph.outputs))
        self.guards: list[tuple[bool, int, bool]] = []  # for the driver, which is not asked to run it

    def bind(self, columns: np.ndarray | None) -> LevelisedBound:
        """The kernel with numbers of its own."""
        size = self.graph.inputs + len(self.graph.outputs)
        samples = 0 if columns is None else columns.shape[1]
        return LevelisedBound(self.kernel, np.zeros(size), columns, self.graph.inputs, samples)

    def parts(self, samples: int) -> int:
        """More than one: its steps are done one by one."""
        return 2

    def address(self, function: str) -> int:
        """There is no function for the driver."""
        return 0


@dataclass
class LevelisedBound:
    """The kernel with its numbers."""

    kernel: LevelKernel
    shared: np.ndarray
    columns: np.ndarray | None
    inputs: int
    samples: int
    guards_held: Any = True

    def arguments(self) -> list[int]:
        """There are none for the driver."""
        return []

    def held(self) -> np.ndarray:
        """For each sample whether, in the last run, all guards held; without samples, one truth."""
        return np.array(np.broadcast_to(self.guards_held, max(self.samples, 1)))

    def run(self) -> None:
        """Calculates the outputs from the inputs in `shared`."""
        outputs, _, self.guards_held = self.kernel.run(self.shared[: self.inputs], self.columns)
        self.shared[self.inputs :] = outputs

    def of_samples(self, columns: np.ndarray) -> LevelisedBound:
        """The same with other samples."""
        return replace(self, columns=columns, samples=columns.shape[1])
