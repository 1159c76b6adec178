"""Operations on many numbers in simpler ones."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("llvmlite")

from chainrule import ops
from chainrule.compiler.graph.differentiate import differentiate
from chainrule.compiler.graph.graph import Graph, evaluate
from chainrule.compiler.graph.passes.spell_out import spell_out


def test_logsumexp_is_spelt_out(after):
    assert after(spell_out, "%0 = input x", "%1 = exp %0", "%2 = logsumexp %1 %0", "return %2") == [
        "%1 = exp %0",
        "%2 = largest %1 %0",
        "%3 = constant -1.7976931348623157e+308",
        "%4 = constant 1.7976931348623157e+308",
        "%5 = clip %2 %3 %4",
        "%6 = sub %1 %5",
        "%7 = exp %6",
        "%8 = sub %0 %5",
        "%9 = exp %8",
        "%10 = sum %7 %9",
        "%11 = log %10",
        "%12 = add %5 %11",
        "return %12",
    ]


def test_derivatives_of_logsumexp_take_no_power_again(after):
    written = ["%1 = exp %0", "%2 = logsumexp %1 %0", "%3 = sub %0 %2", "%4 = exp %3", "%5 = sub %1 %2", "%6 = exp %5"]
    assert after(spell_out, "%0 = input x", *written, "return %2 %4 %6") == [
        *("%1 = exp %0", "%2 = largest %1 %0"),
        *("%3 = constant -1.7976931348623157e+308", "%4 = constant 1.7976931348623157e+308", "%5 = clip %2 %3 %4"),
        *("%6 = sub %1 %5", "%7 = exp %6", "%8 = sub %0 %5", "%9 = exp %8", "%10 = sum %7 %9"),
        *("%11 = log %10", "%12 = add %5 %11", "%13 = sub %0 %12"),
        *("%14 = constant 1.0", "%15 = div %14 %10", "%16 = mul %9 %15"),
        *("%17 = sub %1 %12", "%18 = mul %7 %15", "return %12 %16 %18"),
    ]


def test_powers_of_other_differences_stay(after):
    """What was not added up, what is not a difference, and what is one the other way round."""
    written = ["%1 = sin %0", "%2 = logsumexp %0", "%3 = sub %1 %2", "%4 = exp %3", "%5 = sub %2 %0", "%6 = exp %5"]
    lines = after(spell_out, "%0 = input x", *written, "%7 = add %0 %2", "%8 = exp %7", "return %4 %6 %8")
    assert sum(" = exp " in line for line in lines) == 4
    assert not any(" = div " in line for line in lines)


def test_a_sum_of_squares_is_spelt_out(after):
    assert after(spell_out, "%0 = input x", "%1 = exp %0", "%2 = sum_of_squares %1 %0", "return %2") == [
        "%1 = exp %0",
        "%2 = mul %1 %1",
        "%3 = mul %0 %0",
        "%4 = sum %2 %3",
        "return %4",
    ]


def test_a_norm_is_spelt_out(after):
    assert after(spell_out, "%0 = input x", "%1 = exp %0", "%2 = norm %1 %0 %0", "%3 = norm %2", "return %3") == [
        "%1 = exp %0",
        "%2 = hypot %1 %0",
        "%3 = hypot %2 %0",
        "%4 = constant 0.0",
        "%5 = hypot %3 %4",
        "return %5",
    ]


def test_means_variances_and_products_are_spelt_out(after):
    assert after(spell_out, "%0 = input x", "%1 = exp %0", "%2 = mean %1 %0", "%3 = prod %2 %1 %0", "return %3") == [
        *("%1 = exp %0", "%2 = sum %1 %0", "%3 = constant 2.0", "%4 = div %2 %3"),
        *("%5 = mul %4 %1", "%6 = mul %5 %0", "return %6"),
    ]
    assert after(spell_out, "%0 = input x", "%1 = exp %0", "%2 = var %1 %0 %1", "return %2") == [
        *("%1 = exp %0", "%2 = sub %0 %1", "%3 = sub %1 %1", "%4 = mul %2 %2", "%5 = mul %3 %3"),
        *("%6 = sum %4 %5", "%7 = constant 2.0", "%8 = div %6 %7", "return %8"),
    ]


def test_everything_else_stays(after):
    lines = ["%1 = constant 2.0", "%2 = sum %0 %1 %0", "%3 = batch_sum %2", "guard %3", "return %3"]
    assert after(spell_out, "%0 = input x, batched", *lines) == lines


INFINITE = [[math.inf, 1.0], [math.inf, math.inf], [-math.inf, -math.inf]]
FINITE = [[1.0], [700.0, -700.0], [1e300, 1e300], [-1e300, 0.0], [0.0] * 9, [math.nan, 1.0], [-math.inf, 2.0]]


@pytest.mark.parametrize("xs", [*FINITE, *INFINITE])
def test_large_and_infinite_numbers(xs):
    graph = Graph.of_inputs([f"x{i}" for i in range(len(xs))])
    graph.outputs = [graph.add(ops.logsumexp, *range(len(xs)))]
    spelt = spell_out(graph)
    expected, actual = evaluate(graph, xs)[graph.outputs[0]], evaluate(spelt, xs)[spelt.outputs[0]]
    assert actual == pytest.approx(expected, rel=1e-14, nan_ok=True)


@pytest.mark.parametrize("xs", [*FINITE, *INFINITE])
def test_derivatives_of_large_and_infinite_numbers(xs):
    graph = Graph.of_inputs([f"x{i}" for i in range(len(xs))])
    graph.outputs = differentiate(graph, graph.add(ops.logsumexp, *range(len(xs))), range(len(xs)))
    spelt = spell_out(graph)
    assert ops.div in spelt.ops
    if xs in INFINITE:
        numbers = evaluate(graph, xs)
        expected = [numbers[k] for k in graph.outputs]
    else:
        powers = [math.exp(x - max(xs)) for x in xs]
        expected = [power / sum(powers) for power in powers]
    actual = evaluate(spelt, xs)
    assert [actual[k] for k in spelt.outputs] == pytest.approx(expected, rel=1e-15, nan_ok=True)


@pytest.mark.parametrize("seed", range(20))
def test_spelling_out_keeps_the_numbers(seed, drawn, results, same):
    arithmetic = [ops.add, ops.sub, ops.mul]
    graph, numbers = drawn(seed, samples=3 if seed % 2 else None, operations=arithmetic)
    assert same(results(spell_out(graph), numbers), results(graph, numbers), exact=False)
