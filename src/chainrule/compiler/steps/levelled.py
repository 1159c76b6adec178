"""Losses without loops: the kernel of levels, dressed as the training step wants a kernel to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.compiler.graph import Graph
from chainrule.compiler.levels.kernel import LevelKernel, compile_graph
from chainrule.compiler.native import Machine


class LevelledKernel:
    """A graph that is levelled and gathered. Its `shared` numbers are the inputs, then the outputs, then whether the
    guards held."""

    def __init__(self, graph: Graph, machine: Machine, bits: int) -> None:
        self.graph, self.kernel = graph, compile_graph(graph, machine, bits)
        self.dtype = np.float64
        outputs = len(graph.outputs)
        self.places = graph.inputs + np.arange(outputs)
        self.guards = [(False, graph.inputs + outputs, True)] if graph.guards else []

    def bind(self, columns: np.ndarray | None) -> LevelledBound:
        """The kernel with numbers of its own."""
        size = self.graph.inputs + len(self.graph.outputs) + 1
        samples = 0 if columns is None else columns.shape[1]
        return LevelledBound(self.kernel, np.zeros(size), columns, self.graph.inputs, samples)

    def parts(self, samples: int) -> int:
        """More than one: its steps are done one by one."""
        return 2

    def address(self, function: str) -> int:
        """There is no function for the driver."""
        return 0


@dataclass
class LevelledBound:
    """The kernel with its numbers."""

    kernel: LevelKernel
    shared: np.ndarray
    columns: np.ndarray | None
    inputs: int
    samples: int
    held: bool = True

    def arguments(self) -> list[int]:
        """There are none for the driver."""
        return []

    def samples_held(self) -> bool:
        """Whether, in the last run of a batch, the guards held for all samples."""
        return self.held

    def run(self) -> None:
        """Calculates the outputs from the inputs in `shared`."""
        found, _, held = self.kernel.run(self.shared[: self.inputs], self.columns)
        self.shared[self.inputs : -1] = found
        self.held = bool(np.all(held)) or self.columns is None
        self.shared[-1] = float(np.all(held) or self.columns is not None)
