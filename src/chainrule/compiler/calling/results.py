"""What kernels found: the numbers of a call, and how they are given back in the nesting that they belong in."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.compiler.calling.layouts import Array, Layout, Leaf
from chainrule.compiler.pipeline import Wanted
from chainrule.core.trees import leaves, unflatten

FEW = 40
"""So few numbers Python looks at more quickly than NumPy does."""


def _finite(x: np.ndarray) -> bool:
    return bool(np.isfinite(x).all())


class Found:
    """The numbers of a call: results first, then the first derivatives of each of these, then their second ones.

    Args:
        result: the structure of what the function returns, with places in place of numbers.
        shared: float64[numbers]; of those that each sample has its own of, 0.
        rows: float64[those that each sample has its own of, samples]; None if there are no samples.
        own: bool[numbers], which these are.
    """

    def __init__(
        self, result: Any, shared: np.ndarray, rows: np.ndarray | None = None, own: np.ndarray | None = None
    ) -> None:
        self.result, self.shared, self.rows, self.own = result, shared, rows, own
        if own is not None:
            self._row = np.cumsum(own) - 1

    @property
    def finite(self) -> bool:
        """Whether all numbers are finite."""
        shared = all(map(math.isfinite, self.shared.tolist())) if len(self.shared) < FEW else _finite(self.shared)
        return shared and (self.rows is None or _finite(self.rows))

    def divided_by(self, samples: int) -> Found:
        """A mean, of the numbers of a sum."""
        assert self.rows is not None
        return Found(self.result, self.shared / samples, self.rows / samples, self.own)

    def value(self) -> Any:
        """What the function returns; of a batch, with arrays in place of numbers that each sample has its own of."""
        if type(self.result) is int:
            return self._one(self.result)
        return unflatten(self.result, map(self._one, leaves(self.result)))

    def _one(self, at: int) -> Any:
        if self.rows is None or self.own is None or not self.own[at]:
            return float(self.shared[at])
        return self.rows[self._row[at]]

    def block(self, start: int, count: int) -> tuple[np.ndarray, bool]:
        """So many numbers, all of one leaf, and whether each sample has its own; the last axis is then theirs."""
        if self.rows is None or self.own is None or not count or not self.own[start]:
            return self.shared[start : start + count], False
        first = self._row[start]
        return self.rows[first : first + count], True

    def blocks(self, first: int) -> Callable[[int, int], tuple[np.ndarray, bool]]:
        """`block`, counted from a number."""
        return lambda at, count: self.block(first + at, count)


@functools.lru_cache(maxsize=1000)
def own_by_sample(wanted: Wanted, values: int, batched: tuple[int, ...]) -> np.ndarray:
    """For each number that is wanted of a batch whether every sample has its own: bool[numbers].

    Without `reduce` all are; with it, derivatives by what differs from sample to sample.

    >>> own_by_sample(Wanted(1, (0, 2), "sum"), 1, (2,)).tolist()
    [False, False, True]
    """
    if wanted.reduce is None:
        return np.ones(values * sum([len(wanted.wrt) ** order for order in range(wanted.order + 1)]), dtype=bool)
    by = np.isin(wanted.wrt, batched)
    own, latest = [np.zeros(values, dtype=bool)], np.zeros(values, dtype=bool)
    for _ in range(wanted.order):
        latest = (latest[:, None] | by[None, :]).ravel()
        own.append(latest)
    return np.concatenate(own)


# ---- derivatives in the nesting of the arguments ---------------------------------------------------------------------


def like_arguments(layout: Layout, argnums: int | tuple[int, ...], take: Callable[[int, int], Any]) -> Any:
    """Derivatives in the nesting of the arguments `argnums`.

    Args:
        layout: that of the arguments.
        argnums: which of them; for several the result is a tuple.
        take: gives, for the first of a leaf's places among all that is differentiated by and their count, its block
            and whether that is sampled.
    """
    return _filled(layout, argnums, lambda leaf, at: leaf.filled(*take(at, leaf.count)))


def _filled(layout: Layout, argnums: int | tuple[int, ...], fill: Callable[[Leaf, int], Any]) -> Any:
    """The nesting of the arguments `argnums`, with what `fill` gives for each leaf and its first place."""
    at = 0
    arguments = []
    for i in (argnums,) if isinstance(argnums, int) else argnums:
        filled = []
        for leaf in leaves(layout.forms[i]):
            filled.append(fill(leaf, at))
            at += leaf.count
        arguments.append(unflatten(layout.forms[i], filled))
    return arguments[0] if isinstance(argnums, int) else tuple(arguments)


def twice_like_arguments(layout: Layout, argnums: int | tuple[int, ...], found: Found, first: int, n: int) -> Any:
    """Second derivatives in the nesting of the arguments, twice: in place of each number of the outer one, the inner.

    Args:
        layout, argnums: as for `like_arguments`.
        found: the numbers of the call.
        first: where the second derivatives begin in it; they are those of the first derivatives in turn.
        n: how many numbers are differentiated by.
    """

    def rows(start: int, count: int) -> list[Any]:
        def row(i: int) -> Any:
            return like_arguments(layout, argnums, found.blocks(first + i * n))

        return [row(i) for i in range(start, start + count)]

    def array(leaf: Array, start: int) -> Any:
        def take(at: int, own: int) -> tuple[np.ndarray, bool]:
            blocks = [found.block(first + i * n + at, own) for i in range(start, start + leaf.count)]
            sampled = any(one for _, one in blocks)
            stacked = np.stack([block for block, _ in blocks], axis=1)
            return stacked.reshape(own, *leaf.shape, *stacked.shape[2:]), sampled

        return like_arguments(layout, argnums, take)

    def both(leaf: Leaf, at: int) -> Any:
        return array(leaf, at) if isinstance(leaf, Array) else leaf.nested(rows(at, leaf.count))

    return _filled(layout, argnums, both)
