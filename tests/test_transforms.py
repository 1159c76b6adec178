"""Derivatives of functions: exact values, nesting, structures, closures, refusals."""

import itertools
import math
import random
from dataclasses import dataclass, field

import mpmath as mp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import (
    Value,
    exp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    largest,
    log,
    logsumexp,
    no_grad,
    relu,
    select,
    sin,
    sqrt,
    tanh,
    transforms,
    value_and_grad,
    vjp,
)
from chainrule.core.anomaly import swallowed_infinities
from chainrule.core.modes import open_modes
from chainrule.errors import ArgumentError, GraphError, OperandError, SizeError

points = st.floats(min_value=-3, max_value=3)


def rational(x):
    return (x**3 - 2 * x + 1) / (x * x + 3)


FUNCTIONS = [
    (tanh, mp.tanh),
    (lambda x: exp(x) * sin(x), lambda x: mp.exp(x) * mp.sin(x)),
    (rational, rational),
]


@pytest.mark.parametrize(("ours", "exact"), FUNCTIONS, ids=["tanh", "exp·sin", "rational"])
@pytest.mark.parametrize("x", [-1.2, 0.3, 2.0])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_any_order_are_exact(ours, exact, x, order):
    derivative = ours
    for _ in range(order):
        derivative = grad(derivative)
    with mp.workdps(50):
        expected = float(mp.diff(exact, x, order))
    assert derivative(x) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda a: a**2.5, 4.0, 20.0),
        (lambda a: 2**a, 3.0, 8 * math.log(2)),
        (lambda a: a**-0.5, 4.0, -0.0625),
        (lambda a: 1 / a, 4.0, -0.0625),
        (lambda a: a - a, 4.0, 0.0),
        (lambda a: a * a, 4.0, 8.0),
        (lambda a: max(a, a), 4.0, 1.0),
        (lambda a: a**a, 2.0, 4 * (math.log(2) + 1)),
        (abs, -4.0, -1.0),
        (lambda a: +a, 4.0, 1.0),
    ],
)
def test_textbook_derivatives(f, x, expected):
    assert grad(f)(x) == pytest.approx(expected, rel=1e-15)


def test_a_variable_inside_is_not_the_one_outside():
    # The inner derivative is in y alone, although y has the value of x.
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(2.0) == 4.0
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: grad(lambda y: x * y * y)(3.0))(2.0) == 6.0


def test_a_product_that_is_zero_here_still_has_a_second_derivative():
    assert grad(grad(lambda x: sin(x) * sin(x)))(0.0) == 2.0
    assert hessian(lambda v: v[0] * v[1])([0.0, 0.0]) == [[0.0, 1.0], [1.0, 0.0]]


def test_zero_upstream_deposits_nothing_to_any_order():
    def f(x):
        return select(x > 0, sqrt(x), 0)

    assert grad(f)(0.0) == 0.0
    assert grad(grad(f))(0.0) == 0.0
    assert jvp(f, (0.0,), (1.0,)) == (0.0, 0.0)
    assert grad(f)(4.0) == 0.25


def test_a_branch_that_was_not_taken_spoils_nothing():
    def f(x):
        return select(x > 0, sqrt(sqrt(x)), x * x)

    assert hessian(f)(-1.0) == 2.0
    assert grad(lambda x: sqrt(relu(x)))(-1.0) == 0.0
    assert grad(grad(lambda x: sqrt(relu(x))))(-1.0) == 0.0
    assert jvp(lambda x: sqrt(relu(x)), (-1.0,), (1.0,)) == (0.0, 0.0)
    x = Value(-1.0)
    sqrt(relu(x)).backward()
    assert x.grad == 0.0


def test_structures_go_in_and_come_out():
    def f(p, q):
        return p["w"][0] * p["w"][1] * q[0] + p["b"] * q[1]

    p, q = {"w": [2.0, 3.0], "b": 5.0}, (7.0, 11.0)
    assert grad(f)(p, q) == {"w": [21.0, 14.0], "b": 11.0}
    assert grad(f, argnums=1)(p, q) == (6.0, 5.0)
    assert grad(f, argnums=(1, 0))(p, q) == ((6.0, 5.0), {"w": [21.0, 14.0], "b": 11.0})
    assert grad(f, argnums=-1)(p, q) == (6.0, 5.0)
    assert value_and_grad(f)(p, q) == (97.0, {"w": [21.0, 14.0], "b": 11.0})


