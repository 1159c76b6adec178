"""What the text of an operation may say, and what it is told when it says more."""

from __future__ import annotations

import functools
import linecache
import math

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule.compiler.lowering.operations import NotLowered
from chainrule.compiler.native.llvm import Machine
from chainrule.core.operation import Operation, ieee
from chainrule.ops import clip, hypot, leaky_relu, logsumexp, sigmoid, tanh, weighted_sum
from chainrule.reading.source import definition

XS = [-2.5, -1.0, -0.0, 0.0, 0.25, 1.0, 3.0, 40.0, math.inf, -math.inf, math.nan]
HALF = 0.5
WEIGHTS = (0.5, -1.5, 2.0)


def op_of(value):
    """An operation that is in no table."""
    return Operation(
        value, [None] * value.__code__.co_argcount or None, "?", [(1.0,) * value.__code__.co_argcount], None
    )


def check(kernel, value, *, exact=True):
    """Whether the native code of an operation with this text gives what its Python gives."""
    op = op_of(value)
    n = value.__code__.co_argcount
    rows = np.array(_rows(n))
    expected = np.array([float(value(*row)) for row in rows.tolist()])
    got = kernel(op, Machine.host(), 2, exact=exact)(*rows.T)
    if exact:
        same = (got.view(np.uint64) == expected.view(np.uint64)) | (np.isnan(got) & np.isnan(expected))
    else:
        same = np.isclose(got, expected, rtol=1e-14, atol=0, equal_nan=True)
    assert same.all(), (rows[int(np.argmin(same))], got[int(np.argmin(same))], expected[int(np.argmin(same))])


def _rows(n):
    return [(x,) for x in XS] if n == 1 else [(x, y) for x in XS for y in XS]


def refused(kernel, value, match, *, exact=True):
    with pytest.raises(NotLowered, match=match):
        kernel(op_of(value), Machine.host(), 2, exact=exact)


# ---- what translates -----------------------------------------------------------------------------------------------


square = lambda x: x * x  # noqa: E731
of_double = lambda x: square(2.0 * x)  # noqa: E731


def lambdas_stars_and_loops(a, b):
    """Calls lambdas, one with a list of arguments; shares out a list; goes on until what is known is no longer true."""
    first, *others, last = [a, b, of_double(a), 1.0]
    count = 1 << 2 | 1
    while count > 2:
        first = first + max(*others, last)
        count = count - 1
    if count > 7:
        raise ValueError("more than there can be")
    return first - last


def arithmetic(a, b):
    """A text, which is skipped."""
    c: float = a - 2 * b
    c += +a
    c *= -b
    d = e = c - 1 / 3
    return d * e - (2**3) * HALF


def comparisons(a, b):
    return (a < b) + 2 * (a <= b) + 4 * (a == b) + 8 * (a != b) + 16 * (a > b) + 32 * (a >= b) + 64 * (-1 < a < b <= 3)


def truths(a, b):
    if a and not b:
        return 1.0
    if not (a or b) or a > 2 or (b > 2 and a < 0):
        return 2
    return 3.0 if a is not None and True else 4.0


def values_of_and_and_or(a, b):
    return (a or b) - (a and b) + (a > 0 and b) + (b < 0 or a)


def branches(x):
    y = 0.0
    if x > 1:
        y = x * 2
        z = 1.0
    elif x > 0:
        y = x / 2
        z = 2.0
    else:
        z = 3.0
    if x > 2:
        z = z + y
    return y + z


def early_returns(a, b):
    if a < b:
        if a < 0:
            return -a
        b = b + 1
    elif b < 0:
        return b
    c = a + b
    if c > 1:
        return c
    return a - b


def loops(x):
    total = 0.0
    for i in range(5):
        for w, v in zip(WEIGHTS, [1.0, x, x * x], strict=True):
            total += w * v * i
    for i, w in enumerate(reversed(WEIGHTS)):
        if i == 1:
            total = total - w
    return total + sum([w * x for w in WEIGHTS if w > 0], 0.0) if False else total


def rows_of_numbers(a, b):
    first, (second, third) = a, (b, 1.0)
    row = [first, second, third, *()] if False else [first, second, third]
    return row[0] + row[-1] * len(row) - row[1:][0] + list(row)[2]


def functions_of_python(a, b):
    return abs(a) + max(a, b) - min(a, b, 1.0) + float(b) + max([a, b]) + bool(a) + abs(-3) + max(1, 2)


def kinds_of_numbers(x):
    if math.isnan(x):
        return -1.0
    if math.isinf(x):
        return -2.0
    return math.floor(x) + 10 * math.ceil(x) + 100 * math.trunc(x) if math.isfinite(x) else 0


