"""Every operation of the table, in loops over the table: an operation that is added is tested by being there.

Values and derivatives are compared with mpmath at 50 digits: with the function of `REFERENCES`, or else with mpmath's
own function of the operation's name. Where mpmath knows neither, the derivatives are still compared with differences of
the operation itself, and everything else here is still asked of it. Conventions at special points are in
test_ops_ieee.py.
"""

from __future__ import annotations

import itertools
import math
import random
from math import inf, nan

import mpmath
import pytest

from chainrule import Value, grad, hessian, operation, ops, topological_order
from chainrule.core.operation import TABLE, forget
from chainrule.errors import OperandError, SizeError

BUILT_IN = [op for op in TABLE.values() if op.built_in]
every_operation = pytest.mark.parametrize("op", BUILT_IN, ids=[op.name for op in BUILT_IN])


def product(*xs):
    """The product from left to right; none where a part of it is too large or too small for a float's digits."""
    total = mpmath.mpf(1)
    for x in xs:
        total *= x
        if total and not 1e-307 < abs(total) < 1e308:
            raise ArithmeticError
    return total


def log_of_normal(x):
    """The logarithm of the normal distribution function, far to the left by a continued fraction (Laplace's)."""
    if x > 0:
        return mpmath.log1p(-mpmath.erfc(x / mpmath.sqrt(2)) / 2)
    if x > -50:
        return mpmath.log(mpmath.erfc(-x / mpmath.sqrt(2)) / 2)
    below = -x
    for k in range(200, 0, -1):
        below = -x + k / below
    return -x * x / 2 - mpmath.log(2 * mpmath.pi) / 2 - mpmath.log(below)


def derivative_of_psi(n, x):
    """polygamma(n, x) for orders that mpmath gets to the end of."""
    if abs(n - mpmath.nint(n)) > 1e-30 or 0 < abs(n) < 1e-200 or not -0.5 < n <= 50 or abs(x) > 1e6:
        raise ValueError
    n = mpmath.nint(n)
    return mpmath.psi(int(n), x)


SELU_SCALE = mpmath.mpf("1.0507009873554804934193349852946")
SELU_ALPHA = mpmath.mpf("1.6732632423543772848170429916717")
REFERENCES = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda x: -x,
    "pow": lambda a, b: a**b,
    "identity": lambda x: x,
    "stop_gradient": lambda x: x,
    "chain": lambda upstream, local: upstream * local,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "relu": lambda x: x if x > 0 else mpmath.mpf(0),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "gelu": lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
    "round": mpmath.nint,
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "elu": lambda x, alpha: x if x > 0 else alpha * mpmath.expm1(x),
    "selu": lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * mpmath.expm1(x)),
    "mish": lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))),
    "exp2": lambda x: mpmath.mpf(2) ** x,
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "lt": lambda a, b: mpmath.mpf(a < b),
    "le": lambda a, b: mpmath.mpf(a <= b),
    "gt": lambda a, b: mpmath.mpf(a > b),
    "ge": lambda a, b: mpmath.mpf(a >= b),
    "eq": lambda a, b: mpmath.mpf(a == b),
    "ne": lambda a, b: mpmath.mpf(a != b),
    "select": lambda condition, a, b: a if condition != 0 else b,
    "abs": lambda x: x if x > 0 else -x,
    "max": lambda a, b: a if a > b else b,
    "min": lambda a, b: a if a < b else b,
    "clip": lambda x, low, high: min(max(x, low), high),
    "mod": lambda a, b: a % b if b else mpmath.nan,
    "floordiv": lambda a, b: mpmath.nint((a - a % b) / b),
    "sum": lambda *xs: mpmath.fsum(xs),
    "weighted_sum": lambda b, *wx: b + mpmath.fsum(w * x for w, x in zip(wx[::2], wx[1::2], strict=True)),
    "logsumexp": lambda *xs: max(xs) + mpmath.log(mpmath.fsum(mpmath.exp(x - max(xs)) for x in xs)),
    "sum_of_squares": lambda *xs: mpmath.fsum(x * x for x in xs),
    "norm": lambda *xs: mpmath.sqrt(mpmath.fsum(x * x for x in xs)),
    "norm_pdf": mpmath.npdf,
    "norm_cdf": lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2 if x > -1e5 else mpmath.mpf(0),
    "norm_logcdf": lambda x: log_of_normal(x),
    "norm_ppf": lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1) if p > 1e-15 else mpmath.nan,
    "lgamma": lambda x: mpmath.re(mpmath.loggamma(x)),
    "polygamma": lambda n, x: derivative_of_psi(n, x),
    "prod": product,
    "mean": lambda *xs: mpmath.fsum(xs) / len(xs),
    "var": lambda mean, *xs: mpmath.fsum((x - mean) ** 2 for x in xs) / len(xs),
    "logaddexp": lambda a, b: max(a, b) + mpmath.log1p(mpmath.exp(-abs(a - b))),
    "xlogy": lambda x, y: x * mpmath.log(y) if x else mpmath.mpf(0),
    "largest": lambda *xs: max(xs),
    "argmax": lambda *xs: mpmath.mpf(xs.index(max(xs))),
    "take": lambda place, *xs: xs[int(place)] if place in range(len(xs)) else mpmath.nan,
}
"""What mpmath calls otherwise. Names that mpmath knows, such as tanh, need no line here."""

