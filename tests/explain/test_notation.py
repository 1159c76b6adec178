import math

import pytest

from chainrule import operation, ops
from chainrule.core.operation import TABLE
from chainrule.explain.notation import MANY, call, formula, short


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (3.0, "3"),
        (-1234567.0, "-1234567"),
        (0.1 + 0.2, "0.3"),
        (-1.4999999999999996, "-1.5"),
        (math.sqrt(0.5), "0.707107"),
        (1 / 3, "0.333333"),
        (0.12340004, "0.12340004"),
        (0.99999998, "0.99999998"),
        (math.tanh(15), "0.9999999999998"),
        (100000.5, "100000.5"),
        (123456.789, "123456.8"),
        (1234567.8, "1.23457e6"),
        (1e-7, "1e-7"),
        (5e-324, "4.94066e-324"),
        (1e22, "1e22"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
    ],
)
def test_numbers_are_short_but_never_look_rounder_than_they_are(x, text):
    assert short(x) == text


def test_every_operation_of_the_table_has_a_formula_for_each_operand():
    for op in TABLE.values():
        names = op.operand_names or ("x1", "x2", "x3")
        for i in range(len(names)):
            text = formula(op, i, names)
            assert text, f"{op.name} has no formula for operand {i}"
            assert eval_formula(text, op, names, i), f"d {op.name} / d {names[i]} is not {text}"


def eval_formula(text, op, names, i):
    """Whether a formula, read as Python, gives the local derivative at the operation's sample points."""
    words = str.maketrans({"≤": "<=", "≥": ">=", "≠": "!="})
    for sample in op.samples:
        if len(sample) != len(names):
            continue
        y = op.value(*sample)
        variables = {**TABLE, "inf": math.inf, **dict(zip(names, sample, strict=True)), "y": y}
        exact = op.local(i, sample, y) or 0.0
        if not math.isclose(eval(text.translate(words), {}, variables), exact, rel_tol=1e-5, abs_tol=1e-300):
            return False
    return True


@pytest.mark.parametrize(
    ("op", "index", "operands", "result", "text"),
    [
        (ops.tanh, 0, ["n"], "out", "1 - out*out"),
        (ops.tanh, 0, [0.5], 0.25, "1 - 0.25*0.25"),
        (ops.tanh, 0, [-0.5], -0.25, "1 - (-0.25)*(-0.25)"),
        (ops.pow, 0, [-3.0, 2.0], 9.0, "2*(-3)**(2 - 1)"),
        (ops.div, 1, ["a", "b"], "y", "-y/b"),
        (ops.relu, 0, [], "y", "1 if x > 0 else 0"),
        (ops.abs, 0, [], "y", "(x > 0) - (x < 0)"),
        (ops.leaky_relu, 0, [], "y", "1 if x > 0 else slope"),
        (ops.gt, 0, [], "y", "0"),
        (ops.weighted_sum, 3, ["b", "w1", "x1", "w2", "x2"], "y", "x2"),
        (ops.logsumexp, 1, ["p", "q"], "y", "exp(q - y)"),
        (ops.sum_of_squares, 1, ["p", "q"], "y", "2*q"),
    ],
)
def test_formulas(op, index, operands, result, text):
    assert formula(op, index, operands, result) == text


def test_an_operation_of_ones_own_has_a_formula_unless_it_leaves_the_table(own_operations):
    @operation(local=[lambda a, b, y: (2 / a) ** b - a.exp() + 1 * (a < b), None])
    def readable(a, b):
        return a + b

    @operation(local=[lambda a, b, y: math.exp(a), lambda a, b, y: a.data if a > b else 0.0])
    def closed(a, b):
        return a + b

    assert formula(readable, 0) == "(2/a)**b - exp(a) + 1*(a < b)"
    assert formula(readable, 1) == "0"
    assert formula(closed, 0) is None
    assert formula(closed, 1) is None


@pytest.mark.parametrize(
    ("op", "operands", "text"),
    [
        (ops.add, ["a", -2.0], "a + (-2)"),
        (ops.mul, [-3.0, "x"], "-3*x"),
        (ops.pow, [-3.0, 2.0], "(-3)**2"),
        (ops.pow, ["a", "b"], "a**b"),
        (ops.neg, ["x"], "-x"),
        (ops.lt, ["a", "b"], "(a < b)"),
        (ops.select, ["c", "a", "b"], "(a if c else b)"),
        (ops.abs, ["x"], "abs(x)"),
        (ops.clip, ["x", 0.0, 1.0], "clip(x, 0, 1)"),
        (ops.sum, ["a", "b", "c"], "a + b + c"),
        (ops.sum, [], "sum([])"),
        (ops.logsumexp, ["a", "b"], "logsumexp([a, b])"),
        (ops.weighted_sum, [0.5, 2.0, -3.0], "0.5 + 2*(-3)"),
        (ops.weighted_sum, [0.0, -2.0, -3.0], "0 + (-2)*(-3)"),
        (ops.sum, [f"x{i}" for i in range(MANY + 1)], f"sum([x0, x1, x2, …, x{MANY}])"),
    ],
)
def test_calls_are_written_as_in_python(op, operands, text):
    assert call(op, operands) == text
