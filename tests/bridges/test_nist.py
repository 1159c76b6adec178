"""Nonlinear regression to the digits that NIST certifies."""

from __future__ import annotations

from pathlib import Path

import pytest

import chainrule

pytest.importorskip("scipy")
pytest.importorskip("llvmlite")

from chainrule.bridges.scipy import least_squares

NIST = Path(__file__).parents[2] / "benchmarks" / "scipy_contest" / "nist.py"
pytestmark = pytest.mark.skipif(not NIST.exists(), reason="the benchmarks are not there")


@pytest.mark.parametrize("name", ["MISRA1A", "THURBER", "MGH09"])
def test_parameters_and_standard_errors_have_the_certified_digits(loaded, name):
    nist = loaded(NIST)
    data = getattr(nist, name)
    samples = list(zip(data.x, data.y, strict=True))

    def residuals(b):
        return [data.model(b, x, chainrule) - y for x, y in samples]

    found = least_squares(residuals, list(data.start), **nist.TIGHT)
    assert found.params == pytest.approx(data.certified, rel=1e-7)
    assert found.standard_errors == pytest.approx(data.errors, rel=1e-6)
    assert 2 * found.cost == pytest.approx(data.squares, rel=1e-9)
    gradient = chainrule.grad(lambda b: chainrule.sum_of_squares(residuals(b)))
    assert least_squares(gradient, found.params, **nist.TIGHT).params == pytest.approx(data.certified, rel=1e-9)
