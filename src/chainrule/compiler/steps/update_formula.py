"""The formula of an update: runs an optimiser's `updated` once on symbols and records what it calculates as a graph.

In most optimisers every parameter moves in the same way, independently of the others. Then a run with two parameters
shows this, and the formula is for one parameter. If a move depends on other parameters (clipping by the norm of all
gradients) or on the parameter's place, the formula is for all parameters together.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import ops
from chainrule.compiler.graph.differentiate import Symbol
from chainrule.compiler.graph.graph import Graph, evaluate
from chainrule.compiler.graph.passes.fold import relax
from chainrule.compiler.steps.dependencies import Reads
from chainrule.compiler.steps.float_functions import give_our_functions
from chainrule.compiler.steps.optimizer_settings import GIVEN, settings, trial_copy
from chainrule.core import modes
from chainrule.core.operation import number
from chainrule.engine import Value
from chainrule.errors import OperandError, TraceError
from chainrule.optim import Optimizer, constant

RATES = ("lr", "step", "next lr")
"""The inputs that change from step to step: the learning rate, the step's number, and the next step's rate."""

WITH_VALUES = "it calculates with Values: take their .data, for an update has no derivatives"

DRAWS = ((1, 0.01, 1.0), (2, 0.3, 1e-3), (17, 0.01, 1e3), (1000, 0.001, 1.0))
"""The formula is compared with `updated` at these: the step's number, the learning rate, and the gradients' size."""


@dataclass(frozen=True)
class Formula:
    """The formula of an update.

    Attributes:
        graph: its inputs are parameters, the optimiser's memory of them, gradients, then the inputs in `RATES`, and the
            numbers of the Values in `live`; its outputs are the new parameters and the new memory.
        whole: whether there are inputs and outputs for every parameter; otherwise the formula is for one parameter.
        live: the other Values that `updated` reads.
        reads: what else the code of `updated` depends on.
    """

    graph: Graph
    whole: bool
    live: list[Value]
    reads: Reads


def formula_of(optimizer: Optimizer) -> Formula:
    """Returns the formula of an optimiser's update.

    Raises:
        TraceError: the update is not arithmetic on the numbers that it is given.

    >>> from chainrule.compiler.graph.text import to_text
    >>> from chainrule.optim import SGD
    >>> print(to_text(formula_of(SGD([Value(1.0)], lr=0.1)).graph))
    %0 = input parameter, batched
    %1 = input velocity, batched
    %2 = input gradient, batched
    %3 = input lr
    %4 = input step
    %5 = input "next lr"
    %6 = mul %3 %2
    %7 = sub %0 %6
    return %7 %1
    """
    before = random.getstate()
    try:
        own = [x for name, x in vars(optimizer).items() if callable(x) and name not in GIVEN]
        reads = Reads([optimizer.updated, *own], [optimizer, optimizer.schedule],
                      "of which native code cannot see when it changes: an update by chance, or by the clock, or by a "
                      "file cannot be compiled; let what changes be an attribute of the optimizer")  # fmt: skip
        return _of_one(optimizer, reads) or formula_of_all(optimizer, reads)
    except TraceError as error:
        raise refused(optimizer, str(error)) from error
    finally:
        random.setstate(before)


def refused(optimizer: Optimizer, why: str) -> TraceError:
    """Returns the error for an optimiser whose update cannot be compiled."""
    return TraceError(f"the update of {type(optimizer).__name__} cannot be compiled: {why}")


def is_ours(optimizer: Optimizer) -> bool:
    """Returns whether `optimizer` is one of chainrule's own, which are known to read only what they are given."""
    return type(optimizer).__module__ == Optimizer.__module__


# ---- the two kinds of formulas ---------------------------------------------------------------------------------------


def _of_one(optimizer: Optimizer, reads: Reads) -> Formula | None:
    """Returns the formula for one parameter; None if there is none, for whatever reason."""
    pair = [Value(0.25), Value(0.5)]  # two, to see whether one depends on the other
    try:
        run = _run(optimizer, pair)
        graph = _of_first(run)
        formula = None if graph is None else Formula(relax(_divided_once(graph)), False, run.live, reads)
        fits = formula is not None and _has_rows(formula.graph) and does_the_same(optimizer, formula)
    except Exception:  # a run with all parameters may work, or raises a better error
        return None
    return formula if fits else None


def formula_of_all(optimizer: Optimizer, reads: Reads) -> Formula:
    """Returns the formula for all parameters.

    Raises:
        TraceError: there is none.
    """
    run = _run(optimizer, optimizer.parameters)
    formula = Formula(run.graph, True, run.live, reads)
    if not does_the_same(optimizer, formula):
        raise TraceError(
            "native code would move the parameters otherwise: does it depend on chance, on the clock, or on what the "
            "optimizer keeps outside of `memory`? Name in `slots` what it remembers of each parameter, and keep it in "
            "self.memory"
        )
    return formula