def other_operations(a, b):
    return clip(a, low=-1.0, high=2.0) + leaky_relu(b) + weighted_sum([a, b], [1.0, 2.0], 0.5) + tanh(a)


def a_helper(x, scale=2.0):
    """A function that is no operation."""
    return _square(x) * scale


def _square(x):
    return x * x


def helpers(x):
    return a_helper(x) + a_helper(x, scale=HALF) + _square(3.0)


TEXTS = [
    *(arithmetic, comparisons, truths, values_of_and_and_or, branches, early_returns, loops, rows_of_numbers),
    lambdas_stars_and_loops,
    *(functions_of_python, kinds_of_numbers, other_operations, helpers),
]


@pytest.mark.parametrize("value", TEXTS)
def test_the_text_means_what_it_means_in_python(kernel, value):
    check(kernel, value)
    if value is not other_operations:
        check(kernel, value, exact=False)


def test_a_function_of_math_is_exact_or_fast(kernel):
    def value(x):
        return ieee(math.cos, x) + math.atan(x) * math.pi - math.fabs(x) + ieee(math.log1p, x) + math.e

    check(kernel, value)
    check(kernel, value, exact=False)


def test_a_function_of_math_without_fast_code_is_the_c_librarys(kernel):
    def value(x):
        return math.fmod(clip(x, -100.0, 100.0), 0.75)

    check(kernel, value)
    check(kernel, value, exact=False)


def test_a_function_of_math_that_raises_where_c_is_infinite(kernel):
    def value(x):
        return ieee(math.cosh, x) + math.asinh(x) - ieee(math.sinh, x) + ieee(math.atanh, x)

    check(kernel, value)
    check(kernel, value, exact=False)


def test_a_whole_number_is_what_ieee_makes_of_it(kernel):
    def value(x):
        return ieee(math.floor, x) + ieee(math.ceil, x / 2) - ieee(math.trunc, 0.3 * x)

    check(kernel, value)
    check(kernel, value, exact=False)


def test_what_is_around_a_function_is_known(kernel):
    scale, offset = 3.0, 1

    def value(x):
        return scale * x + offset

    check(kernel, value)


def test_powers(kernel):
    def value(x):
        return x**2 + abs(x) ** 0.5

    check(kernel, value)
    check(kernel, value, exact=False)


def test_an_operation_of_any_number_of_operands_loops_over_them(kernel):
    def value(*xs):
        largest = xs[0]
        for x in xs[1:]:
            largest = x if x > largest else largest
        return largest - xs[-1] + len(xs)

    op = Operation(value, lambda i, xs, y: 0.0, "?", [(1.0, 2.0, 3.0)], None)
    rows = np.random.default_rng(0).normal(size=(3, 20))
    expected = rows.max(axis=0) - rows[2] + 3
    assert (kernel(op, Machine.host(), 4, exact=True)(*rows) == expected).all()


# ---- what does not -------------------------------------------------------------------------------------------------


def test_a_message_names_the_operation_and_what_stands_in_the_way(kernel):
    def forever(x):
        while x > 1:
            x = x / 2
        return x

    refused(kernel, forever, r"the operation forever is not compiled: its text has 'while x > 1:'")
    line = forever.__code__.co_firstlineno + 1
    refused(
        kernel,
        forever,
        rf"its text has 'while x > 1:', whose end depends on numbers \(line {line} of .*test_translate\.py\)$",
    )


