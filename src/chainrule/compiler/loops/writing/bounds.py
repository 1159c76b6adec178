"""Bounds: the proof that an address lies within its area of memory.

While native code is written, each whole number that goes into an address is known here as offset + Σ factor · variable.
A variable is what changes while the code runs: the counter of a loop, an entry of a table of indices, the first lane of
a block; of each it is known how small and how large it gets. The range of an address follows by interval arithmetic.
What moves together is related: the iteration of a chain and the place at which its window begins are each anywhere,
but the one is never far from the other.

The range holds for every place of the box that the loops run over, also for those that are masked out afterwards. Where
it is no proof, `addresses` clamps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from llvmlite import ir


class Range(NamedTuple):
    """All whole numbers from `low` to `high`, both included."""

    low: int
    high: int


@dataclass(frozen=True)
class Form:
    """offset + Σ factor · variable, the variables by their numbers."""

    offset: int
    factors: dict[int, int] = field(default_factory=dict)

    def plus(self, other: Form, times: int) -> Form:
        """The sum of this and a multiple of another."""
        factors = dict(self.factors)
        for variable, factor in other.factors.items():
            factors[variable] = factors.get(variable, 0) + times * factor
        return Form(self.offset + times * other.offset, {v: factor for v, factor in factors.items() if factor})


class Bounds:
    """What is known of the whole numbers of a function that is being written.

    >>> known, i, j = Bounds(), object(), object()
    >>> known.variable(i, 0, 9)
    >>> known.variable(j, 0, 4)
    >>> at = object()
    >>> known.total(at, i, j, -2)  # at = i - 2j
    >>> known.range(at)
    Range(low=-8, high=9)
    >>> known.relate(i, j, -1, 0, 9)  # i - j is 0 at least
    >>> known.range(at)
    Range(low=-8, high=9)
    >>> known.total(at, i, j, -1)
    >>> known.range(at)
    Range(low=0, high=9)
    """

    def __init__(self) -> None:
        self._forms: dict[int, tuple[Any, Form]] = {}  # with the number itself, so that its id stays its own
        self._ranges: list[Range] = []
        self._related: list[tuple[int, int, int, Range]] = []

    def variable(self, x: Any, low: int, high: int) -> None:
        """Takes note that a number is from `low` to `high`; if that is none at all, where it stands is never run."""
        self._forms[id(x)] = x, Form(0, {len(self._ranges): 1})
        self._ranges.append(Range(low, max(low, high)))

    def total(self, x: Any, a: Any, b: Any, times: int = 1) -> None:
        """Takes note that a number is a + times · b."""
        first, second = self._form(a), self._form(b)
        if first is not None and second is not None:
            self._forms[id(x)] = x, first.plus(second, times)

    def relate(self, a: Any, b: Any, sign: int, low: int, high: int) -> None:
        """Takes note that a + sign · b is from `low` to `high`, of two variables; a constant has no need of it."""
        found = [self._form(x) for x in (a, b)]
        one, other = [list(form.factors) if form is not None else [] for form in found]
        if len(one) == len(other) == 1:
            self._related.append((one[0], other[0], sign, Range(low, high)))

    def range(self, x: Any) -> Range | None:
        """From where to where a number can be; None if nothing is known of it."""
        form = self._form(x)
        if form is None:
            return None
        plain = self._sum(form.offset, [(factor, self._ranges[v]) for v, factor in form.factors.items()])
        rest, parts = dict(form.factors), []
        for one, other, sign, found in self._related:
            if one in rest and rest.get(other) == sign * rest[one]:
                parts.append((rest.pop(one), found))
                del rest[other]
        related = self._sum(form.offset, parts + [(factor, self._ranges[v]) for v, factor in rest.items()])
        return Range(max(plain.low, related.low), min(plain.high, related.high))

    def _form(self, x: Any) -> Form | None:
        if isinstance(x, int | ir.Constant):
            return Form(x if isinstance(x, int) else x.constant)
        known = self._forms.get(id(x))
        return None if known is None else known[1]

    @staticmethod
    def _sum(offset: int, parts: list[tuple[int, Range]]) -> Range:
        low = offset + sum([min(factor * x.low, factor * x.high) for factor, x in parts])
        return Range(low, offset + sum([max(factor * x.low, factor * x.high) for factor, x in parts]))
