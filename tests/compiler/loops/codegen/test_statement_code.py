"""The largest of a long list, in vectors along the list, on every machine."""

from __future__ import annotations

import math
import re

import pytest

pytest.importorskip("llvmlite")

import numpy as np

import chainrule
from chainrule.compiler.native.llvm import Machine

LENGTHS = (31, 32, 33, 64, 127, 130)
"""Four vectors of two, four or eight numbers at a time, and what is left over."""


@pytest.fixture(params=["sse2", "avx2", "avx512"])
def machine(request):
    machine = Machine.named(request.param)
    if not machine.runs_here:
        pytest.skip(f"this CPU has no {request.param}")
    return machine


@pytest.fixture(params=LENGTHS)
def n(request):
    return request.param


@pytest.fixture(params=[64, 32])
def largest(request, n, machine, calculate):
    """The largest of a list of n numbers, in native code."""
    made = calculate(lambda xs: chainrule.largest(xs), [[0.0] * n], order=0)
    kernel = made.kernel(machine=machine, bits=request.param)
    return lambda xs: float(kernel.run(np.array(xs), None)[0][0])


def signed(x):
    """A number and its sign, in which 0 and -0 differ."""
    return x, math.copysign(1.0, x)


def test_it_is_found_in_any_lane(largest, n):
    low = [float(-1 - (k * 7) % n) for k in range(n)]
    for i in range(n):
        most = (3.0, math.inf, -0.5)[i % 3]
        assert largest([*low[:i], most, *low[i + 1 :]]) == most
    assert largest([-math.inf] * n) == -math.inf


def test_of_equal_zeros_the_first_is_taken(largest, n):
    for i in range(0, n, 3):
        for j in range(0, n, 5):
            xs = [-1.0] * n
            xs[i], xs[j] = 0.0, -0.0
            assert signed(largest(xs)) == signed(chainrule.largest(xs))


def test_it_is_nan_if_one_is(largest, n):
    for i in range(n):
        xs = [float(k) for k in range(n)]
        xs[i] = math.nan
        assert math.isnan(largest(xs))


def test_it_is_of_expressions_too(n, machine, calculate, distance):
    """In rows, with a start that differs, and with derivatives, which go to the first of equals."""
    xs = [math.cos(k) for k in range(n)]
    rows = [xs, [1.0] * n, xs[::-1]]

    def function(rows, xs):
        return chainrule.sum([chainrule.largest([2.0 * a * b for a, b in zip(row, xs, strict=True)]) for row in rows])

    made = calculate(function, [rows, xs])
    assert distance(made.native(machine=machine), made.eager()) < 1e-12


def test_explain_says_that_it_is_in_vectors():
    f = chainrule.compile(chainrule.logsumexp)
    f([float(k % 9) for k in range(500)])
    assert re.search(r"vectors of \d+ along a sum: a\d+, a\d+\n", str(f.explain()))  # the largest, and the total