def test_a_message_names_the_line_in_the_function_that_has_it(kernel):
    def remainder(x):
        y = (
            2.0
            * x
        )  # fmt: skip
        return y % 3

    def calls(x):
        x = remainder(x) if x is None else x
        x = _square(x)
        return x.imag

    first = remainder.__code__.co_firstlineno
    refused(kernel, remainder, rf"the operator Mod \(line {first + 5} of")
    refused(kernel, calls, rf"'x\.imag' \(line {calls.__code__.co_firstlineno + 3} of")

    def indirect(x):
        return 1 + remainder(x)

    refused(kernel, indirect, rf"the operation indirect .* the operator Mod \(line {first + 5} of")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("return x % 2", "the operator Mod"),
        ("return x // 2", "the operator FloorDiv"),
        ("return ~x", "'~x'"),
        ("return math.gamma(x)", "math.gamma, which is Python's own"),
        ("return math.log(x, 2.0)", "math.log of 2 numbers"),
        ("return x.real", "'x.real'"),
        ("return [1.0, 2.0][int(x)]", "a call of int"),
        ("return sorted([x, 1.0])[0]", "a call of sorted"),
        ("return print(x)", "a call of print"),
        ("return value(x - 1)", "value, which calls itself"),
        ("return unknown", "the name unknown"),
        ("return 'text'", "a str in place of a number"),
        ("return 1 / 0", "a call of truediv that fails: division by zero"),
        ("return exp(x, x)", "a call of exp that fails"),
        ("return max(*x)", "a loop over 'x'"),
        ("raise ValueError(x)", r"'raise ValueError\(x\)'"),
        ("while x:\n        x = 0.0\n    return x", "'while x:', whose end depends on numbers"),
        ("[].append(x)\n    return x", r"'\[\].append'"),
        ("a, *b, c = [1.0]\n    return x", r"1 values for \(a, \*b, c\)"),
        ("return {x: 1}[x]", "'{x: 1}'"),
        ("y = x", "a way through value that returns nothing"),
        ("if x > 0:\n        return x", "an if with a way that returns nothing"),
        ("if x > 0:\n        y = 1.0\n    return y", "the name y, which has no value on every way to it"),
        pytest.param(
            "for i in range(10 ** 6):\n        x = x + i\n    return x",
            "more than 20,000 steps",
            marks=pytest.mark.slow,
        ),
        ("for c in x:\n        pass\n    return x", "a loop over 'x'"),
        ("for i in range(3):\n        break\n    return x", "'break'"),
        ("try:\n        return x\n    except KeyError:\n        return 0", "a try that is not about arithmetic"),
        ("try:\n        return x\n    finally:\n        pass", "a try that is not about arithmetic"),
        (
            "try:\n        return 1 / x\n    except ZeroDivisionError:\n        return 0.0",
            "a try, whose except may give any",
        ),
        ("y, z = [1.0]\n    return y", "1 values for"),
        ("x.y = 1\n    return x", "an assignment to x.y"),
        ("return sum(w for w in [1.0] if x > 0)", "a comprehension whose length depends on numbers"),
        ("return x in (1.0, 2.0)", r"'x in \(1.0, 2.0\)'"),
        ("return f'{x}'", "f'{x}'"),
        ("return 10 ** 400 + x", "too large"),
        ("return [x][1]", "a call of getitem that fails: list index out of range"),
        ("return -'text'", "a call of neg that fails"),
        ("return 1 if None < 2 else x", "a call of lt that fails"),
        ("return " + "-" * 2000 + "x", "nested too deeply"),
        ("return " + " + ".join(["x"] * 2000), "nested too deeply"),
    ],
)
def test_what_cannot_be_translated_is_refused(kernel, tmp_path, text, match):
    file = tmp_path / "own.py"
    file.write_text(f"import math\nfrom chainrule.ops import exp\n\ndef value(x):\n    {text}\n")
    names: dict = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    refused(kernel, names["value"], match)


def test_a_function_without_a_text_is_refused(kernel):
    names: dict = {}
    exec("def typed(x):\n    return x", names)
    refused(kernel, names["typed"], "typed, whose text cannot be had")
    refused(kernel, _built_in, "hypot")


def test_a_text_that_is_not_what_runs_is_refused(kernel, tmp_path):
    file = tmp_path / "own.py"
    file.write_text("def value(x):\n    return 2 * x\n")
    names: dict = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    check(kernel, names["value"])
    file.write_text("def value(x):\n    return 5 * x\n")
    linecache.checkcache()
    definition.cache_clear()
    refused(kernel, names["value"], "the text that is found there is not what runs")


def test_a_text_that_was_cut_off_is_refused(kernel, tmp_path):
    file = tmp_path / "own.py"
    file.write_text("def value(x):\n    return 2 * x\n")
    names: dict = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    file.write_text("def value(x):\n    return (2 *\n")
    linecache.checkcache()
    refused(kernel, names["value"], "value, whose text cannot be had")


def test_what_is_not_come_by_may_be_anything(kernel):
    def value(x):
        if len([x]) > 1:
            raise ValueError(f"{x}")
        return x if [x] else {x: 1}

    check(kernel, value)


def test_a_function_that_a_decorator_put_in_the_place_of_another_is_refused(kernel):
    def twice(function):
        @functools.wraps(function)
        def value(x):
            return 2 * function(x)

        return value

    @twice
    def value(x):
        return x

    refused(kernel, value, "it wraps another function")

    def calls(x):
        return value(x) + 1

    refused(kernel, calls, "it wraps another function")


def _built_in(x):
    return hypot(x, 1.0) + logsumexp([x, sigmoid(x)])
