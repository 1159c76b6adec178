"""The logarithm of the gamma function, and its derivatives: digamma and polygamma.

Near 1 and 2, and near the zero of digamma, these are a polynomial times the factors that vanish there, so that no digit
is lost. The polynomials are those of Chebyshev's points that `mpmath.chebyfit` gives. Larger numbers are brought there
by the recurrence Γ(x + 1) = x Γ(x); from 10 on Stirling's series holds (Abramowitz and Stegun 1964, 6.1.41, 6.3.18),
and below 0 the reflection formula (6.1.17, 6.3.7). The polygamma functions are Hurwitz's zeta function, which is summed
by the formula of Euler and Maclaurin (Johansson 2015, https://arxiv.org/abs/1309.2877).
"""

from __future__ import annotations

import math
from math import inf, nan, pi

from chainrule.core.operation import operation
from chainrule.ops.arithmetic import div
from chainrule.ops.comparisons import abs
from chainrule.ops.exponentials import exp, expm1, log, pow
from chainrule.ops.rounding import floor, round
from chainrule.ops.trigonometry import sin, tan

_HALF_LOG_2PI_E = 0.41893853320467267  # less a half
_ROOT = 1.4616321449683622
_ROOT_REST = 9.549995429965697e-17

# lgamma(1.75 + t) / ((0.75 + t)·(t - 0.25)), |t| < 0.75, to 2⁻⁵⁹; highest power first, as all that follow
_LOG_GAMMA = (
    2.915020840600158e-08,
    -5.271069691352568e-08,
    -1.5258602053637756e-08,
    2.71885747144867e-08,
    1.3833778748324786e-07,
    -2.514796629915524e-07,
    2.7329252368665147e-07,
    -5.013249838452059e-07,
    1.0402308562055134e-06,
    -1.9132461879841067e-06,
    3.4764841281870834e-06,
    -6.432318239552401e-06,
    1.195718295249812e-05,
    -2.2282559008298975e-05,
    4.170409808958023e-05,
    -7.84615612837167e-05,
    0.0001485169172330309,
    -0.000283190642428413,
    0.0005448969798010082,
    -0.0010605660740508067,
    0.0020955338803511515,
    -0.004226194125963237,
    0.00877637042524953,
    -0.019053957830246777,
    0.044520447198509686,
    -0.11948158662524275,
    0.4501393121092563,
)

# digamma(1.5 + t) / (1.5 + t - root), |t| < 0.5, to 2⁻⁵⁸
_PSI = (
    0.00011881232908510335,
    -0.0001782188548855923,
    9.653646261410062e-05,
    -0.00014480643368061614,
    0.00032395945401345196,
    -0.00048595039220036254,
    0.0006909255761282986,
    -0.0010364584817312839,
    0.0015633696313653504,
    -0.0023454947397380833,
    0.003518106563802472,
    -0.005279937255532708,
    0.007927021796868154,
    -0.011908220105959716,
    0.017907248317313294,
    -0.026975796659787055,
    0.040760833940846085,
    -0.06192213327548831,
    0.09498872445289039,
    -0.14840492305388092,
    0.24054248424078697,
    -0.4236274212814606,
    0.9510558760318328,
)

# B₂ₖ / (2k·(2k - 1)) of Bernoulli's numbers, for Stirling's series
_STIRLING = (
    -0.029550653594771242,
    0.00641025641025641,
    -0.0019175269175269176,
    0.0008417508417508417,
    -0.0005952380952380953,
    0.0007936507936507937,
    -0.002777777777777778,
    0.08333333333333333,
)

# B₂ₖ / 2k, for its derivative
_PSI_TAIL = (
    -0.4432598039215686,
    0.08333333333333333,
    -0.021092796092796094,
    0.007575757575757576,
    -0.004166666666666667,
    0.003968253968253968,
    -0.008333333333333333,
    0.08333333333333333,
)

# B₂ₖ / (2k)!, for the formula of Euler and Maclaurin; lowest k first
_EULER_MACLAURIN = (
    0.08333333333333333,
    -0.001388888888888889,
    3.306878306878307e-05,
    -8.267195767195768e-07,
    2.08767569878681e-08,
    -5.284190138687493e-10,
    1.3382536530684679e-11,
    -3.3896802963225827e-13,
    8.586062056277845e-15,
    -2.174868698558062e-16,
)


