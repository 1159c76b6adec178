"""Calls by a plan, beside the same calls without one."""

from __future__ import annotations

import gc
import itertools
import math
import random
import weakref

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import chainrule
from chainrule import Value

pytest.importorskip("llvmlite")

import numpy as np

from chainrule.core.trees import leaves, unflatten

from .planned import HAS_PLANS, SPECIAL, NoPlans, both, check_alike, in_threads, outcome


def mixed(*args):
    """A number that depends on each number of its arguments in another way."""
    numbers = [x for argument in args for x in leaves(argument) if not isinstance(x, str | bool)]
    return chainrule.sum([chainrule.sin(x) * (i + 1) + x * x for i, x in enumerate(numbers)])


def several(*args):
    total = mixed(*args)
    return {"sum": total, "more": (total * 2.0, [chainrule.exp(-total)])}


# ---- layouts that nobody thought of ----------------------------------------------------------------------------------

floats = st.one_of(st.sampled_from(SPECIAL), st.floats(-4, 4))
arrays = st.lists(floats, max_size=6).map(np.array)
matrices = st.tuples(st.integers(1, 3), st.integers(1, 3)).map(lambda shape: np.ones(shape))
plain_leaves = st.one_of(floats, floats, floats, st.integers(-3, 3), arrays, matrices)
trees = st.recursive(
    plain_leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        st.lists(floats, max_size=8),
        st.lists(floats, max_size=8).map(tuple),
    ),
    max_leaves=6,
)


class Numbers(list):
    pass


def mutated(x, how):
    """An argument like `x`, of other numbers or of another kind."""
    dice = random.Random(how)
    if isinstance(x, np.ndarray):
        other = [
            *(x + 0.25, -x, np.clip(x, -9, 9).astype(np.float32), np.full(x.shape, 2), x.astype(">f8")),
            *(x[::-1], np.repeat(x, 2, axis=-1)[..., ::2], np.asfortranarray(x), x.tolist(), np.concatenate([x, x])),
        ]
        return dice.choice(other)
    if isinstance(x, list | tuple | dict) and dice.random() < 0.7 and len(x):
        parts = list(x.values()) if isinstance(x, dict) else list(x)
        at = dice.randrange(len(parts))
        parts[at] = mutated(parts[at], how + 1)
        return dict(zip(x, parts, strict=True)) if isinstance(x, dict) else type(x)(parts)
    if isinstance(x, dict):
        return dice.choice([dict(reversed(list(x.items()))), {**x, "d": 1.0}, list(x.values())])
    if isinstance(x, list | tuple):
        return dice.choice([[*x, 1.0], list(x), tuple(x), Numbers(x), x[:-1]])
    return dice.choice([x + 0.5, -x, np.float64(x), Value(float(x)), *SPECIAL, 2, True, np.array(1.5), "text"])


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(trees, min_size=1, max_size=3), st.integers(0, 2**32), st.data())
def test_any_layout_gives_what_it_gives_without_a_plan(args, seed, data):
    chosen = data.draw(st.one_of(st.just(0), st.just(-1), st.permutations(range(len(args))).map(tuple)))
    value, vector = chainrule.compile(mixed), chainrule.compile(several)
    for f, ask in ((value, "value_and_grad"), (vector, "jacobian"), (vector, "__call__")):
        named, plans = {} if ask == "__call__" else {"argnums": chosen}, f._plans
        for how in range(seed, seed + 3):
            other = [mutated(x, how) if i == how % len(args) else x for i, x in enumerate(args)]
            for given_ in (args, args, other, other, args):
                found = outcome(getattr(f, ask), *given_, **named)
                f._plans = NoPlans()
                assert found == outcome(getattr(f, ask), *given_, **named)
                f._plans = plans


PLANNED = {
    "floats": (1.0, 2.0),
    "an int": (1.0, 2),
    "a list and a tuple": ([1.0, 2.0], (3.0,)),
    "lists of lists": ([[1.0, 2.0], [3.0, 4.0]], 1.0),
    "a dict": ({"a": 1.0, "b": [2.0, 3.0]},),
    "an array": (np.linspace(0.0, 1.0, 100),),
    "a matrix": (np.ones((3, 4)), 2.0),
    "many numbers": (list(map(float, range(700))),),
}


@pytest.mark.parametrize("name", PLANNED)
def test_plain_numbers_have_a_plan_from_the_second_call_on(name):
    args = PLANNED[name]
    planned, plain = both(mixed)
    moved = unflatten(args, [x + 1 for x in leaves(args)])
    for given_ in (args, moved, args):
        assert outcome(planned.value_and_grad, *given_) == outcome(plain.value_and_grad, *given_)
        assert outcome(planned, *given_) == outcome(plain, *given_)
    assert planned._plans.taken == [False, False] + [HAS_PLANS] * 4