def test_jacobian_has_the_structure_of_the_result():
    derivative = jacobian(lambda x: {"sum": x[0] + x[1], "all": [x[0] * x[1], 3.0]})([2.0, 5.0])
    assert derivative == {"sum": [1.0, 1.0], "all": [[5.0, 2.0], [0.0, 0.0]]}


def test_hessian_of_two_arguments():
    assert hessian(lambda a, b: a**2 * b, argnums=(0, 1))(3.0, 4.0) == ((8.0, 6.0), (6.0, 0.0))


@given(points, points, points, points)
def test_a_hessian_vector_product_is_that_of_the_hessian(a, b, s, t):
    def f(p):
        return exp(p["x"]) * sin(p["y"][0]) + tanh(p["x"] * p["y"][0])

    point, direction = {"x": a, "y": [b]}, {"x": s, "y": [t]}
    rows = hessian(f)(point)
    found = hvp(f)(point, direction)
    expected = [row["x"] * s + row["y"][0] * t for row in (rows["x"], rows["y"][0])]
    assert [found["x"], found["y"][0]] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_hessian_vector_products_of_several_arguments_and_within_transforms():
    def f(a, b, c=1.0):
        return c * a**2 * b

    assert hvp(f, argnums=(0, 1))(3.0, 4.0, (1.0, 10.0)) == (68.0, 6.0)
    assert hvp(f, argnums=1)(3.0, 4.0, 1.0) == 0.0
    assert hvp(f, argnums=-2)(3.0, 4.0, 1.0, c=2.0) == 16.0
    assert grad(lambda x: hvp(lambda y: x * y**3)(2.0, 5.0))(7.0) == 60.0  # by a number that f closes over
    assert grad(lambda v: hvp(lambda y: y**3)(2.0, v))(5.0) == 12.0  # by the direction
    w = Value(7.0)
    assert hvp(lambda y: w * y**3)(2.0, 5.0) == 420.0
    product = hvp(lambda y: w * y**3)(Value(2.0), 5.0)
    product.backward()
    assert w.grad == 60.0


def test_a_hessian_vector_product_without_its_direction_is_refused():
    def energy(x):
        return x[0] * x[1]

    with pytest.raises(ArgumentError, match=r"hvp\(energy\)\(x, v\)"):
        hvp(energy)([1.0, 2.0])
    with pytest.raises(SizeError, match="the direction of hvp"):
        hvp(energy)([1.0, 2.0], [1.0])
    with pytest.raises(OperandError, match=r"hvp needs a function that returns one number, but .* returned a list"):
        hvp(lambda x: [x[0]])([1.0], [1.0])


@given(points, points, points, points)
def test_forward_mode_agrees_with_reverse_mode(a, b, s, t):
    def f(x, y):
        return [x * sin(y) + exp(x), tanh(x * y)]

    value, tangent = jvp(f, (a, b), (s, t))
    rows = jacobian(f, argnums=(0, 1))(a, b)
    assert value == [v.data for v in f(Value(a), Value(b))]
    assert tangent == pytest.approx([row[0] * s + row[1] * t for row in rows], rel=1e-12, abs=1e-12)
    value, pullback = vjp(f, a, b)
    assert pullback([s, t]) == pytest.approx([rows[0][i] * s + rows[1][i] * t for i in (0, 1)], rel=1e-12, abs=1e-12)


def test_forward_over_reverse_and_reverse_over_forward():
    assert grad(lambda x: jvp(lambda y: y**3, (x,), (1.0,))[1])(2.0) == 12.0
    assert jvp(grad(lambda y: y**3), (2.0,), (1.0,)) == (12.0, 12.0)


def test_closed_over_values_are_left_alone():
    w = Value(3.0)
    w.grad = 7.0
    assert grad(lambda x: w * x * x)(2.0) == 12.0
    assert w.peek_grad() == 7.0


def test_given_a_value_the_derivative_can_be_differentiated():
    x = Value(2.0)
    slope = grad(lambda y: y**3)(x)
    assert isinstance(slope, Value)
    slope.backward()
    assert (slope.data, x.grad) == (12.0, 12.0)


