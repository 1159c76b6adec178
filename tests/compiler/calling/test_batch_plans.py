"""Batches by a plan, beside the same calls without one."""

from __future__ import annotations

import itertools
import math
import mmap
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule
from chainrule import Value
from chainrule.engine import is_compiled

pytest.importorskip("llvmlite")

import numpy as np

from .planned import HAS_PLANS, both, check_alike, in_threads, outcome

SIZES = [1, 7, 100, 1023, 5001]


def drawn(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


def of_two(x, y):
    return chainrule.sin(x) * y + chainrule.exp(-x)


def of_lists(x, w):
    """Of a sample with an axis, and weights that samples share."""
    return chainrule.sum([chainrule.tanh(xi * wi) for xi, wi in zip(x, w, strict=True)]) + x[0] * w[1] * w[1]


def of_matrix(x, scale):
    return chainrule.sum([chainrule.exp(-(cell * cell)) * scale for row in x for cell in row])


def two_results(x):
    return [chainrule.sum([xi * xi * xi for xi in x]), chainrule.exp(-chainrule.sum([chainrule.sin(xi) for xi in x]))]


def alike(x, y):
    """Both derivatives are the same number."""
    return chainrule.sin(x + y)


CASES = {
    "two columns": (of_two, 0, lambda n: (drawn(n), drawn(n, 1)[:, 0])),
    "one number for all": (of_two, (0, None), lambda n: (drawn(n), 0.5)),
    "rows, and a list": (of_lists, (0, None), lambda n: (drawn(n, 3), [0.5, 1.5, -0.5])),
    "rows, and an array": (of_lists, (0, None), lambda n: (drawn(n, 3), drawn(3))),
    "rows and rows": (of_lists, 0, lambda n: (drawn(n, 3), drawn(n, 3) + 1)),
    "matrices": (of_matrix, (0, None), lambda n: (drawn(n, 2, 3), 2.0)),
    "many numbers a sample": (two_results, 0, lambda n: (drawn(n, 15),)),
    "one derivative twice": (alike, 0, lambda n: (drawn(n), drawn(n) + 1)),
    "a linear function": (lambda x, y: x * 2.0 + y, 0, lambda n: (drawn(n), drawn(n) + 1)),
}


@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
@pytest.mark.parametrize("name", CASES)
def test_batches_give_what_they_give_without_a_plan(name, reduce):
    function, in_axes, drawn_args = CASES[name]
    planned, plain = both(function, in_axes=in_axes, reduce=reduce)
    count = len(drawn_args(1))
    for n in SIZES:
        args = drawn_args(n)
        check_alike(planned, plain, "__call__", *args)
        for argnums in (0, count - 1, tuple(range(count))):
            check_alike(planned, plain, "jacobian", *args, argnums=argnums)
            if function is not two_results:
                check_alike(planned, plain, "value_and_grad", *args, argnums=argnums)


@pytest.mark.skipif(not (is_compiled() and HAS_PLANS), reason="only the compiled build has plans for batches")
@pytest.mark.parametrize(("name", "reduce"), [("two columns", None), ("many numbers a sample", None),
                                              ("rows, and a list", "mean"), ("rows, and an array", None)])  # fmt: skip
def test_such_batches_have_a_plan_from_the_second_call_on(name, reduce):
    function, in_axes, drawn_args = CASES[name]
    planned, _ = both(function, in_axes=in_axes, reduce=reduce)
    by = {"argnums": 1} if reduce else {}
    for n in (10, 10, 1000, 3):
        planned.jacobian(*drawn_args(n), **by)
    assert planned._plans.taken == [False, True, True, True]


OTHERS = {
    "every other sample": lambda x: np.repeat(x, 2, axis=0)[::2],
    "Fortran order": np.asfortranarray,
    "float32": lambda x: x.astype(np.float32),
    "whole numbers": lambda x: np.arange(x.size).reshape(x.shape),
    "big-endian": lambda x: x.astype(">f8"),
    "lists": lambda x: x.tolist(),
    "read-only": lambda x: np.frombuffer(x.tobytes()).reshape(x.shape),
    "unaligned": lambda x: np.frombuffer(b"x" + x.tobytes(), np.uint8)[1:].view(np.float64).reshape(x.shape),
    "no samples": lambda x: x[:0],
    "another count": lambda x: x[:-1],
    "one number": lambda x: 1.0,
    "wider": lambda x: np.concatenate([x, x], axis=1),
    "a batch of Values": lambda x: [[Value(1.0)] * 3] * len(x),
    "of a class of its own": lambda x: x.view(type("Own", (np.ndarray,), {})),
    "infinite": lambda x: np.where(np.arange(len(x))[:, None] == 3, math.inf, x),
    "nan": lambda x: np.where(np.arange(len(x))[:, None] == len(x) - 1, math.nan, x),
}


@pytest.mark.parametrize("reduce", [None, "mean"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_batches_and_those_that_are_not_finite_are_as_before(name, reduce):
    planned, plain = both(of_lists, in_axes=0, reduce=reduce)
    x, w = drawn(100, 3), drawn(100, 3) + 1
    for args in ((x, w), (OTHERS[name](x), w), (x, OTHERS[name](w)), (OTHERS[name](x), OTHERS[name](w)), (x, w)):
        check_alike(planned, plain, "value_and_grad", *args, argnums=(0, 1))


# ---- samples along the last axis -------------------------------------------------------------------------------------


def of_one(x):
    return chainrule.sin(x) * x


def two_of_rows(x, w):
    """Two results, of a sample with an axis."""
    return {"a": of_lists(x, w), "b": x[0] * x[1] * w[2]}


def of_cube(x, scale):
    return chainrule.sum([chainrule.sin(cell) * scale for plane in x for row in plane for cell in row])


LAST = {
    "one axis": (of_one, -1, lambda n: (drawn(n),)),
    "two axes": (of_lists, (1, None), lambda n: (drawn(3, n), [0.5, 1.5, -0.5])),
    "counted from the end": (of_lists, (-1, None), lambda n: (drawn(3, n), drawn(3))),
    "three axes": (of_matrix, (2, None), lambda n: (drawn(2, 3, n), 2.0)),
    "four axes": (of_cube, (-1, None), lambda n: (drawn(2, 2, 3, n), 2.0)),
    "the first, from the end": (of_matrix, (-3, None), lambda n: (drawn(n, 2, 3), 2.0)),
    "two arrays": (of_lists, 1, lambda n: (drawn(3, n), drawn(3, n) + 1)),
    "last and first": (of_lists, (1, 0), lambda n: (drawn(3, n), drawn(n, 3) + 1)),
    "first and last": (of_lists, (0, -1), lambda n: (drawn(n, 3), drawn(3, n) + 1)),
    "beside one number": (lambda x, y: x[0] * y + chainrule.exp(x[1]), (1, 0), lambda n: (drawn(2, n), drawn(n))),
    "a row of one": (lambda x: chainrule.exp(x[0]) * x[0], 1, lambda n: (drawn(1, n),)),
    "two results": (two_of_rows, 1, lambda n: (drawn(3, n), drawn(3, n) + 1)),
    "many numbers a sample": (two_results, 1, lambda n: (drawn(15, n),)),
}


@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
@pytest.mark.parametrize("name", LAST)
def test_samples_along_the_last_axis(name, reduce):
    function, in_axes, drawn_args = LAST[name]
    planned, plain = both(function, in_axes=in_axes, reduce=reduce)
    count = len(drawn_args(1))
    for n in [*SIZES, 8, 3, 4096]:  # as many as one sample has numbers, and whole vectors, too
        args = drawn_args(n)
        check_alike(planned, plain, "__call__", *args)
        for argnums in (0, count - 1, tuple(range(count))):
            check_alike(planned, plain, "jacobian", *args, argnums=argnums)
            if function not in (two_results, two_of_rows):
                check_alike(planned, plain, "value_and_grad", *args, argnums=argnums)


@pytest.mark.skipif(not (is_compiled() and HAS_PLANS), reason="only the compiled build has plans for batches")
@pytest.mark.parametrize("reduce", [None, "mean"])
@pytest.mark.parametrize("name", LAST)
def test_they_have_a_plan_from_the_second_call_on(name, reduce):
    function, in_axes, drawn_args = LAST[name]
    planned, _ = both(function, in_axes=in_axes, reduce=reduce)
    for n in (10, 10, 1000, 3):
        planned(*drawn_args(n))
    assert planned._plans.taken == [False, True, True, True]


@pytest.mark.skipif(not (is_compiled() and HAS_PLANS), reason="only the compiled build has plans for batches")
def test_samples_along_an_axis_between_others_have_no_plan():
    planned, plain = both(of_matrix, in_axes=(1, None))
    for n in (3, 10, 3):
        check_alike(planned, plain, "value_and_grad", drawn(2, n, 3), 2.0)
    assert not any(planned._plans.taken)


OTHERS_LAST = {
    "every other sample": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "backwards": lambda x: x[:, ::-1],
    "some of the columns": lambda x: np.concatenate([x, x], axis=1)[:, : x.shape[1]],
    "some of the rows, backwards": lambda x: x[::-1],
    "one row, over and over": lambda x: np.broadcast_to(x[:1], x.shape),
    "one sample, over and over": lambda x: np.broadcast_to(x[:, :1], x.shape),
    "transposed": lambda x: np.ascontiguousarray(x.T),
    "Fortran order": np.asfortranarray,
    "float32": lambda x: x.astype(np.float32),
    "whole numbers": lambda x: np.arange(x.size).reshape(x.shape),
    "big-endian": lambda x: x.astype(">f8"),
    "lists": lambda x: x.tolist(),
    "read-only": lambda x: np.frombuffer(x.tobytes()).reshape(x.shape),
    "unaligned": lambda x: np.frombuffer(b"x" + x.tobytes(), np.uint8)[1:].view(np.float64).reshape(x.shape),
    "no samples": lambda x: x[:, :0],
    "another count": lambda x: np.ascontiguousarray(x[:, :-1]),
    "one number": lambda x: 1.0,
    "one axis": lambda x: x[0],
    "three axes": lambda x: x[:, :, None],
    "more rows": lambda x: np.concatenate([x, x]),
    "fewer rows": lambda x: x[:2],
    "of a class of its own": lambda x: x.view(type("Own", (np.ndarray,), {})),
    "infinite": lambda x: np.where(np.arange(x.shape[1]) == 3, math.inf, x),
    "nan": lambda x: np.where(np.arange(x.shape[1]) == x.shape[1] - 1, math.nan, x),
}


@pytest.mark.parametrize("reduce", [None, "mean"])
@pytest.mark.parametrize("name", OTHERS_LAST)
@pytest.mark.parametrize("n", [96, 101])
def test_other_batches_along_the_last_axis_are_as_before(name, reduce, n):
    other = OTHERS_LAST[name]
    planned, plain = both(of_lists, in_axes=1, reduce=reduce)
    x, w = drawn(3, n), drawn(3, n) + 1
    for args in ((x, w), (other(x), w), (x, other(w)), (other(x), other(w)), (x, w)):
        check_alike(planned, plain, "value_and_grad", *args, argnums=(0, 1))
    planned, plain = both(of_lists, in_axes=(1, None), reduce=reduce)
    for x_given in (x, other(x), x):  # alone, it is read as it lies
        check_alike(planned, plain, "value_and_grad", x_given, [0.5, 1.5, -0.5], argnums=(0, 1))


@pytest.mark.parametrize("width", [7, 8, 9, 16])
def test_the_samples_before_and_behind_a_batch_are_not_read(width):
    """Between numbers that would show in the results."""
    room = np.full((3, 3, width), math.nan)
    room[1] = drawn(3, width)
    planned, plain = both(of_lists, in_axes=(1, None), reduce="sum")
    for _ in range(3):
        check_alike(planned, plain, "value_and_grad", room[1], [0.5, 1.5, -0.5], argnums=1)
    assert math.isfinite(planned(room[1], [0.5, 1.5, -0.5]))


@pytest.mark.skipif(not hasattr(mmap, "MAP_ANONYMOUS"), reason="no page can be guarded")
def test_nothing_behind_an_array_is_read():
    program = Path(__file__).with_name("before_a_guard_page.py")
    run = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "read nothing beyond\n"), run.stderr


def test_a_wrong_number_of_samples_is_told_as_before():
    f = chainrule.compile(of_lists, in_axes=1)
    for _ in range(2):
        f(drawn(3, 10), drawn(3, 10))
    with pytest.raises(chainrule.errors.SizeError, match="10, 9 samples"):
        f(drawn(3, 10), drawn(3, 9))
    f(drawn(3, 9), drawn(3, 9))


@pytest.mark.parametrize("threads", [1, 2])
def test_an_array_that_changes_between_calls(threads):
    planned, plain = both(of_lists, in_axes=(-1, None), threads=threads)
    x = drawn(3, 4000)
    for step in range(4):
        x[:, step] = step  # in place
        check_alike(planned, plain, "value_and_grad", x, [0.5, 1.5, -0.5])
    for shape in ((3, 2000), (3, 8000), (3, 1), (3, 8)):
        x = np.resize(x, shape)
        check_alike(planned, plain, "value_and_grad", x, [0.5, 1.5, -0.5])


def test_samples_along_the_last_axis_that_go_several_ways():
    planned, plain = both(lambda x: branching(x[0], x[1]), in_axes=1)
    up, down = np.linspace(0.1, 2.0, 48), -np.linspace(0.1, 2.0, 48)
    for first, scale in itertools.product([up, up, down, np.concatenate([up, down]), up], [0.5, 2.0]):
        check_alike(planned, plain, "value_and_grad", np.stack([first, np.full(len(first), scale)]))


def test_threads_read_each_their_own_rows():
    f = chainrule.compile(of_lists, in_axes=(1, None), reduce="sum")
    f(drawn(3, 16), [0.5, 1.5, -0.5])
    wrong = []

    def work(k):
        x = drawn(3, 2000 + 8 * k)
        expected = outcome(f.value_and_grad, x, [0.5, 1.5, -0.5], argnums=1)
        for _ in range(50):
            if outcome(f.value_and_grad, x.copy(), [0.5, 1.5, -0.5], argnums=1) != expected:
                wrong.append(k)

    in_threads(work)
    assert not wrong


# ---- samples that go several ways, Values, options -------------------------------------------------------------------


def branching(x, scale):
    if scale > 1.0:
        return x * x * scale
    return chainrule.sqrt(x) * scale if x > 0 else -x * x


@pytest.mark.parametrize("reduce", [None, "sum"])
def test_samples_that_go_several_ways(reduce):
    planned, plain = both(branching, in_axes=(0, None), reduce=reduce)
    up, down = np.linspace(0.1, 2.0, 50), -np.linspace(0.1, 2.0, 50)
    both_ways = np.concatenate([up, down])
    for x, scale in itertools.product([up, up, down, both_ways, up, down, down], [0.5, 2.0]):
        check_alike(planned, plain, "value_and_grad", x, scale, argnums=(0, 1))


def test_values_that_the_function_closes_over_are_read_at_each_call():
    w = Value(3.0)
    planned, plain = both(lambda x: chainrule.exp(w * x), in_axes=0)
    for number in (3.0, 4.0, -0.0):
        w.data = number
        check_alike(planned, plain, "value_and_grad", drawn(20))


def test_options_hold():
    for options in ({"strict": True}, {"dtype": "float32"}, {"threads": 2}, {"max_structures": 1}):
        planned, plain = both(of_two, in_axes=0, **options)
        for n in (5, 3000, 5):
            check_alike(planned, plain, "value_and_grad", drawn(n), drawn(n), argnums=(0, 1))


def test_results_belong_to_the_caller():
    f = chainrule.compile(alike, in_axes=0)
    x, y = drawn(100), drawn(100)
    found = [(value, *by) for value, by in (f.value_and_grad(x, y, argnums=(0, 1)) for _ in range(3))]
    expected = [part.tolist() for part in found[0]]
    for part in (part for call in found for part in call):
        assert part.tolist() in expected
        part[:] = math.nan
    value, by = f.value_and_grad(x, y, argnums=(0, 1))
    assert [part.tolist() for part in (value, *by)] == expected
    assert not np.isnan(x).any()


def test_threads_do_not_share_numbers():
    f = chainrule.compile(of_two, in_axes=0)
    f(drawn(10), drawn(10))
    wrong = []

    def work(k):
        x, y = drawn(2000 + k), drawn(2000 + k) + k
        expected = outcome(f.value_and_grad, x, y, argnums=(0, 1))
        for _ in range(50):
            if outcome(f.value_and_grad, x, y, argnums=(0, 1)) != expected:
                wrong.append(k)

    in_threads(work)
    assert not wrong


# ---- arguments that are batched within others ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "calls",
    [
        [({"x": np.arange(3.0)},), ({"x": np.array(3.0)},)],
        [({"x": np.arange(3.0)},), ({"x": np.arange(4.0)},)],
    ],
)
def test_an_array_within_a_dict(calls):
    planned, plain = both(lambda d: d["x"] ** 2, in_axes=0)
    for args in calls:
        check_alike(planned, plain, "__call__", *args)


def test_a_batch_within_a_tuple_is_not_taken_for_what_samples_share():
    planned, plain = both(lambda p, y: np.sum(p[0]) * p[1] + y, in_axes=((0, None), 0))
    check_alike(planned, plain, "__call__", (drawn(5, 3), 2.0), drawn(5))
    check_alike(planned, plain, "__call__", (drawn(3), 2.0), drawn(3))


@pytest.mark.parametrize("shape", [(0,), (0, 2)])
@pytest.mark.parametrize("argnums", [0, (0, 1)])
def test_a_derivative_by_an_array_without_numbers(shape, argnums):
    planned, plain = both(lambda w, x: x * x + np.sum(w), in_axes=(None, 0))
    for _ in range(2):
        check_alike(planned, plain, "value_and_grad", np.zeros(shape), drawn(3), argnums=argnums)
