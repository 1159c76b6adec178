"""Draws that are functions of a key and counters: known numbers, the same bits in every engine, refusals by name."""

from __future__ import annotations

import itertools
import math
import random as pythons

import pytest

import chainrule
from chainrule import Value, grad, random
from chainrule.errors import ArgumentError, OperandError, TraceError
from chainrule.ops import philox, whole
from chainrule.ops.draws import philox4x32, words

KEY = random.key(2024)
ANSWERS = """
00000000 00000000 00000000 00000000  00000000 00000000  6627e8d5 e169c58d bc57ac4c 9b00dbd8
ffffffff ffffffff ffffffff ffffffff  ffffffff ffffffff  408f276d 41c83b0e a20bc7c6 6d5451fd
243f6a88 85a308d3 13198a2e 03707344  a4093822 299f31d0  d16cfe09 94fdcceb 5001e420 24126ea1
"""
"""The known answers of philox4x32-10 in Random123, its authors' library (tests/kat_vectors): counter, key, words."""


# ---- the generator ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ANSWERS.strip().splitlines())
def test_philox_gives_the_published_words(line):
    numbers = [int(word, 16) for word in line.split()]
    assert philox4x32(tuple(numbers[:4]), tuple(numbers[4:6])) == tuple(numbers[6:])


def test_a_uniform_number_is_the_first_52_bits_in_the_middle_of_its_cell():
    draw = pythons.Random(1)
    for _ in range(100):
        key, i, j = [draw.choice([draw.randrange(2**53), draw.randrange(100), 2**32, 2**53 - 1]) for _ in range(3)]
        first, second, *_ = philox4x32((*words(i), *words(j)), words(key))
        cell = (first << 32 | second) >> 12
        assert random.uniform(key, i, j) == (2 * cell + 1) / 2**53
        assert philox(float(key), float(i), float(j)) == random.uniform(key, i, j)
    assert words(2.0**53 - 1) == (2**32 - 1, 2**21 - 1)


def test_numbers_are_spread_evenly_and_are_independent_of_their_neighbours():
    count = 20_000
    for draws in ([random.uniform(KEY, i) for i in range(count)], [random.uniform(KEY, 5, j) for j in range(count)],
                  [random.uniform(key, 0) for key in range(count)]):  # fmt: skip
        largest = max(abs(x - (k + 0.5) / count) for k, x in enumerate(sorted(draws)))
        assert largest * math.sqrt(count) < 1.95  # Kolmogorov's bound for one chance in a thousand
        products = [(a - 0.5) * (b - 0.5) for a, b in itertools.pairwise(draws)]
        assert abs(sum(products)) < 3.3 * math.sqrt(count) / 12
        assert len(set(draws)) == count


def test_keys_are_whole_numbers_that_differ():
    keys = {random.key(seed) for seed in range(1000)} | {random.key(7, i, j) for i in range(30) for j in range(30)}
    assert len(keys) == 1900
    assert all(type(key) is int and 0 <= key < 2**53 for key in keys)
    assert random.key(5) == random.key(5)
    assert len({random.key(5), random.key(5, 0), random.key(0, 5), random.key(5, 0, 0)}) == 4


@pytest.mark.parametrize("x", [-1, 2**53, 1.5, 2.0, "a", None])
def test_a_seed_that_is_none_is_refused_by_name(x):
    with pytest.raises(ArgumentError, match=r"the seed is .*whole numbers from 0"):
        random.key(x)
    with pytest.raises(ArgumentError, match=r"the seed is .*whole numbers from 0"):
        random.key(1, x)


# ---- draws -----------------------------------------------------------------------------------------------------------


def test_a_draw_is_a_function_whatever_was_drawn_before():
    places = [(i, j) for i in range(5) for j in range(5)]
    draws = {place: random.uniform(KEY, *place) for place in places}
    assert {place: random.uniform(KEY, *place) for place in reversed(places)} == draws
    assert random.uniform(KEY, 3) == draws[3, 0]
    assert len({*draws.values()}) == 25


