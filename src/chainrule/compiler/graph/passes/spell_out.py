"""Expands variadic operations into simpler ones that loops are made of."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chainrule import ops
from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.graph.passes.rebuild import prune, rebuild
from chainrule.core.operation import Operation


def spell_out(graph: Graph) -> Graph:
    """Expands `logsumexp`, `norm`, `argmax`, `mean`, `var`, `prod`, `sum_of_squares` into operations that loops have.

    logsumexp(xs) becomes m + log Σ exp(x - m), where m is the largest x, or the largest finite number if that is
    infinite; norm a tree of `hypot`, argmax what `place_of_largest` adds, the others what `plain_arithmetic` does.
    Derivatives of a logsumexp, exp(x - logsumexp(xs)), become shares of what it has added up: no power is taken twice.

    >>> from chainrule.compiler.graph.text import from_text, to_text
    >>> print(to_text(spell_out(from_text("%0 = input x\\n%1 = input y\\n%2 = logsumexp %0 %1\\nreturn %2"))))
    %0 = input x
    %1 = input y
    %2 = largest %0 %1
    %3 = constant -1.7976931348623157e+308
    %4 = constant 1.7976931348623157e+308
    %5 = clip %2 %3 %4
    %6 = sub %0 %5
    %7 = exp %6
    %8 = sub %1 %5
    %9 = exp %8
    %10 = sum %7 %9
    %11 = log %10
    %12 = add %5 %11
    return %12
    """
    if _SPELT_OUT.isdisjoint(graph.ops):
        return prune(graph)
    softmaxes: dict[int, _Softmax] = {}
    return rebuild(graph, functools.partial(_spelt_out, softmaxes))


def _spelt_out(softmaxes: dict[int, _Softmax], new: Graph, op: Operation, operands: tuple[int, ...], _: int) -> int:
    if op in PLAIN and operands:
        return plain_arithmetic(new, op, operands)
    if op is ops.norm and operands:
        return _norm(new, list(operands))
    if op is ops.argmax and operands:
        return place_of_largest(new, list(operands), lambda new, xs: new.add(ops.largest, *xs))
    if op is ops.exp and new.ops[operands[0]] is ops.sub:
        x, shift = new.operands[operands[0]]
        if shift in softmaxes and x in softmaxes[shift].powers:
            return softmaxes[shift].of(new, x)
    if op is not ops.logsumexp:
        return new.add(op, *operands)
    most = sys.float_info.max
    shift = new.add(ops.clip, new.add(ops.largest, *operands), new.constant(-most), new.constant(most))
    powers = [new.add(ops.exp, new.add(ops.sub, x, shift)) for x in operands]
    total = new.add(ops.sum, *powers)
    result = new.add(ops.add, shift, new.add(ops.log, total))
    softmaxes[result] = _Softmax(dict(zip(operands, powers, strict=True)), total)
    return result


@dataclass
class _Softmax:
    """What a logsumexp has calculated of exp(x - logsumexp(xs)), which is the softmax of x.

    Attributes:
        powers: for each x the node of exp(x - m), where m is the largest x.
        total: the node of their sum.
        share: the node of 1 / `total`, once it is needed.
    """

    powers: dict[int, int]
    total: int
    share: int | None = None

    def of(self, new: Graph, x: int) -> int:
        """Adds the softmax of x."""
        if self.share is None:
            self.share = new.add(ops.div, new.constant(1.0), self.total)
        return new.add(ops.mul, self.powers[x], self.share)


def place_of_largest(new: Graph, xs: list[int], largest: Callable[[Graph, list[int]], int]) -> int:
    """Adds what `argmax(xs)` is: of n numbers, the one at place i that equals the largest is marked with n - i, and the
    largest mark is that of the first such.

    Args:
        largest: adds the largest of a list.
    """
    n, most = len(xs), largest(new, xs)
    marks = [new.add(ops.mul, new.add(ops.eq, x, most), new.constant(float(n - i))) for i, x in enumerate(xs)]
    return new.add(ops.sub, new.constant(float(n)), largest(new, marks))


PLAIN = {ops.sum_of_squares, ops.mean, ops.var, ops.prod}
"""Operations of a list that are sums and products, to the last bit."""

_SPELT_OUT = {*PLAIN, ops.norm, ops.argmax, ops.logsumexp}


def plain_arithmetic(new: Graph, op: Operation, operands: Sequence[int]) -> int:
    """Adds one of `PLAIN` as sums, products and quotients, and returns its place."""
    if op is ops.prod:
        return functools.reduce(lambda product, x: new.add(ops.mul, product, x), operands)
    if op is ops.mean:
        return new.add(ops.div, new.add(ops.sum, *operands), new.constant(float(len(operands))))
    if op is ops.sum_of_squares:
        return new.add(ops.sum, *[new.add(ops.mul, x, x) for x in operands])
    if len(operands) == 1:  # the variance of nothing, which is nan
        return new.add(op, *operands)
    away = [new.add(ops.sub, x, operands[0]) for x in operands[1:]]
    squares = new.add(ops.sum, *[new.add(ops.mul, x, x) for x in away])
    return new.add(ops.div, squares, new.constant(float(len(away))))


def _norm(new: Graph, xs: list[int]) -> int:
    if len(xs) == 1:
        xs = [*xs, new.constant(0.0)]
    while len(xs) > 1:
        pairs = [new.add(ops.hypot, a, b) for a, b in zip(xs[::2], xs[1::2], strict=False)]
        xs = pairs + xs[2 * len(pairs) :]
    return xs[0]
