"""The cases, and the data of all contestants."""

from __future__ import annotations

import numpy as np

NUMBERS = np.linspace(0.0, 1.0, 100)
MANY = np.linspace(0.0, 2.5, 2500)
WEIGHTS = np.linspace(-1.0, 1.0, 16)
ROWS = np.random.default_rng(3).standard_normal((128, 16))
WANTED = ROWS @ np.ones(16)
X, Y = np.linspace(0.0, 1.0, 10_000), np.linspace(1.0, 2.0, 10_000)
POINTS = np.random.default_rng(4).standard_normal((10_000, 15))

ARGUMENTS: dict[str, tuple] = {
    "scalars": (1.0, 2.0),
    "array": (NUMBERS,),
    "logsumexp": (MANY,),
    "list": (MANY.tolist(),),
    "least_squares": (WEIGHTS, ROWS, WANTED),
    "batch": (X, Y),
    "jacobian": (POINTS,),
}
"""A case to the arguments of its function; all want the value, and derivatives by `BY`."""

BY: dict[str, tuple[int, ...]] = {"scalars": (0, 1), "batch": (0, 1)}


def flat(found: object) -> list[float]:
    """All numbers of nested results."""
    if isinstance(found, list | tuple):
        return [x for part in found for x in flat(part)]
    return np.asarray(found, dtype=float).ravel().tolist()


def sizes(case: str) -> tuple[int, int]:
    """How many numbers C is given, and how many it returns."""
    given = [np.size(x) for x in ARGUMENTS[case]]
    if case == "jacobian":
        return given[0], 2 * given[0]
    if case == "batch":
        return sum(given), 3 * given[0]
    return sum(given), 1 + (given[0] if case != "scalars" else 2)
