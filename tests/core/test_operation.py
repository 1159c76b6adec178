"""What an operation is: how it is called, and what it refuses. Those of the user's own: test_own_operations.py."""

from __future__ import annotations

import math
import pickle
from decimal import Decimal
from fractions import Fraction

import pytest

import chainrule
from chainrule import Value, grad, operation, ops
from chainrule.core.operation import TABLE, find, number
from chainrule.engine import topological_order
from chainrule.errors import ArgumentError, OperandError, SizeError

# ---- calling: floats give a float, a Value among the operands gives a Value ----------------------------------------


@pytest.mark.parametrize("x", [2, 2.0, True, Fraction(1, 2), -3])
def test_plain_numbers_give_a_float(x):
    assert type(ops.exp(x)) is float
    assert ops.exp(x) == math.exp(x)
    assert type(ops.add(x, 1)) is float


def test_a_value_anywhere_gives_a_value():
    v = Value(2.0)
    for result in (ops.add(v, 1), ops.add(1, v), ops.clip(0.5, v, 3), ops.sum([1, v]), ops.weighted_sum([1], [v])):
        assert isinstance(result, Value)


def test_function_and_method_are_the_same_operation():
    v = Value(0.5)
    assert ops.tanh(v).op is v.tanh().op is TABLE["tanh"]
    assert v.tanh().data == ops.tanh(v).data == ops.tanh(0.5)
    assert v.atan2(2.0).data == ops.atan2(0.5, 2.0)


def test_every_operation_is_a_function_of_ops_and_a_method_unless_it_takes_a_list():
    for name, op in TABLE.items():
        assert getattr(ops, name) is op
        assert find(name) is op
        takes_a_list = op.operand_names is None
        assert hasattr(Value(1.0), name) is not takes_a_list, name
        assert (name in dir(Value(1.0))) is not takes_a_list, name


def test_defaults_and_names():
    v = Value(-2.0)
    assert ops.leaky_relu(-2.0) == v.leaky_relu().data == -0.02
    assert ops.leaky_relu(-2.0, 0.5) == ops.leaky_relu(-2.0, slope=0.5) == v.leaky_relu(slope=0.5).data == -1.0
    assert ops.leaky_relu(slope=0.5, x=-2.0) == ops.leaky_relu(x=v, slope=0.5).data == -1.0
    assert ops.clip(5.0, high=1, low=0) == 1.0


def test_a_default_is_a_constant_and_a_given_slope_gets_a_gradient():
    x, slope = Value(-2.0), Value(0.1)
    assert x.leaky_relu().locals == (0.01, None)
    ops.leaky_relu(x, slope).backward()
    assert (x.grad, slope.grad) == (0.1, -2.0)


def test_lists_of_any_kind():
    values = [Value(1.0), Value(2.0), Value(3.5)]
    for listed in (values, tuple(values), (v for v in values), dict.fromkeys(values)):
        assert ops.sum(listed).data == 6.5
    assert ops.sum([1, 2.0, True]) == 4.0
    assert ops.sum([]) == 0.0
    assert ops.sum(range(5)) == 10.0
    assert ops.logsumexp(v for v in (0.0, 0.0)) == math.log(2)
    assert ops.logsumexp(values).data == pytest.approx(math.log(sum(math.exp(v.data) for v in values)))


def test_weighted_sum_has_flat_operands_and_an_optional_bias():
    w, x, b = [Value(2.0), Value(3.0)], [Value(5.0), Value(7.0)], Value(0.5)
    y = ops.weighted_sum(w, x, b)
    assert y.data == 31.5
    assert [id(node) for node in y.operands] == [id(node) for node in (b, w[0], x[0], w[1], x[1])]
    assert ops.weighted_sum(w, x, bias=b).data == 31.5
    assert ops.weighted_sum(w, x).data == 31.0
    assert ops.weighted_sum([], [], b).data == 0.5
    with pytest.raises(SizeError, match="2 weights but 1 inputs"):
        ops.weighted_sum(w, x[:1], b)


