"""The graph: a calculation as numbered nodes, the intermediate representation that every pass takes and returns.

A node is an input, a constant, or an operation of the table on earlier nodes. Inputs come first, so that the number of
an input is the number of its node. There are no loops and no branches: a branch that the traced code took is a guard, a
node whose truth must be what it was then.

A graph may be run on a batch of samples. Then some inputs differ from sample to sample, and so does every node that
depends on them; `BATCH_SUM` adds such a node up over the samples, which gives a number that all samples share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chainrule import ops
from chainrule.core.operation import Operation
from chainrule.errors import GraphError


class _OfBatches(Operation):
    """An operation that is not in the table, since it concerns a batch and not a single sample."""

    def __reduce__(self) -> str:  # type: ignore[override]
        return "BATCH_SUM"


def batch_sum(x: float) -> float:
    """The sum of x over the samples of a batch; here, of a single one."""
    return x


BATCH_SUM = _OfBatches(batch_sum, lambda x, y: 1.0, "Σ samples", (), None)
"""The operation that adds a node up over the samples of a batch."""


@dataclass
class Graph:
    """A calculation on numbers.

    Attributes:
        ops: the operation of each node; None for inputs and constants.
        operands: the operands of each node, all of them earlier nodes.
        numbers: the number of each constant; 0.0 for other nodes.
        names: the names of the inputs, which are the first `len(names)` nodes.
        batched: the inputs that differ from sample to sample, if the graph is run on a batch of samples.
        outputs: the nodes of the results.
        arguments: how many of the inputs are numbers of a function's arguments. The others are Values that it closes
            over, which may be laid out in any order.
        guards: pairs (node, outcome): the graph is valid only for inputs for which the truth of the node is the
            outcome.

    >>> from chainrule import ops
    >>> graph = Graph.of_inputs(["x"])
    >>> square = graph.add(ops.mul, 0, 0)
    >>> graph.outputs = [graph.add(ops.add, square, graph.constant(1.0))]
    >>> graph.verify()
    >>> len(graph), graph.inputs
    (4, 1)
    """

    ops: list[Operation | None] = field(default_factory=list)
    operands: list[tuple[int, ...]] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    batched: frozenset[int] = frozenset()
    outputs: list[int] = field(default_factory=list)
    guards: list[tuple[int, bool]] = field(default_factory=list)
    arguments: int = 0

    @classmethod
    def of_inputs(cls, names: Sequence[str], batched: Sequence[int] = ()) -> Graph:
        """A graph with inputs and no other nodes."""
        n = len(names)
        return cls([None] * n, [()] * n, [0.0] * n, list(names), frozenset(batched))

    def __len__(self) -> int:
        return len(self.ops)

    @property
    def inputs(self) -> int:
        """The number of inputs."""
        return len(self.names)

    def add(self, op: Operation, *operands: int) -> int:
        """Adds an operation; returns its node."""
        self.ops.append(op)
        self.operands.append(operands)
        self.numbers.append(0.0)
        return len(self.ops) - 1

    def constant(self, x: float) -> int:
        """Adds a constant; returns its node."""
        self.ops.append(None)
        self.operands.append(())
        self.numbers.append(x)
        return len(self.ops) - 1

    def is_constant(self, node: int) -> bool:
        """Whether a node is a constant."""
        return self.ops[node] is None and node >= len(self.names)

    def with_input(self, name: str) -> Graph:
        """The same graph with one more input, after the others."""
        n = len(self.names)
        moved = [k + 1 if k >= n else k for k in range(len(self))]
        return Graph(
            [*self.ops[:n], None, *self.ops[n:]],
            [*self.operands[:n], (), *[tuple([moved[k] for k in row]) for row in self.operands[n:]]],
            [*self.numbers[:n], 0.0, *self.numbers[n:]],
            [*self.names, name],
            self.batched,
            [moved[k] for k in self.outputs],
            [(moved[k], outcome) for k, outcome in self.guards],
            self.arguments,
        )

    def with_same_inputs(self) -> Graph:
        """A graph with the same inputs and no other nodes: what a pass begins with."""
        new = Graph.of_inputs(self.names, sorted(self.batched))
        new.arguments = self.arguments
        return new

    def copy(self) -> Graph:
        """A copy that can be extended."""
        rows = [*self.ops], [*self.operands], [*self.numbers], [*self.names]
        return Graph(*rows, self.batched, [*self.outputs], [*self.guards], self.arguments)

    def varying(self) -> list[bool]:
        """For each node whether it differs from sample to sample."""
        if not self.batched:  # long graphs without samples are common
            return [False] * len(self)
        varies = [i in self.batched for i in range(len(self.names))]
        for op, operands in zip(self.ops[len(varies) :], self.operands[len(varies) :], strict=True):
            varies.append(op is not BATCH_SUM and any(varies[k] for k in operands))
        return varies

    def verify(self) -> None:
        """Checks that this is a valid graph.

        Raises:
            GraphError: a list has the wrong length, a node has a later one as its operand, an operation has the wrong
                number of operands, or an output or guard is no node.
        """
        n = len(self.ops)
        if not len(self.operands) == len(self.numbers) == n >= len(self.names):
            raise GraphError(f"a graph of {n} nodes has {len(self.operands)} rows of operands")
        for i, (op, operands) in enumerate(zip(self.ops, self.operands, strict=True)):
            if op is None:
                if operands:
                    raise GraphError(f"node %{i} is an input or a constant, but has operands")
                continue
            if i < len(self.names):
                raise GraphError(f"node %{i} is an input, but made by {op.name}")
            if op.operand_names is not None and len(operands) != len(op.operand_names):
                raise GraphError(f"node %{i} has {len(operands)} operands, but {op} takes {len(op.operand_names)}")
            if operands and (min(operands) < 0 or max(operands) >= i):
                raise GraphError(f"node %{i} is made of %{max(operands)}, which is no earlier node")
        for node in [*self.outputs, *[node for node, _ in self.guards]]:
            if not 0 <= node < n:
                raise GraphError(f"%{node} is an output or guard, but there are {n} nodes")
        if any(not 0 <= i < len(self.names) for i in self.batched):
            raise GraphError("what is batched must be an input")


def used(graph: Graph) -> list[bool]:
    """For each node whether an output or a guard depends on it; inputs always count as used."""
    needed = [False] * len(graph)
    for node in graph.outputs:
        needed[node] = True
    for node, _ in graph.guards:
        needed[node] = True
    for i in range(len(graph) - 1, graph.inputs - 1, -1):
        if needed[i]:
            for k in graph.operands[i]:
                needed[k] = True
    for i in range(graph.inputs):
        needed[i] = True
    return needed


def evaluate(graph: Graph, numbers: Sequence[Any]) -> list[Any]:
    """Evaluates every node by the table of operations, one after the other: the oracle of all tests.

    Args:
        graph: the graph.
        numbers: one for each input; for a batched input a list with one for each sample.

    Returns:
        One for each node; of a node that differs from sample to sample a list.

    >>> from chainrule import ops
    >>> graph = Graph.of_inputs(["x", "y"], batched=[1])
    >>> quotient = graph.add(ops.div, 0, 1)
    >>> graph.outputs = [graph.add(BATCH_SUM, quotient)]
    >>> evaluate(graph, [1.0, [2.0, 4.0]])
    [1.0, [2.0, 4.0], [0.5, 0.25], 0.75]
    """
    if len(numbers) != graph.inputs:
        raise GraphError(f"the graph has {graph.inputs} inputs, but {len(numbers)} numbers were given")
    values: list[Any] = [[float(x) for x in row] if i in graph.batched else float(row) for i, row in enumerate(numbers)]
    varies = graph.varying()
    for i in range(len(values), len(graph)):
        op, operands = graph.ops[i], [values[k] for k in graph.operands[i]]
        if op is None:
            values.append(graph.numbers[i])
        elif op is BATCH_SUM:
            values.append(ops.sum.value(*operands[0]))
        elif not varies[i]:
            values.append(op.value(*operands))
        else:
            samples = max([len(x) for x in operands if isinstance(x, list)])
            rows = [x if isinstance(x, list) else [x] * samples for x in operands]
            values.append([op.value(*row) for row in zip(*rows, strict=True)])
    return values