def _of_first(run: _Run) -> Graph | None:
    """Returns the graph for the first of two parameters alone; None if it depends on the second."""
    graph, pair, names = run.graph, run.count, run.names
    rates = len(names) * pair
    new = Graph.of_inputs([*names, *graph.names[rates:]], range(len(names)))
    place = {i * pair: i for i in range(len(names))}
    place |= {i: i - rates + len(names) for i in range(rates, graph.inputs)}
    outputs = graph.outputs[::pair]
    needed = set(outputs)
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
    new.outputs = [place[i] for i in outputs]
    return new


def _has_rows(graph: Graph) -> bool:
    """Returns whether each output of the formula for one parameter can be written over the input of the same name."""
    outputs, varies = graph.outputs, graph.varying()
    own = all(k >= graph.inputs or k == row for row, k in enumerate(outputs))
    return own and len(set(outputs)) == len(outputs) and all(varies[k] for k in outputs)


def _divided_once(graph: Graph) -> Graph:
    """Replaces x / u by x · (1/u), where u is the same for all parameters, so that 1/u is calculated only once."""
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


# ---- running `updated` on symbols ------------------------------------------------------------------------------------


def _run(optimizer: Optimizer, parameters: Sequence[Value]) -> _Run:
    """Runs `updated`, and runs it again as long as it reads Values that are not inputs of the graph yet."""
    run = _Run(optimizer, parameters, [])
    while len(run.live) > len(run.known):
        run = _Run(optimizer, parameters, run.live)
    return run


class _Watched:
    """The base of the traces of `updated`: the engine calls its methods, and they refuse what no update may do."""

    number = -1  # the number of no trace, in case `updated` unpickles what was pickled during one

    def written(self, node: Value, error: TraceError) -> None:
        """Refuses to write a number."""
        raise error

    def asked(self, node: Value, truth: bool) -> bool:
        """Refuses to say whether a Value is nonzero."""
        raise TraceError("it asks whether a Value is true: take its .data, and say chainrule.select(x > 0, a, b) in "
                         "place of a if x > 0 else b")  # fmt: skip

    def made(self, node: Value, recording: bool) -> Value:
        """Refuses calculations with Values."""
        raise TraceError(WITH_VALUES)

    def has_made(self, node: Value) -> bool:
        """Returns whether a node that is copied is a result of this run: never, since there are none."""
        return False

    def token_of(self, leaf: Value) -> tuple[int, int]:
        """Refuses to copy a Value."""
        raise TraceError("it copies Values: copy their numbers, [p.data for p in self.parameters]")


class _Run(_Watched):
    """One run of `updated` on symbols. When the run reads `.data` or `.grad` of a parameter, it gets a symbol.

    Attributes:
        graph: the recorded graph.
        names: the names of the rows of inputs; each row has `count` inputs.
        live: the Values other than parameters that were read.
        known: the symbols of those that are inputs of the graph, by the id of the Value.
    """

    def __init__(self, optimizer: Optimizer, parameters: Sequence[Value], live: list[Value]) -> None:
        self.optimizer, self.count, self.live = optimizer, len(parameters), list(live)
        self.names = ["parameter", *optimizer.slots, "gradient"]
        rates = len(self.names) * self.count
        of_live = [value.label or f"value {i}" for i, value in enumerate(live)]
        self.graph = Graph.of_inputs([name for name in self.names for _ in parameters] + [*RATES, *of_live])
        symbols = [Symbol(self.graph, i) for i in range(self.graph.inputs)]
        self.rows = [symbols[i : i + self.count] for i in range(0, rates, self.count)]
        self.lr, self.step, self.next_lr, *of_values = symbols[rates:]
        self.known = dict(zip(map(id, live), of_values, strict=True))
        self.places = {id(parameter): i for i, parameter in enumerate(parameters)}
        self.others = {id(parameter) for parameter in optimizer.parameters} - self.places.keys()
        self.graph.outputs = [self._node(x) for row in self._rows_after(list(parameters)) for x in row]

    def _rows_after(self, parameters: list[Value]) -> list[list[Any]]:
        """Runs `updated` on a copy of the optimiser; returns the new parameters and the new memory."""
        one = trial_copy(self.optimizer)
        slots = list(self.optimizer.slots)
        one.parameters, one.steps, one.schedule = parameters, self.step, self._rate  # type: ignore[assignment]
        one.memory = {slot: list(row) for slot, row in zip(slots, self.rows[1:-1], strict=True)}  # type: ignore
        give_our_functions(one)
        try:
            with modes.tracing(self):
                new = one.updated(list(self.rows[0]), list(self.rows[-1]), self.lr)  # type: ignore[arg-type]
                found = [list(new), *[list(one.memory[slot]) for slot in slots]]
        except (OperandError, TraceError) as error:  # a branch on a number, or a forbidden read
            of_values = f"got the {Symbol.__name__}" in str(error)
            raise TraceError(WITH_VALUES if of_values else str(error)) from error
        except Exception as error:  # code that accepts only floats, or lists of another length
            hint = "it has to be arithmetic on what it is given, with chainrule's functions (not int)"
            raise TraceError(f"tried with symbols in place of numbers, it failed ({error}); {hint}") from error
        return self._checked(one, found)

    def _checked(self, one: Optimizer, found: list[list[Any]]) -> list[list[Any]]:
        more = sorted(one.memory.keys() - set(self.optimizer.slots))
        if more:
            raise TraceError(f"it keeps {more[0]!r} in `memory`, which `slots` of the class has not: name it there")
        if any(len(row) != self.count for row in found):
            raise TraceError(
                f"for {self.count} parameters it gave {' and '.join(str(len(row)) for row in found)} numbers"
            )
        if not any(isinstance(x, Symbol) for x in found[0]):
            raise TraceError("`updated` has to give new numbers, made of those that it is given")
        return found

    def _node(self, x: Any) -> int:
        return x.node if isinstance(x, Symbol) else self.graph.constant(number(x, "a parameter"))

    def _rate(self, step: Any) -> Symbol:
        """Takes the place of the schedule: `self.lr` asks it for the rate of the next step."""
        if step is not self.step:
            raise TraceError("it asks the schedule for the rates of other steps: `updated` is given this one's as lr")
        return self.next_lr

    # ---- called by the engine ----
    def data_of(self, node: Value) -> Any:
        """Returns a symbol as the result of `.data`."""
        self._check_parameter(node)
        if id(node) in self.places:
            return self.rows[0][self.places[id(node)]]
        if id(node) not in self.known and not any(node is value for value in self.live):
            self.live.append(node)
        return self.known.get(id(node), Symbol(self.graph, self.graph.constant(node.peek_data())))

    def grad_of(self, node: Value, error: TraceError) -> Any:
        """Returns a symbol as the result of `.grad`."""
        self._check_parameter(node)
        if id(node) not in self.places:
            raise TraceError("it reads the gradient of a Value that is none of its parameters: give the optimizer that "
                             "one as well, and let it stay where it is")  # fmt: skip
        return self.rows[-1][self.places[id(node)]]

    def _check_parameter(self, node: Value) -> None:
        if id(node) in self.others:
            raise TraceError("it reads one certain parameter")


