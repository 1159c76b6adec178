import math

import pytest

import chainrule
from chainrule import Value, operation
from chainrule.core.operation import TABLE
from chainrule.engine import topological_order
from chainrule.errors import ExpressionError, OperandError
from chainrule.expression import Expression, parse, parse_assignments

X = {"x": 2.0, "w": -3.0, "b": 0.5}


def value(text, **numbers):
    return parse(text, numbers).root.data


def test_the_neuron_of_the_lecture():
    text = "tanh(x1*w1 + x2*w2 + b)"
    expression = parse(text, {"x1": 2, "x2": 0, "w1": -3, "w2": 1, "b": 6.8813735870195432})
    expression.root.backward()
    gradients = {name: variable.grad for name, variable in expression.variables.items()}
    assert gradients == pytest.approx({"x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0, "b": 0.5}, abs=1e-14)
    assert list(gradients) == ["x1", "w1", "x2", "w2", "b"]
    assert expression.root.label == ""
    assert repr(expression) == f"Expression('{text}')"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("x + w*b", 0.5),
        ("x - w - b", 4.5),
        ("x / w / b", 2 / -3 / 0.5),
        ("x**b**2 + w", 2**0.25 - 3),
        ("-x**2 + w + b", -6.5),
        ("(-x)**2 * w * b", -6.0),
        ("+x - -w - +b", -1.5),
        ("1e-3*x + 1_000*w + 0x10*b", -2991.998),
        ("(x < w) + (x <= x) + (w > b) + (b >= b) + (x == x) + (x != x)", 3.0),
        ("w if x > 3 else b", 0.5),
        ("x if w < b else tanh(b)", 2.0),
        ("sum([x, w, b, 1])", 0.5),
        ("weighted_sum([x], [w], bias=b)", -5.5),
        ("logsumexp([x, w, b]) - logsumexp([x, w, b])", 0.0),
        ("leaky_relu(w, slope=b) + x", 0.5),
        ("leaky_relu(slope=b, x=w) + x", 0.5),
        ("max(x, min(w, b)) * pi * e", 2 * math.pi * math.e),
        ("atan(inf)*x*w*b", math.pi / 2 * -3),
        ("x\n\t+ w\n+ b", -0.5),
        ("  x*w*b  ", -3.0),
    ],
)
def test_what_an_expression_can_hold(text, result):
    assert parse(text, X if "x" in text and "b" in text else None).root.data == pytest.approx(result, rel=1e-15)


def test_every_operation_of_the_table_can_be_called():
    for op in TABLE.values():
        sample = op.samples[0]
        if op.takes_lists:
            continue
        text = f"{op.name}({', '.join(map(repr, sample))})"
        assert value(text) == op.value(*sample), text


def test_a_name_is_one_leaf_however_often_it_is_used():
    expression = parse("x*x + x", {"x": 3})
    leaves = [node for node in topological_order(expression.root) if not node.operands]
    assert len(leaves) == 1
    assert leaves[0] is expression.variables["x"]
    assert leaves[0].label == "x"


def test_constants_give_way_to_variables():
    assert value("2*e") == 2 * math.e
    assert value("2*e", e=5.0) == 10.0
    assert value("max + tanh(max)", max=1.0) == 1 + math.tanh(1)


def test_names_are_the_same_letter_as_for_python():
    # the micro sign on the left, the Greek letter on the right
    assert value("µ*2", **{"μ": 1.5}) == value("μ*2", **{"µ": 1.5}) == 3.0
    assert parse_assignments(["µ=1"]) == {"μ": 1.0}


def test_an_operation_of_ones_own_can_be_called(own_operations):
    @operation(local=lambda x, y: 3 * x * x)
    def cube(x):
        return x * x * x

    expression = parse("cube(x) + 1", {"x": 2.0})
    expression.root.backward()
    assert (expression.root.data, expression.variables["x"].grad) == (9.0, 12.0)