WHOLE = {("polygamma", 0)}
"""Operands that are whole numbers, so that there is nothing beside them."""

NO_SLOPE = {("stop_gradient", 0), ("take", 0), ("var", 0), ("philox", 0), ("philox", 1), ("philox", 2), *WHOLE}
"""Operands with which an operation's value changes though, by what it is there for, no derivative flows into them."""

SPECIAL = [0.0, -0.0, 5e-324, -5e-324, 1e-300, 1e-9, -1e-9, 0.5, 1.0, -1.0, 2.0, 3.0, -30.0, 30.0]
SPECIAL += [1000.0, -1000.0, 1e300, -1e300, inf, -inf, nan]
FINITE = [x for x in SPECIAL if math.isfinite(x)]


@pytest.fixture(autouse=True)
def fifty_digits():
    with mpmath.workdps(50):
        yield


# ---- what the loops are made of ------------------------------------------------------------------------------------


def reference(name):
    """The function in mpmath that the operation of that name must equal; None if there is none."""
    return REFERENCES.get(name) or getattr(mpmath, name, None)


def exact(function, numbers):
    """The reference at these floats, as a float; None where mpmath has no answer, as at -0, which it has not."""
    if any(x == 0 and math.copysign(1.0, x) < 0 for x in numbers):
        return None
    try:
        y = function(*map(mpmath.mpf, numbers))
    except (ArithmeticError, ValueError):
        return None
    return nan if isinstance(y, mpmath.mpc) else float(y)


def exact_derivative(op, operands, orders):
    """∂y/∂… of the reference, differentiated `orders[i]` times in operand i; None where there is no reference."""
    function = reference(op.name)
    if function is None:
        return None
    return float(mpmath.diff(function, tuple(map(mpmath.mpf, operands)), tuple(orders)))


def difference(function, operands, i):
    """A central difference in operand i, with Richardson's step so that its error is of the fourth order."""
    h = 2e-4 * max([1.0, *map(abs, operands)])

    def central(h):
        moved = [[*operands[:i], operands[i] + sign * h, *operands[i + 1 :]] for sign in (1, -1)]
        return (function(*moved[0]) - function(*moved[1])) / (moved[0][i] - moved[1][i])

    return (4 * central(h / 2) - central(h)) / 3


def as_float(local):
    """A local derivative as a plain number; operations that are constant in an operand give None."""
    return 0.0 if local is None else local.data if isinstance(local, Value) else local


def local_value(op, i, operands):
    """The local derivative in operand i as a Value of the Values `operands`; a number where it does not vary."""
    return op.local(i, operands, Value._record(op, operands))


def second_derivatives(op, operands, i):
    """∂/∂operands[j] of the local derivative in operand i, for every j, through the local derivative's own text."""
    values = [Value(x) for x in operands]
    local = local_value(op, i, values)
    if isinstance(local, Value):
        local.backward()
    return [v.grad for v in values]


def replaced(op):
    """Operands around which nothing is regular: all special numbers, in one or two places of each sample."""
    for sample in op.samples:
        for places in itertools.combinations(range(len(sample)), min(2, len(sample))):
            for numbers in itertools.product(SPECIAL, repeat=len(places)):
                operands = list(sample)
                for place, x in zip(places, numbers, strict=True):
                    operands[place] = x
                yield tuple(operands)


def unit_directions(n, *places):
    return [sum(place == i for place in places) for i in range(n)]