@operation(local=lambda x, y: digamma(x), symbol="log Γ", samples=[(-1.5,), (0.3,), (1.2,), (4.5,), (30.0,)])
def lgamma(x: float) -> float:
    """log |Γ(x)|, the logarithm of the gamma function: inf at 0, -1, -2, …; lgamma(n + 1) is log n!

    Its error is below 4 units in the last place; below 0, where it has zeros, these are units of 1 + lgamma(1 - x).

    >>> lgamma(1.0), lgamma(2.0), lgamma(0.0), lgamma(-3.0)
    (0.0, 0.0, inf, inf)
    """
    if math.isinf(x):
        return inf
    if math.fabs(x) < 1e-100:
        return -log(math.fabs(x))
    if x > 0:
        return _log_gamma(x)
    return log(div(pi, abs(sin(pi * (x - round(x)))))) - _log_gamma(1.0 - x)


def _log_gamma(x: float) -> float:
    """log Γ(x) for x > 0."""
    y = 0.0
    if x > 10:
        w = 1.0 / (x * x)
        for c in _STIRLING:
            y = y * w + c
        return (x - 0.5) * (log(x) - 1.0) + (_HALF_LOG_2PI_E + y / x)
    product = 1.0
    for _k in range(8):
        if x > 2.5:
            x = x - 1.0
            product = product * x
    above = x if x < 1 else x - 1.0  # x or x + 1, less 1
    for c in _LOG_GAMMA:
        y = y * (above - 0.75) + c
    y = above * (above - 1.0) * y
    logarithm = log(x if x < 1 else product)
    return y - logarithm if x < 1 else y + logarithm


@operation(local=lambda x, y: polygamma(1.0, x), symbol="ψ", samples=[(-1.5,), (0.3,), (1.2,), (4.5,), (30.0,)])
def digamma(x: float) -> float:
    """The derivative of lgamma, Γ'(x) / Γ(x): ∓inf at ±0, nan at -1, -2, …, where it goes to inf and -inf.

    Its error is below 4 units in the last place; below 0, where it has zeros, these are units of 1 + digamma(1 - x).

    >>> digamma(0.0), digamma(-1.0), digamma(inf)
    (-inf, nan, inf)
    """
    if x > 0:
        return _psi(x)
    if x == 0:
        return math.copysign(inf, -x)
    away = x - round(x)
    return nan if away == 0 else _psi(1.0 - x) - div(pi, tan(pi * away))


def _psi(x: float) -> float:
    """digamma(x) for x > 0."""
    y = 0.0
    if x > 10:
        w = 1.0 / (x * x)
        for c in _PSI_TAIL:
            y = y * w + c
        return log(x) - 0.5 / x - w * y
    total = 0.0
    if x < 1:
        total = -1.0 / x
        x = x + 1.0
    for _k in range(8):
        if x > 2:
            x = x - 1.0
            total = total + 1.0 / x
    for c in _PSI:
        y = y * (x - 1.5) + c
    return total + ((x - _ROOT) - _ROOT_REST) * y


@operation(
    local=[None, lambda n, x, y: polygamma(n + 1.0, x)],
    symbol="ψ⁽ⁿ⁾",
    samples=[(0.0, 1.2), (1.0, 0.3), (1.0, 30.0), (2.0, 4.5), (3.0, -1.5), (20.0, 2.5)],
)
def polygamma(n: float, x: float) -> float:
    """The derivative of order n of digamma; n is a whole number from 0 on, else it is nan. No derivative flows into n.

    At 0, -1, -2, … it is inf for odd n; for even n nan, but ∓inf at ±0. Its error is below 4 units in the last place;
    near the zeros that it has below 0 for even n, these are units of polygamma(n, 1 - x). Beyond n = 170, where n! is
    no float, the error grows to 4 · n · log(n) units.

    >>> polygamma(2, inf), polygamma(3, -1.0), polygamma(0.5, 1.0)
    (-0.0, inf, nan)
    """
    if n == 0:
        return digamma(x)
    if n < 0 or n != floor(n) or math.isinf(n) or math.isnan(x) or x == -inf:
        return nan
    size = _derivative_of_psi(n, x) if x > 0 else _derivative_below_zero(n, x)
    return size if n != 2.0 * floor(0.5 * n) else -size