def test_a_stream_counts_the_draws_of_a_sample():
    stream, other = random.Stream(KEY, 3), random.Stream(KEY, 4)
    drawn = [stream.uniform(), other.uniform(), stream.uniform(), stream.choice([1.0, 2.0, 3.0])]
    assert drawn[:3] == [random.uniform(KEY, 3, 0), random.uniform(KEY, 4, 0), random.uniform(KEY, 3, 1)]
    assert drawn[3] == random.choice(KEY, [1.0, 2.0, 3.0], 3, 2)


BAD = [-1, -0.5, 0.5, 2**53, 1e300, math.inf, math.nan]


@pytest.mark.parametrize("x", BAD)
def test_a_key_or_counter_that_is_none_is_refused_by_name(x):
    shown = r"is .*, but keys and counters are whole numbers from 0 to 2⁵³ - 1: make a key by chainrule\.random\.key"
    for y in (x, Value(x)):
        with pytest.raises(ArgumentError, match=f"the key {shown}"):
            random.uniform(y, 1)
        with pytest.raises(ArgumentError, match=f"i {shown}"):
            random.uniform(KEY, y)
        with pytest.raises(ArgumentError, match=f"j {shown}"):
            random.choice(KEY, [1.0, 2.0], 0, y)
        with pytest.raises(ArgumentError, match=f"i {shown}"):
            random.Stream(KEY, y)
        assert whole(x) == 0.0
        assert math.isnan(philox(1.0, float(x), 0.0))


@pytest.mark.parametrize("x", ["a", None, [1], 1j])
def test_what_is_no_number_is_refused_as_everywhere(x):
    with pytest.raises(OperandError, match="i needs real numbers"):
        random.uniform(KEY, x)


def test_whole_numbers_of_any_kind_count():
    numpy = pytest.importorskip("numpy")
    expected = random.uniform(KEY, 3, 4)
    for three in (3.0, numpy.int64(3), numpy.float32(3), numpy.uint8(3)):
        assert random.uniform(KEY, three, 4) == expected
    assert random.uniform(Value(KEY), Value(3), Value(4)).data == expected
    assert random.uniform(KEY, -0.0) == random.uniform(KEY, 0)


def test_a_choice_is_each_item_equally_often():
    items = [10.0, 20.0, 30.0, 40.0, 50.0]
    draws = [random.choice(KEY, items, i) for i in range(10_000)]
    for item in items:
        assert abs(draws.count(item) - 2000) < 3.3 * math.sqrt(2000 * 0.8)
    assert [items[math.floor(5 * random.uniform(KEY, i))] for i in range(100)] == draws[:100]
    assert random.choice(KEY, [7.0], 0) == 7.0
    with pytest.raises(ArgumentError, match="of no items"):
        random.choice(KEY, [], 0)


def test_the_derivative_of_a_choice_goes_to_the_item():
    w = [Value(1.0), Value(2.0), Value(3.0)]
    for i in range(10):
        picked = random.choice(KEY, w, i)
        assert picked in w
        chosen = random.choice(KEY, w, Value(i))
        chosen.backward()
        assert chosen.data == picked.data
        assert [x.grad for x in w] == [float(x is picked) for x in w]
        for x in w:
            x.grad = 0.0


NORMALS = [(i, j) for i in range(40) for j in range(25)]


def ulps_off(z, u):
    """How many units in the last place z is off the quantile of u."""
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(40):
        exact = mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(u) - 1)
        return float(abs(mpmath.mpf(z) - exact)) / math.ulp(float(exact))


def test_a_normal_number_is_the_quantile_of_the_uniform_one():
    draws = [random.normal(KEY, i, j) for i, j in NORMALS]
    assert max(ulps_off(z, random.uniform(KEY, i, j)) for z, (i, j) in zip(draws, NORMALS, strict=True)) <= 4
    assert abs(sum(draws)) < 3.3 * math.sqrt(len(draws))
    assert abs(sum(z * z - 1 for z in draws)) < 3.3 * math.sqrt(2 * len(draws))
    assert random.normal(KEY, 3, 4, 1.5, 0.5) == 1.5 + 0.5 * random.normal(KEY, 3, 4)
    stream = random.Stream(KEY, 3)
    assert [stream.normal(), stream.normal(1.0, 2.0)] == [random.normal(KEY, 3), random.normal(KEY, 3, 1, 1.0, 2.0)]


