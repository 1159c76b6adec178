"""The table of operations: each operation of chainrule stands here, once, and nowhere else.

An entry is a function on plain floats (the value), decorated with its local derivatives. A local derivative gets the
operands and the result y, and is written with `+ - *` and the table's own functions; so the same line runs on floats,
on Values (giving higher derivatives) and on the symbols of the compiler. Two rules keep it exact:

- **IEEE arithmetic.** No entry raises on a real number: 1/0 is inf, log(-1) is nan. Python's `/`, `**` and `math`
  functions raise or turn complex there, so formulas say `div`, `pow`, `exp`.
- **No `if` in a local derivative.** Comparisons and `select` are operations too.

At a kink the convention is: relu'(0) = 0, abs'(0) = 0, and ties of max, min, clip and largest go to the first operand.
"""

from __future__ import annotations

import math
from math import inf, nan

from chainrule.core.operation import TABLE, ieee, operation
from chainrule.core.packing import chosen, listed, neuron
from chainrule.errors import OperandError

# ---- arithmetic ----------------------------------------------------------------------------------------------------


@operation(local=[lambda a, b, y: 1.0, lambda a, b, y: 1.0], symbol="+", samples=[(2.0, -3.0), (0.5, 0.25)])
def add(a: float, b: float) -> float:
    """a + b. Either operand passes the upstream gradient on unchanged."""
    return a + b


@operation(local=[lambda a, b, y: 1.0, lambda a, b, y: -1.0], symbol="-", samples=[(2.0, -3.0), (0.5, 0.25)])
def sub(a: float, b: float) -> float:
    """a - b."""
    return a - b


@operation(local=[lambda a, b, y: b, lambda a, b, y: a], symbol="*", samples=[(2.0, -3.0), (0.5, 0.25)])
def mul(a: float, b: float) -> float:
    """a · b. Each operand's local derivative is the other operand."""
    return a * b


@operation(
    local=[lambda a, b, y: div(1.0, b), lambda a, b, y: div(-y, b)],
    symbol="/",
    samples=[(2.0, -3.0), (0.5, 0.25), (-1e3, 7.0)],
)
def div(a: float, b: float) -> float:
    """a / b, where a / 0 is ±inf and 0 / 0 is nan."""
    try:
        return a / b
    except ZeroDivisionError:
        return nan if a == 0 or math.isnan(a) else math.copysign(inf, a) * math.copysign(1.0, b)


@operation(local=lambda x, y: -1.0, symbol="-", samples=[(2.0,), (-0.5,)])
def neg(x: float) -> float:
    """-x."""
    return -x


@operation(
    local=[
        lambda a, b, y: chain(b, pow(a, b - 1.0)),
        lambda a, b, y: select(eq(a, 0.0) * ge(b, 0.0), 0.0, chain(y, log(a))),
    ],
    symbol="**",
    samples=[(2.0, 3.0), (0.5, -1.5), (3.0, 0.5), (7.0, 2.0)],
)
def pow(a: float, b: float) -> float:
    """a to the power b: 0 ** -1 is inf, a negative number to a fraction is nan, and x ** 0 is 1 for every x.

    In the exponent, 0 ** b is taken as the constant 0 that it is for b > 0, also at b = 0.
    """
    try:
        return math.pow(a, b)
    except OverflowError:
        return -inf if a < 0 and b % 2 == 1 else inf
    except ValueError:
        if a != 0:
            return nan
        return math.copysign(inf, a) if b % 2 == 1 else inf


@operation(local=lambda x, y: 1.0, symbol="=", samples=[(2.0,), (-0.5,)])
def identity(x: float) -> float:
    """x itself, as a node of its own."""
    return x


@operation(local=None, symbol="⊥", samples=[(2.0,), (-0.5,)])
def stop_gradient(x: float) -> float:
    """x itself, but a constant to derivatives: none flows through it."""
    return x


