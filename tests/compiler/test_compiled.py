"""chainrule.compile: values and derivatives equal those of the eager transforms, on every way that a function goes."""

from __future__ import annotations

import copy
import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

import chainrule
from chainrule import Value, errors
from chainrule.core.trees import leaves, tree_map
from chainrule.nn import MLP, Embedding

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")


def newton(a):
    x = a
    while abs(x * x - a) > 1e-9:
        x = 0.5 * (x + a / x)
    return x


def payoff(s, k):
    if s > k:
        return s - k
    if s < 0.5 * k:
        return 0.1 * (0.5 * k - s)
    return 0.0 * s


def ordered(*xs):
    return sorted(xs)


def polynomial(v, w):
    return v[0] ** 2 * w["a"] + chainrule.sin(v[1]) * w["b"][0]


def close(a, b, within=1e-12):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k], within) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(close(x, y, within) for x, y in zip(a, b, strict=True))
    return math.isclose(a, b, rel_tol=within, abs_tol=within)


ARGUMENTS = ([2.0, 3.0], {"a": 4.0, "b": [5.0]})


@pytest.mark.parametrize("argnums", [0, 1, (1, 0)])
def test_derivatives_are_those_of_the_transforms_in_their_nesting(argnums):
    f = chainrule.compile(polynomial)
    assert close(f(*ARGUMENTS), polynomial(*ARGUMENTS))
    assert close(
        f.value_and_grad(*ARGUMENTS, argnums=argnums), chainrule.value_and_grad(polynomial, argnums)(*ARGUMENTS)
    )
    assert close(f.grad(*ARGUMENTS, argnums=argnums), chainrule.grad(polynomial, argnums)(*ARGUMENTS))
    assert close(f.hessian(*ARGUMENTS, argnums=argnums), chainrule.hessian(polynomial, argnums)(*ARGUMENTS))


@pytest.mark.parametrize(
    ("argnums", "direction"),
    [(0, [0.5, -2.0]), (-1, {"a": 3.0, "b": [-1.0]}), ((1, 0), ({"a": 3.0, "b": [-1.0]}, [0.5, -2.0]))],
)
def test_a_hessian_vector_product_is_that_of_the_transform(argnums, direction):
    f = chainrule.compile(polynomial)
    expected = chainrule.hvp(polynomial, argnums)(*ARGUMENTS, direction)
    assert close(f.hvp(*ARGUMENTS, direction, argnums=argnums), expected)
    as_values = f.hvp([chainrule.Value(2.0), chainrule.Value(3.0)], ARGUMENTS[1], direction, argnums=argnums)
    assert close(tree_map(lambda x: getattr(x, "data", x), as_values), expected)


def test_a_hessian_vector_product_of_a_batch_is_that_of_its_mean():
    def misfit(w, x):
        return (chainrule.exp(w[0] * x) - w[1]) ** 2

    w, xs, v = np.array([0.3, 1.5]), [0.5, 1.0, -2.0], np.array([2.0, -1.0])
    f = chainrule.compile(misfit, in_axes=(None, 0), reduce="mean")
    expected = f.hessian(w, xs) @ v
    assert f.hvp(w, xs, v) == pytest.approx(expected, rel=1e-12)
    by_x = f.hvp(w, xs, [1.0, 1.0, 1.0], argnums=1)
    assert by_x == pytest.approx([chainrule.hessian(misfit, 1)(w.tolist(), x) / 3 for x in xs], rel=1e-12)


def test_values_and_jacobians_are_arrays_where_these_are_asked_for():
    def several(v, y):
        return {"sum": v[0] + y, "rest": [v[0] * v[1], chainrule.exp(v[1])]}

    f = chainrule.compile(several)
    rows = leaves(f.jacobian([0.5, 2.0], 3.0))
    assert f.jacobian_matrix([0.5, 2.0], 3.0) == pytest.approx(np.reshape(rows, (3, 2)))
    assert f.value_vector([0.5, 2.0], 3.0) == pytest.approx([3.5, 1.0, math.exp(2.0)])
    ys = np.array([1.0, 2.0, 5.0])
    batch = chainrule.compile(lambda v, y: [v[0] * y, v[1] - y], in_axes=(None, 0))
    assert batch.jacobian_matrix([0.5, 2.0], ys) == pytest.approx(np.r_[np.c_[ys, 0 * ys], [[0, 1]] * 3])
    assert batch.value_vector([0.5, 2.0], ys) == pytest.approx([0.5, 1.0, 2.5, 1.0, 0.0, -3.0])
    with pytest.raises(errors.OperandError, match=r"call several or its \.jacobian"):
        f.jacobian_matrix([Value(1.0), 2.0], 3.0)


