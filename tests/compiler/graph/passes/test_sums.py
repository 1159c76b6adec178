"""Chains of additions as single nodes."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from chainrule import ops
from chainrule.compiler.graph.passes import sums
from chainrule.compiler.graph.passes.sums import gather_sums

ABC = ("%0 = input a", "%1 = input b", "%2 = input c")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["%3 = add %0 %1", "%4 = add %3 %2", "return %4"], ["%3 = sum %0 %1 %2", "return %3"]),
        (["%3 = add %0 %1", "return %3"], ["%3 = add %0 %1", "return %3"]),
        (["%3 = add %1 %2", "%4 = add %0 %3", "return %4"], ["%3 = add %1 %2", "%4 = add %0 %3", "return %4"]),
        (["%3 = add %0 %1", "%4 = add %3 %2", "return %4 %3"], ["%3 = add %0 %1", "%4 = add %3 %2", "return %4 %3"]),
        (["%3 = sum %0 %1", "%4 = sum %3 %2 %2", "return %4"], ["%3 = sum %0 %1 %2 %2", "return %3"]),
        (["%3 = sum %0", "return %3"], ["%3 = sum %0", "return %3"]),
        (["%3 = constant 0.0", "%4 = add %3 %0", "%5 = add %4 %1", "return %5"], ["%3 = add %0 %1", "return %3"]),
        (["%3 = constant 0.0", "%4 = add %3 %0", "return %4"], ["return %0"]),
    ],
)
def test_chains_of_additions(lines, expected, after):
    assert after(gather_sums, *ABC, *lines) == expected


def test_sums_of_products(after):
    lines = ["%3 = mul %0 %1", "%4 = add %2 %3", "%5 = mul %1 %2", "%6 = add %4 %5", "return %6"]
    assert after(gather_sums, *ABC, *lines) == ["%3 = weighted_sum %2 %0 %1 %1 %2", "return %3"]
    lines = ["%3 = mul %0 %1", "%4 = mul %1 %2", "%5 = add %3 %4", "return %5"]
    assert after(gather_sums, *ABC, *lines) == ["%3 = constant 0.0", "%4 = weighted_sum %3 %0 %1 %1 %2", "return %4"]


def test_products_that_something_else_uses_stay(after):
    lines = ["%3 = mul %0 %1", "%4 = add %2 %3", "return %4 %3"]
    assert after(gather_sums, *ABC, *lines) == ["%3 = mul %0 %1", "%4 = add %2 %3", "return %4 %3"]


def test_a_number_added_to_itself(after):
    assert after(gather_sums, *ABC, "%3 = add %0 %0", "%4 = add %3 %3", "return %4") == [
        "%3 = add %0 %0",
        "%4 = add %3 %3",
        "return %4",
    ]


def test_guards_stop_a_chain(after):
    lines = ["%3 = add %0 %1", "%4 = add %3 %2", "guard %3", "return %4"]
    assert after(gather_sums, *ABC, *lines) == lines


@pytest.mark.parametrize("seed", range(40))
def test_gathering_changes_no_more_than_the_sign_of_a_zero(seed, drawn, results, same):
    kinds = [ops.add, ops.add, ops.add, ops.mul, ops.sum]
    graph, numbers = drawn(seed, samples=3 if seed % 2 else None, operations=kinds)
    actual, expected = results(gather_sums(graph), numbers), results(graph, numbers)
    plus = [[y + 0.0 for y in x] if isinstance(x, list) else x + 0.0 for x in actual]
    assert same(plus, [[y + 0.0 for y in x] if isinstance(x, list) else x + 0.0 for x in expected], exact=False)


@pytest.mark.parametrize("seed", range(40))
def test_so_it_is_with_long_chains_of_subtractions(seed, drawn, results, same, monkeypatch):
    monkeypatch.setattr(sums, "LONG_CHAIN", 2)  # so that what is drawn has some
    kinds = [ops.sub, ops.sub, ops.add, ops.mul, ops.sum]
    graph, numbers = drawn(seed, samples=3 if seed % 2 else None, operations=kinds)
    actual, expected = results(gather_sums(graph), numbers), results(graph, numbers)
    plus = [[y + 0.0 for y in x] if isinstance(x, list) else x + 0.0 for x in actual]
    assert same(plus, [[y + 0.0 for y in x] if isinstance(x, list) else x + 0.0 for x in expected], exact=False)


def test_long_chains_of_subtractions(after):
    lines = [f"%{k + 3} = sub %{k + 2 if k else 0} %1" for k in range(8)]
    minus = [f"%{k + 3} = neg %1" for k in range(8)]
    terms = " ".join([f"%{k + 3}" for k in range(8)])
    assert after(gather_sums, *ABC, *lines, "return %10") == [*minus, f"%11 = sum %0 {terms}", "return %11"]
    assert after(gather_sums, *ABC, *lines[:-1], "return %9") == [*lines[:-1], "return %9"]
    products = ["%3 = mul %0 %1", "%4 = sub %2 %3"]
    for k in range(5, 19, 2):
        products += [f"%{k} = mul %0 %1", f"%{k + 1} = sub %{k - 1} %{k}"]
    actual = after(gather_sums, *ABC, *products, "return %18")
    assert actual[-2] == "%11 = weighted_sum %2 " + " ".join([f"%{k + 3} %1" for k in range(8)])
