"""Every lesson runs and says what is true."""

import math

import pytest

from chainrule.errors import StaleGradientWarning


def test_nudging(example, capsys):
    errors, slopes, partial, (nudged, exact) = example("01").main()
    best = min(errors, key=errors.get)
    assert 1e-10 < best < 1e-5  # smaller is better only for a while
    assert errors[1e-1] == pytest.approx(0.3, rel=1e-6)
    assert slopes[-3.0] < 0 < slopes[3.0]
    assert partial == pytest.approx([-3.0, 2.0, 1.0], abs=1e-8)
    assert exact == 14.0 == pytest.approx(nudged, abs=1e-6)
    assert "the function falls" in capsys.readouterr().out


def test_the_graph(example, capsys):
    lines = example("02").main()
    assert lines[2] == "e = a * b = -6"
    assert lines[-1] == "L = d * f = -8"
    assert "×-2: [+] d data 4.0000" in capsys.readouterr().out


def test_by_hand_by_machine_and_by_nudging(example):
    hand, machine, nudged, (before, after) = example("03").main()
    assert hand == machine
    assert {name: hand[name] for name in nudged} == pytest.approx(nudged, rel=1e-6)
    assert after > before == -8.0


def test_one_operation_at_a_time(example, capsys):
    gradients, first, second, report = example("04").main()
    assert gradients == pytest.approx({"x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0, "b": 0.5})
    assert (first, second) == pytest.approx((-2 / 16, 2 / 64))
    assert report.ok
    assert "mul   d/da = b, d/db = a" in capsys.readouterr().out


def test_the_wrong_order_gives_a_wrong_gradient(example):
    exact, results, (wrong, right) = example("05").main()
    assert results["reversed topological"] == exact == 44.0
    assert results["depth first"] == 32.0
    assert (wrong, right) == (4.0, 36.0)


def test_the_neuron_written_out_and_as_one_node(example, capsys):
    value, gradients, same = example("06").main()
    assert value == pytest.approx(math.sqrt(0.5))
    assert gradients == same == pytest.approx({"x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0, "b": 0.5})
    out = capsys.readouterr().out
    assert "do/dn4 = 1 - o*o = 1 - 0.707107*0.707107 = 0.5" in out
    assert "[Σ + b]" in out


def test_the_net(example):
    model, sizes, ranked = example("07").main()
    assert sizes == [16, 20, 5]
    assert len(model.parameters()) == 41
    assert abs(ranked[0][1].grad) >= abs(ranked[-1][1].grad)


def test_gradient_descent(example):
    runs = example("08").main(num_steps=50)
    final = {rate: losses[-1] for rate, (losses, _) in runs.items()}
    assert final[0.5] < final[0.05] < final[0.001] < runs[0.001][0][0]
    assert final[20.0] > 1


def test_the_forgotten_zero_grad(example):
    right, wrong, summed, caught = example("09").main(num_steps=30)
    assert right[-1] < 1e-3 < wrong[-1]
    assert summed == pytest.approx(right, rel=1e-9)
    assert len(caught) == 1
    assert caught[0].category is StaleGradientWarning
    assert "09_forgotten_zero_grad.py" in caught[0].filename
