"""Minimax polynomials: the coefficients whose largest error over an interval is the smallest possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mpmath import mp, mpf

Function = Callable[[mpf], mpf]

GRID = 24
"""How many points are evaluated between two extremes of the error."""


def minimax(
    f: Function, low: float, high: float, powers: Sequence[int], weight: Function = lambda x: mpf(1)
) -> tuple[list[mpf], mpf]:
    """Finds a minimax polynomial by the exchange algorithm of Remez (1934).

    Args:
        f: the function to approximate by Σ cₖ xᵖ.
        low: the beginning of the interval.
        high: the end of the interval.
        powers: the exponents p, one for each coefficient.
        weight: a factor of the error.

    Returns:
        The coefficients, and the largest weighted error.
    """
    low, high, n = mpf(low), mpf(high), len(powers)
    places = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / n) for i in range(n + 1)]
    grid = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / (GRID * n)) for i in range(GRID * n + 1)]
    table = [(x, f(x), weight(x), [x**p for p in powers]) for x in grid]
    for _ in range(30):
        rows = [[x**p for p in powers] + [(-1) ** i / weight(x)] for i, x in enumerate(places)]
        *coefficients, level = mp.lu_solve(mp.matrix(rows), mp.matrix([f(x) for x in places]))
        errors = [w * (mp.fdot(coefficients, basis) - y) for _, y, w, basis in table]
        places = _extremes(grid, errors, n + 1)
        largest = max(abs(e) for e in errors)
        if largest < 1.01 * abs(level):
            break
    return coefficients, largest


def _extremes(grid: list[mpf], errors: list[mpf], count: int) -> list[mpf]:
    """The point with the largest error in each interval of one sign; the worst `count` consecutive ones."""
    extremes: list[int] = []
    for i, error in enumerate(errors):
        if extremes and (errors[extremes[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[extremes[-1]]):
                extremes[-1] = i
        else:
            extremes.append(i)
    while len(extremes) > count:
        extremes.pop(0 if abs(errors[extremes[0]]) < abs(errors[extremes[-1]]) else -1)
    return [grid[i] for i in extremes]
