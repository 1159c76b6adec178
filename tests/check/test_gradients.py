import math
import random

import pytest

import chainrule
from chainrule import Value, operation, ops
from chainrule.check import check_gradients, check_operation
from chainrule.check.report import KINK, NOT_FINITE, OK, ROWS_SHOWN, UNCLEAR, WRONG
from chainrule.core.operation import TABLE
from chainrule.errors import ArgumentError, OperandError, SizeError
from chainrule.expression import parse

NO_SLOPE = {(ops.stop_gradient, 0): WRONG, (ops.take, 0): NOT_FINITE, **{(ops.philox, i): NOT_FINITE for i in range(3)}}
NO_SLOPE[ops.polygamma, 0] = NOT_FINITE
"""Operands with which an operation's value changes though, by what it is there for, no derivative flows into them; and
what a check of that operation says there. (All of its other derivatives agree, as everywhere.)"""


def verdicts(report):
    return [one.verdict for one in report.first], [one.verdict for one in report.second]


def test_the_neuron_of_the_lecture():
    f = parse("tanh(x1*w1 + x2*w2 + b)")
    report = check_gradients(f.function, [2, -3, 0, 1, 6.8813735870195432], names=f.names)
    assert report.ok
    assert bool(report) is True
    assert [one.analytical for one in report.first] == pytest.approx([-1.5, 1.0, 0.5, 0.0, 0.5], abs=1e-14)
    assert max(one.relative_error for one in (*report.first, *report.second)) < 1e-9
    assert len(report.second) == 25
    assert "The chain rule is right: 5 first and 25 second derivatives compared." in str(report)


def test_a_report_is_a_table():
    assert (
        str(check_gradients(lambda x, w: x * x * w + 0.5 * w, [2.0, 4.0]))
        == """\
Derivatives of a function that is 18 at x = 2, w = 4

  first derivatives  numerical  analytical  rel. error
  x                         16          16       5e-15  ok
  w                        4.5         4.5       6e-15  ok

  second derivatives  numerical  analytical  rel. error
  x, x                        8           8           0  ok
  x, w                        4           4           0  ok
  w, x                        4           4       5e-15  ok
  w, w                        0           0           0  ok

The chain rule is right: 2 first and 4 second derivatives compared."""
    )


def test_every_operation_of_the_table_at_its_samples():
    for op in TABLE.values():
        for sample in op.samples:
            report = check_operation(op, sample)
            by_nature = [(i, report.first[i]) for i in range(len(sample)) if (op, i) in NO_SLOPE]
            assert [(one.verdict, one.analytical) for i, one in by_nature] == [
                (NO_SLOPE[op, i], 0) for i, _ in by_nature
            ]
            others = [one for one in report.first if not any(one is known for _, known in by_nature)]
            second = [one for k, one in enumerate(report.second) if (op, k % len(sample)) != (ops.polygamma, 0)]
            actual = {one.verdict for one in (*others, *second)}
            lost_in_rounding = max(map(abs, sample)) > 1e15  # 1e16 + 1 - 1e16, which differences cannot see
            assert actual <= ({OK, KINK, UNCLEAR} if lost_in_rounding else {OK, KINK}), f"{op.name}{sample}:\n{report}"
            assert len(report.first) == len(sample)
            assert len(report.second) == len(sample) ** 2


def test_a_wrong_operation_is_named_in_the_midst_of_a_graph(own_operations):
    @operation(local=lambda x, y: 2 * x)
    def cube(x):
        return x * x * x

    def f(x, w):
        h = chainrule.tanh(x * w) + chainrule.exp(w)
        return chainrule.log(cube(h) + cube(x) + 5.0) * w

    report = check_gradients(f, [0.5, 0.25])
    assert not report
    (culprit,) = report.culprits
    assert (culprit.op, culprit.index, culprit.places) == (cube, 0, 2)
    assert culprit.comparison.analytical == 2 * culprit.operands[0]
    assert culprit.comparison.numerical.derivative == pytest.approx(3 * culprit.operands[0] ** 2)
    report = check_gradients(lambda x: cube(x) * 2.0, 2.0, order=1)
    assert str(report).splitlines()[-3:] == [
        "WRONG: 1 of 1 derivative.",
        "  The operation that is wrong: cube, at cube(2).",
        "  Its local derivative by x, 2*x, gives 4, but numerically it is 12.",
    ]