@operation(local=[lambda a, b, y: b, lambda a, b, y: a], symbol="·", samples=[(2.0, -3.0), (0.5, 0.25)])
def chain(upstream: float, local: float) -> float:
    """The chain rule's own product, upstream · local; a zero on either side deposits nothing: 0 · inf is 0."""
    return upstream * local if upstream != 0 and local != 0 else 0.0


# ---- exponentials and roots ----------------------------------------------------------------------------------------


@operation(local=lambda x, y: y, samples=[(-2.0,), (0.0,), (1.5,)])
def exp(x: float) -> float:
    """e to the x, inf from about 709.8 on.

    >>> exp(0.0), exp(1000.0)
    (1.0, inf)
    """
    return ieee(math.exp, x)


@operation(local=lambda x, y: exp(x), samples=[(-2.0,), (1e-9,), (1.5,)])
def expm1(x: float) -> float:
    """exp(x) - 1, exact near 0."""
    return ieee(math.expm1, x)


@operation(local=lambda x, y: div(1.0, x), samples=[(0.1,), (1.0,), (50.0,)])
def log(x: float) -> float:
    """The natural logarithm: log(0) is -inf, log of a negative number nan."""
    return -inf if x == 0 else ieee(math.log, x)


@operation(local=lambda x, y: div(1.0, 1.0 + x), samples=[(-0.5,), (1e-9,), (50.0,)])
def log1p(x: float) -> float:
    """log(1 + x), exact near 0."""
    return -inf if x == -1 else ieee(math.log1p, x)


@operation(local=lambda x, y: div(0.5, y), symbol="√", samples=[(0.1,), (1.0,), (50.0,)])
def sqrt(x: float) -> float:
    """The square root; nan for a negative number. Its slope at 0 is inf."""
    return ieee(math.sqrt, x)


@operation(
    local=[lambda a, b, y: div(a, y), lambda a, b, y: div(b, y)], samples=[(3.0, 4.0), (-0.5, 0.2), (1e-3, -8.0)]
)
def hypot(a: float, b: float) -> float:
    """√(a² + b²), without overflow on the way; at (0, 0) it has no slope: nan, to every order."""
    return math.hypot(a, b)


# ---- trigonometry --------------------------------------------------------------------------------------------------


@operation(local=lambda x, y: cos(x), samples=[(-2.0,), (0.0,), (1.5,)])
def sin(x: float) -> float:
    """The sine of x in radians."""
    return ieee(math.sin, x)


@operation(local=lambda x, y: -sin(x), samples=[(-2.0,), (0.0,), (1.5,)])
def cos(x: float) -> float:
    """The cosine of x in radians."""
    return ieee(math.cos, x)


@operation(local=lambda x, y: 1.0 + y * y, samples=[(-1.0,), (0.0,), (1.2,)])
def tan(x: float) -> float:
    """The tangent of x in radians."""
    return ieee(math.tan, x)


@operation(local=lambda x, y: div(1.0, 1.0 + x * x), samples=[(-2.0,), (0.0,), (30.0,)])
def atan(x: float) -> float:
    """The angle in radians whose tangent is x."""
    return math.atan(x)


@operation(
    local=[
        lambda a, b, y: div(div(b, hypot(a, b)), hypot(a, b)),
        lambda a, b, y: div(div(-a, hypot(a, b)), hypot(a, b)),
    ],
    samples=[(1.0, 2.0), (-3.0, 0.5), (0.2, -4.0)],
)
def atan2(a: float, b: float) -> float:
    """The angle in radians of the point with ordinate a and abscissa b, in -π … π."""
    return math.atan2(a, b)


# ---- activations and other special functions -----------------------------------------------------------------------


@operation(local=lambda x, y: 1.0 - y * y, samples=[(-2.0,), (0.0,), (0.8814,), (3.0,)])
def tanh(x: float) -> float:
    """The hyperbolic tangent, from -1 to 1; its derivative is off by 2⁻⁵¹ at most, and 0 where |x| is above 19.1."""
    return math.tanh(x)


