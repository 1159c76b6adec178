"""Bounds: the proof that an address lies within its area of memory.

During code generation each integer that goes into an address is known as an affine form, offset + Σ factor · variable.
A variable is what changes at run time: the counter of a loop, an entry of a table of indices, the first lane of a
block. Each has a known range, and the range of an address follows by interval arithmetic. Variables that move together
are related: the iteration of a recurrence and the place at which its window begins may each be anywhere, but one is
never far from the other.

The range holds for every point of the box that the loops visit, also for points that are masked out afterwards. Where
it is no proof, `addresses` clamps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir


class Range(NamedTuple):
    """The integers from `low` to `high`, both included."""

    low: int
    high: int


class AffineForm(NamedTuple):
    """offset + Σ factor · variable, with variables by number."""

    offset: int
    factors: dict[int, int]

    def plus(self, other: AffineForm, times: int) -> AffineForm:
        """Returns this form plus `times` times another."""
        if not other.factors:
            return AffineForm(self.offset + times * other.offset, self.factors)
        factors = dict(self.factors)
        for variable, factor in other.factors.items():
            factors[variable] = factors.get(variable, 0) + times * factor
        return AffineForm(self.offset + times * other.offset, {v: factor for v, factor in factors.items() if factor})


class Bounds:
    """What is known of the integers of a function that is being generated.

    >>> known, i, j = Bounds(), object(), object()
    >>> known.define_variable(i, 0, 9)
    >>> known.define_variable(j, 0, 4)
    >>> at = object()
    >>> known.define_sum(at, i, j, -2)  # at = i - 2j
    >>> known.range(at)
    Range(low=-8, high=9)
    >>> known.relate(i, j, -1, 0, 9)  # i - j is at least 0
    >>> known.range(at)
    Range(low=-8, high=9)
    >>> known.define_sum(at, i, j, -1)
    >>> known.range(at)
    Range(low=0, high=9)
    """

    def __init__(self) -> None:
        self._forms: dict[int, tuple[Any, AffineForm]] = {}  # holds the value too, so that its id is not reused
        self._ranges: list[Range] = []
        self._related: list[tuple[int, int, int, Range]] = []

    def define_variable(self, x: Any, low: int, high: int) -> None:
        """Notes that an integer is from `low` to `high`; if that range is empty, the code there never runs."""
        self._forms[id(x)] = x, AffineForm(0, {len(self._ranges): 1})
        self._ranges.append(Range(low, max(low, high)))

    def define_sum(self, x: Any, a: Any, b: Any, times: int = 1) -> None:
        """Notes that an integer is a + times · b."""
        first, second = self._form(a), self._form(b)
        if first is not None and second is not None:
            self._forms[id(x)] = x, first.plus(second, times)

    def relate(self, a: Any, b: Any, sign: int, low: int, high: int) -> None:
        """Notes that a + sign · b is from `low` to `high`, for two variables; a constant needs no note."""
        forms = [self._form(x) for x in (a, b)]
        one, other = [list(form.factors) if form is not None else [] for form in forms]
        if len(one) == len(other) == 1:
            self._related.append((one[0], other[0], sign, Range(low, high)))

    def range(self, x: Any) -> Range | None:
        """The range of an integer; None if nothing is known of it."""
        form = self._form(x)
        if form is None:
            return None
        plain = self._sum(form.offset, [(factor, self._ranges[v]) for v, factor in form.factors.items()])
        rest, parts = dict(form.factors), []
        for one, other, sign, offset in self._related:
            if one in rest and rest.get(other) == sign * rest[one]:
                parts.append((rest.pop(one), offset))
                del rest[other]
        if not parts:
            return plain
        related = self._sum(form.offset, parts + [(factor, self._ranges[v]) for v, factor in rest.items()])
        return Range(max(plain.low, related.low), min(plain.high, related.high))

    def _form(self, x: Any) -> AffineForm | None:
        known = self._forms.get(id(x))
        if known is not None:
            return known[1]
        if isinstance(x, int):
            return AffineForm(x, {})
        return AffineForm(x.constant, {}) if isinstance(x, ir.Constant) else None

    @staticmethod
    def _sum(offset: int, parts: list[tuple[int, Range]]) -> Range:
        low = high = offset
        for factor, x in parts:
            a, b = factor * x.low, factor * x.high
            low, high = (low + a, high + b) if factor > 0 else (low + b, high + a)
        return Range(low, high)