# ---- the loops -----------------------------------------------------------------------------------------------------


@every_operation
def test_it_has_what_its_picture_and_its_tests_need(op):
    assert op.samples, "sample points are what the derivatives are checked at"
    assert op.symbol
    assert op.__doc__
    for sample in op.samples:
        assert op.operand_names is None or len(sample) == len(op.operand_names)
        assert all(type(x) is float and math.isfinite(x) for x in sample)


def check_value(op, points):
    """Values against the reference. A sum may be wrong by what rounding its largest terms costs, others hardly."""
    function = reference(op.name)
    for operands in points if function else ():
        expected, y = exact(function, operands), op.value(*operands)
        if expected is None or math.isnan(expected):
            continue
        slack = 0.0
        if op.operand_names is None:
            slack = 1e-15 * math.fsum(abs(x * as_float(op.local(i, operands, y))) for i, x in enumerate(operands))
        close = math.isclose(y, expected, rel_tol=5e-14, abs_tol=1e-322 + slack)
        assert close or not math.isfinite(slack), f"{op.name}{operands} is {y!r}, but exactly {expected!r}"


@every_operation
def test_values_are_exact_at_the_samples(op):
    check_value(op, op.samples)


@every_operation
def test_values_are_exact_at_huge_tiny_and_critical_numbers(op):
    if op.operand_names is None or len(op.operand_names) > 2:
        points = [point for point in replaced(op) if all(map(math.isfinite, point))]
    else:
        points = itertools.product(FINITE, repeat=len(op.operand_names))
    check_value(op, points)


def check_first_derivatives(op):
    for operands in op.samples:
        y = op.value(*operands)
        for i in range(len(operands)):
            local = as_float(op.local(i, operands, y))
            if (op.name, i) in NO_SLOPE:
                assert local == 0
                continue
            by_difference = difference(op.value, operands, i)
            assert local == pytest.approx(by_difference, rel=1e-6, abs=1e-8), f"{op.name}{operands}, operand {i}"
            expected = exact_derivative(op, operands, unit_directions(len(operands), i))
            if expected is not None:
                assert local == pytest.approx(expected, rel=1e-13, abs=1e-16), f"{op.name}{operands}, operand {i}"


def check_second_derivatives(op):
    for operands in op.samples:
        for i in range(len(operands)):
            for j, found in enumerate(second_derivatives(op, operands, i)):
                where = f"{op.name}{operands}, operands {i} and {j}"
                if (op.name, j) in WHOLE:
                    assert found == 0, where
                    continue
                by_difference = difference(
                    lambda *moved, i=i: as_float(op.local(i, moved, op.value(*moved))), operands, j
                )
                assert found == pytest.approx(by_difference, rel=1e-6, abs=1e-8), where
                if op.local(j, operands, op.value(*operands)) is None or NO_SLOPE & {(op.name, i), (op.name, j)}:
                    continue  # a sample may stand at the very jump, such as the condition 0 of a select
                expected = exact_derivative(op, operands, unit_directions(len(operands), i, j))
                if expected is not None:
                    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15), where


@every_operation
def test_first_derivatives_are_exact_at_the_samples(op):
    check_first_derivatives(op)


@every_operation
def test_second_derivatives_are_exact_at_the_samples(op):
    check_second_derivatives(op)


@every_operation
def test_nothing_raises_at_any_number_and_values_and_floats_agree_to_the_bit(op):
    for operands in replaced(op):
        y = op.value(*operands)
        values = [Value(x) for x in operands]
        node = Value._record(op, values)
        assert type(y) is float
        assert node.data.hex() == y.hex(), f"{op.name}{operands}"
        for i in range(len(operands)):
            local = op.local(i, operands, y)
            assert local is None or type(local) is float, f"{op.name}{operands}, operand {i}"
            again = local_value(op, i, values)
            assert (again is None) == (local is None)
            assert as_float(again).hex() == as_float(local).hex(), f"{op.name}{operands}, operand {i}"
        node.backward()


@every_operation
def test_nan_goes_through_wherever_the_operation_looks(op):
    for sample in op.samples:
        y = op.value(*sample)
        for i in range(len(sample)):
            if as_float(op.local(i, sample, y)) != 0:
                assert math.isnan(op.value(*sample[:i], nan, *sample[i + 1 :])), f"{op.name}, operand {i}"


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_every_reference_is_of_an_operation_that_exists(name):
    assert name in TABLE


