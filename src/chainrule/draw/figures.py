"""Formats numbers for pictures: short enough for a box, exact enough to follow a calculation.

Pictures show a few digits; tooltips show `repr`, which loses nothing.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

COLUMNS, EDGE_COLUMNS, SPAN_COLUMNS = 8, 7, 15
"""The room for a number in a box, for one on an edge, and for a span, sign included. It is the same for every number,
so that a picture keeps its layout when its numbers change; one that needs more is set smaller."""

NONE_YET = "none yet"
"""Stands for the gradient of a node that no `backward()` has reached."""

_SMALLEST_FIXED = 1e-3
_LARGEST_FIXED = 1e5


def fixed(number: float) -> str:
    """Four decimals where they are meaningful, otherwise a short scientific form.

    >>> [fixed(number) for number in (2, -0.5, 0.0, 1.5e-7, -3e200, float("nan"), float("-inf"))]
    ['2.0000', '-0.5000', '0.0000', '1.50e-7', '-3.00e200', 'nan', '-inf']
    """
    if not math.isfinite(number):
        return str(float(number))
    if number == 0:
        return "0.0000"  # also for -0.0, whose sign would only confuse; the tooltip shows it
    if _SMALLEST_FIXED <= abs(number) < _LARGEST_FIXED:
        return f"{number:.4f}"
    return _plain_exponent(f"{number:.2e}")


def short(number: float, digits: int = 4) -> str:
    """At most `digits` significant digits, without trailing zeros: the form on edges.

    >>> [short(number) for number in (1.0, -3.0, 0.70710678, 123456.0, 1e-9, float("inf"))]
    ['1', '-3', '0.7071', '1.235e5', '1e-9', 'inf']
    """
    if number == 0:
        return "0"
    return _plain_exponent(f"{number:.{digits}g}")


def _plain_exponent(text: str) -> str:
    mantissa, mark, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else text


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers of one box or edge: the smallest, the largest, how many are nan, and how many are not there yet.

    For a single node, `low` equals `high`. If all numbers are nan, or none is there, both are nan.

    >>> Span.of([1.0, 3.0, 2.0])
    Span(low=1.0, high=3.0, nans=0, missing=0)
    >>> str(Span.of([1.0, 3.0])), str(Span.of([0.5])), str(Span.of([float("nan"), 1.0]))
    ('1 … 3', '0.5000', '1, 1 nan')
    >>> str(Span.of([None])), str(Span.of([None, 1.0, 3.0]))
    ('none yet', '1 … 3, 1 none yet')
    """

    low: float
    high: float
    nans: int = 0
    missing: int = 0

    @classmethod
    def of(cls, numbers: Iterable[float | None]) -> Span:
        """The span of one or more numbers; None stands for one that is not there yet."""
        low, high, nans, missing = math.inf, -math.inf, 0, 0
        for number in numbers:
            if number is None:
                missing += 1
            elif math.isnan(number):
                nans += 1
            else:
                low = min(low, number)
                high = max(high, number)
        return cls(low, high, nans, missing) if low <= high else cls(math.nan, math.nan, nans, missing)

    @property
    def single(self) -> bool:
        """Whether it consists of a single number, or of none."""
        return (self.low == self.high and not self.nans) or math.isnan(self.low)

    def __str__(self) -> str:
        return self._said(fixed, functools.partial(short, digits=3))

    def brief(self) -> str:
        """The form on edges, with as few digits as possible.

        >>> Span.of([1.0]).brief(), Span.of([-1.0, 0.25]).brief()
        ('1', '-1 … 0.25')
        """
        return self._said(short, functools.partial(short, digits=3))

    def narrow(self) -> str:
        """The form in the columns of a terminal.

        >>> Span.of([1.0]).narrow(), Span.of([-1.0, 0.256]).narrow()
        ('1.0000', '-1…0.26')
        """
        return self._said(fixed, functools.partial(short, digits=2)).replace(" … ", "…")

    def exact(self) -> str:
        """The form in tooltips, with every digit.

        >>> Span.of([0.1 + 0.2]).exact(), Span.of([0.0, 1.0]).exact()
        ('0.30000000000000004', '0.0 … 1.0')
        """
        return self._said(repr, repr)

    def _said(self, one: Callable[[float], str], end: Callable[[float], str]) -> str:
        """The number as `one` writes it; or the two ends as `end` does."""
        if self.missing and not self.nans and math.isnan(self.low):
            return NONE_YET
        text = one(self.low) if self.single else self._range(end(self.low), end(self.high))
        return f"{text}, {self.missing:,} {NONE_YET}" if self.missing else text

    def _range(self, low: str, high: str) -> str:
        numbers = low if low == high else f"{low} … {high}"
        return f"{numbers}, {self.nans:,} nan" if self.nans else numbers
