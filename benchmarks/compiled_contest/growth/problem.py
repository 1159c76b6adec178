"""The graphs whose size grows: the loss over points of the moons, and a random graph."""

from __future__ import annotations

from contest.demo import moons

REGULAR, IRREGULAR = "regular", "irregular"
PER_POINT = 655
"""Operations on scalars that a point needs in the loss of MLP(2, [16, 16, 1])."""


def points(operations: int) -> tuple[list[list[float]], list[int]]:
    return moons(max(1, round(operations / PER_POINT)))
