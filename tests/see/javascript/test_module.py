"""Operations of the user's own in JavaScript: written with Python's own meaning, or left out with a reason."""

from __future__ import annotations

import math
import re
import struct

import pytest

import chainrule
from chainrule import ops
from chainrule.see.javascript import module_of, readable, written

MOST = 4.0
SCALE = 3.0
WEIGHTS = (0.5, 0.25, -1.0)


def helper(x, power=2):
    return x**power if x > 0 else -(abs(x) ** power)


def hexed(x):
    return struct.pack(">d", x).hex()


def unhexed(x):
    return struct.unpack(">d", bytes.fromhex(x))[0]


def own(value, local=lambda x, y: 1.0):
    return chainrule.operation(local=local, samples=[(2.0,)])(value)


def texts(x):
    """Uses most of what a text may have."""
    total, count = 0, 0
    for i, w in enumerate(WEIGHTS):
        total += w * x + i
    for a, b in zip([x, 1.0], WEIGHTS[1:], strict=True):
        total = total - a * b
    while count < 3 and not math.isnan(total):
        count += 1
        total = total + helper(x, power=count) + sum([k * k for k in range(5) if k % 2])
    first, *rest = [x, 2.0, SCALE]
    best = max(rest) if x else min(rest)
    row = []
    row.append(first)
    row.append(best)
    flag = x > 1 or x == -1
    return total + row[-1] + flag + (-7 // 2) + (-count % 2) + any(r > 2 for r in rest) + len(row[::2])


def words(x):
    return (int(abs(x) * 1e6) * 0xD2511F53 >> 7 ^ 0x9E3779B9 & 2**31 - 1) + 0.5


XS = [0.0, -0.0, 1.0, -1.0, 2.5, -3.75, 0.3, 1e3]


@pytest.mark.parametrize("value", [texts, words, lambda x: helper(x) if x < 2 else SCALE, lambda x: x > 0])
def test_a_text_means_what_it_means_in_python(value, javascript, own_operations, ulps):
    def named(x):
        return value(x)

    op = own(named)
    assert readable(op) is None
    found = javascript(
        module_of([op]), "return given.map((x) => toHex(operations.named.value(fromHex(x))));", [hexed(x) for x in XS]
    )
    for x, y in zip(XS, found, strict=True):
        assert ulps(float(value(x)), unhexed(y)) <= MOST, x


def test_local_derivatives_close_over_what_is_around_them(javascript, own_operations):
    k = 4.0
    op = own(lambda_free, [lambda x, c, y: k * x + y, None])
    module = module_of([op])
    body = "const { locals, any } = operations.lambda_free; return [locals[0](2, 5, 3), locals[1], any];"
    assert javascript(module, body) == [11.0, None, False]


def lambda_free(x, c):
    return x * c


def test_an_operation_of_any_number_of_operands_may_ask_for_all_at_once(javascript, own_operations):
    @chainrule.operation(local=lambda i, xs, y: ops.eq(ops.argmax(xs), 1.0 * i), pack=list)
    def topmost(*xs):
        return max(xs)

    assert readable(topmost) is None
    module = module_of([topmost])
    assert "once(value_argmax, xs)" in module
    body = """const { local, value, any } = operations.topmost, xs = [1, 5, 5];
      return [any, value(xs), xs.map((_, i) => local(i, xs, 5))];"""
    assert javascript(module, body) == [True, 5.0, [0.0, 1.0, 0.0]]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("1 / x", "ZeroDivisionError"),
        ("math.log(x)", "ValueError"),
        ("math.exp(1000 + x)", "OverflowError"),
        ("(-2.0 + x) ** 0.5", "TypeError"),
        ("[1.0][int(x) + 1]", "IndexError"),
        ("5 % x", "ZeroDivisionError"),
    ],
)
def test_where_python_raises_so_does_the_page(call, error, javascript, own_operations, tmp_path, loaded):
    file = tmp_path / "own_one.py"
    file.write_text(f"import math\n\ndef value(x):\n    return {call}\n", encoding="utf-8")
    op = own(loaded(file).value)
    assert readable(op) is None
    body = "try { return operations.value.value(0); } catch (error) { return error.message; }"
    assert javascript(module_of([op]), body).startswith(error)


REFUSED = [
    ("return {x: 1}[x]", "'{x: 1}'"),
    (
        "try:\n        return 1 / x\n    except ZeroDivisionError:\n        return 0.0",
        "a try, whose except may give any number",
    ),
    ("return math.gamma(x)", "math.gamma of 1 numbers"),
    ("return unknown", "the name unknown, which stands for nothing"),
    ("return print(x)", "a call of print"),
    ("y = x", "a way through value that returns nothing"),
    ("return 'text'", "'text'"),
    ("y = math.exp\n    return y(x)", "an assignment of a function"),
    ("return x.real", "'x.real'"),
    ("return x & 1", "several kinds of things"),
    ("return int(x) * 2**40 % 7", "the operator % on integers that may be large"),
    ("return value(x - 1)[0]", "in place of a list"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_what_cannot_be_written_is_left_out_with_its_reason(text, why, tmp_path, loaded, own_operations):
    file = tmp_path / "own_one.py"
    file.write_text(f"import math\n\ndef value(x):\n    {text}\n", encoding="utf-8")
    op = own(loaded(file).value)
    found = written([ops.relu, op])
    assert list(found.left_out) == ["value"]
    assert why in found.left_out["value"]
    assert readable(op) == found.left_out["value"]
    assert re.search(r"\(line \d", found.left_out["value"])
    assert found.text == module_of([ops.relu])


def test_a_function_without_a_text_is_left_out(own_operations):
    names: dict = {}
    exec("def typed(x):\n    return x", names)
    assert "typed, whose text cannot be had" in readable(own(names["typed"]))


def test_a_hostile_text_stays_a_text(tmp_path, loaded, own_operations):
    file = tmp_path / "own_one.py"
    file.write_text("def value(x):\n    if x > 9:\n        raise ValueError('</script><img>')\n    return x\n", "utf-8")
    module = module_of([own(loaded(file).value)])
    assert "</script" not in module
    assert "\\u003c/script>" in module


def test_names_that_javascript_keeps_are_changed(javascript, own_operations):
    def named(x):
        let, delete, row_0, erf, new = x, 2.0, 3.0, 4.0, 5.0
        return let + delete + row_0 + erf * math.erf(0.0) + new

    assert javascript(module_of([own(named)]), "return operations.named.value(1);") == 11.0


def test_the_operations_of_a_neuron_are_small():
    assert len(module_of([ops.add, ops.mul, ops.tanh, ops.weighted_sum])) < 2_000