@operation(local=lambda x, y: y * sigmoid(-x), symbol="σ", samples=[(-2.0,), (0.0,), (3.0,)])
def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), written so that neither tail overflows; 1 - σ(x) is σ(-x), which does not cancel."""
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    return math.exp(x) / (1.0 + math.exp(x))


@operation(local=lambda x, y: sigmoid(x), samples=[(-2.0,), (0.0,), (3.0,)])
def softplus(x: float) -> float:
    """log(1 + exp(x)), the smooth relu, written so that neither tail overflows."""
    return max(x, 0.0) + log1p(exp(-abs(x)))


@operation(local=lambda x, y: gt(x, 0.0), symbol="ReLU", samples=[(-2.0,), (0.5,), (3.0,)])
def relu(x: float) -> float:
    """x where it is positive, else 0; the slope at 0 is 0.

    >>> relu(-2.0), relu(3.0)
    (0.0, 3.0)
    """
    return 0.0 if x <= 0 else x


@operation(
    local=[lambda x, slope, y: select(gt(x, 0.0), 1.0, slope), lambda x, slope, y: select(gt(x, 0.0), 0.0, x)],
    samples=[(-2.0, 0.01), (0.5, 0.01), (-3.0, 0.2)],
)
def leaky_relu(x: float, slope: float = 0.01) -> float:
    """x where it is positive, else slope · x; at 0 the slope is that of the left side."""
    return x if x > 0 else slope * x


@operation(
    local=lambda x, y: 0.5 * erfc(-x * _SQRT_HALF) + chain(_INV_SQRT_2PI * exp(-0.5 * x * x), x),
    samples=[(-2.0,), (0.0,), (0.5,), (3.0,)],
)
def gelu(x: float) -> float:
    """x · Φ(x) with Φ the normal distribution function (Hendrycks and Gimpel 2016, the exact form)."""
    return chain(0.5 * erfc(-x * _SQRT_HALF), x)


@operation(local=lambda x, y: _TWO_OVER_SQRT_PI * exp(-x * x), samples=[(-1.0,), (0.0,), (0.7,)])
def erf(x: float) -> float:
    """The error function 2/√π ∫₀ˣ exp(-t²) dt."""
    return math.erf(x)


@operation(local=lambda x, y: -_TWO_OVER_SQRT_PI * exp(-x * x), samples=[(-1.0,), (0.0,), (0.7,), (3.0,)])
def erfc(x: float) -> float:
    """1 - erf(x), exact in the right tail; the normal distribution function is erfc(-x/√2) / 2."""
    return math.erfc(x)


_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
_SQRT_HALF = math.sqrt(0.5)
_INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)

# ---- pieces: comparisons, and operations with a kink ---------------------------------------------------------------


@operation(local=[None, None], symbol="<", samples=[(1.0, 2.0), (2.0, 1.0)])
def lt(a: float, b: float) -> float:
    """1 where a < b, else 0."""
    return 1.0 if a < b else 0.0


@operation(local=[None, None], symbol="≤", samples=[(1.0, 2.0), (2.0, 1.0)])
def le(a: float, b: float) -> float:
    """1 where a ≤ b, else 0."""
    return 1.0 if a <= b else 0.0


@operation(local=[None, None], symbol=">", samples=[(1.0, 2.0), (2.0, 1.0)])
def gt(a: float, b: float) -> float:
    """1 where a > b, else 0."""
    return 1.0 if a > b else 0.0


@operation(local=[None, None], symbol="≥", samples=[(1.0, 2.0), (2.0, 1.0)])
def ge(a: float, b: float) -> float:
    """1 where a ≥ b, else 0."""
    return 1.0 if a >= b else 0.0


@operation(local=[None, None], symbol="==", samples=[(1.0, 2.0), (2.0, 1.0)])
def eq(a: float, b: float) -> float:
    """1 where a equals b, else 0."""
    return 1.0 if a == b else 0.0


@operation(local=[None, None], symbol="≠", samples=[(1.0, 2.0), (2.0, 1.0)])
def ne(a: float, b: float) -> float:
    """1 where a differs from b, else 0."""
    return 1.0 if a != b else 0.0


@operation(
    local=[None, lambda c, a, b, y: ne(c, 0.0), lambda c, a, b, y: eq(c, 0.0)],
    symbol="?:",
    samples=[(1.0, 2.0, -3.0), (0.0, 2.0, -3.0)],
)
def select(condition: float, a: float, b: float) -> float:
    """a if the condition is not zero, else b: the `if` that can be differentiated.

    >>> select(3.0 > 2.0, 10.0, 20.0)
    10.0
    """
    return a if condition else b


@operation(local=lambda x, y: gt(x, 0.0) - lt(x, 0.0), symbol="|x|", samples=[(-2.0,), (3.0,)])
def abs(x: float) -> float:
    """The absolute value; its slope at 0 is 0."""
    return math.fabs(x)


@operation(local=[lambda a, b, y: ge(a, b), lambda a, b, y: lt(a, b)], samples=[(1.0, 2.0), (2.0, 1.0), (-3.0, -4.0)])
def max(a: float, b: float) -> float:
    """The larger of two; nan if either is nan. For a list, Python's own max(values) works on Values."""
    return nan if math.isnan(a) or math.isnan(b) else a if a >= b else b


