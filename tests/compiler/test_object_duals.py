"""The dual numbers that programs are compared with: values and slopes against mpmath, and what their bounds promise."""

from __future__ import annotations

import math
import random

import mpmath
import pytest

from .object_programs import functions
from .object_programs.duals import Dual, watch

UNIT = 2.0**-53

ONE = {
    "exp": mpmath.exp, "expm1": mpmath.expm1, "log": mpmath.log, "log1p": mpmath.log1p, "sqrt": mpmath.sqrt,
    "sin": mpmath.sin, "cos": mpmath.cos, "atan": mpmath.atan, "tanh": mpmath.tanh, "erf": mpmath.erf,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "gelu": lambda x: x * mpmath.ncdf(x), "abs": abs, "relu": lambda x: max(x, mpmath.mpf(0)),
}  # fmt: skip
POSITIVE = {"log", "log1p", "sqrt"}


def inputs(*numbers):
    watch.reset(len(numbers))
    return [Dual.input(x, place) for place, x in enumerate(numbers)]


def agree(function, exact, numbers):
    """Value and slopes are those of mpmath, within the room that they say they have."""
    found = function(*inputs(*numbers))
    with mpmath.workdps(40):
        at = [mpmath.mpf(x) for x in numbers]
        wanted = exact(*at)
        slopes = [mpmath.diff(exact, at, [int(k == i) for k in range(len(at))]) for i in range(len(at))]
    own, rooms = [found.slopes or [0.0] * len(slopes), found.rooms or [0.0] * len(slopes)]
    assert math.fabs(found.value - float(wanted)) <= 4 * UNIT * found.room
    for slope, exact_slope, room in zip(own, slopes, rooms, strict=True):
        assert math.fabs(slope - float(exact_slope)) <= 4 * UNIT * room + 1e-17
        assert UNIT * room < 1e-13 * (1 + math.fabs(slope))


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_number(name):
    for x in (-2.3, -0.4, 0.2, 0.9, 3.1):
        agree(getattr(functions, name), ONE[name], [math.fabs(x) if name in POSITIVE else x])


TWO = {
    "sum": (lambda a, b: 3.0 + a + b - 0.5, lambda a, b: a + b + mpmath.mpf(2.5)),
    "difference": (lambda a, b: 1.0 - a - b, lambda a, b: 1 - a - b),
    "product": (lambda a, b: a * b * 2.0, lambda a, b: 2 * a * b),
    "quotient": (lambda a, b: a / b + 1.0 / b, lambda a, b: a / b + 1 / b),
    "powers": (lambda a, b: a**2 + b**-1.5, lambda a, b: a**2 + b ** mpmath.mpf(-1.5)),
    "hypot": (functions.hypot, mpmath.hypot),
    "max": (functions.max, lambda a, b: max(a, b)),
    "min": (functions.min, lambda a, b: min(a, b)),
    "select": (lambda a, b: functions.select(a < b, a * a, b), lambda a, b: a * a if a < b else b),
    "clip": (lambda a, b: functions.clip(a, -0.5, b), lambda a, b: min(max(a, mpmath.mpf(-0.5)), b)),
    "logsumexp": (
        lambda a, b: functions.logsumexp([a, b, a * b]),
        lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b) + mpmath.exp(a * b)),
    ),
    "weighted_sum": (lambda a, b: functions.weighted_sum([a, 2.0], [b, a], b), lambda a, b: a * b + 2 * a + b),
    "largest": (lambda a, b: functions.largest([a, b, a + b]), lambda a, b: max(a, b, a + b)),
}


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_numbers(name):
    function, exact = TWO[name]
    for a, b in ((0.3, 1.7), (-1.2, 0.4), (2.5, 0.6)):
        agree(function, exact, [a, b])


def test_of_equal_numbers_the_first_is_taken():
    a, b = inputs(1.5, 1.5)
    assert functions.max(a, b).slopes == functions.min(a, b).slopes == functions.largest([a, b]).slopes == [1.0, 0.0]


def test_room_covers_what_rounding_does():
    """A long chain of operations, in doubles and exactly: the difference is within the room, which is not wide."""
    draw = random.Random(3)
    numbers = [draw.uniform(-1.5, 1.5) for _ in range(6)]

    def chain(tanh, sin, xs):
        s, t = xs[0], xs[1]
        for k in range(60):
            s, t = tanh(s * xs[k % 6] + t - 0.3 * xs[(k + 1) % 6]), sin(t + s * s) * 0.9 + 0.1 * s
        return s + t

    found = chain(functions.tanh, functions.sin, inputs(*numbers))
    with mpmath.workdps(40):
        exact = chain(mpmath.tanh, mpmath.sin, [mpmath.mpf(x) for x in numbers])
    off = math.fabs(float(mpmath.mpf(found.value) - exact))
    assert off <= UNIT * found.room
    assert UNIT * found.room < 1e-10


def test_comparisons_say_how_near_they_were():
    a, b = inputs(1.0, 1.0 + 1e-15)
    assert a < b
    assert watch.closest == math.inf  # inputs are certain
    y = a * 3.0
    assert y <= b * 3.0
    assert watch.closest < 64 * UNIT * 1000
    watch.reset(2)
    z = functions.tanh(a)
    assert functions.max(z, z) >= z
    assert watch.closest == math.inf  # a number is certain to equal itself
    assert functions.tanh(a) < functions.tanh(b * 2.0)
    assert watch.closest > 1e-3