def test_the_normal_numbers_furthest_out_are_finite(monkeypatch):
    for u in (2.0**-53, 1 - 2.0**-53):
        monkeypatch.setattr(random, "philox", lambda *_, u=u: u)
        assert 8.2 < abs(random.normal(KEY, 0)) < 8.3


def test_derivatives_flow_into_mean_and_deviation():
    slopes = grad(lambda mu, sigma: random.normal(KEY, 1, 2, mu, sigma) ** 2, argnums=(0, 1))(0.5, 2.0)
    z = random.normal(KEY, 1, 2)
    assert slopes == pytest.approx((2 * (0.5 + 2 * z), 2 * (0.5 + 2 * z) * z), rel=1e-14)


# ---- compiled --------------------------------------------------------------------------------------------------------


@pytest.fixture
def np():
    pytest.importorskip("llvmlite")
    return pytest.importorskip("numpy")


def drawn(key, i):
    """Three draws of a sample, one of them in a loop."""
    stream = random.Stream(key, i)
    total = 0.0
    for _ in range(12):
        total = total + stream.uniform()
    return [random.uniform(key, i), total, stream.choice([1.0, 2.0, 5.0])]


@pytest.mark.parametrize("options", [{}, {"strict": True}, {"threads": 2}])
def test_native_code_draws_the_same_bits(np, options):
    samples = [*range(600), 2**32, 2**32 + 5, 2**53 - 1]
    native = chainrule.compile(drawn, in_axes=(None, 0), **options)(KEY, samples)
    expected = [drawn(KEY, i) for i in samples]
    assert native[0].tolist() == [row[0] for row in expected]
    assert native[2].tolist() == [row[2] for row in expected]
    assert np.allclose(native[1], [row[1] for row in expected], rtol=1e-14, atol=0)


@pytest.mark.parametrize("options", [{}, {"strict": True}])
def test_native_normals_are_the_quantiles_too(np, options):
    f = chainrule.compile(lambda i, j: [random.uniform(KEY, i, j), random.normal(KEY, i, j)], in_axes=0, **options)
    us, zs = f(*map(list, zip(*NORMALS, strict=True)))
    assert us.tolist() == [random.uniform(KEY, i, j) for i, j in NORMALS]
    assert max(map(ulps_off, zs.tolist(), us.tolist())) <= 4


def test_a_price_and_its_derivatives_are_those_of_the_formula(np):
    def payoff(s0, sigma, i):
        growth = 0.05 - sigma**2 / 2 + sigma * random.normal(KEY, i)
        return math.exp(-0.05) * chainrule.max(s0 * chainrule.exp(growth) - 100.0, 0.0)

    def formula(s0, sigma):
        d = (chainrule.log(s0 / 100.0) + 0.05 + sigma**2 / 2) / sigma
        return s0 * chainrule.norm_cdf(d) - 100.0 * math.exp(-0.05) * chainrule.norm_cdf(d - sigma)

    count = 100_000
    each = chainrule.compile(payoff, in_axes=(None, None, 0))
    found = [
        np.asarray(x)
        for x in (each(105.0, 0.2, range(count)), *each.jacobian(105.0, 0.2, range(count), argnums=(0, 1)))
    ]
    exact, slopes = chainrule.value_and_grad(formula, argnums=(0, 1))(105.0, 0.2)
    for x, expected in zip(found, (exact, *slopes), strict=True):
        assert abs(x.mean() - expected) < 3.3 * x.std() / math.sqrt(count)