@operation(local=[lambda a, b, y: le(a, b), lambda a, b, y: gt(a, b)], samples=[(1.0, 2.0), (2.0, 1.0), (-3.0, -4.0)])
def min(a: float, b: float) -> float:
    """The smaller of two; nan if either is nan. For a list, Python's own min(values) works on Values."""
    return nan if math.isnan(a) or math.isnan(b) else a if a <= b else b


@operation(
    local=[
        lambda x, low, high, y: ge(x, low) * le(x, high),
        lambda x, low, high, y: lt(x, low) * le(low, high),
        lambda x, low, high, y: gt(max(x, low), high),
    ],
    samples=[(0.5, 0.0, 1.0), (-2.0, 0.0, 1.0), (3.0, 0.0, 1.0)],
)
def clip(x: float, low: float, high: float) -> float:
    """x held between low and high: min(max(x, low), high)."""
    return min(max(x, low), high)


# ---- operations with any number of operands ------------------------------------------------------------------------


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
    local=lambda i, xs, y: 1.0 if i == 0 else xs[i + 1] if i % 2 else xs[i - 1],
    symbol="Σ + b",
    samples=[(6.88, -3.0, 2.0, 1.0, 0.0), (0.5,), (0.1, 0.2, 0.3, -0.4, 0.5, 0.6, 0.7)],
    pack=neuron,
)
def weighted_sum(*xs: float) -> float:
    """A neuron's Σ wᵢxᵢ + b as one node; its operands are b, w₁, x₁, w₂, x₂, …

    Added in the order of `sum((w*x for w, x in zip(weights, inputs)), b)`, so it gives the same bits.

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
    limit=lambda i, xs, y: eq(xs[i], y) * lt(largest(xs[:i]), y) if i else eq(xs[0], y),
    samples=[(1.0, 2.0, -0.5), (4.0,), (-700.0, 700.0)],
    pack=listed,
)
def logsumexp(*xs: float) -> float:
    """log Σ exp(xᵢ), with the largest taken out first so that nothing overflows; its derivatives are the softmax.

    Where it is infinite, that is the limit: 1 for the first of the largest, 0 for the others.

    >>> logsumexp([1000.0, 1000.0]) == 1000.0 + log(2.0)
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
    local=lambda i, xs, y: eq(xs[i], y) * lt(largest(xs[:i]), y) if i else eq(xs[0], y),
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


__all__ = list(TABLE)
