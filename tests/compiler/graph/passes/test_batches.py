"""What all samples share, taken out of sums over samples."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from chainrule.compiler.graph.passes.batches import SAMPLES, split_batch_sums
from chainrule.compiler.graph.text import from_text, to_text

INPUTS = ("%0 = input x, batched", "%1 = input y, batched", "%2 = input u", "%3 = input n")


def split(*lines):
    graph = from_text("\n".join([*INPUTS, *lines]))
    graph.names[3] = SAMPLES
    actual = split_batch_sums(graph)
    actual.verify()
    return to_text(actual).splitlines()[4:]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["%4 = batch_sum %0", "return %4"], ["%4 = batch_sum %0", "return %4"]),
        (["%4 = exp %2", "%5 = batch_sum %4", "return %5"], ["%4 = exp %2", "%5 = mul %3 %4", "return %5"]),
        (
            ["%4 = add %2 %0", "%5 = batch_sum %4", "return %5"],
            ["%4 = batch_sum %0", "%5 = mul %3 %2", "%6 = add %4 %5", "return %6"],
        ),
        (
            ["%4 = sum %0 %2 %1 %2", "%5 = batch_sum %4", "return %5"],
            ["%4 = sum %0 %1", "%5 = sum %2 %2", "%6 = batch_sum %4", "%7 = mul %3 %5", "%8 = add %6 %7", "return %8"],
        ),
        (
            ["%4 = weighted_sum %2 %0 %1", "%5 = batch_sum %4", "return %5"],
            ["%4 = mul %0 %1", "%5 = batch_sum %4", "%6 = mul %3 %2", "%7 = add %5 %6", "return %7"],
        ),
        (
            ["%4 = weighted_sum %0 %2 %2", "%5 = batch_sum %4", "return %5"],
            ["%4 = mul %2 %2", "%5 = batch_sum %0", "%6 = mul %3 %4", "%7 = add %5 %6", "return %7"],
        ),
        (
            ["%4 = mul %0 %2", "%5 = batch_sum %4", "return %5"],
            ["%4 = mul %0 %2", "%5 = batch_sum %4", "return %5"],
        ),
    ],
)
def test_what_is_taken_out(lines, expected):
    assert split(*lines) == expected


def test_without_a_number_of_samples_nothing_is_done():
    graph = from_text("\n".join([*INPUTS, "%4 = add %0 %2", "%5 = batch_sum %4", "return %5"]))
    assert split_batch_sums(graph) is graph


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("samples", [1, 5])
def test_splitting_keeps_the_numbers(seed, samples, drawn, results, same):
    graph, numbers = drawn(seed, samples=samples)
    graph.names[4] = SAMPLES
    numbers[4] = float(samples)
    assert same(results(split_batch_sums(graph), numbers), results(graph, numbers), exact=False)
