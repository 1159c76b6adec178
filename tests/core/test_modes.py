"""`no_grad` and `detect_anomaly`, and how messages find the user's own line."""

from __future__ import annotations

import math
import sys
import threading
import warnings
from pathlib import Path

import pytest

import chainrule
from chainrule import Value, detect_anomaly, grad, no_grad, operation, ops
from chainrule.core import modes
from chainrule.errors import AnomalyError, SwallowedInfinityWarning


def here() -> int:
    """The number of the line that calls this."""
    return sys._getframe(1).f_lineno


# ---- no_grad -------------------------------------------------------------------------------------------------------


def test_no_grad_gives_plain_leaves_with_the_same_numbers():
    v = Value(3.0)
    with no_grad():
        results = [v * v, v.tanh(), 2 - v, v < 4, ops.sum([v, v]), ops.weighted_sum([v], [2.0], 1.0)]
    recorded = [v * v, v.tanh(), 2 - v, v < 4, ops.sum([v, v]), ops.weighted_sum([v], [2.0], 1.0)]
    for result, like in zip(results, recorded, strict=True):
        assert isinstance(result, Value)
        assert (result.data, result.operands, result.locals, result.op) == (like.data, (), (), None)
        result.data = 1.0
    assert (v * v).operands


def test_a_block_that_another_thread_ends_leaves_no_mode_open(in_threads):
    def steps():
        with no_grad():
            yield

    began = steps()
    in_threads([lambda: next(began)])
    in_threads([lambda: next(began, None)])
    assert modes.open_modes == []


def test_no_grad_stops_the_derivative():
    v = Value(3.0)
    with no_grad():
        factor = v * v
    (factor * v).backward()
    assert v.grad == 9.0


def test_no_grad_as_decorator():
    @no_grad()
    def predict(v):
        return v * 2

    assert [predict(Value(1.0)).operands, predict(Value(2.0)).operands] == [(), ()]
    assert (Value(1.0) * 2).operands


def test_no_grad_nests_and_ends_with_an_exception():
    v = Value(1.0)
    with no_grad():
        with no_grad():
            assert (v * 2).op is None
        assert (v * 2).op is None
    assert (v * 2).op is ops.mul
    with pytest.raises(KeyError), no_grad():
        raise KeyError("x")
    assert (v * 2).op is ops.mul


def test_no_grad_still_refuses_what_is_no_number():
    with no_grad(), pytest.raises(TypeError, match="needs real numbers"):
        Value(1.0) + "1"


def test_backward_works_inside_no_grad():
    v = Value(3.0)
    y = v * v
    with no_grad():
        y.backward()
    assert v.grad == 6.0


def test_transforms_record_even_inside_no_grad():
    with no_grad():
        assert chainrule.grad(lambda x: x**3)(2.0) == 12.0
        assert chainrule.grad(chainrule.grad(lambda x: x**3))(2.0) == 12.0
        assert (Value(1.0) * 2).op is None


# ---- detect_anomaly ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda v: (v - 1).log(), "log(-1.0) gave nan"),
        (lambda v: v.log(), "log(x=0.0) gave -inf"),
        (lambda v: 1 / v, "div(1.0, x=0.0) gave inf"),
        (lambda v: (v + 1000).exp(), "exp(1000.0) gave inf"),
        (lambda v: ops.add(v, math.nan), "add(x=0.0, nan) gave nan"),
        (lambda v: ops.sum([v, math.inf]), "sum(x=0.0, inf) gave inf"),
    ],
)
def test_the_first_number_that_is_not_finite_stops(call, words):
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        call(Value(0.0, "x"))
    line = f"line {call.__code__.co_firstlineno} of {__file__}"
    assert str(caught.value) == f"{words}, at {line}"


def test_the_line_is_that_of_the_operation_within_a_longer_program():
    def model(x):
        y = x * 2
        z = y - 6
        root = z.sqrt()
        return root * y

    with detect_anomaly():
        assert model(Value(3.5)).data == 7.0
        sqrt_line = model.__code__.co_firstlineno + 3
        with pytest.raises(AnomalyError, match=rf"sqrt\(-1.0\) gave nan, at line {sqrt_line} of "):
            model(Value(2.5))


def test_many_operands_are_shown_short():
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        ops.sum([Value(1.0)] * 1000 + [math.inf])
    assert "…" in str(caught.value)
    assert len(str(caught.value)) < 300


def test_backward_stops_at_the_operation_that_made_the_gradient_infinite():
    x = Value(0.0, "x")
    with detect_anomaly():
        line = here() + 1
        root = x.sqrt()
        y = root * 2
        with pytest.raises(AnomalyError) as caught:
            y.backward()
    message = str(caught.value)
    assert "backward through sqrt(x=0.0) gave the gradient inf" in message
    assert "upstream 2.0 times local derivative inf" in message
    assert f"line {line} of {__file__}" in message


def test_backward_through_a_graph_that_was_made_earlier():
    x = Value(0.0, "x")
    y = x.sqrt() * 2
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"sqrt\(x=0.0\).*before detect_anomaly\(\)"):
        y.backward()


def test_a_zero_upstream_is_no_anomaly():
    x = Value(0.0)
    with detect_anomaly():
        ops.select(x > 0, ops.sqrt(x), 0).backward()
    assert x.grad == 0.0


def swallowed(f, *operands):
    """What `detect_anomaly()` says of backward() and of grad."""
    found = []
    for run in (lambda: f(*map(Value, operands)).backward(), lambda: grad(f, tuple(range(len(operands))))(*operands)):
        with warnings.catch_warnings(record=True) as caught, detect_anomaly():
            warnings.simplefilter("always")
            run()
        assert {warning.category for warning in caught} <= {SwallowedInfinityWarning}
        found.append([str(warning.message) for warning in caught])
    return found


