"""Every operation of the table as native code: exactly, and fast."""

from __future__ import annotations

import itertools
import math
import random

import pytest

pytest.importorskip("llvmlite")

import numpy as np
from llvmlite import ir

from chainrule import ops
from chainrule.compiler.lowering.operations import EXACT, PRIMITIVES, Emitter, NotLowered
from chainrule.compiler.native.llvm import Machine, assembly
from chainrule.core.operation import TABLE, forget, operation
from chainrule.errors import ArgumentError, OperandError

BUILT_IN = [op for op in TABLE.values() if op.built_in]
IN_PYTHON = {"hypot", "norm", "logsumexp"}
"""What Python does more exactly than the C library."""

SUMS = {"sum", "weighted_sum", "logsumexp", "logaddexp", "mean"}
BETWEEN_POLES = {
    "lgamma": lambda x: 1 + math.lgamma(1 - x),
    "digamma": lambda x: 1 + ops.digamma(1 - x),
    "polygamma": lambda n, x: abs(ops.polygamma(n, 1 - x)),
}
"""Operations with zeros below 0, between their poles: there, their errors are units of these numbers."""

SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -2.5, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 1e300, 710.0, -745.5]


def rows_for(op, bits=64, count=600):
    """Rows of operands: samples, all combinations of special numbers, or some of them, and random numbers."""
    draw = random.Random(op.name)
    n = len(op.operand_names or op.samples[0])
    special = [x for x in SPECIAL if bits == 64 or x not in (5e-324, -5e-324, 1e300)]
    rows = [row for row in op.samples if len(row) == n]
    rows += list(itertools.product(special, repeat=n)) if n < 3 else []
    rows += [tuple(draw.choice(special) for _ in range(n)) for _ in range(count)]
    rows += [tuple(draw.uniform(-6, 6) for _ in range(n)) for _ in range(count)]
    rows += [tuple(draw.gauss(0, 1) * 10 ** draw.uniform(-5, 5) for _ in range(n)) for _ in range(count)]
    if op.name == "take":
        rows += [(float(draw.randrange(-1, n)), *row[1:]) for row in rows[-count:]]
    return [tuple(float(np.float32(x)) for x in row) for row in rows] if bits == 32 else rows


def is_same(a, b):
    """Whether numbers are the same bits; any nan will do for another."""
    return (a.view(np.uint64) == b.view(np.uint64)) | (np.isnan(a) & np.isnan(b))


def values(op, rows):
    return np.array([op.value(*row) for row in rows])


@pytest.mark.parametrize("op", BUILT_IN, ids=lambda op: op.name)
def test_exact_code_gives_the_bits_of_the_table(op, kernel):
    rows = rows_for(op)
    for lanes in (1, Machine.host().lanes(64)):
        if op.name in IN_PYTHON:
            with pytest.raises(NotLowered, match=f"the operation {op.name} is not compiled"):
                kernel(op, Machine.host(), lanes, exact=True)
            continue
        wrong = ~is_same(kernel(op, Machine.host(), lanes, exact=True)(*np.array(rows).T), values(op, rows))
        assert not wrong.any(), rows[int(np.argmax(wrong))]


def test_exact_code_gives_the_bits_of_the_table_on_every_machine(kernel, machine):
    for op in BUILT_IN:
        if op.name not in IN_PYTHON:
            rows = rows_for(op, count=40)
            assert is_same(
                kernel(op, machine, machine.lanes(64), exact=True)(*np.array(rows).T), values(op, rows)
            ).all()


def test_every_operation_is_either_written_by_hand_or_follows_from_its_text(machine, kernel):
    assert set(EXACT) <= set(PRIMITIVES) <= {op.name for op in BUILT_IN}
    derived = {op.name for op in BUILT_IN if op.name not in PRIMITIVES}
    assert {"relu", "leaky_relu", "clip", "softplus", "select", "max", "chain", "identity", "abs"} <= derived
    for op in BUILT_IN:
        kernel(op, machine, 1)