# ---- the loops themselves: a new operation is tested without a line about it here ----------------------------------


def test_an_added_operation_is_compared_with_mpmath_by_its_name(own_operations):
    @operation(local=lambda x, y: y * ops.tan(x), samples=[(0.5,), (-2.0,)])
    def sec(x):
        return 1.0 / math.cos(x)

    assert reference("sec") is mpmath.sec
    check_value(sec, sec.samples)
    check_first_derivatives(sec)
    check_second_derivatives(sec)

    @operation(local=lambda x, y: ops.cos(x), samples=[(0.5,)])
    def csc(x):
        return math.sin(x)

    with pytest.raises(AssertionError, match="csc"):
        check_value(csc, csc.samples)


def test_an_added_operation_that_mpmath_does_not_know_is_compared_with_differences(own_operations):
    @operation(local=lambda x, y: 3 * x * x, samples=[(0.5,), (-2.0,)])
    def cube(x):
        return x * x * x

    assert reference("cube") is None
    check_first_derivatives(cube)
    check_second_derivatives(cube)

    @operation(local=lambda x, y: 2.999 * x * x, samples=[(0.5,)])
    def nearly_cube(x):
        return x * x * x

    with pytest.raises(AssertionError, match="nearly_cube"):
        check_first_derivatives(nearly_cube)

    @operation(local=lambda x, y: 3 * as_float(x) * x, samples=[(0.5,)])
    def cube_once(x):
        return x * x * x

    check_first_derivatives(cube_once)
    with pytest.raises(AssertionError, match="cube_once"):
        check_second_derivatives(cube_once)


# ---- a neuron's sum is what it would be by hand, to the bit --------------------------------------------------------


def by_hand(weights, inputs, bias):
    return sum((w * x for w, x in zip(weights, inputs, strict=True)), bias)


def results(build, numbers):
    """The bits of a result and of all its gradients, where `build` makes the result of fresh leaves."""
    leaves = [Value(x) for x in numbers]
    y = build(leaves)
    y.backward(1.7)
    return [y.data.hex(), *[leaf.grad.hex() for leaf in leaves]]


def same_for_both_sums(build, count, rounds=50, to_the_bit=True):
    rng = random.Random(0)
    for _ in range(rounds):
        numbers = [rng.gauss(0, 10 ** rng.uniform(-3, 3)) for _ in range(count)]
        one_node = results(lambda leaves: build(leaves, ops.weighted_sum), numbers)
        written_out = results(lambda leaves: build(leaves, by_hand), numbers)
        assert one_node[0] == written_out[0]
        if to_the_bit:
            assert one_node == written_out
        else:
            assert list(map(float.fromhex, one_node)) == pytest.approx(list(map(float.fromhex, written_out)), rel=1e-10)


@pytest.mark.parametrize("inputs", [0, 1, 2, 3, 10, 100])
def test_a_neuron(inputs):
    def neuron(leaves, weighted):
        bias, weights, xs = leaves[0], leaves[1 : inputs + 1], leaves[inputs + 1 :]
        return weighted(weights, xs, bias).tanh()

    same_for_both_sums(neuron, 2 * inputs + 1, rounds=20)


def test_a_neuron_with_plain_inputs():
    def neuron(leaves, weighted):
        return weighted(leaves[1:], [0.1, -0.7, 1e-3], leaves[0]).sigmoid()

    same_for_both_sums(neuron, 4)


def test_a_neuron_whose_weights_and_inputs_are_shared():
    def neuron(leaves, weighted):
        w, v, x, b = leaves
        return weighted([w, v, w, w, x], [x, x, v, 0.3, x], b)

    # What arrives at one number from several products of one neuron is added in another order.
    same_for_both_sums(neuron, 4, to_the_bit=False)


def two_layers(weights_of, inputs, hidden, weighted):
    layer = [weighted(weights_of("hidden", i), inputs, 0.1).tanh() for i in range(hidden)]
    outputs = [weighted(weights_of("out", i), layer, -0.2) for i in range(2)]
    return outputs[0] * outputs[1]


def test_a_two_layer_net():
    def net(leaves, weighted):
        weights = {"hidden": leaves[3:], "out": leaves[12:]}
        return two_layers(lambda which, i: weights[which][3 * i : 3 * i + 3], leaves[:3], 3, weighted)

    same_for_both_sums(net, 18)


