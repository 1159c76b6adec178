"""An update that cannot be traced is refused with the reason, and `fit` then trains without compiling."""

import copy
import math
import random
import threading
import time

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule import Value
from chainrule.compiler.steps.step import compile_step
from chainrule.errors import TraceError
from chainrule.optim import SGD, Optimizer

from .both_ways import (
    fitted,
    loss_of,
    parameters,
)


class Branching(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * g if g > 0 else x for x, g in zip(data, grads, strict=True)]


class Drawing(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * (g + random.gauss(0, 0.01)) for x, g in zip(data, grads, strict=True)]


class DrawingByItself(Optimizer):
    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.random = random.Random(0)

    def updated(self, data, grads, lr):
        return [x - lr * (g + self.random.random()) for x, g in zip(data, grads, strict=True)]


class DrawingByNumPy(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * (g + np.random.rand()) for x, g in zip(data, grads, strict=True)]


class Clocked(Optimizer):
    def updated(self, data, grads, lr):
        lr = lr if time.monotonic() < 1e15 else 0.0
        return [x - lr * g for x, g in zip(data, grads, strict=True)]


class FromFile(Optimizer):
    path = __file__

    def updated(self, data, grads, lr):
        with open(self.path) as file:  # noqa: PTH123
            lr = lr if file.read() else 0.0
        return [x - lr * g for x, g in zip(data, grads, strict=True)]


class ByEnvironment(Optimizer):
    def updated(self, data, grads, lr):
        import os

        return [x - lr * float(os.environ.get("SCALE", "1")) * g for x, g in zip(data, grads, strict=True)]


class OwnState(Optimizer):
    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.m = [0.0] * len(self.parameters)

    def updated(self, data, grads, lr):
        self.m = [0.9 * m + g for m, g in zip(self.m, grads, strict=True)]
        return [x - lr * m for x, m in zip(data, self.m, strict=True)]


class UnnamedSlot(Optimizer):
    def updated(self, data, grads, lr):
        self.memory["m"] = [0.9 * m + g for m, g in zip(self.memory.get("m", [0.0] * len(data)), grads, strict=True)]
        return [x - lr * m for x, m in zip(data, self.memory["m"], strict=True)]


CALLS = [0]


class GlobalState(Optimizer):
    def updated(self, data, grads, lr):
        CALLS[0] += 1
        return [x - lr * g / CALLS[0] for x, g in zip(data, grads, strict=True)]


class Every(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * g if self.steps % 5 == 0 else x for x, g in zip(data, grads, strict=True)]


class Writing(Optimizer):
    def updated(self, data, grads, lr):
        for parameter, g in zip(self.parameters, grads, strict=True):
            parameter.data -= lr * g
        return [p.data for p in self.parameters]


class OfValues(Optimizer):
    strength = Value(0.1)

    def updated(self, data, grads, lr):
        return [x - (self.strength * lr).data * g for x, g in zip(data, grads, strict=True)]


class TwoPasses(SGD):
    def step(self):
        super().step()
        super().step()


class Peeking(Optimizer):
    def updated(self, data, grads, lr):
        return [x - lr * p.peek_grad() for p, x in zip(self.parameters, data, strict=True)]


class OldRates(Optimizer):
    def updated(self, data, grads, lr):
        return [x - 0.5 * (lr + self.schedule(self.steps - 2)) * g for x, g in zip(data, grads, strict=True)]


REFUSED = {
    Branching: r"chainrule\.select\(x > 0, a, b\)",
    Drawing: r"it uses random\.gauss, .* by chance",
    DrawingByItself: "depend on chance",
    DrawingByNumPy: r"it uses numpy\.random\.rand",
    Clocked: r"it uses time\.monotonic, .* by the clock",
    FromFile: "it uses open, .* by a file",
    ByEnvironment: r"it uses os\.environ",
    OwnState: r"outside of `memory`\? Name in `slots`",
    UnnamedSlot: "'m' in `memory`, which `slots` of the class has not: name it there",
    GlobalState: "outside of `memory`",
    Every: r"tried with symbols .*unsupported operand type\(s\) for %",
    Writing: r"cannot write \.data: return the new number",
    OfValues: r"it calculates with Values: take their \.data",
    TwoPasses: "'step' of its own",
    Peeking: r"cannot read peek_grad\(\)",
    OldRates: "the schedule for the rates of other steps",
}


@pytest.mark.parametrize("kind", REFUSED, ids=lambda kind: kind.__name__)
def test_what_cannot_be_followed_is_refused_by_name(kind):
    w, state = parameters(), random.getstate()
    with pytest.raises(TraceError, match=f"(?s){kind.__name__}.*{REFUSED[kind]}"):
        compile_step(loss_of(w), kind(w, 0.1))
    assert random.getstate() == state


EXACT_AGAIN = [kind for kind in REFUSED if kind not in (Drawing, DrawingByNumPy, UnnamedSlot, GlobalState)]


@pytest.mark.parametrize("kind", [*EXACT_AGAIN], ids=lambda kind: kind.__name__)
def test_fit_trains_what_is_refused_by_the_eager_engine_and_says_why(kind, monkeypatch):
    monkeypatch.setattr("chainrule.training.engines.WORTH_IT", -math.inf)
    (_, wanted), (history, found) = [fitted(lambda w: kind(w, 0.05), way) for way in (False, "auto")]
    assert history.engine == "eager"
    assert history.engine_note.startswith("not compiled: ")
    assert kind.__name__ in history.engine_note
    assert found == wanted
    with pytest.raises(TraceError, match=kind.__name__):
        fitted(lambda w: kind(w, 0.05), True)


# ---- trying an update leaves no trace ------------------------------------------------------------------------------


class ByNorm(Optimizer):
    """Reads data and gradients from the parameters."""

    def updated(self, data, grads, lr):
        norm = math.sqrt(sum([p.grad * p.grad + p.data * p.data for p in self.parameters]) + 1.0)
        return [p.data - lr * p.grad / norm for p in self.parameters]


def test_while_an_update_is_tried_other_threads_read_the_parameters_as_they_are():
    w, seen, done = parameters(300), set(), threading.Event()
    before = {x.data for x in w}

    def look():
        while not done.is_set():
            seen.update([x.data for x in w] + [x.grad for x in w])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        compile_step(loss_of(w[:8]), ByNorm(w, 0.1))
    finally:
        done.set()
        thread.join()
    assert seen <= before | {0.0}


class Copying(Optimizer):
    def updated(self, data, grads, lr):
        return [p.data - lr * g for p, g in zip(copy.deepcopy(self.parameters), grads, strict=True)]


def test_an_update_that_copies_parameters_is_refused_with_the_mended_code():
    w = parameters()
    with pytest.raises(TraceError, match=r"copy their numbers, \[p.data for p in self.parameters\]"):
        compile_step(loss_of(w), Copying(w, 0.1))


class Iterating(Optimizer):
    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.table = iter([1.0, 2.0])

    def updated(self, data, grads, lr):
        return [x - lr * g for x, g in zip(data, grads, strict=True)]


def test_an_attribute_of_which_nobody_sees_whether_it_changed_is_named():
    w = parameters()
    with pytest.raises(TraceError, match="its attribute 'table', a list_iterator, cannot be compared"):
        compile_step(loss_of(w), Iterating(w, 0.1))
