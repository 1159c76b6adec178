"""What is agreed where a formula meets 0 · ∞ or ∞ - ∞, the same in every engine: limits, nan, one bound for tails."""

from __future__ import annotations

import random
from math import inf, isnan, nan

import mpmath
import pytest

import chainrule
from chainrule import Value, exp, grad, hessian, hypot, jvp, logsumexp, norm, sqrt, sum_of_squares, tanh


def backward(f, xs):
    values = [Value(x) for x in xs]
    f(values).backward()
    return [value.grad for value in values]


def forward(f, xs):
    return [jvp(f, (xs,), ([float(i == k) for i in range(len(xs))],))[1] for k in range(len(xs))]


def of_values(f, xs):
    """By local derivatives that are made afresh, as for second ones."""
    return [x.data for x in grad(f)([Value(x) for x in xs])]


def native(f, **options):
    """The function compiled; without the extra for that the test is skipped."""
    pytest.importorskip("llvmlite")
    return chainrule.compile(f, **options)


def compiled(f, xs, **options):
    return native(grad(f), **options)(xs)


def strict(f, xs):
    return compiled(f, xs, strict=True)


def in_a_batch(f, xs):
    finite = [float(i) for i in range(len(xs))]
    return [float(column[1]) for column in compiled(f, [finite, xs, finite], in_axes=0)]


ENGINES = {
    "backward": backward,
    "grad": lambda f, xs: grad(f)(xs),
    "jvp": forward,
    "values": of_values,
    "compiled": compiled,
    "strict": strict,
    "batch": in_a_batch,
}
every_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)

LIMITS = [
    ([inf, 1.0], [1.0, 0.0]),
    ([1.0, inf], [0.0, 1.0]),
    ([1.0, inf, inf], [0.0, 1.0, 0.0]),
    ([inf, -inf], [1.0, 0.0]),
    ([-inf, -inf], [1.0, 0.0]),
    ([-inf, 2.0], [0.0, 1.0]),
    ([-inf], [1.0]),
]


@every_engine
@pytest.mark.parametrize(("xs", "wanted"), LIMITS)
def test_the_derivative_of_logsumexp_at_infinity_is_the_limit(engine, xs, wanted):
    assert engine(logsumexp, xs) == wanted


@pytest.mark.parametrize(("xs", "wanted"), LIMITS)
def test_and_its_second_derivatives_are_zero_there(xs, wanted):
    assert hessian(logsumexp)(xs) == [[0.0] * len(xs)] * len(xs)


@every_engine
def test_one_that_is_no_number_gives_none(engine):
    assert all(map(isnan, engine(logsumexp, [1.0, nan])))


@every_engine
def test_a_long_list_with_infinities(engine):
    xs = [float(i % 7) for i in range(40)]
    xs[11] = xs[23] = inf
    assert engine(logsumexp, xs) == [float(i == 11) for i in range(40)]


# ---- distances -----------------------------------------------------------------------------------------------------

BY_NORM = [
    lambda v: exp(-(norm([v[0] - v[1]]) ** 2)),
    lambda v: exp(-(norm([v[0] - v[1], 0.0]) ** 2)),
    lambda v: exp(-(hypot(v[0] - v[1], 0.0) ** 2)),
]


@every_engine
@pytest.mark.parametrize("f", [norm, lambda v: hypot(*v)], ids=["norm", "hypot"])
def test_norm_and_hypot_have_no_slope_where_all_is_zero(engine, f):
    assert all(map(isnan, engine(f, [0.0, 0.0])))
    assert engine(f, [0.0, -2.0]) == [0.0, -1.0]


@pytest.mark.parametrize("f", BY_NORM)
def test_second_derivatives_through_a_norm_of_zero_are_nan_and_never_a_wrong_number(f):
    for found in (hessian(f)([0.7, 0.7]), native(hessian(f))([0.7, 0.7])):
        assert all(isnan(x) for row in found for x in row)


def test_second_derivatives_of_a_norm_with_a_zero_among_its_numbers():
    wanted = [[0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0]]
    assert hessian(norm)([0.0, 0.0, 2.0]) == native(hessian(norm))([0.0, 0.0, 2.0]) == wanted


def test_a_sum_of_squares_is_right_to_any_order():
    def f(v):
        return exp(-sum_of_squares([v[0] - v[1]]))

    wanted = [[-2.0, 2.0], [2.0, -2.0]]
    assert hessian(f)([0.7, 0.7]) == native(hessian(f))([0.7, 0.7]) == wanted
    fourth = grad(grad(grad(grad(lambda x: exp(-sum_of_squares([x]))))))
    assert fourth(0.0) == 12.0


def test_the_root_of_a_square_loses_its_second_derivative_as_the_docs_say():
    f = hessian(lambda a, b: exp(-(sqrt((a - b) ** 2) ** 2)), (0, 1))
    assert f(0.7, 0.7) == ((0.0, 0.0), (0.0, 0.0))


# ---- tails ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@every_engine
def test_the_slope_of_tanh_has_one_bound_for_its_error(engine):
    rng = random.Random(0)
    xs = [rng.uniform(-22, 22) for _ in range(200)] + [rng.gauss(0, 1.5) for _ in range(200)]
    xs += [0.0, 1e-300, 18.7, 19.0, 19.2, -19.2, 1000.0, -1000.0, inf, -inf]
    found = engine(lambda v: sum_of_tanh(v), xs)
    with mpmath.workdps(40):
        errors = [abs(y - (1 - mpmath.tanh(mpmath.mpf(x)) ** 2)) for x, y in zip(xs, found, strict=True)]
    assert max(errors) <= 2.0**-51
    assert found[-5:] == [0.0] * 5


def sum_of_tanh(v):
    total = tanh(v[0])
    for x in v[1:]:
        total = total + tanh(x)
    return total
