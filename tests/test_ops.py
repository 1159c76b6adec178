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

from chainrule import Value, operation, ops
from chainrule.errors import SizeError
from chainrule.operation import TABLE

BUILT_IN = [op for op in TABLE.values() if op.value.__module__.startswith("chainrule.")]
every_operation = pytest.mark.parametrize("op", BUILT_IN, ids=[op.name for op in BUILT_IN])

REFERENCES = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda x: -x,
    "pow": lambda a, b: a**b,
    "identity": lambda x: x,
    "chain": lambda upstream, local: upstream * local,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "relu": lambda x: x if x > 0 else mpmath.mpf(0),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "gelu": lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
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
    "sum": lambda *xs: mpmath.fsum(xs),
    "weighted_sum": lambda b, *wx: b + mpmath.fsum(w * x for w, x in zip(wx[::2], wx[1::2], strict=True)),
    "logsumexp": lambda *xs: max(xs) + mpmath.log(mpmath.fsum(mpmath.exp(x - max(xs)) for x in xs)),
}
"""What mpmath calls otherwise. Names that mpmath knows, such as tanh, need no line here."""

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
                by_difference = difference(
                    lambda *moved, i=i: as_float(op.local(i, moved, op.value(*moved))), operands, j
                )
                assert found == pytest.approx(by_difference, rel=1e-6, abs=1e-8), where
                if op.local(j, operands, op.value(*operands)) is None:
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
    @operation(local=lambda x, y: ops.div(1.0, ops.sqrt(1.0 + x * x)), samples=[(0.5,), (-2.0,)])
    def asinh(x):
        return math.asinh(x)

    assert reference("asinh") is mpmath.asinh
    check_value(asinh, asinh.samples)
    check_first_derivatives(asinh)
    check_second_derivatives(asinh)

    @operation(local=lambda x, y: ops.cos(x), samples=[(0.5,)])
    def sinh(x):
        return math.sin(x)

    with pytest.raises(AssertionError, match="sinh"):
        check_value(sinh, sinh.samples)


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