def test_without_variables_the_numbers_are_what_can_be_differentiated():
    root = parse("3 * 2 + 1").root
    root.backward()
    leaves = [node for node in topological_order(root) if not node.operands]
    assert [(leaf.data, leaf.grad) for leaf in leaves] == [(3.0, 2.0), (2.0, 3.0), (1.0, 1.0)]
    assert isinstance(parse("sum([])").root, Value)


def test_arithmetic_is_that_of_the_table_and_never_hangs():
    assert value("x / y", x=1, y=0) == math.inf
    assert value("9**9**9**9") == math.inf
    assert math.isnan(value("log(x)", x=-1))


def test_an_expression_is_a_function_of_floats_and_of_values():
    expression = parse("tanh(x*w) + b")
    assert expression.names == ("x", "w", "b")
    assert expression.function(1.0, 0.0, 2.0) == 2.0
    assert isinstance(expression.function(1.0, 0.0, 2.0), float)
    assert chainrule.grad(expression.function)(1.0, 0.5, 2.0) == pytest.approx(0.5 / math.cosh(0.5) ** 2)
    assert expression({"b": 2.0, "w": 0.0, "x": Value(1.0)}).data == 2.0


def test_variables_are_in_the_order_of_the_text():
    assert parse("a if c else b").names == ("a", "c", "b")
    assert parse("f(x=q, slope=p)".replace("f", "leaky_relu")).names == ("q", "p")


def test_a_sum_of_a_thousand_terms_needs_no_recursion():
    assert value("+".join(["x"] * 2000), x=0.5) == 1000.0


def test_numbers_are_asked_for_when_they_are_needed():
    expression = Expression("x*w")
    assert expression.variables == {}
    with pytest.raises(ExpressionError, match=r"^variables have no numbers: give x=..., w=...$"):
        _ = expression.root