def test_the_wrong_one_of_several_operands_is_named(own_operations):
    @operation(local=[lambda a, b, y: b, lambda a, b, y: b])
    def product(a, b):
        return a * b

    (culprit,) = check_gradients(lambda a, b: product(a, b).sin(), [2.0, 3.0]).culprits
    assert culprit.index == 1
    assert "The operation that is wrong: product, at product(2, 3)." in "\n".join(culprit.lines())
    assert "Its local derivative by b, b, gives 3, but numerically it is 2." in "\n".join(culprit.lines())


def test_a_derivative_that_is_right_only_in_first_order_is_found(own_operations):
    @operation(local=lambda x, y: 3 * (x.data if isinstance(x, Value) else x) ** 2)
    def cube(x):
        return x * x * x

    assert check_gradients(cube, 2.0, order=1)
    report = check_gradients(lambda x: cube(x).tanh(), 0.5)
    assert verdicts(report) == ([OK], [WRONG])
    (culprit,) = report.culprits
    assert culprit.comparison.names == ("x", "x")
    assert culprit.comparison.analytical == 0.0
    assert culprit.comparison.numerical.derivative == pytest.approx(3.0)


def test_a_local_derivative_that_cannot_run_on_values_is_found(own_operations):
    @operation(local=lambda x, y: math.exp(x))
    def growth(x):
        return math.exp(x)

    assert check_gradients(growth, 2.0, order=1)
    report = check_gradients(lambda x: growth(x) * x, 0.5)
    assert report.first[0].verdict == OK
    assert not report
    (culprit,) = report.culprits
    assert culprit.op is growth
    text = " ".join(str(report).split())
    assert "WRONG: there are no second derivatives. The operation that is wrong: growth, at growth(0.5)." in text
    assert "cannot be differentiated again (OperandError: a float would lose the gradient" in text
    assert "OperandError" in check_operation(growth, [0.5]).failure


def test_a_graph_that_is_cut_has_no_culprit_but_a_reason():
    report = check_gradients(lambda x: x.data * x, 3.0)
    assert (report.first[0].analytical, report.first[0].numerical.derivative) == (3.0, pytest.approx(6.0))
    assert report.culprits == ()
    assert ".data, detach() and float() cut the graph" in " ".join(str(report).split())
    assert not check_gradients(lambda x: 2.0 * x.data, 3.0)
    assert not check_gradients(lambda x: x.detach() * 2.0, 3.0)
    report = check_gradients(lambda x: chainrule.stop_gradient(x) * x, 3.0)
    assert report.culprits == ()
    assert "stop_gradient() lets none through" in " ".join(str(report).split())
    assert check_gradients(lambda x: 7.0, 3.0)


def test_a_swallowed_infinity_is_named():
    """As of a squared distance by way of its root: the second derivatives at 0 are lost."""
    report = check_gradients(lambda a, b: chainrule.exp(-(chainrule.sqrt((a - b) ** 2) ** 2)), [0.7, 0.7])
    text = " ".join(str(report).split())
    assert not report.ok
    assert "An infinite slope met a zero in the chain rule through sqrt(0.0)" in text
    assert "sum_of_squares([x, y]) in place of" in text
    assert check_gradients(lambda a, b: chainrule.exp(-chainrule.sum_of_squares([a - b])), [0.7, 0.7])


def test_a_kink_is_no_error_and_its_convention_is_told():
    report = check_gradients(lambda x: chainrule.relu(x) + 2.0 * x, 0.0)
    assert report.ok
    assert verdicts(report) == ([KINK], [KINK])
    assert str(report).splitlines()[-4:] == [
        "The chain rule is right: 1 first and 1 second derivatives compared, 2 of them at",
        "a kink.",
        "  Kink at x = 0: the slope is 2 to the left and 3 to the right; the chain rule",
        "  takes 2.",
    ]


def test_a_jump_has_no_slope():
    report = check_gradients(lambda x: x * (x > 1.0), 1.0)
    assert report.ok
    assert "Jump at x = 1: there is no slope; the chain rule takes 0." in str(report)


def test_a_wrong_convention_at_a_kink_is_an_error_of_the_operation(own_operations):
    @operation(local=lambda x, y: 5.0 * chainrule.ops.eq(x, 0.0) + chainrule.ops.gt(x, 0.0))
    def ramp(x):
        return max(x, 0.0)

    assert check_gradients(ramp, 1.0)
    report = check_gradients(lambda x: ramp(x) * 3.0, 0.0)
    assert not report
    assert [culprit.op for culprit in report.culprits] == [ramp]


def test_conventions_of_several_kinks_need_not_combine():
    report = check_gradients(lambda x: chainrule.relu(x * x), 0.0)
    assert verdicts(report) == ([OK], [WRONG])
    assert report.culprits == ()
    assert "relu(0) is at a kink, where a convention stands for its derivative" in " ".join(str(report).split())


