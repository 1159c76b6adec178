"""Numbers in any nesting as one vector, as optimisers of other libraries have them, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from chainrule.core.arrays import array_of
from chainrule.core.extras import require
from chainrule.core.operation import number
from chainrule.core.trees import ARRAY, as_argument, formed, kind_of, leaves, rebuilt, unflatten
from chainrule.errors import OperandError, SizeError, shown

np = require("numpy", extra="scipy")


class Nesting:
    """A nesting of numbers.

    Args:
        given: a number, an array, or nested lists, tuples and dicts of these.
        name: what it is called in messages.

    Attributes:
        numbers: the numbers from left to right, float64[n].
        form: a text that is the same for all numbers in this nesting.

    Raises:
        OperandError: there is something else in it, or nothing.

    >>> nesting = Nesting({"a": 1, "b": np.array([2.0, 3.0])}, "x0")
    >>> nesting.numbers, nesting.filled(2 * nesting.numbers)
    (array([1., 2., 3.]), {'a': 2.0, 'b': array([4., 6.])})
    """

    def __init__(self, given: Any, name: str) -> None:
        self.given, self.name = given, name
        found = leaves(given, _is_array)
        parts = [_part(leaf, name) for leaf in found]
        self._shapes = [part.shape for part in parts]
        self._ends = np.cumsum([part.size for part in parts]).tolist()
        self.numbers = vector(parts)
        kinds = unflatten(given, map(type, found), formed, _is_array)
        self.form = repr((type(given), kinds, self._shapes))
        if not len(self.numbers):
            raise OperandError(f"{name} is {shown(given)}, which holds no numbers: there is nothing to find")

    def __len__(self) -> int:
        return len(self.numbers)

    def filled(self, numbers: Any) -> Any:
        """Returns other numbers, float64[n], in this nesting: floats, and arrays in place of arrays."""
        return self._filled(numbers.tolist(), np.float64, rebuilt)

    def with_values(self, values: Iterable[Any]) -> Any:
        """Returns Values in this nesting: in place of arrays there are arrays of objects."""
        return self._filled(list(values), object, as_argument)

    def _filled(self, numbers: list[Any], kind: Any, rebuild: Any) -> Any:
        return unflatten(self.given, self._parts(numbers, kind), rebuild, _is_array)

    def _parts(self, numbers: list[Any], kind: Any) -> Iterator[Any]:
        start = 0
        for shape, end in zip(self._shapes, self._ends, strict=True):
            if shape:
                array = np.empty(end - start, kind)
                for i in range(start, end):  # one by one, as NumPy would look into each Value for a sequence
                    array[i - start] = numbers[i]
                yield array.reshape(shape)
            elif end > start:
                yield numbers[start]
            start = end

    def flat(self, other: Any, name: str) -> Any:
        """Returns the numbers of a nesting like this one, in which one number may stand for all numbers of a branch.

        Raises:
            SizeError: it is another nesting.

        >>> Nesting({"a": 1.0, "b": [2.0, 3.0]}, "x0").flat({"b": 0.0, "a": [5.0]}, "bounds")
        Traceback (most recent call last):
            ...
        chainrule.errors.SizeError: bounds has [5.0] where x0 has 1.0: give it the nesting of x0
        """
        return vector([number(x, name) for x in self.matched(other, name, lambda x: np.ndim(x) == 0)])

    def matched(self, other: Any, name: str, is_leaf: Callable[[Any], bool]) -> list[Any]:
        """Returns for each number what `other` has for it: a leaf for a number, or one for all numbers of a branch.

        Raises:
            SizeError: `other` has another nesting.
        """
        return list(self._matched(self.given, other, name, is_leaf))

    def _matched(self, like: Any, other: Any, name: str, is_leaf: Callable[[Any], bool]) -> Iterator[Any]:
        if not isinstance(other, dict) and is_leaf(other):
            yield from [other] * sum(np.size(leaf) for leaf in leaves(like, _is_array))
            return
        mine = like.tolist() if isinstance(like, np.ndarray) else like
        theirs = other.tolist() if isinstance(other, np.ndarray) else other
        if isinstance(mine, dict) and isinstance(theirs, dict) and mine.keys() == theirs.keys():
            pairs = [(mine[key], theirs[key]) for key in mine]
        elif isinstance(mine, list | tuple) and isinstance(theirs, list | tuple) and len(mine) == len(theirs):
            pairs = list(zip(mine, theirs, strict=True))
        else:
            where = f"{shown(other)} where {self.name} has {shown(mine)}"
            raise SizeError(f"{name} has {where}: give it the nesting of {self.name}")
        for part, own in pairs:
            yield from self._matched(part, own, name, is_leaf)


def vector(tree: Any) -> Any:
    """Returns all numbers of a nesting of numbers and arrays from left to right: float64[n].

    >>> vector({"a": 1.0, "b": [np.ones((1, 2))]})
    array([1., 1., 1.])
    """
    if isinstance(tree, np.ndarray):
        return np.asarray(tree, dtype=np.float64).ravel()
    parts = leaves(tree, _is_array)
    if any(isinstance(part, np.ndarray) for part in parts):
        return np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in parts])
    return np.array(parts, dtype=np.float64)


def _is_array(x: Any) -> bool:
    return kind_of(x) == ARRAY


def _part(leaf: Any, name: str) -> Any:
    if getattr(leaf, "ndim", 0):  # an array, or what can be made one
        if np.ma.is_masked(leaf):
            raise OperandError(f"{name} is an array with masked numbers: give x.filled(…) or x.compressed()")
        array = array_of(leaf) if _is_array(leaf) else np.asarray(leaf)
        if array.dtype.kind in "fiu":
            return array.astype(np.float64)
        return np.array([number(x, name) for x in array.ravel().tolist()], dtype=np.float64).reshape(array.shape)
    return np.float64(number(leaf, name))