# ---- wrong calls ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda v: ops.exp(), "exp was called with 0 operands; it is exp(x"),
        (lambda v: ops.exp(v, v), "exp was called with 2 operands; it is exp(x"),
        (lambda v: v.exp(v), "exp was called with 2 operands"),
        (lambda v: ops.add(v), "add was called with 1 operand; it is add(a"),
        (lambda v: v.atan2(), "atan2 was called with 1 operand"),
        (lambda v: v.leaky_relu(0.1, 0.2), "leaky_relu was called with 3 operands"),
        (lambda v: v.leaky_relu(steepness=0.1), "1 operand and steepness="),
        (lambda v: ops.exp(v, x=v), "1 operand and x="),
        (lambda v: ops.leaky_relu(slope=0.1), "0 operands and slope="),
        (lambda v: v.clip(1.0), "clip was called with 2 operands"),
        (lambda v: v.clip(1.0, low=2.0), "2 operands and low="),
        (lambda v: ops.sum(v, v), "sum was called with 2 operands; it is sum(values"),
        (lambda v: ops.sum(), "sum was called with 0 operands"),
        (lambda v: ops.weighted_sum([v]), "weighted_sum was called with 1 operand"),
        (lambda v: ops.sum([v], start=1), "sum was called with 1 operand and start="),
    ],
)
def test_a_call_with_the_wrong_operands_says_what_the_operation_takes(call, words):
    with pytest.raises(OperandError) as caught:
        call(Value(1.0))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("x", [3.0, Value(3.0), None])
def test_a_list_operation_on_no_list(x):
    with pytest.raises(OperandError, match="sum"):
        ops.sum(x)


def test_logsumexp_of_nothing_says_so():
    with pytest.raises(OperandError, match="empty list"):
        ops.logsumexp([])


def test_an_error_of_the_users_own_generator_is_not_hidden():
    with pytest.raises(OperandError, match="Value needs real numbers but got the str 'a'"):
        ops.sum(Value(x) for x in [1.0, "a"])
    with pytest.raises(KeyError, match="missing"):
        ops.sum({"w": 1.0}[name] for name in ["w", "missing"])


# ---- numbers in ----------------------------------------------------------------------------------------------------


def test_numpy_scalars_of_any_kind():
    numpy = pytest.importorskip("numpy")
    v = Value(2.0)
    kinds = [numpy.float16, numpy.float32, numpy.float64, numpy.longdouble, numpy.int8, numpy.int64, numpy.uint8]
    for kind in [*kinds, numpy.uint64, numpy.intp]:
        three = kind(3)
        assert type(number(three, "add")) is float
        assert type(ops.exp(three)) is float
        for result in (three * v, v * three, three + v + v + v - v):
            assert isinstance(result, Value), kind
            assert type(result.data) is float
            assert result.data in (6.0, 7.0)
        assert (three - v).data == 1.0
        assert (three / v).data == 1.5
        assert (three**v).data == 9.0
        assert (three > v).data == 1.0
        assert (three == v).data == 0.0
        assert Value(three).data == 3.0
    assert (numpy.bool_(True) + v).data == (v + numpy.bool_(True)).data == 3.0


def test_a_float32_keeps_its_own_number():
    numpy = pytest.importorskip("numpy")
    assert Value(numpy.float32(0.1)).data == float(numpy.float32(0.1)) != 0.1


REFUSED = [
    ("3", "str '3'", "float('3')"),
    (b"3", "bytes b'3'", ""),
    (None, "NoneType None", "return"),
    (1 + 2j, "complex (1+2j)", "z.real"),
    ([1.0], "list [1.0]", "[f(x) for x in xs]"),
    ((1.0, 2.0), "tuple (1.0, 2.0)", "[f(x) for x in xs]"),
    ({}, "dict {}", ""),
    (Decimal("0.1"), "Decimal", "float(x)"),
    (math.exp, "built-in function", ""),
]


@pytest.mark.parametrize(("bad", "shown", "mended"), REFUSED, ids=[type(bad).__name__ for bad, _, _ in REFUSED])
def test_what_is_not_a_real_number_is_refused_everywhere(bad, shown, mended):
    v = Value(2.0)
    ways = {
        "Value": [lambda: Value(bad)],
        "exp": [lambda: ops.exp(bad)],
        "add": [lambda: v + bad, lambda: bad + v, lambda: ops.add(1.0, bad), lambda: ops.add(bad, v)],
        "pow": [lambda: v**bad, lambda: bad**v],
        "lt": [lambda: v < bad],
        "gt": [lambda: bad < v],
        "sum": [lambda: ops.sum([v, bad]), lambda: ops.sum([1.0, bad])],
        "weighted_sum": [lambda: ops.weighted_sum([v], [bad])],
        "Value.data": [lambda: setattr(v, "data", bad)],
        "Value.grad": [lambda: setattr(v, "grad", bad)],
        "backward(seed)": [lambda: (v * 2).backward(bad)],
    }
    for where, calls in ways.items():
        for call in calls:
            with pytest.raises(OperandError) as caught:
                call()
            message = str(caught.value)
            assert message.startswith(f"{where} needs real numbers but got the ")
            assert shown in message
            assert ("zero_grad()" if bad is None and where == "Value.grad" else mended) in message
            assert "\n" not in message
    assert (v.data, v.grad) == (2.0, 0.0)