# ---- the check against `updated` itself ------------------------------------------------------------------------------


def does_the_same(optimizer: Optimizer, formula: Formula) -> bool:
    """Returns whether a formula gives the same numbers as `updated`, in runs with small and large gradients, and
    whether `updated` changes nothing except `memory`.

    Raises:
        TraceError: `updated` failed.
    """
    count, draw, one = len(optimizer.parameters), random.Random(0), trial_copy(optimizer)
    before = _settings_of(one)
    for step, lr, size in DRAWS[:2] if is_ours(optimizer) else DRAWS:
        data = [draw.uniform(-1.0, 1.0) for _ in range(count)]
        memory = [[draw.uniform(0.1, 1.0) for _ in range(count)] for _ in optimizer.slots]
        grads = [size * draw.uniform(-1.0, 1.0) for _ in range(count)]
        wanted = _by_formula(formula, [data, *memory, grads], [lr, step, lr / 2, *[x.data for x in formula.live]])
        one.memory = {slot: list(row) for slot, row in zip(optimizer.slots, memory, strict=True)}
        one.steps, one.schedule = step, constant(lr / 2)
        try:
            with contextlib.nullcontext() if is_ours(optimizer) else modes.tracing(_Drawn(optimizer, data, grads)):
                found = [one.updated(list(data), list(grads), lr), *[one.memory[slot] for slot in optimizer.slots]]
            rows = np.array([list(row) for row in found], dtype=np.float64)
        except Exception as error:
            raise TraceError(f"tried with numbers, it failed ({error})") from error
        if rows.shape != wanted.shape or not np.allclose(wanted, rows, 1e-9, 1e-12, equal_nan=True):
            return False
    return _settings_of(one) == before and not formula.reads.changed()


def _settings_of(one: Optimizer) -> Any:
    try:
        return settings(one)
    except OperandError as error:
        raise TraceError(str(error)) from error


def _by_formula(formula: Formula, rows: list[list[float]], rates: list[float]) -> np.ndarray:
    """Evaluates a formula. Returns the new parameters and the new memory: float64[1 + slots, parameters]."""
    graph, count = formula.graph, len(rows[0])
    found = evaluate(graph, [*([x for row in rows for x in row] if formula.whole else rows), *rates])
    outputs = [found[node] for node in graph.outputs]
    return np.array(outputs, dtype=np.float64).reshape(-1, count)


class _Drawn(_Watched):
    """A trace in which `updated` reads drawn numbers and gradients from the parameters. The parameters themselves are
    not changed, since other threads may read them meanwhile."""

    def __init__(self, optimizer: Optimizer, data: list[float], grads: list[float]) -> None:
        drawn = zip(optimizer.parameters, data, grads, strict=True)
        self._of = {id(parameter): (x, gradient) for parameter, x, gradient in drawn}

    def data_of(self, node: Value) -> float:
        """Returns the result of `.data`."""
        return self._of[id(node)][0] if id(node) in self._of else node.peek_data()

    def grad_of(self, node: Value, error: TraceError) -> float:
        """Returns the result of `.grad`."""
        if id(node) not in self._of:
            raise error
        return self._of[id(node)][1]