def test_the_jacobian_of_a_structure():
    def several(x, y):
        return {"sum": x + y, "rest": [x * y, chainrule.exp(x)]}

    expected = chainrule.jacobian(several, (0, 1))(0.5, 2.0)
    assert close(chainrule.compile(several).jacobian(0.5, 2.0, argnums=(0, 1)), expected)


@pytest.mark.parametrize("a", [2.0, 9.0, 0.3, 100.0])
def test_a_newton_iteration_with_while(a):
    f = chainrule.compile(newton)
    value, slope = f.value_and_grad(a)
    assert (value, slope) == pytest.approx(chainrule.value_and_grad(newton)(a), rel=1e-12)
    assert f.traces == 1


def test_each_number_of_iterations_is_traced_once():
    f = chainrule.compile(newton)
    for a in [2.0, 9.0, 0.3, 100.0] * 3:
        f(a)
    assert f.traces == 4


def test_a_newton_iteration_of_a_batch():
    a = np.linspace(0.1, 50.0, 200)
    f = chainrule.compile(newton, in_axes=0)
    values, slopes = f.value_and_grad(a)
    expected = [chainrule.value_and_grad(newton)(x) for x in a.tolist()]
    np.testing.assert_allclose(values, [value for value, _ in expected], rtol=1e-12)
    np.testing.assert_allclose(slopes, [slope for _, slope in expected], rtol=1e-9)
    assert f.traces < 12


@pytest.mark.parametrize("s", [120.0, 100.0, 99.0, 50.0, 49.0, 0.0])
def test_a_payoff_on_every_side_of_its_branches(s):
    f = chainrule.compile(payoff)
    assert f.value_and_grad(s, 100.0, argnums=(0, 1)) == chainrule.value_and_grad(payoff, (0, 1))(s, 100.0)


@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_a_payoff_of_a_batch(reduce):
    s = np.linspace(0.0, 200.0, 101)
    f = chainrule.compile(payoff, in_axes=(0, None), reduce=reduce)
    value, (by_s, by_k) = f.value_and_grad(s, 100.0, argnums=(0, 1))
    expected = [chainrule.value_and_grad(payoff, (0, 1))(x, 100.0) for x in s.tolist()]
    n = len(s) if reduce == "mean" else 1
    assert value == pytest.approx(sum(v for v, _ in expected) / n)
    assert by_k == pytest.approx(sum(d[1] for _, d in expected) / n)
    np.testing.assert_allclose(by_s, [d[0] / n for _, d in expected])
    assert f.traces == 3


def test_a_sort_of_five_values():
    f = chainrule.compile(ordered)
    for xs in ([3.0, 1.0, 2.0, 5.0, 4.0], [1.0, 2.0, 3.0, 4.0, 5.0], [5.0, 4.0, 3.0, 2.0, 1.0]) * 2:
        assert f(*xs) == sorted(xs)
        assert f.jacobian(*xs, argnums=(0, 4)) == chainrule.jacobian(ordered, (0, 4))(*xs)
    assert f.traces == 3


def test_too_many_ways_are_an_error_that_says_what_to_do():
    f = chainrule.compile(lambda x: x * 2 if x > 0.5 else x if x > 0.2 else -x, max_traces=2)
    f(1.0), f(0.3)
    with pytest.raises(errors.TraceError, match=r"went 2 different ways.*select.*max_traces"):
        f(0.1)


POINTS = [math.sin(3.0 * k) for k in range(10)]


def nearest_by_if(x):
    best = (x - POINTS[0]) ** 2
    for p in POINTS[1:]:
        d = (x - p) ** 2
        if d < best:  # noqa: PLR1730 - that is what is tested
            best = d
    return best


def nearest_by_python(x):
    return min([(x - p) ** 2 for p in POINTS])


def sorted_by_python(x):
    return sorted([(x - p) ** 2 for p in POINTS])[1]


def nearest(x):
    best = (x - POINTS[0]) ** 2
    for p in POINTS[1:]:
        best = chainrule.min(best, (x - p) ** 2)
    return best