def test_a_two_layer_net_whose_neurons_share_their_weights():
    def net(leaves, weighted):
        weights = {"hidden": leaves[3:6], "out": leaves[6:9]}
        return two_layers(lambda which, i: weights[which], leaves[:3], 3, weighted)

    same_for_both_sums(net, 9)


def test_a_two_layer_net_whose_layers_share_their_weights():
    def net(leaves, weighted):
        return two_layers(lambda which, i: leaves[3:6], leaves[:3], 3, weighted)

    same_for_both_sums(net, 6, to_the_bit=False)


def test_different_numbers_of_weights_and_inputs_are_refused():
    with pytest.raises(SizeError, match="1 weights but 2 inputs"):
        ops.weighted_sum([Value(1.0)], [1.0, 2.0])


# ---- a list: its largest number, and the one at a place ------------------------------------------------------------


def test_the_largest_of_a_list_is_one_node_whose_derivative_goes_there():
    xs = [Value(2.0), Value(5.0), Value(3.0)]
    y = ops.largest(xs)
    y.backward(2.0)
    assert (y.data, y.op, y.operands) == (5.0, ops.largest, tuple(xs))
    assert [x.grad for x in xs] == [0.0, 2.0, 0.0]
    assert ops.largest(x for x in [1, 2.5, True]) == 2.5
    assert ops.largest([]) == -math.inf


@pytest.mark.parametrize(
    "numbers", [[3.0, 3.0, 1.0, 3.0], [1.0, 3.0, 3.0, 3.0], [-0.0, 0.0, 0.0], [-inf, -inf], [inf] * 3]
)
def test_of_equals_the_first_is_the_largest(numbers):
    xs = [Value(x) for x in numbers]
    y = ops.largest(xs)
    y.backward()
    first = numbers.index(max(numbers))
    assert y.data.hex() == numbers[first].hex()
    assert [x.grad for x in xs] == unit_directions(len(xs), first)
    assert grad(ops.largest)(numbers) == unit_directions(len(xs), first)


def test_a_number_that_is_given_twice_has_the_derivative_once():
    x = Value(3.0)
    ops.largest([x, 1.0, x]).backward()
    assert x.grad == 1.0


def test_the_largest_of_a_list_with_nan_is_nan_and_has_no_slope():
    for numbers in ([nan, 1.0], [1.0, nan], [inf, nan, 2.0]):
        xs = [Value(x) for x in numbers]
        y = ops.largest(xs)
        y.backward()
        assert math.isnan(y.data)
        assert math.isnan(ops.largest(numbers))
        assert [x.grad for x in xs] == [0.0] * len(xs)


@pytest.mark.parametrize(
    ("numbers", "place"),
    [([2.0, 5.0, 5.0], 1), ([-inf, -inf], 0), ([-0.0, 0.0], 0), ([1.0, nan, 3.0], 3), ([nan], 1), ([], 0)],
)
def test_the_place_of_the_largest(numbers, place):
    assert ops.argmax(numbers) == place
    assert not [x for x in ops.argmax([Value(x) for x in [*numbers, -inf]]).locals if x is not None]
    found = ops.take(numbers, ops.argmax(numbers))
    assert found == ops.largest(numbers) or (not numbers and math.isnan(found)) or math.isnan(ops.largest(numbers))


@pytest.mark.parametrize("operation", [ops.largest, ops.logsumexp])
@pytest.mark.parametrize("mask", [0.0, -inf])
def test_derivatives_of_a_list_grow_with_its_length_alone(operation, mask):
    """As graphs: what the derivatives have in common is made once."""

    def operands(count):
        slopes = grad(operation)([Value(mask)] * count)
        return sum(len(node.operands) for node in topological_order(*slopes))

    few, more, most = operands(10), operands(20), operands(30)
    assert most - more == more - few > 0


def test_what_local_derivatives_ask_of_all_operands_is_calculated_once():
    asked = []

    @operation(local=lambda i, xs, y: ops.exp(xs[i] - own_largest(xs)), pack=list)
    def own_soft(*xs):
        return sum(map(math.exp, xs))

    @operation(local=None, pack=list)
    def own_largest(*xs):
        asked.append(len(xs))
        return max(xs)

    try:
        xs = [Value(1.0), Value(2.0), Value(3.0)]
        own_soft(xs).backward()
        assert ([x.grad for x in xs], asked) == ([math.exp(-2.0), math.exp(-1.0), 1.0], [3])
        asked.clear()
        assert grad(grad(lambda x: own_soft([x, 2.0 * x, 3.0 * x])))(0.0) == 1.0 + 4.0 + 9.0
    finally:
        forget("own_soft")
        forget("own_largest")