@pytest.mark.parametrize(
    ("f", "x", "sentence"),
    [
        (lambda x: chainrule.log(x) * 2.0, -1.0, "The first number that is not finite: log(-1) is nan."),
        (lambda x: ops.div(1.0, x) + 1.0, 0.0, "The first number that is not finite: 1/0 is inf."),
        (
            lambda x: chainrule.sqrt(x) * 2.0,
            0.0,
            "The first local derivative that is not finite: that of sqrt(0) is inf.",
        ),
        (
            lambda x: chainrule.sqrt(x * 3.0),
            0.0,
            "The first local derivative that is not finite: that of sqrt(0)",
        ),
    ],
)
def test_numbers_that_are_not_finite_are_named(f, x, sentence):
    report = check_gradients(f, x)
    assert not report
    assert {one.verdict for one in (*report.first, *report.second)} & {NOT_FINITE, WRONG}
    assert sentence in " ".join(str(report).split())


def test_no_false_alarm_for_numbers_that_cancel():
    assert check_gradients(lambda x: (x + 1e6) - 1e6, 3.0)
    assert check_gradients(lambda x: chainrule.log1p(chainrule.erf(x)), -3.0)
    assert check_gradients(lambda x: chainrule.cos(x) - 1.0, 0.0)


def test_no_false_alarm_for_random_nets():
    rng = random.Random(4)
    for activation in (chainrule.tanh, chainrule.relu, chainrule.gelu, chainrule.softplus):
        w = [rng.uniform(-1, 1) for _ in range(8)]

        def net(w, x, activation=activation):
            hidden = [activation(w[i] * x[0] + w[i + 1] * x[1] + w[i + 2]) for i in (0, 3)]
            return (w[6] * hidden[0] + w[7] * hidden[1] - 0.5) ** 2

        report = check_gradients(net, [w, [0.3, -0.8]])
        assert report.ok, str(report)
        assert len(report.second) == 100


def test_inputs_are_named_after_parameters_and_places():
    report = check_gradients(lambda p, xs: p["w"] * xs[0][1] + xs[1], [{"w": 3.0}, [[5.0, 7.0], 2.0]], order=1)
    assert [name for name, _ in report.inputs] == ["p['w']", "xs[0][0]", "xs[0][1]", "xs[1]"]
    assert check_gradients(ops.pow, [2.0, 3.0], order=1).inputs == (("a", 2.0), ("b", 3.0))
    assert check_gradients(lambda *x: x[0] * x[1], [2.0, 3.0], order=1).inputs == (
        ("inputs[0]", 2.0),
        ("inputs[1]", 3.0),
    )


def test_a_long_table_shows_disagreements_first(own_operations):
    @operation(local=lambda x, y: 2 * x)
    def cube(x):
        return x * x * x

    report = check_gradients(lambda v: chainrule.sum(v[:-1]) + cube(v[-1]), [[float(i) for i in range(40)]], order=1)
    text = str(report)
    assert "and 20 more inputs" in text
    rows = text.split("rel. error\n")[1].splitlines()
    assert rows[0].startswith("  v[39]")
    assert rows[0].endswith("wrong")
    assert rows[ROWS_SHOWN].startswith("  ... and 20 more, all ok; largest relative error ")
    assert all(len(line) <= 80 for line in text.splitlines())


def test_nothing_outside_is_touched():
    w = Value(3.0)
    w.grad = 5.0
    assert check_gradients(lambda x: x * w, 2.0)
    assert (w.data, w.peek_grad()) == (3.0, 5.0)


def test_a_tolerance_can_be_given(own_operations):
    @operation(local=lambda x, y: 3.003 * x * x)
    def cube(x):
        return x * x * x

    assert not check_gradients(cube, 2.0)
    assert check_gradients(cube, 2.0, tolerance=0.01)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: check_gradients(lambda x: x, 1.0, order=3), ArgumentError, "take order=1 or order=2"),
        (lambda: check_gradients(lambda x: x, 1.0, tolerance=0), ArgumentError, "positive number such as 1e-6, not 0"),
        (lambda: check_gradients(lambda x: x * random.random(), 1.0), ArgumentError, "take the randomness out of it"),
        (lambda: check_gradients(lambda x: x, 1.0, names=["x", "y"]), SizeError, "1 inputs but 2 names"),
        (lambda: check_gradients(lambda x: [x], 1.0), OperandError, "the result of the function needs real numbers"),
        (lambda: check_gradients(lambda x: x, "1"), OperandError, "an input needs real numbers"),
        (lambda: check_operation(ops.add, [1.0, "2"]), OperandError, "add needs real numbers"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