def test_what_is_no_number_is_refused_from_either_side():
    numpy = pytest.importorskip("numpy")
    v, array = Value(2.0), numpy.array(["a", "b"])
    calls = [lambda: v * array, lambda: ops.exp(array), lambda: Value(numpy.array([1.0, 2.0]))]
    for call in [*calls, lambda: v * numpy.complex64(1j), lambda: numpy.str_("a") + v]:
        with pytest.raises(OperandError, match="needs real numbers but got"):
            call()


def test_dates_are_no_numbers():
    numpy = pytest.importorskip("numpy")
    for bad in (numpy.datetime64("2020-01-01"), numpy.timedelta64(3, "s")):
        with pytest.raises(OperandError, match="needs real numbers"):
            Value(bad)


def test_a_value_in_a_value_is_refused_with_the_two_ways_out():
    for call in (lambda v: Value(v), lambda v: setattr(Value(1.0), "data", v), lambda v: v.backward(seed=v)):
        with pytest.raises(OperandError, match=r"\.data .*\.detach\(\)"):
            call(Value(1.0))


@pytest.mark.parametrize("bad", [10**400, -(10**400), Fraction(10**400)])
def test_a_number_too_large_for_a_float_is_refused_and_not_made_infinite(bad):
    for call in (lambda: Value(bad), lambda: Value(1.0) + bad, lambda: bad * Value(1.0), lambda: ops.exp(bad)):
        with pytest.raises(OperandError, match="too large"):
            call()


def test_a_long_operand_is_shown_short():
    with pytest.raises(OperandError) as caught:
        ops.exp([0.0] * 10_000)
    assert len(str(caught.value)) < 200


# ---- names ---------------------------------------------------------------------------------------------------------


def test_an_unknown_operation_is_suggested():
    with pytest.raises(ArgumentError, match=r"no operation 'sigmod' here\. Did you mean 'sigmoid'\?"):
        find("sigmod")
    with pytest.raises(AttributeError, match="sigmod"):
        Value(1.0).sigmod()


def test_operations_are_shown_and_pickle_as_themselves():
    assert repr(ops.tanh) == "<operation tanh tanh>"
    assert str(ops.leaky_relu).startswith("leaky_relu(x")
    assert "slope" in str(ops.leaky_relu)
    assert pickle.loads(pickle.dumps(ops.tanh)) is ops.tanh


def test_a_limit_is_taken_where_the_result_is_infinite(own_operations):
    @operation(local=lambda i, xs, y: xs[i] - y, limit=lambda i, xs, y: 0.5, pack=list)
    def steps(*xs):
        return max(xs)

    values = [Value(1.0), Value(math.inf)]
    steps(values).backward()
    assert [value.grad for value in values] == [0.5, 0.5]
    assert [steps.local(i, (1.0, 3.0), 3.0) for i in (0, 1)] == [-2.0, 0.0]
    assert [x if type(x) is float else x.data for x in grad(steps)(values)] == [0.5, 0.5]


def test_a_limit_is_for_lists_alone():
    with pytest.raises(ArgumentError, match="half: limit= is for operations of any number of operands"):

        @operation(local=lambda x, y: 0.5, limit=lambda x, y: 0.0)
        def half(x):
            return 0.5 * x


def test_the_derivatives_of_a_long_logsumexp_do_not_take_the_square_of_its_length():
    xs = [0.01 * i for i in range(600)]
    nodes = []
    chainrule.vjp(lambda v: nodes.append(grad(ops.logsumexp)(v)) or nodes[-1], xs)
    graph = topological_order(ops.sum(nodes[-1]))
    assert sum(len(node.operands) for node in graph) < 20 * len(xs)
