"""Samples that kernels see otherwise than Python, and numbers that are infinite or nan."""

from __future__ import annotations

import dataclasses
import math
import warnings

import pytest

import chainrule
from chainrule import errors

pytest.importorskip("llvmlite")

import numpy as np

from chainrule.compiler.calling import paths, running

from ..functions import root


@pytest.fixture
def traced(monkeypatch):
    """The numbers at which the function was traced, in order."""
    found = []
    before = paths.Paths.add

    def add(self, known, layout, numbers):
        found.append(numbers)
        return before(self, known, layout, numbers)

    monkeypatch.setattr(paths.Paths, "add", add)
    return found


# ---- branches that ask for digits that are not there -----------------------------------------------------------------
def test_a_tolerance_below_the_last_digit_of_float32_needs_no_trace_for_each_sample(traced, quiet):
    f = chainrule.compile(root, in_axes=0, dtype="float32")
    xs = np.linspace(1.0, 3.0, 200)
    for _ in range(3):
        found = quiet(f, xs)
    assert np.abs(found / np.sqrt(xs) - 1).max() < 1e-6
    assert len(traced) <= 4 * f.traces  # twice to find a way, and twice to see that its kernel is not to be trusted


def test_the_gradients_of_such_samples(traced, quiet):
    xs = np.linspace(1.1, 3.0, 50)
    f = chainrule.compile(root, in_axes=0, dtype="float32")
    value, slope = quiet(f.value_and_grad, xs)
    assert np.abs(slope * 2 * value - 1).max() < 1e-5
    mean = chainrule.compile(root, in_axes=0, dtype="float32", reduce="mean")
    value, slope = quiet(mean.value_and_grad, xs)
    assert value == pytest.approx(np.sqrt(xs).mean(), rel=1e-6)
    assert slope * len(xs) == pytest.approx(0.5 / np.sqrt(xs), rel=1e-5)


def test_single_calls_need_no_trace_each_either(traced, quiet):
    f = chainrule.compile(root, dtype="float32")
    for _ in range(3):
        for x in (1.5, 2.0, 2.5, 3.0):
            assert quiet(f, x) == pytest.approx(math.sqrt(x), rel=1e-6)
    assert len(traced) <= 4 * f.traces


