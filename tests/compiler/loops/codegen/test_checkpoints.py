"""Checkpoints: long chains that are calculated once more, in segments, give the same numbers with less memory."""

from __future__ import annotations

import pytest

import chainrule

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

STEPS = 150


def pendulum(angle, speed, gravity):
    """Two states, a sum along the way, and a function of each state that derivatives need again."""
    total = 0.0
    for _ in range(STEPS):
        speed = speed - 0.01 * gravity * chainrule.sin(angle) - 0.001 * speed * speed * speed
        angle = angle + 0.01 * speed
        total = total + angle * angle
    return total + angle


def growth(rate, noise):
    """One state, and an input of each step that is differentiated by."""
    x = 1.0
    for z in noise:
        x = x * chainrule.exp(rate * 0.01 + 0.02 * z)
        x = x + 0.001 * chainrule.sqrt(x)
    return x


def rotation(angle, state):
    """A state of several numbers, each made of all of them."""
    matrix = [[chainrule.cos(angle + i - j) for j in range(3)] for i in range(3)]
    for _ in range(STEPS):
        state = [chainrule.tanh(sum(m * s for m, s in zip(row, state, strict=True))) for row in matrix]
    return state[0] * state[1] + state[2]


def late(x, y):
    """Numbers near both ends that are needed again, and the whole of a sum that is a result as well."""
    first, total = x * y, 0.0
    for i in range(STEPS):
        x = chainrule.sin(x) + y * x * 0.1
        total = total + x
        if i == 0:
            first = first * x
    return total * x * first


CASES = [
    (pendulum, (1.0, 0.0, 9.81), {}, (0, 1, 2)),
    (pendulum, (np.linspace(0.5, 1.5, 21), 0.0, 9.81), {"in_axes": (0, None, None)}, (0, 1, 2)),
    (pendulum, (np.linspace(0.5, 1.5, 21), 0.0, 9.81), {"in_axes": (0, None, None), "reduce": "mean"}, (1, 2)),
    (growth, (0.5, np.linspace(-1.0, 1.0, STEPS).tolist()), {}, (0, 1)),
    (growth, (0.5, np.random.default_rng(0).standard_normal((13, STEPS))), {"in_axes": (None, 0)}, (0, 1)),
    (rotation, (0.3, [0.1, 0.2, 0.3]), {}, (0, 1)),
    (late, (0.7, 0.3), {}, (0, 1)),
]


def flat(tree):
    if isinstance(tree, list | tuple):
        return [x for branch in tree for x in flat(branch)]
    return np.ravel(tree).tolist()


@pytest.mark.parametrize(("function", "arguments", "options", "argnums"), CASES)
@pytest.mark.parametrize("limit", [pytest.param(1, marks=pytest.mark.slow), 20_000])
def test_derivatives_are_the_same_with_less_memory(function, arguments, options, argnums, limit):
    whole, sparing = (chainrule.compile(function, memory_limit=one, **options) for one in (2**30, limit))
    expected = whole.value_and_grad(*arguments, argnums=argnums)
    actual = sparing.value_and_grad(*arguments, argnums=argnums)
    np.testing.assert_allclose(flat(actual), flat(expected), rtol=1e-13, atol=1e-300)
    assert "once more" not in whole.explain()


@pytest.mark.parametrize("case", [0, 1, 3, 6])
def test_the_report_tells_of_segments(case):
    function, arguments, options, argnums = CASES[case]
    sparing = chainrule.compile(function, memory_limit=1, **options)
    sparing.value_and_grad(*arguments, argnums=argnums)
    assert "once more for the reverse sweep, in " in sparing.explain()


def test_what_is_read_in_another_order_is_kept_and_the_report_says_so():
    function, arguments, options, argnums = CASES[5]
    f = chainrule.compile(function, memory_limit=1, **options)
    f.value_and_grad(*arguments, argnums=argnums)
    assert "memory_limit cannot be kept" in f.explain()


@pytest.mark.parametrize("steps", [64, 65, 97, 129])
@pytest.mark.parametrize("limit", [1, 3_000])
def test_segments_of_any_length(steps, limit):
    def f(x, y):
        for _ in range(steps):
            x, y = chainrule.sin(x) + 0.1 * y, chainrule.cos(y) * x
        return x * y

    actual = chainrule.compile(f, memory_limit=limit).value_and_grad(0.3, 0.7, argnums=(0, 1))
    assert flat(actual) == pytest.approx(flat(chainrule.value_and_grad(f, (0, 1))(0.3, 0.7)), rel=1e-12)


def test_memory_is_less():
    def long(x):
        for _ in range(1000):
            x = chainrule.sin(x)
        return x

    def bytes_of(limit):
        f = chainrule.compile(long, memory_limit=limit)
        f.grad(1.0)
        (line,) = [line for line in f.explain().splitlines() if "bytes of memory" in line]
        return int(line.split("operations, ")[1].split(" bytes")[0].replace(",", ""))

    assert bytes_of(1) < 0.2 * bytes_of(2**30)


def test_a_limit_is_a_whole_number():
    with pytest.raises(chainrule.errors.ArgumentError, match="memory_limit is a whole number"):
        chainrule.compile(pendulum, memory_limit=0.5)
