"""The functions of `math` in JavaScript against Python's own, at random and special numbers."""

from __future__ import annotations

import itertools
import math
import random
import struct

import pytest

from chainrule.reading.functions import FUNCTIONS
from chainrule.see.javascript.parts import needed, parts

MOST = 4.0
SPECIAL = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, 1e-300, 1e300, 5e-324, math.inf, -math.inf, math.nan, 27.6, -6.5]
NUMBERS = SPECIAL + [random.Random(0).gauss(0.0, 10.0**k) for k in range(-8, 4) for _ in range(20)]
CALLED = [f for f in FUNCTIONS.values() if f.javascript and f.operands in (1, 2) and f.llvm != "test"]


def hexed(x):
    return struct.pack(">d", x).hex()


def unhexed(x):
    return struct.unpack(">d", bytes.fromhex(x))[0]


def rows_of(function):
    if function.name == "ldexp":
        return [(x, float(n)) for x in NUMBERS for n in (0, 1, -1, 60, -1074, -1022, 1023, 2000, -3000)]
    return list(
        itertools.product(NUMBERS if function.operands == 1 else NUMBERS[::4] + SPECIAL, repeat=function.operands)
    )


@pytest.mark.parametrize("function", CALLED, ids=lambda function: function.name)
def test_a_function_is_within_four_units_of_pythons(function, javascript, ulps):
    wanted = []
    for row in rows_of(function):
        given = (row[0], int(row[1])) if function.name == "ldexp" else row
        try:
            wanted.append((row, float(getattr(math, function.name)(*given))))
        except (ValueError, OverflowError):
            continue
    module = needed([function.javascript]) if "." not in function.javascript else ""
    whole = " + 0" if function.llvm == "whole" else ""
    body = f"return given.map((row) => toHex({function.javascript}(...row.map(fromHex)){whole}));"
    found = javascript(module, body, [[hexed(x) for x in row] for row, _ in wanted])
    far = [(row, y, unhexed(x)) for (row, y), x in zip(wanted, found, strict=True) if not ulps(y, unhexed(x)) <= MOST]
    assert len(wanted) > 20
    assert not far, f"{len(far)} of {len(wanted)}: {far[:5]}"


def test_fsum_and_hypot_of_lists_round_once(javascript, ulps):
    chance = random.Random(1)
    rows = [[chance.choice([1, -1]) * 10.0 ** chance.uniform(-20, 20) for _ in range(n)] for n in range(1, 40)]
    rows += [[1e16, 1.0, 1e-16], [1.0, 2.0**-53, 2.0**-110], [1e100, 1.0, -1e100], [], [math.inf, 1.0], [0.1] * 10]
    given = [[hexed(x) for x in row] for row in rows]
    body = "return given.map((row) => row.map(fromHex)).map((xs) => [toHex(fsum(xs)), toHex(hypot(...xs))]);"
    found = javascript(needed(["fsum", "hypot"]), body, given)
    for row, (total, size) in zip(rows, found, strict=True):
        assert unhexed(total) == math.fsum(row), row
        assert ulps(unhexed(size), math.hypot(*row)) <= 1, row


def test_a_page_gets_only_what_it_calls():
    assert needed([]) == ""
    assert needed(["copysign"]).count("function ") == 1
    text = needed(["erfc"])
    assert text.index("const ERFC_RESTS") < text.index("function erfTail") < text.index("function erfc")
    assert "import" not in text
    assert "export" not in text
    assert not {"fsum", "philox"} & {name for name in parts() if f"function {name}(" in text}


PYTHONS = [
    *[("modulo(...xs)", lambda a, b: a % b), ("wholes(...xs)", lambda a, b: a // b)],
    *[
        ("divided(...xs)", lambda a, b: a / b),
        ("most(xs)", lambda a, b: max(a, b)),
        ("least(xs)", lambda a, b: min(a, b)),
    ],
    *[("rounded(xs[0])", lambda a, b: float(round(a))), ("whole(xs[0])", lambda a, b: float(int(a)))],
    *[("summed(xs, 0.5)", lambda a, b: 0.5 + a + b)],
]


@pytest.mark.parametrize(("call", "python"), PYTHONS, ids=[call for call, _ in PYTHONS])
def test_operators_and_functions_of_python_give_its_bits_or_its_error(call, python, javascript):
    numbers = [*SPECIAL, 2.5, 3.5, -2.5, -7.25, 0.1]
    rows = list(itertools.product(numbers, repeat=2))
    body = f"""return given.map((row) => {{ const xs = row.map(fromHex);
      try {{ return toHex({call}); }} catch (error) {{ return error.message.split(":")[0]; }} }});"""
    found = javascript(needed([call.partition("(")[0]]), body, [[hexed(x) for x in row] for row in rows])
    for row, there in zip(rows, found, strict=True):
        try:
            y = python(*row)
        except (ArithmeticError, ValueError):
            y = None
        assert there.endswith("Error") == (y is None), (row, y)
        if y is None:
            continue
        assert (math.isnan(y) and math.isnan(unhexed(there))) or hexed(y) == there, (row, y, unhexed(there))


def test_slices_and_ranges_are_those_of_python(javascript):
    row = [10.0, 11.0, 12.0, 13.0, 14.0]
    ends = [None, 0, 1, 3, 7, -1, -2, -9]
    cases = list(itertools.product(ends, ends, [1, 2, -1, -3]))
    found = javascript(needed(["slice"]), "return given[1].map((c) => slice(given[0], ...c));", [row, cases])
    assert found == [row[first:end:step] for first, end, step in cases]
    cases = list(itertools.product([0, 3, -2], [0, 5, -6], [1, 2, -1, -3]))
    assert javascript(needed(["range"]), "return given.map((c) => range(...c));", cases) == [
        list(range(*c)) for c in cases
    ]
