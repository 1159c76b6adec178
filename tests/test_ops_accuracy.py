"""Operations whose value is more than a call of the C library: within four units in the last place of mpmath, wherever.

Near a zero that is not at a whole number, the units are those of a number that their docstring names.
"""

from __future__ import annotations

import math
import random

import mpmath
import pytest

from chainrule import ops

from .exact_maths import exact_maths

MOST = 4.0
"""So many units in the last place a result may be off."""

mp = mpmath.mp.clone()
mp.prec = 400

SMALLEST = 2.0**-1022


def inverse_of_erfc(c):
    """The y with erfc(y) = c, by Newton's method on the logarithm, for c up to 1."""
    if c > mp.mpf("0.1"):
        return mp.erfinv(1 - c)
    y = mp.sqrt(-mp.log(c))
    for _ in range(12):
        y += (mp.log(mp.erfc(y)) - mp.log(c)) * mp.erfc(y) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
    return y


def quantile(p):
    size = mp.sqrt(2) * inverse_of_erfc(2 * min(p, 1 - p))
    return size if p > 0.5 else -size


def hurwitz(s, x):
    """Σ (x + k)⁻ˢ by the formula of Euler and Maclaurin, with many terms."""
    count = 40 + max(0, math.ceil(-x))
    a = x + count
    total = mp.fsum((x + k) ** -s for k in range(count)) + a ** (1 - s) / (s - 1) + a**-s / 2
    term = s * a ** (-s - 1)
    for j in range(1, 40):
        total += mp.bernoulli(2 * j) / mp.factorial(2 * j) * term
        term *= (s + 2 * j - 1) * (s + 2 * j) / a**2
    return total


def derivative_of_psi(n, x):
    with mp.workprec(1500):
        return (-1) ** (n + 1) * mp.factorial(n) * hurwitz(n + 1, mp.mpf(x))


REFERENCES = {
    **exact_maths(mp),
    "norm_pdf": mp.npdf,
    "norm_cdf": mp.ncdf,
    "norm_ppf": quantile,
    "erfinv": lambda x: mp.erfinv(x) if abs(x) < 0.9 else mp.sign(x) * inverse_of_erfc(1 - abs(x)),
    "lgamma": lambda x: mp.re(mp.loggamma(x)),
}

UNITS = {"lgamma": lambda x: 1 + math.lgamma(1 - x), "digamma": lambda x: 1 + ops.digamma(1 - x)}
"""Of operations with zeros below 0: of which number the units are, there."""


def anywhere(draw):
    return draw.choice([-1, 1]) * 10 ** draw.uniform(-323, 308)


def near(centre, draw):
    return centre + draw.choice([-1, 1]) * 10 ** draw.uniform(-16, -0.5)


def within_one(draw):
    return draw.choice([draw.uniform(-1, 1), anywhere(draw) % 0.5, -(1 - 10 ** draw.uniform(-15.9, 0))])


def where_exp_is(draw):
    return draw.choice([draw.uniform(-745, 710), draw.uniform(-5, 5), draw.uniform(-745, -700), anywhere(draw) % 1.0])


def above_zero(draw):
    return draw.choice([abs(anywhere(draw)), near(1, draw), draw.uniform(0, 3), 10 ** draw.uniform(-3, 3)])


def where_normal_is(draw):
    return draw.choice([draw.uniform(-38.4, 38.4), draw.uniform(-22, 1), near(-20, draw), anywhere(draw) % 1.0])


def probability(draw):
    return draw.choice(
        [10 ** draw.uniform(-323, 0), draw.uniform(0, 1), near(0.5, draw), 1 - 10 ** draw.uniform(-15, 0)]
    )


def where_gamma_is(draw):
    low = -draw.randint(0, 150) - draw.choice([0.5, draw.uniform(0.01, 0.99)])
    return draw.choice([above_zero(draw), draw.uniform(0, 12), near(draw.choice([1, 2, 2.5, 10]), draw), low])


PLACES = {
    **dict.fromkeys(("asin", "acos", "atanh", "erfinv"), within_one),
    **dict.fromkeys(("sinh", "cosh", "exp2", "silu", "mish"), where_exp_is),
    **dict.fromkeys(("log2", "log10"), above_zero),
    **dict.fromkeys(("asinh", "cbrt"), lambda draw: draw.choice([anywhere(draw), draw.uniform(-3, 3)])),
    "acosh": lambda draw: 1 + abs(above_zero(draw)),
    **dict.fromkeys(("norm_pdf", "norm_cdf", "norm_logcdf"), where_normal_is),
    "norm_ppf": probability,
    **dict.fromkeys(("lgamma", "digamma"), where_gamma_is),
}
"""Numbers of all sizes, and more of them where the operation is hard."""


def off(y, exact, unit=0.0):
    """How far a result is from the exact one, in units in the last place."""
    if abs(exact) > 1.797e308:
        return 0.0 if math.isinf(y) and (y > 0) == (exact > 0) else math.inf
    return float(abs(mp.mpf(y) - exact)) / math.ulp(max(abs(float(exact)), min(unit, 1e308)))


def check(name, count):
    draw, op = random.Random(name), getattr(ops, name)
    for _ in range(count):
        x = PLACES[name](draw)
        unit = UNITS[name](x) if name in UNITS and x < 0 else 0.0
        assert off(op(x), REFERENCES[name](mp.mpf(x)), unit) <= MOST, x


@pytest.mark.parametrize("name", REFERENCES)
def test_an_operation_is_exact_to_four_units_in_the_last_place(name):
    check(name, 60)


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCES)
def test_so_it_is_at_hundreds_of_points(name):
    check(name, 500)


def check_polygamma(orders, count):
    draw = random.Random(1)
    for _ in range(count):
        n = draw.choice(orders)
        half = -draw.randint(0, 20) - 0.5
        x = draw.choice([above_zero(draw), draw.uniform(0.5, 30), half, near(half, draw), draw.uniform(-20, 0)])
        if n == 0 or abs(x) > 1e100:
            continue
        unit = abs(ops.polygamma(n, 1 - x)) if x < 0 and n % 2 == 0 else 0.0
        most = MOST if n <= 170 else 4 * n * math.log(n)
        assert off(ops.polygamma(n, x), derivative_of_psi(n, x), unit) <= most, (n, x)


def test_polygamma_of_any_order_is_exact_to_four_units():
    check_polygamma([1, 2, 3, 4, 7, 20, 99, 170, 171, 400], 60)


@pytest.mark.slow
def test_so_it_is_of_every_order_up_to_200():
    check_polygamma(range(1, 200), 500)


@pytest.mark.parametrize("n", range(12))
def test_polygamma_at_one_is_a_factorial_times_zeta(n):
    exact = -mp.euler if n == 0 else (-1) ** (n + 1) * mp.factorial(n) * mp.zeta(n + 1)
    assert off(ops.polygamma(n, 1.0), exact) <= MOST


def test_the_last_order_whose_factorial_is_a_float():
    assert off(ops.polygamma(170, 1.0), -mp.factorial(170) * mp.zeta(171)) <= MOST
    assert ops.polygamma(171, 1.0) == math.inf
    assert ops.polygamma(172, 1.0) == -math.inf