NO_ATTRIBUTES = "an expression has no attributes (the dot); operations are called as tanh(x)"
NOT_ARITHMETIC = "this is Python, but not arithmetic that an expression can hold"
NOT_A_LIST = "a list stands only in calls such as sum([x, y]); the expression itself is one number"
NO_DIGIT_FIRST = "a name cannot begin with a digit, and a product is written 2*x"
NO_EQUALS = "an expression has no =; give numbers apart from it, such as x=2"
ERRORS = {
    **{
        text: f"cannot read the expression at character 1 (▸{text}): {NO_DIGIT_FIRST}"
        for text in (
            "1if x else 2",
            "1.5else",
            "0xfor x",
            "0b1or x",
            "1jif x else 2",
            "1e5if x else 2",
            "1_0in x",
            ".5x",
        )
    },
    r"'\d'": r"cannot read the expression at character 2 ('▸\d'): write / for a division",
    "": "the expression is empty: write one such as tanh(x*w + b)",
    " \n ": "the expression is empty: write one such as tanh(x*w + b)",
    "x *": "cannot read the expression at character 4 (x *▸): it ends too early",
    "x w": "cannot read the expression at character 3 (x ▸w): invalid syntax",
    "x + * w": "cannot read the expression at character 5 (x + ▸* w): invalid syntax",
    "tanh(x": "cannot read the expression at character 5 (tanh▸(x): '(' was never closed",
    "tanh(x))": "cannot read the expression at character 8 (tanh(x)▸)): unmatched ')'",
    "2x": "cannot read the expression at character 1 (▸2x): " + NO_DIGIT_FIRST,
    "x × w": "cannot read the expression at character 3 (x ▸× w): invalid character '×' (U+00D7)",
    "y = x": "cannot read the expression at character 3 (y ▸= x): " + NO_EQUALS,
    "x # w": "cannot read the expression at character 3 (x ▸# w): there are no comments",
    "1" * 5000: "this number has too many digits",
    "tahn(x)": "there is no operation 'tahn'. Did you mean 'tanh'?",
    "ln(x)": "there is no operation 'ln'. Did you mean 'log'?",
    "arcsinh(x)": "there is no operation 'arcsinh'. Did you mean 'asinh'?",
    "ndtr(x)": "there is no operation 'ndtr'. Did you mean 'norm_cdf'?",
    "quux(x)": "there is no operation 'quux'. A product is written quux*(...)",
    "__import__('os')": "there is no operation '__import__'. A product is written __import__*(...)",
    "x(w)": "x is a number here and cannot be called: write a product as x*(...)",
    "2(x)": "cannot use '2(x)': a product is written with *, as in 2*(x + 1)",
    "tanh": "tanh is an operation: call it, tanh(x)",
    "sum": "sum is an operation: call it, sum([x, y])",
    "x.data": "cannot use 'x.data': " + NO_ATTRIBUTES,
    "math.exp(x)": "cannot use 'math.exp(x)': " + NO_ATTRIBUTES,
    "'x'": "cannot use \"'x'\": an expression is made of real numbers, names and operations",
    "True": "cannot use 'True': an expression is made of real numbers, names and operations",
    "2j*x": "cannot use '2j': an expression is made of real numbers, names and operations",
    "f'{x}'": "cannot use \"f'{x}'\": an expression has no strings",
    "lambda: x": "cannot use 'lambda: x': an expression cannot define functions",
    "(y := x)": "cannot use 'y := x': an expression cannot assign names; give numbers apart from it, such as x=2",
    "x[0]": "cannot use 'x[0]': an expression has no indices; give each number a name of its own, such as x1",
    "[i for i in x]": "cannot use '[i for i in x]': " + NOT_ARITHMETIC,
    "[x, w]": "cannot use '[x, w]': " + NOT_A_LIST,
    "1,5": "cannot use '1,5': this is several numbers, not one; the decimal point is a point, as in 1.5",
    "0 < x < 1": "cannot use '0 < x < 1': this compares twice in a row; write (0 < x)*(x < 1) for 0 < x < 1",
    "x is w": "cannot use 'x is w': " + NOT_ARITHMETIC,
    "not x": "cannot use 'not x': there is no operation `not`; of a comparison, write the opposite one",
    "x^2": "cannot use 'x^2': ^ is not a power here; write x**2",
    "x // 2": "cannot use 'x // 2': there is no operation //; write /",
    "tanh(*x)": "cannot use '*x': an expression has no *arguments; write each of them",
    "tanh(**x)": "cannot use 'tanh(**x)': write each operand by itself, without **",
    "tanh(x=1, x=2)": "cannot use 'tanh(x=1, x=2)': this names an operand twice",
    "1e999": "cannot use '1e999': this number is too large for a float; write inf if that is meant",
    "-" + "9" * 400: "this number is too large for a float; write inf if that is meant",
    "(" * 10_000 + "x" + ")" * 10_000: "too many nested parentheses",
    "-" * 100_000 + "x": "is nested too deeply: split it up",
    "x" + "+x" * 100_000: "is nested too deeply: split it up",
    "\0": "null bytes",
    "\ud800": "surrogates not allowed",
}


@pytest.mark.parametrize("text", ERRORS, ids=lambda text: repr(text[:20]))
def test_a_text_that_is_no_expression_is_refused_in_one_line(text):
    with pytest.raises(ExpressionError) as caught:
        parse(text, {"x": 2.0} if "x" in text else {})
    message = str(caught.value)
    assert ERRORS[text] in message
    assert "\n" not in message
    assert len(message) < 200


@pytest.mark.parametrize("text", ["x and w", "x or w"])
def test_and_and_or_name_what_to_write(text):
    with pytest.raises(ExpressionError, match=r"write \(x > 0\)\*\(y > 0\) or max\(x > 0, y > 0\)"):
        parse(text, {"x": 1.0, "w": 1.0})


