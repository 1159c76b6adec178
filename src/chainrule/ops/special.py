"""The error function, its complement and its inverse, and the normal distribution that is made with them.

Names begin with `norm_`, and go on as those of SciPy's `scipy.stats.norm` do; `norm` alone is the length of a vector.
"""

from __future__ import annotations

import math
from math import inf

from chainrule.core.operation import operation
from chainrule.ops.arithmetic import chain, div
from chainrule.ops.comparisons import abs, clip, lt, select
from chainrule.ops.exponentials import exp, log, log1p, sqrt

_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
_INV_SQRT_PI = 1.0 / math.sqrt(math.pi)
_HALF_SQRT_PI = 0.5 * math.sqrt(math.pi)
_INV_SQRT_2PI = 0.3989422804014327
_HALF_LOG_2PI = 0.9189385332046727
_SQRT_2 = 1.4142135623730951
_SQRT_HALF = 0.7071067811865476
_SQRT_HALF_FRONT = 0.7071067839860916
_SQRT_HALF_BACK = -2.7995440410322203e-09
_SQRT_HALF_REST = -4.833646656726457e-17
_SPLITTER = 134217729.0
"""2²⁷ + 1: this times x, less what is gained by adding x, has the first half of the digits of x (Veltkamp 1968)."""

# ---- the quantile: three pairs of polynomials of algorithm AS 241 (Wichura 1988), highest power first ---------------

_CENTRE = (
    2509.0809287301227,
    33430.57558358813,
    67265.7709270087,
    45921.95393154987,
    13731.69376550946,
    1971.5909503065513,
    133.14166789178438,
    3.3871328727963665,
)
_CENTRE_BELOW = (
    5226.495278852854,
    28729.085735721943,
    39307.89580009271,
    21213.794301586597,
    5394.196021424751,
    687.1870074920579,
    42.31333070160091,
    1.0,
)
_TAIL = (
    0.0007745450142783414,
    0.022723844989269184,
    0.2417807251774506,
    1.2704582524523684,
    3.6478483247632045,
    5.769497221460691,
    4.630337846156546,
    1.4234371107496835,
)
_TAIL_BELOW = (
    1.0507500716444169e-09,
    0.0005475938084995345,
    0.015198666563616457,
    0.14810397642748008,
    0.6897673349851,
    1.6763848301838038,
    2.053191626637759,
    1.0,
)
_FAR = (
    2.0103343992922881e-07,
    2.7115555687434876e-05,
    0.0012426609473880784,
    0.026532189526576124,
    0.29656057182850487,
    1.7848265399172913,
    5.463784911164114,
    6.657904643501103,
)
_FAR_BELOW = (
    2.0442631033899397e-15,
    1.421511758316446e-07,
    1.8463183175100548e-05,
    0.0007868691311456133,
    0.014875361290850615,
    0.1369298809227358,
    0.599832206555888,
    1.0,
)

# ---- the left tail: (-1)ᵏ (2k - 1)!!, for 1 - w + 3w² - 15w³ + … with w = 1/x² (Abramowitz and Stegun, 26.2.12) ------

_MILLS = (
    -13749310575.0,
    654729075.0,
    -34459425.0,
    2027025.0,
    -135135.0,
    10395.0,
    -945.0,
    105.0,
    -15.0,
    3.0,
    -1.0,
)


@operation(local=lambda x, y: _TWO_OVER_SQRT_PI * exp(-x * x), samples=[(-1.0,), (0.0,), (0.7,)])
def erf(x: float) -> float:
    """The error function 2/√π ∫₀ˣ exp(-t²) dt."""
    return math.erf(x)


@operation(local=lambda x, y: -_TWO_OVER_SQRT_PI * exp(-x * x), samples=[(-1.0,), (0.0,), (0.7,), (3.0,)])
def erfc(x: float) -> float:
    """1 - erf(x), exact in the right tail; the normal distribution function is erfc(-x/√2) / 2."""
    return math.erfc(x)


@operation(local=lambda x, y: _HALF_SQRT_PI * exp(y * y), samples=[(-0.9,), (0.0,), (0.3,), (0.99,)])
def erfinv(x: float) -> float:
    """The number whose error function is x, by algorithm AS 241: ±inf at ±1, nan beyond.

    >>> erfinv(0.0), erfinv(-1.0), erfinv(2.0)
    (0.0, -inf, nan)
    """
    return _erfinv(x, 1.0 - math.fabs(x))


