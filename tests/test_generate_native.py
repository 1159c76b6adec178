"""The C code of operations is made from the text of the table."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from chainrule import ops
from chainrule.core.operation import TABLE

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def generator(loaded):
    return loaded(ROOT / "generate_native.py")


@pytest.fixture(scope="module")
def text(generator):
    return generator.native(ops)


def c_function(text, name):
    """The lines of one C function."""
    return re.search(rf"^cdef inline \w+ {name}\(.*?(?=^cdef|\Z)", text, re.DOTALL | re.MULTILINE)[0].strip()


def entry(generator, source, table=("exp", "log", "cosh", "slow")):
    """What becomes of an operation with this text."""
    (function,) = ast.parse(source).body
    return generator.Entry(function, 99, set(table), {"HALF": 0.5})


def test_an_operation_has_its_number_and_derivatives_in_c_but_for_what_needs_python(generator, text):
    table = [op for op in TABLE.values() if op.built_in]
    assert [op.name for op in table if f"value_{op.name}(" not in text] == [
        "norm",
        "logsumexp",
    ]  # hypot of a list; a sort
    for op in table:
        for i in range(len(op.operand_names or [0])):  # an operation of any number of operands has one for them all
            assert not op.flows(i) or f"local_{op.name}_{i}(" in text


def test_the_text_stays_the_text(text):
    assert c_function(text, "value_relu") == (
        "cdef inline double value_relu(double x) noexcept:\n    return 0.0 if x <= 0 else x"
    )
    assert c_function(text, "local_pow_0").endswith("return value_chain(b, value_pow(a, b - 1.0))")
    assert "xs[i].operand._data * xs[i + 1].operand._data" in c_function(text, "value_weighted_sum")
    assert "python_math('hypot', (a, b))" in c_function(text, "value_hypot")


def test_a_list_is_read_by_a_whole_number_and_its_first_numbers_are_a_list(text):
    assert "return xs[1 + whole(place)].operand._data if 0 <= place < n - 1 and " in c_function(text, "value_take")
    assert "value_lt(value_largest(xs, i), y) if i else " in c_function(text, "local_largest_0")


def test_of_a_select_c_calculates_what_it_takes(text):
    assert " if value_eq(value_abs(y), math.INFINITY) else value_exp(" in c_function(text, "local_logsumexp_0")


def test_every_case_is_chosen_by_the_code_of_its_operation(text):
    codes = [int(code) for code in re.findall(r"if node\._code == (\d+):", text)]
    assert codes == list(range(1, len(codes) + 1)) == [op.code for op in TABLE.values() if op.code <= len(codes)]


def test_an_operation_as_in_contributing_translates(generator):
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    code = re.search(r"<!-- operation -->\n```python\n(.*?)```", page, re.DOTALL)[1]
    made = entry(generator, code, table=TABLE)
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
def test_what_c_would_do_otherwise_is_left_to_python(generator, body):
    made = entry(generator, f"@operation(local=lambda x, y: exp(x))\ndef op(x):\n    {body}")
    made.drop_callers_of(["slow"])
    assert made.value is None
    assert made.locals[0]
    assert "value_by_call" in "".join(generator._case(made))


@pytest.mark.parametrize(
    "body",
    [
        "return int(xs[0])",
        "return xs[xs[0]]",
        "return exp(xs[1:])",
        "return exp(xs[:2])",
        "return exp(xs[::2])",
        "return xs[:1]",
    ],
)
def test_other_uses_of_a_list_are_left_to_python(generator, body):
    made = entry(generator, f"@operation(local=lambda i, xs, y: exp(xs[i]))\ndef op(*xs):\n    {body}")
    assert made.value is None
    assert made.locals[0]


def test_constants_are_written_out(generator):
    made = entry(generator, "@operation(local=[None])\ndef op(x):\n    return HALF * x")
    assert "0.5 * x" in made.value
    assert made.locals == [""]
