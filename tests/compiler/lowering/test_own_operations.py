"""Operations of the user's own, with and without a text that can be compiled, in all that the compiler makes."""

from __future__ import annotations

import ctypes
import random

import pytest

import chainrule
from chainrule import Value, ops
from chainrule.errors import OperandError, SlowWarning, TraceError
from chainrule.optim import SGD, Adam, Optimizer

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

WITHOUT_TEXT = """
def middle(x):
    return sorted([x, -1.0, 1.0])[1]
"""


def cube(x):
    return x * x * x


def inverse(x):
    try:
        return 1.0 / x
    except ZeroDivisionError:
        return 0.0


def one_inside(x, y):
    return ops.select(ops.abs(x) < 1, 1.0, 0.0)


def of_inverse(x, y):
    return ops.select(x == 0, 0.0, ops.div(-1.0, x * x))


@pytest.fixture(params=["text", "no text", "try"])
def own(request, own_operations):
    names: dict = {}
    exec(WITHOUT_TEXT, names)
    value, local = {
        "text": (cube, lambda x, y: 3 * x * x),
        "no text": (names["middle"], one_inside),
        "try": (inverse, of_inverse),
    }[request.param]
    return chainrule.operation(local=local, samples=[(2.0,)])(value)


XS = [0.0, *[random.Random(0).uniform(-3, 3) for _ in range(300)]]


def test_in_a_batch(own):
    def f(x, w):
        return own(x) * w + x

    eager = [chainrule.value_and_grad(f)(x, 2.0) for x in XS]
    for options in ({}, {"strict": True}, {"threads": 2}):
        values, slopes = chainrule.compile(f, in_axes=(0, None), **options).value_and_grad(np.array(XS), 2.0)
        assert values == pytest.approx([value for value, _ in eager], rel=1e-14)
        assert slopes == pytest.approx([slope for _, slope in eager], rel=1e-14)


def test_over_a_list(own):
    def f(xs):
        return sum([own(x) * x for x in xs])

    value, slopes = chainrule.compile(f).value_and_grad(XS)
    wanted, eager = chainrule.value_and_grad(f)(XS)
    assert value == pytest.approx(wanted, rel=1e-12)
    assert slopes == pytest.approx(eager, rel=1e-12)


@pytest.mark.parametrize("in_axes", [None, 0])
def test_in_training_steps(own, in_axes):
    found = []
    for compiled in (False, True):
        w = Value(0.7)

        def loss(x, w=w):
            return (own(w * x) - 0.3) ** 2

        def mean(xs, loss=loss):
            return sum([loss(x) for x in xs]) * (1 / len(xs))

        batches = [(XS[k : k + 40],) for k in range(5)]
        optimizer = Adam([w], lr=0.01)
        if compiled:
            chainrule.compile_step(mean if in_axes is None else loss, optimizer, in_axes=in_axes).run(batches)
        else:
            for (xs,) in batches:
                optimizer.zero_grad()
                mean(xs).backward()
                optimizer.step()
        found.append(w.data)
    assert found[1] == pytest.approx(found[0], rel=1e-12)


def test_an_update_without_native_code_is_run_from_python_and_told(own_operations):
    names: dict = {}
    exec(WITHOUT_TEXT, names)
    middle = chainrule.operation(local=one_inside, samples=[(2.0,)])(names["middle"])

    class Clipping(Optimizer):
        def updated(self, data, grads, lr):
            return [x - lr * middle(g) for x, g in zip(data, grads, strict=True)]

    batches = [(0.7 * (i % 7 - 3),) for i in range(1000)]
    w, v = Value(1.0), Value(1.0)
    step, optimizer = chainrule.compile_step(lambda x: w * x, Clipping([w], lr=0.1)), Clipping([v], lr=0.1)
    with pytest.warns(SlowWarning, match="1,000 steps done one by one from Python, since there are no loops in "
                                         "the update: there is no native code for middle") as told:  # fmt: skip
        step.run(batches)
    for (x,) in batches:
        optimizer.zero_grad()
        (v * x).backward()
        optimizer.step()
    assert len(told) == 1
    assert w.data == pytest.approx(v.data, rel=1e-12, abs=1e-12)
    explained = " ".join(step.explain().split())
    assert "Python calculates middle: there is no native code for it" in explained
    assert "1,000 steps done one by one from Python" in explained


@pytest.mark.parametrize(
    "local",
    [lambda x, y: 0.0 if x == 0 else 1.0 / x, lambda x, y: 1.0 if x else 7.0, lambda x, y: 1.0 if x > 0 else 2.0],
)
def test_a_local_derivative_that_branches_says_what_to_do(local, own_operations):
    kinked = chainrule.operation(local=local, samples=[(2.0,)])(lambda x: x)
    with pytest.raises(OperandError, match=r"chainrule\.select"):
        chainrule.compile(lambda x: kinked(x)).grad(2.0)


def test_an_optimizer_that_branches_is_refused():
    class Jumping(SGD):
        def updated(self, data, grads, lr):
            return [x - lr * g if g != 0 else x + 1 for x, g in zip(data, grads, strict=True)]

    w = Value(1.0)
    with pytest.raises(TraceError, match="update of Jumping cannot be compiled"):
        chainrule.compile_step(lambda x: w * x, Jumping([w], lr=0.1))


@pytest.mark.parametrize("given", [0, 1, -1])
def test_ctrl_c_just_when_python_is_called_is_not_lost(given, own_operations, monkeypatch):
    """Of the function that native code calls no line is run then, and ctypes returns what happens to be in memory."""

    def interrupted(*_):
        return ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 10)(lambda *_: given)

    @chainrule.operation(local=lambda x, y: 1.0, samples=[(1.0,)])
    def looked_up(x):
        return {"x": x}["x"]

    monkeypatch.setattr("chainrule.compiler.levels.kernel._in_python", interrupted)
    with pytest.raises(KeyboardInterrupt):
        chainrule.compile(lambda x: looked_up(x) * 2)(3.0)
    with pytest.raises(KeyboardInterrupt):
        chainrule.compile(lambda x: looked_up(x) * 2, in_axes=0)([3.0, 4.0])