def test_with_a_plain_number_the_derivative_is_a_float_though_the_function_uses_values():
    w = Value(2.0)
    slope = grad(lambda x: w * x * x)(3.0)
    assert (type(slope), slope) == (float, 12.0)
    assert type(value_and_grad(lambda x: w * x * x)(3.0)[0]) is float
    slope = grad(lambda x: w * x * x)(Value(3.0))
    slope.backward()
    assert (slope.data, w.grad) == (12.0, 6.0)


def test_results_of_a_function_that_are_kept_have_no_gradients_from_it():
    kept = []

    def f(x):
        kept.extend([w * x, w * w])
        return kept[0] * kept[1] * x

    w = Value(3.0)
    assert grad(f)(2.0) == 108.0
    assert [node.peek_grad() for node in [w, *kept]] == [0.0, 0.0, 0.0]
    kept[1].backward()
    assert w.grad == 6.0


def test_results_that_do_not_depend_on_the_argument():
    assert grad(lambda x: 3.0)(2.0) == 0.0
    assert grad(lambda x: Value(3.0))(2.0) == 0.0
    assert jacobian(lambda x: [x, 1.0])(2.0) == [1.0, 0.0]


def test_inside_no_grad_and_with_keywords():
    with no_grad():
        assert grad(lambda x, *, power: x**power)(2.0, power=3) == 12.0


def test_branches_and_loops_are_followed():
    def newton(target):
        x = target
        for _ in range(30):
            x = x - (x * x - target) / (2 * x)
        return x if x > 0 else -x

    assert grad(newton)(9.0) == pytest.approx(1 / 6, rel=1e-12)
    assert grad(grad(newton))(9.0) == pytest.approx(-1 / 108, rel=1e-11)