def test_second_derivatives_through_the_largest():
    assert hessian(lambda xs: ops.largest(xs) ** 3)([1.0, 2.0]) == [[0.0, 0.0], [0.0, 12.0]]
    assert grad(grad(lambda x: ops.largest([x, x * x, 1.0])))(3.0) == 2.0


def test_the_number_at_a_place_of_a_list():
    xs = [2.0, 3.0, 5.0]
    assert [ops.take(xs, i) for i in (0, 1, 2, 1.0, True)] == [2.0, 3.0, 5.0, 3.0, 3.0]
    values, place = [Value(x) for x in xs], Value(1)
    y = ops.take(values, place)
    y.backward(4.0)
    assert (y.data, y.op, y.operands) == (3.0, ops.take, (place, *values))
    assert [x.grad for x in values] == [0.0, 4.0, 0.0]
    assert place.grad == 0.0
    assert ops.take(values, 2).data == 5.0
    assert ops.take(xs, place).data == 3.0


@pytest.mark.parametrize("place", [3, -1, -3, 0.5, -0.5, 2.999, 1e300, -1e300, inf, -inf, nan])
def test_at_a_place_that_does_not_exist_is_nan(place):
    xs = [Value(2.0), Value(3.0), Value(5.0)]
    for at in (place, Value(place)):
        y = ops.take(xs, at)
        y.backward()
        assert math.isnan(y.data)
        assert [x.grad for x in xs] == [0.0] * 3
    assert math.isnan(ops.take([2.0, 3.0, 5.0], place))


def test_the_first_place_is_that_of_minus_zero_as_well_and_of_no_list_there_is_none():
    assert ops.take([7.0], -0.0) == 7.0
    assert math.isnan(ops.take([], 0))


def test_derivatives_of_any_order_through_a_place():
    cube = grad(grad(lambda x, i: ops.take([x, x**2, x**3], i)))
    assert [cube(2.0, i) for i in (0, 1, 2)] == [0.0, 2.0, 12.0]
    assert grad(lambda x: ops.take([1.0, 10.0], x > 1) * x)(2.0) == 10.0
    assert grad(lambda x: ops.take([x, 3 * x], x))(1.0) == 3.0


def test_a_place_that_changes_takes_another_number():
    xs, place = [Value(2.0), Value(3.0)], Value(0)
    y = ops.take(xs, place)
    place.data = 1
    y.refresh().backward()
    assert y.data == 3.0
    assert [x.grad for x in xs] == [0.0, 1.0]


@pytest.mark.parametrize("call", [lambda: ops.take([1.0]), lambda: ops.take(1.0, 0), lambda: ops.take([1.0], "0")])
def test_what_is_no_list_or_no_place_is_refused(call):
    with pytest.raises(OperandError):
        call()


# ---- a constant to derivatives ------------------------------------------------------------------------------------


def test_no_derivative_flows_through_stop_gradient():
    x = Value(3.0)
    y = ops.stop_gradient(x)
    (y * x).backward()
    assert (y.data, y.operands, y.locals) == (3.0, (x,), (None,))
    assert (x.grad, y.grad) == (3.0, 3.0)
    assert ops.stop_gradient(3.0) == 3.0
    assert ops.stop_gradient.local(0, (3.0,), 3.0) is None
    assert not ops.stop_gradient.flows(0)


def test_stop_gradient_stays_a_constant_in_derivatives_of_derivatives():
    assert grad(lambda x: ops.stop_gradient(x * x))(3.0) == 0.0
    assert grad(lambda x: ops.stop_gradient(x) * x**2)(3.0) == 18.0
    assert grad(grad(lambda x: ops.stop_gradient(x) * x**2))(3.0) == 6.0
    assert grad(lambda x: ops.stop_gradient(grad(lambda t: t**3)(x)) * x)(2.0) == 12.0
    assert grad(lambda x: grad(lambda t: ops.stop_gradient(t) * t * x)(x))(2.0) == 2.0


def test_stop_gradient_is_refreshed_where_detach_is_not():
    x = Value(3.0)
    y = ops.stop_gradient(x) * x.detach()
    x.data = 5.0
    assert y.refresh().data == 15.0
    assert x in topological_order(y)
