"""What a Value is as a Python object: a number with operators, that is shown, compared, and not lost silently."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

import chainrule
import chainrule.engine
from chainrule import Value, ops
from chainrule.errors import OperandError, ReadOnlyError

OPERATORS = [
    (lambda a, b: a + b, ops.add, "+"),
    (lambda a, b: a - b, ops.sub, "-"),
    (lambda a, b: a * b, ops.mul, "*"),
    (lambda a, b: a / b, ops.div, "/"),
    (lambda a, b: a**b, ops.pow, "**"),
    (lambda a, b: a < b, ops.lt, "<"),
    (lambda a, b: a <= b, ops.le, "≤"),
    (lambda a, b: a > b, ops.gt, ">"),
    (lambda a, b: a >= b, ops.ge, "≥"),
    (lambda a, b: a == b, ops.eq, "=="),
    (lambda a, b: a != b, ops.ne, "≠"),
]
SYMBOLS = [symbol for _, _, symbol in OPERATORS]


# ---- operators -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("operator", "op", "symbol"), OPERATORS, ids=SYMBOLS)
@pytest.mark.parametrize("other", [2, 2.0, True, -1, 0.5, Fraction(1, 2)])
def test_operators_from_both_sides(operator, op, symbol, other):
    v = Value(1.5)
    left, right, both = operator(v, other), operator(other, v), operator(v, Value(other))
    assert all(isinstance(result, Value) for result in (left, right, both))
    assert left.data == both.data == op(1.5, float(other)) == operator(1.5, float(other))
    assert right.data.hex() == op(float(other), 1.5).hex()
    if other > 0:  # where Python's own arithmetic stays real
        assert right.data == operator(float(other), 1.5)
    assert left.op is both.op is op
    assert left._op == symbol


@pytest.mark.parametrize(("operator", "op", "symbol"), OPERATORS, ids=SYMBOLS)
def test_operators_with_numpy_scalars_on_either_side(operator, op, symbol):
    numpy = pytest.importorskip("numpy")
    v = Value(1.5)
    for scalar in (numpy.int64(3), numpy.float64(3), numpy.float32(3), numpy.uint8(3), numpy.float16(3)):
        left, right = operator(v, scalar), operator(scalar, v)
        assert isinstance(left, Value)
        assert isinstance(right, Value)
        assert (left.data, right.data) == (op(1.5, 3.0), op(3.0, 1.5))


def test_unary_operators():
    v = Value(-1.5)
    assert ((-v).data, (-v).op) == (1.5, ops.neg)
    assert (abs(v).data, abs(v).op) == (1.5, ops.abs)
    assert +v is v


def test_augmented_assignment_makes_a_new_value():
    v = old = Value(2.0)
    v += 1
    v *= 3
    v -= 1
    v /= 2
    v **= 2
    assert v.data == 16.0
    assert old.data == 2.0
    v.backward()
    assert old.grad == 2 * 4.0 * 3 / 2


def test_python_s_own_sum_max_min_and_sorted_work():
    values = [Value(3.0), Value(1.0), Value(2.0)]
    assert sum(values).data == 6.0
    assert max(values) is values[0]
    assert min(values) is values[1]
    assert [v.data for v in sorted(values)] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("call", [lambda v: pow(v, 2, 3), lambda v: v @ v, lambda v: v << 1, lambda v: ~v,
                                  lambda v: [1, 2, 3][v]])  # fmt: skip
def test_what_has_no_derivative_is_no_operator(call):
    with pytest.raises(TypeError):
        call(Value(2.0))


# ---- comparisons and truth -----------------------------------------------------------------------------------------


def test_comparisons_compare_the_numbers_and_stop_derivatives():
    a, b = Value(1.0), Value(1.0)
    y = a == b
    assert (y.data, (a != b).data, (a < b).data, (a >= b).data) == (1.0, 0.0, 0.0, 1.0)
    assert y.locals == (None, None)
    (y * a).backward()
    assert (a.grad, b.grad) == (1.0, 0.0)


def test_the_truth_of_a_value_is_that_of_its_number():
    assert Value(0.5)
    assert Value(math.nan)
    assert not Value(0.0)
    assert not Value(-0.0)
    assert Value(1.0) < Value(2.0)
    assert not Value(1.0) > Value(2.0)
    assert bool(Value(2.0) == 2) is True
    assert 1 < Value(2.0) < 3


@pytest.mark.parametrize("other", ["a", None, [], {}, (1.0,), 1j, object()])
def test_a_value_is_not_equal_to_what_is_no_number(other):
    v = Value(1.0)
    assert (v == other) is False
    assert (other == v) is False
    assert (v != other) is True
    assert (other != v) is True


def test_ordering_with_what_is_no_number_is_refused():
    for call in (lambda v: v < "a", lambda v: v >= None, lambda v: v <= [1.0]):
        with pytest.raises(OperandError, match="needs real numbers"):
            call(Value(1.0))


# ---- the gradient is not lost silently -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lose",
    [float, int, round, math.floor, math.ceil, math.trunc, math.exp, math.sqrt, complex, lambda v: round(v, 2),
     lambda v: math.isnan(v), lambda v: math.pow(2.0, v), lambda v: math.fsum([1.0, v])],
)  # fmt: skip
def test_what_would_lose_the_gradient_is_refused_with_the_way_out(lose):
    with pytest.raises(OperandError, match=r"v\.data"):
        lose(Value(0.5))


def test_the_refusal_names_the_function_to_use():
    with pytest.raises(OperandError, match=r"chainrule\.exp\(v\), not math\.exp\(v\)"):
        math.exp(Value(0.5))


def test_numpy_s_functions_are_those_of_the_table():
    numpy = pytest.importorskip("numpy")
    assert numpy.exp(Value(0.5)).op is ops.exp


# ---- what is shown -------------------------------------------------------------------------------------------------


def test_repr():
    x = Value(3)
    assert repr(x) == "Value(data=3.0, grad=0.0)"
    y = x * 2
    y.label = "y"
    y.backward()
    assert repr(y) == "Value(data=6.0, grad=1.0, op='mul', label='y')"
    assert str(y) == repr(y)


def test_format():
    v = Value(3.14159)
    assert f"{v:.2f}" == "3.14"
    assert f"{v:>8.1f}|" == "     3.1|"
    assert f"{v:e}" == "3.141590e+00"
    assert f"{v}" == repr(v)
    with pytest.raises(ValueError, match="format"):
        f"{v:nonsense}"


def test_looking_at_a_value_leaves_it_alone():
    v = Value(3.0, "v")
    y = v * v
    y.backward()
    seen = (repr(v), f"{v:.1f}", v._repr_svg_(), v._repr_html_(), dir(v), v.peek_grad())
    assert seen[-1] == 6.0
    assert (v.data, v.peek_grad(), v.label) == (3.0, 6.0, "v")


def test_notebooks_get_what_the_display_hook_draws(monkeypatch):
    monkeypatch.setattr(chainrule.storage.value_base, "display_hook", lambda value, kind: f"<{kind} of {value.data}>")
    assert Value(2.0)._repr_svg_() == "<svg of 2.0>"
    assert Value(2.0)._repr_html_() == "<html of 2.0>"


def test_labels():
    v = Value(1.0, label="v")
    assert v.label == "v"
    v.label = "w"
    assert v.label == "w"
    assert (v + 1).label == ""


def test_none_is_no_label():
    v = Value(1.0, label=None)
    assert v.label == ""
    v.label = "v"
    v.label = None
    assert v.label == ""


def test_micrograd_s_name_for_the_label():
    v = Value(1.0, label="v")
    y = v * 2.0
    y._label = "y"
    assert (v._label, y.label, y._label, (y * y)._label) == ("v", "y", "y", "")
    with pytest.raises(OperandError, match="a label is a str"):
        y._label = 5


@pytest.mark.parametrize("label", [2.0, 5])
def test_a_label_is_a_text(label):
    with pytest.raises((OperandError, ReadOnlyError), match="label"):
        Value(1.0, label)


def test_an_array_without_axes_is_a_number():
    numpy = pytest.importorskip("numpy")
    v = Value(numpy.array(2.0))
    v.grad = numpy.array(3)
    assert (v.data, type(v.data), v.grad) == (2.0, float, 3.0)
    assert ((v * numpy.array(4.0)).data, (numpy.array(4.0) * v).data, bool(v == numpy.array(2.0))) == (8.0, 8.0, True)
    for other in (numpy.array([2.0]), numpy.array("2"), numpy.ma.masked, numpy.array(None)):
        with pytest.raises(OperandError):
            Value(other)


def test_data_and_grad_are_floats_whatever_was_written():
    v = Value(True)
    assert (v.data, type(v.data)) == (1.0, float)
    v.data, v.grad = 3, Fraction(1, 4)
    assert (v.data, type(v.data), v.grad, type(v.grad)) == (3.0, float, 0.25, float)


# ---- micrograd's names ---------------------------------------------------------------------------------------------


def test_the_notebook_s_manual_backpropagation():
    a, b, c, f = Value(2.0, label="a"), Value(-3.0, label="b"), Value(10.0, label="c"), Value(-2.0, label="f")
    e = a * b
    d = e + c
    out = d * f
    assert (d._op, e._op, a._op) == ("+", "*", "")
    assert d._prev == {e, c}
    assert a._prev == set()
    out.grad = 1.0
    for node in (out, d, e):
        node._backward()
    assert [node.grad for node in (d, f, c, e, a, b)] == [-2.0, 4.0, -2.0, -2.0, 6.0, -4.0]


def test_one_step_can_be_watched_and_adds_up():
    a = Value(3.0)
    y = a * a
    a._backward()
    y._backward()
    assert a.grad == 0.0
    y.grad = 1.0
    y._backward()
    y._backward()
    assert (a.grad, y.grad) == (12.0, 1.0)


def test_the_notebook_s_topological_sort_works_on_prev():
    a, b = Value(2.0), Value(2.0)
    out = (a * b + a).tanh()
    topo, visited = [], set()

    def build(node):
        if node not in visited:
            visited.add(node)
            for child in node._prev:
                build(child)
            topo.append(node)

    build(out)
    assert len(topo) == 5
    out.grad = 1.0
    for node in reversed(topo):
        node._backward()
    by_hand = a.grad
    a.grad = 0.0
    out.backward()
    assert a.grad == by_hand != 0