def close(op, got, expected, rows, dtype):
    """Whether fast results are those of the table: in their sign, nan and inf, and to a few of the last digits."""
    expected = expected.astype(dtype)
    finite = np.isfinite(expected)
    scale = np.abs(expected)
    if op.name in SUMS:  # what is added cancels, in another order
        with np.errstate(all="ignore"):
            scale = np.maximum(scale, np.abs(np.array(rows)).sum(axis=1).astype(dtype) ** 2)
    if op.name in BETWEEN_POLES:
        below = [row[-1] < 0 and math.isfinite(y) for row, y in zip(rows, expected, strict=True)]
        sizes = [BETWEEN_POLES[op.name](*row) if is_below else 0.0 for row, is_below in zip(rows, below, strict=True)]
        scale = np.maximum(scale, np.array(sizes).astype(dtype))
    ulps = 200 if op.name == "gelu" else 4  # the table itself loses digits in its left tail
    near = np.abs(got.astype(float) - expected) <= ulps * np.spacing(scale).astype(float)
    signs = (np.signbit(got) == np.signbit(expected)) | (op.name in (*SUMS, "gelu"))
    signs |= (op.name in BETWEEN_POLES) & (scale > np.abs(expected))
    return np.where(finite, near & signs, (got == expected) | (np.isnan(got) & np.isnan(expected)))


@pytest.mark.parametrize("bits", [64, 32])
def test_fast_code_is_the_table_to_the_last_digits_at_special_numbers_too(kernel, machine, bits):
    dtype = np.float64 if bits == 64 else np.float32
    for op in BUILT_IN:
        rows = [row for row in rows_for(op, bits, 200) if op.name not in SUMS or max(map(abs, row)) < 1e15]
        with np.errstate(all="ignore"):
            right = close(
                op,
                kernel(op, machine, machine.lanes(bits), bits=bits)(*np.array(rows).T),
                values(op, rows),
                rows,
                dtype,
            )
        assert right.all(), (op, rows[int(np.argmin(right))])


@pytest.mark.slow
def test_a_number_comes_out_the_same_whatever_the_lanes(kernel, machine):
    for op in BUILT_IN:
        columns = np.array(rows_for(op, count=100)).T
        results = [kernel(op, machine, lanes)(*columns) for lanes in (1, machine.lanes(64), 2 * machine.lanes(64) + 1)]
        assert all(is_same(results[0], other).all() for other in results[1:]), op


def test_sums_of_many_operands(kernel):
    draw = np.random.default_rng(0)
    for n in (1, 2, 5, 30, 31):
        rows = draw.normal(size=(n, 50))
        sums = kernel(ops.sum, Machine.host(), 4, count=n)(*rows)
        assert np.allclose(sums, rows.sum(axis=0), rtol=0, atol=1e-13)
        largest = rows.max(axis=0)
        expected = largest + np.log(np.exp(rows - largest).sum(axis=0))
        assert np.allclose(kernel(ops.logsumexp, Machine.host(), 4, count=n)(*rows), expected, rtol=0, atol=1e-14)
        rows = draw.normal(size=(2 * n + 1, 50))
        expected = rows[0] + (rows[1::2] * rows[2::2]).sum(axis=0)
        assert np.allclose(
            kernel(ops.weighted_sum, Machine.host(), 4, count=2 * n + 1)(*rows), expected, rtol=0, atol=1e-13
        )


def test_norms_of_many_operands_of_any_size(kernel, machine):
    draw = random.Random(2)
    for n in (1, 2, 5, 30):
        rows = [[draw.choice(SPECIAL) for _ in range(n)] for _ in range(100)]
        for size in range(-320, 301, 10):
            rows += [[draw.gauss(0, 1) * 10.0 ** (size + draw.choice((0, -5, -30))) for _ in range(n)]]
        expected, got = values(ops.norm, rows), kernel(ops.norm, machine, machine.lanes(64), count=n)(*np.array(rows).T)
        right = np.isclose(got, expected, rtol=2e-15, atol=5e-324, equal_nan=True)
        assert right.all(), rows[int(np.argmin(right))]
    assert emitter().known(emitter().apply(ops.norm, [])) == 0.0


def test_exact_sums_of_many_operands_go_from_left_to_right(kernel):
    rows = np.random.default_rng(1).normal(size=(31, 50)) * 10.0 ** np.arange(31)[:, None]
    for op in (ops.sum, ops.weighted_sum):
        expected = np.array([op.value(*column) for column in rows.T.tolist()])
        assert is_same(kernel(op, Machine.host(), 8, exact=True, count=31)(*rows), expected).all()


