"""The functions of mathematics against mpmath: no result is further off than two units in the last place, or four."""

from __future__ import annotations

import contextlib
import functools
import io
import math
import sys
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")

import mpmath
import numpy as np

from chainrule.compiler.native.llvm import Machine
from chainrule.core import coefficients
from chainrule.core.operation import TABLE

from ...exact_maths import exact_maths

MOST = 2.0
"""So many units in the last place a result may be off."""

COMPOSED = {"acosh", "asin", "asinh", "atanh", "acos", "mish", "silu", "erfinv"}
COMPOSED |= {"norm_pdf", "norm_logcdf", "lgamma", "digamma"}
"""What is made of several functions, and may be off by twice as much."""

mp = mpmath.mp.clone()
mp.prec = 160  # sin(1e22) begins with a remainder
LEAST = {64: 5e-324, 32: 1.5e-45}
LARGEST = {64: 1e308, 32: 1e38}

EXACT = {
    **exact_maths(mp),
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": mp.log,
    "log1p": mp.log1p,
    "tanh": mp.tanh,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "sin": lambda x: _circle(mp.sin, x),
    "cos": lambda x: _circle(mp.cos, x),
    "tan": lambda x: _circle(mp.tan, x),
    "atan": mp.atan,
    "sqrt": mp.sqrt,
    "erf": mp.erf,
    "erfc": lambda x: mp.erfc(x) if x < 28 else mp.zero,
    "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2 if x > -40 else mp.zero,
    "atan2": mp.atan2,
    "hypot": mp.hypot,
    "pow": mp.power,
    "erfinv": mp.erfinv,
    "norm_pdf": lambda x: mp.npdf(x) if abs(x) < 40 else mp.zero,
    "norm_cdf": lambda x: mp.ncdf(x) if x > -40 else mp.zero,
    "lgamma": lambda x: mp.loggamma(x),
}

DOMAINS = {
    **{"log": (0, math.inf), "log2": (0, math.inf), "log10": (0, math.inf), "log1p": (-1, math.inf)},
    **{"sqrt": (0, math.inf), "acosh": (1, math.inf)},
    **dict.fromkeys(("asin", "acos", "atanh"), (-1, 1)),
    **{"erfinv": (-1 + 1e-9, 1 - 1e-9), "norm_logcdf": (-1e4, 1e4), "lgamma": (0, 1e300), "digamma": (0, 1e300)},
}
"""Where a function is finite, without the ends."""


def _circle(function, x):
    with mp.extraprec(max(0, mp.mag(x))):
        return function(x)


def points(name, bits):
    """Numbers, or pairs of them, of all sizes, and more of them where the function is hard."""
    draw = np.random.default_rng(sum(map(ord, name)))

    def sizes(low, high, n=150):
        found = np.exp(draw.uniform(math.log(low), math.log(high), n))
        return found * draw.choice([-1.0, 1.0], n)

    if name in ("atan2", "hypot", "pow"):
        return _pairs(name, draw, sizes, bits)
    parts = [sizes(LEAST[bits], 1e-6), sizes(1e-6, 100, 400), draw.uniform(-3, 3, 300), 1 + sizes(1e-16, 0.5)]
    parts += [-1 + sizes(1e-16, 0.4), sizes(1e-3, LARGEST[bits])]
    if name in ("sin", "cos", "tan"):
        turns = np.concatenate([np.arange(1, 150), draw.integers(150, 667_000, 150), draw.integers(667_000, 2**40, 20)])
        parts += [turns * (math.pi / 2), sizes(1, 2e6), [1e22, 2.0**20, -(2.0**20)]]
    edge = 745.2 if bits == 64 else 103.98
    parts += [draw.uniform(-edge, edge * 0.953, 400), draw.uniform(-edge, -0.945 * edge, 200)]
    parts += (
        [draw.uniform(-38.6, 28, 400), draw.uniform(26, 27.3, 100)]
        if name in ("erf", "erfc", "gelu", "norm_cdf")
        else []
    )
    return [rounded(np.concatenate(parts), bits)]


def _pairs(name, draw, sizes, bits):
    high = 1e150 if bits == 64 else 1e18
    a = [sizes(1e-3, 1e3, 300), sizes(1 / high, high, 300), draw.uniform(0.3, 0.5, 200), sizes(LEAST[bits], 1e-30)]
    b = [sizes(1e-3, 1e3, 300), sizes(1 / high, high, 300), draw.uniform(0.9, 1.1, 200), sizes(LEAST[bits], 1e-30)]
    if name == "pow":
        bases = [np.abs(a[0]), np.abs(a[1]), 1 + sizes(1e-12, 0.3, 300), np.arange(-20.0, 20.0), np.abs(a[3])]
        edge = draw.uniform(-745, 709, 300) if bits == 64 else draw.uniform(-103, 88, 300)
        exponents = [draw.uniform(-3, 3, 300), draw.uniform(-1.9, 1.9, 300), edge / np.log(bases[2])]
        a, b = bases, [*exponents, draw.integers(-15, 15, 40), draw.uniform(-0.9, 0.9, 150)]
    return [rounded(np.concatenate(a), bits), rounded(np.concatenate(b), bits)]


