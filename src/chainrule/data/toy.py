"""Toy data sets in two dimensions, and the split into training and held-out rows.

Every set is a pair `(X, y)`: `X` is a list of points `[x1, x2]`, `y` a list with the class of each point, 0, 1, …. The
same arguments give the same numbers on every machine. Python's global random generator is neither used nor changed.

>>> X, y = moons(n=200, noise=0.1, seed=0)
>>> X_train, y_train, X_held, y_held = split(X, y, fraction=0.2)
>>> len(X_train), len(X_held), sum(y_held)
(160, 40, 20)
"""

from __future__ import annotations

import inspect
import math
import random
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, TypeVar

from chainrule.errors import ArgumentError, SizeError, shown, suggest

Point = list[float]
DataSet = tuple[list[Point], list[int]]
Row = TypeVar("Row")
Target = TypeVar("Target")

XOR_POINTS = (((0.0, 0.0), 0), ((0.0, 1.0), 1), ((1.0, 0.0), 1), ((1.0, 1.0), 0))
SPIRAL_SWEEP = 4.0
"""The angle, in radians, by which an arm turns from the centre to radius 1."""


def xor(repeat: int = 1, noise: float = 0.0, seed: int = 0) -> DataSet:
    """The corners of the unit square; the class is 1 where exactly one coordinate is 1.

    Args:
        repeat: how many times the four points are repeated, one round after the other.
        noise: standard deviation of the Gaussian noise on each coordinate.
        seed: the seed of the noise.

    Returns:
        `(X, y)` with 4 * `repeat` points, always in the order 00, 01, 10, 11.

    Raises:
        ArgumentError: `repeat` is below 1, or `noise` is negative.

    >>> xor()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    _check_whole("repeat", repeat, least=1)
    rng = _generator(noise, seed)
    rounds = [corner for _ in range(repeat) for corner in XOR_POINTS]
    return [_jitter(x1, x2, noise, rng) for (x1, x2), _ in rounds], [label for _, label in rounds]


def moons(n: int = 100, noise: float = 0.1, seed: int = 0) -> DataSet:
    """Two interleaved half circles of radius 1: class 0 opens downwards, class 1 upwards.

    The curves are those of scikit-learn's `make_moons`: with t evenly from 0 to π, class 0 is (cos t, sin t) and
    class 1 is (1 - cos t, 1/2 - sin t).

    Args:
        n: number of points, half of them in each class (one more in class 1 if odd).
        noise: standard deviation of the Gaussian noise on each coordinate.
        seed: the seed of noise and order.

    Returns:
        `(X, y)` with `n` points in random order.

    Raises:
        ArgumentError: `n` is below 2, or `noise` is negative.

    >>> X, y = moons(n=6, noise=0.0)
    >>> [point for point, label in zip(X, y) if label == 1 and point[1] == 0.5]
    [[0.0, 0.5]]
    """
    _check_whole("n", n, least=2)
    rng = _generator(noise, seed)
    upper = [math.pi * t for t in _evenly(n // 2)]
    lower = [math.pi * t for t in _evenly(n - n // 2)]
    points = [(math.cos(t), math.sin(t), 0) for t in upper]
    points += [(1 - math.cos(t), 0.5 - math.sin(t), 1) for t in lower]
    return _finish(points, noise, rng)


def circles(n: int = 100, noise: float = 0.1, *, factor: float = 0.5, seed: int = 0) -> DataSet:
    """A circle of radius 1 (class 0) around a smaller one of radius `factor` (class 1).

    As in scikit-learn's `make_circles`, the points r (cos t, sin t) have evenly spaced t from 0 to 2π.

    Args:
        n: number of points, half of them on each circle (one more on the inner one if odd).
        noise: standard deviation of the Gaussian noise on each coordinate.
        factor: radius of the inner circle, from 0 up to but not including 1.
        seed: the seed of noise and order.

    Returns:
        `(X, y)` with `n` points in random order.

    Raises:
        ArgumentError: `n` is below 2, `noise` is negative, or `factor` is outside [0, 1).

    >>> X, y = circles(n=8, noise=0.0, factor=0.25)
    >>> sorted({(label, round(math.hypot(*point), 9)) for point, label in zip(X, y)})
    [(0, 1.0), (1, 0.25)]
    """
    _check_whole("n", n, least=2)
    _check_number("factor", factor)
    if not 0 <= factor < 1:
        raise ArgumentError(f"factor is the inner radius and must be at least 0 and below 1, not {shown(factor)}")
    rng = _generator(noise, seed)
    points = []
    for label, (count, radius) in enumerate([(n // 2, 1.0), (n - n // 2, factor)]):
        angles = [2 * math.pi * step / count for step in range(count)]
        points += [(radius * math.cos(t), radius * math.sin(t), label) for t in angles]
    return _finish(points, noise, rng)


def spiral(n: int = 100, noise: float = 0.1, *, classes: int = 2, seed: int = 0) -> DataSet:
    """Arms that wind around the centre, one for each class.

    On arm c of C, the point at radius r, 0 < r ≤ 1, has the angle 4 r + 2π c / C + noise. This is the spiral of
    Stanford's course CS231n, with evenly spaced arms, so that any number of them fits.

    Args:
        n: number of points, divided evenly among the arms (the first arms get the remainder).
        noise: standard deviation of the Gaussian noise on the angle, in radians.
        classes: number of arms, at least 2.
        seed: the seed of noise and order.

    Returns:
        `(X, y)` with `n` points in random order.

    Raises:
        ArgumentError: `classes` is below 2, `n` is below `classes`, or `noise` is negative.

    >>> X, y = spiral(n=10, classes=3)
    >>> [y.count(label) for label in range(3)]
    [4, 3, 3]
    """
    _check_whole("classes", classes, least=2)
    _check_whole("n", n, least=classes)
    rng = _generator(noise, seed)
    points = []
    for label in range(classes):
        count = n // classes + (label < n % classes)
        for step in range(1, count + 1):
            radius = step / count
            angle = SPIRAL_SWEEP * radius + 2 * math.pi * label / classes + noise * rng.gauss(0.0, 1.0)
            points.append((radius * math.cos(angle), radius * math.sin(angle), label))
    return _finish(points, 0.0, rng)


TOY_SETS: dict[str, Callable[..., DataSet]] = {"xor": xor, "moons": moons, "circles": circles, "spiral": spiral}


def toy_set(name: str, **options: Any) -> DataSet:
    """Creates the toy set called `name`, one of `TOY_SETS`.

    Args:
        name: "xor", "moons", "circles" or "spiral".
        options: the arguments of the function with that name.

    Returns:
        `(X, y)`, as from that function.

    Raises:
        ArgumentError: there is no such set, it has no such option, or it refuses the value of an option.

    >>> toy_set("moons", n=50) == moons(n=50)
    True
    >>> toy_set("moon")
    Traceback (most recent call last):
        ...
    chainrule.errors.ArgumentError: no toy set 'moon'; there are xor, moons, circles, spiral. Did you mean 'moons'?
    """
    if name not in TOY_SETS:
        hint = suggest(name, TOY_SETS)
        raise ArgumentError(f"no toy set {name!r}; there are {', '.join(TOY_SETS)}.{hint}")
    known = list(inspect.signature(TOY_SETS[name]).parameters)
    for option in options:
        if option not in known:
            hint = suggest(option, known)
            raise ArgumentError(f"{name} has no option {option!r}; it takes {', '.join(known)}.{hint}")
    return TOY_SETS[name](**options)


def split(
    X: Sequence[Row],
    y: Sequence[Target],
    fraction: float = 0.2,
    *,
    seed: int = 0,
    stratify: bool | None = None,
) -> tuple[list[Row], list[Target], list[Row], list[Target]]:
    """Holds out a share of the rows, to measure a trained model on rows that it has never seen.

    Args:
        X: the rows.
        y: the target of each row.
        fraction: the share to hold out, between 0 and 1.
        seed: the seed of the choice and of the order.
        stratify: whether to hold out this share of every class, so that each class with at least two rows is on both
            sides. If left out: yes for integers as targets (classes), no for floats.

    Returns:
        `(X_train, y_train, X_held, y_held)`, each in random order; together they are all the rows, once each.

    Raises:
        SizeError: `X` and `y` have different lengths.
        ArgumentError: `fraction` is not between 0 and 1, or no row can be held out.

    >>> X, y = [[0.0], [0.1], [0.2], [0.7], [0.8], [0.9]], [0, 0, 0, 1, 1, 1]
    >>> X_train, y_train, X_held, y_held = split(X, y, fraction=1 / 3)
    >>> sorted(y_train), sorted(y_held)
    ([0, 0, 1, 1], [0, 1])
    """
    if len(X) != len(y):
        raise SizeError(f"X has {len(X)} rows, but y has {len(y)}: each row needs one target")
    train, held = split_indices(y, fraction, seed=seed, stratify=stratify)
    return [X[i] for i in train], [y[i] for i in train], [X[i] for i in held], [y[i] for i in held]


def split_indices(
    y: Sequence[Any], fraction: float = 0.2, *, seed: int = 0, stratify: bool | None = None
) -> tuple[list[int], list[int]]:
    """Splits row numbers, from the targets alone: `(train, held)`.

    It takes and raises what `split` does. Tables need it, since their rows can be encoded only when the training rows
    are known.

    >>> train, held = split_indices([0, 0, 1, 1, 1, 1], fraction=0.5)
    >>> sorted(train + held), len(held)
    ([0, 1, 2, 3, 4, 5], 3)
    """
    _check_number("fraction", fraction)
    _check_whole("seed", seed)
    if not 0 < fraction < 1:
        raise ArgumentError(f"fraction is the share of rows to hold out, between 0 and 1, not {shown(fraction)}")
    if len(y) < 2:
        raise ArgumentError(f"{len(y)} row{'s' * (len(y) != 1)} cannot be split: at least 2 are needed")
    if stratify is None:
        stratify = all(isinstance(target, Integral) for target in y)
    groups: dict[Any, list[int]] = {}
    for index, target in enumerate(y):
        groups.setdefault(target if stratify else None, []).append(index)
    rng = random.Random(seed)
    train, held = [], []
    for indices in groups.values():
        rng.shuffle(indices)
        count = _held_count(len(indices), fraction)
        held += indices[:count]
        train += indices[count:]
    if not held:
        raise ArgumentError("no row can be held out: every class has one row only; split(…, stratify=False) may")
    rng.shuffle(train)
    rng.shuffle(held)
    return train, held


def _held_count(rows: int, fraction: float) -> int:
    """How many of `rows` to hold out: the nearest integer that leaves a row on each side, if there are two."""
    return min(max(math.floor(fraction * rows + 0.5), 1), rows - 1)


def _evenly(count: int) -> list[float]:
    """`count` even steps from 0 to 1, both included; 0 alone for one step."""
    return [step / max(count - 1, 1) for step in range(count)]


def _jitter(x1: float, x2: float, noise: float, rng: random.Random) -> Point:
    return [x1 + noise * rng.gauss(0.0, 1.0), x2 + noise * rng.gauss(0.0, 1.0)]


def _finish(points: list[tuple[float, float, int]], noise: float, rng: random.Random) -> DataSet:
    """Adds the noise, shuffles, and separates points from labels."""
    noisy = [(_jitter(x1, x2, noise, rng), label) for x1, x2, label in points]
    rng.shuffle(noisy)
    return [point for point, _ in noisy], [label for _, label in noisy]


def _generator(noise: float, seed: int) -> random.Random:
    """The data set's own random generator; refuses a bad `noise` or `seed`."""
    _check_number("noise", noise)
    if noise < 0:
        raise ArgumentError(f"noise is a standard deviation and cannot be negative, not {shown(noise)}")
    _check_whole("seed", seed)
    return random.Random(seed)


def _check_whole(name: str, value: object, least: int | None = None) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ArgumentError(f"{name} must be a whole number, not {shown(value)}")
    if least is not None and value < least:
        raise ArgumentError(f"{name} must be at least {least}, not {shown(value)}")


def _check_number(name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not -math.inf < value < math.inf:
        raise ArgumentError(f"{name} must be a finite number, not {shown(value)}")
