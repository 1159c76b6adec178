"""Minimax polynomials: the coefficients whose largest error over an interval is the smallest possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mpmath import mp, mpf

Function = Callable[[mpf], mpf]

GRID = 24
"""So many points are looked at between two extremes of the error."""


def minimax(
    f: Function, low: float, high: float, powers: Sequence[int], weight: Function = lambda x: mpf(1)
) -> tuple[list[mpf], mpf]:
    """The exchange algorithm of Remez (1934).

    Args:
        f: what to approximate by Σ cₖ xᵖ.
        low: where the interval begins.
        high: where it ends.
        powers: the p's, one a coefficient.
        weight: what the error is multiplied with.

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
    """Where the error is largest in each stretch of one sign; the `count` in a row that are worst."""
    found: list[int] = []
    for i, error in enumerate(errors):
        if found and (errors[found[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[found[-1]]):
                found[-1] = i
        else:
            found.append(i)
    while len(found) > count:
        found.pop(0 if abs(errors[found[0]]) < abs(errors[found[-1]]) else -1)
    return [grid[i] for i in found]
