"""Arguments taken apart: what a compiled function may be called with, and derivatives in the same nesting."""

from __future__ import annotations

from typing import NamedTuple

import pytest

import chainrule
from chainrule import Value, errors
from chainrule.nn import MLP

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

from chainrule.compiler.calling.arguments import Reading, read  # noqa: E402 (needs NumPy)
from chainrule.compiler.calling.layouts import layout_of  # noqa: E402


class Point(NamedTuple):
    x: float
    y: float


def key(x, axis=None):
    return read(x, axis, Reading())


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1.0, 2.5),
        ([1.0, 2.0], [3.0, 4.0]),
        ({"a": 1.0}, {"a": 2.0}),
        (np.ones((2, 3)), np.zeros((2, 3))),
        (1, 5),
        (np.float32(1), 2.0),
        (np.int64(3), 7),
    ],
)
def test_other_numbers_have_the_same_key(a, b):
    assert key(a) == key(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1.0, 1),
        ([1.0], (1.0,)),
        ([1.0], [1.0, 2.0]),
        ({"a": 1.0}, {"b": 1.0}),
        (np.ones(2), np.ones(3)),
        (np.ones(2), np.ones(2, int)),
        (True, False),
        ("mean", "sum"),
        (None, 0.0),
    ],
)
def test_other_structures_have_other_keys(a, b):
    assert key(a) != key(b)


def test_a_layout_puts_arguments_together_again():
    given = [Point(1.0, 2.0), {"a": [3.0, (4, "on")]}, np.array([[5.0, 6.0]])]
    reading = Reading()
    for x in given:
        read(x, None, reading)
    sample = layout_of(given, [None] * 3).sample(reading.numbers().tolist())
    assert sample[:2] == [Point(1.0, 2.0), {"a": [3.0, (4, "on")]}]
    assert sample[2].tolist() == [[5.0, 6.0]]
    assert type(sample[1]["a"][1][0]) is int


def test_arrays_of_the_same_shape_share_a_trace():
    f = chainrule.compile(lambda v: v[0] * v[1])
    assert f(np.array([2.0, 3.0])) == f(np.array([2.0, 3.0], np.float32)) == f(np.array([0, 2.0, 3.0])[1:]) == 6.0
    assert f.traces == 1
    assert f([2.0, 3.0]) == 6.0  # on a list, a function may do otherwise
    assert f.traces == 2
    assert f.grad([2.0, 3.0]) == [3.0, 2.0]
    assert isinstance(f.grad(np.array([2.0, 3.0])), np.ndarray)


def test_a_named_tuple_comes_back_as_one():
    f = chainrule.compile(lambda p: p.x**2 * p.y)
    assert f.grad(Point(3.0, 5.0)) == Point(30.0, 9.0)


def test_a_module_is_differentiated_by_the_names_of_its_parameters():
    model = MLP(2, [3, 1], activation="tanh", seed=2)
    f = chainrule.compile(lambda model, x: model(x) ** 2)
    value, slopes = f.value_and_grad(model, [0.5, -1.0])
    loss = model([0.5, -1.0]) ** 2
    loss.backward()
    assert value == pytest.approx(loss.data, rel=1e-14)
    expected = {name: p.grad for name, p in model.named_parameters()}
    assert slopes == pytest.approx(expected, rel=1e-12)
    model.load_state_dict(dict.fromkeys(expected, 0.1))
    assert f(model, [0.5, -1.0]) == pytest.approx((model([0.5, -1.0]) ** 2).data, rel=1e-14)
    assert f.traces == 1


def test_a_model_s_gradient_over_a_batch_by_its_names():
    model = MLP(2, [3, 1], activation="tanh", seed=2)
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((20, 2)), rng.standard_normal(20)
    f = chainrule.compile(lambda model, x, y: (model(x) - y) ** 2, in_axes=(None, 0, 0), reduce="mean")
    slopes, by_x = f.grad(model, x, y, argnums=(0, 1))
    total = sum((model(a) - b) ** 2 for a, b in zip(x.tolist(), y.tolist(), strict=True)) * (1 / 20)
    total.backward()
    assert slopes == pytest.approx({name: p.grad for name, p in model.named_parameters()}, rel=1e-9)
    assert by_x.shape == x.shape


def test_parts_of_an_argument_with_axes_of_their_own():
    f = chainrule.compile(lambda p, x: p["w"] * p["rows"][0] * x, in_axes=({"w": None, "rows": 1}, 0), reduce="sum")
    rows, x = np.array([[1.0, 2.0, 3.0]]), [4.0, 5.0, 6.0]
    value, by = f.value_and_grad({"w": 2.0, "rows": rows}, x)
    assert (value, by["w"]) == (64.0, 32.0)
    np.testing.assert_array_equal(by["rows"], [[8.0, 10.0, 12.0]])
    with pytest.raises(errors.ArgumentError, match="same keys"):
        f({"w": 2.0}, x)


@pytest.mark.parametrize("in_axes", [0, (0, 0), [0, None]])
def test_a_tuple_of_batches(in_axes):
    f = chainrule.compile(lambda pair, w: pair[0] * pair[1] * w, in_axes=in_axes)
    w = [2.0, 3.0] if in_axes != [0, None] else 2.0
    np.testing.assert_array_equal(f(([1.0, 2.0], np.array([3.0, 4.0])), w), [6.0, 24.0 if w != 2.0 else 16.0])


