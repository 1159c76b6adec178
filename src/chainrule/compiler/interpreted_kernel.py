"""A kernel without native code: the graph's nodes one after the other, by the table of operations.

It serves where LLVM refuses a module, and as a kernel to compare others with. It is slow, and right to the bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.compiler.graph import Graph, evaluate
from chainrule.compiler.kernel import Floats, Held
from chainrule.errors import SizeError


class InterpretedKernel:
    """A graph that is evaluated as it stands; see `chainrule.compiler.kernel.Kernel`.

    Args:
        graph: what it calculates.
        bits: the size of its results' numbers, 64 or 32; all between is calculated with 64.
        why: what stands in the way of native code, for `describe`.

    >>> from chainrule import ops
    >>> graph = Graph.of_inputs(["x", "y"], batched=[1])
    >>> graph.outputs = [graph.add(ops.mul, 0, 1), 0]
    >>> shared, each, held = InterpretedKernel(graph).run(np.array([3.0, 0.0]), np.array([[1.0, 2.0]]))
    >>> shared.tolist(), each.tolist(), held.tolist()
    ([nan, 3.0], [[3.0, 6.0]], [True, True])
    """

    object_code = b""

    def __init__(self, graph: Graph, bits: int = 64, why: str = "") -> None:
        self.graph, self.bits, self.why = graph, bits, why
        self._varies = graph.varying()

    def run(self, numbers: Floats, columns: Floats | None = None) -> tuple[Floats, Floats, Held]:
        """See `chainrule.compiler.kernel.Kernel`."""
        graph = self.graph
        rows: list[Any] = [self._rounded(x) for x in numbers.tolist()]
        if len(rows) != graph.inputs or len(graph.batched) != (0 if columns is None else len(columns)):
            raise SizeError(f"the graph has {graph.inputs} inputs, but numbers have the shape {numbers.shape}")
        if columns is not None:
            for i, row in zip(sorted(graph.batched), columns, strict=True):
                rows[i] = [self._rounded(x) for x in row.tolist()]
        values = evaluate(graph, rows)
        outputs = [values[node] for node in graph.outputs]
        shared = [np.nan if isinstance(x, list) else self._rounded(x) for x in outputs]
        each = [[self._rounded(x) for x in row] for row in outputs if isinstance(row, list)]
        samples = 0 if columns is None else columns.shape[1]
        return np.array(shared, dtype=np.float64), np.array(each, np.float64).reshape(-1, samples), self._held(values)

    def _held(self, values: list[Any]) -> Held:
        held: Any = True
        for node, outcome in self.graph.guards:
            held = held & ((np.array(values[node]) != 0) == outcome)
        if not self.graph.batched:
            return bool(held)
        samples = len(values[min(self.graph.batched)])
        return np.array(np.broadcast_to(held, samples))

    def _rounded(self, x: float) -> float:
        if self.bits == 64:
            return x
        with np.errstate(over="ignore"):
            return float(np.float32(x))

    @property
    def bytes_per_call(self) -> int:
        """See `chainrule.compiler.kernel.Kernel`."""
        return 8 * len(self.graph)

    @property
    def operations_per_call(self) -> int:
        """See `chainrule.compiler.kernel.Kernel`."""
        return sum([op is not None for op in self.graph.ops])

    def describe(self) -> list[str]:
        """See `chainrule.compiler.kernel.Kernel`."""
        return [f"Python calculates node after node{': ' + self.why if self.why else ''}."]
