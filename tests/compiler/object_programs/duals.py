"""The reference: forward-mode dual numbers, made for the tests with Python's `math` and nothing of chainrule.

A `Dual` is a number together with its derivative by each input, and with bounds on what rounding may do to both. They
are in units of the rounding: `room` times 2⁻⁵³ is, to first order, how far another right calculation of the number may
be. It grows by the magnitude of what each operation makes or adds, and passes on by the magnitude of the local
derivatives. A derivative may be added up in any order (forward, or backward as chainrule does), so its room is
relative to the sum of the magnitudes of all paths, `sizes`, and not to what they leave when they cancel.

Each comparison notes how near it was to the other answer; see `Watch`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


class Watch:
    """What the calculation since `reset` met.

    Attributes:
        closest: the smallest distance of any comparison to the other answer, in units of the room of both sides.
        operations: how many there were.
        constant_room: the relative room of a plain number: 0 where those are exact, as they are in 64 bits.
        count: how many inputs there are to differentiate by.
    """

    def __init__(self) -> None:
        self.reset(0)

    def reset(self, count: int, constant_room: float = 0.0) -> None:
        self.closest, self.operations, self.constant_room, self.count = math.inf, 0, constant_room, count

    def compared(self, a: Dual, b: Dual) -> None:
        """Notes how far two numbers are from being equal. That a number equals itself is certain, also where it was
        chosen from several, and of inputs everything is."""
        room = a.room + b.room
        if room and a.source != b.source:
            self.closest = min(self.closest, math.fabs(a.value - b.value) / room)


watch = Watch()


class Dual:
    """A number and its derivatives.

    Attributes:
        value: the number.
        room: how far it may be off, in units of the rounding.
        slopes: its derivative by each input; empty if it depends on none.
        sizes: for each of these the sum of the magnitudes of everything that was added for it.
        rooms: for each of these how far it may be off.
        source: the number that this one was chosen as, itself, or a plain number.
    """

    __slots__ = ("room", "rooms", "sizes", "slopes", "source", "value")
    __hash__ = object.__hash__

    def __init__(self, value: float, room: float = 0.0) -> None:
        self.value, self.room = value, room
        self.source: Any = self
        self.slopes: list[float] = []
        self.sizes: list[float] = []
        self.rooms: list[float] = []

    @classmethod
    def input(cls, value: float, place: int, room: float = 0.0) -> Dual:
        """Input number `place`."""
        made = cls(value, room)
        made.slopes = [float(k == place) for k in range(watch.count)]
        made.sizes, made.rooms = list(made.slopes), [0.0] * watch.count
        return made

    def __add__(self, other: Any) -> Dual:
        return total([self, other])

    __radd__ = __add__

    def __sub__(self, other: Any) -> Dual:
        return total([self, -lifted(other)])

    def __rsub__(self, other: Any) -> Dual:
        return total([-self, other])

    def __neg__(self) -> Dual:
        return made(-self.value, 0.0, [(self, -1.0, 0.0)])

    def __mul__(self, other: Any) -> Dual:
        other = lifted(other)
        value = self.value * other.value
        return made(value, math.fabs(value), [(self, other.value, other.room), (other, self.value, self.room)])

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Dual:
        other = lifted(other)
        b, value = other.value, self.value / other.value
        room = (self.room + math.fabs(value) * other.room) / math.fabs(b) + math.fabs(value)
        by_b = (room + math.fabs(value / b) * other.room) / math.fabs(b)
        by_a = other.room / (b * b) + 1.0 / math.fabs(b)
        return made(value, math.fabs(value), [(self, 1.0 / b, by_a), (other, -value / b, by_b + math.fabs(value / b))])

    def __rtruediv__(self, other: Any) -> Dual:
        return lifted(other) / self

    def __pow__(self, exponent: float) -> Dual:
        """A constant power: of any number to a whole one, of a positive number to any."""
        x, n = self.value, exponent
        curve = n * (n - 1.0) * math.pow(x, n - 2.0) if n not in (0, 1) else 0.0
        return unary(self, math.pow(x, n), n * math.pow(x, n - 1.0), curve)

    def __abs__(self) -> Dual:
        return absolute(self)

    def __lt__(self, other: Any) -> bool:
        return compared(self, other)[0] < compared(self, other)[1]

    def __le__(self, other: Any) -> bool:
        return compared(self, other)[0] <= compared(self, other)[1]

    def __gt__(self, other: Any) -> bool:
        return compared(self, other)[0] > compared(self, other)[1]

    def __ge__(self, other: Any) -> bool:
        return compared(self, other)[0] >= compared(self, other)[1]

    def __repr__(self) -> str:
        return f"Dual({self.value!r}, {self.slopes!r})"


def lifted(x: Any) -> Dual:
    """A plain number as a Dual."""
    if isinstance(x, Dual):
        return x
    found = Dual(float(x), math.fabs(x) * watch.constant_room)
    found.source = found.value
    return found


def compared(a: Any, b: Any) -> tuple[float, float]:
    a, b = lifted(a), lifted(b)
    watch.compared(a, b)
    return a.value, b.value


Part = tuple[Dual, float, float]
"""An operand, the derivative by it, and how far that may be off for other reasons than the rounding of a product."""


def made(value: float, rounding: float, parts: Sequence[Part]) -> Dual:
    """The result of an operation: the chain rule, and the same for the bounds."""
    watch.operations += 1
    found = Dual(value, rounding)
    for operand, slope, room in parts:
        size = math.fabs(slope)
        found.room += size * operand.room
        if not operand.slopes:
            continue
        extra = 2.0 * size + room
        if not found.slopes:
            found.slopes = [slope * x for x in operand.slopes]
            found.sizes = [size * x for x in operand.sizes]
            found.rooms = [size * x + extra * y for x, y in zip(operand.rooms, operand.sizes, strict=True)]
        else:
            found.slopes = [z + slope * x for z, x in zip(found.slopes, operand.slopes, strict=True)]
            found.sizes = [z + size * x for z, x in zip(found.sizes, operand.sizes, strict=True)]
            rooms = zip(found.rooms, operand.rooms, operand.sizes, strict=True)
            found.rooms = [z + size * x + extra * y for z, x, y in rooms]
    return found


def unary(x: Dual, value: float, slope: float, curve: float, slope_room: float | None = None) -> Dual:
    """A function of one number.

    Args:
        x: the operand.
        value, slope, curve: the function and its first two derivatives there.
        slope_room: how far the slope may be off by itself; relative to it, if not given.
    """
    own = math.fabs(slope) if slope_room is None else slope_room
    return made(value, math.fabs(value), [(x, slope, math.fabs(curve) * x.room + own)])


def total(terms: Sequence[Any]) -> Dual:
    """The sum of some numbers, in whatever order."""
    found = [lifted(x) for x in terms]
    value, added = 0.0, 0.0
    for x in found:
        value += x.value
        added += math.fabs(x.value)
    return made(value, added, [(x, 1.0, 0.0) for x in found])


def absolute(x: Any) -> Dual:
    x = lifted(x)
    a, zero = compared(x, 0.0)
    return made(math.fabs(a), 0.0, [(x, float(a > zero) - float(a < zero), 0.0)])


def chosen(x: Any) -> Dual:
    """A number itself, as one of several that it was taken from."""
    x = lifted(x)
    found = made(x.value, 0.0, [(x, 1.0, 0.0)])
    found.source = x.source
    return found