def test_it_is_told_once_with_what_to_do():
    f = chainrule.compile(root, in_axes=0, dtype="float32")
    xs = np.linspace(1.0, 3.0, 5000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(4):
            f(xs)
    assert [w.category for w in caught] == [errors.SlowWarning]
    message = str(caught[0].message)
    assert message.startswith("root: ")
    assert "digits that float32 does not have" in message
    assert "while abs(x * x - a) > 1e-12 * a" in message
    assert "dtype='float64', or compare with a tolerance above 1e-7" in message
    assert caught[0].filename == __file__
    explained = f.explain()
    assert repr(explained) == explained  # a notebook shows its lines
    assert "  fallbacks:\n" in explained
    assert " in 4 calls whose branches were decided once more, in 64 bits" in explained


def test_with_64_bits_such_a_loop_has_no_fallback():
    f = chainrule.compile(root, in_axes=0)
    f(np.linspace(1.0, 3.0, 200))
    assert "fallbacks" not in f.explain()


def test_the_last_bit_of_a_sum_decides_as_in_python(traced, quiet):
    """Native code adds in another order: where a branch hangs on that, Python's answer counts, and no trace repeats."""

    def f(xs):
        total = 0.0
        for x in xs:
            total = total + x * 0.1
        return total if total == 0.1 * 63 else -total

    g = chainrule.compile(f, in_axes=0)
    rows = np.random.default_rng(0).uniform(0.5, 2.0, (300, 63))
    rows[::2] = 1.0
    for _ in range(3):
        found = quiet(g, rows)
    wanted = [f(row) for row in rows.tolist()]
    assert np.sign(found).tolist() == np.sign(wanted).tolist()
    assert len(traced) <= 4 * g.traces


def test_what_has_other_branches_each_time_is_refused_at_last(monkeypatch, quiet):
    monkeypatch.setattr(running.Runner, "_held_exactly", lambda *_: np.zeros(1, bool))  # as if Python changed its mind
    f = chainrule.compile(root, dtype="float32", max_traces=8)

    def call_often():
        for _ in range(30):
            assert quiet(f, 2.0) == pytest.approx(math.sqrt(2.0), rel=1e-6)

    with pytest.raises(errors.TraceError, match="root was traced 8 times at numbers at which it had been traced"):
        call_often()


# ---- numbers that are infinite or nan --------------------------------------------------------------------------------
def curve(x, w):
    return chainrule.tanh(chainrule.log(x) * w) + chainrule.log(x)


def exactly(monkeypatch):
    """How many samples exact kernels were run on, one after the other."""
    found = []
    before = running.Runner._run_batch

    def run(self, call, wanted):
        if wanted.exact:
            found.append(call.samples)
        return before(self, call, wanted)

    monkeypatch.setattr(running.Runner, "_run_batch", run)
    return found


def test_only_samples_that_are_not_finite_are_calculated_again(monkeypatch):
    exact = exactly(monkeypatch)
    f = chainrule.compile(curve, in_axes=(0, None))
    xs = np.random.default_rng(0).uniform(0.5, 2.0, 5000)
    xs[[7, 4000]] = 0.0, -1.0
    found = f(xs, 1.1)
    assert exact == [2]
    assert found[7] == -math.inf
    assert math.isnan(found[4000])
    wanted = [curve(x, 1.1) for x in xs.tolist()]
    assert np.allclose(found, wanted, rtol=1e-14, equal_nan=True)
    assert "2 samples in 1 call calculated again bit by bit" in f.explain()
    assert "value\n" in f.explain()  # the report is on what most samples ran


def kinked(x, w):
    return chainrule.sqrt(chainrule.max(x, 0.0)) * w


@pytest.mark.parametrize("reduce", ["sum", "mean"])
@pytest.mark.parametrize("spoilt", [[3], [0, 1, 2], [0, 4999], list(range(0, 5000, 100)), list(range(5000))])
def test_sums_are_redone_for_the_pieces_that_spoil_them(monkeypatch, reduce, spoilt):
    exact = exactly(monkeypatch)
    f = chainrule.compile(kinked, in_axes=(0, None), reduce=reduce)
    xs = np.random.default_rng(0).uniform(0.5, 2.0, 5000)
    xs[spoilt] = -1.0  # a zero times an infinite slope, which deposits nothing
    value, (by_x, by_w) = f.value_and_grad(xs, 2.0, argnums=(0, 1))
    scale = 1.0 if reduce == "sum" else 1 / 5000
    roots = np.sqrt(np.maximum(xs, 0.0))
    assert value == pytest.approx(2 * roots.sum() * scale, rel=1e-12)
    assert by_w == pytest.approx(roots.sum() * scale, rel=1e-12)
    slopes = np.where(xs > 0, 1 / np.where(xs > 0, roots, 1.0), 0.0)
    assert np.allclose(by_x, slopes * scale, rtol=1e-12)
    assert sum(exact) <= min(5000, 64 * len(spoilt))


def test_a_sum_that_is_infinite_stays_so():
    f = chainrule.compile(curve, in_axes=(0, None), reduce="sum")
    assert f(np.array([1.0, 0.0] * 200), 1.0) == -math.inf
    assert math.isnan(f(np.array([1.0, -1.0] * 200), 1.0))


def test_samples_of_several_ways_among_which_some_are_not_finite():
    def f(x):
        return chainrule.log(x) if x < 1 else x * x

    g = chainrule.compile(f, in_axes=0)
    xs = np.linspace(0.0, 2.0, 301)
    found, slopes = g.value_and_grad(xs)
    assert np.allclose(found, [f(x) for x in xs.tolist()], rtol=1e-14)
    assert slopes[0] == math.inf
    assert np.allclose(slopes[1:], [chainrule.grad(f)(x) for x in xs[1:].tolist()], rtol=1e-14)


def test_infinite_numbers_are_told_where_they_are_many_again_and_again():
    f = chainrule.compile(curve, in_axes=(0, None))
    xs = np.full(20_000, -1.0)
    f(xs, 1.0), f(xs, 1.0)  # a call or two may be meant
    with pytest.warns(errors.SlowWarning, match="curve: 60,000 samples in 3 calls calculated again bit by bit"):
        f(xs, 1.0)
    f(xs, 1.0)


# ---- what else is slow -----------------------------------------------------------------------------------------------
def test_operations_that_python_calculates_are_counted_and_told(own_operation):
    name, f = own_operation
    g = chainrule.compile(f, in_axes=0)
    xs = np.linspace(0.0, 1.0, 40_000)
    g(xs), g(xs)
    with pytest.warns(errors.SlowWarning, match=f"operations in 3 calls of {name} calculated by Python"):
        g(xs)
    assert f"120,000 operations in 3 calls of {name} calculated by Python" in g.explain().replace("\n        ", " ")


@pytest.fixture
def own_operation(own_operations):
    """An operation whose text cannot be translated, and a function that uses it."""
    table = {0: 1.0, 1: 2.0}

    @chainrule.operation(local=lambda x, y: 0.0 * x, samples=[(0.5,)])
    def stairs(x: float) -> float:
        """A step."""
        return table.get(int(x), 0.0)

    return "stairs", lambda x: stairs(x) + x


def test_calls_with_values_are_counted_and_not_told():
    f = chainrule.compile(lambda x: x * x)
    f(2.0)
    for _ in range(20):
        assert f(chainrule.Value(3.0)).data == 9.0
    assert "20 calls done by the eager engine" in f.explain()


# ---- another way, after what the first call was given has changed ----------------------------------------------------


@dataclasses.dataclass
class Scaling:
    k: float


def scaled_by(k):
    def g(x):
        return k * x

    return g


CHANGED = {  # what makes a thing of number 2, how it becomes another, and the number of it
    "set": (lambda: {1, 2}, lambda s: s.add(3), len),
    "bytes": (lambda: bytearray(b"ab"), lambda b: b.extend(b"c"), len),
    "dataclass": (lambda: Scaling(2.0), lambda c: setattr(c, "k", 7.0), lambda c: c.k),
    "cell": (lambda: scaled_by(2.0), lambda g: setattr(g.__closure__[0], "cell_contents", 9.0), lambda g: g(1.0)),
    "within": (lambda: [Scaling(2.0)], lambda cs: setattr(cs[0], "k", 7.0), lambda cs: cs[0].k),
}


@pytest.mark.parametrize("name", CHANGED)
def test_another_way_is_traced_with_the_present_arguments(name):
    make, change, number_of = CHANGED[name]
    f = chainrule.compile(lambda thing, x: number_of(thing) * x if x > 0 else -number_of(thing) * x)
    first = make()
    assert f(first, 1.0) == 2.0
    change(first)
    assert f(make(), -1.0) == 2.0
    assert f.grad(make(), -1.0, argnums=1) == -2.0
    assert f.traces == 2
    batched = chainrule.compile(f.function, in_axes=(None, 0))
    first = make()
    assert batched(first, [1.0]).tolist() == [2.0]
    change(first)
    assert batched(make(), [1.0, -1.0]).tolist() == [2.0, 2.0]