@pytest.mark.parametrize(
    "text", ["tanh(x, x)", "max(x)", "tanh([x])", "weighted_sum([x], [x, x])", "tanh(y=x)", "sum(x)"]
)
def test_a_call_with_wrong_operands_is_an_error_of_the_expression(text):
    with pytest.raises(ExpressionError, match=r"cannot calculate '"):
        parse(text, {"x": 1.0})


@pytest.mark.parametrize(
    ("text", "numbers", "message"),
    [
        ("x*w1 + b", {"x": 1}, "variables have no numbers: give w1=..., b=..."),
        ("x*w1", {"x": 1}, "a variable has no number: give w1=..."),
        ("rate", {"rate": 1, "rat": 3}, "rat is given a number, but the expression has no rat. Did you mean 'rate'?"),
        ("2*3", {"x": 1}, "x is given a number, but the expression has no variables."),
    ],
)
def test_numbers_and_names_must_match(text, numbers, message):
    with pytest.raises(ExpressionError) as caught:
        parse(text, numbers)
    assert str(caught.value) == message
    with pytest.raises(ExpressionError) as caught:
        parse(text)(numbers)
    assert str(caught.value) == message


def test_other_misuse():
    with pytest.raises(ExpressionError, match="not the int 3"):
        parse(3)
    with pytest.raises(OperandError, match="x needs real numbers"):
        parse("x", {"x": "2"})
    with pytest.raises(ExpressionError, match=r"'x\*w' is a function of 2 numbers but was given 1: x, w"):
        parse("x*w").function(1.0)


def test_assignments():
    given = ["x1=2", " w1 = -3 ", "b=6.8813735870195432", "angle=pi/2", "tiny=1e-3", "root=sqrt(2)", "big=-inf"]
    assert parse_assignments(given) == {
        "x1": 2.0,
        "w1": -3.0,
        "b": 6.8813735870195432,
        "angle": math.pi / 2,
        "tiny": 1e-3,
        "root": math.sqrt(2),
        "big": -math.inf,
    }
    assert parse_assignments([]) == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["x"], "'x' gives no number: write NAME=NUMBER, such as x=0.5"),
        (["x="], "'x=' gives no number: write NAME=NUMBER, such as x=0.5"),
        (["x==2"], "'x==2' gives no number: write NAME=NUMBER, such as x=0.5"),
        (["--quiet"], "'--quiet' gives no number: write NAME=NUMBER, such as x1=0.5"),
        (["=2"], "'' cannot be the name of a variable: take letters, digits and _, such as x1"),
        (["2x=3"], "'2x' cannot be the name of a variable: take letters, digits and _, such as x1"),
        (["lambda=3"], "'lambda' cannot be the name of a variable: take letters, digits and _, such as x1"),
        (["x=1", "x=2"], "x is given twice, as 1.0 and in 'x=2': give it once"),
        (["x=abc"], "'x=abc' gives no number: 'abc' is not one"),
        (["x=1,5"], "'x=1,5' gives no number: cannot use '1,5': this is several numbers, not one; "
                    "the decimal point is a point, as in 1.5"),
        (["x=2*"], "'x=2*' gives no number: cannot read the expression at character 3 (2*▸): it ends too early"),
    ],
)  # fmt: skip
def test_assignments_that_are_none(given, message):
    with pytest.raises(ExpressionError) as caught:
        parse_assignments(given)
    assert str(caught.value) == message


def test_an_assignment_with_wrong_operands_is_none():
    with pytest.raises(ExpressionError, match=r"^'x=tanh\(1, 2\)' gives no number: tanh was called with 2 operands"):
        parse_assignments(["x=tanh(1, 2)"])


@pytest.mark.parametrize("text", ["1e5*x", "1.5e-3*x", "0x1f*x", ".5*x + 1.", "1_000*x", "1E+2*x if x > 1e0 else 2.e1"])
def test_numbers_are_read_as_python_reads_them(text):
    assert parse(text, {"x": 2.0}).root.data == eval(text, {"x": 2.0})
