"""Rebuilding: what nothing depends on is left out."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from chainrule import ops
from chainrule.compiler.graph.passes.rebuild import prune, rebuild
from chainrule.compiler.graph.text import from_text


def test_only_what_is_needed_stays(after):
    lines = ["%0 = input x", "%1 = exp %0", "%2 = constant 1.0", "%3 = sin %0", "%4 = gt %0 %2", "guard not %4"]
    assert after(prune, *lines, "return %3 %0") == [
        "%1 = constant 1.0",
        "%2 = sin %0",
        "%3 = gt %0 %1",
        "guard not %3",
        "return %2 %0",
    ]


def test_inputs_stay_though_nothing_needs_them(after):
    graph = prune(from_text("%0 = input x, batched\n%1 = input y\nreturn"))
    assert (graph.names, graph.batched) == (["x", "y"], {0})


def test_a_rule_is_told_what_it_has_made():
    graph = from_text("%0 = input x\n%1 = exp %0\n%2 = sin %1\nreturn %2")
    seen = []

    def rule(new, op, operands, old):
        seen.append((op.name, operands, old))
        return new.add(ops.neg, new.add(op, *operands))

    assert [op and op.name for op in rebuild(graph, rule).ops] == [None, "exp", "neg", "sin", "neg"]
    assert seen == [("exp", (0,), 1), ("sin", (2,), 2)]


@pytest.mark.parametrize("seed", range(10))
def test_pruning_keeps_every_bit(seed, drawn, results, same):
    graph, numbers = drawn(seed, samples=3)
    pruned = prune(graph)
    assert len(pruned) <= len(graph)
    assert same(results(pruned, numbers), results(graph, numbers), exact=True)
    assert prune(pruned) == pruned
