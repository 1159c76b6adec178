"""The option: the compiled price is that of the eager engine, and near the closed form where there is one."""

from __future__ import annotations

import pytest

import chainrule

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")


def test_the_geometric_price_is_that_of_the_closed_form(example, capsys):
    value, greeks, mean, error, exact = example("asian_option").main(paths=4000)
    assert abs(mean - exact) < 4 * error
    assert 0.4 < greeks[0] < 0.8
    assert value > mean  # an arithmetic mean is above the geometric one
    assert "2 traces" in capsys.readouterr().out


def test_price_and_derivatives_are_those_of_the_eager_engine(example):
    option = example("asian_option")
    normals = np.random.default_rng(2).standard_normal((12, option.DAYS))
    price = chainrule.compile(option.payoff, in_axes=(None, None, None, 0), reduce="mean")
    value, greeks = price.value_and_grad(100.0, 0.3, 0.01, normals, argnums=(0, 1, 2))
    eager = [chainrule.value_and_grad(option.payoff, (0, 1, 2))(100.0, 0.3, 0.01, row) for row in normals.tolist()]
    assert value == pytest.approx(sum(v for v, _ in eager) / 12, rel=1e-12)
    assert greeks == pytest.approx([sum(d[i] for _, d in eager) / 12 for i in range(3)], rel=1e-12)
