"""The update of an optimiser as a kernel: what `updated` does with lists of numbers, natively to all parameters."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from chainrule import ops
from chainrule.compiler.differentiate import Symbol
from chainrule.compiler.graph import Graph, evaluate
from chainrule.compiler.loops.kernel import Bound, LoopKernel
from chainrule.compiler.memory import aligned
from chainrule.compiler.native import Machine
from chainrule.compiler.passes.fold import relax
from chainrule.compiler.pipeline import Stages, Target, loop_kernel, loops_of
from chainrule.compiler.statics import static_key
from chainrule.compiler.steps.driver import LANES
from chainrule.compiler.steps.turns import Turn
from chainrule.errors import GraphError, OperandError, TraceError
from chainrule.optim import Optimizer


def update_graph(optimizer: Optimizer) -> Graph:
    """What an optimiser does to one parameter, as a graph.

    The inputs are the parameter, what the optimiser remembers of it, its gradient (these differ from parameter to
    parameter), the learning rate and the number of the step; the outputs are the new parameter and the new memory.

    Raises:
        TraceError: it is no arithmetic on each parameter by itself.

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
    before = random.getstate()
    try:
        graph = _traced(optimizer)
        if not _does_the_same(optimizer, graph):
            raise _refused(optimizer, "native code would move the parameters otherwise: is a parameter moved by its "
                           "place, or by chance, or by what the optimizer keeps outside of `memory`?")  # fmt: skip
    finally:
        random.setstate(before)
    return relax(_divided_once(graph))


def _refused(optimizer: Optimizer, why: str) -> TraceError:
    return TraceError(f"the update of {type(optimizer).__name__} cannot be compiled: {why}")


def _traced(optimizer: Optimizer) -> Graph:
    slots = list(optimizer.slots)
    names = ["parameter", *slots, "gradient"]
    pair = 2  # two parameters, to see whether one has to do with the other
    graph = Graph.of_inputs([name for name in names for _ in range(pair)] + ["lr", "step"])
    symbols = [Symbol(graph, i) for i in range(graph.inputs)]
    rows: list[list[Any]] = [list(symbols[i : i + pair]) for i in range(0, len(names) * pair, pair)]
    one = _double(optimizer)
    one.memory = dict(zip(slots, rows[1:], strict=False))
    one.steps = symbols[-1]  # type: ignore[assignment]
    try:
        new = one.updated(rows[0], rows[-1], symbols[-2])  # type: ignore[arg-type]
    except OperandError as error:  # a branch
        raise _refused(optimizer, str(error)) from error
    except Exception as error:  # a formula that takes floats only, or lists of another length
        hint = "it has to be arithmetic on each parameter by itself, with chainrule's functions (not math.sqrt)"
        raise _refused(optimizer, f"tried with two parameters, it failed ({error}); {hint}") from error
    found: list[list[Any]] = [new, *[one.memory[slot] for slot in slots]]
    if any(not isinstance(row[0], Symbol) for row in found):
        raise _refused(optimizer, "`updated` has to give new numbers, made of those that it is given")
    graph.outputs = [row[0].node for row in found]
    return _of_first(graph, names, pair, optimizer)


def _double(optimizer: Optimizer) -> Optimizer:
    """Another optimiser with the same settings, to be tried; nothing that it does to them is seen in the first."""
    double = copy.copy(optimizer)
    for name, x in vars(optimizer).items():
        if name not in ("parameters", "schedule"):
            with contextlib.suppress(Exception):  # what cannot be copied is shared
                setattr(double, name, copy.deepcopy(x))
    return double


def _does_the_same(optimizer: Optimizer, graph: Graph) -> bool:
    """Whether the graph finds what `updated` finds: for all parameters, twice in a row, and each time; and whether that
    leaves nothing behind but what is in `memory`."""
    count, draw, one = len(optimizer.parameters), random.Random(0), _double(optimizer)
    before = settings(one)
    for step in (1, 2):
        columns = [[draw.uniform(0.1, 1.0) for _ in range(count)] for _ in range(2 + len(optimizer.slots))]
        wanted = evaluate(graph, [*columns, 0.01, float(step)])
        data, *memory, gradients = [list(column) for column in columns]
        one.memory, one.steps = dict(zip(optimizer.slots, memory, strict=True)), step
        try:
            found = [one.updated(data, gradients, 0.01), *[one.memory[slot] for slot in optimizer.slots]]
        except Exception as error:
            raise _refused(optimizer, f"tried with numbers, it failed ({error})") from error
        for node, column in zip(graph.outputs, found, strict=True):
            expected = wanted[node] if isinstance(wanted[node], list) else [wanted[node]] * count
            if len(column) != count or not np.allclose(expected, column, 1e-9, 1e-12):
                return False
    return settings(one) == before


def _of_first(graph: Graph, names: list[str], pair: int, optimizer: Optimizer) -> Graph:
    """The graph of the first parameter alone.

    Raises:
        TraceError: it depends on the second.
    """
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
            raise _refused(optimizer, "how one parameter moves depends on another (on a norm of all gradients?)")
        place[i] = new.constant(graph.numbers[i]) if op is None else new.add(op, *[place[k] for k in graph.operands[i]])
    new.outputs = [place[i] for i in graph.outputs]
    return new


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
    """What an optimiser remembers, while it lies in native rows: lists are made of it when they are asked for.

    Attributes:
        given: the lists that were; whatever is done to them counts, so they are read again before the next step.
        turn: nobody looks while a step runs.
        lost: whether a step of a thread that does not exist in this process was in the midst of writing it.
    """

    def __init__(self, update: Update, turn: Turn) -> None:
        self.slots, self.rows, self.positions = update.slots, update.rows, update.own_positions
        self.given: dict[str, list[float]] = {}
        self.turn, self.lost = turn, False

    def __getitem__(self, slot: str) -> list[float]:
        if slot not in self.slots:
            raise KeyError(slot)
        with self.turn.lock:
            if slot not in self.given:
                self._check()
                self.given[slot] = self.rows[1 + self.slots.index(slot), self.positions].tolist()
            return self.given[slot]

    def _check(self) -> None:
        if self.lost:
            raise GraphError(
                "this process was forked while another thread ran a step: what the optimizer remembered is lost. Fork "
                "between steps, or give it a state that was saved: optimizer.load_state_dict(state)"
            )

    def read_again(self) -> None:
        """Puts what was given out back into the rows."""
        self._check()
        for slot, numbers in self.given.items():
            self.rows[1 + self.slots.index(slot), self.positions] = numbers

    def __setitem__(self, slot: str, numbers: list[float]) -> None:
        self.given.pop(slot, None)
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
    found = {name: x for name, x in vars(optimizer).items() if name not in GIVEN}
    plain = set(map(type, found.values())) <= PLAIN  # mostly; this is asked at each call
    return tuple(found.items()) if plain else static_key(found)


GIVEN = {"parameters", "memory", "steps", "schedule"}
PLAIN = {float, int, bool, str, type(None)}


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
            raise _refused(optimizer, stages.no_loops)
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
