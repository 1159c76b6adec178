"""Random graphs: their values and gradients against PyTorch, against differences, and against each other.

A program is a list of leaves and a list of steps, each an operation of the table applied to earlier results; results
are used again at random, so nodes are shared. Where an operand would lie near a kink, a pole or an overflow, the step
becomes a tanh: there a comparison of two libraries says nothing, and test_ops_ieee.py has those points.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule import Value, grad, hessian, jvp, ops, topological_order
from chainrule.core.operation import TABLE

SETTINGS = settings(max_examples=150, derandomize=True, deadline=None, database=None)
N_ARY = 3
GAP = 0.05
"""How far operands stay from kinks and poles."""

INNER: dict[str, Callable[..., bool]] = {
    "div": lambda a, b: abs(b) > GAP,
    "pow": lambda a, b: GAP < a < 20 and GAP < abs(b) < 4,  # at b = 0 PyTorch's second derivatives are not symmetric
    **dict.fromkeys(("floor", "ceil"), lambda x: abs(x - round(x)) > GAP),
    "round": lambda x: abs(abs(x - round(x)) - 0.5) > GAP,
    "mod": lambda a, b: abs(b) > GAP and abs(a / b - round(a / b)) > GAP,
    "floordiv": lambda a, b: abs(b) > GAP and abs(a / b - round(a / b)) > GAP,
    "exp": lambda x: x < 4,
    "expm1": lambda x: x < 4,
    "log": lambda x: x > GAP,
    "log1p": lambda x: x > GAP - 1,
    "log2": lambda x: x > GAP,
    "log10": lambda x: x > GAP,
    "exp2": lambda x: x < 6,
    "xlogy": lambda a, b: abs(a) > GAP and b > GAP,
    **dict.fromkeys(("sinh", "cosh"), lambda x: abs(x) < 4),
    **dict.fromkeys(("asin", "acos", "atanh"), lambda x: abs(x) < 1 - GAP),
    "acosh": lambda x: x > 1 + GAP,
    "erfinv": lambda x: abs(x) < 1 - GAP,
    "norm_ppf": lambda p: GAP < p < 1 - GAP,
    **dict.fromkeys(("lgamma", "digamma"), lambda x: 4 * GAP < x < 20),
    "polygamma": lambda n, x: n in (0, 1, 2) and 4 * GAP < x < 20,
    "cbrt": lambda x: abs(x) > GAP,
    "sign": lambda x: abs(x) > GAP,
    "elu": lambda x, alpha: abs(x) > GAP,
    "selu": lambda x: abs(x) > GAP,
    "sqrt": lambda x: x > GAP,
    "hypot": lambda a, b: abs(a) + abs(b) > GAP,  # at 0 there is no slope: nan here, 0 in PyTorch
    "norm": lambda *xs: max(map(abs, xs)) > GAP,
    "atan2": lambda a, b: abs(a) + abs(b) > GAP and (b > 0 or abs(a) > GAP),
    "tan": lambda x: abs(math.cos(x)) > 0.2,
    "relu": lambda x: abs(x) > GAP,
    "leaky_relu": lambda x, slope: abs(x) > GAP,
    "abs": lambda x: abs(x) > GAP,
    "select": lambda condition, a, b: abs(condition) > GAP,
    "clip": lambda x, low, high: min(abs(x - low), abs(x - high), abs(high - low)) > GAP and low < high,
    "logsumexp": lambda *xs: max(map(abs, xs)) < 50,
    "largest": lambda *xs: min(abs(a - b) for a, b in combinations(xs, 2)) > GAP,
}
"""Where an operation is smooth and tame; those not named here are everywhere, but for comparisons of equal numbers."""

COMPARED = {"lt", "le", "gt", "ge", "eq", "ne", "max", "min"}


def is_tame(name, operands):
    if name in COMPARED and abs(operands[0] - operands[1]) < GAP:
        return False
    return INNER.get(name, lambda *_: True)(*operands) and max(map(abs, operands)) < 100


def apply(op, operands):
    """An operation called as a user calls it."""
    if op.name == "weighted_sum":
        return op(operands[1::2], operands[2::2], operands[0])
    if op.name == "take":
        return op(operands[1:], operands[0])
    if op.name == "var":  # which finds the mean by itself
        return op(operands[1:])
    return op(operands) if op.takes_lists else op(*operands)


class Program:
    """Leaves, and steps (operation, places of its operands)."""

    def __init__(self, leaves, wishes):
        self.leaves = leaves
        self.steps = []
        numbers = list(leaves)
        for op, wished in wishes:
            places = [place % len(numbers) for place in wished[: arity(op)]]
            if op is ops.take:  # which number it takes is what a comparison gives, 0 or 1, and not near a jump
                if not self.add(ops.gt, places[:2], numbers):
                    continue
                places[0] = len(numbers) - 1
            self.add(op, places, numbers)

    def add(self, op, places, numbers):
        """Makes it the next step, or else a tanh; returns whether it was tame."""
        operands = [numbers[place] for place in places]
        y = apply(op, operands) if is_tame(op.name, operands) else math.nan
        tame = abs(y) < 100
        self.steps.append((op, places) if tame else (ops.tanh, places[:1]))
        numbers.append(y if tame else ops.tanh(operands[0]))
        return tame

    def run(self, leaves, call=apply):
        """The sum of the results that no step uses, and of a little of each leaf: so everything is in the graph."""
        results = list(leaves)
        for op, places in self.steps:
            results.append(call(op, [results[place] for place in places]))
        used = {place for _, places in self.steps for place in places}
        total = results[-1]
        for place, result in enumerate(results[:-1]):
            if place < len(leaves):
                total = total + 0.01 * result
            elif place not in used:
                total = total + result
        return total

    def __repr__(self):
        named = [f"{op.name}{places}" for op, places in self.steps]
        return f"Program({self.leaves}, [{', '.join(named)}])"


def arity(op):
    return N_ARY if op.operand_names is None else len(op.operand_names)


def programs(operations, leaves=3, steps=15):
    numbers = st.floats(-3, 3).map(lambda x: round(x, 3))
    places = st.lists(st.integers(0, 1000), min_size=N_ARY, max_size=N_ARY)
    wish = st.tuples(st.sampled_from(operations), places)
    return st.builds(
        Program,
        st.lists(numbers, min_size=leaves, max_size=leaves),
        st.lists(wish, min_size=steps // 3, max_size=steps),
    )


def gradients(program):
    leaves = [Value(x) for x in program.leaves]
    y = program.run(leaves)
    y.backward()
    return y.data, [leaf.grad for leaf in leaves]


BUILT_IN = [op for op in TABLE.values() if op.built_in]
SMOOTH = [op for op in BUILT_IN if op.name not in COMPARED]
SEEN_BY_DIFFERENCES = [op for op in BUILT_IN if op not in (ops.stop_gradient, ops.philox)]  # these two change

# ---- against PyTorch -----------------------------------------------------------------------------------------------


def torch_functions():
    """The operations that PyTorch has, by name or as written here; those that it lacks are left out."""
    torch = pytest.importorskip("torch")
    functional, stack = torch.nn.functional, torch.stack
    written = {
        "identity": lambda x: x * 1.0,
        "stop_gradient": lambda x: x.detach(),
        "chain": lambda a, b: a * b,
        "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        "relu": functional.relu,
        "leaky_relu": lambda x, slope: torch.where(x > 0, x, slope * x),
        "gelu": functional.gelu,
        "mod": torch.remainder,
        "silu": functional.silu,
        "mish": functional.mish,
        "selu": functional.selu,
        "elu": lambda x, alpha: torch.where(x > 0, x, alpha * torch.expm1(x)),
        "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
        "norm_pdf": lambda x: torch.exp(-x * x / 2) / math.sqrt(2 * math.pi),
        "norm_cdf": torch.special.ndtr,
        "norm_logcdf": torch.special.log_ndtr,
        "norm_ppf": torch.special.ndtri,
        "digamma": None,  # its derivative is right to nine digits alone; that is polygamma, whose tests use mpmath
        "polygamma": None,
        "mean": lambda *xs: stack(xs).mean(),
        "var": lambda mean, *xs: stack(xs).var(correction=0),
        "prod": lambda *xs: stack(xs).prod(),
        "max": torch.maximum,
        "min": torch.minimum,
        "clip": lambda x, low, high: torch.minimum(torch.maximum(x, low), high),
        "select": lambda condition, a, b: torch.where(condition != 0, a, b),
        "sum": lambda *xs: stack(xs).sum(),
        "sum_of_squares": lambda *xs: (stack(xs) ** 2).sum(),
        "norm": lambda *xs: torch.linalg.vector_norm(stack(xs)),
        "weighted_sum": lambda b, w, x: b + w * x,
        "logsumexp": lambda *xs: torch.logsumexp(stack(xs), 0),
        "largest": lambda *xs: stack(xs).max(),
        "take": lambda place, *xs: stack(xs)[int(place)],
        "argmax": None,  # PyTorch's is any one of equal numbers
    }
    compared = {name: getattr(torch, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")}
    written |= {name: lambda a, b, f=f: f(a, b).double() for name, f in compared.items()}
    known = {op.name: written.get(op.name, getattr(torch, op.name, None)) for op in BUILT_IN}
    return {name: function for name, function in known.items() if function is not None}


def torch_leaves(program):
    torch = pytest.importorskip("torch")
    return [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in program.leaves]


def test_pytorch_has_most_of_the_table():
    assert len(torch_functions()) > len(BUILT_IN) * 3 / 4


@pytest.fixture(scope="module")
def in_torch():
    functions = torch_functions()
    return lambda op, operands: functions[op.name](*operands)


def in_torch_too(operations):
    """Strategies are made before tests run, so what PyTorch lacks is left out when a program is drawn."""
    return st.deferred(lambda: programs([op for op in operations if op.name in torch_functions()]))


@SETTINGS
@given(program=in_torch_too(BUILT_IN))
def test_values_and_gradients_equal_pytorch_s(in_torch, program):
    value, found = gradients(program)
    leaves = torch_leaves(program)
    y = program.run(leaves, in_torch)
    y.backward()
    expected = [leaf.grad.item() for leaf in leaves]
    assert value == pytest.approx(y.item(), rel=1e-10, abs=1e-10)
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-10 * max(1.0, *map(abs, expected)))


@SETTINGS
@given(program=in_torch_too(SMOOTH))
def test_second_derivatives_equal_pytorch_s(in_torch, program):
    torch = pytest.importorskip("torch")
    leaves = torch_leaves(program)
    first = torch.autograd.grad(program.run(leaves, in_torch), leaves, create_graph=True)
    rows = [torch.autograd.grad(slope, leaves, retain_graph=True, allow_unused=True) if slope.requires_grad else
            [None] * len(leaves) for slope in first]  # fmt: skip
    expected = [[0.0 if x is None else x.item() for x in row] for row in rows]
    found = hessian(program.run)(program.leaves)
    scale = max(1.0, *[abs(x) for row in expected for x in row])
    for row, wanted in zip(found, expected, strict=True):
        assert row == pytest.approx(wanted, rel=1e-8, abs=1e-9 * scale)


@SETTINGS
@given(program=in_torch_too(SMOOTH))
def test_grad_of_grad_equals_pytorch_s_double_backward(in_torch, program):
    torch = pytest.importorskip("torch")
    fixed = program.leaves[1:]
    x = torch_leaves(program)[0]
    constants = [torch.tensor(number, dtype=torch.float64) for number in fixed]
    (first,) = torch.autograd.grad(program.run([x, *constants], in_torch), x, create_graph=True)
    second = torch.autograd.grad(first, x, allow_unused=True)[0] if first.requires_grad else None
    expected = 0.0 if second is None else second.item()
    found = grad(grad(lambda x: program.run([x, *fixed])))(program.leaves[0])
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-8 * max(1.0, abs(first.item())))


# ---- without PyTorch -----------------------------------------------------------------------------------------------


@SETTINGS
@given(program=programs(SEEN_BY_DIFFERENCES, steps=6))
def test_gradients_equal_central_differences(program):
    _, found = gradients(program)
    for i, x in enumerate(program.leaves):
        h = 1e-6

        def moved(by, i=i, x=x):
            return program.run([*program.leaves[:i], x + by, *program.leaves[i + 1 :]])

        by_difference = (moved(h) - moved(-h)) / (2 * h)
        curvature = abs(moved(h) - 2 * moved(0.0) + moved(-h)) / h
        assert found[i] == pytest.approx(by_difference, rel=1e-4, abs=1e-5 + 10 * curvature)


@SETTINGS
@given(program=programs(BUILT_IN))
def test_floats_values_and_no_operation_disagree_by_a_bit(program):
    value, _ = gradients(program)
    assert program.run(program.leaves).hex() == value.hex()


@SETTINGS
@given(program=programs(BUILT_IN), seed=st.floats(-4, 4))
def test_backward_is_linear_repeatable_and_leaves_the_graph_alone(program, seed):
    leaves = [Value(x) for x in program.leaves]
    y = program.run(leaves)
    y.backward()
    once = [leaf.grad for leaf in leaves]
    before = [(node.data, node.locals) for node in topological_order(y)]
    y.backward()
    assert [leaf.grad for leaf in leaves] == [2 * x for x in once]
    y.refresh()
    y.zero_grad()
    y.backward(seed)
    assert [leaf.grad for leaf in leaves] == pytest.approx([seed * x for x in once], rel=1e-9, abs=1e-9)
    assert [(node.data, node.locals) for node in topological_order(y)] == before


@SETTINGS
@given(program=programs(BUILT_IN))
def test_the_transform_equals_backward_and_forward_mode_equals_both(program):
    _, found = gradients(program)
    assert grad(program.run)(program.leaves) == pytest.approx(found, rel=1e-12, abs=1e-12)
    rng = random.Random(0)
    direction = [rng.uniform(-1, 1) for _ in found]
    _, slope = jvp(program.run, (program.leaves,), (direction,))
    by_backward = math.fsum(a * b for a, b in zip(found, direction, strict=True))
    assert slope == pytest.approx(by_backward, rel=1e-9, abs=1e-9 * max(1.0, *map(abs, found)))


@SETTINGS
@given(program=programs(SMOOTH))
def test_mixed_second_derivatives_do_not_depend_on_the_order(program):
    found = hessian(program.run)(program.leaves)
    scale = max(1.0, *[abs(x) for row in found for x in row])
    for i, row in enumerate(found):
        for j, x in enumerate(row):
            assert x == pytest.approx(found[j][i], rel=1e-9, abs=1e-9 * scale)


@SETTINGS
@given(numbers=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=N_ARY, max_size=N_ARY))
@pytest.mark.parametrize("op", BUILT_IN, ids=[op.name for op in BUILT_IN])
def test_no_operation_raises_at_any_float(op, numbers):
    operands = numbers[: arity(op)]
    y = apply(op, operands)
    node = apply(op, [Value(x) for x in operands])
    assert type(y) is float
    assert node.data.hex() == y.hex()
    node.backward()
    for i in range(len(operands)):
        local = op.local(i, operands, y)
        assert local is None or type(local) is float
