"""The results of a call: the numbers that kernels calculated, and how they are returned in their nesting."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.compiler.calling.layouts import Array, Layout, Leaf
from chainrule.compiler.pipeline import Wanted
from chainrule.core.trees import Form, leaves, parts_of, rebuilt, unflatten

Take = Callable[[int, int], tuple[np.ndarray, bool]]
"""A function that returns the block of a leaf from its place and count, and whether that has an axis of samples."""

FEW = 40
"""Python checks fewer numbers than this more quickly than NumPy does."""


def _finite(x: np.ndarray) -> bool:
    return bool(np.isfinite(x).all())


def _by_sample(like: Any, parts: list[Any]) -> Any:
    """Does what `rebuilt` does for the results of a batch: the samples are the first axis of an array."""
    new = rebuilt(like, parts)
    return np.moveaxis(new, -1, 0) if isinstance(new, np.ndarray) and any(map(np.ndim, parts)) else new


class Found:
    """The numbers that kernels calculated in a call: the results, then the first derivatives of each result, then the
    second ones.

    Args:
        result: the structure of what the function returns, with places instead of numbers.
        shared: float64[numbers]; 0 for numbers that differ from sample to sample.
        rows: float64[numbers that differ from sample to sample, samples]; None if there are no samples.
        own: bool[numbers]; whether a number differs from sample to sample.
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
        """Returns the numbers of the mean over the samples, from these of the sum."""
        assert self.rows is not None
        return Found(self.result, self.shared / samples, self.rows / samples, self.own)

    def value(self) -> Any:
        """Returns the function's result; for a batch, numbers that differ from sample to sample become arrays."""
        if type(self.result) is int:
            return self._one(self.result)
        return unflatten(self.result, map(self._one, leaves(self.result)), rebuilt if self.rows is None else _by_sample)

    def _one(self, at: int) -> Any:
        if self.rows is None or self.own is None or not self.own[at]:
            return float(self.shared[at])
        return self.rows[self._row[at]]

    def block(self, start: int, count: int) -> tuple[np.ndarray, bool]:
        """Returns `count` numbers of one leaf, and whether they differ from sample to sample; then the last axis is
        that of the samples."""
        if self.rows is None or self.own is None or not count or not self.own[start]:
            return self.shared[start : start + count], False
        first = self._row[start]
        return self.rows[first : first + count], True

    def blocks(self, first: int) -> Take:
        """Returns the function `block` with places counted from `first`."""
        return lambda at, count: self.block(first + at, count)


@functools.lru_cache(maxsize=1000)
def own_by_sample(wanted: Wanted, values: int, batched: tuple[int, ...]) -> np.ndarray:
    """Returns for each wanted number of a batch whether it differs from sample to sample: bool[numbers].

    Without `reduce` all numbers do; with it, only derivatives by inputs that differ from sample to sample.

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
    """Returns derivatives in the nesting of the arguments `argnums`.

    Args:
        layout: the layout of the arguments.
        argnums: which of them; for several the result is a tuple.
        take: returns the block of a leaf, and whether that has an axis of samples. It is called with the first place of
            the leaf among all numbers that are differentiated by, and with the count of its numbers.
    """
    return _filled(layout, argnums, lambda leaf, at: leaf.filled(*take(at, leaf.count)))


def _filled(layout: Layout, argnums: int | tuple[int, ...], fill: Callable[[Leaf, int], Any]) -> Any:
    """Returns the nesting of the arguments `argnums`, with what `fill` returns for each leaf and its first place."""
    at = 0
    arguments = []
    for i in (argnums,) if isinstance(argnums, int) else argnums:
        filled = []
        for leaf in leaves(layout.forms[i]):
            filled.append(fill(leaf, at))
            at += leaf.count
        arguments.append(unflatten(layout.forms[i], filled))
    return arguments[0] if isinstance(argnums, int) else tuple(arguments)


def of_each_result(layout: Layout, argnums: int | tuple[int, ...], found: Found, n: int) -> Any:
    """Returns the first derivatives of each result in the nesting of the results, each replaced by a nesting of the
    arguments; those of an array of results are arrays.

    Args:
        layout, argnums: as for `like_arguments`.
        found: the numbers of the call.
        n: the number of numbers that are differentiated by.
    """
    count = len(leaves(found.result))

    def of(result: Any) -> Any:
        if isinstance(result, int):
            return like_arguments(layout, argnums, found.blocks(count + result * n))
        if isinstance(result, Form) and result.like is None and result and all(isinstance(x, int) for x in result):
            return like_arguments(layout, argnums, _stacked([found.blocks(count + i * n) for i in result], result.of))
        return rebuilt(result, [of(part) for part in parts_of(result) or ()])

    return of(found.result)


def _stacked(blocks: Sequence[Take], shape: tuple[int, ...]) -> Take:
    """Returns the function for `like_arguments` that takes the blocks of all numbers of an array at once."""

    def take(at: int, own: int) -> tuple[np.ndarray, bool]:
        parts = [block(at, own) for block in blocks]
        stacked = np.stack([part for part, _ in parts], axis=1)
        return stacked.reshape(own, *shape, *stacked.shape[2:]), any(sampled for _, sampled in parts)

    return take


def twice_like_arguments(layout: Layout, argnums: int | tuple[int, ...], found: Found, first: int, n: int) -> Any:
    """Returns second derivatives in the nesting of the arguments, twice: each number of the outer one is replaced by an
    inner one.

    Args:
        layout, argnums: as for `like_arguments`.
        found: the numbers of the call.
        first: where the second derivatives begin in `found`; those of each first derivative lie together.
        n: the number of numbers that are differentiated by.
    """

    def rows(start: int, count: int) -> list[Any]:
        def row(i: int) -> Any:
            return like_arguments(layout, argnums, found.blocks(first + i * n))

        return [row(i) for i in range(start, start + count)]

    def array(leaf: Array, start: int) -> Any:
        blocks = [found.blocks(first + i * n) for i in range(start, start + leaf.count)]
        return like_arguments(layout, argnums, _stacked(blocks, leaf.shape))

    def both(leaf: Leaf, at: int) -> Any:
        return array(leaf, at) if isinstance(leaf, Array) else leaf.nested(rows(at, leaf.count))

    return _filled(layout, argnums, both)
