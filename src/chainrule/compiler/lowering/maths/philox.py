"""Philox4x32-10: random words of 32 bits as a function of a counter and a key, in lanes of 64 bits."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic
from chainrule.compiler.lowering.maths.pieces import at_most, bits, in_double, number

MULTIPLIERS, WEYL = (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)
ROUNDS, WORD, END = 10, 2**32 - 1, 2.0**53
UNIT = 2.0**52
"""From here on, the last bit of a float is its unit: x + UNIT has the whole number x in its last bits."""


def philox(e: Arithmetic, key: ir.Value, i: ir.Value, j: ir.Value) -> ir.Value:
    """A number between 0 and 1 for a key and two counters; nan where one of these is not whole, or not in range."""

    def body(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
        y = in_double(e, _drawn, xs)
        return y if e.bits == 64 else at_most(e, y, 1.0 - 2.0**-24)  # it may have been rounded to 1

    return e.call("philox", body, [key, i, j])


def _drawn(e: Arithmetic, xs: Sequence[ir.Value]) -> ir.Value:
    (k, m), (a, b), (c, d) = [_words(e, x) for x in xs]
    first, second = _random(e, [a, b, c, d], [k, m])
    n = e.builder.or_(e.builder.shl(first, e.whole(20)), e.builder.lshr(second, e.whole(12)))
    n = e.builder.or_(n, bits(e, e.constant(UNIT)))
    y = e.mul(e.add(e.sub(number(e, n), e.constant(UNIT)), e.constant(0.5)), e.constant(1 / UNIT))
    for x in xs:
        y = e.where(_is_whole(e, x), y, e.constant(math.nan))
    return y


def _is_whole(e: Arithmetic, x: ir.Value) -> ir.Value:
    """Whether x is a whole number from 0 to 2⁵³ - 1."""
    inside = e.builder.and_(e.compare(">=", x, e.constant(0.0)), e.compare("<", x, e.constant(END)))
    return e.builder.and_(inside, e.compare("==", e.floor(x), x))


def _words(e: Arithmetic, x: ir.Value) -> list[ir.Value]:
    """The low and the high 32 bits of a whole number."""
    high = e.floor(e.mul(x, e.constant(2.0**-32)))
    low = e.sub(x, e.mul(high, e.constant(2.0**32)))
    return [e.builder.and_(bits(e, e.add(part, e.constant(UNIT))), e.whole(WORD)) for part in (low, high)]


def _random(e: Arithmetic, counter: list[ir.Value], key: list[ir.Value]) -> tuple[ir.Value, ir.Value]:
    """The first two of the four words that come out."""
    builder, word, half = e.builder, e.whole(WORD), e.whole(32)
    (a, b, c, d), (k, m) = counter, key
    for _ in range(ROUNDS):
        first, second = [builder.mul(x, e.whole(f)) for x, f in zip((a, c), MULTIPLIERS, strict=True)]
        high = [builder.lshr(product, half) for product in (second, first)]
        a, c = [builder.xor(builder.xor(x, y), z) for x, y, z in zip(high, (b, d), (k, m), strict=True)]
        b, d = builder.and_(second, word), builder.and_(first, word)
        k, m = [builder.and_(builder.add(x, e.whole(w)), word) for x, w in zip((k, m), WEYL, strict=True)]
    return a, b
