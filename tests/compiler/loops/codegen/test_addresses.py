"""Sums whose ends depend on an outer loop: no address lies outside of its array, and every number is the eager one."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

pytest.importorskip("llvmlite")

import numpy as np

import chainrule
from chainrule import Value
from chainrule.compiler.loops.codegen.build import module_of, plan
from chainrule.compiler.loops.codegen.statement_code import StatementCode
from chainrule.compiler.loops.program import Index
from chainrule.compiler.native.llvm import BoundsError, Machine
from chainrule.compiler.native.memory import BOUNDS
from chainrule.compiler.pipeline import Stages, Target, loop_kernel
from chainrule.optim import SGD

from .ragged_sums import ragged

T = 24
TABLE = [(7 * i + 3) % T for i in range(T)]


def causal(x, g):
    return chainrule.sum([chainrule.tanh(chainrule.sum([g[j] * x[i - j] for j in range(i + 1)])) for i in range(T)])


def forwards(x, g):
    return chainrule.sum([chainrule.sin(chainrule.sum([g[j] * x[i + j] for j in range(T - i)])) for i in range(T)])


def above(x, g):
    return chainrule.sum([chainrule.tanh(chainrule.sum([g[i] * x[j] for j in range(i, T)])) for i in range(T)])


def by_a_table(x, g):
    sums = [chainrule.sum([g[TABLE[j]] * x[i - j] for j in range(TABLE[i] % (i + 1) + 1)]) for i in range(T)]
    return chainrule.sum([chainrule.tanh(one) for one in sums])


def in_time(x, g):
    state, total = 0.1, 0.0
    for i in range(T):
        state = chainrule.tanh(state + chainrule.sum([g[j] * x[i - j] for j in range(i + 1)]))
        total = total + state
    return total


FUNCTIONS = [causal, forwards, above, by_a_table, in_time]
POINT = [np.sin(np.arange(T) + k).tolist() for k in range(2)]


@pytest.fixture(params=["as shipped", "checked"], autouse=True)
def addresses(request, monkeypatch):
    """Native code as it is, and that which checks its addresses, between guard pages."""
    if request.param == "checked":
        monkeypatch.setenv(BOUNDS, "1")
    else:
        monkeypatch.delenv(BOUNDS, raising=False)
    return request.param


def near(actual, expected, dtype="float64"):
    actual, expected = np.asarray(actual, float), np.asarray(expected, float)
    return np.abs(actual - expected).max() <= (1e-11 if dtype == "float64" else 1e-4) * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_one_sample_and_its_gradient(function, dtype):
    assert near(chainrule.compile(function, dtype=dtype)(*POINT), function(*POINT), dtype)
    actual = chainrule.compile(chainrule.grad(function, argnums=(0, 1)), dtype=dtype)(*POINT)
    assert near(actual, chainrule.grad(function, argnums=(0, 1))(*POINT), dtype)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("samples", [1, 5, 16, 37])
@pytest.mark.parametrize("axis", [0, 1])
def test_batches_that_are_no_multiple_of_a_vector(function, samples, axis):
    rows = np.random.default_rng(samples).normal(size=(samples, T))
    given = rows if axis == 0 else np.ascontiguousarray(rows.T)
    compiled = chainrule.compile(function, in_axes=(axis, None))
    assert near(compiled(given, POINT[1]), [function(row.tolist(), POINT[1]) for row in rows])


def test_gradients_of_a_batch():
    rows = np.random.default_rng(0).normal(size=(19, T))
    compiled = chainrule.compile(chainrule.grad(causal), in_axes=(0, None))
    expected = np.array([chainrule.grad(causal)(row.tolist(), POINT[1]) for row in rows])
    assert near(np.asarray(compiled(rows, POINT[1])), expected)


def test_a_jacobian_and_a_hessian():
    def outputs(x, g):
        return [chainrule.sum([g[j] * x[i - j] * x[i - j] for j in range(i + 1)]) for i in range(9)]

    def one(x, g):
        return chainrule.sum([chainrule.tanh(y) for y in outputs(x, g)])

    point = [POINT[0][:9], POINT[1][:9]]
    assert near(chainrule.compile(chainrule.jacobian(outputs))(*point), chainrule.jacobian(outputs)(*point))
    assert near(chainrule.compile(chainrule.hessian(one))(*point), chainrule.hessian(one)(*point))


def test_checkpoints_of_a_long_chain():
    n = 150

    def long(x, g):
        state = 0.1
        for i in range(n):
            state = chainrule.tanh(state + g[0] * x[i] + g[1] * x[i + 1] + g[2] * x[i + 2] + 0.1 * state * state)
        return state

    draw = np.random.default_rng(0)
    x, g = draw.normal(size=n + 2).tolist(), draw.normal(size=3).tolist()
    gradient = chainrule.grad(long, argnums=(0, 1))
    compiled = chainrule.compile(gradient, memory_limit=6000)
    for actual, expected in zip(compiled(x, g), gradient(x, g), strict=True):
        assert near(actual, expected)
    assert re.search(r"\d+ iterations of a loop are done once more", compiled.explain())


def test_training_steps():
    def trained(step_of):
        weights = [Value(0.9**j) for j in range(T)]
        optimizer = SGD(weights, lr=0.01)
        step_of(lambda x: causal(x, weights), optimizer)
        return [w.data for w in weights]

    rows = np.random.default_rng(1).normal(size=(13, T))

    def compiled(loss, optimizer):
        step = chainrule.compile_step(loss, optimizer, in_axes=0)
        for _ in range(3):
            step(rows)

    def eager(loss, optimizer):
        for _ in range(3):
            optimizer.zero_grad()
            (chainrule.sum([loss(row.tolist()) for row in rows]) / len(rows)).backward()
            optimizer.step()

    assert near(trained(compiled), trained(eager))


def test_an_infinite_number_that_is_masked_out_does_not_leak():
    x = [float("inf"), *POINT[0][1:-1], float("nan")]
    assert chainrule.compile(by_what_is_inside)(x, POINT[1]) == pytest.approx(by_what_is_inside(x, POINT[1]), rel=1e-12)


def by_what_is_inside(x, g):
    """It reads neither the first number nor the last; what is masked out would read both, and go beyond."""
    inside = [chainrule.sum([g[j] * x[i - j] for j in range(i)]) for i in range(1, T - 1)]
    return chainrule.sum([chainrule.tanh(one) for one in inside])


def test_explain_says_how_many_addresses_are_clamped():
    clamped = chainrule.compile(causal, in_axes=(0, None))
    clamped(np.zeros((3, T)), POINT[1])
    assert "1 clamped" in clamped.explain()
    plain = chainrule.compile(lambda x, g: chainrule.sum([a * b for a, b in zip(x, g, strict=True)]), in_axes=(0, None))
    plain(np.zeros((3, T)), POINT[1])
    assert "0 clamped" in plain.explain()


@pytest.mark.parametrize("seed", range(12))
def test_random_ragged_sums(seed):
    program, draw = ragged(1000 + seed), np.random.default_rng(seed)
    x, w = [draw.normal(size=size).tolist() for size in program.sizes]
    rows = draw.normal(size=(int(draw.integers(1, 40)), program.sizes[0]))
    assert near(chainrule.compile(program.function)(x, w), program.function(x, w)), program.what
    batch = chainrule.compile(program.function, in_axes=(0, None))(rows, w)
    assert near(batch, [program.function(row.tolist(), w) for row in rows]), program.what


# ---- memory of the caller's ------------------------------------------------------------------------------------------

ALONE = """
import ctypes, mmap, numpy as np, chainrule
n, T = {samples}, 32
def f(x, g):
    return chainrule.sum([chainrule.tanh(chainrule.sum([g[j] * x[i - j] for j in range(i + 1)])) for i in range(T)])