@pytest.mark.parametrize("function", [nearest_by_if, nearest_by_python, sorted_by_python])
def test_too_many_ways_of_a_batch_are_told_before_there_is_a_kernel_for_each(function, monkeypatch):
    from chainrule.compiler.calling import paths

    xs, made = np.linspace(-1.5, 1.5, 200), []
    build = paths.build
    monkeypatch.setattr(paths, "build", lambda *given: made.append(given) or build(*given))
    f = chainrule.compile(function, in_axes=0, max_traces=5)
    for _ in range(2):
        with pytest.raises(errors.TraceError, match=r"5 different ways.*best = chainrule.min\(best, d\) in place of"):
            f.value_and_grad(xs)
        assert len(made) <= 6
    values, slopes = chainrule.compile(nearest, in_axes=0).value_and_grad(xs)
    np.testing.assert_allclose(values, [function(x) for x in xs] if function is not sorted_by_python else values)
    np.testing.assert_allclose(slopes, [chainrule.grad(nearest_by_if)(x) for x in xs.tolist()])


@pytest.mark.parametrize("ways", [2, 6])
def test_a_batch_that_goes_few_ways_runs_whatever_the_order_of_its_samples(ways):
    def stairs(x):
        return sum([x * k for k in range(1, ways) if x > k])

    xs = np.repeat(np.arange(ways) + 0.5, 7)
    for order in (xs, xs[::-1], np.random.default_rng(0).permutation(xs)):
        f = chainrule.compile(stairs, in_axes=0)
        np.testing.assert_allclose(f(order), [float(stairs(x)) for x in order])
        assert f.traces == ways


def test_values_that_the_function_closes_over_are_read_at_each_call():
    w = Value(2.0)
    f = chainrule.compile(lambda x: w * x)
    assert f(3.0) == 6.0
    w.data = 5.0
    assert (f(3.0), f.grad(3.0), f.traces) == (15.0, 5.0, 1)


def test_data_of_a_traced_value_is_its_number_without_slope():
    f = chainrule.compile(lambda x: x * x.data)
    assert (f.value_and_grad(3.0), f.value_and_grad(5.0)) == ((9.0, 3.0), (25.0, 5.0))


def test_results_under_no_grad_have_no_slope():
    def half(x):
        with chainrule.no_grad():
            y = x * x
        return y * x

    f = chainrule.compile(half)
    assert (f.value_and_grad(3.0), f.value_and_grad(2.0)) == ((27.0, 9.0), (8.0, 4.0))


@pytest.mark.parametrize("x", [-1.0, 0.0, 4.0])
def test_a_zero_in_the_chain_rule_deposits_nothing(x):
    def root(x):
        return chainrule.select(x > 0, chainrule.sqrt(x), 0.0)

    assert chainrule.compile(root).value_and_grad(x) == chainrule.value_and_grad(root)(x)


def test_strict_mode_has_the_bits_of_the_eager_engine():
    def f(x, y):
        return chainrule.exp(x) * chainrule.tanh(y) / x + chainrule.pow(y, x) - chainrule.sigmoid(x * y)

    strict = chainrule.compile(f, strict=True)
    for x, y in [(0.3, 0.7), (1.7, 0.1), (2.5, 3.5)]:
        assert strict.value_and_grad(x, y, argnums=(0, 1)) == chainrule.value_and_grad(f, (0, 1))(x, y)


def test_strict_mode_has_the_zeros_of_the_eager_engine():
    f, xs = chainrule.logsumexp, [0.15, -1.8, 710.0]  # a second derivative underflows
    found, expected = chainrule.compile(f, strict=True).hessian(xs), chainrule.hessian(f)(xs)
    assert repr(found) == repr(expected)


def test_strict_mode_adds_up_derivatives_where_the_eager_engine_does():
    def f(a, b):
        v = a * a
        w = chainrule.identity(v)
        u = w * b
        return w + u + u * v

    expected = chainrule.value_and_grad(f, (0, 1))(-1.37, 1.84)
    assert chainrule.compile(f, strict=True).value_and_grad(-1.37, 1.84, argnums=(0, 1)) == expected


def test_arrays_keep_their_shape():
    f = chainrule.compile(lambda m: sum(sum(row) for row in m) ** 2)
    m = np.arange(6.0).reshape(2, 3)
    value, slope = f.value_and_grad(m)
    assert (value, slope.shape) == (225.0, (2, 3))
    np.testing.assert_array_equal(slope, 30.0)


def test_per_sample_results_of_a_batch_along_any_axis():
    f = chainrule.compile(lambda w, x: [w * x[0], x[1]], in_axes=(None, 1))
    x = np.arange(10.0).reshape(2, 5)
    first, second = f(3.0, x)
    np.testing.assert_array_equal(first, 3 * x[0])
    np.testing.assert_array_equal(second, x[1])