def _erfinv(x: float, rest: float) -> float:
    """erfinv(x), where `rest` is 1 - |x|: the quantile of the normal distribution, and a step of Newton's method."""
    a = math.fabs(x)
    if rest == 0:
        return math.copysign(inf, x)
    y = _SQRT_HALF * _quantile(0.5 * a, 0.5 * rest)
    missed = erf(y) - a if a <= 0.85 else rest - erfc(y)
    if rest < 1e-290:
        missed = 0.0  # so near to 1, erfc has lost too many digits
    return math.copysign(y - _HALF_SQRT_PI * chain(missed, exp(y * y)), x)


def _quantile(q: float, tail: float) -> float:
    """The quantile of the normal distribution for the probability 0.5 + q, with q from 0 on, which leaves `tail`."""
    r = 0.180625 - q * q
    above = 0.0
    below = 0.0
    if r >= 0:
        for c in _CENTRE:
            above = above * r + c
        for c in _CENTRE_BELOW:
            below = below * r + c
        return q * above / below
    r = sqrt(-log(tail))
    if r <= 5:
        r = r - 1.6
        for c in _TAIL:
            above = above * r + c
        for c in _TAIL_BELOW:
            below = below * r + c
    else:
        r = r - 5.0
        for c in _FAR:
            above = above * r + c
        for c in _FAR_BELOW:
            below = below * r + c
    return above / below


@operation(local=lambda x, y: chain(y, -x), symbol="φ", samples=[(-2.0,), (0.0,), (0.5,), (3.0,)])
def norm_pdf(x: float) -> float:
    """The density of the normal distribution, exp(-x²/2) / √(2π), to the last digits in its tails too.

    >>> norm_pdf(0.0)
    0.3989422804014327
    """
    x = clip(x, -40.0, 40.0)
    front = _SPLITTER * x - (_SPLITTER * x - x)  # its square is exact
    return _INV_SQRT_2PI * exp(-0.5 * front * front) * exp(-0.5 * (x - front) * (x + front))


@operation(local=lambda x, y: norm_pdf(x), symbol="Φ", samples=[(-2.0,), (0.0,), (0.5,), (3.0,)])
def norm_cdf(x: float) -> float:
    """The normal distribution function, ∫ φ from -∞ to x, as erfc(-x/√2) / 2, to the last digits in its left tail too.

    >>> norm_cdf(0.0), norm_cdf(-inf), norm_cdf(inf)
    (0.5, 0.0, 1.0)
    """
    x = clip(x, -40.0, 40.0)
    z = -_SQRT_HALF * x
    front = _SPLITTER * x - (_SPLITTER * x - x)
    rest = x - front
    lost = (-_SQRT_HALF_FRONT * front - z) - _SQRT_HALF_FRONT * rest - _SQRT_HALF_BACK * front
    lost = lost - _SQRT_HALF_BACK * rest - _SQRT_HALF_REST * x  # what z lacks, which erfc would make large
    return 0.5 * erfc(z) - lost * _INV_SQRT_PI * exp(-z * z)


@operation(
    local=lambda x, y: select(lt(x, -20.0), _mills(x), div(norm_pdf(x), norm_cdf(x))),
    symbol="log Φ",
    samples=[(-30.0,), (-2.0,), (0.0,), (0.5,), (3.0,)],
)
def norm_logcdf(x: float) -> float:
    """log Φ(x), the logarithm of the normal distribution function, also where that is 0 as a float.

    >>> norm_logcdf(-1e10), norm_logcdf(-inf)
    (-5e+19, -inf)
    """
    if x < -20:
        w = div(1.0, x * x)
        tail = 0.0
        for c in _MILLS:
            tail = tail * w + c
        return -0.5 * x * x - (log(-x) + _HALF_LOG_2PI - log1p(w * tail))
    p = norm_cdf(-abs(x))
    return log1p(-p) if x > 0 else log(p)


def _mills(x: float) -> float:
    """φ(x) / Φ(x) far to the left (the inverse of Mills' ratio)."""
    w = div(1.0, x * x)
    tail = 0.0
    for c in _MILLS:
        tail = tail * w + c
    return div(-x, 1.0 + w * tail)


@operation(local=lambda p, y: div(1.0, norm_pdf(y)), symbol="Φ⁻¹", samples=[(0.01,), (0.5,), (0.8,), (0.95,)])
def norm_ppf(p: float) -> float:
    """The quantile of the normal distribution: the x with Φ(x) = p, by algorithm AS 241; nan outside of 0 … 1.

    >>> norm_ppf(0.5), norm_ppf(0.0), norm_ppf(1.0)
    (0.0, -inf, inf)
    """
    return _SQRT_2 * _erfinv(2.0 * (p - 0.5), 2.0 * (p if p < 0.5 else 1.0 - p))
