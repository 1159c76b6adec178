"""The search for the samples of a batch that make a sum infinite or nan."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PARTS = 16
"""The number of smaller pieces into which a piece with a non-finite sum is split."""

FIRST = 4
"""If the sums of so many pieces at the beginning are not finite, all pieces are taken to have such sums."""

FEWEST = 64
"""Pieces of at most so many samples are not split."""


def sorted_out(
    samples: int, run: Callable[[slice], T], is_finite: Callable[[T], bool]
) -> tuple[list[tuple[slice, T]], list[slice]]:
    """Splits samples whose sum is not finite into pieces whose sums are, and pieces to be calculated in another way.

    Args:
        samples: the number of samples.
        run: returns the sum of some samples.
        is_finite: returns whether such a sum is finite.

    Returns:
        The pieces with finite sums, each with its sum; and the other pieces. Splitting ends as soon as most pieces have
        sums that are not finite, so no more than twice `samples` are run in all.

    >>> numbers = [1.0] * 1000 + [float("inf")] + [1.0] * 999
    >>> good, bad = sorted_out(2000, lambda piece: sum(numbers[piece]), lambda total: total < 1e300)
    >>> sum([total for _, total in good]), bad
    (1992.0, [slice(1000, 1008, None)])
    """
    good: list[tuple[slice, T]] = []
    bad, size = [slice(0, samples)], samples
    while size > FEWEST:
        size = -(-size // PARTS)
        pieces, bad = _split(bad, size), []
        for at, piece in enumerate(pieces):
            if at == FIRST and len(bad) == FIRST:
                bad = pieces
                break
            total = run(piece)
            if is_finite(total):
                good.append((piece, total))
            else:
                bad.append(piece)
        if 2 * len(bad) > len(pieces):
            break
    return good, _joined(bad)


def _split(wholes: list[slice], size: int) -> list[slice]:
    return [slice(i, min(i + size, whole.stop)) for whole in wholes for i in range(whole.start, whole.stop, size)]


def _joined(pieces: list[slice]) -> list[slice]:
    """Joins pieces that follow one another."""
    joined: list[slice] = []
    for piece in pieces:
        if joined and joined[-1].stop == piece.start:
            joined[-1] = slice(joined[-1].start, piece.stop)
        else:
            joined.append(piece)
    return joined
