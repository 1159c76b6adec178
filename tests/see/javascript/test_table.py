"""The table of operations in JavaScript against Python: every value and every local derivative, in Chromium."""

from __future__ import annotations

import itertools
import math
import random
import struct
import warnings

import pytest

from chainrule.core.operation import TABLE
from chainrule.core.packing import Row
from chainrule.see.javascript import readable, written

MOST = 4.0
"""So many units in the last place a number may be off."""

EDGES = [0.0, -0.0, math.inf, -math.inf, math.nan, 1000.0, -1000.0, 1e-300, 1.0, -1.0, 0.5, -2.5]
BUILT_IN = [op for op in TABLE.values() if op.built_in]


def hexed(x):
    return struct.pack(">d", float(x)).hex()


def unhexed(x):
    return struct.unpack(">d", bytes.fromhex(x))[0]


def rows_of(op):
    """The operands that an operation is tried with."""
    chance = random.Random(op.name)
    usual = [x for sample in op.samples for x in sample]
    numbers = [*EDGES, *usual, *[chance.uniform(-5, 5) for _ in range(10)], *[chance.gauss(0, 40) for _ in range(10)]]
    if op.operand_names is None:
        least = len(min(op.samples, key=len))
        rows = [[chance.choice(numbers) for _ in range(n)] for n in range(least, 9) for _ in range(60)]
        odd = op.name == "weighted_sum"
        rows = [row for row in rows if not odd or len(row) % 2]
        return [list(sample) for sample in op.samples] + rows
    count = len(op.operand_names)
    most = {1: numbers, 2: numbers}.get(count, EDGES)
    return [list(row) for row in [*op.samples, *itertools.product(most, repeat=count)]]


def expected(op, row):
    y = float(op.value(*row))
    count = len(row)
    numbers = Row(row) if op.operand_names is None else row
    return y, [op.slope(i, numbers, y) if op.flows(i) else None for i in range(count)]


def test_the_whole_table_is_written():
    module = written(BUILT_IN)
    assert module.left_out == {}
    assert all(readable(op) is None for op in BUILT_IN)
    assert len(module.text) < 60_000


RUN = """
return given.map(([name, rows]) => rows.map(([row, y]) => {
  const op = operations[name], xs = row.map(fromHex), result = fromHex(y);
  const found = op.any ? op.value(xs) : op.value(...xs);
  const locals = xs.map((_, i) => {
    if (!op.any) return op.locals[i] === null ? null : op.locals[i](...xs, result);
    const local = op.limit !== null && Math.abs(result) === Infinity ? op.limit : op.local;
    return local === null ? null : local(i, xs, result);
  });
  return [toHex(found), locals.map((x) => (x === null ? null : toHex(x)))];
}));
"""


@pytest.fixture(scope="module")
def differences(javascript, ulps):
    """How many numbers were compared of each operation, and which of them differ."""
    tried = {op.name: rows_of(op) for op in BUILT_IN}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = {op.name: [expected(op, row) for row in tried[op.name]] for op in BUILT_IN}
    given = [
        [name, [[[hexed(x) for x in row], hexed(y)] for row, (y, _) in zip(rows, wanted[name], strict=True)]]
        for name, rows in tried.items()
    ]
    found = javascript(written(BUILT_IN).text, RUN, given)
    counts, wrong = {}, {}
    for (name, rows), answers in zip(tried.items(), found, strict=True):
        counts[name], wrong[name] = 0, []
        for row, (y, slopes), (value, locals) in zip(rows, wanted[name], answers, strict=True):
            pairs = [("value", y, value), *[(i, *pair) for i, pair in enumerate(zip(slopes, locals, strict=True))]]
            for what, python, there in pairs:
                counts[name] += 1
                same = python is there is None
                if not same and (python is None or there is None or not ulps(python, unhexed(there)) <= MOST):
                    wrong[name].append((what, row, python, there and unhexed(there)))
    return counts, wrong


@pytest.mark.parametrize("op", BUILT_IN, ids=lambda op: op.name)
def test_values_and_local_derivatives_are_those_of_python(op, differences):
    counts, wrong = differences
    assert counts[op.name] > 0
    assert not wrong[op.name], f"{len(wrong[op.name])} of {counts[op.name]}: {wrong[op.name][:5]}"


def test_that_many_numbers_are_compared(differences):
    counts, _ = differences
    print(f"{sum(counts.values()):,} numbers of {len(counts)} operations")
    assert sum(counts.values()) > 100_000