def test_without_a_batch_too(np):
    f = chainrule.compile(random.uniform)
    for i, j in [(0, 0), (3, 4), (2**40, 7)]:
        assert f(KEY, i, j) == f(float(KEY), float(i), float(j)) == random.uniform(KEY, i, j)
    w = Value(KEY)
    g = chainrule.compile(lambda i: random.uniform(w, i))
    assert g(3) == random.uniform(KEY, 3)
    w.data = 5.0
    assert g(3) == random.uniform(5, 3)


def test_in_32_bits_numbers_are_rounded_but_stay_between_0_and_1(np):
    f = chainrule.compile(random.uniform, in_axes=(None, 0, None), dtype="float32")
    numbers = f(7, np.arange(5000), 3)
    expected = [random.uniform(7, i, 3) for i in range(5000)]
    assert np.abs(numbers - expected).max() <= 2.0**-24
    assert 0 < numbers.min() < numbers.max() < 1
    with pytest.raises(OperandError):
        f(7, np.array([2**24 + 1, 0]), 3)


@pytest.mark.parametrize("x", BAD)
def test_a_later_call_with_a_bad_number_is_refused_by_name(np, x):
    f = chainrule.compile(lambda key, i: random.uniform(key, i) + random.uniform(key, i, 1), in_axes=(None, 0))
    assert f(KEY, [0.0, 1.0]).tolist() == [random.uniform(KEY, i) + random.uniform(KEY, i, 1) for i in (0, 1)]
    with pytest.raises(ArgumentError, match="i is"):
        f(KEY, [0.0, 1.0, float(x)])
    with pytest.raises(ArgumentError, match="the key is"):
        f(float(x), [0.0, 1.0])
    assert f.traces == 1


def test_however_many_draws_the_key_and_the_sample_are_asked_about_once(np):
    f = chainrule.compile(lambda key, i: sum(random.uniform(key, i, j) for j in range(100)), in_axes=(None, 0))
    f(KEY, [0, 1])
    assert str(f.explain()).count("= whole(") == 2


def test_derivatives_flow_past_draws(np):
    def f(w, key, i):
        u = random.uniform(key, i)
        return w * u + chainrule.select(u < 0.5, w * w, 0.0)

    value, slope = chainrule.compile(f, in_axes=(None, None, 0), reduce="mean").value_and_grad(
        3.0, KEY, list(range(200))
    )
    each = [(f(3.0, KEY, i), grad(lambda w, i=i: f(w, KEY, i))(3.0)) for i in range(200)]
    assert value == pytest.approx(sum(y for y, _ in each) / 200, rel=1e-13)
    assert slope == pytest.approx(sum(d for _, d in each) / 200, rel=1e-13)


def test_a_draw_with_a_state_is_refused_and_the_error_names_this_module(np):
    with pytest.raises(TraceError, match=r"chainrule\.random\.uniform\(key, i\)"):
        chainrule.compile(lambda x: x * pythons.random())(1.0)
    made_before = random.Stream(KEY, 0)
    with pytest.raises(TraceError, match="gives other numbers each time"):
        chainrule.compile(lambda x: x * made_before.uniform())(1.0)


def test_a_training_step_takes_its_number_for_dropout(np):
    def trained(make):
        w = [Value(0.5) for _ in range(4)]
        optimizer = chainrule.optim.SGD(w, lr=0.1)

        def loss(x, i):
            kept = [x * a * (random.uniform(KEY, i, j) < 0.5) for j, a in enumerate(w)]
            return (sum(kept) - 1.0) ** 2

        step = make(loss, optimizer)
        return [step(1.5, i) for i in range(5)], [x.data for x in w]

    def eager(loss, optimizer):
        def step(x, i):
            optimizer.zero_grad()
            y = loss(x, i)
            y.backward() if isinstance(y, Value) else None
            optimizer.step()
            return y.data

        return step

    losses, weights = trained(chainrule.compile_step)
    expected, those = trained(eager)
    assert losses == pytest.approx(expected, rel=1e-12)
    assert weights == pytest.approx(those, rel=1e-12)


def test_a_value_is_no_seed():
    with pytest.raises(ArgumentError, match="the seed is Value"):
        random.key(Value(1.0))
