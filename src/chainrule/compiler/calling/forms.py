"""Forms: how the numbers of plain arguments are read, and how derivatives like them, or results, are made of numbers.

A form is for plain floats, ints, lists, tuples, dicts and arrays alone, and looks at all of them each time.

The compiled build has forms.pyx in place of this file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.compiler.calling.arguments import FLOATS, LARGE, Reading


class Form:
    """The numbers of an argument, or of derivatives like it: how they are read, and how it is made of them."""

    def read(self, x: Any, into: Reading) -> bool:
        """Adds the numbers of `x` to `into`; returns False, perhaps midway, if `x` is not of this form."""
        raise NotImplementedError

    def build(self, numbers: np.ndarray, at: int) -> tuple[Any, int]:
        """Returns a new one with the numbers that begin `at` a place, and where they end."""
        raise NotImplementedError


class One(Form):
    """A float."""

    def read(self, x: Any, into: Reading) -> bool:
        if type(x) is not float:
            return False
        into.add((x,))
        return True

    def build(self, numbers: np.ndarray, at: int) -> tuple[Any, int]:
        return float(numbers[at]), at + 1


class Whole(Form):
    """An int, up to the limit `exact` on either side of 0."""

    def __init__(self, exact: int) -> None:
        self.exact = exact

    def read(self, x: Any, into: Reading) -> bool:
        if type(x) is not int or not -self.exact <= x <= self.exact:
            return False
        into.add((float(x),))
        return True


class Floats(Form):
    """A list or tuple of `count` floats."""

    def __init__(self, kind: Any, count: int) -> None:
        self.kind, self.count = kind, count

    def read(self, x: Any, into: Reading) -> bool:
        if type(x) is not self.kind or len(x) != self.count or set(map(type, x)) != FLOATS:
            return False
        into.add(x)
        return True

    def build(self, numbers: np.ndarray, at: int) -> tuple[Any, int]:
        end = at + self.count
        return self.kind(numbers[at:end].tolist()), end


class Parts(Form):
    """A list or tuple of such forms; or a dict, if there are `names`."""

    def __init__(self, kind: Any, parts: Sequence[Form], names: tuple[str, ...] | None = None) -> None:
        self.kind, self.parts, self.names = kind, tuple(parts), names

    def read(self, x: Any, into: Reading) -> bool:
        if type(x) is not self.kind or len(x) != len(self.parts):
            return False
        if self.names is not None and (tuple(x) != self.names or not set(map(type, x)) <= {str}):
            return False
        parts = x if self.names is None else x.values()
        return all(form.read(part, into) for form, part in zip(self.parts, parts, strict=True))

    def build(self, numbers: np.ndarray, at: int) -> tuple[Any, int]:
        made = []
        for form in self.parts:
            part, at = form.build(numbers, at)
            made.append(part)
        return self.kind(made if self.names is None else zip(self.names, made, strict=True)), at


class Cells(Form):
    """A float64 array of one shape, with at least one axis. The derivative by one that is batched has the samples along
    its first or, if `last`, its last axis; that is for plans of batches, which the compiled build alone has."""

    def __init__(self, shape: tuple[int, ...], last: bool = False) -> None:
        self.shape, self.count = shape, math.prod(shape)

    def read(self, x: Any, into: Reading) -> bool:
        if type(x) is not np.ndarray or x.dtype != np.float64 or x.shape != self.shape:
            return False
        into.add_array(np.array(x, dtype=np.float64).ravel() if self.count >= LARGE else x.ravel())
        return True

    def build(self, numbers: np.ndarray, at: int) -> tuple[Any, int]:
        end = at + self.count
        return numbers[at:end].reshape(self.shape), end
