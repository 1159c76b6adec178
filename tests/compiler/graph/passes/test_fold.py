"""Folding: what can be calculated now, and what need not be."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from chainrule.compiler.graph.passes.fold import fold, relax
from chainrule.compiler.graph.passes.rebuild import prune

X = "%0 = input x"


def folded(graph):
    return prune(fold(graph))


def relaxed(graph):
    return prune(relax(graph))


def test_what_depends_on_constants_alone(after):
    lines = ["%1 = constant 2.0", "%2 = constant 3.0", "%3 = mul %1 %2", "return %3"]
    assert after(folded, X, *lines) == after(relaxed, X, *lines) == ["%1 = constant 6.0", "return %1"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["%1 = constant 1.0", "%2 = mul %0 %1", "return %2"], ["return %0"]),
        (["%1 = constant 1.0", "%2 = mul %1 %0", "return %2"], ["return %0"]),
        (["%1 = constant 1.0", "%2 = pow %0 %1", "return %2"], ["return %0"]),
        (["%1 = constant 0.0", "%2 = sub %0 %1", "return %2"], ["return %0"]),
        (["%1 = neg %0", "%2 = neg %1", "return %2"], ["return %0"]),
        (["%1 = identity %0", "return %1"], ["return %0"]),
        (["%1 = constant 0.0", "%2 = exp %0", "%3 = select %1 %2 %0", "return %3"], ["return %0"]),
        (["%1 = constant 5.0", "%2 = exp %0", "%3 = select %1 %2 %0", "return %3"], ["%1 = exp %0", "return %1"]),
    ],
)
def test_what_is_left_out_whatever_the_number(lines, expected, after):
    assert after(relaxed, X, *lines) == expected
    assert after(folded, X, *lines) == lines  # parts of a derivative are added up there


@pytest.mark.parametrize(
    "lines",
    [
        ["%1 = constant 0.0", "%2 = add %0 %1", "return %2"],  # makes 0.0 of -0.0
        ["%1 = constant -0.0", "%2 = sub %0 %1", "return %2"],
        ["%1 = constant 0.0", "%2 = sub %1 %0", "return %2"],
        ["%1 = constant 2.0", "%2 = pow %0 %1", "return %2"],
        ["%1 = constant 0.0", "%2 = mul %0 %1", "return %2"],
        ["%1 = constant 4.0", "%2 = div %0 %1", "return %2"],
    ],
)
def test_what_folding_leaves_alone(lines, after):
    assert after(folded, X, *lines) == lines


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["%1 = constant 0.0", "%2 = add %1 %0", "return %2"], ["return %0"]),
        (["%1 = constant 0.0", "%2 = add %0 %1", "return %2"], ["return %0"]),
        (["%1 = constant 0.0", "%2 = sub %1 %0", "return %2"], ["%1 = neg %0", "return %1"]),
        (["%1 = constant 2.0", "%2 = pow %0 %1", "return %2"], ["%1 = mul %0 %0", "return %1"]),
        (["%1 = constant -1.0", "%2 = pow %0 %1", "return %2"], ["%1 = constant 1.0", "%2 = div %1 %0", "return %2"]),
        (["%1 = constant -4.0", "%2 = div %0 %1", "return %2"], ["%1 = constant -0.25", "%2 = mul %0 %1", "return %2"]),
    ],
)
def test_what_differs_in_the_sign_of_a_zero_or_the_last_bits(lines, expected, after):
    assert after(relaxed, X, *lines) == expected


def test_what_looks_alike_is_treated_alike(after):
    lines = [
        "%0 = input x",
        "%1 = input y",
        "%2 = constant 1.0",
        "%3 = constant 3.0",
        "%4 = mul %0 %2",
        "%5 = mul %1 %3",
    ]
    assert after(relaxed, *lines, "return %4 %5") == [*lines[2:], "return %4 %5"]


@pytest.mark.parametrize("x", ["0.0", "3.0", "1e-320"])
def test_division_by_what_is_no_power_of_two_stays(x, after):
    lines = [f"%1 = constant {float(x)!r}", "%2 = div %0 %1", "return %2"]
    assert after(relaxed, X, *lines) == lines


def test_sums_over_samples_of_constants_stay(after):
    lines = ["%1 = constant 2.0", "%2 = batch_sum %1", "return %2"]
    assert after(folded, X, *lines) == lines
    assert after(relaxed, X, *lines) == lines


@pytest.mark.parametrize("seed", range(40))
def test_folding_keeps_every_bit(seed, drawn, results, same):
    graph, numbers = drawn(seed, samples=3 if seed % 2 else None)
    for some in (numbers, [[0.0] * 3 if isinstance(x, list) else -0.0 for x in numbers]):
        assert same(results(folded(graph), some), results(graph, some), exact=True)


@pytest.mark.parametrize("seed", range(40))
def test_relaxing_keeps_the_numbers(seed, drawn, results, same):
    graph, numbers = drawn(seed, samples=3 if seed % 2 else None)
    assert same(results(relaxed(graph), numbers), results(graph, numbers), exact=False)