@pytest.mark.parametrize("exponent", [-1.0, 0.0, 0.5, 1.0, 2.0, 3.0])
def test_a_known_exponent_is_a_product_or_a_root(kernel, machine, exponent):
    def power(e, operands):
        return e.apply(ops.pow, [operands[0], e.constant(exponent)])

    run = kernel(ops.neg, machine, machine.lanes(64), build=power)
    xs = np.array([*[x for x in SPECIAL if abs(x) != 1e300 or exponent < 2], 0.3, 7.0, -4.0])
    expected = np.array([ops.pow.value(x, exponent) for x in xs.tolist()])
    got = run(xs)
    with np.errstate(invalid="ignore"):
        near = np.abs(got - expected) <= 2 * np.spacing(np.abs(expected))
    assert (is_same(got, expected) | near).all()
    assert "chainrule.pow" not in str(run.module)


def test_an_operation_of_ones_own_compiles_with_no_further_line(kernel, machine):
    @operation(local=lambda x, y: 3 * x * x)
    def cubed(x):
        return x * x * x

    try:
        rows = np.random.default_rng(2).normal(size=(1, 100))
        assert is_same(kernel(cubed, machine, 2, exact=True)(*rows), rows[0] * rows[0] * rows[0]).all()
        assert np.allclose(kernel(cubed, machine, 2)(*rows), rows[0] ** 3, rtol=1e-15)
    finally:
        forget("cubed")


def emitter(lanes=2, bits=64, exact=False, machine=None):
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), []), "f")
    builder = ir.IRBuilder(function.append_basic_block())
    return Emitter(builder, module, machine or Machine.host(), lanes, bits, exact)


def test_the_wrong_number_of_operands_is_refused():
    e = emitter()
    with pytest.raises(OperandError, match=r"mul\(a, b\) takes 2 operands, not 1"):
        e.apply(ops.mul, [e.constant(1.0)])
    with pytest.raises(OperandError, match="logsumexp of an empty list"):
        e.apply(ops.logsumexp, [])


def test_numbers_have_32_or_64_bits_and_exact_ones_64():
    with pytest.raises(ArgumentError, match="32 or 64 bits, not 16"):
        emitter(bits=16)
    with pytest.raises(ArgumentError, match="floats of 64 bits"):
        emitter(bits=32, exact=True)


@pytest.mark.parametrize(("lanes", "bits", "text"), [(1, 64, "double"), (1, 32, "float"), (8, 64, "<8 x double>")])
def test_numbers_have_the_type_of_the_emitter(lanes, bits, text):
    e = emitter(lanes, bits)
    assert str(e.type) == text
    assert e.apply(ops.exp, [e.constant(1.0)]).type == e.type
    assert e.known(e.constant(2.5)) == 2.5
    assert e.known(e.apply(ops.exp, [e.constant(1.0)])) is None


def test_a_function_stands_in_a_module_once():
    e = emitter()
    x = e.constant(0.5)
    for _ in range(3):
        x = e.apply(ops.exp, [e.apply(ops.log, [x])])
    assert str(e.module).count("define internal") == 2


def test_fast_code_saves_a_rounding_and_exact_code_does_not():
    def text(exact, machine):
        e = emitter(exact=exact, machine=machine)
        function = ir.Function(e.module, ir.FunctionType(e.type, [e.type] * 3), "g")
        inside = Emitter(ir.IRBuilder(function.append_basic_block()), e.module, machine, 2, 64, exact)
        product = inside.apply(ops.mul, function.args[:2])
        inside.builder.ret(inside.apply(ops.add, [product, function.args[2]]))
        e.builder.ret_void()
        return assembly(e.module, machine)

    assert "vfmadd" in text(False, Machine.named("avx2"))
    assert "vfmadd" not in text(True, Machine.named("avx2"))
    assert "fmla" in text(False, Machine.named("arm64"))


def test_vectors_of_an_arm_calculate_exp_with_its_own_instructions():
    machine = Machine.named("arm64")
    e = emitter()
    function = ir.Function(e.module, ir.FunctionType(e.type, [e.type]), "g")
    inside = Emitter(ir.IRBuilder(function.append_basic_block()), e.module, machine, 2)
    inside.builder.ret(inside.apply(ops.exp, function.args))
    e.builder.ret_void()
    text = assembly(e.module, machine)
    assert "fmla" in text
    assert ".2d" in text
    assert "bl\texp" not in text
