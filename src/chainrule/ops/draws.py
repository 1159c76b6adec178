"""Random numbers as pure functions of whole numbers, which is what `chainrule.random` makes its draws of."""

from __future__ import annotations

import math
from math import nan

from chainrule.core.operation import operation

_END = 2.0**53
_WORD = 2**32 - 1
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85

Words = tuple[int, int, int, int]


@operation(local=None, samples=[(3.0,), (0.5,), (-1.0,)])
def whole(x: float) -> float:
    """1 where x is a whole number from 0 to 2⁵³ - 1, which may count a draw, else 0."""
    return 1.0 if 0.0 <= x < _END and math.floor(x) == x else 0.0


@operation(local=[None, None, None], symbol="U", samples=[(7.0, 0.0, 3.0), (0.0, 12.0, 1.0)])
def philox(key: float, i: float, j: float) -> float:
    """A uniform random number between 0 and 1, drawn by Philox4x32-10 for a key and two counters, all whole; else nan.

    The counter of Philox is i in two words of 32 bits, the low one first, then j; the key is in two words, too. Of the
    first two words that come out, k is the first 52 bits; the number is (k + ½) / 2⁵², never 0 or 1. See Salmon,
    Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011.

    >>> philox(0.0, 0.0, 0.0) == ((0x6627E8D5E169C58D >> 12) + 0.5) / 2**52
    True
    """
    if not (whole(key) and whole(i) and whole(j)):
        return nan
    first, second, *_ = philox4x32((*words(i), *words(j)), words(key))
    return ((first << 20 | second >> 12) + 0.5) / 2**52


def words(x: float) -> tuple[int, int]:
    """Returns a whole number as two words of 32 bits, the low one first."""
    return int(x) & _WORD, int(x) >> 32


def philox4x32(counter: Words, key: tuple[int, int]) -> Words:
    """Returns the four random words of 32 bits that ten rounds of Philox make of a counter and a key."""
    (a, b, c, d), (k, m) = counter, key
    for _ in range(10):
        first, second = _MULTIPLIERS[0] * a, _MULTIPLIERS[1] * c
        a, b, c, d = second >> 32 ^ b ^ k, second & _WORD, first >> 32 ^ d ^ m, first & _WORD
        k, m = k + _WEYL[0] & _WORD, m + _WEYL[1] & _WORD
    return a, b, c, d
