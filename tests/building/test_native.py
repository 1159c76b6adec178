"""The C code of operations is made from the text of the table."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from building import native as generator
from building.native import Entry, native

from chainrule import ops
from chainrule.core.operation import TABLE
from chainrule.reading.source import operations

ROOT = Path(__file__).parents[2]
SOME = {"exp": 1, "log": 1, "cosh": 1, "slow": 1, "leaky_relu": 2, "sum": None}


@pytest.fixture(scope="module")
def text():
    return native(ops)


def c_function(text, name):
    """The lines of one C function."""
    return re.search(rf"^cdef inline \w+ {name}\(.*?(?=^cdef|\Z)", text, re.DOTALL | re.MULTILINE)[0].strip()


@pytest.fixture
def entry(tmp_path):
    """Gives what becomes of an operation with this text."""

    def make(source, table=SOME, **constants):
        file = tmp_path / "own.py"
        file.write_text(source, encoding="utf-8")
        (text,) = operations(file).values()
        return Entry(99, text, table, constants)

    return make


def test_an_operation_has_its_number_and_derivatives_in_c_but_for_what_needs_python(text):
    table = [op for op in TABLE.values() if op.built_in]
    assert [op.name for op in table if f"value_{op.name}(" not in text] == [
        "norm",
        "logsumexp",
        "philox",
    ]  # hypot of a list; a sort; integers
    for op in table:
        for i in range(len(op.operand_names or [0])):  # an operation of any number of operands has one for them all
            assert not op.flows(i) or f"local_{op.name}_{i}(" in text


def test_the_text_stays_the_text(text):
    assert c_function(text, "value_relu") == (
        "cdef inline double value_relu(double x) noexcept:\n    return 0.0 if x <= 0 else x"
    )
    assert c_function(text, "local_pow_0").endswith("return value_chain(b, value_pow(a, b - 1.0))")
    assert "xs[i].operand._data_ * xs[i + 1].operand._data_" in c_function(text, "value_weighted_sum")
    assert "python_math('hypot', (a, b))" in c_function(text, "value_hypot")


def test_a_list_is_read_by_a_whole_number_and_its_first_numbers_are_a_list(text, entry):
    made = entry("@operation(local=lambda i, xs, y: sum(xs[:i]))\ndef op(*xs):\n    return xs[0]")
    assert made.locals[0].text.endswith("return value_sum(xs, i)\n")
    assert "return xs[1 + whole(place)].operand._data_ if 0 <= place < n - 1 and " in c_function(text, "value_take")


def test_what_needs_all_operands_is_calculated_before_the_loop_over_them(text):
    local = c_function(text, "local_largest_0")
    assert "double y, double all_argmax) noexcept:" in local
    assert local.endswith("return value_eq(all_argmax, 1.0 * i)")
    (case,) = re.findall(r"value_largest\(xs, n\)\n(.*?)    elif", text, re.DOTALL)
    assert case.splitlines()[0].strip() == "all_argmax = value_argmax(xs, n)"
    assert case.splitlines()[-1].strip() == "xs[i].local = local_largest_0(i, xs, n, y, all_argmax)"


def test_numbers_for_python_are_taken_once(text):
    assert text.rpartition("else:")[2].count("numbers_of(node)") == 1


def test_its_last_numbers_are_a_list_too(text):
    assert c_function(text, "local_prod_0").endswith("return value_prod(xs, i) * value_prod(xs + i + 1, n - (i + 1))")


def test_of_a_select_c_calculates_what_it_takes(text):
    assert " if value_eq(value_abs(y), math.INFINITY) else value_exp(" in c_function(text, "local_logsumexp_0")


def test_every_case_is_chosen_by_the_code_of_its_operation(text):
    codes = [int(code) for code in re.findall(r"if node\._code_ == (\d+):", text)]
    assert codes == list(range(1, len(codes) + 1)) == [op.code for op in TABLE.values() if op.code <= len(codes)]


def test_an_operation_as_in_contributing_translates(entry):
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    code = re.search(r"<!-- operation -->\n```python\n(.*?)```", page, re.DOTALL)[1]
    made = entry(code, {name: op.operand_names and len(op.operand_names) for name, op in TABLE.items()})
    assert made.value
    assert all(made.locals)


@pytest.mark.parametrize(
    "body",
    [
        "return sorted(x)",
        "return x ** 2",
        "return x % 2.0",
        "return int(x)",
        "return x // 2.0",
        "return f(x)",
        "return x.real",
        "return UNKNOWN * x",
        "return exp(x=x)",
        "return [x for x in x]",
        "while x: x = x - 1.0\n    return x",
        "try:\n        return exp(x)\n    except KeyError:\n        return 0.0",
        "return (lambda y: y)(x)",
        "return ieee(math.gamma, x)",
        "try:\n        return math.gamma(x)\n    except ValueError:\n        return 0.0",
        "return slow(x)",
    ],
)
def test_what_c_would_do_otherwise_is_left_to_python(entry, body):
    made = entry(f"@operation(local=lambda x, y: exp(x))\ndef op(x):\n    {body}")
    made.drop_callers_of({"slow"})
    assert made.value is None
    assert made.locals[0]
    assert "value_by_call" in "".join(generator._case(made))


@pytest.mark.parametrize(
    "body",
    [
        "return leaky_relu(x)",  # which has a default
        "return sum(x)",
        "return x is x",
        "return None",
        "return 'text'",
        "if x > 0:\n        return x",
        "for k in range(3):\n        k = 2.0 * x\n    return k",
        "exp = x\n    return exp(x)",
        "return ieee(math.log, x, 2.0)",
        "for k in range(3):\n        x += k / 2\n    return x",
        "return x + 1 / 2",
        "return x + (x < 2) / -2",
        "return ieee(math.floor, x)",  # which is inf at -inf
        "x += 1\n    x **= 2\n    return x",
        "for k in range(3):\n        return x\n    else:\n        return -x",
    ],
)
def test_what_c_has_not_is_left_to_python(entry, body):
    made = entry(f"@operation(local=lambda x, y: exp(x))\ndef op(x):\n    {body}")
    assert made.value is None
    assert made.locals[0]


@pytest.mark.parametrize(
    "body",
    [
        "return int(xs[0])",
        "return xs[xs[0]]",
        "return exp(xs[1:])",
        "return exp(xs[:2])",
        "return exp(xs[::2])",
        "return xs[:1]",
        "return xs[-1]",
        "return xs[1.0]",
        "return xs[len(xs) / 2]",
        "return xs[math.floor(xs[0])]",
        "return 1 / len(xs)",
        "place = 1\n    return xs[place]",
        "i = 0.0\n    for x in xs:\n        i += x\n    return i",
        "n = 0.0\n    for x in xs:\n        n += x\n    return n",
        "for i in range(len(xs)):\n        for x in xs:\n            y = x * i\n    return y",
        "xs = 1.0\n    return xs",
    ],
)
def test_what_would_read_elsewhere_in_c_is_left_to_python(entry, body):
    made = entry(f"@operation(local=lambda i, xs, y: exp(xs[i]))\ndef op(*xs):\n    {body}")
    assert made.value is None
    assert made.locals[0]


def test_a_local_variable_may_be_an_operand_and_an_index_may_have_any_name(entry):
    made = entry("@operation(local=lambda x, y: 1.0)\ndef op(x):\n    x = 2.0 * x\n    z: float = x\n    return z")
    assert made.value.text.splitlines() == [
        "cdef inline double value_op(double x) RAISES:",
        *("    cdef double z", "    x = 2.0 * x", "    z = x", "    return z"),
    ]
    loop = "y = 0.0\n    for k in range(1, len(xs)):\n        y += xs[k] / k\n    return y"
    made = entry(f"@operation(local=lambda i, xs, y: 1.0)\ndef op(*xs):\n    {loop}")
    assert made.value.text.splitlines()[1:] == [
        *("    cdef Py_ssize_t i", "    cdef Py_ssize_t k", "    cdef double y", "    y = 0.0"),
        *("    for k in range(1, n):", "        y += xs[k].operand._data_ / k", "    return y"),
    ]


def test_a_whole_number_is_never_negative_zero(entry):
    made = entry("@operation(local=lambda x, y: 1.0)\ndef op(x):\n    return x - math.floor(x)")
    assert "return x - (math.floor(x) + 0.0)" in made.value.text
    made = entry("@operation(local=lambda x, y: 1.0)\ndef op(x):\n    return 2 * math.ceil(x) + (x < math.ceil(x))")
    assert "return 2 * (math.ceil(x) + 0.0) + (x < math.ceil(x))" in made.value.text


def test_a_function_of_math_of_other_operands_than_in_c_is_pythons(entry):
    made = entry("@operation(local=lambda x, y: 1.0)\ndef op(x):\n    return math.log(x, 2.0)")
    assert "return python_math('log', (x, 2.0))" in made.value.text


@pytest.mark.parametrize("local", ["SLOPES", "[SLOPE, SLOPE]", "lambda *numbers: 1.0", "SLOPE if HALF else SLOPE"])
def test_a_local_derivative_that_is_no_text_is_asked_of_python_in_each_operand(entry, local):
    made = entry(f"@operation(local={local})\ndef op(a, b):\n    return a * b")
    assert made.value
    case = "".join(generator._case(made))
    assert "slope_by_call(node._code_, 0, " in case
    assert "slope_by_call(node._code_, 1, " in case


def test_a_limit_that_is_no_text_is_asked_of_python(entry):
    made = entry("@operation(local=lambda i, xs, y: 1.0, limit=LIMIT)\ndef op(*xs):\n    return xs[0]")
    assert made.locals == [None]
    assert "slope_by_call(node._code_, i, " in "".join(generator._case(made))


def test_a_limit_that_names_its_arguments_otherwise_is_asked_of_python(entry):
    made = entry(
        "@operation(local=lambda i, xs, y: xs[i], limit=lambda y, xs, i: xs[y])\ndef op(*xs):\n    return xs[0]"
    )
    assert made.locals == [None]
    assert made.reasons == ["local_op_0, whose limit= names its arguments otherwise (line 1)"]


def test_operands_before_any_number_of_others_are_left_to_python(entry):
    made = entry("@operation(local=lambda i, xs, y: 1.0)\ndef op(first, *xs):\n    return xs[0]")
    assert made.value is None


def test_the_build_tells_what_is_left_to_python_and_why():
    told = []
    native(ops, told.append)
    line = ops.norm.value.__code__.co_firstlineno + 7
    assert told[0] == f"left to Python: value_norm, whose text has '*xs' (line {line})"
    assert re.fullmatch(r"left to Python: value_logsumexp, whose text has xs as a whole \(line \d+\)", told[1])
    names = [re.match(r"left to Python: value_(\w+), ", line)[1] for line in told]
    assert names == ["norm", "logsumexp", "philox"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "local=lambda x, y: 1.0)\ndef op(x):\n    while x:\n        x -= 1.0\n    return x",
            "value_op, 'while x:' (line 3)",
        ),
        ("local=lambda x, y: 1.0)\ndef op(x):\n    y = 1.0\n    return {y}", "value_op, '{y}' (line 4)"),
        ("local=lambda x, y: 1.0)\ndef op(x):\n    return x.real", "value_op, 'x.real' (line 3)"),
        ("local=lambda x, y: 1.0)\ndef op(x):\n    return f(x)", "value_op, a call of f (line 3)"),
        ("local=lambda x, y: UNKNOWN)\ndef op(x):\n    return x", "local_op_0, 'UNKNOWN' (line 1)"),
    ],
)
def test_a_reason_names_the_operation_and_the_line(entry, text, reason):
    made = entry(f"@operation({text}")
    assert made.reasons == [reason.replace(", ", ", whose text has ", 1)]


def test_so_does_that_of_what_calls_it_and_of_what_is_no_text(entry):
    made = entry("@operation(local=[lambda a, b, y: slow(a), SLOPE])\ndef op(a, b):\n    return slow(b)")
    made.drop_callers_of({"slow"})
    assert made.reasons == [
        *(
            "local_op_1, which is no lambda: 'SLOPE' (line 1)",
            "value_op, which calls slow",
            "local_op_0, which calls slow",
        ),
    ]


def test_a_function_that_operations_call_is_in_c_too(text):
    assert "value__psi(x)" in c_function(text, "value_digamma")
    assert "cdef double y" in c_function(text, "value__psi")
    assert "value__mills(x)" in c_function(text, "local_norm_logcdf_0")
    assert "_psi" not in text.partition("table_names")[2].partition("\n\n")[0]


def test_a_loop_over_constants_is_written_out(entry):
    loop = "y = 0.0\n    for c in ROW:\n        y = y * x + c\n    return y"
    made = entry(f"@operation(local=lambda x, y: 1.0)\ndef op(x):\n    {loop}", ROW=(2.0, -math.inf))
    assert made.value.text.splitlines()[3:] == [
        *(
            "    y = 0.0",
            "    c = 2.0",
            "    y = y * x + c",
            "    c = -math.INFINITY",
            "    y = y * x + c",
            "    return y",
        ),
    ]
    assert entry(f"@operation(local=lambda x, y: 1.0)\ndef op(x):\n    {loop}").value is None


def test_constants_are_written_out(entry):
    made = entry("@operation(local=[None])\ndef op(x):\n    return HALF * x", HALF=0.5)
    assert "0.5 * x" in made.value.text
    assert made.locals == [None]
    assert "local" not in "".join(generator._case(made))


@pytest.mark.parametrize(
    ("number", "written"),
    [(-0.5, "-0.5"), (math.inf, "math.INFINITY"), (-math.inf, "-math.INFINITY"), (math.nan, "math.NAN")],
)
def test_a_constant_is_the_number_that_it_is_whatever_its_name(entry, number, written):
    made = entry("@operation(local=lambda x, y: 1.0)\ndef op(x):\n    return x - LEAST", LEAST=number)
    assert made.value.text.endswith(f"return x - {written}\n")
