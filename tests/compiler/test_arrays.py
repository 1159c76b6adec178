"""Arrays and dataclasses in functions that are compiled: as in the eager engine."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

import chainrule
from chainrule import Value, nn, optim
from chainrule.errors import ArgumentError, OperandError

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

x, y = np.array([1.0, -2.0, 3.0]), np.array([10.0, 20.0, 30.0])
m = np.array([[1.0, 2.0, 0.5], [3.0, 4.0, -1.0]])


def same(a, b):
    """Whether two results agree, with the same nesting, classes and shapes."""
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    elif hasattr(a, "__dataclass_fields__"):
        for name in a.__dataclass_fields__:
            same(getattr(a, name), getattr(b, name))
    else:
        assert a == pytest.approx(b, rel=1e-12, abs=1e-12)


NUMBERS = {
    "product": lambda x, y: x @ y,
    "operators": lambda x, y: ((x * 2 + y) / (x - y) ** 2).sum(),
    "differences": lambda x, y: ((x[1:] - x[:-1]) * y[:-1]).sum(),
    "functions": lambda x, y: np.exp(x / 10).mean() * np.sqrt(y).std(),
    "shape": lambda x, y: x.reshape(3, 1)[1, 0] * y[-1] * x.shape[0] * len(y),
    "dot": lambda x, y: np.dot(m @ x, [1.0, 2.0]) + np.linalg.norm(y),
    "table": lambda x, y: chainrule.relu(x).sum() + chainrule.max(y, 15.0)[0] * chainrule.sum(x),
    "lists": lambda x, y: [a * b for a, b in zip(x, y, strict=True)][1] + max(x) + sum(y),
    "softmax": lambda x, y: ((np.exp(x - x.max()) / np.exp(x - x.max()).sum()) * y).sum(),
    "in place": lambda x, y: in_place(x, y),
}


def in_place(x, y):
    x[0] = x[0] * y[1]
    x += y
    return (x * x).sum()


@pytest.mark.parametrize("f", NUMBERS.values(), ids=NUMBERS)
def test_derivatives_of_a_number(f):
    compiled, before = chainrule.compile(f), (x.copy(), y.copy())
    for argnums in (0, (0, 1)):
        same(compiled.value_and_grad(x, y, argnums=argnums), chainrule.value_and_grad(f, argnums)(x.copy(), y.copy()))
    same(compiled.hessian(x, y), chainrule.hessian(f)(x.copy(), y.copy()))
    assert (x.tolist(), y.tolist()) == (before[0].tolist(), before[1].tolist())


RESULTS = {
    "array": lambda x, w: m @ x,
    "matrix": lambda x, w: np.outer(x, x[:2]) * w,
    "dict": lambda x, w: {"a": x * w, "b": [x[0], (m * x).sum(axis=1)]},
    "without axes": lambda x, w: np.where(w > 0, w * x[0], w),
    "float array": lambda x, w: [np.zeros(2), w],
    "itself": lambda x, w: x,
}


@pytest.mark.parametrize("f", RESULTS.values(), ids=RESULTS)
def test_arrays_are_results(f):
    compiled = chainrule.compile(f)
    same(compiled(x, 2.0), chainrule.vjp(f, x, 2.0)[0])
    same(compiled.jacobian(x, 2.0, argnums=(0, 1)), chainrule.jacobian(f, (0, 1))(x, 2.0))
    assert compiled.traces == 1


def test_arrays_in_a_nesting():
    def f(p):
        return (p["w"] @ p["x"][0] * p["x"][1]).sum()

    p = {"w": m, "x": (x, [2.0, 3.0])}
    compiled = chainrule.compile(f)
    same(compiled.grad(p), chainrule.grad(f)(p))
    same(compiled.hessian(p), chainrule.hessian(f)(p))


def test_a_batch_of_arrays_has_samples_first():
    X = np.arange(12.0).reshape(4, 3)

    def f(x, w):
        return {"scaled": x * w, "sum": x.sum()}

    compiled = chainrule.compile(f, in_axes=(0, None))
    found = compiled(X, 2.0)
    same(found, {"scaled": X * 2.0, "sum": X.sum(axis=1)})
    slopes = compiled.jacobian(X, 2.0, argnums=(0, 1))
    each = [chainrule.jacobian(f, (0, 1))(row, 2.0) for row in X]
    for name in found:
        same(slopes[name][0], np.array([one[name][0] for one in each]))
        same(slopes[name][1], np.array([one[name][1] for one in each]))


def test_a_batch_of_lists_has_lists_for_samples():
    joined = chainrule.compile(lambda x: x + x, in_axes=0)
    assert [x.tolist() for x in joined([[1.0, 2.0], [3.0, 4.0]])] == [[1.0, 3.0], [2.0, 4.0]] * 2
    assert joined(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist() == [[2.0, 4.0], [6.0, 8.0]]


def test_an_array_without_axes_is_a_number():
    assert chainrule.compile(lambda x: x * x).value_and_grad(np.array(3.0)) == (9.0, 6.0)


def test_arrays_of_integers_are_numbers_that_choose():
    compiled = chainrule.compile(lambda i, x: x[i[1]] * i[0] + x[i.astype(int)].sum())
    assert compiled(np.array([1, 2]), x) == 4.0
    assert compiled(np.array([2, 0]), x) == 6.0


def test_integers_are_differentiated_by_as_in_the_eager_engine():
    def f(n, x):
        return n * n * x

    compiled = chainrule.compile(f)
    assert compiled.value_and_grad(3, 2) == chainrule.value_and_grad(f)(3, 2) == (18.0, 12.0)
    assert compiled.grad(3, 2.0, argnums=(0, 1)) == (12.0, 9.0)
    assert compiled.grad(True, 2.0) == chainrule.grad(f)(True, 2.0) == 4.0
    same(compiled.jacobian(np.array([1, 2]), 3.0), chainrule.jacobian(f)(np.array([1, 2]), 3.0))
    by_tree = chainrule.compile(lambda p: p["a"] * p["b"][0])
    assert by_tree.grad({"a": 2, "b": [3, 4.0]}) == {"a": 3.0, "b": [2.0, 0.0]}
    batch = chainrule.compile(lambda n: n * n, in_axes=0)
    assert batch.grad(np.array([1, 2, 3])).tolist() == [2.0, 4.0, 6.0]
    with pytest.raises(ArgumentError, match="has no derivative"):
        chainrule.compile(lambda name, x: x).grad("a", 1.0)


def test_what_is_no_number_in_an_array_is_refused():
    with pytest.raises(OperandError, match="array of <U1"):
        chainrule.compile(lambda x: 1.0)(np.array(["a"]))
    with pytest.raises(OperandError, match="masked numbers"):
        chainrule.compile(lambda x: x[0])(np.ma.array([1.0, 2.0], mask=[True, False]))
    with pytest.raises(OperandError, match="returned the ndarray"):
        chainrule.compile(lambda x: np.array(["a"]))(1.0)


class Ellipse(nn.Module):
    def __init__(self):
        self.shape = np.array([[Value(2.0), Value(0.5)], [Value(0.5), Value(1.0)]])

    def forward(self, x):
        return x @ self.shape @ x


def test_modules_with_arrays_of_parameters():
    model, point = Ellipse(), np.array([1.0, 2.0])
    compiled = chainrule.compile(lambda model, x: model(x))
    value, slopes = compiled.value_and_grad(model, point)
    assert (value, list(slopes.values())) == (8.0, [1.0, 2.0, 2.0, 4.0])
    model(point).backward()
    assert [p.grad for p in model.parameters()] == [1.0, 2.0, 2.0, 4.0]


def test_steps_take_arrays():
    def loss(x, t):
        return (w @ x - t) ** 2

    rows, targets, found = np.arange(6.0).reshape(3, 2) / 10, np.array([1.0, 0.0, 2.0]), []
    for run in (False, True):
        w = np.array([Value(1.0), Value(-1.0)])
        optimizer = optim.SGD(list(w), lr=0.1)
        if run:
            step = chainrule.compile_step(loss, optimizer, in_axes=(0, 0))
            for _ in range(5):
                step(rows, targets)
        else:
            for _ in range(5):
                optimizer.zero_grad()
                total = sum([loss(row, t) for row, t in zip(rows, targets, strict=True)]) * (1 / 3)
                total.backward()
                optimizer.step()
        found.append([p.data for p in w])
    assert found[0] == pytest.approx(found[1], rel=1e-12)


@pytest.mark.parametrize("make", [np.array, list])
def test_steps_take_whole_batches_as_arrays(make):
    rows, targets, w = np.arange(6.0).reshape(3, 2) / 10, np.array([1.0, 0.0, 2.0]), np.array([Value(1.0), Value(-1.0)])

    def loss(x, t):
        return sum([(row[0] * w[0] + row[1] * w[1] - y) ** 2 for row, y in zip(x, t, strict=True)])

    step = chainrule.compile_step(loss, optim.SGD(list(w), lr=0.1))
    losses = [step(make(rows.tolist()), make(targets.tolist())) for _ in range(3)]
    numbers, by_hand = np.array([1.0, -1.0]), []
    for _ in range(3):
        errors = rows @ numbers - targets
        by_hand.append(errors @ errors)
        numbers = numbers - 0.1 * 2 * rows.T @ errors
    assert losses == pytest.approx(by_hand, rel=1e-12)


# ---- dataclasses ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Market:
    spot: float
    rates: np.ndarray
    name: str = "unnamed"

    def value(self, n=1):
        return self.spot * self.rates.sum() * n


@dataclass
class Pair:
    a: float
    b: float
    n: int = 2

    def __post_init__(self):
        if self.a < 0:
            raise ValueError("a must not be negative")


def test_dataclasses_are_arguments_with_derivatives():
    compiled = chainrule.compile(lambda p: p.a**p.n * p.b)
    for p in (Pair(3.0, 4.0), Pair(3.5, 4.0)):
        same(compiled.grad(p), chainrule.grad(lambda p: p.a**p.n * p.b)(p))
    assert compiled.traces == 1
    assert compiled(Pair(3.0, 4.0)) == 36.0
    assert chainrule.compile(lambda p: Pair(p.b, p.a, 7))(Pair(1.0, 2.0)) == Pair(2.0, 1.0, 7.0)
    same(chainrule.compile(lambda x: Pair(x * x, x)).jacobian(3.0), Pair(6.0, 1.0, 0.0))


def test_what_is_no_number_in_a_dataclass_belongs_to_the_structure():
    compiled = chainrule.compile(lambda market, k: market.value() * (k if market.name == "good" else -k))
    assert compiled(Market(2.0, x, "good"), 3.0) == 12.0
    assert compiled(Market(2.0, x, "bad"), 3.0) == -12.0
    assert compiled.grad(Market(2.0, x, "good"), 3.0, argnums=1) == 4.0
    with pytest.raises(ArgumentError, match=r"'good'.*no derivative"):
        compiled.grad(Market(2.0, x, "good"), 3.0)


def test_a_dataclass_of_values_stays_the_same_thing():
    @dataclass
    class Line:
        slope: Value
        names: tuple = ("a",)

    line = Line(Value(2.0))
    compiled = chainrule.compile(lambda line, x: line.slope * x)
    assert compiled(line, 3.0) == 6.0
    line.slope.data = 5.0
    assert compiled(line, 3.0) == 15.0
    assert (compiled.traces, compiled.fallbacks.describe()) == (1, [])


def test_a_dataclass_that_init_does_not_make_is_constant():
    @dataclass
    class Counted:
        x: float
        count: int = field(init=False, default=3)

    compiled = chainrule.compile(lambda c, y: c.x * c.count * y)
    assert compiled(Counted(2.0), 1.0) == 6.0
    assert compiled(Counted(4.0), 1.0) == 12.0
    assert compiled.grad(Counted(4.0), 1.0, argnums=1) == 12.0


def test_batches_of_dataclasses():
    @dataclass
    class Two:
        a: float
        b: list

    compiled = chainrule.compile(lambda p, k: p.a * p.b[0] * k, in_axes=(0, None))
    found = compiled.grad(Two(np.array([1.0, 2.0]), [[3.0], [4.0]]), 2.0)
    assert (found.a.tolist(), found.b.tolist()) == ([6.0, 8.0], [[2.0], [4.0]])
