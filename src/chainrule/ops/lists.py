"""Operations of any number of operands, most of which take a list."""

from __future__ import annotations

import math
from math import inf, nan

from chainrule.core.operation import operation
from chainrule.core.packing import at_least_one, bundles, chosen, listed, neuron
from chainrule.errors import OperandError
from chainrule.ops.arithmetic import div
from chainrule.ops.comparisons import eq
from chainrule.ops.exponentials import exp


@operation(local=lambda i, xs, y: 1.0, symbol="Σ", samples=[(1.0, 2.0, -0.5), (4.0,), (1e16, 1.0, -1e16)], pack=listed)
def sum(*xs: float) -> float:
    """The sum of a list, added from left to right; one node however long the list.

    >>> sum([1.0, 2.0, 3.5])
    6.5
    """
    total = 0.0
    for x in xs:
        total += x
    return total


@operation(
    local=lambda i, xs, y: prod(xs[:i]) * prod(xs[i + 1 :]),
    symbol="Π",
    samples=[(1.5, 2.0, -0.5), (4.0,), (0.0, 3.0, 2.0), (0.0, 0.0, 2.0)],
    pack=lambda values: bundles(values, prod),
)
def prod(*xs: float) -> float:
    """The product of a list; its derivatives are products of the others, so they are right where some are 0.

    More than eight numbers are multiplied in bundles of eight, and these products again: each bundle is a node, so that
    a derivative takes eight multiplications a number, however long the list. Of an empty list it is 1.

    >>> prod([2.0, 3.0, 7.0])
    42.0
    """
    if len(xs) == 0:
        return 1.0
    total = xs[0]
    for i in range(1, len(xs)):
        total *= xs[i]
    return total


