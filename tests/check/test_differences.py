import math

import pytest

import chainrule
from chainrule import Value
from chainrule.check.differences import central_difference, estimate, forward_difference, numerical_gradient
from chainrule.errors import ArgumentError, OperandError


def polynomial(x):
    return 3 * x**2 - 4 * x + 5


def test_the_forward_difference_of_the_lecture():
    assert forward_difference(polynomial, 3.0) == pytest.approx(14 + 3e-4, abs=1e-9)
    assert forward_difference(polynomial, 3.0, h=0.5) == 15.5
    assert forward_difference(lambda a, b, c: a * b + c, [2.0, -3.0, 10.0]) == pytest.approx([-3.0, 2.0, 1.0])


def test_the_central_difference_is_exact_for_parabolas():
    assert central_difference(polynomial, 3.0, h=0.5) == 14.0
    assert central_difference(lambda x: x**3, 2.0, h=0.5) == 12.25


def test_results_have_the_structure_of_the_inputs():
    actual = numerical_gradient(lambda p, xs: p["w"] * xs[0][1] + xs[1], ({"w": 3.0}, [[5.0, 7.0], 2]))
    assert isinstance(actual, tuple)
    assert actual[0] == {"w": pytest.approx(7.0)}
    assert actual[1] == [[0.0, pytest.approx(3.0)], pytest.approx(1.0)]


def test_functions_of_values_of_floats_and_with_values_as_inputs():
    assert numerical_gradient(lambda x: x.tanh(), 0.0) == pytest.approx(1.0, rel=1e-12)
    assert numerical_gradient(math.sin, 0.0) == pytest.approx(1.0, rel=1e-12)
    assert numerical_gradient(chainrule.exp, Value(1.0)) == pytest.approx(math.e, rel=1e-12)


def test_values_that_the_function_closes_over_are_left_alone():
    w = Value(3.0)
    assert numerical_gradient(lambda x: w * x, 2.0) == pytest.approx(3.0)
    assert (w.data, w.peek_grad()) == (3.0, 0.0)


@pytest.mark.parametrize(
    ("f", "x", "exact"),
    [
        (math.exp, 1.0, math.e),
        (chainrule.exp.value, 700.0, math.exp(700.0)),
        (math.sin, 1e6, math.cos(1e6)),
        (chainrule.log.value, 1e-9, 1e9),
        (chainrule.sqrt.value, 1e-12, 0.5e6),
        (lambda x: chainrule.ops.div(1.0, x), 1e-3, -1e6),
        (lambda x: math.tanh(1000 * x), 1e-3, 1000 / math.cosh(1) ** 2),
        (lambda x: max(x - 1.001, 0.0), 1.0, 0.0),
        (lambda x: max(x, 0.0), 1e-12, 1.0),
        (chainrule.sigmoid.value, -700.0, math.exp(-700.0)),
        (lambda x: x * x * math.sin(1 / x), 0.01, 0.02 * math.sin(100) - math.cos(100)),
    ],
)
def test_steps_fit_the_function(f, x, exact):
    (actual,) = estimate(lambda x: [f(x)], x)
    assert actual.derivative == pytest.approx(exact, rel=1e-10)
    assert abs(actual.derivative - exact) <= 2 * actual.error
    assert not actual.kink
    assert not actual.jump


def test_numbers_that_cancel_leave_a_doubt_that_is_said():
    def cancelling(x):
        return (x + 1e8) - 1e8

    assert numerical_gradient(cancelling, 2.0) == pytest.approx(1.0, rel=1e-5)
    (actual,) = estimate(lambda x: [cancelling(x)], 2.0, magnitude=1e8)
    assert abs(actual.derivative - 1) <= actual.error < 1e-5


def test_kinks_and_jumps_are_told_from_slopes():
    actual = estimate(lambda x: [abs(x), max(x, 0.0), float(x < 0), x * abs(x), float(x <= 0) - float(x < 0)], 0.0)
    assert [(one.kink, one.jump) for one in actual] == [
        (True, False),
        (True, False),
        (True, True),
        (False, False),
        (True, True),
    ]
    assert [(one.left, one.right) for one in actual[:2]] == [(-1.0, 1.0), (0.0, 1.0)]


def test_what_is_not_finite_gives_no_derivative():
    assert math.isnan(numerical_gradient(chainrule.log, -1.0))
    assert math.isnan(numerical_gradient(chainrule.sqrt, 0.0))
    assert math.isnan(estimate(lambda x: [math.sqrt(x)], 0.0)[0].derivative)  # Python's own raises beyond the edge


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: forward_difference(polynomial, 3.0, h=0), ArgumentError, "small step that is not zero"),
        (lambda: central_difference(polynomial, 3.0, h=math.nan), ArgumentError, "h=nan"),
        (lambda: numerical_gradient(lambda x: "2", 3.0), OperandError, "the result of the function needs real numbers"),
        (lambda: numerical_gradient(lambda x: None, 3.0), OperandError, "does a function lack its return"),
        (lambda: numerical_gradient(polynomial, "3"), OperandError, "an input needs real numbers"),
        (lambda: numerical_gradient(lambda p: p["w"], {"w": 3.0}), OperandError, r"put a dict into a list|even of one"),
        (lambda: numerical_gradient(lambda x: x.foo, 3.0), AttributeError, "foo"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