@pytest.mark.parametrize(
    ("f", "operands", "call"),
    [
        (lambda x: ops.sqrt(x) ** 2, (0.0,), "sqrt(0.0)"),
        (lambda a, b: ops.sqrt((a - b) ** 2) ** 2, (0.7, 0.7), "sqrt(0.0)"),
        (lambda x, y: y * ops.sqrt(x), (0.0, 0.0), "sqrt(0.0)"),
        (lambda x: (x ** (1 / 3)) ** 3, (0.0,), "pow(0.0, 0.3333333333333333)"),
    ],
)
def test_an_infinite_slope_that_meets_a_zero_is_told(f, operands, call):
    for messages in swallowed(f, *operands):
        assert len(messages) == 1
        assert f"through {call}, called at line" in messages[0]
        assert "sum_of_squares" in messages[0]


@pytest.mark.parametrize("x", [0.0, -1e-320])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: ops.select(x > 0, ops.sqrt(ops.abs(x)), 0.0),
        lambda x: (x > 0) * ops.sqrt(ops.abs(x)),
        lambda x: ops.relu(x) * ops.sqrt(ops.abs(x)),
        lambda x: ops.max(ops.sqrt(ops.abs(x)), 1.0),
        lambda x: ops.sum_of_squares([x, x]),
        lambda x: 0.0 * ops.sqrt(ops.abs(x)) + x,
        lambda x: ops.weighted_sum([0.0, 1.0], [ops.sqrt(ops.abs(x)), x], 0.0),
    ],
)
def test_a_branch_that_is_not_taken_is_not_warned_about(f, x):
    assert swallowed(f, x) == [[], []]


def test_refresh_is_watched_too():
    x = Value(4.0, "x")
    y = x.sqrt() * 2
    x.data = -1.0
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"sqrt\(x=-1.0\) gave nan"):
        y.refresh()


def test_numbers_without_gradient_are_watched_too():
    with detect_anomaly(), no_grad(), pytest.raises(AnomalyError, match=r"log\(x=0.0\) gave -inf"):
        Value(0.0, "x").log()


def test_anomalies_inside_a_transform_are_found():
    def f(x):
        return x.log()

    with detect_anomaly(), pytest.raises(AnomalyError, match=rf"line {here() - 2} of "):
        chainrule.grad(f)(-1.0)


def test_an_infinite_gradient_inside_a_transform_is_found():
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"backward through sqrt\(0.0\)"):
        chainrule.grad(lambda x: x.sqrt() * 2)(0.0)


def test_an_own_operation_is_watched(own_operations):
    @operation(local=lambda x, y: math.inf)
    def steep(x):
        return x

    x = Value(1.0)
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"backward through steep\(1.0\)"):
        x.steep().backward()


def test_detect_anomaly_ends_and_nests_and_decorates():
    @detect_anomaly()
    def fragile(v):
        return v.log()

    with pytest.raises(AnomalyError):
        fragile(Value(0.0))
    with detect_anomaly():
        with detect_anomaly():
            pass
        with pytest.raises(AnomalyError):
            Value(0.0).log()
    assert Value(0.0).log().data == -math.inf


def test_numbers_are_the_same_under_detect_anomaly():
    def gradients():
        x, w = Value(0.3), Value(-1.2)
        y = ops.weighted_sum([w, x], [x, 2.0], w).tanh() / (x * x + 1)
        y.backward()
        return y.data, x.grad, w.grad

    with detect_anomaly():
        watched = gradients()
    assert watched == gradients()


# ---- threads, and the user's own line ------------------------------------------------------------------------------


def test_each_thread_has_its_own_modes():
    inside, done, found = threading.Event(), threading.Event(), {}

    def other():
        inside.wait(10)
        found["recorded"] = (Value(1.0) * 2).op
        found["unwatched"] = Value(0.0).log().data
        with no_grad():
            found["own"] = (Value(1.0) * 2).op
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with no_grad(), detect_anomaly():
        inside.set()
        assert done.wait(10)
        assert (Value(1.0) * 2).op is None
    thread.join()
    assert found == {"recorded": ops.mul, "unwatched": -math.inf, "own": None}


def test_many_threads_build_and_differentiate_at_once():
    results = {}

    def work(seed):
        x = Value(float(seed))
        for _ in range(50):
            y = x * x + x.tanh()
            x.grad = 0
            y.backward()
        results[seed] = x.grad == 2.0 * seed + 1.0 - math.tanh(seed) ** 2

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == dict.fromkeys(range(8), True)


def test_a_folder_whose_name_starts_like_the_package_is_the_user_s():
    theirs = f"{Path(chainrule.__file__).parent}_course/lesson.py"
    space = {"Value": Value}
    exec(compile("def lesson(x):\n    return x.log()\n", theirs, "exec"), space)
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"line 2 of .*chainrule_course"):
        space["lesson"](Value(0.0))


def test_a_warning_of_an_infinity_may_wait_for_another_backward(monkeypatch):
    done = []

    def elsewhere(*_, **__):
        v = Value(3.0)
        thread = threading.Thread(target=(v * v).backward, daemon=True)
        thread.start()
        thread.join(60)
        done.append(v.grad == 6.0)

    with warnings.catch_warnings(), detect_anomaly():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", elsewhere)
        (ops.sqrt(Value(0.0)) ** 2).backward()
    assert done == [True]
