"""Random draws, clocks and other state: a compiled function would keep those of its first call, so it refuses."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import os
import random
import threading
import time
import types
import weakref

import pytest

import chainrule
from chainrule import Value
from chainrule.compiler.trace.generators import generators_of
from chainrule.errors import TraceError
from chainrule.nn import Module
from chainrule.optim import SGD

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

RNG, GENERATOR, COUNT, UNIT = random.Random(0), np.random.default_rng(0), itertools.count(), random.gauss


class Dropout(Module):
    def __init__(self, rng, rate=0.5):
        self.w, self.rng, self.rate = Value(2.0), rng, rate

    def forward(self, x):
        return self.w * x[0] * (self.rng.random() >= self.rate)


def running_mean():
    kept = [0.0]

    def f(x):
        kept[0] = 0.9 * kept[0] + 0.1 * x
        return x - kept[0]

    return f


def warming_up():
    calls = []

    def f(x):
        calls.append(None)
        return x if len(calls) < 2 else 2.0 * x

    return f


class Drawing:
    """A generator in an attribute, by a method."""

    def __init__(self):
        self.rng = np.random.RandomState(0)

    def draw(self):
        return self.rng.rand() < 0.999

    def __call__(self, x):
        return x * self.draw()


UNSURE = {
    "random": lambda: lambda x: x * random.random(),
    "a name of random": lambda: lambda x: x + UNIT(0.0, 1.0),
    "a draw that is nearly always the same": lambda: lambda x: x * (random.random() < 0.999),
    "a draw that is not used": lambda: lambda x: x if random.random() < 2.0 else 0.0,
    "numpy": lambda: lambda x: x * np.random.rand(),
    "own generator": lambda: lambda x: x * (RNG.random() < 0.999),
    "numpy's generator": lambda: lambda x: x * (GENERATOR.random() < 0.999),
    "a generator in a default": lambda: lambda x, rng=random.Random(1): x * (rng.random() < 0.999),  # noqa: B008
    "a generator in a comprehension": lambda: lambda x: chainrule.sum([x * (RNG.random() < 0.999) for _ in range(2)]),
    "a generator in an object": lambda: Drawing(),
    "system": lambda: lambda x: x * os.urandom(8)[0] + x * int.from_bytes(os.urandom(8), "big"),
    "time": lambda: lambda x: x * time.time_ns(),
    "a counter": lambda: lambda x: x + next(COUNT),
    "a result": lambda: lambda x: [x, random.random()],
    "a new Value": lambda: lambda x: x * Value(random.random()),
    "a running mean": running_mean,
    "warming up": warming_up,
}


@pytest.mark.parametrize("name", UNSURE)
def test_what_differs_from_call_to_call_is_refused(name):
    before = random.getstate(), RNG.getstate()
    with pytest.raises(TraceError, match=r"gives other numbers each time: by chance.*f\(x, noise\).*in_axes=0"):
        chainrule.compile(UNSURE[name]())(3.0)
    assert (random.getstate(), RNG.getstate()) == before


def test_the_line_is_named():
    def noisy(x):
        y = x * x
        return y + random.gauss(0.0, 1.0)

    with pytest.raises(TraceError, match=rf"noisy gives .*\(line {noisy.__code__.co_firstlineno + 2} of .*gauss"):
        chainrule.compile(noisy)(3.0)


@functools.cache
def binomial(n, k):
    return math.comb(n, k)


def seeded(x):
    return x * random.Random(3).random()


def seeding(x):
    random.seed(1)
    return x * random.random()


SURE = {
    "a generator that is made anew": (seeded, (2.0,)),
    "a seed of its own": (seeding, (2.0,)),
    "a cache": (lambda x, n: x * binomial(n, 2), (2.0, 5)),
    "nan": (lambda x: [x * math.nan, x + math.inf, x * -0.0], (2.0,)),
    "new Values": (lambda x: x * Value(3.0) + Value(math.nan), (2.0,)),
    "branches": (lambda x: x if x > 0 else -x, (-2.0,)),
}


@pytest.mark.parametrize("name", SURE)
def test_what_is_the_same_each_time_is_compiled(name):
    f, args = SURE[name]
    found, wanted = chainrule.compile(f)(*args), f(*args)
    wanted = [x.data if isinstance(x, Value) else x for x in (wanted if isinstance(wanted, list) else [wanted])]
    assert found == pytest.approx(wanted if isinstance(found, list) else wanted[0], nan_ok=True)


@pytest.mark.parametrize("rng", [random, random.Random(1), np.random.default_rng(1)], ids=["global", "own", "numpy"])
def test_dropout_in_a_step_and_in_fit(rng):
    model = Dropout(rng)
    step = chainrule.compile_step(lambda x, y: (model([x]) - y) ** 2, SGD([model.w], 0.1))
    with pytest.raises(TraceError, match=r"the loss gives other numbers.*dropout takes its mask"):
        step.run([(1.0, 2.0)])
    with pytest.raises(TraceError, match="gives other numbers each time"):
        chainrule.fit(Dropout(rng), [[1.0], [2.0]], [1.0, 2.0], loss="mean_squared_error", epochs=1, compile=True)


def test_draws_as_an_argument_are_the_mended_code():
    f = chainrule.compile(lambda x, noise: x * noise, in_axes=(None, 0))
    drawn = [random.random() for _ in range(4)]
    assert f(2.0, drawn).tolist() == [2.0 * x for x in drawn]


def test_samples_of_a_batch_do_not_share_what_an_argument_draws():
    f = chainrule.compile(lambda model, x: model([x]), in_axes=(None, 0))
    with pytest.raises(TraceError, match="gives other numbers each time"):
        f(Dropout(random.Random(0), 0.001), [1.0, 2.0])


def test_another_thread_may_draw():
    stop = threading.Event()

    def draw():
        while not stop.is_set():
            random.random()

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        for _ in range(3):
            assert chainrule.compile(lambda x: x * 2.0)(3.0) == 6.0
        with pytest.raises(TraceError, match="gives other numbers each time"):
            chainrule.compile(UNSURE["a draw that is nearly always the same"]())(3.0)
    finally:
        stop.set()
        thread.join()


# ---- numbers that would stay those of the first call -----------------------------------------------------------------


PEEKS = {
    "locals": lambda x: x * (x * x).locals[0],
    "peek_data": lambda x: x * x.peek_data(),
    "peek_grad": lambda x: x * x.peek_grad(),
}


@pytest.mark.parametrize("name", PEEKS)
def test_what_shows_a_number_is_refused_by_name(name):
    with pytest.raises(TraceError, match=rf"cannot read {name}.*say \.data"):
        chainrule.compile(PEEKS[name])(3.0)
    nested = chainrule.compile(lambda x: chainrule.grad(chainrule.grad(lambda y: y**3))(x))
    assert nested(2.0) == 12.0  # chainrule's own lines may look


def test_a_value_that_was_made_before_keeps_its_number_and_is_refused_where_a_derivative_would_be_lost():
    model = Dropout(None)
    model.w.label = "w"
    before = model.w * 2.0
    f = chainrule.compile(lambda model, x: model.w * x * before)
    assert f(model, 3.0) == 24.0
    model.w.data = 3.0
    assert f(model, 3.0) == 36.0  # as for the eager engine, until it is refreshed
    before.refresh()
    assert f(model, 3.0) == 54.0
    assert f.grad(model, 3.0, argnums=1) == 18.0
    with pytest.raises(TraceError, match=r"calculated from parameters before: calculate it inside .* reaches 'w'"):
        f.grad(model, 3.0)


def test_what_is_looked_through_may_change_meanwhile():
    class Sly:
        """As another thread may do it, this changes the set that holds it while somebody looks."""

        __dict__ = property(lambda self: home.add(object()) or {})

    home = {Sly(), 1.0, 2.0}
    rng = random.Random(0)
    assert generators_of([home, rng]) == [rng]
    assert len(home) > 3


class Lazy:
    """As proxies of web frameworks do, this fails when it is asked what it is, or what it holds."""

    def _fail(self):
        raise RuntimeError("there is no request")

    __class__ = property(_fail)
    __dict__ = property(_fail)


def dead_proxy():
    return weakref.proxy(Drawing())


@pytest.mark.parametrize("make", [Lazy, dead_proxy])
def test_what_cannot_be_looked_through_is_passed_by(make):
    assert generators_of(types.SimpleNamespace(lazy=make(), rng=RNG)) == [RNG]
    rate = types.SimpleNamespace(k=2.0, lazy=make())
    assert chainrule.compile(lambda x: x * rate.k)(3.0) == 6.0
    assert chainrule.compile(lambda x, rate: x * rate.k)(3.0, rate) == 6.0


def kept(result):
    """A function that keeps what `result` gives at the first call."""
    memo = {}

    def f(x):
        if "kept" not in memo:
            memo["kept"] = result(x)
        return memo["kept"] * x

    return f


@pytest.mark.parametrize("result", [lambda x: x * x, lambda x: x, lambda x: [x + 1.0][0]])
def test_no_derivative_is_lost_in_what_a_function_keeps(result):
    wanted = chainrule.grad(kept(result))(3.0)
    assert chainrule.compile(kept(result)).grad(3.0) == wanted


def test_a_new_value_may_be_kept():
    assert chainrule.compile(kept(lambda x: Value(2.0))).grad(3.0) == 2.0


def test_a_generator_behind_a_cell_that_holds_nothing():
    nothing, rng = None, random.Random(0)
    assert generators_of(lambda: (nothing, rng)) == [rng]


# ---- functions that change what their arguments hold -----------------------------------------------------------------


@dataclasses.dataclass
class Counted:
    n: int = 0
    rng: random.Random = dataclasses.field(default_factory=lambda: random.Random(0))


class CountedModel(Module):
    def __init__(self):
        self.w, self.n = Value(2.0), 0


@pytest.mark.parametrize("draw", [time.time_ns, lambda: int.from_bytes(os.urandom(8), "big")])
@pytest.mark.parametrize("kind", [Counted, CountedModel])
def test_a_draw_behind_a_change_of_an_argument_is_refused(kind, draw):
    def f(state, x):
        state.n += 1
        return x * draw()

    with pytest.raises(TraceError, match="gives other numbers each time"):
        chainrule.compile(f)(kind(), 1.0)


def test_a_function_may_change_what_its_arguments_hold():
    def f(state, x):
        state.n += 1
        return x * state.n + state.rng.random()

    compiled, state, same = chainrule.compile(f), Counted(), Counted()
    assert [compiled(state, 3.0) for _ in range(3)] == [f(same, 3.0) for _ in range(3)]
    assert (state.n, state.rng.random()) == (same.n, same.rng.random())


def test_a_model_may_keep_its_activations():
    def f(model, x):
        model.n = model.w * x
        return model.n * 2.0

    model = CountedModel()
    assert chainrule.compile(f).value_and_grad(model, 3.0) == (12.0, {"w": 6.0})
    assert chainrule.compile(f).value_and_grad(model, 3.0) == (12.0, {"w": 6.0})


def test_what_has_no_copy_may_be_changed():
    def f(state, x):
        state.lock, state.n = threading.Lock(), state.n + 1
        return x * state.n

    state = Counted()
    state.lock = threading.Lock()
    assert chainrule.compile(f)(state, 3.0) == 3.0


# ---- Values that were made before, where no derivative is to flow ----------------------------------------------------


CUT = {
    "data": lambda before, x: before.data * x,
    "detach": lambda before, x: before.detach() * x,
    "no_grad": lambda before, x: no_grad_of(lambda: before * 2.0) * x,
    "compared": lambda before, x: x if before.data > 0 else -x,
}


def as_number(x):
    return x.data if isinstance(x, Value) else x


def no_grad_of(f):
    with chainrule.no_grad():
        return f()


@pytest.mark.parametrize("name", CUT)
def test_a_value_that_was_made_before_may_be_cut_on_purpose(name):
    model = CountedModel()
    before = model.w * 2.0

    def f(model, x):
        return model.w * CUT[name](before, x)

    assert chainrule.compile(f).grad(model, 3.0) == {"w": chainrule.grad(lambda w: w * CUT[name](before, 3.0))(2.0)}
    w = Value(2.0)
    before = w * 2.0
    step = chainrule.compile_step(lambda x: w * CUT[name](before, x), SGD([w], 0.1))
    assert step(3.0) == as_number(2.0 * CUT[name](before, 3.0))
