"""A step keeps compiled code and memory for a limited number of structures and sizes of batches."""

from __future__ import annotations

import warnings

import pytest

import chainrule
from chainrule import Value, errors
from chainrule.optim import SGD

pytest.importorskip("llvmlite")

import numpy as np

from chainrule.compiler.calling.structures import MANY
from chainrule.compiler.steps import loss_paths
from chainrule.compiler.steps.step import compile_step


@pytest.fixture
def kernels(noted):
    """Weak references to all kernels of losses."""
    return noted(loss_paths, "loop_kernel", "LevelisedKernel")


def test_batches_of_all_sizes_are_not_kept():
    w = Value(0.5)
    step = compile_step(lambda x: (w * x - 1.0) ** 2, SGD([w], lr=1e-3), in_axes=0, max_structures=8)
    for n in range(1, 60):
        xs = np.linspace(0.0, 1.0, n)
        assert step(xs) == pytest.approx(np.mean((w.data * xs - 1.0) ** 2), rel=1e-2)
        assert len(step.records) <= 8
        assert len(step.columns) <= 8
    assert step.kernels == 1


def test_batches_of_many_sizes_in_one_call(training):
    batches = [(np.linspace(0.0, 1.0, 1 + n % 37),) for n in range(100)]
    step = training.twice(lambda w: lambda x: (w[0] * x - w[1]) ** 2, lambda w: SGD(w, lr=0.1), batches, in_axes=0)
    assert len({id(record.bound.memory) for record in step.records.values()}) == 1


def test_kernels_of_structures_that_were_not_used_for_longest_are_let_go(kernels, alive):
    w = Value(0.5)
    step = compile_step(lambda xs: chainrule.sum([(w * x - 1.0) ** 2 for x in xs]), SGD([w], lr=1e-3), max_structures=4)
    for n in range(1, 15):
        before = w.data
        assert step([1.0] * n) == pytest.approx(n * (before - 1.0) ** 2, rel=1e-9)
        step([0.5, 0.25])
    assert alive(kernels) <= 4
    assert len(step.paths.known) == 4
    assert step.traces == 14  # the list of two numbers was traced once and kept
    assert "structures let go" in step.explain()


def test_one_structure_may_be_all_that_is_kept(kernels, alive):
    w = Value(0.5)
    step = compile_step(lambda xs: chainrule.sum([w * x for x in xs]), SGD([w], lr=0.0), max_structures=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i in range(2 * MANY + 2):
            assert step([1.0] * (1 + i % 2)) == 0.5 * (1 + i % 2)
    assert alive(kernels) == 1
    assert ["max_structures=4" in str(warning.message) for warning in caught] == [False, True]


def test_what_one_call_needs_is_kept_while_it_runs(training):
    batches = [([1.0] * n,) for n in range(1, 12)] * 2
    step = training.twice(
        lambda w: lambda xs: chainrule.sum([(w[0] * x - w[1]) ** 2 for x in xs]),
        lambda w: SGD(w, lr=1e-3),
        batches,
        max_structures=2,
    )
    assert len(step.paths.known) == 11
    step([1.0, 2.0])
    step([1.0] * 20)
    assert len(step.paths.known) <= 2


def test_lists_that_grow_from_step_to_step_are_told_once():
    w = Value(0.5)
    step = compile_step(lambda xs: chainrule.sum([(w * x - 1.0) ** 2 for x in xs]), SGD([w], lr=1e-3))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in range(1, MANY + 5):
            step([1.0] * n)
    [warning] = caught
    assert warning.category is errors.SlowWarning
    assert "argument 0, the list [1.0, 1.0" in str(warning.message)
    assert "bring lists to a few lengths" in str(warning.message)


def test_many_lengths_in_one_run_are_not_told():
    batches = [([1.0] * n,) for n in range(1, MANY + 5)] * 3
    w = Value(0.5)
    step = compile_step(lambda xs: chainrule.sum([(w * x - 1.0) ** 2 for x in xs]), SGD([w], lr=1e-3))
    step.run(batches)
    assert "fallbacks" not in step.explain()
