"""Steps whose guards native code evaluates differently from Python, or whose numbers are not finite."""

from __future__ import annotations

import math
import random
import warnings

import pytest

import chainrule
from chainrule import Value, errors, ops
from chainrule.optim import SGD

pytest.importorskip("llvmlite")

import numpy as np

from chainrule.compiler.steps import single_step
from chainrule.compiler.steps.levelised_loss import LevelisedKernel
from chainrule.compiler.steps.step import compile_step

from ..functions import root


def rooted(w):
    return lambda a, y: (root(a * w) - y) ** 2


@pytest.mark.parametrize("in_axes", [None, 0])
def test_a_tolerance_below_the_last_digit_of_float32_needs_no_trace_for_each_step(in_axes, quiet):
    xs = np.linspace(1.1, 3.0, 40)
    batches = [(xs, np.sqrt(2 * xs))] * 4 if in_axes == 0 else [(x, math.sqrt(2 * x)) for x in xs.tolist() * 2]
    found = []
    for dtype in ("float64", "float32"):
        w = Value(1.0)
        step = compile_step(rooted(w), SGD([w], lr=0.05), in_axes=in_axes, dtype=dtype)
        losses = quiet(step.run, batches)
        assert step.traces <= 2 * step.kernels
        found.append((losses, w.data))
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-3, abs=1e-6)
    assert found[1][1] == pytest.approx(found[0][1], rel=1e-5)
    assert "whose branches were decided once more, in 64 bits" in step.explain()


def test_it_is_told_once():
    xs = np.linspace(1.1, 3.0, 2000)
    w = Value(1.0)
    step = compile_step(rooted(w), SGD([w], lr=0.05), in_axes=0, dtype="float32")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(6):
            step(xs, np.sqrt(2 * xs))
    [warning] = caught
    assert warning.category is errors.SlowWarning
    assert "dtype='float64'" in str(warning.message)
    assert warning.filename == __file__


def test_what_has_other_branches_each_time_is_refused_at_last(monkeypatch, quiet):
    # as if Python changed its mind
    monkeypatch.setattr(single_step.SingleStepLoss, "_held_exactly", lambda *_: np.zeros(1, bool))
    w = Value(1.0)
    step = compile_step(rooted(w), SGD([w], lr=0.0), dtype="float32", max_traces=8)
    with pytest.raises(errors.TraceError, match="the loss was traced 8 times at numbers at which it had been traced"):
        quiet(step.run, [(2.0, 1.0)] * 40)
    assert w.data == 1.0


# ---- a zero times an infinite slope ----------------------------------------------------------------------------------
def kinked(w):
    return lambda x: chainrule.sqrt(chainrule.max(x * w, 0.0)) * 2.0 + w * w


@pytest.mark.parametrize("in_axes", [None, 0])
@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_where_a_zero_meets_an_infinite_slope_again_and_again_exact_code_takes_over(training, in_axes, reduce):
    xs = np.random.default_rng(0).uniform(0.5, 2.0, 300)
    xs[[3, 200]] = -1.0
    batches = [(xs,)] * 8 if in_axes == 0 else [(x,) for x in [1.0, -1.0] * 8]
    w, v = Value(1.5), Value(1.5)
    eager = SGD([v], lr=1e-3)
    wanted = training.eager(kinked(v), eager, batches, in_axes, reduce)
    step = compile_step(kinked(w), SGD([w], lr=1e-3), in_axes=in_axes, reduce=reduce)
    by_hand, eagerly = [], step.by_hand
    step.by_hand = lambda batch: by_hand.append(batch) or eagerly(batch)
    assert step.run(batches) == pytest.approx(wanted, rel=1e-9)
    assert (w.data, step.optimizer.steps) == (pytest.approx(v.data, rel=1e-9), eager.steps)
    assert len(by_hand) == 3
    explained = step.explain().replace("\n        ", " ")
    assert "3 steps done by the eager engine" in explained
    assert "calculated again bit by bit as the eager engine does" in explained


def test_lists_that_run_in_the_kernel_of_a_longer_one(training):
    def loss_of(w):
        def loss(ids):
            xs = [ops.take(w[:7], i) for i in ids]
            queries, keys, values = [x * w[0] for x in xs], [ops.tanh(x * w[1]) for x in xs], [x * w[2] for x in xs]
            errors = []
            for i, query in enumerate(queries):
                scores = [ops.exp(query * key) for key in keys[: i + 1]]
                total = ops.sum(scores)
                seen = ops.sum([score / total * value for score, value in zip(scores, values, strict=False)])
                errors.append(ops.sqrt(ops.max((seen - w[3]) ** 2 - w[7], 0.0)))
            return ops.sum(errors) * (1.0 / len(ids))

        return loss

    batches = [([i % 7 for i in range(n)],) for n in (16, 5, 9)]
    w, v = training.parameters(8), training.parameters(8)
    step = compile_step(loss_of(w), SGD(w, lr=1e-3))
    w[7].data = v[7].data = -10.0
    wanted = training.eager(loss_of(v), SGD(v, lr=1e-3), batches)
    assert step.run(batches) == pytest.approx(wanted, rel=1e-9)
    assert {path.lanes is None for paths in step.paths.known.values() for path in paths} == {True, False}
    w[7].data = v[7].data = 0.5  # from here on, a zero meets an infinite slope
    wanted = training.eager(loss_of(v), SGD(v, lr=1e-3), batches * 4)
    assert step.run(batches * 4) == pytest.approx(wanted, rel=1e-9)
    assert [x.data for x in w] == pytest.approx([x.data for x in v], rel=1e-9)
    assert "3 steps done by the eager engine" in step.explain().replace("\n        ", " ")


def test_an_operation_at_fault_is_named_all_the_same():
    w = Value(1.0)
    step = compile_step(lambda x: chainrule.log(x * w), SGD([w], lr=0.0), in_axes=0)
    for _ in range(5):
        with pytest.raises(errors.AnomalyError, match="log"):
            step(np.array([1.0, -1.0]))
    assert "by the eager engine" not in step.explain()  # a step that failed is not counted


def test_a_loss_without_loops_says_that_its_steps_are_done_one_by_one():
    w = [Value(0.1), Value(0.2)]

    def irregular(x):
        draw, found = random.Random(0), [*w, x]
        for _ in range(300):
            a, b = draw.choices(found[-9:], k=2)
            found.append(draw.choice([ops.sin(a * b), a * b, a - b, ops.tanh(a) + b, ops.cos(b)]))
        return found[-1] ** 2

    step = compile_step(irregular, SGD(w, lr=1e-6))
    step(1.0)
    assert isinstance(step.last.kernel, LevelisedKernel)
    with pytest.warns(errors.SlowWarning, match="1,000 steps done one by one from Python, since there are no loops"):
        step.run([(1.0,)] * 1000)
    assert "1,001 steps done one by one" in step.explain()