def test_an_operand_that_changed_is_noticed():
    w = Value(3.0)
    product = None

    def f(x):
        nonlocal product
        product = w * x
        product = product * product
        w.data = 5.0
        return product

    assert grad(f)(2.0) == 36.0  # the derivatives kept are those of the forward pass that was run
    w.data = 3.0
    with pytest.raises(GraphError, match="operand of mul changed"):
        grad(grad(f))(2.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(lambda x: [x, x])(1.0), OperandError, "use jacobian"),
        (lambda: grad(lambda x: None)(1.0), OperandError, "lack its return"),
        (lambda: grad(lambda x: x)(), ArgumentError, "argnums=0"),
        (lambda: grad(lambda x: x, argnums=2)(1.0), ArgumentError, "argnums=2"),
        (lambda: grad(log)("2"), OperandError, "float\\('2'\\)"),
        (lambda: jvp(lambda x: x, (1.0,), (1.0, 2.0)), SizeError, "structure"),
        (lambda: vjp(lambda x: [x, x], 1.0)[1](1.0), SizeError, "structure"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_names_tell_what_they_are():
    assert grad(rational).__name__ == "grad(rational)"
    assert hessian(rational).__name__ == "hessian(rational)"


def swapped(x):
    x[0], x[1] = x[1], x[0]
    return 2 * x[0] + x[1] ** 2


def grown(p):
    p["a"] = 2 * p["a"]
    p["c"] = p.pop("b")
    return p["a"] * p["c"]


def test_a_function_may_change_its_lists_and_dicts():
    assert value_and_grad(swapped)([5.0, 7.0]) == (39.0, [10.0, 2.0])
    assert value_and_grad(grown)({"a": 3.0, "b": 4.0}) == (24.0, {"a": 8.0, "b": 6.0})
    assert hessian(swapped)([5.0, 7.0]) == [[2.0, 0.0], [0.0, 0.0]]


# ---- how far a walk goes --------------------------------------------------------------------------------------------


def steps_of_particles(count, steps):
    """A simulation in which each step needs the slope of an energy; the final energy."""

    def energy(xs):
        return sum([(a - b) ** 2 * exp(a - b) for a, b in itertools.pairwise(xs)])

    def final(start):
        xs = [start + 0.1 * i for i in range(count)]
        for _ in range(steps):
            xs = [x - 0.01 * slope for x, slope in zip(xs, grad(energy)(xs), strict=True)]
        return energy(xs)

    return final


def saddle(steps):
    """The end of a search in which the inner transform is forward mode, over Values that it closes over."""

    def final(start):
        x, y = start, 1.0 + start
        for _ in range(steps):
            slope = jvp(lambda u, y=y: u * u * y, (x,), (1.0,))[1]
            x, y = x - 0.1 * slope, y + 0.1 * vjp(lambda v, x=x: x * v, y)[1](1.0)[0]
        return x * y

    return final


@pytest.mark.parametrize(
    "derivative",
    [
        lambda steps: grad(steps_of_particles(3, steps))(0.5),
        lambda steps: grad(saddle(steps))(0.5),
        lambda steps: steps_of_particles(3, steps)(Value(0.5)),
        lambda steps: jvp(steps_of_particles(3, steps), (0.5,), (1.0,)),
        lambda steps: jacobian(lambda x: [steps_of_particles(2, steps)(x), saddle(steps)(x)])(0.5),
    ],
)
def test_an_inner_transform_walks_over_no_more_than_its_own_function(derivative, monkeypatch):
    walked = []

    def counted(*roots, **since):
        order = topological_order(*roots, **since)
        walked.append(len(order))
        return order

    topological_order = transforms.topological_order
    monkeypatch.setattr(transforms, "topological_order", counted)

    def nodes(steps):
        walked.clear()
        derivative(steps)
        return sum(walked)

    few, more, most = nodes(4), nodes(8), nodes(12)
    assert most - more == more - few > 0


def test_forward_mode_walks_once_over_what_several_results_share(monkeypatch):
    walked = []

    def counted(*roots, **since):
        walked.append(len(roots))
        return topological_order(*roots, **since)

    topological_order = transforms.topological_order
    monkeypatch.setattr(transforms, "topological_order", counted)
    assert jvp(lambda x: [x * x, x * x * x, 1.0, x], (2.0,), (1.0,)) == ([4.0, 8.0, 1.0, 2.0], [4.0, 12.0, 0.0, 1.0])
    assert walked == [3]


def test_a_walk_within_the_function_changes_nothing():
    w = Value(3.0)

    def f(x):
        y = w * x
        z = y * y
        z.backward()  # which passes all that was made so far
        inner = grad(lambda u: u * y * z)(x)
        z.zero_grad()
        return inner * y + grad(lambda v: v * z)(1.0) * x

    def same(x):
        y = w * x
        z = y * y
        return y * z * y + z * x

    assert grad(f)(2.0) == grad(same)(2.0)
    assert grad(grad(f))(2.0) == grad(grad(same))(2.0)
    assert jvp(f, (2.0,), (1.0,)) == jvp(same, (2.0,), (1.0,))


def test_a_pullback_may_be_called_again_and_late():
    _, pullback = vjp(lambda a, b: [a * b, a * a * b], 2.0, 3.0)
    first = pullback([1.0, 0.0]), pullback([0.0, 1.0])
    Value(2.0).exp().backward()
    assert first == ((3.0, 2.0), (12.0, 4.0)) == (pullback([1.0, 0.0]), pullback([0.0, 1.0]))


def any_graph(draw, xs):
    """A number made of `xs` by operations that are drawn, among them sums, long lists and branches not taken."""
    nodes = list(xs)
    for _ in range(draw.randrange(1, 25)):
        a, b, c = draw.choice(nodes), draw.choice(nodes), draw.choice(nodes)
        new = [
            lambda a=a, b=b: a * b,
            lambda a=a, b=b: a + b,
            lambda a=a: sin(a),
            lambda a=a, b=b: a - 0.5 * b,
            lambda a=a, b=b, c=c: select(a > b, sqrt(a - b), c),
            lambda a=a, b=b, c=c: largest([a, b, c, a]),
            lambda a=a, b=b, c=c: logsumexp([a, b, c]),
            lambda a=a: tanh(a) * a,
        ]
        nodes.append(draw.choice(new)())
    return nodes[-1]


@pytest.mark.parametrize("seed", range(40))
def test_grad_has_the_bits_of_backward_and_of_a_walk_that_asks_which_nodes_depend(seed):
    point = [random.Random(seed).uniform(-2, 2) for _ in range(4)]
    xs = [Value(x) for x in point]
    any_graph(random.Random(seed), xs).backward()

    def f(xs):
        return any_graph(random.Random(seed), xs)

    found = grad(f)(point)
    assert list(map(repr, found)) == [repr(x.grad) for x in xs]
    with swallowed_infinities():
        assert grad(f)(point) == found
    assert [slope.data for slope in grad(f)([Value(x) for x in point])] == found


def test_a_transform_costs_the_engine_no_look_at_each_result():
    seen = []
    grad(lambda x: seen.append(list(open_modes)) or x * x)(1.0)
    with no_grad():
        grad(lambda x: seen.append(list(open_modes)) or x * x)(1.0)
    assert seen == [[], ["recording", "recording"]]


# ---- arrays and dataclasses ----------------------------------------------------------------------------------------


def test_derivatives_by_arrays_are_arrays():
    np = pytest.importorskip("numpy")
    m, x = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -2.0])
    assert grad(lambda x: x @ m @ x)(x).tolist() == (m @ x + m.T @ x).tolist()
    assert hessian(lambda x: x @ m @ x)(x).tolist() == (m + m.T).tolist()
    assert jacobian(lambda x: m @ x)(x).tolist() == m.tolist()
    assert jacobian(lambda m: m.sum(axis=0))(m).tolist() == [[[1, 0], [1, 0]], [[0, 1], [0, 1]]]
    by_both = jacobian(lambda p: p["w"] * p["b"])({"w": x, "b": 2.0})
    assert {name: found.tolist() for name, found in by_both.items()} == {"w": [[2, 0], [0, 2]], "b": [1, -2]}
    value, derivative = jvp(lambda x: m @ x, (x,), (np.array([1.0, 0.0]),))
    assert (value.tolist(), derivative.tolist()) == ((m @ x).tolist(), [1.0, 3.0])
    value, pullback = vjp(lambda x: m @ x, x)
    assert pullback(np.array([1.0, 1.0]))[0].tolist() == [4.0, 6.0]
    with pytest.raises(SizeError):
        pullback([1.0, 1.0])