@operation(
    local=lambda i, xs, y: div(1.0, 1.0 * len(xs)),
    samples=[(1.0, 2.0, -0.5), (4.0,), (1e16, 1.0, -1e16)],
    pack=at_least_one,
)
def mean(*xs: float) -> float:
    """The mean of a list, which is not empty: its sum, added from left to right, by its length.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    total = 0.0
    for x in xs:
        total += x
    return div(total, 1.0 * len(xs))


@operation(
    local=lambda i, xs, y: div(2.0 * (xs[i] - xs[0]), len(xs) - 1.0) if i else 0.0,
    samples=[(1.0, 1.5, 2.0, -0.5), (4.0, 4.0), (0.0, 1e3, -1e3)],
    pack=lambda values: [mean(row := at_least_one(values)), *row],
)
def var(*xs: float) -> float:
    """The variance of a list, Σ (xᵢ - mean)² / n: that of a whole population, as NumPy's `var` is by default.

    Its operands are the mean, a node of its own, and the list. No derivative flows into the mean, since that sum is
    smallest there. For the variance of a sample multiply by n / (n - 1).

    >>> var([1.0, 2.0, 6.0])
    4.666666666666667
    """
    total = 0.0
    for i in range(1, len(xs)):
        total += (xs[i] - xs[0]) * (xs[i] - xs[0])
    return div(total, len(xs) - 1.0)


@operation(
    local=lambda i, xs, y: 1.0 if i == 0 else xs[i + 1] if i % 2 else xs[i - 1],
    symbol="Σ + b",
    samples=[(6.88, -3.0, 2.0, 1.0, 0.0), (0.5,), (0.1, 0.2, 0.3, -0.4, 0.5, 0.6, 0.7)],
    pack=neuron,
)
def weighted_sum(*xs: float) -> float:
    """A neuron's Σ wᵢxᵢ + b as one node; its operands are b, w₁, x₁, w₂, x₂, …

    It is added from left to right, as `b + w₁*x₁ + w₂*x₂ + …` is, so it gives the same bits. (Python's own `sum` of
    floats is compensated from Python 3.12 on, and may differ in the last bits.)

    >>> weighted_sum([-3.0, 1.0], [2.0, 0.0], 6.5)
    0.5
    """
    total = xs[0]
    for i in range(1, len(xs), 2):
        total += xs[i] * xs[i + 1]
    return total


@operation(local=lambda i, xs, y: 2.0 * xs[i], symbol="Σ x²", samples=[(1.0, 2.0, -0.5), (0.0, 3.0)], pack=listed)
def sum_of_squares(*xs: float) -> float:
    """x₁² + x₂² + …, smooth everywhere: a squared distance, right to any order, where `norm(xs)**2` has no slope at 0.

    >>> sum_of_squares([3.0, 4.0])
    25.0
    """
    total = 0.0
    for x in xs:
        total += x * x
    return total


@operation(local=lambda i, xs, y: div(xs[i], y), samples=[(1.0, 2.0, -0.5), (-4.0,), (1e-3, -8.0)], pack=listed)
def norm(*xs: float) -> float:
    """√(x₁² + x₂² + …), without overflow on the way; where all are 0 it has no slope: nan, to every order.

    >>> norm([3.0, 4.0])
    5.0
    """
    return math.hypot(*xs)


@operation(
    local=lambda i, xs, y: exp(xs[i] - y),
    limit=lambda i, xs, y: eq(argmax(xs), 1.0 * i),
    samples=[(1.0, 2.0, -0.5), (4.0,), (-700.0, 700.0)],
    pack=listed,
)
def logsumexp(*xs: float) -> float:
    """log Σ exp(xᵢ), with the largest taken out first so that nothing overflows; its derivatives are the softmax.

    Where it is infinite, its derivatives are the limit: 1 for the first of the largest, 0 for the others.

    >>> logsumexp([1000.0, 1000.0]) == 1000.0 + math.log(2.0)
    True
    """
    if not xs:
        raise OperandError("logsumexp of an empty list: give at least one number")
    ascending = sorted(xs)
    largest = ascending.pop()
    if any(map(math.isnan, xs)) or math.isinf(largest):
        return nan if any(map(math.isnan, xs)) else largest
    return largest + math.log1p(math.fsum([math.exp(x - largest) for x in ascending]))


@operation(
    local=lambda i, xs, y: eq(argmax(xs), 1.0 * i),
    symbol="max",
    samples=[(1.0, 2.0, -0.5), (4.0,), (3.0, 5.0, 4.0)],
    pack=listed,
)
def largest(*xs: float) -> float:
    """The largest of a list as one node (nan if one is nan); its derivative goes to the first of equals.

    >>> largest([2.0, 5.0, 3.0])
    5.0
    """
    y = -inf
    for x in xs:
        y = y if y >= x or math.isnan(y) else x
    return y


@operation(local=None, samples=[(1.0, 2.0, -0.5), (4.0,), (3.0, 5.0, 4.0)], pack=listed)
def argmax(*xs: float) -> float:
    """The place of the largest of a list, the first of equals, counted from 0; no derivative flows.

    If one is nan it is the place behind the last, where `take` finds nan.

    >>> argmax([2.0, 5.0, 5.0])
    1.0
    """
    y = -inf
    place = 0.0
    for i in range(len(xs)):
        if xs[i] > y or math.isnan(xs[i]):
            y = xs[i]
            place = 1.0 * i
    return 1.0 * len(xs) if math.isnan(y) else place


@operation(
    local=lambda i, xs, y: eq(xs[0], i - 1.0) if i else 0.0,
    symbol="[i]",
    samples=[(1.0, -3.0, 2.0, 0.5), (0.0, 4.0)],
    pack=chosen,
)
def take(*xs: float) -> float:
    """The number at a place of a list; its operands are the place and the list. nan for a place that does not exist.

    The place may be a Value, as an integer argument of a compiled function is; no derivative flows into it.

    >>> take([2.0, 3.0, 5.0], 1)
    3.0
    """
    place = xs[0]
    return xs[1 + int(place)] if 0 <= place < len(xs) - 1 and place == math.floor(place) else nan