def _derivative_below_zero(n: float, x: float) -> float:
    """-(-1)ⁿ polygamma(n, x) for x ≤ 0."""
    odd = n != 2.0 * floor(0.5 * n)
    away = x - round(x)
    if away == 0:
        return inf if odd else math.copysign(inf, x) if x == 0 else nan
    r = math.fabs(away)
    if odd:
        return _times_power(n, _times_of_nearest(n + 1.0, x, r), r)
    near = math.copysign(_times_power(n, _times_of_difference(n + 1.0, r), r), away)
    beyond = _derivative_of_psi(n, 1.0 - x)
    if math.isinf(beyond) and math.isinf(near):
        is_near = _times_of_difference(n + 1.0, r) > _times_of_others(n + 1.0, x, r)
        return -inf if away < 0 and is_near else inf
    return near + beyond


def _derivative_of_psi(n: float, x: float) -> float:
    """n! ζ(n + 1, x), the size of polygamma(n, x), for x > 0."""
    return 0.0 if math.isinf(x) else _times_power(n, _times_of_first(n + 1.0, x), x)


def _times_of_first(s: float, x: float) -> float:
    """Σ (x + k)⁻ˢ over k = 0, 1, 2, …, by its first term, for x > 0."""
    total = exp(-s * math.log1p(10.0 / x)) * _times_of_tenth(s, x + 10.0)
    for k in range(9, 0, -1):  # the smallest first, which rounds least
        total = total + exp(-s * math.log1p(k / x))
    return 1.0 + total


def _times_of_tenth(s: float, a: float) -> float:
    """The same for a > 10, by the formula of Euler and Maclaurin."""
    return a / (s - 1.0) + 0.5 + _corrections(s, a)


def _corrections(s: float, a: float) -> float:
    """What that formula adds to an integral and half a term."""
    total = 0.0
    term = s / a
    m = s
    for c in _EULER_MACLAURIN:
        total = total + c * term
        term = term * (m + 1.0) * (m + 2.0) / (a * a)
        m = m + 2.0
    return total


def _times_of_nearest(s: float, x: float, r: float) -> float:
    """The same sum for x < 0 and even s, by the size of its largest term, that of the pole which is r away.

    It is the sum over all whole k, which are those on both sides of that pole, less those that lie beyond x.
    """
    inner = _times_of_first(s, 1.0 - r) * exp(-s * math.log1p((1.0 - 2.0 * r) / r))
    outer = _times_of_first(s, 1.0 + r) * exp(-s * math.log1p(1.0 / r))
    return 1.0 + inner + outer - _times_of_others(s, x, r)


def _times_of_others(s: float, x: float, r: float) -> float:
    """Σ (1 - x + k)⁻ˢ by the size of r⁻ˢ."""
    return _times_of_first(s, 1.0 - x) * exp(-s * math.log1p((1.0 - x - r) / r))


def _times_of_difference(s: float, r: float) -> float:
    """Σ (k + r)⁻ˢ - (k + 1 - r)⁻ˢ over k = 0, 1, 2, …, by its first number, for r up to ½: no term is below 0."""
    gap = 1.0 - 2.0 * r
    total = _corrections(s, 10.0 + r) - _corrections(s, 11.0 - r) - gap / (s - 1.0)
    total = total - expm1(-s * math.log1p(gap / (10.0 + r))) * _times_of_tenth(s, 11.0 - r)
    total = exp(-s * math.log1p(10.0 / r)) * total
    for k in range(9, -1, -1):
        total = total - exp(-s * math.log1p(k / r)) * expm1(-s * math.log1p(gap / (k + r)))
    return total


def _times_power(n: float, total: float, x: float) -> float:
    """total · n! / x ** (n + 1), in an order in which no product is too large or too small before the last one."""
    if n > 170:
        return exp(lgamma(n + 1.0) + log(total) - (n + 1.0) * log(x))
    power = pow(x, -1.0 - n)
    if 1e-290 < power < 1e290:
        return total * power * _factorial(n)
    third = floor((n + 2.0) / 3.0)
    part = pow(x, -third)
    return _factorial(n) * part * (total * part) * pow(x, 2.0 * third - n - 1.0)


def _factorial(n: float) -> float:
    """n! for n up to 170, rounded once: the products' errors are added up, all smaller by 2⁻¹⁰⁰, lest it overflow."""
    high = 7.888609052210118e-31
    low = 0.0
    for k in range(2, int(n) + 1):
        product = high * k
        front = 134217729.0 * high - (134217729.0 * high - high)
        low = low * k + ((front * k - product) + (high - front) * k)
        high = product
    return (high + low) * 1.2676506002282294e30