def test_a_function_called_with_an_array_gets_an_array():
    np = pytest.importorskip("numpy")

    def f(x):
        assert (type(x), x.shape, len(x), x[0, 1].data) == (np.ndarray, (2, 2), 2, 2.0)
        return (x[1:] - x[:-1]).sum() * x[0, 1] + sum(np.dot(row, [1.0, 0.0]) for row in x * 2)

    for array in (np.array([[1, 2], [3, 4]]), np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)):
        value, derivative = value_and_grad(f)(array)
        assert value == 16.0
        assert (derivative.dtype, derivative.tolist()) == (float, [[0.0, 2.0], [4.0, 2.0]])


def test_nested_transforms_of_arrays():
    np = pytest.importorskip("numpy")
    x = np.array([1.0, 2.0])
    inner = grad(lambda x: (x**3).sum())
    assert grad(lambda x: inner(x).sum())(x).tolist() == [6.0, 12.0]
    of_values = inner(np.array([Value(1.0), Value(2.0)]))
    of_values.sum().backward()
    assert [y.data for y in of_values] == [3.0, 12.0]


def test_numbers_from_arrays_without_axes():
    np = pytest.importorskip("numpy")
    assert grad(lambda x: np.where(x > 0, x * x, 0.0))(np.array(3.0)) == 6.0
    assert grad(lambda x: np.asarray(x * x))(3.0) == 6.0


@dataclass(frozen=True)
class Option:
    spot: float
    rates: tuple

    @property
    def price(self):
        return self.spot * self.rates[0] + self.rates[1] ** 2


def test_derivatives_by_a_dataclass_are_one():
    option = Option(2.0, (3.0, 4.0))
    assert value_and_grad(lambda o: o.price)(option) == (22.0, Option(3.0, (2.0, 8.0)))
    assert jacobian(lambda x: Option(x * x, (x, 1.0)))(3.0) == Option(6.0, (1.0, 0.0))
    assert hessian(lambda o: o.price)(option).spot == Option(0.0, (1.0, 0.0))


def test_a_dataclass_whose_init_takes_something_else_is_refused():
    @dataclass
    class Ring:
        inner: float
        width: float = field(init=False, default=1.0)

    with pytest.raises(OperandError, match=r"got the Ring .*give its numbers in a dict"):
        grad(lambda ring: ring.inner)(Ring(1.0))