def rounded(x, bits):
    with np.errstate(all="ignore"):
        return np.asarray(x).astype(np.float32 if bits == 32 else float).astype(float)


@functools.cache
def reference(name, bits):
    """The points, and the exact results as sums of two floats."""
    columns = points(name, bits)
    low, high = DOMAINS.get(name, (-math.inf, math.inf))
    columns = [column[(columns[0] > low) & (columns[0] < high)] for column in columns]
    exact = [
        EXACT[name](*[mp.mpf(x) for x in row]) for row in zip(*[column.tolist() for column in columns], strict=True)
    ]
    high = np.array([float(y) for y in exact])
    low = np.array(
        [float(y - mp.mpf(h)) if math.isfinite(h) else 0.0 for y, h in zip(exact, high.tolist(), strict=True)]
    )
    return columns, high, low


def ulps(got, high, low):
    """How far results are from the exact ones, in units in the last place; inf must be where float cannot hold them."""
    largest = np.finfo(got.dtype).max
    with np.errstate(all="ignore"):
        unit = np.spacing(np.abs(high).astype(got.dtype)).astype(float)
        off = np.abs((got.astype(float) - high) - low) / unit
        at_end = np.isinf(got) & (np.abs(high) >= 0.9999999 * largest) & (np.sign(got) == np.sign(high))
    return np.where(at_end | (np.isinf(high) & (got == high)), 0.0, np.nan_to_num(off, nan=np.inf))


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("bits", [64, 32])
def test_a_function_is_exact_to_two_units_in_the_last_place(kernel, machine, name, bits):
    columns, high, low = reference(name, bits)
    off = ulps(kernel(TABLE[name], machine, machine.lanes(bits), bits=bits)(*columns), high, low)
    worst = int(np.argmax(off))
    assert off[worst] <= MOST * (1 + (name in COMPOSED)), [column[worst] for column in columns]


def test_the_reference_knows_hard_cases():
    columns, high, _ = reference("sin", 64)
    assert high[columns[0].tolist().index(1e22)] == math.sin(1e22) == -0.8522008497671888
    assert reference("exp", 64)[1].min() < 1e-320


def test_a_vector_with_one_huge_number_leaves_the_others_as_they_are(kernel, machine):
    run = kernel(TABLE["sin"], machine, machine.lanes(64))
    xs = np.linspace(-50, 50, 64)
    far = xs.copy()
    far[::3] = 1e300
    alone, together = run(xs), run(far)
    assert (np.delete(alone, np.s_[::3]) == np.delete(together, np.s_[::3])).all()
    assert (together[::3] == math.sin(1e300)).all()


ODD = ["sin", "cos", "tan", "atan", "tanh", "erf", "expm1", "log1p", "sqrt", "cbrt"]
ODD += ["asin", "sinh", "asinh", "atanh"]


@pytest.mark.parametrize("name", ODD)
def test_zeros_keep_their_sign(kernel, machine, name):
    got = kernel(TABLE[name], machine, 2)(np.array([0.0, -0.0]))
    expected = [TABLE[name].value(0.0), TABLE[name].value(-0.0)]
    assert got.tolist() == expected
    assert [math.copysign(1, y) for y in got] == [math.copysign(1, y) for y in expected]


def test_the_numbers_can_be_calculated_again(loaded):
    folder = Path(__file__).parents[3] / "tools"
    if not folder.exists():
        pytest.skip("only the sources have tools")
    sys.path.insert(0, str(folder))
    try:
        tool = loaded(folder / "coefficients.py")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            tool.main()
    finally:
        sys.path.remove(str(folder))
    assert out.getvalue() == Path(coefficients.__file__).read_text(encoding="utf-8")


def test_exp_on_wide_vectors_takes_no_branch_and_few_instructions(kernel):
    machine = Machine.named("avx512")
    if not machine.runs_here:
        pytest.skip("this CPU has no AVX-512")
    body = str(kernel(TABLE["exp"], machine, 8).module).split("define internal")[1].split("}")[0]
    assert "br " not in body
    assert body.count("=") < 25