page, size = mmap.PAGESIZE, 8 * n * T
whole = -(-size // page) * page
memory = mmap.mmap(-1, whole + 2 * page, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
room = np.frombuffer(memory, np.uint8)
for guard in (0, page + whole):
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(room.ctypes.data + guard), page, 0) == 0
start = page if {front} else page + whole - size
x = room[start : start + size].view(float).reshape((T, n) if {axis} else (n, T))
x[...] = 0.1
g = [0.9 ** j for j in range(T)]
wanted = f([0.1] * T, g)
found = chainrule.compile(f, in_axes=({axis}, None))(x, g)
assert abs(found - wanted).max() < 1e-12
gradients = chainrule.compile(chainrule.grad(f), in_axes=({axis}, None))(x, g)
print("right")
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="guard pages are made with mprotect")
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("front", [True, False], ids=["before", "behind"])
@pytest.mark.parametrize("samples", [256, 250])
def test_nothing_is_read_beside_the_callers_array(axis, front, samples):
    text = ALONE.format(samples=samples, front=front, axis=axis)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout == "right\n", done.stderr


# ---- mistakes of the compiler's own ----------------------------------------------------------------------------------


def squares(calculate):
    """A program of plain loops over inputs that samples share, and the kernel that is made of it."""

    def outputs(x, w):
        return [chainrule.tanh(a * b + a) for a in x for b in w]

    return calculate(outputs, POINT, order=0).program()


def kernel_of(program, checked):
    machine = Machine.default()
    return loop_kernel(plan(program, machine), Target(machine=machine, checked=checked), Stages())


def first_read(program):
    return next(read for s in program.statements for read in s.reads() if read.indices and any(read.indices[0].strides))


def test_a_wrong_stride_is_caught(calculate, addresses):
    program = squares(calculate)
    read = first_read(program)
    index = read.indices[0]
    read.indices[0] = Index(index.offset, tuple([1000 * x for x in index.strides]), None, 1000 * index.lane)
    kernel = kernel_of(program, addresses == "checked")
    numbers = np.array([x for row in POINT for x in row])
    if addresses == "checked":
        with pytest.raises(BoundsError, match=r"outside of an array, in a\d+: a\d+\["):
            kernel.run(numbers)
    else:
        kernel.run(numbers)  # it is clamped, and touches no memory of others
        assert kernel.plan.address_report.clamped


def test_a_wrong_address_of_a_store_is_caught_and_writes_nothing(calculate, addresses, monkeypatch):
    real = StatementCode.store

    def store(self, statement, axes, values):
        axes = [self.times(axis, 1000) for axis in axes]
        real(self, statement, axes, values)

    program = squares(calculate)
    monkeypatch.setattr(StatementCode, "store", store)
    kernel = kernel_of(program, addresses == "checked")
    numbers = np.array([x for row in POINT for x in row])
    if addresses == "checked":
        with pytest.raises(BoundsError, match="to be filled"):
            kernel.run(numbers)
    else:
        kernel.run(numbers)


def test_checked_code_is_another_module(calculate):
    planned = plan(squares(calculate), Machine.named("sse2"))
    assert str(module_of(planned, Machine.named("sse2"), checked=True)) != str(
        module_of(planned, Machine.named("sse2"))
    )


@pytest.mark.parametrize("function", [causal, forwards, above])
def test_lanes_chosen_from_a_loop(function, calculate, distance):
    calculation = calculate(function, POINT, order=0)
    assert calculation.program().lanes == T
    assert distance(calculation.native(), calculation.eager()) < 1e-12
