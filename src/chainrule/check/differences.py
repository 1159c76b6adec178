"""Numerical derivatives by finite differences, against which `gradients.py` checks the chain rule.

The forward difference is the first idea; the central difference is much more accurate for one more call. Extrapolating
central differences to a step of zero (Richardson's method, with the stopping rule of Ridders, "Accurate computation of
F'(x) and F'(x) F''(x)", 1982) gives about ten digits, and an estimate of its error.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.core.modes import nested_transform, no_grad
from chainrule.core.operation import number
from chainrule.core.trees import as_argument, leaves, unflatten
from chainrule.engine import Value, topological_order
from chainrule.errors import ArgumentError, OperandError, shown

EPSILON = sys.float_info.epsilon
FIRST_STEP = 0.05
SHRINK = 4.0
MOST_ROWS = 30
ENOUGH = 1e-12
"""The error, relative to the derivative, at which an extrapolation ends."""


def forward_difference(f: Callable, inputs: Any, h: float = 1e-4) -> Any:
    """The forward difference (f(x + h) - f(x)) / h for each input. Its error is about h.

    Args:
        f: a function of plain floats or of Values that returns one number.
        inputs: its arguments in a list or tuple, each a number or nested lists of numbers; a single number is the only
            argument of `f`.
        h: the step.

    Returns:
        The differences in the structure of `inputs`; a float if that is a number.

    Raises:
        ArgumentError: h is zero, infinite or nan.
        OperandError: `f` does not return a number, or an input is not a number.

    >>> round(forward_difference(lambda x: 3*x**2 - 4*x + 5, 3.0), 6)
    14.0003
    >>> [round(d, 6) for d in forward_difference(lambda a, b: a * b, [2.0, -3.0])]
    [-3.0, 2.0]
    """
    run, point = _prepared(f, inputs, h)
    here = run(point)
    return unflatten(inputs, [(run(_shifted(point, i, h)) - here) / h for i in range(len(point))])


def central_difference(f: Callable, inputs: Any, h: float = 1e-4) -> Any:
    """The central difference (f(x + h) - f(x - h)) / 2h for each input. Its error is about h².

    It takes and raises what `forward_difference` does.

    >>> round(central_difference(lambda x: 3*x**2 - 4*x + 5, 3.0), 6)
    14.0
    """
    run, point = _prepared(f, inputs, h)
    pairs = [(run(_shifted(point, i, h)), run(_shifted(point, i, -h))) for i in range(len(point))]
    return unflatten(inputs, [(after - before) / (2 * h) for after, before in pairs])


def numerical_gradient(f: Callable, inputs: Any) -> Any:
    """The derivative for each input to about ten digits, by extrapolation with steps chosen automatically.

    It takes and raises what `forward_difference` does, without h.

    >>> round(numerical_gradient(lambda x: x**3, 2.0), 9)
    12.0
    """
    run, point = _prepared(f, inputs, FIRST_STEP)
    estimates = gradient_estimates(run, point, largest_number(graph(f, inputs)))
    return unflatten(inputs, [one.derivative for one in estimates])


def gradient_estimates(run: Callable[[list[float]], float], point: list[float], magnitude: float) -> list[Estimate]:
    """Estimates the derivative for each input of a function of one flat list; `magnitude` is that of `estimate`."""
    return [estimate(along(lambda p: [run(p)], point, i), point[i], magnitude)[0] for i in range(len(point))]


def plain(f: Callable, like: Any) -> Callable[[Sequence[float]], float]:
    """Turns `f` into a function from one flat list of floats to a float that records nothing.

    It calls `f` with Values, whose arithmetic is that of the graph (1/0 is inf); if `f` cannot take them (a function of
    `math`, for instance), with floats.
    """

    def run(point: Sequence[float]) -> float:
        with no_grad():
            try:
                result = f(*arguments(like, [Value(x) for x in point]))
            except TypeError:
                try:
                    result = f(*arguments(like, point))
                except Exception:
                    result = None  # the error with Values is the better message
                if result is None:
                    raise
        return result.data if isinstance(result, Value) else number(result, "the result of the function")

    return run


def graph(f: Callable, inputs: Any) -> list[Value]:
    """The nodes that `f` creates at these inputs, operands first; [] if it does not calculate with Values."""
    with nested_transform():
        try:
            result = f(*arguments(inputs, [Value(x) for x in numbers(inputs)]))
        except TypeError:
            return []
    return topological_order(result) if isinstance(result, Value) else []


def largest_number(nodes: Sequence[Value]) -> float:
    """The largest number or local derivative in a graph: the rounding errors of a result are at least in proportion to
    it."""
    sizes = [math.fabs(x) for node in nodes for x in (node.data, *node.locals) if x is not None]
    return max([size for size in sizes if math.isfinite(size)], default=0.0)


@dataclass(frozen=True)
class Estimate:
    """A numerical derivative."""

    derivative: float
    error: float
    """The estimated error of the derivative."""
    left: float
    right: float
    """The slopes to both sides, over the last step."""
    kink: bool
    """Whether the two slopes stay apart however small the step is."""
    jump: bool
    """Whether the slopes grow without bound: the function jumps there and has no derivative."""
    scale: float
    """The size of a derivative that is noticeable beside the function's values."""


