"""Values in NumPy's arrays, and NumPy's functions of Values."""

from __future__ import annotations

import math

import pytest

import chainrule
from chainrule import Value, grad
from chainrule.errors import OperandError

np = pytest.importorskip("numpy")


def objects(*numbers):
    return np.array([Value(x) for x in numbers])


def data(array):
    return [float(getattr(x, "data", x)) for x in np.ravel(array)]


def test_an_array_beside_one_value():
    z, v, plain = objects(1.0, 2.0, 3.0), Value(2.0), np.array([1.0, 2.0])
    for given, wanted in [
        (z / z.sum(), [1 / 6, 2 / 6, 3 / 6]),
        (z - z[0], [0.0, 1.0, 2.0]),
        (z[0] - z, [0.0, -1.0, -2.0]),
        (v * z, [2.0, 4.0, 6.0]),
        (v**z, [2.0, 4.0, 8.0]),
        (plain * v, [2.0, 4.0]),
        (v / plain, [2.0, 1.0]),
        (np.array([[1, 2], [3, 4]]) - v, [-1.0, 0.0, 1.0, 2.0]),
        (plain @ objects(1.0, 2.0), [5.0]),
        (np.array(3.0) * v, [6.0]),
        (v + np.array(3.0), [5.0]),
    ]:
        assert data(given) == wanted


def test_gradients_flow_through_arrays():
    z = objects(1.0, 2.0, 3.0)
    e = np.exp(z - z.max())
    p = e / e.sum()
    (-np.log(p[0])).backward()
    soft = [math.exp(x - 3) / sum(math.exp(y - 3) for y in (1, 2, 3)) for x in (1, 2, 3)]
    assert [x.grad for x in z] == pytest.approx([soft[0] - 1, soft[1], soft[2]])


def test_in_place_on_an_array_of_objects():
    z, v = objects(1.0, 2.0), Value(3.0)
    z *= v
    z[0] = z[0] + v
    z.sum().backward()
    assert data(z) == [6.0, 6.0]
    assert v.grad == 4.0


def put(z, at, x):
    z[at] = x


@pytest.mark.parametrize(
    "keep",
    [
        lambda z, v: z.__imul__(v),
        lambda z, v: np.add(z, v, out=z),
        lambda z, v: np.add.at(z, [0], v),
        lambda z, v: put(z, 0, v),
        lambda z, v: put(z, slice(None), [v, 1.0]),
        lambda z, v: chainrule.grad(lambda v: put(z, 0, v))(1.0),
    ],
)
def test_an_array_of_floats_has_no_room_for_a_value(keep):
    with pytest.raises(OperandError, match=r"no room in an array of floats.*z\.astype\(object\)"):
        keep(np.zeros(2), Value(1.0))


def test_comparisons_of_arrays_are_masks():
    z, v = objects(1.0, 2.0, 3.0), Value(2.0)
    for mask in (z > v, v < z, z == Value(3.0), v < np.array([1.0, 2.0, 3.0]), Value(3.0) == z):
        assert mask.tolist() == [False, False, True]
    assert data(z[z >= v]) == [2.0, 3.0]


NAMES = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
}


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "expm1", "log1p", *NAMES])
def test_functions_of_numpy_are_those_of_the_table(name):
    ours = chainrule.core.operation.TABLE.get(NAMES.get(name, name))
    if ours is None:
        pytest.skip("not in the table")
    f, x = getattr(np, name), 1.25 if name == "arccosh" else 0.5
    v = Value(x)
    assert f(v).data == ours(x)
    assert f(v).op is ours
    assert [y.op for y in f(np.array([v, Value(x)]))] == [ours, ours]
    assert f(v).data == pytest.approx(float(f(x)))