def test_other_things_have_none():
    class Rate(float):
        pass

    given_ = [Value(1.0), True, np.float64(1.0), Rate(1.0), 2**60, np.array(1.0), np.array([1]), "text", Numbers([1.0])]
    for x in given_:
        planned, plain = both(mixed)
        check_alike(planned, plain, "__call__", 1.0)
        check_alike(planned, plain, "__call__", x)
        assert planned._plans.taken[2:] == [False, False]


def test_true_is_not_one():
    planned, plain = both(mixed)
    for argnums in (0, 1, (0, 1), (1, 0), [0, 1], True, (True, 0), 2, (0, 2), "0", None, 0.0, -1, (0, 0), ()):
        check_alike(planned, plain, "value_and_grad", 1.0, 2.0, argnums=argnums)


LAYOUTS = {
    "every other number": lambda x: np.repeat(x, 2)[::2],
    "backwards": lambda x: x[::-1][::-1].copy()[::-1],
    "one number for all": lambda x: np.broadcast_to(np.float64(0.5), x.shape),
    "read-only": lambda x: np.frombuffer(x.tobytes()),
    "big-endian": lambda x: x.astype(">f8"),
    "float32": lambda x: x.astype(np.float32),
    "unaligned": lambda x: np.frombuffer(b"x" + x.tobytes(), dtype=np.uint8)[1:].view(np.float64),
    "of a class of its own": lambda x: x.view(type("Own", (np.ndarray,), {})),
    "a field of records": lambda x: np.array([(1, y) for y in x], dtype=[("a", "i1"), ("b", "f8")])["b"],
    "objects": lambda x: x.astype(object),
    "longer": lambda x: np.append(x, 1.0),
    "a matrix": lambda x: x.reshape(2, -1),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_arrays_may_lie_in_memory_as_they_like(name):
    planned, plain = both(mixed)
    x = np.array([0.5, -0.0, 2.0, 3.0])
    check_alike(planned, plain, "value_and_grad", x)
    check_alike(planned, plain, "value_and_grad", LAYOUTS[name](x))
    square = np.arange(16.0).reshape(4, 4)
    check_alike(planned, plain, "value_and_grad", square)
    for other in (square.T, square[:, ::-1], square[::-1], np.asfortranarray(square), square[:2]):
        check_alike(planned, plain, "value_and_grad", other)


# ---- what may change between calls -----------------------------------------------------------------------------------


def test_values_that_the_function_closes_over_are_read_at_each_call():
    w = Value(3.0)
    planned, plain = both(lambda x: w * x * x)
    for number in (3.0, 4.0, -0.0, math.inf):
        w.data = number
        check_alike(planned, plain, "value_and_grad", 2.0)
    assert planned._plans.taken[1] == HAS_PLANS


def branching(x, y):
    if x > 1.0:
        return x * y if y > 0.0 else x - y
    return x + y


def test_a_call_takes_the_way_that_python_takes():
    planned, plain = both(branching)
    ways = [(2.0, 1.0), (0.5, 1.0), (2.0, -1.0), (0.5, -1.0), (math.nan, 1.0)]
    for x, y in [*ways, *reversed(ways), *ways, *ways[::2] * 3]:
        check_alike(planned, plain, "value_and_grad", x, y, argnums=(0, 1))
        check_alike(planned, plain, "__call__", x, y)
        assert math.isnan(x) or planned(x, y) == branching(x, y)
    assert not HAS_PLANS or planned._plans.taken.count(True) > 40


def test_too_many_ways_are_refused_as_before():
    planned, plain = both(lambda x: x * int(x), max_traces=3)
    for x in (1.0, 2.0, 1.0, 3.0, 2.0, 4.0, 5.0, 1.0):
        check_alike(planned, plain, "value_and_grad", x)


def test_the_structure_of_results_may_differ_from_way_to_way():
    planned, plain = both(lambda x: [x, x] if x > 0 else {"a": x * 3.0})
    for x in (1.0, -1.0, 2.0, -2.0):
        for ask in ("__call__", "jacobian", "value_and_grad"):
            check_alike(planned, plain, ask, x)


def test_results_that_are_not_finite_are_exact():
    planned, plain = both(lambda x, y: chainrule.select(x > 0, chainrule.sqrt(x), 0.0) * y)
    for x, y in ((1.0, 2.0), (-1.0, 2.0), (0.0, 2.0), (4.0, math.inf), (-1.0, math.nan), (4.0, 1.0)):
        check_alike(planned, plain, "value_and_grad", x, y, argnums=(0, 1))
    assert list(map(str, [planned.fallbacks.describe()])) == list(map(str, [plain.fallbacks.describe()]))


@pytest.mark.parametrize("options", [{"strict": True}, {"dtype": "float32"}, {"max_structures": 1}])
def test_options_hold(options):
    planned, plain = both(mixed, **options)
    for args in ((0.1, 0.2), ([0.1, 0.2],), (0.1, 0.2), (1e300, 1e300), (math.nan, 1.0), ([0.1, 0.2, 0.3],)):
        check_alike(planned, plain, "value_and_grad", *args)
    assert len(planned._structures.known) == len(plain._structures.known)


def test_the_structure_that_was_used_last_is_kept():
    planned, plain = both(mixed, max_structures=2)
    for args in ((0.1,), (0.1, 0.2), (0.1,), (0.1,), (0.1, 0.2, 0.3), (0.1,), (0.1, 0.2)):
        check_alike(planned, plain, "grad", *args)
        assert list(planned._structures.known) == list(plain._structures.known)


def test_a_function_that_changes_its_lists_gets_no_shared_ones():
    def changing(a, b):
        a[0] = a[0] * 2.0
        return a[0] * b[0]

    planned, plain = both(changing)
    shared = [1.0, 2.0]
    check_alike(planned, plain, "value_and_grad", [1.0, 2.0], [3.0, 4.0])
    check_alike(planned, plain, "value_and_grad", shared, shared)


def test_results_belong_to_the_caller():
    f = chainrule.compile(mixed)
    x = np.ones(50)
    first, *_ = kept = [f.grad(x) for _ in range(4)]
    expected = first.copy()
    for gradient in kept:
        gradient[:] = 7.0
    assert f.grad(x).tolist() == expected.tolist()
    assert not any(np.shares_memory(a, b) for a, b in itertools.pairwise(kept))


def test_the_report_is_about_the_last_call():
    f = chainrule.compile(branching)
    for x in (2.0, 0.5, 2.0):
        f(x, 1.0)
    assert "mul" in str(f.graph)
    f(0.5, 1.0)
    assert "add" in str(f.graph)
    for _ in range(2):
        f.grad(0.5, 1.0)
        assert "derivatives" in str(f.explain()).splitlines()[0]
        f(0.5, 1.0)
        assert "derivatives" not in str(f.explain()).splitlines()[0]


# ---- many at once ----------------------------------------------------------------------------------------------------


def test_threads_do_not_share_numbers():
    f = chainrule.compile(mixed)
    long = list(map(float, range(3000)))
    for args in ((long,), (1.0, 2.0)):
        f.value_and_grad(*args)
    wrong = []

    def work(k):
        own = [x / (k + 1) for x in long]
        expected = f.value_and_grad(own), f.value_and_grad(1.0 * k, 2.0)
        for _ in range(50):
            if (f.value_and_grad(own), f.value_and_grad(1.0 * k, 2.0)) != expected:
                wrong.append(k)

    in_threads(work)
    assert not wrong


@pytest.mark.usefixtures("own_operations")
def test_a_call_within_a_call():
    inner = chainrule.compile(lambda x: x * x + 1.0)

    @chainrule.operation(local=lambda x, y: 2.0 * x + 2.0)
    def own(x: float) -> float:
        """Is calculated by Python, while native code runs."""
        return inner(x) + inner.grad(float(x))

    planned, plain = both(lambda x: own(x) * 2.0 + inner(x))
    for x in (1.0, 2.0, 3.0):
        check_alike(planned, plain, "value_and_grad", x)


def test_all_is_freed_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        f = chainrule.compile(mixed)
        for _ in range(3):
            f.value_and_grad([1.0, 2.0])
        made = f._runner.last[1].made[f._runner.last[2]]
        kernel = weakref.ref(made.kernel)
        del f, made
        assert kernel() is None
    finally:
        gc.enable()


# ---- an unlucky first call -------------------------------------------------------------------------------------------


def test_a_function_that_changes_its_argument_while_it_is_traced():
    rows = [[1.0, 2.0], [3.0]]

    @chainrule.compile
    def f(x):
        if len(rows) < 9:
            rows.append([9.0])
        return x[0][0] * 2

    assert [f(rows) for _ in range(3)] == [2.0] * 3


class Cells(np.ndarray):
    """An array of another class."""


@pytest.mark.skipif(not HAS_PLANS, reason="there are no plans")
@pytest.mark.parametrize(
    ("odd", "usual"), [(np.float64(1.0), 1.0), (np.arange(3.0).view(Cells), np.arange(3.0)), ([np.float64(2.0)], [2.0])]
)
def test_the_first_call_with_a_class_that_plans_do_not_know(odd, usual):
    planned, plain = both(lambda x: np.sum(x) * 2.0)
    for args in (odd, odd, usual, usual, usual):
        assert outcome(planned, args) == outcome(plain, args)
    assert planned._plans.taken[-1]
