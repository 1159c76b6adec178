"""Operations on many numbers in simpler ones."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("llvmlite")

from chainrule import ops
from chainrule.compiler.graph import Graph, evaluate
from chainrule.compiler.passes.spell_out import spell_out


def test_logsumexp_is_spelt_out(after):
    assert after(spell_out, "%0 = input x", "%1 = exp %0", "%2 = logsumexp %1 %0", "return %2") == [
        "%1 = exp %0",
        "%2 = largest %1 %0",
        "%3 = sub %1 %2",
        "%4 = exp %3",
        "%5 = sub %0 %2",
        "%6 = exp %5",
        "%7 = sum %4 %6",
        "%8 = log %7",
        "%9 = add %2 %8",
        "return %9",
    ]


def test_everything_else_stays(after):
    lines = ["%1 = constant 2.0", "%2 = sum %0 %1 %0", "%3 = batch_sum %2", "guard %3", "return %3"]
    assert after(spell_out, "%0 = input x, batched", *lines) == lines


INFINITE = [[math.inf, 1.0], [math.inf, math.inf], [-math.inf, -math.inf]]
FINITE = [[1.0], [700.0, -700.0], [1e300, 1e300], [-1e300, 0.0], [0.0] * 9, [math.nan, 1.0], [-math.inf, 2.0]]
SHIFTED = pytest.mark.xfail(strict=True, reason="the largest is taken off, and inf - inf is nan")


@pytest.mark.parametrize("xs", [*FINITE, *[pytest.param(xs, marks=SHIFTED) for xs in INFINITE]])
def test_large_numbers_stay_finite(xs):
    graph = Graph.of_inputs([f"x{i}" for i in range(len(xs))])
    graph.outputs = [graph.add(ops.logsumexp, *range(len(xs)))]
    spelt = spell_out(graph)
    wanted, found = evaluate(graph, xs)[graph.outputs[0]], evaluate(spelt, xs)[spelt.outputs[0]]
    assert found == pytest.approx(wanted, rel=1e-14, nan_ok=True)


@pytest.mark.parametrize("seed", range(20))
def test_spelling_out_keeps_the_numbers(seed, drawn, results, same):
    arithmetic = [ops.add, ops.sub, ops.mul]
    graph, numbers = drawn(seed, samples=3 if seed % 2 else None, operations=arithmetic)
    assert same(results(spell_out(graph), numbers), results(graph, numbers), exact=False)