def estimate(f: Callable[[float], Sequence[float]], x: float, magnitude: float = 0.0) -> list[Estimate]:
    """Estimates the derivative at `x` of each number that `f` returns.

    Args:
        f: a function of one number that returns numbers. An arithmetic error counts as nan.
        x: the point.
        magnitude: the largest intermediate number, whose rounding errors affect the result.
    """
    here = [float(y) for y in f(x)]
    tables = [_Extrapolation(y, magnitude) for y in here]
    step = FIRST_STEP * max(1.0, math.fabs(x))
    for _ in range(MOST_ROWS):
        after, before = x + step, x - step
        if step < 64 * EPSILON * math.fabs(x):
            break  # too few floats lie in between
        for table, high, low in zip(tables, _values(f, after, here), _values(f, before, here), strict=True):
            if not table.done:
                table.add((after - before) / 2, high, low)
        if all(table.done for table in tables):
            break
        step /= SHRINK
    return [table.estimate(max(1.0, math.fabs(x))) for table in tables]


class _Extrapolation:
    """Richardson extrapolation for one result: central differences with ever smaller steps, extrapolated to a step of
    zero."""

    def __init__(self, here: float, magnitude: float) -> None:
        self.here = here
        self.magnitude = max(magnitude, math.fabs(here)) if math.isfinite(here) else magnitude
        self.largest = math.fabs(here)
        self.row: list[float] = []
        self.slopes: list[tuple[float, float]] = []
        self.rounding = 0.0
        self.best, self.error = math.nan, math.inf
        self.done = not math.isfinite(here)

    def add(self, step: float, after: float, before: float) -> None:
        """Adds the values one step after and one step before; a step out of the function's domain does not count."""
        difference = (after - before) / (2 * step)
        if not math.isfinite(difference):
            self.row, self.slopes = [], []
            return
        self.largest = max(self.largest, math.fabs(after), math.fabs(before))
        self.slopes.append(((self.here - before) / step, (after - self.here) / step))
        rounding = EPSILON * max(self.magnitude, math.fabs(after), math.fabs(before)) / step
        self.rounding = rounding
        row, power = [difference], 1.0
        for previous in self.row:
            power *= SHRINK * SHRINK
            row.append(row[-1] + (row[-1] - previous) / (power - 1.0))
            error = max(math.fabs(row[-1] - row[-2]), math.fabs(row[-1] - previous)) + rounding
            if error < self.error:
                self.best, self.error = row[-1], error
        self.row = row
        exact = self.error <= ENOUGH * math.fabs(self.best)
        self.done = len(row) > 2 and (exact or self.error <= rounding * SHRINK)

    def estimate(self, unit: float) -> Estimate:
        left, right = self.slopes[-1] if self.slopes else (math.nan, math.nan)
        return Estimate(self.best, self.error, left, right, *self.kink_and_jump(), self.largest / unit)

    def kink_and_jump(self) -> tuple[bool, bool]:
        """Whether, in the last two steps, the slopes to both sides did not approach each other, and whether they
        grew."""
        if len(self.slopes) < 2:
            return False, False
        (left, right), (previous_left, previous_right) = self.slopes[-1], self.slopes[-2]
        gap, previous_gap = math.fabs(right - left), math.fabs(previous_right - previous_left)
        steepest = max(math.fabs(left), math.fabs(right))
        grown = steepest > 0.9 * SHRINK * max(math.fabs(previous_left), math.fabs(previous_right))
        visible = 16 * self.rounding
        kink = gap > max(visible, 1e-3 * steepest) and gap > 0.9 * previous_gap
        return kink, grown and steepest > visible


def _values(f: Callable[[float], Sequence[float]], x: float, like: Sequence[float]) -> list[float]:
    try:
        return [float(y) for y in f(x)]
    except (ArithmeticError, ValueError):  # a function of `math` out of its domain
        return [math.nan] * len(like)


def _prepared(f: Callable, inputs: Any, h: float) -> tuple[Callable[[Sequence[float]], float], list[float]]:
    if not math.isfinite(number(h, "the step h")) or h == 0:
        raise ArgumentError(f"a difference needs a small step that is not zero, such as h=1e-4, but got h={shown(h)}")
    return plain(f, inputs), numbers(inputs)


def numbers(inputs: Any) -> list[float]:
    """The numbers of nested inputs in a flat list; a Value counts with its number."""
    return [x.data if isinstance(x, Value) else number(x, "an input") for x in leaves(inputs)]


def arguments(like: Any, flat: Sequence[Any]) -> Sequence[Any]:
    """The positional arguments for a call."""
    if isinstance(like, dict):
        raise OperandError(
            "inputs are the positional arguments of the function: give a list, even of one dict: [{...}]"
        )
    tree = unflatten(like, flat, as_argument)
    return tree if isinstance(like, list | tuple) else [tree]


def along(f: Callable[[list[float]], Any], point: Sequence[float], i: int) -> Callable[[float], Any]:
    """`f` as a function of number `i` of the point alone."""
    return lambda x: f(replaced(point, i, x))


def replaced(point: Sequence[float], i: int, x: float) -> list[float]:
    """The point with its number `i` replaced by `x`."""
    return [*point[:i], x, *point[i + 1 :]]


def _shifted(point: Sequence[float], i: int, h: float) -> list[float]:
    return replaced(point, i, point[i] + h)
