"""Kits: the operations that workloads need, in the words of each library. A kit runs in its contestant's process."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from operator import methodcaller
from typing import Any


class MissingError(Exception):
    """A contestant cannot take part; the message says why."""


class Kit:
    """The interface of workloads to a library. This base class fits every library whose numbers work like micrograd's
    `Value`."""

    differentiates = True
    has_relu = True  # as a method of its numbers
    most_repeats = 10_000  # of a short workload in one go
    relu: Callable[[Any], Any] = staticmethod(methodcaller("relu"))
    backward: Callable[[Any], None] = staticmethod(methodcaller("backward"))

    def __init__(self, leaf: Callable[[float], Any], constant: Callable[[float], Any] | None = None) -> None:
        self.leaf, self.constant = leaf, constant or leaf

    def fresh(self) -> None:
        """Called before new leaves are made, when no old ones are left."""

    def begin(self) -> None:
        """Called before each forward pass."""

    def free(self) -> None:
        """Called when the last reference to a graph is gone; does what remains to free its memory."""

    def zero(self, leaves: list[Any]) -> None:
        for leaf in leaves:
            leaf.grad = 0

    def zero_model(self, model: Any) -> None:
        model.zero_grad()

    def descend(self, model: Any, lr: float) -> None:
        for p in model.parameters():
            p.data -= lr * p.grad

    def put(self, model: Any, numbers: list[float]) -> None:
        for p, number in zip(model.parameters(), numbers, strict=True):
            p.data = number

    def number(self, x: Any) -> float:
        return x.data

    def grad(self, leaf: Any) -> float:
        return float(leaf.grad)


class Floats(Kit):
    """The floor: the same lines on plain floats, without derivatives."""

    differentiates = False
    has_relu = False

    def __init__(self) -> None:
        super().__init__(float)

    @staticmethod
    def relu(x: float) -> float:
        return x if x > 0 else 0.0

    def number(self, x: float) -> float:
        return x

    def put(self, model: Any, numbers: list[float]) -> None:
        """Without derivatives nothing moves."""


class Chainrule(Kit):
    def __init__(self, compiled: bool) -> None:
        from chainrule.engine import Value, is_compiled  # noqa: PLC0415 - a process loads its own library alone

        if is_compiled() != compiled:
            raise MissingError("the compiled engine is not built" if compiled else "CHAINRULE_PURE did not work")
        super().__init__(Value)


class Micrograd(Kit):
    def __init__(self) -> None:
        from micrograd.engine import Value  # noqa: PLC0415

        super().__init__(Value)
        sys.setrecursionlimit(100_000)  # its backward recurses as deep as a sum is long; Python's 1000 is too little

    def free(self) -> None:
        gc.collect()  # a node and its closure hold each other, so nothing else frees them


class Torch(Kit):
    """Tensors of no dimension in float64. A leaf asks for its gradient; a constant does not, as in a torch program."""

    def __init__(self) -> None:
        import torch  # noqa: PLC0415

        torch.set_num_threads(1)
        super().__init__(
            lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True),
            lambda x: torch.tensor(x, dtype=torch.float64),
        )

    def zero(self, leaves: list[Any]) -> None:
        for leaf in leaves:
            leaf.grad = None

    def zero_model(self, model: Any) -> None:
        self.zero(model.parameters())

    def put(self, model: Any, numbers: list[float]) -> None:
        for p, number in zip(model.parameters(), numbers, strict=True):
            p.data.fill_(number)

    def number(self, x: Any) -> float:
        return x.item()


class Xad(Kit):
    """Operations on leaves are written to one tape, which is recorded anew for each forward pass.

    A tape gives out new slots with each recording and takes few back, so it is kept short: a new one for each unit.
    Real numbers cannot be written, so a parameter that moves is made anew.
    """

    has_relu = False
    most_repeats = 20

    def __init__(self) -> None:
        import xad.math  # noqa: PLC0415
        from xad.adj_1st import Real, Tape  # noqa: PLC0415

        super().__init__(self._register, Real)
        self.new_tape, self.maximum = Tape, xad.math.max
        self.tape = Tape()
        self.tape.activate()

    def _register(self, x: float) -> Any:
        leaf = self.constant(x)
        self.tape.registerInput(leaf)
        return leaf

    def fresh(self) -> None:
        self.tape.deactivate()
        self.tape = self.new_tape()
        self.tape.activate()

    def begin(self) -> None:
        self.tape.newRecording()

    def free(self) -> None:
        self.fresh()

    def relu(self, x: Any) -> Any:
        return self.maximum(x, 0.0)

    def zero(self, leaves: list[Any]) -> None:
        self.tape.clearDerivatives()

    def zero_model(self, model: Any) -> None:
        """A new recording starts at zero."""

    def backward(self, result: Any) -> None:
        self.tape.registerOutput(result)
        result.derivative = 1.0
        self.tape.computeAdjoints()

    def descend(self, model: Any, lr: float) -> None:
        self.put(model, [p.getValue() - lr * p.derivative for p in model.parameters()])

    def put(self, model: Any, numbers: list[float]) -> None:
        neurons = [neuron for layer in model.layers for neuron in layer.neurons]
        for neuron in neurons:
            neuron.w, neuron.b = [None] * len(neuron.w), None
        self.fresh()  # only now: numbers of an old tape that end under a new one confuse it
        coming = iter(numbers)
        for neuron in neurons:
            neuron.w = [self.leaf(next(coming)) for _ in neuron.w]
            neuron.b = self.leaf(next(coming))

    def number(self, x: Any) -> float:
        return x.getValue()

    def grad(self, leaf: Any) -> float:
        return leaf.derivative
