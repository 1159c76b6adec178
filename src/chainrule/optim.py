"""Optimisers and schedules: how gradients change parameters.

    optimizer = Adam(model.parameters(), lr=0.01)
    for step in range(steps):
        loss = ...
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

A learning rate is a number or a schedule: a function from the number of steps done to the rate of the next step.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

from chainrule import ops
from chainrule.core.operation import number
from chainrule.engine import Value
from chainrule.errors import ArgumentError, ReadOnlyError, SavedFileError, shown, suggest

Schedule = Callable[[int], float]


__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Optimizer",
    "Schedule",
    "constant",
    "cosine",
    "linear",
    "step_decay",
]


def __dir__() -> list[str]:
    return __all__


def constant(lr: float) -> Schedule:
    """A schedule that always gives `lr`.

    >>> constant(0.1)(1000)
    0.1
    """
    return _Formula(_constant, (lr,))


def linear(start: float, end: float, steps: int) -> Schedule:
    """A schedule that goes from `start` to `end` in `steps` equal steps, and stays at `end`.

    >>> [linear(1.0, 0.0, 4)(step) for step in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    return _Formula(_linear, (start, end, steps))


def cosine(start: float, end: float, steps: int) -> Schedule:
    """A schedule that goes from `start` to `end` along half a cosine wave in `steps` steps, and stays at `end`.

    The formula is that of Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, without
    restarts.

    >>> [round(cosine(1.0, 0.0, 4)(step), 4) for step in range(6)]
    [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]
    """
    return _Formula(_cosine, (start, end, steps))


def step_decay(start: float, factor: float, every: int) -> Schedule:
    """A schedule that begins with `start` and is multiplied by `factor` after every `every` steps.

    >>> [step_decay(1.0, 0.5, 2)(step) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    return _Formula(_step_decay, (start, factor, every))


@dataclass(frozen=True)
class _Formula:
    """A schedule of this module: `formula(step, *numbers)`. Unlike a function within a function, it can be pickled."""

    formula: Callable[..., float]
    numbers: tuple[Any, ...]

    def __call__(self, step: int) -> float:
        return self.formula(step, *self.numbers)


def _constant(step: int, lr: float) -> float:
    return lr


def _linear(step: int, start: float, end: float, steps: int) -> float:
    return start + (end - start) * min(step / _steps(steps), 1.0)


def _cosine(step: int, start: float, end: float, steps: int) -> float:
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * min(step / _steps(steps), 1.0)))


def _step_decay(step: int, start: float, factor: float, every: int) -> float:
    return start * factor ** (step // _steps(every))


def _steps(steps: int) -> int:
    if steps < 1:
        raise ArgumentError(f"a schedule needs at least 1 step, not {shown(steps)}")
    return steps


class Optimizer:
    """The base class of optimisers. A subclass implements `updated`, which calculates the new parameters.

    Args:
        parameters: the Values to change, such as `model.parameters()`.
        lr: the learning rate, or a schedule.

    Raises:
        ArgumentError: there are no parameters, one is not a leaf or is given twice, or the rate is negative.

    >>> class SignDescent(Optimizer):
    ...     def updated(self, data, grads, lr):
    ...         return [x - lr * ((g > 0) - (g < 0)) for x, g in zip(data, grads, strict=True)]
    >>> p = Value(3.0)
    >>> (p * p).backward()
    >>> SignDescent([p], lr=0.5).step()
    >>> p.data
    2.5
    """

    slots: tuple[str, ...] = ()
    """Names of the lists in `memory`, which hold one number for each parameter."""

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        named = inspect.signature(cls.__init__).parameters.values()
        if not any(p.kind is p.VAR_KEYWORD for p in named):
            _check_options(cls.__name__, options, [p.name for p in named][1:])
        return super().__new__(cls)

    def __init__(self, parameters: Iterable[Value], lr: float | Schedule) -> None:
        try:
            self.parameters = list(parameters)
        except TypeError:
            raise ArgumentError(
                f"an optimizer takes a list of Values, such as model.parameters(), not {shown(parameters)}"
            ) from None
        check_parameters(self.parameters)
        self.schedule = lr if callable(lr) else constant(_not_negative(lr, "lr"))
        self.steps = 0
        self.memory = {name: [0.0] * len(self.parameters) for name in self.slots}

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return self.schedule(self.steps)

    @lr.setter
    def lr(self, x: Any) -> None:
        rate = shown(x) if callable(x) else f"chainrule.optim.constant({shown(x)})"
        raise ReadOnlyError(f"lr is what the schedule gives for the next step: optimizer.schedule = {rate}")

    def zero_grad(self) -> None:
        """Sets the gradient of every parameter to 0. Call it once a step, before `backward()`."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def step(self) -> None:
        """Updates every parameter by its gradient."""
        lr = self.lr
        self.steps += 1
        data, grads = [p.data for p in self.parameters], [p.grad for p in self.parameters]
        for parameter, x in zip(self.parameters, self.updated(data, grads, lr), strict=True):
            parameter.data = x

    def updated(self, data: list[float], grads: list[float], lr: float) -> list[float]:
        """Calculates the new numbers of the parameters.

        Args:
            data: the number of each parameter.
            grads: the gradient of each parameter.
            lr: the learning rate of this step; `self.steps` counts this step already.
        """
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Returns all that a resumed run needs, as data for JSON."""
        return {"type": type(self).__name__, "steps": self.steps} | {k: list(v) for k, v in self.memory.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores a state that an optimiser of the same kind and size returned. If anything does not fit, nothing
        changes.

        Raises:
            SavedFileError: the state is of another kind of optimiser, of another size, or damaged.
        """
        kind = type(self).__name__
        if state.get("type") != kind:
            raise SavedFileError(f"this is the state of the optimizer {shown(state.get('type'))}, not of {kind}")
        try:
            memory = {name: [number(x, name) for x in state[name]] for name in self.slots}
            steps = state["steps"]
        except (KeyError, TypeError, ValueError) as error:
            raise SavedFileError(f"the state of the optimizer is damaged: {error}") from None
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
            raise SavedFileError(f"the state of the optimizer is damaged: steps is {shown(steps)}, not a whole number")
        if any(len(column) != len(self.parameters) for column in memory.values()):
            raise SavedFileError(f"the state of the optimizer is not for {len(self.parameters)} parameters")
        self.memory, self.steps = memory, steps


class SGD(Optimizer):
    """Stochastic gradient descent: p -= lr · v with v = momentum · v + grad (v = grad without momentum).

    Args:
        parameters, lr: see `Optimizer`.
        momentum: the share of the last velocity v that is kept (Polyak 1964).
        nesterov: whether to step by grad + momentum · v instead (Nesterov 1983; in the form of Sutskever et al. 2013).
        weight_decay: adds weight_decay · p to the gradient.

    >>> p = Value(3.0)
    >>> (p * p).backward()
    >>> SGD([p], lr=0.1).step()
    >>> round(p.data, 6)
    2.4
    """

    slots = ("velocity",)

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 0.01,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        self.momentum = _fraction(momentum, "momentum")
        self.nesterov = nesterov
        self.weight_decay = _not_negative(weight_decay, "weight_decay")
        if nesterov and not momentum:
            raise ArgumentError("nesterov looks ahead by momentum: give one, such as momentum=0.9")

    def updated(self, data: list[float], grads: list[float], lr: float) -> list[float]:
        if self.weight_decay:
            grads = [g + self.weight_decay * x for x, g in zip(data, grads, strict=True)]
        if self.momentum:
            velocity = [self.momentum * v + g for v, g in zip(self.memory["velocity"], grads, strict=True)]
            self.memory["velocity"] = velocity
            look_ahead = [g + self.momentum * v for v, g in zip(velocity, grads, strict=True)]
            grads = look_ahead if self.nesterov else velocity
        return [x - lr * g for x, g in zip(data, grads, strict=True)]


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015): steps scaled by running means of the gradient and of its square.

    m = b1 · m + (1 - b1) · grad and s = b2 · s + (1 - b2) · grad²; p -= lr · m' / (√s' + eps), with m' = m / (1 - b1ᵗ)
    and s' = s / (1 - b2ᵗ) after t steps.

    Args:
        parameters, lr: see `Optimizer`.
        betas: (b1, b2), the decay rates of the two means.
        eps: keeps the divisor away from 0.

    >>> p = Value(3.0)
    >>> (p * p).backward()
    >>> Adam([p], lr=0.1).step()
    >>> round(p.data, 6)
    2.9
    """

    slots = ("mean", "square")

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        self.betas = (_fraction(betas[0], "betas[0]"), _fraction(betas[1], "betas[1]"))
        self.eps = _not_negative(eps, "eps")

    def load_state_dict(self, state: dict[str, Any]) -> None:
        before = self.memory, self.steps
        super().load_state_dict(state)
        if min(self.memory["square"]) < 0:
            self.memory, self.steps = before
            raise SavedFileError("the state of the optimizer is damaged: a mean of squares is negative")

    def updated(self, data: list[float], grads: list[float], lr: float) -> list[float]:
        (b1, b2), eps = self.betas, self.eps
        sqrt = math.sqrt if all(type(g) is float for g in grads[:1]) else ops.sqrt  # the compiler passes symbols
        mean = [b1 * m + (1 - b1) * g for m, g in zip(self.memory["mean"], grads, strict=True)]
        square = [b2 * s + (1 - b2) * g * g for s, g in zip(self.memory["square"], grads, strict=True)]
        self.memory = {"mean": mean, "square": square}
        # both means start at 0, and dividing by 1 - bᵗ removes that bias
        c1, c2 = 1 - b1**self.steps, 1 - b2**self.steps
        return [x - lr * (m / c1) / (sqrt(s / c2) + eps) for x, m, s in zip(data, mean, square, strict=True)]


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): p shrinks by lr · weight_decay · p before each
    step.

    >>> p = Value(3.0)
    >>> (p * p).backward()
    >>> AdamW([p], lr=0.1, weight_decay=0.5).step()
    >>> round(p.data, 6)
    2.75
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas=betas, eps=eps)
        self.weight_decay = _not_negative(weight_decay, "weight_decay")

    def updated(self, data: list[float], grads: list[float], lr: float) -> list[float]:
        return super().updated([x - lr * self.weight_decay * x for x in data], grads, lr)


def check_parameters(parameters: list[Any]) -> None:
    """Checks that an optimiser can update these parameters.

    Raises:
        ArgumentError: there are none, one is not a leaf, or one is given twice.
    """
    if not parameters:
        raise ArgumentError("an optimizer needs parameters: give it model.parameters()")
    places: dict[int, int] = {}
    for at, parameter in enumerate(parameters):
        if not isinstance(parameter, Value) or parameter.operands:
            raise ArgumentError(f"a parameter must be a Value made by hand, not {shown(parameter)}")
        if parameter.constant:
            raise ArgumentError(f"the parameter {at} is a plain number of a formula, {parameter!r}: no gradient flows "
                                "there; make a Value of it first, and use that in the formula")  # fmt: skip
        first = places.setdefault(id(parameter), at)
        if first != at:
            raise ArgumentError(
                f"the parameters {first} and {at} are the same {parameter!r}, which can move just once a step: give "
                "model.parameters(), which has each once, or list(dict.fromkeys(parameters))"
            )


_OTHER_NAMES = {
    **dict.fromkeys(["learning_rate", "alpha", "eta", "rate", "step_size"], "lr={}"),
    **dict.fromkeys(["beta1", "beta_1", "beta2", "beta_2"], "betas=(0.9, 0.999)"),
    "epsilon": "eps={}",
    "params": "the parameters come first",
    "weight_decay": "AdamW(parameters, weight_decay={})",
}
"""What options are called elsewhere, with what is said here."""


def _check_options(kind: str, options: dict[str, Any], known: list[str]) -> None:
    for name, x in options.items():
        if name not in known:
            other = _OTHER_NAMES.get(name)
            hint = f": {other.format(shown(x))}" if other else f".{suggest(name, known)}"
            raise ArgumentError(f"{kind} takes {', '.join(known)}, and no {name}{hint}")


def _not_negative(x: float, name: str) -> float:
    if not number(x, name) >= 0:
        raise ArgumentError(f"{name} must be 0 or more, not {shown(x)}")
    return float(x)


def _fraction(x: float, name: str) -> float:
    if not 0 <= number(x, name) < 1:
        raise ArgumentError(f"{name} must be at least 0 and less than 1, not {shown(x)}")
    return float(x)
