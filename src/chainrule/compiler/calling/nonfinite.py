"""Which samples of a batch spoil a sum: those with a number that is infinite or nan."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PARTS = 16
"""Into so many pieces those are split that hold a number at fault."""

FIRST = 4
"""If the first so many of them do, all are taken to."""

FEWEST = 64
"""A piece of so few samples is not split."""


def sorted_out(
    samples: int, run: Callable[[slice], T], is_finite: Callable[[T], bool]
) -> tuple[list[tuple[slice, T]], list[slice]]:
    """Splits samples whose sum is not finite into pieces whose sums are, and pieces to be calculated otherwise.

    Args:
        samples: how many there are.
        run: gives the sum of some samples.
        is_finite: whether such a sum is.

    Returns:
        The pieces with a finite sum, and that; and the others. As soon as most pieces are at fault, splitting ends, so
        all samples are run twice at most.

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
    """Pieces in order, with those that follow one another as one."""
    joined: list[slice] = []
    for piece in pieces:
        if joined and joined[-1].stop == piece.start:
            joined[-1] = slice(joined[-1].start, piece.stop)
        else:
            joined.append(piece)
    return joined