def test_a_model_s_gradient_over_a_batch():
    model = MLP(3, [4, 1], activation="tanh", seed=1)
    f = chainrule.compile(lambda x, y: (model(x) - y) ** 2, in_axes=0, reduce="mean")
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((33, 3)), rng.standard_normal(33)
    expected = sum((model(a) - b) ** 2 for a, b in zip(x.tolist(), y.tolist(), strict=True)) * (1 / 33)
    assert f(x, y) == pytest.approx(expected.data, rel=1e-12)


def test_integers_choose_rows_and_their_derivative_is_that_of_the_eager_engine():
    table = Embedding(5, 2, seed=1) if "seed" in Embedding.__init__.__kwdefaults__ else Embedding(5, 2)
    f = chainrule.compile(lambda i, x: table(i)[0] * x)
    for i in range(5):
        assert f(i, 2.0) == table.rows[i][0].data * 2.0
    assert f.traces == 1
    assert f.grad(1, 2.0) == chainrule.grad(f.function)(1, 2.0) == 0.0


def test_an_integer_as_a_python_index_is_traced_for_each():
    f = chainrule.compile(lambda i, x: [x, 2 * x, 3 * x][i])
    assert [f(i, 5.0) for i in (0, 1, 2, 0, 1, 2)] == [5.0, 10.0, 15.0, 5.0, 10.0, 15.0]
    assert f.traces == 3


def test_what_cannot_be_traced_names_the_line():
    with pytest.raises(errors.OperandError) as caught:
        chainrule.compile(lambda x: math.exp(x))(1.0)
    assert "chainrule.exp" in str(caught.value)
    assert any("math.exp(x)" in note for note in caught.value.__notes__)


def test_numpy_s_functions_name_what_to_say_instead():
    assert chainrule.compile(lambda x: np.exp(x))(1.0) == pytest.approx(math.e, rel=1e-15)
    with pytest.raises(TypeError) as caught:
        chainrule.compile(lambda x: np.exp(np.array([x, 1.0]))[0])(1.0)
    assert any("chainrule.exp(x)" in note for note in caught.value.__notes__)