def test_arguments_by_name():
    def f(x, y=2.0, *, scale):
        return scale * (x - y)

    g = chainrule.compile(f)
    assert (g(5.0, scale=3.0), g(x=5.0, y=1.0, scale=3.0)) == (9.0, 12.0)
    assert g.grad(5.0, scale=3.0) == 3.0
    assert g.grad(5.0, 1.0, scale=4.0, argnums=-2) == 4.0
    with pytest.raises(TypeError, match="scale"):
        g(5.0)
    with pytest.raises(errors.ArgumentError, match="unexpected"):
        g(5.0, scale=1.0, factor=3.0)


def test_with_values_it_is_the_function_itself():
    f = chainrule.compile(lambda x, y: x * x * y)
    x = Value(3.0)
    (f(x, 2.0) + x).backward()
    assert x.grad == 13.0
    assert chainrule.grad(chainrule.grad(lambda x: f(x, 2.0)))(3.0) == 4.0
    outer = chainrule.compile(lambda x: f(x, 2.0) + x)
    assert outer.value_and_grad(3.0) == (21.0, 13.0)
    with pytest.raises(errors.OperandError, match="plain numbers"):
        chainrule.compile(lambda x: x, in_axes=0)([x, x])


def test_second_derivatives_by_arrays_have_their_shape_twice():
    f = chainrule.compile(lambda m, b: b * sum(x * x * x for row in m for x in row))
    m = np.arange(4.0).reshape(2, 2)
    (by_mm, by_mb), (by_bm, by_bb) = f.hessian(m, 2.0, argnums=(0, 1))
    np.testing.assert_allclose(by_mm, np.diag(12.0 * m.ravel()).reshape(2, 2, 2, 2))
    np.testing.assert_allclose(by_mb, 3.0 * m**2)
    np.testing.assert_allclose(by_bm, 3.0 * m**2)
    assert by_bb == 0.0


@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
def test_second_derivatives_of_a_batch(reduce):
    f = chainrule.compile(lambda w, x: w * w * x**3, in_axes=(None, 0), reduce=reduce)
    x, n = np.array([1.0, 2.0, 3.0]), 3 if reduce == "mean" else 1
    (ww, wx), (xw, xx) = f.hessian(5.0, x, argnums=(0, 1))
    np.testing.assert_allclose(ww, 2 * x**3 if reduce is None else sum(2 * x**3) / n)
    np.testing.assert_allclose(wx, 30 * x**2 / n)
    np.testing.assert_allclose(xw, 30 * x**2 / n)
    np.testing.assert_allclose(xx, 150 * x / n)


def test_the_jacobian_of_a_batch_by_arrays():
    f = chainrule.compile(lambda v: {"a": [v[0] * v[1], v[1]]}, in_axes=1)
    v = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    first, second = f.jacobian(v)["a"]
    np.testing.assert_array_equal(first, v[::-1])
    np.testing.assert_array_equal(second, [[0.0] * 3, [1.0] * 3])


@pytest.mark.parametrize(
    ("options", "arguments", "message"),
    [
        ({"in_axes": (0, None)}, ([1.0],), "2 entries"),
        ({"in_axes": 1}, ([1.0], [2.0]), "axes|axis"),
        ({"in_axes": 0}, ([1.0, 2.0], [1.0, 2.0, 3.0]), "2, 3 samples"),
        ({"in_axes": 0}, ([], []), "no samples|no array"),
        ({"in_axes": 0}, (1.0, [2.0]), "is the number 1.0"),
        ({"in_axes": 0}, ([[1.0], [1.0, 2.0]], [1.0, 2.0]), "equal"),
        ({}, (np.array(["a"]), 1.0), "array of numbers"),
    ],
)
def test_arguments_that_cannot_be_used(options, arguments, message):
    with pytest.raises(errors.ChainruleError, match=message):
        chainrule.compile(lambda x, y: x, **options)(*arguments)


@pytest.mark.parametrize(
    ("arguments", "argnums", "message"),
    [((1.0, "on"), 1, "'on'.*leave it out"), ((1.0, 2.0), 2, "argnums=2"), ((1.0, [2.0, "on"]), 1, "leave it out")],
)  # fmt: skip
def test_what_has_no_derivative(arguments, argnums, message):
    with pytest.raises(errors.ArgumentError, match=message):
        chainrule.compile(lambda x, y: x).grad(*arguments, argnums=argnums)


@pytest.mark.parametrize("in_axes", [None, (None, None)])
def test_in_axes_must_name_an_axis(in_axes):
    if in_axes is None:
        assert chainrule.compile(lambda x, y: x, in_axes=None)(1.0, 2.0) == 1.0
    else:
        with pytest.raises(errors.ArgumentError, match="names no axis"):
            chainrule.compile(lambda x, y: x, in_axes=in_axes)


def test_what_is_no_number_is_a_part_of_the_key():
    f = chainrule.compile(lambda x, how: x * x if how == "square" else -x)
    assert [f(3.0, "square"), f(3.0, "negative"), f(4.0, "square")] == [9.0, -3.0, 16.0]
    assert f.traces == 2


def test_a_number_that_is_an_array_may_stand_in_two_places():
    def appending(xs, a, b):
        xs.append(a)
        return xs[-1] * b

    number = np.array(2.0)
    assert chainrule.compile(appending)([1.0], number, number) == 4.0