def test_functions_of_two_numbers():
    v = Value(-2.0)
    assert np.maximum(v, 0).data == np.minimum(0.0, -v).data == 0.0
    assert np.maximum(v, 0).op is chainrule.ops.max
    assert data(np.maximum(np.array([-3.0, 1.0]), v)) == [-2.0, 1.0]
    assert np.arctan2(v, 1.0).data == math.atan2(-2.0, 1.0)
    assert data(np.hypot([3.0, 0.0], v)) == [math.hypot(3.0, 2.0), 2.0]
    assert np.power(2.0, v).data == 0.25
    assert (np.square(v).data, np.reciprocal(v).data, np.absolute(v).data, np.negative(v).data) == (4.0, -0.5, 2.0, 2.0)


def test_reductions_and_products():
    z = objects(1.0, 2.0, 3.0)
    assert z.sum().data == np.sum(list(z)).data == np.add.reduce(z).data == 6.0
    assert z.mean().data == 2.0
    assert z.std().data == pytest.approx(math.sqrt(2 / 3))
    assert np.dot(z, z).data == (z @ np.array([1.0, 2.0, 3.0])).data == 14.0
    assert np.linalg.norm(z).data == pytest.approx(math.sqrt(14))
    assert data(np.multiply.outer(Value(2.0), np.array([1.0, 2.0]))) == [2.0, 4.0]
    assert data(np.cumsum(z)) == [1.0, 3.0, 6.0]


def test_what_the_table_lacks_is_named():
    with pytest.raises(OperandError, match=r"no operation for NumPy's isfinite: .*np\.isfinite\(v\.data\)"):
        np.isfinite(Value(1.0))
    with pytest.raises(OperandError, match="no operation for NumPy's spacing"):
        np.spacing(Value(1.0))
    with pytest.raises(OperandError, match="no operation for NumPy's copysign"):
        np.copysign(np.array([1.0]), Value(1.0))
    with pytest.raises(OperandError, match="a Value is no place to put a result"):
        np.add(1.0, 2.0, out=(Value(1.0),))


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, np.uint8, np.longdouble, np.bool_])
def test_numpys_numbers_beside_a_value(kind):
    v, one = Value(3.0), kind(1)
    for found in (one * v, v * one, one + v - one, v / one, one / (one / v), v**one):
        assert type(found) is Value
        assert found.data == 3.0
    assert type(one < v) is Value
    assert (one < v, one > v, v == one, one != v) == (1.0, 0.0, 0.0, 1.0)


def test_operations_of_the_table_go_through_arrays():
    z = objects(-1.0, 2.0)
    assert data(chainrule.relu(z)) == [0.0, 2.0]
    assert data(chainrule.max(Value(0.5), z)) == data(chainrule.max(z, 0.5)) == [0.5, 2.0]
    found = chainrule.tanh(np.array([[0.0, 1.0]]))
    assert found.dtype == float
    assert found.tolist() == [[0.0, math.tanh(1.0)]]
    matrix = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    assert data(chainrule.sum(matrix)) == [4.0, 6.0]  # of the rows, as Python's sum
    assert chainrule.weighted_sum(z, np.array([1.0, 2.0]), 1.0).data == 4.0


def test_what_is_no_number_in_an_array_is_refused():
    with pytest.raises(OperandError, match="needs real numbers but got the str 'a'"):
        chainrule.tanh(np.array(["a"]))
    with pytest.raises(OperandError, match="needs real numbers but got the complex"):
        Value(1.0) * np.array([1j])


def test_another_library_that_keeps_to_numpys_protocol_takes_over():
    class Other:
        def __array_ufunc__(self, ufunc, method, *inputs, **named):
            return "theirs", ufunc.__name__

        def __rmul__(self, other):
            return "reflected"

        def __len__(self):
            return 1

    assert np.multiply(Value(1.0), Other()) == ("theirs", "multiply")
    assert Value(1.0) * Other() == "reflected"


def test_derivatives_of_functions_written_for_arrays():
    def loss(w):
        z = np.array([w, 2.0 * w]) - w
        return np.exp(z).sum() * np.float64(2.0)

    assert grad(loss)(0.5) == pytest.approx(2 * math.exp(0.5))
    assert grad(grad(loss))(0.5) == pytest.approx(2 * math.exp(0.5))