@pytest.mark.parametrize(
    ("function", "message"),
    [(lambda x: None, "returned None"), (lambda x: "a", "returned the str 'a'"), (lambda x: [x, {1}], "the set {1}")],
)
def test_what_is_no_result(function, message):
    with pytest.raises(errors.OperandError, match=message):
        chainrule.compile(function)(1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reduce": "median", "in_axes": 0}, "reduce is"),
        ({"reduce": "mean"}, "in_axes"),
        ({"dtype": "int"}, "dtype is"),
        ({"threads": 0}, "threads is"),
        ({"strict": True, "dtype": "float32"}, "strict"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(errors.ArgumentError, match=message):
        chainrule.compile(newton, **options)


def test_floats_of_32_bits():
    f = chainrule.compile(lambda x: chainrule.exp(x) * x, dtype="float32")
    value, slope = f.value_and_grad(0.5)
    assert value == pytest.approx(0.5 * math.exp(0.5), rel=1e-6)
    assert slope == pytest.approx(1.5 * math.exp(0.5), rel=1e-6)


def test_threads_give_the_same_sums():
    def f(w, x):
        return chainrule.tanh(w * x)

    x = np.linspace(-3, 3, 20_000)
    one = chainrule.compile(f, in_axes=(None, 0), reduce="mean").value_and_grad(0.7, x)
    two = chainrule.compile(f, in_axes=(None, 0), reduce="mean", threads=2).value_and_grad(0.7, x)
    assert two == pytest.approx(one, rel=1e-12)


def test_a_compiled_function_can_be_pickled():
    f = pickle.loads(pickle.dumps(chainrule.compile(newton)))
    assert f(2.0) == pytest.approx(math.sqrt(2.0))


def test_a_function_may_change_its_lists_and_dicts():
    def eliminated(m, b):
        for k in range(2):
            for i in range(k + 1, 3):
                factor = m[i][k] / m[k][k]
                b[i] -= factor * b[k]
                for j in range(3):
                    m[i][j] -= factor * m[k][j]
        b.append(m[2][2])
        m.reverse()
        return b[-1] * b[2] + m[0][2]

    m, b = [[4.0, 1.0, 2.0], [1.0, 3.0, 0.5], [2.0, 0.25, 5.0]], [1.0, 2.0, 3.0]
    expected = chainrule.value_and_grad(eliminated, (0, 1))(m, b)
    for strict in (False, True):
        f = chainrule.compile(eliminated, strict=strict)
        assert close(f.value_and_grad(m, b, argnums=(0, 1)), expected)
        assert f.traces == 1
    assert m[1] == [1.0, 3.0, 0.5]
    batch = chainrule.compile(eliminated, in_axes=0).value_and_grad(np.array([m, m]).tolist(), [b, b])
    assert close(batch[0].tolist(), [expected[0]] * 2)
    assert close(batch[1][1].tolist(), expected[1][0])


def test_where_32_bits_give_nan_the_table_decides():
    def f(x):
        return chainrule.sqrt(chainrule.max(x, 0.0))

    short = chainrule.compile(f, dtype="float32")
    assert short.value_and_grad(-1.0) == chainrule.value_and_grad(f)(-1.0) == (0.0, 0.0)
    assert "bit by bit as the eager engine, since a number was infinite or nan" in short.explain()


class Spring:
    def __init__(self, stiffness):
        self.stiffness = stiffness

    @chainrule.compile
    def energy(self, x, y):
        return self.stiffness * (x - y) ** 2 / 2


def test_a_method_has_its_derivatives():
    spring = Spring(3.0)
    assert spring.energy(1.0, 3.0) == 6.0
    assert spring.energy.value_and_grad(1.0, 3.0) == (6.0, -6.0)
    assert spring.energy.grad(1.0, 3.0, argnums=(0, -1)) == (-6.0, 6.0)
    assert spring.energy.grad(1.0, 3.0, argnums=[1]) == (6.0,)
    assert spring.energy.hessian(1.0, 3.0, argnums=1) == 3.0
    assert spring.energy.hvp(1.0, 3.0, 2.0, argnums=1) == 6.0
    assert "energy: " in spring.energy.explain()
    spring.stiffness = 5.0
    assert spring.energy.grad(1.0, 3.0) == -10.0
    with pytest.raises(errors.ArgumentError, match="argnums"):
        spring.energy.grad(1.0, 3.0, argnums=True)
    assert copy.deepcopy(spring.energy).grad(1.0, 3.0) == -10.0
    assert repr(spring.energy).startswith("<<compiled energy, ")


def test_a_compiled_function_is_compiled_with_other_options():
    f = chainrule.compile(lambda x: x * x, strict=True)
    g = chainrule.compile(f, in_axes=0)
    assert g([1.0, 2.0]).tolist() == [1.0, 4.0]
    assert f(3.0) == 9.0


def test_a_function_with_attributes_like_ours():
    def f(x):
        return x * x

    f.options, f.function = "mine", None
    assert chainrule.compile(f).grad(3.0) == 6.0


def test_batches_go_one_way_again_after_one_that_did_not():
    f = chainrule.compile(lambda x: x * x if x > 0 else -x, in_axes=0)
    for xs in ([1.0, 2.0], [-1.0, 2.0], [3.0, 2.0], [-3.0, -2.0], [1.0, 1.0]):
        assert f(xs).tolist() == [x * x if x > 0 else -x for x in xs]
        assert f.value_and_grad(xs)[1].tolist() == [2 * x if x > 0 else -1.0 for x in xs]
    assert f.traces == 2


def test_threads_may_call_one_function_that_goes_many_ways():
    def f(x):
        for bound in (1.0, 2.0, 3.0):
            if x < bound:
                return x * bound
        return x * x

    compiled = chainrule.compile(f, max_traces=4)
    xs = [0.5, 1.5, 2.5, 3.5] * 100

    def call(shift):
        return [compiled.value_and_grad(x) for x in xs[shift:]] == [chainrule.value_and_grad(f)(x) for x in xs[shift:]]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(call, range(8)))
    assert compiled.traces == 4


@pytest.mark.parametrize("whole", [2**53 + 1, -(2**60), np.int64(2**53 + 1), np.array([1, 2**54])])
def test_integers_that_are_no_floats_are_refused(whole):
    with pytest.raises(errors.OperandError, match="beyond those that floats hold exactly"):
        chainrule.compile(lambda x, i: x * 2)(1.0, whole)


@pytest.mark.parametrize("whole", [2**24 + 1, np.array([1, 2**25])])
def test_integers_that_are_no_floats_of_32_bits_are_refused(whole):
    assert chainrule.compile(lambda x, i: x * 2)(1.0, whole) == 2.0
    with pytest.raises(errors.OperandError, match="beyond those that floats hold exactly"):
        chainrule.compile(lambda x, i: x * 2, dtype="float32")(1.0, whole)


def test_a_division_by_the_smallest_numbers():
    for power in (-1030, -1073, -1022, 1023, -3):
        f, x = chainrule.compile(lambda x, power=power: chainrule.tanh(x / 2.0**power)), 2.0 ** (power - 1)
        assert f(x) == pytest.approx(math.tanh(0.5), rel=1e-12)
