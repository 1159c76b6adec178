"""The update of an optimiser as a kernel: what `updated` does with lists of numbers, natively to all parameters."""

from __future__ import annotations

import copy
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from chainrule import ops
from chainrule.compiler.differentiate import Symbol
from chainrule.compiler.graph import Graph
from chainrule.compiler.loops.kernel import Bound, LoopKernel
from chainrule.compiler.memory import aligned
from chainrule.compiler.native import Machine
from chainrule.compiler.passes.fold import relax
from chainrule.compiler.pipeline import Stages, Target, loop_kernel, loops_of
from chainrule.compiler.statics import static_key
from chainrule.compiler.steps.driver import LANES
from chainrule.errors import TraceError
from chainrule.optim import Optimizer


def update_graph(optimizer: Optimizer) -> Graph | None:
    """What an optimiser does to one parameter, as a graph; None if parameters have to do with one another.

    The inputs are the parameter, what the optimiser remembers of it, its gradient (these differ from parameter to
    parameter), the learning rate and the number of the step; the outputs are the new parameter and the new memory.

    >>> from chainrule import Value
    >>> from chainrule.compiler.text import to_text
    >>> from chainrule.optim import SGD
    >>> print(to_text(update_graph(SGD([Value(1.0)], lr=0.1))))
    %0 = input parameter, batched
    %1 = input velocity, batched
    %2 = input gradient, batched
    %3 = input lr
    %4 = input step
    %5 = mul %3 %2
    %6 = sub %0 %5
    return %6 %1
    """
    slots = list(optimizer.slots)
    names = ["parameter", *slots, "gradient"]
    pair = 2  # two parameters, to see whether one has to do with the other
    graph = Graph.of_inputs([name for name in names for _ in range(pair)] + ["lr", "step"])
    symbols = [Symbol(graph, i) for i in range(graph.inputs)]
    rows: list[list[Any]] = [list(symbols[i : i + pair]) for i in range(0, len(names) * pair, pair)]
    one = copy.copy(optimizer)
    one.memory = dict(zip(slots, rows[1:], strict=False))
    one.steps = symbols[-1]  # type: ignore[assignment]
    try:
        new = one.updated(rows[0], rows[-1], symbols[-2])  # type: ignore[arg-type]
    except TypeError:  # a formula of the user's own that takes floats only
        return None
    found: list[list[Any]] = [new, *[one.memory[slot] for slot in slots]]
    if any(not isinstance(row[0], Symbol) for row in found):
        return None
    graph.outputs = [row[0].node for row in found]
    return _of_first(graph, names, pair)


def _of_first(graph: Graph, names: list[str], pair: int) -> Graph | None:
    """The graph of the first parameter alone, if it does not depend on the second."""
    rates = len(names) * pair
    new = Graph.of_inputs([*names, "lr", "step"], range(len(names)))
    place = {i * pair: i for i in range(len(names))} | {rates: len(names), rates + 1: len(names) + 1}
    needed = set(graph.outputs)
    for i in range(len(graph) - 1, -1, -1):
        if i in needed:
            needed.update(graph.operands[i])
    for i in range(len(graph)):
        op = graph.ops[i]
        if i not in needed or i in place:
            continue
        if i < graph.inputs:
            return None
        place[i] = new.constant(graph.numbers[i]) if op is None else new.add(op, *[place[k] for k in graph.operands[i]])
    new.outputs = [place[i] for i in graph.outputs]
    return relax(_divided_once(new))


def _divided_once(graph: Graph) -> Graph:
    """x / u becomes x · (1/u), where u is the same for all parameters."""
    varies = graph.varying()
    new, place = graph.with_same_inputs(), list(range(graph.inputs))
    for i in range(graph.inputs, len(graph)):
        op, operands = graph.ops[i], [place[k] for k in graph.operands[i]]
        if op is ops.div and not varies[graph.operands[i][1]]:
            place.append(new.add(ops.mul, operands[0], new.add(ops.div, new.constant(1.0), operands[1])))
        else:
            place.append(new.constant(graph.numbers[i]) if op is None else new.add(op, *operands))
    new.outputs = [place[i] for i in graph.outputs]
    return new


class NativeMemory(MutableMapping[str, list[float]]):
    """What an optimiser remembers, while it lies in native rows: lists are made of it when they are asked for."""

    def __init__(self, slots: list[str], rows: np.ndarray, positions: np.ndarray) -> None:
        self.slots, self.rows, self.positions = slots, rows, positions

    def __getitem__(self, slot: str) -> list[float]:
        if slot not in self.slots:
            raise KeyError(slot)
        return self.rows[1 + self.slots.index(slot), self.positions].tolist()

    def __setitem__(self, slot: str, numbers: list[float]) -> None:
        self.rows[1 + self.slots.index(slot), self.positions] = numbers

    def __delitem__(self, slot: str) -> None:
        raise KeyError(f"{slot} cannot be taken out of what the optimizer remembers")

    def __iter__(self) -> Iterator[str]:
        return iter(self.slots)

    def __len__(self) -> int:
        return len(self.slots)

    def __reduce__(self) -> tuple:
        return dict, (dict(self),)


def settings(optimizer: Optimizer) -> Any:
    """The key of what the update of an optimiser depends on besides the numbers that it is given."""
    given = {"parameters", "memory", "steps", "schedule"}
    return static_key({name: x for name, x in vars(optimizer).items() if name not in given})


class Update:
    """The native update of all parameters of an optimiser, which keeps them side by side in one array.

    Attributes:
        rows: float[parameter, memory…, gradient; number of parameters, rounded up to whole vectors]. Behind them,
            rounded up as well, are those that only have gradients.
        positions: the place of each in a row.
        arranged: whether that was chosen to suit a kernel.
        kernel: what is run on it.
        bound: the kernel with its memory and the rows, which it reads and writes.
    """

    def __init__(self, optimizer: Optimizer, graph: Graph, machine: Machine, bits: int = 64, besides: int = 0) -> None:
        self.settings = settings(optimizer)
        stages = Stages()
        target = Target(bits, machine=machine)
        planned = loops_of(graph, target, stages)
        if planned is None:
            raise TraceError(f"the update of {type(optimizer).__name__} cannot be compiled: {stages.no_loops}")
        self.kernel: LoopKernel = loop_kernel(planned, target, stages)
        self.count = len(optimizer.parameters)
        self.slots = list(optimizer.slots)
        lanes = max(machine.lanes(bits), LANES)
        moved, still = [-(-count // lanes) * lanes for count in (self.count, besides)]
        self.rows = aligned([len(self.slots) + 2, moved + still], self.kernel.dtype)
        self.positions = np.concatenate([np.arange(self.count), moved + np.arange(besides)])
        self.bound = Bound(self.kernel, self.kernel.memory(), self.rows, self.rows, moved)
        order = planned.program.order.tolist()
        self.arranged = False
        self.lr_at, self.step_at = order.index(graph.inputs - 2), order.index(graph.inputs - 1)

    @property
    def own_positions(self) -> np.ndarray:
        """Those of the optimiser's own parameters."""
        return self.positions[: self.count]

    def arrange(self, places: np.ndarray) -> None:
        """Puts the optimiser's parameters in another order, while there is nothing in the rows yet."""
        self.positions[: self.count] = places
        self.arranged = True
